//! Floor 3: the data families, one folder each: `spec.rs` holds the rows, `mod.rs` the handlers in the same order.
//!
//! Never touches a socket, never takes a lock (the dispatcher holds the shards of a command's keys), never reads a
//! clock (the context carries the time).

pub mod hash;
pub mod hyperloglog;
pub mod keys;
pub mod list;
pub mod set;
pub mod sorted_set;
pub mod spec;
pub mod string;

use spec::CommandSpec;

/// The rows of all data families.
pub const FAMILIES: &[&[CommandSpec<Handler>]] = &[
    string::spec::COMMANDS,
    keys::spec::COMMANDS,
    hash::spec::COMMANDS,
    list::spec::COMMANDS,
    set::spec::COMMANDS,
    sorted_set::spec::COMMANDS,
    hyperloglog::spec::COMMANDS,
];

/// What runs a command of a data family.
pub type Handler = fn();
