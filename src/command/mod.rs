//! Floor 3: the data families, one folder each: `spec.rs` holds the rows, `mod.rs` the handlers in the same order.
//!
//! Never touches a socket, never takes a lock (the dispatcher holds the shards of a command's keys), never reads a
//! clock (the context carries the time).

pub mod args;
pub mod context;
pub mod settings;
pub mod spec;

use crate::protocol::error::CommandResult;
pub use args::Args;
pub use context::Context;

/// A data command: reads all of its arguments, then reads or changes keys and writes one reply. What it has written
/// when it returns an error is taken back.
pub type Handler = for<'c, 'k> fn(&'c mut Context<'k>, Args<'_>) -> CommandResult;
