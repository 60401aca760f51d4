//! Floor 3: the data families, one folder each: `spec.rs` holds the rows, `mod.rs` the handlers in the same order.
//!
//! Never touches a socket, never takes a lock (the dispatcher holds the shards of a command's keys), never reads a
//! clock (the context carries the time).

pub mod args;
pub mod bitmap;
pub mod context;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod keys;
pub mod list;
pub mod sample;
pub mod scan;
pub mod set;
pub mod settings;
pub mod sorted_set;
pub mod spec;
pub mod stream;
pub mod string;
#[cfg(test)]
pub(crate) mod testing;

use crate::protocol::error::CommandResult;
pub use args::Args;
pub use context::Context;
use spec::CommandSpec;

/// A data command: reads all of its arguments, then reads or changes keys and writes one reply. What it has written
/// when it returns an error is taken back.
pub type Handler = for<'c, 'k, 'a> fn(&'c mut Context<'k>, Args<'a>) -> CommandResult;

/// The rows of all data families.
pub const FAMILIES: &[&[CommandSpec<Handler>]] = &[
    string::spec::COMMANDS,
    keys::spec::COMMANDS,
    hash::spec::COMMANDS,
    list::spec::COMMANDS,
    set::spec::COMMANDS,
    sorted_set::spec::COMMANDS,
    hyperloglog::spec::COMMANDS,
    bitmap::spec::COMMANDS,
    stream::spec::COMMANDS,
    geo::spec::COMMANDS,
];
