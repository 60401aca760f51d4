//! Handlers of the commands that wait for an element.

pub mod spec;

use smallvec::SmallVec;

use crate::base::long_double::LongDouble;
use crate::base::number::{parse_f64, parse_f64_lenient};
use crate::command::Args;
use crate::command::list::transfer::{next_end, try_move, try_pop};
use crate::engine::blocking::{Attempt, Wait};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::record::ValueType;
use crate::value::list::End;

/// `BLPOP key [key ...] timeout`
pub fn blpop(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    pop(call, args, End::Head, "LPUSH")
}

/// `BRPOP key [key ...] timeout`
pub fn brpop(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    pop(call, args, End::Tail, "RPUSH")
}

fn pop(call: &mut Call<'_, '_>, args: Args<'_>, end: End, put_back: &'static str) -> CommandResult<Outcome> {
    let mut keys: SmallVec<[&[u8]; 8]> = args.rest().collect();
    let timeout = keys.pop().ok_or(CommandError::Syntax)?;
    let deadline_ms = deadline_of(timeout, call.context.keys.now_ms)?;
    if try_pop(call.context, &keys, end)? {
        return Ok(Outcome::Done);
    }
    if !call.context.may_block {
        call.context.reply.null_array();
        return Ok(Outcome::Done);
    }
    let attempt: Attempt = Box::new(move |ctx, keys| try_pop(ctx, keys, end));
    Ok(Outcome::Blocked(Box::new(Wait {
        awaited: keys.len(),
        keys: keys.iter().map(|key| key.to_vec()).collect(),
        value_type: ValueType::List,
        deadline_ms,
        attempt,
        put_back: Some(put_back),
    })))
}

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`
pub fn blmove(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    let (from, to) = (next_end(&mut args)?, next_end(&mut args)?);
    let deadline_ms = deadline_of(args.next_bytes()?, call.context.keys.now_ms)?;
    if try_move(call.context, source, destination, from, to)? {
        return Ok(Outcome::Done);
    }
    if !call.context.may_block {
        call.context.reply.null();
        return Ok(Outcome::Done);
    }
    let attempt: Attempt = Box::new(move |ctx, keys| match keys {
        [source, destination] => try_move(ctx, source, destination, from, to),
        _ => Ok(false),
    });
    Ok(Outcome::Blocked(Box::new(Wait {
        keys: vec![source.to_vec(), destination.to_vec()],
        awaited: 1,
        value_type: ValueType::List,
        deadline_ms,
        attempt,
        // The element is in the destination, whoever reads the reply.
        put_back: None,
    })))
}

/// When a timeout in seconds that begins now is over, Unix time in ms; `None` for a timeout of 0, which is never.
///
/// # Errors
/// When it is no number, negative, or beyond what 64 bits of milliseconds can say.
fn deadline_of(timeout: &[u8], now_ms: u64) -> CommandResult<Option<u64>> {
    // Redis reads it as a long double: what only that can hold is a number, and out of range.
    let beyond_f64 = || LongDouble::parse(timeout).and_then(|_| parse_f64_lenient(timeout));
    let seconds = parse_f64(timeout).or_else(beyond_f64).ok_or(CommandError::TimeoutNotFloat)?;
    let ms = (seconds * 1000.0).ceil();
    // The first double beyond what fits.
    if ms >= i64::MAX as f64 {
        return Err(CommandError::TimeoutOutOfRange);
    }
    if ms < 0.0 {
        return Err(CommandError::TimeoutNegative);
    }
    if ms == 0.0 {
        return Ok(None);
    }
    let deadline_ms = (ms as u64).saturating_add(now_ms);
    if i64::try_from(deadline_ms).is_err() {
        return Err(CommandError::TimeoutOutOfRange);
    }
    Ok(Some(deadline_ms))
}
