//! Handlers of the commands that wait: for an element, or for what was written to be safe.

mod put_back;
pub mod spec;
pub mod timeout;
mod wait;

pub use wait::{wait, waitaof};

use smallvec::SmallVec;

use self::timeout::{deadline_of, next_deadline};
use crate::command::list::transfer::{next_end, read_pop as read_list_pop, try_move, try_pop, try_pop_many};
use crate::command::sorted_set::pop::{self, Shape, read_pop as read_sorted_set_pop};
use crate::command::{Args, Context};
use crate::engine::blocking::{Attempt, PutBack, Wait};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::record::ValueType;
use crate::value::list::End;

type Keys<'a> = SmallVec<[&'a [u8]; 8]>;

/// Has the command wait; where nobody may, it replies what `absent` writes.
fn block(call: &mut Call<'_, '_>, wait: Wait, absent: impl FnOnce(&mut Reply)) -> CommandResult<Outcome> {
    if call.context.may_block {
        return Ok(Outcome::Blocked(Box::new(wait)));
    }
    absent(&mut call.context.reply);
    Ok(Outcome::Done)
}

/// `key [key ...] timeout`: the keys and when to give up.
fn keys_and_deadline(args: Args<'_>, now_ms: u64) -> CommandResult<(Keys<'_>, Option<u64>)> {
    let mut keys: Keys<'_> = args.rest().collect();
    let timeout = keys.pop().ok_or(CommandError::Syntax)?;
    Ok((keys, deadline_of(timeout, now_ms)?))
}

/// `BLPOP key [key ...] timeout`
pub fn blpop(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    pop_one(call, args, End::Head, put_back::to_head)
}

/// `BRPOP key [key ...] timeout`
pub fn brpop(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    pop_one(call, args, End::Tail, put_back::to_tail)
}

fn pop_one(call: &mut Call<'_, '_>, args: Args<'_>, end: End, put_back: PutBack) -> CommandResult<Outcome> {
    let (keys, deadline_ms) = keys_and_deadline(args, call.context.keys.now_ms)?;
    if try_pop(call.context, &keys, end)? {
        return Ok(Outcome::Done);
    }
    let attempt: Attempt = Box::new(move |ctx, keys| try_pop(ctx, keys, end));
    let wait = Wait::for_type(ValueType::List, keys, deadline_ms, attempt);
    block(call, Wait { put_back: Some(put_back), ..wait }, Reply::null_array)
}

/// `BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]`
pub fn blmpop(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let timeout = args.next_bytes()?;
    let (keys, end, count) = read_list_pop(args)?;
    let deadline_ms = deadline_of(timeout, call.context.keys.now_ms)?;
    if try_pop_many(call.context, keys.clone(), end, count)? {
        return Ok(Outcome::Done);
    }
    let attempt: Attempt = Box::new(move |ctx, keys| try_pop_many(ctx, keys, end, count));
    let wait = Wait::for_type(ValueType::List, keys, deadline_ms, attempt);
    let put_back: PutBack = if end == End::Head { put_back::many_to_head } else { put_back::many_to_tail };
    block(call, Wait { put_back: Some(put_back), ..wait }, Reply::null_array)
}

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`
pub fn blmove(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    let (from, to) = (next_end(&mut args)?, next_end(&mut args)?);
    let deadline_ms = next_deadline(&mut args, call.context.keys.now_ms)?;
    transfer(call, source, destination, (from, to), deadline_ms)
}

/// `BRPOPLPUSH source destination timeout`
pub fn brpoplpush(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    let deadline_ms = next_deadline(&mut args, call.context.keys.now_ms)?;
    transfer(call, source, destination, (End::Tail, End::Head), deadline_ms)
}

/// Moves a value from one list to another, once there is one. It is in the destination then, whoever reads the reply.
fn transfer(
    call: &mut Call<'_, '_>,
    source: &[u8],
    destination: &[u8],
    (from, to): (End, End),
    deadline_ms: Option<u64>,
) -> CommandResult<Outcome> {
    if try_move(call.context, source, destination, from, to)? {
        return Ok(Outcome::Done);
    }
    let attempt: Attempt = Box::new(move |ctx, keys| match keys {
        [source, destination] => try_move(ctx, source, destination, from, to),
        _ => Ok(false),
    });
    let wait = Wait::for_type(ValueType::List, [source, destination], deadline_ms, attempt);
    block(call, Wait { awaited: 1, ..wait }, Reply::null)
}

/// `BZPOPMIN key [key ...] timeout`
pub fn bzpopmin(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let (keys, deadline_ms) = keys_and_deadline(args, call.context.keys.now_ms)?;
    pop_scored(call, &keys, (pop::End::Min, 1, Shape::KeyAndFlat), deadline_ms, put_back::scored)
}

/// `BZPOPMAX key [key ...] timeout`
pub fn bzpopmax(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let (keys, deadline_ms) = keys_and_deadline(args, call.context.keys.now_ms)?;
    pop_scored(call, &keys, (pop::End::Max, 1, Shape::KeyAndFlat), deadline_ms, put_back::scored)
}

/// `BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]`
pub fn bzmpop(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let timeout = args.next_bytes()?;
    let (keys, end, count) = read_sorted_set_pop(args)?;
    let keys: Keys<'_> = keys.collect();
    let deadline_ms = deadline_of(timeout, call.context.keys.now_ms)?;
    pop_scored(call, &keys, (end, count, Shape::KeyAndPairs), deadline_ms, put_back::many_scored)
}

fn pop_scored(
    call: &mut Call<'_, '_>,
    keys: &[&[u8]],
    (end, count, shape): (pop::End, usize, Shape),
    deadline_ms: Option<u64>,
    put_back: PutBack,
) -> CommandResult<Outcome> {
    let attempt =
        move |ctx: &mut Context<'_>, keys: &mut dyn Iterator<Item = &[u8]>| pop::try_pop(ctx, keys, end, count, shape);
    if attempt(call.context, &mut keys.iter().copied())? {
        return Ok(Outcome::Done);
    }
    let again: Attempt = Box::new(move |ctx, keys| attempt(ctx, &mut keys.iter().map(Vec::as_slice)));
    let wait = Wait::for_type(ValueType::SortedSet, keys, deadline_ms, again);
    block(call, Wait { put_back: Some(put_back), ..wait }, Reply::null_array)
}
