//! Floor 1: pure data structures, one per file. No clock, no reply, no I/O, no key.

mod any;
pub mod bits;
pub mod geohash;
pub mod hash;
pub mod hyperloglog;
pub mod list;
mod listpack_size;
pub mod packed;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod table;
pub mod thin;

pub use any::{NewValue, ValueLimits, ValueRef, ValueType};
