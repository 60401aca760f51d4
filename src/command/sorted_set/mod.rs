//! Handlers of the sorted-set commands that do not wait.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// ZADD.
pub fn zadd(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZINCRBY.
pub fn zincrby(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREM.
pub fn zrem(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZCARD.
pub fn zcard(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZCOUNT.
pub fn zcount(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZSCORE.
pub fn zscore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZMSCORE.
pub fn zmscore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANK.
pub fn zrank(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREVRANK.
pub fn zrevrank(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANGE.
pub fn zrange(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANGESTORE.
pub fn zrangestore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANGEBYSCORE.
pub fn zrangebyscore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREVRANGE.
pub fn zrevrange(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREVRANGEBYSCORE.
pub fn zrevrangebyscore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANGEBYLEX.
pub fn zrangebylex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREVRANGEBYLEX.
pub fn zrevrangebylex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZLEXCOUNT.
pub fn zlexcount(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREMRANGEBYRANK.
pub fn zremrangebyrank(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREMRANGEBYSCORE.
pub fn zremrangebyscore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZREMRANGEBYLEX.
pub fn zremrangebylex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZPOPMIN.
pub fn zpopmin(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZPOPMAX.
pub fn zpopmax(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZMPOP.
pub fn zmpop(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZRANDMEMBER.
pub fn zrandmember(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZSCAN.
pub fn zscan(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZUNION.
pub fn zunion(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZINTER.
pub fn zinter(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZDIFF.
pub fn zdiff(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZUNIONSTORE.
pub fn zunionstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZINTERSTORE.
pub fn zinterstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZDIFFSTORE.
pub fn zdiffstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// ZINTERCARD.
pub fn zintercard(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
