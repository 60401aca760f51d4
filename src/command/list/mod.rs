//! Handlers of the list commands that do not wait; those between lists are in [`transfer`], LPOS in [`search`].
//!
//! A list that has lost its last value is removed within the same command: there is no empty list in the keyspace.

pub mod search;
pub mod spec;
pub mod transfer;

use std::ops::Range;

use smallvec::SmallVec;

pub use search::lpos;
pub use transfer::{lmove, lmpop, rpoplpush};

use crate::base::number::parse_i64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::store::record::{ListHome, NewValue};
use crate::value::list::{EMPTY, End, List, ListLimits, ListMut, Side};
use crate::value::packed::Form;

/// `LPUSH key element [element ...]`
pub fn lpush(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    push(ctx, args, End::Head, true)
}

/// `RPUSH key element [element ...]`
pub fn rpush(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    push(ctx, args, End::Tail, true)
}

/// `LPUSHX key element [element ...]`
pub fn lpushx(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    push(ctx, args, End::Head, false)
}

/// `RPUSHX key element [element ...]`
pub fn rpushx(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    push(ctx, args, End::Tail, false)
}

fn push(ctx: &mut Context<'_>, mut args: Args<'_>, end: End, creates: bool) -> CommandResult {
    let key = args.next_bytes()?;
    let values: SmallVec<[&[u8]; 8]> = args.rest().collect();
    let len = push_values(ctx, key, end, &values, creates)?;
    ctx.reply.count(len.unwrap_or(0));
    Ok(())
}

/// Adds values to a list, says so, and returns its length; `None` if there is no list and none is to be created.
fn push_values(
    ctx: &mut Context<'_>,
    key: &[u8],
    end: End,
    values: &[&[u8]],
    creates: bool,
) -> CommandResult<Option<usize>> {
    let limits = ctx.settings.list();
    let mut len = None;
    // Twice at most: a list that does not exist is created empty first.
    while len.is_none() {
        if let Some(mut record) = ctx.keys.find_mut(key) {
            let mut home = record.list_mut().ok_or(CommandError::WrongType)?;
            let mut list = ListMut::new(&mut home);
            list.push(end, values, &limits);
            len = Some(list.read().len());
        } else if creates {
            ctx.keys.insert(key, NewValue::List(Form::Packed(EMPTY)), None);
        } else {
            return Ok(None);
        }
    }
    ctx.keys.changed_by(values.len(), EventClass::List, push_event(end), key);
    Ok(len)
}

fn push_event(end: End) -> &'static str {
    if end == End::Head { "lpush" } else { "rpush" }
}

/// `LPOP key [count]`
pub fn lpop(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    pop(ctx, args, End::Head, "lpop")
}

/// `RPOP key [count]`
pub fn rpop(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    pop(ctx, args, End::Tail, "rpop")
}

fn pop(ctx: &mut Context<'_>, mut args: Args<'_>, end: End, name: &str) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() > 1 {
        return Err(CommandError::wrong_arity(name));
    }
    if args.remaining() == 0 {
        if pop_values(ctx, key, end, 1, |_, _| {})?.is_none() {
            ctx.reply.null();
        }
        return Ok(());
    }
    let count = args.next_i64_or(CommandError::NotPositive)?;
    let count = usize::try_from(count).map_err(|_| CommandError::NotPositive)?;
    if pop_values(ctx, key, end, count, Reply::array)?.is_none() {
        ctx.reply.null_array();
    }
    Ok(())
}

/// Takes up to `most` values from one end of a list and replies them, after `announce` was told how many there are.
/// Returns how many there were before; `None`, without a reply, if there is no list.
fn pop_values(
    ctx: &mut Context<'_>,
    key: &[u8],
    end: End,
    most: usize,
    announce: impl FnOnce(&mut Reply, usize),
) -> CommandResult<Option<usize>> {
    let limits = ctx.settings.list();
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(None) };
    let mut home = record.list_mut().ok_or(CommandError::WrongType)?;
    let mut list = ListMut::new(&mut home);
    let len = list.read().len();
    let count = most.min(len);
    announce(&mut ctx.reply, count);
    if count == 0 {
        return Ok(Some(len));
    }
    match end {
        End::Head => list.read().range(0..count).for_each(|value| ctx.reply.bulk(value)),
        End::Tail => list.read().range(len - count..len).rev().for_each(|value| ctx.reply.bulk(value)),
    }
    if count < len {
        list.trim(if end == End::Head { count..len } else { 0..len - count }, &limits);
    }
    drop(record);
    values_removed(ctx, key, pop_event(end), count, count == len);
    Ok(Some(len))
}

fn pop_event(end: End) -> &'static str {
    if end == End::Head { "lpop" } else { "rpop" }
}

/// Changes the list at a key, whose record is let go of before anything else is said of it; `None` where there is none.
fn edit<R>(
    ctx: &mut Context<'_>,
    key: &[u8],
    change: impl FnOnce(ListMut<'_, ListHome<'_>>, &ListLimits) -> R,
) -> CommandResult<Option<R>> {
    let limits = ctx.settings.list();
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(None) };
    let mut home = record.list_mut().ok_or(CommandError::WrongType)?;
    Ok(Some(change(ListMut::new(&mut home), &limits)))
}

