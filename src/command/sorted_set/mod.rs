//! Handlers of the sorted-set commands that do not wait.

pub mod spec;

/// ZADD.
pub fn zadd() {}

/// ZINCRBY.
pub fn zincrby() {}

/// ZREM.
pub fn zrem() {}

/// ZCARD.
pub fn zcard() {}

/// ZCOUNT.
pub fn zcount() {}

/// ZSCORE.
pub fn zscore() {}

/// ZMSCORE.
pub fn zmscore() {}

/// ZRANK.
pub fn zrank() {}

/// ZREVRANK.
pub fn zrevrank() {}

/// ZRANGE.
pub fn zrange() {}

/// ZRANGESTORE.
pub fn zrangestore() {}

/// ZRANGEBYSCORE.
pub fn zrangebyscore() {}

/// ZREVRANGE.
pub fn zrevrange() {}

/// ZREVRANGEBYSCORE.
pub fn zrevrangebyscore() {}

/// ZRANGEBYLEX.
pub fn zrangebylex() {}

/// ZREVRANGEBYLEX.
pub fn zrevrangebylex() {}

/// ZLEXCOUNT.
pub fn zlexcount() {}

/// ZREMRANGEBYRANK.
pub fn zremrangebyrank() {}

/// ZREMRANGEBYSCORE.
pub fn zremrangebyscore() {}

/// ZREMRANGEBYLEX.
pub fn zremrangebylex() {}

/// ZPOPMIN.
pub fn zpopmin() {}

/// ZPOPMAX.
pub fn zpopmax() {}

/// ZMPOP.
pub fn zmpop() {}

/// ZRANDMEMBER.
pub fn zrandmember() {}

/// ZSCAN.
pub fn zscan() {}

/// ZUNION.
pub fn zunion() {}

/// ZINTER.
pub fn zinter() {}

/// ZDIFF.
pub fn zdiff() {}

/// ZUNIONSTORE.
pub fn zunionstore() {}

/// ZINTERSTORE.
pub fn zinterstore() {}

/// ZDIFFSTORE.
pub fn zdiffstore() {}

/// ZINTERCARD.
pub fn zintercard() {}
