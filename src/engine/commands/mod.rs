//! The engine's own commands, one folder per family: `spec.rs` holds the rows, `mod.rs` the handlers.

pub mod blocking;
pub mod cluster;
pub mod connection;
pub mod pubsub;
pub mod scripting;
pub mod server;
pub mod stream;
pub mod transaction;

use super::Handler;
use crate::command::spec::CommandSpec;

/// The rows of all families of the engine.
pub const FAMILIES: &[&[CommandSpec<Handler>]] = &[
    connection::spec::COMMANDS,
    pubsub::spec::COMMANDS,
    transaction::spec::COMMANDS,
    server::spec::COMMANDS,
    blocking::spec::COMMANDS,
    stream::spec::COMMANDS,
    cluster::spec::COMMANDS,
    scripting::spec::COMMANDS,
];

#[cfg(test)]
pub(crate) mod tests;
