//! Numbers in strings: INCR and its kin on integers of 64 bits, INCRBYFLOAT on long doubles.

use crate::base::long_double::LongDouble;
use crate::base::number::{format_i64, parse_i64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, StringRef};

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

/// `INCRBYFLOAT key increment`
pub fn incrbyfloat(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, by) = (args.next_bytes()?, args.next_bytes()?);
    let known = ctx.keys.peek(key).map(|record| record.string().ok_or(CommandError::WrongType)).transpose()?;
    let old = match known {
        Some(StringRef::Integer(n)) => LongDouble::parse(&format_i64(n)),
        Some(StringRef::Bytes(bytes)) => LongDouble::parse(bytes),
        None => LongDouble::parse(b"0"),
    };
    let by = LongDouble::parse(by).ok_or(CommandError::NotFloat);
    let sum = old.ok_or(CommandError::NotFloat)? + by?;
    if !sum.is_finite() {
        return Err(CommandError::IncrementNotFinite);
    }
    let text = sum.to_text();
    // Redis keeps the sum as text, even where it is an integer.
    let value = NewValue::Bytes(text.as_bytes());
    if let Some(mut record) = ctx.keys.find_mut(key) {
        record.replace_value(value);
    } else {
        ctx.keys.insert(key, value, None);
    }
    ctx.keys.changed(EventClass::String, "incrbyfloat", key);
    ctx.reply.bulk(text.as_bytes());
    // Another machine's arithmetic could round differently.
    ctx.keys.effects.log_instead(ctx.keys.database, &[b"SET", key, text.as_bytes(), b"KEEPTTL"]);
    Ok(())
}
