//! Handlers of the list commands that do not wait.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// LPUSH.
pub fn lpush(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RPUSH.
pub fn rpush(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LPUSHX.
pub fn lpushx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RPUSHX.
pub fn rpushx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LPOP.
pub fn lpop(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RPOP.
pub fn rpop(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LLEN.
pub fn llen(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LINDEX.
pub fn lindex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LSET.
pub fn lset(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LINSERT.
pub fn linsert(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LRANGE.
pub fn lrange(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LTRIM.
pub fn ltrim(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LREM.
pub fn lrem(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LPOS.
pub fn lpos(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LMOVE.
pub fn lmove(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RPOPLPUSH.
pub fn rpoplpush(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// LMPOP.
pub fn lmpop(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
