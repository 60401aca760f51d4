//! Floor 1: pure data structures, one per file. No clock, no reply, no I/O, no key.

pub mod hyperloglog;
pub mod packed;
pub mod table;
pub mod thin;
