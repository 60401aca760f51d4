//! Handlers of the list commands that do not wait.

pub mod spec;

/// LPUSH.
pub fn lpush() {}

/// RPUSH.
pub fn rpush() {}

/// LPUSHX.
pub fn lpushx() {}

/// RPUSHX.
pub fn rpushx() {}

/// LPOP.
pub fn lpop() {}

/// RPOP.
pub fn rpop() {}

/// LLEN.
pub fn llen() {}

/// LINDEX.
pub fn lindex() {}

/// LSET.
pub fn lset() {}

/// LINSERT.
pub fn linsert() {}

/// LRANGE.
pub fn lrange() {}

/// LTRIM.
pub fn ltrim() {}

/// LREM.
pub fn lrem() {}

/// LPOS.
pub fn lpos() {}

/// LMOVE.
pub fn lmove() {}

/// RPOPLPUSH.
pub fn rpoplpush() {}

/// LMPOP.
pub fn lmpop() {}
