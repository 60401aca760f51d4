//! Handlers of the string commands; bitmaps have a family of their own.

pub mod spec;

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

/// `GET key`
pub fn get(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    match ctx.keys.find(key) {
        Some(record) => reply_string(&mut ctx.reply, record.string().ok_or(CommandError::WrongType)?),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// When the options of SET, GETEX and their kin say that a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Expiry {
    /// Not said: SET clears it, GETEX leaves it.
    #[default]
    Unsaid,
    /// As before (`KEEPTTL`).
    Keep,
    /// Never (`PERSIST`).
    Never,
    /// At this Unix time in ms.
    At(u64),
}

/// A deadline from its number: `unit_ms` 1 or 1000, `base_ms` now or 0.
///
/// # Errors
/// When it is not positive, or beyond what can be stored.
fn deadline_of(number: i64, unit_ms: i64, base_ms: u64, command: &'static str) -> CommandResult<u64> {
    let invalid = || CommandError::InvalidExpire(command);
    if number <= 0 {
        return Err(invalid());
    }
    let base = i64::try_from(base_ms).map_err(|_| invalid())?;
    let at = number.checked_mul(unit_ms).and_then(|ms| ms.checked_add(base)).ok_or_else(invalid)?;
    u64::try_from(at).map_err(|_| invalid())
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub fn set(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    let options = SetOptions::read(&mut args, ctx.keys.now_ms)?;
    let mut exists = false;
    if options.condition != Condition::Always || options.get || options.expiry == Expiry::Keep {
        let old = ctx.keys.peek(key);
        exists = old.is_some();
        if options.get {
            let old = old.map(|record| record.string().ok_or(CommandError::WrongType)).transpose()?;
            match old {
                Some(old) => reply_string(&mut ctx.reply, old),
                None => ctx.reply.null(),
            }
        }
    }
    let met = match options.condition {
        Condition::Always => true,
        Condition::IfMissing => !exists,
        Condition::IfExists => exists,
    };
    if !met {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(());
    }
    let deadline = match options.expiry {
        Expiry::At(deadline) => Some(deadline),
        Expiry::Keep => ctx.keys.peek(key).and_then(|record| record.deadline()),
        Expiry::Unsaid | Expiry::Never => None,
    };
    ctx.keys.set(key, stored(value), deadline);
    ctx.keys.changed(EventClass::String, "set", key);
    if !options.get {
        ctx.reply.ok();
    }
    Ok(())
}

/// Whether SET writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Condition {
    #[default]
    Always,
    IfMissing,
    IfExists,
}

#[derive(Clone, Copy, Debug, Default)]
struct SetOptions {
    condition: Condition,
    get: bool,
    expiry: Expiry,
}

impl SetOptions {
    /// Reads the options of SET; each may be given once, and those that exclude each other not together.
    fn read(args: &mut Args<'_>, now_ms: u64) -> CommandResult<SetOptions> {
        let mut options = SetOptions::default();
        let mut number = None;
        while args.remaining() > 0 {
            let free = options.expiry == Expiry::Unsaid && number.is_none();
            if options.condition != Condition::IfExists && args.take("NX") {
                options.condition = Condition::IfMissing;
            } else if options.condition != Condition::IfMissing && args.take("XX") {
                options.condition = Condition::IfExists;
            } else if args.take("GET") {
                options.get = true;
            } else if number.is_none() && args.take("KEEPTTL") {
                options.expiry = Expiry::Keep;
            } else if free && args.take_with_value("EX") {
                number = Some((args.next_bytes()?, 1000, now_ms));
            } else if free && args.take_with_value("PX") {
                number = Some((args.next_bytes()?, 1, now_ms));
            } else if free && args.take_with_value("EXAT") {
                number = Some((args.next_bytes()?, 1000, 0));
            } else if free && args.take_with_value("PXAT") {
                number = Some((args.next_bytes()?, 1, 0));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        if let Some((text, unit_ms, base_ms)) = number {
            let number = parse_i64(text).ok_or(CommandError::NotInteger)?;
            options.expiry = Expiry::At(deadline_of(number, unit_ms, base_ms, "set")?);
        }
        Ok(options)
    }
}

/// Adds to an integer and replies the sum.
fn increment(ctx: &mut Context<'_>, key: &[u8], by: i64) -> CommandResult {
    let mut sum = by;
    if let Some(mut record) = ctx.keys.find_mut(key) {
        let old = match record.string().ok_or(CommandError::WrongType)? {
            StringRef::Integer(n) => n,
            StringRef::Bytes(bytes) => parse_i64(bytes).ok_or(CommandError::NotInteger)?,
        };
        sum = old.checked_add(by).ok_or(CommandError::IncrementOverflow)?;
        record.replace_value(NewValue::Integer(sum));
    } else {
        ctx.keys.insert(key, NewValue::Integer(sum), None);
    }
    ctx.keys.changed(EventClass::String, "incrby", key);
    ctx.reply.integer(sum);
    Ok(())
}

/// `INCR key`
pub fn incr(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    increment(ctx, args.next_bytes()?, 1)
}

/// `DECR key`
pub fn decr(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    increment(ctx, args.next_bytes()?, -1)
}

/// `INCRBY key increment`
pub fn incrby(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, by) = (args.next_bytes()?, args.next_i64()?);
    increment(ctx, key, by)
}

/// `DECRBY key decrement`
pub fn decrby(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, by) = (args.next_bytes()?, args.next_i64()?);
    increment(ctx, key, by.checked_neg().ok_or(CommandError::DecrementOverflow)?)
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
pub fn mset(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    if args.remaining() % 2 != 0 {
        return Err(CommandError::wrong_arity("mset"));
    }
    while args.remaining() > 0 {
        let (key, value) = (args.next_bytes()?, args.next_bytes()?);
        ctx.keys.set(key, stored(value), None);
        ctx.keys.changed(EventClass::String, "set", key);
    }
    ctx.reply.ok();
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

/// INCRBYFLOAT.
pub fn incrbyfloat(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// MSETNX.
pub fn msetnx(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
