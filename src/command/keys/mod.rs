//! Handlers of the commands that work on keys of every type.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// DEL.
pub fn del(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// UNLINK.
pub fn unlink(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// EXISTS.
pub fn exists(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// TOUCH.
pub fn touch(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// EXPIRE.
pub fn expire(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PEXPIRE.
pub fn pexpire(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// EXPIREAT.
pub fn expireat(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PEXPIREAT.
pub fn pexpireat(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// EXPIRETIME.
pub fn expiretime(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PEXPIRETIME.
pub fn pexpiretime(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// TTL.
pub fn ttl(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PTTL.
pub fn pttl(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PERSIST.
pub fn persist(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// TYPE.
pub fn type_(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RENAME.
pub fn rename(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RENAMENX.
pub fn renamenx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// COPY.
pub fn copy(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// MOVE.
pub fn move_(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// RANDOMKEY.
pub fn randomkey(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// KEYS.
pub fn keys(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// SCAN.
pub fn scan(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// OBJECT ENCODING.
pub fn object_encoding(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// OBJECT REFCOUNT.
pub fn object_refcount(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// OBJECT IDLETIME.
pub fn object_idletime(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// OBJECT FREQ.
pub fn object_freq(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// OBJECT HELP.
pub fn object_help(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
