//! Floor 0: what everything stands on. Knows no key, no reply, no socket.
pub mod limits;
