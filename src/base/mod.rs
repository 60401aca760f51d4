//! Floor 0: what everything stands on. Knows no key, no reply, no socket.
pub mod bytes;
pub mod clock;
pub mod config;
pub mod crc64;
pub mod gauge;
pub mod glob;
pub mod latency_monitor;
pub mod limits;
pub mod lock;
pub mod long_double;
pub mod number;
pub mod prefetch;
pub mod process;
pub mod random;
pub mod words;
