//! Handlers of the set commands.

pub mod spec;

/// SADD.
pub fn sadd() {}

/// SREM.
pub fn srem() {}

/// SISMEMBER.
pub fn sismember() {}

/// SMISMEMBER.
pub fn smismember() {}

/// SMEMBERS.
pub fn smembers() {}

/// SCARD.
pub fn scard() {}

/// SPOP.
pub fn spop() {}

/// SRANDMEMBER.
pub fn srandmember() {}

/// SMOVE.
pub fn smove() {}

/// SINTER.
pub fn sinter() {}

/// SINTERSTORE.
pub fn sinterstore() {}

/// SINTERCARD.
pub fn sintercard() {}

/// SUNION.
pub fn sunion() {}

/// SUNIONSTORE.
pub fn sunionstore() {}

/// SDIFF.
pub fn sdiff() {}

/// SDIFFSTORE.
pub fn sdiffstore() {}

/// SSCAN.
pub fn sscan() {}