/// Says that a command has removed `count` values, and removes the key where they were the last.
fn values_removed(ctx: &mut Context<'_>, key: &[u8], event: &'static str, count: usize, all: bool) {
    ctx.keys.changed_by(count, EventClass::List, event, key);
    if all {
        ctx.keys.remove_emptied(key);
    }
}

/// `LLEN key`
pub fn llen(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let len = match ctx.keys.find(key) {
        Some(record) => List::new(record.list().ok_or(CommandError::WrongType)?).len(),
        None => 0,
    };
    ctx.reply.count(len);
    Ok(())
}

/// `LINDEX key index`
pub fn lindex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let Some(record) = ctx.keys.find(key) else {
        ctx.reply.null();
        return Ok(());
    };
    let list = List::new(record.list().ok_or(CommandError::WrongType)?);
    // Redis looks at the index only now.
    let index = absolute(args.next_i64()?, list.len());
    ctx.reply.bulk_or_null(index.and_then(|index| list.get(index)));
    Ok(())
}

/// The index from the head that `index` means, a negative one being counted from the tail; `None` outside.
fn absolute(index: i64, len: usize) -> Option<usize> {
    let from_head = usize::try_from(index).ok();
    let from_tail = || len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    if index < 0 { from_tail() } else { from_head.filter(|index| *index < len) }
}

/// `LSET key index element`
pub fn lset(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, index, value) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let set = edit(ctx, key, |mut list, limits| -> CommandResult {
        // Redis looks at the index only now.
        let index = parse_i64(index).ok_or(CommandError::NotInteger)?;
        let index = absolute(index, list.read().len()).ok_or(CommandError::IndexOutOfRange)?;
        list.set(index, value, limits);
        Ok(())
    })?;
    set.ok_or(CommandError::NoSuchKey)??;
    ctx.keys.changed(EventClass::List, "lset", key);
    ctx.reply.ok();
    Ok(())
}

/// `LINSERT key BEFORE | AFTER pivot element`
pub fn linsert(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let side = if args.take("AFTER") {
        Side::After
    } else if args.take("BEFORE") {
        Side::Before
    } else {
        return Err(CommandError::Syntax);
    };
    let (pivot, value) = (args.next_bytes()?, args.next_bytes()?);
    let inserted = edit(ctx, key, |mut list, limits| {
        let pivot = list.read().iter().position(|known| known == pivot)?;
        list.insert(pivot, side, value, limits);
        Some(list.read().len())
    })?;
    match inserted {
        None => ctx.reply.integer(0),
        Some(None) => ctx.reply.integer(-1),
        Some(Some(len)) => {
            ctx.keys.changed(EventClass::List, "linsert", key);
            ctx.reply.count(len);
        }
    }
    Ok(())
}

/// The indices that LRANGE and LTRIM mean by `start` and `stop`, both of which may count from the tail.
fn range_of(start: i64, stop: i64, len: usize) -> Range<usize> {
    // A list's length fits: it is shorter than memory.
    let whole = len as i64;
    let from_head = |index: i64| if index < 0 { index + whole } else { index };
    let start = from_head(start).max(0);
    let end = from_head(stop).min(whole - 1) + 1;
    if start >= end { 0..0 } else { start as usize..end as usize }
}

/// `LRANGE key start stop`
pub fn lrange(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, start, stop) = (args.next_bytes()?, args.next_i64()?, args.next_i64()?);
    let Some(record) = ctx.keys.find(key) else {
        ctx.reply.array(0);
        return Ok(());
    };
    let list = List::new(record.list().ok_or(CommandError::WrongType)?);
    let range = range_of(start, stop, list.len());
    ctx.reply.array(range.len());
    list.range(range).for_each(|value| ctx.reply.bulk(value));
    Ok(())
}

/// `LTRIM key start stop`
pub fn ltrim(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, start, stop) = (args.next_bytes()?, args.next_i64()?, args.next_i64()?);
    let trimmed = edit(ctx, key, |mut list, limits| {
        let len = list.read().len();
        let kept = range_of(start, stop, len);
        let (removed, none_kept) = (len - kept.len(), kept.is_empty());
        if !none_kept {
            list.trim(kept, limits);
        }
        (removed, none_kept)
    })?;
    if let Some((removed, none_kept)) = trimmed {
        values_removed(ctx, key, "ltrim", removed, none_kept);
    }
    ctx.reply.ok();
    Ok(())
}

/// `LREM key count element`
pub fn lrem(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, count, value) = (args.next_bytes()?, args.next_i64()?, args.next_bytes()?);
    if count == i64::MIN {
        return Err(CommandError::NotBetween(Box::new((-i64::MAX, i64::MAX))));
    }
    let from = if count < 0 { End::Tail } else { End::Head };
    let most = if count == 0 { usize::MAX } else { usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) };
    let removal = edit(ctx, key, |mut list, limits| {
        let removed = list.remove(value, most, from, limits);
        (removed, list.read().is_empty())
    })?;
    let (removed, none_left) = removal.unwrap_or((0, true));
    if removed > 0 {
        values_removed(ctx, key, "lrem", removed, none_left);
    }
    ctx.reply.count(removed);
    Ok(())
}
