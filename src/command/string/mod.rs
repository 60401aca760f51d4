//! Handlers of the string commands; bitmaps have a family of their own.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// GET.
pub fn get(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SET.
pub fn set(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// GETEX.
pub fn getex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// GETDEL.
pub fn getdel(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// GETSET.
pub fn getset(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SETNX.
pub fn setnx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SETEX.
pub fn setex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PSETEX.
pub fn psetex(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SETRANGE.
pub fn setrange(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// GETRANGE.
pub fn getrange(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SUBSTR.
pub fn substr(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// STRLEN.
pub fn strlen(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// APPEND.
pub fn append(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// INCR.
pub fn incr(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// DECR.
pub fn decr(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// INCRBY.
pub fn incrby(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// DECRBY.
pub fn decrby(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// INCRBYFLOAT.
pub fn incrbyfloat(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// MGET.
pub fn mget(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// MSET.
pub fn mset(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// MSETNX.
pub fn msetnx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
