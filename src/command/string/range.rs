//! Strings as bytes with offsets: APPEND, STRLEN, GETRANGE, SETRANGE.

use super::stored;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, StringRef};

/// The end of `added` bytes behind `offset`.
///
/// # Errors
/// When no string may be that long.
fn end_of(ctx: &Context<'_>, offset: usize, added: usize) -> CommandResult<usize> {
    offset.checked_add(added).filter(|end| *end <= ctx.settings.string_bytes()).ok_or(CommandError::StringTooLong)
}

/// `STRLEN key`
pub fn strlen(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let len = match ctx.keys.find(args.next_bytes()?) {
        Some(record) => record.string().ok_or(CommandError::WrongType)?.len(),
        None => 0,
    };
    ctx.reply.count(len);
    Ok(())
}

/// `APPEND key value`
pub fn append(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    let known = ctx.keys.peek(key).map(|record| record.string().ok_or(CommandError::WrongType)).transpose()?;
    let end = match known.map(StringRef::len) {
        Some(len) => end_of(ctx, len, value.len())?,
        None => value.len(),
    };
    if let Some(mut record) = ctx.keys.find_mut(key) {
        record.write_string(end, value);
    } else {
        ctx.keys.insert(key, stored(value), None);
    }
    ctx.keys.changed(EventClass::String, "append", key);
    ctx.reply.count(end);
    Ok(())
}

/// `SETRANGE key offset value`
pub fn setrange(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, offset, value) = (args.next_bytes()?, args.next_i64()?, args.next_bytes()?);
    let offset = usize::try_from(offset).map_err(|_| CommandError::OffsetOutOfRange)?;
    let known = ctx.keys.peek(key).map(|record| record.string().ok_or(CommandError::WrongType)).transpose()?;
    let len = known.map_or(0, StringRef::len);
    if value.is_empty() {
        ctx.reply.count(len);
        return Ok(());
    }
    let end = end_of(ctx, offset, value.len())?;
    if let Some(mut record) = ctx.keys.find_mut(key) {
        record.write_string(end, value);
    } else {
        let mut padded = vec![0; offset];
        padded.extend_from_slice(value);
        ctx.keys.insert(key, NewValue::Edited(&padded), None);
    }
    ctx.keys.changed(EventClass::String, "setrange", key);
    ctx.reply.count(len.max(end));
    Ok(())
}

/// `GETRANGE key start end`
pub fn getrange(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, start, end) = (args.next_bytes()?, args.next_i64()?, args.next_i64()?);
    let Some(record) = ctx.keys.find(key) else {
        ctx.reply.bulk(b"");
        return Ok(());
    };
    let text = record.string().ok_or(CommandError::WrongType)?.text();
    ctx.reply.bulk(part(&text, start, end));
    Ok(())
}

/// `SUBSTR key start end`
pub fn substr(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    getrange(ctx, args)
}

/// The bytes from `start` to `end`, both included and counted from the end where negative.
fn part(text: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let len = text.len() as i64;
    let from_front = |offset: i64| if offset < 0 { (offset + len).max(0) } else { offset };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    if start > end { b"" } else { &text[start as usize..=end as usize] }
}
