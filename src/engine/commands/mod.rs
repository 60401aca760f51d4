//! The engine's own commands, one folder per family: `spec.rs` holds the rows, `mod.rs` the handlers.

pub mod blocking;
pub mod connection;
pub mod pubsub;
pub mod server;
pub mod transaction;
