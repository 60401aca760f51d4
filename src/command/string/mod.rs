//! Handlers of the string commands; bitmaps have a family of their own.
//!
//! A string that spells an integer is stored as one (`stored`); whatever edits a string in place leaves it `raw`, as
//! OBJECT ENCODING tells.

mod compare;
mod lcs;
mod number;
mod range;
mod set;
pub mod spec;
#[cfg(test)]
mod tests;

pub use compare::{delex, delifeq, digest};
pub use lcs::lcs;
pub use number::{decr, decrby, incr, incrby, incrbyfloat};
pub use range::{append, getrange, setrange, strlen, substr};
pub use set::{getdel, getex, getset, msetex, psetex, set, setex, setnx};

use crate::base::number::parse_i64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, StringRef};

/// The text of a string value as a reply.
fn reply_string(reply: &mut Reply, value: StringRef<'_>) {
    match value {
        StringRef::Integer(n) => reply.bulk_integer(n),
        StringRef::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// The form in which a whole string is stored: as a number where it is the text of one.
#[inline]
pub fn stored(value: &[u8]) -> NewValue<'_> {
    match parse_i64(value) {
        Some(n) => NewValue::Integer(n),
        None => NewValue::Bytes(value),
    }
}

/// Replies the string at `key`, or null; true if there is one.
#[inline]
fn reply_value(ctx: &mut Context<'_>, key: &[u8]) -> CommandResult<bool> {
    match ctx.keys.find(key) {
        Some(record) => {
            reply_string(&mut ctx.reply, record.string().ok_or(CommandError::WrongType)?);
            Ok(true)
        }
        None => {
            ctx.reply.null();
            Ok(false)
        }
    }
}

/// `GET key`
pub fn get(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    reply_value(ctx, args.next_bytes()?)?;
    Ok(())
}

/// `MGET key [key ...]`
pub fn mget(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let keys = args.rest();
    ctx.reply.array(keys.len());
    for key in keys {
        match ctx.keys.find(key).and_then(|record| record.string()) {
            Some(value) => reply_string(&mut ctx.reply, value),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// `MSET key value [key value ...]`
pub fn mset(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    if !args.remaining().is_multiple_of(2) {
        return Err(CommandError::wrong_arity("mset"));
    }
    write_pairs(ctx, args)?;
    ctx.reply.ok();
    Ok(())
}

/// `MSETNX key value [key value ...]`
pub fn msetnx(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    if !args.remaining().is_multiple_of(2) {
        return Err(CommandError::wrong_arity("msetnx"));
    }
    let taken = args.rest().step_by(2).any(|key| ctx.keys.exists(key));
    if !taken {
        write_pairs(ctx, args)?;
    }
    ctx.reply.integer(!taken as i64);
    Ok(())
}

/// Writes pairs of a key and its value; there is an even number of arguments.
fn write_pairs(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    while args.remaining() > 0 {
        let (key, value) = (args.next_bytes()?, args.next_bytes()?);
        ctx.keys.set(key, stored(value), None);
        ctx.keys.changed(EventClass::String, "set", key);
    }
    Ok(())
}
