//! Handlers of the stream commands that may wait for entries.

pub mod spec;

use crate::base::number::parse_i64;
use crate::command::Args;
use crate::command::stream::read::{Query, has_something, try_read};
use crate::engine::blocking::{Attempt, Readiness, Wait};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`
pub fn xread(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    read(call, args, false)
}

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]`
pub fn xreadgroup(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    read(call, args, true)
}

fn read(call: &mut Call<'_, '_>, args: Args<'_>, of_group: bool) -> CommandResult<Outcome> {
    let now_ms = call.context.keys.now_ms;
    let query = Query::read(args, of_group, |block| deadline_of(block, now_ms).map(|_| ()))?;
    let reading = query.resolve(call.context)?;
    if try_read(call.context, &query.keys, &reading)? {
        return Ok(Outcome::Done);
    }
    let Some(block) = query.block.filter(|_| call.context.may_block) else {
        call.context.reply.null_array();
        return Ok(Outcome::Done);
    };
    let awaited: Vec<_> = query.keys.iter().map(|key| key.to_vec()).zip(reading.after.iter().copied()).collect();
    let reader = reading.reader.clone();
    let readiness = Readiness::Asked(Box::new(move |key, record| {
        let mut asked = awaited.iter().filter(|(awaited, _)| awaited == key);
        asked.any(|(_, after)| has_something(reader.as_ref(), *after, record))
    }));
    let attempt: Attempt = Box::new(move |ctx, keys| try_read(ctx, keys, &reading));
    Ok(Outcome::Blocked(Box::new(Wait {
        awaited: query.keys.len(),
        keys: query.keys.iter().map(|key| key.to_vec()).collect(),
        readiness,
        deadline_ms: deadline_of(block, now_ms)?,
        attempt,
        // What is delivered is pending, or was nobody's.
        put_back: None,
    })))
}

/// When a timeout in ms that begins now is over, Unix time in ms; `None` for a timeout of 0, which is never.
fn deadline_of(timeout: &[u8], now_ms: u64) -> CommandResult<Option<u64>> {
    let ms = parse_i64(timeout).ok_or(CommandError::TimeoutNotInteger)?;
    let ms = u64::try_from(ms).map_err(|_| CommandError::TimeoutNegative)?;
    let deadline_ms = ms.saturating_add(now_ms);
    match i64::try_from(deadline_ms) {
        Err(_) => Err(CommandError::TimeoutOutOfRange),
        Ok(_) => Ok(Some(deadline_ms).filter(|_| ms > 0)),
    }
}
