//! Commands over several lists: LMOVE and its kin, LMPOP, and what BLPOP and BLMOVE share with them.

use smallvec::SmallVec;

use super::{pop_event, pop_values, push_event, push_values, values_removed};
use crate::base::number::format_i64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::value::list::{End, List, ListMut};

/// Values up to this length are moved without an allocation.
const MOVED_BYTES: usize = 128;

/// Reads `LEFT` or `RIGHT`.
///
/// # Errors
/// A syntax error for anything else.
pub fn next_end(args: &mut Args<'_>) -> CommandResult<End> {
    if args.take("LEFT") {
        Ok(End::Head)
    } else if args.take("RIGHT") {
        Ok(End::Tail)
    } else {
        Err(CommandError::Syntax)
    }
}

/// The name of an end, as LMOVE has it.
fn end_name(end: End) -> &'static [u8] {
    if end == End::Head { b"LEFT" } else { b"RIGHT" }
}

/// `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`
pub fn lmove(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    let (from, to) = (next_end(&mut args)?, next_end(&mut args)?);
    if !move_value(ctx, source, destination, from, to)? {
        ctx.reply.null();
    }
    Ok(())
}

/// `RPOPLPUSH source destination`
pub fn rpoplpush(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    if !move_value(ctx, source, destination, End::Tail, End::Head)? {
        ctx.reply.null();
    }
    Ok(())
}

/// Moves a value from an end of one list to an end of another and replies it; false, without a reply, if there is no
/// source.
fn move_value(ctx: &mut Context<'_>, source: &[u8], destination: &[u8], from: End, to: End) -> CommandResult<bool> {
    if source == destination {
        return rotate(ctx, source, from, to);
    }
    let Some(record) = ctx.keys.peek(source) else { return Ok(false) };
    let list = List::new(record.list().ok_or(CommandError::WrongType)?);
    let mut values = list.iter();
    let value = if from == End::Head { values.next() } else { values.next_back() };
    let Some(value) = value else { return Ok(false) };
    let value: SmallVec<[u8; MOVED_BYTES]> = SmallVec::from_slice(value);
    // Fails, with nothing changed yet, where the destination is no list.
    push_values(ctx, destination, to, &[&value], true)?;
    pop_values(ctx, source, from, 1, |_, _| {})?;
    // That an element moves is one change.
    ctx.keys.effects.dirty -= 1;
    Ok(true)
}

/// Moves a value within one list, which is never empty in between.
fn rotate(ctx: &mut Context<'_>, key: &[u8], from: End, to: End) -> CommandResult<bool> {
    let limits = ctx.settings.list();
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(false) };
    let mut home = record.list_mut().ok_or(CommandError::WrongType)?;
    let moved = ListMut::new(&mut home).rotate(from, to, &limits, |value| ctx.reply.bulk(value));
    drop(record);
    if moved.is_some() {
        ctx.keys.changed(EventClass::List, push_event(to), key);
        values_removed(ctx, key, pop_event(from), 0, false);
    }
    Ok(moved.is_some())
}

/// LMOVE on behalf of BLMOVE, and logged as LMOVE; false, without a reply, if there is no source.
///
/// # Errors
/// When source or destination is no list.
pub fn try_move(ctx: &mut Context<'_>, source: &[u8], destination: &[u8], from: End, to: End) -> CommandResult<bool> {
    let moved = move_value(ctx, source, destination, from, to)?;
    if moved {
        let database = ctx.keys.database;
        let ends = (end_name(from), end_name(to));
        ctx.keys.effects.log_instead(database, &[b"LMOVE", source, destination, ends.0, ends.1]);
    }
    Ok(moved)
}

/// Reads `numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` to the end: the keys, the end and the count of LMPOP and
/// BLMPOP.
///
/// # Errors
/// When the numbers are not positive, or the rest does not follow this grammar.
pub fn read_pop<'a>(
    mut args: Args<'a>,
) -> CommandResult<(impl ExactSizeIterator<Item = &'a [u8]> + Clone, End, usize)> {
    let numkeys = args.next_i64_or(CommandError::NumkeysNotPositive)?;
    let numkeys = usize::try_from(numkeys).ok().filter(|n| *n > 0).ok_or(CommandError::NumkeysNotPositive)?;
    if numkeys >= args.remaining() {
        return Err(CommandError::Syntax);
    }
    let keys = args.rest().take(numkeys);
    args.skip(numkeys);
    let end = next_end(&mut args)?;
    let mut count = 1;
    if args.take_with_value("COUNT") {
        let given = args.next_i64_or(CommandError::CountNotPositive)?;
        count = usize::try_from(given).ok().filter(|n| *n > 0).ok_or(CommandError::CountNotPositive)?;
    }
    args.finish()?;
    Ok((keys, end, count))
}

/// `LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]`
pub fn lmpop(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let (keys, end, count) = read_pop(args)?;
    if !try_pop_many(ctx, keys, end, count)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// LMPOP and BLMPOP without the waiting, logged as LPOP and RPOP: replies the first list's name and up to `count` values
/// taken from it; false, without a reply, if none of the keys exists.
///
/// # Errors
/// When a key in front of the first list is of another type.
pub fn try_pop_many(
    ctx: &mut Context<'_>,
    keys: impl IntoIterator<Item = impl AsRef<[u8]>>,
    end: End,
    count: usize,
) -> CommandResult<bool> {
    for key in keys {
        let key = key.as_ref();
        let popped = pop_values(ctx, key, end, count, |reply, count| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        })?;
        if let Some(len) = popped {
            log_pop(ctx, key, end, Some(count.min(len)));
            return Ok(true);
        }
    }
    Ok(false)
}

/// BLPOP and BRPOP without the waiting, logged as LPOP and RPOP: replies the first list's name and the value taken from
/// it; false, without a reply, if none of the keys exists.
///
/// # Errors
/// When a key in front of the first list is of another type.
pub fn try_pop<K: AsRef<[u8]>>(ctx: &mut Context<'_>, keys: &[K], end: End) -> CommandResult<bool> {
    for key in keys.iter().map(K::as_ref) {
        let popped = pop_values(ctx, key, end, 1, |reply, _| {
            reply.array(2);
            reply.bulk(key);
        })?;
        if popped.is_some() {
            log_pop(ctx, key, end, None);
            return Ok(true);
        }
    }
    Ok(false)
}

fn log_pop(ctx: &mut Context<'_>, key: &[u8], end: End, count: Option<usize>) {
    let database = ctx.keys.database;
    let name: &[u8] = if end == End::Head { b"LPOP" } else { b"RPOP" };
    match count {
        // A list's length fits: it is shorter than memory.
        Some(count) => ctx.keys.effects.log_instead(database, &[name, key, &format_i64(count as i64)]),
        None => ctx.keys.effects.log_instead(database, &[name, key]),
    }
}
