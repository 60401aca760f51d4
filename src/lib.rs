//! Pipkin: an embedded, Redis-protocol-compatible in-memory server.
//!
//! The house has floors; imports go down only (`tests/tidy.rs` holds the map):
//!
//! ```text
//! 7  main.rs, lib.rs
//! 6  server/    listeners, the connection loop, shutdown
//! 4  engine/    registry, dispatch gates, transaction, blocking, and the commands that need them
//! 3  command/   data families, one folder each: spec.rs (rows), mod.rs (handlers)
//! 2  store/     keyspace: shards, record, lock set, expiry, eviction, watch
//! 1  value/ protocol/ pubsub/
//! 0  base/      clock, random, glob, number, limits, the configuration table
//! ```

pub mod base;
pub mod command;
pub mod engine;
pub mod protocol;
pub mod pubsub;
#[cfg(feature = "server")]
pub mod server;
pub mod store;
pub mod value;
