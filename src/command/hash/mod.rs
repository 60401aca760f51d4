//! Handlers of the hash commands.

pub mod spec;

/// HSET.
pub fn hset() {}

/// HSETNX.
pub fn hsetnx() {}

/// HMSET.
pub fn hmset() {}

/// HGET.
pub fn hget() {}

/// HMGET.
pub fn hmget() {}

/// HGETALL.
pub fn hgetall() {}

/// HKEYS.
pub fn hkeys() {}

/// HVALS.
pub fn hvals() {}

/// HLEN.
pub fn hlen() {}

/// HSTRLEN.
pub fn hstrlen() {}

/// HEXISTS.
pub fn hexists() {}

/// HDEL.
pub fn hdel() {}

/// HINCRBY.
pub fn hincrby() {}

/// HINCRBYFLOAT.
pub fn hincrbyfloat() {}

/// HRANDFIELD.
pub fn hrandfield() {}

/// HSCAN.
pub fn hscan() {}
