//! Floor 3: the data families, one folder each: `spec.rs` holds the rows, `mod.rs` the handlers in the same order.
//!
//! Never touches a socket, never takes a lock (the dispatcher holds the shards of a command's keys), never reads a
//! clock (the context carries the time).

pub mod spec;
