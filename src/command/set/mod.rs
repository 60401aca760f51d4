//! Handlers of the set commands.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// SADD.
pub fn sadd(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SREM.
pub fn srem(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SISMEMBER.
pub fn sismember(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SMISMEMBER.
pub fn smismember(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SMEMBERS.
pub fn smembers(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SCARD.
pub fn scard(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SPOP.
pub fn spop(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SRANDMEMBER.
pub fn srandmember(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SMOVE.
pub fn smove(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SINTER.
pub fn sinter(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SINTERSTORE.
pub fn sinterstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SINTERCARD.
pub fn sintercard(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SUNION.
pub fn sunion(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SUNIONSTORE.
pub fn sunionstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SDIFF.
pub fn sdiff(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SDIFFSTORE.
pub fn sdiffstore(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SSCAN.
pub fn sscan(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
