//! Handlers of the hash commands.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// HSET.
pub fn hset(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HSETNX.
pub fn hsetnx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HMSET.
pub fn hmset(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HGET.
pub fn hget(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HMGET.
pub fn hmget(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HGETALL.
pub fn hgetall(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HKEYS.
pub fn hkeys(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HVALS.
pub fn hvals(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HLEN.
pub fn hlen(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HSTRLEN.
pub fn hstrlen(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HEXISTS.
pub fn hexists(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HDEL.
pub fn hdel(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HINCRBY.
pub fn hincrby(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HINCRBYFLOAT.
pub fn hincrbyfloat(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HRANDFIELD.
pub fn hrandfield(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// HSCAN.
pub fn hscan(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
