//! Handlers of the stream commands that may wait for entries.

pub mod spec;

use crate::command::Args;
use crate::command::stream::read::{Query, has_something, read, read_again};
use crate::engine::blocking::{Attempt, Ready, Wait};
use crate::engine::commands::blocking::timeout::next_deadline_of_ms;
use crate::engine::{Call, Outcome};
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};

/// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`
pub fn xread(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    read_streams(call, args, false)
}

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]`
pub fn xreadgroup(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    read_streams(call, args, true)
}

fn read_streams(call: &mut Call<'_, '_>, args: Args<'_>, of_group: bool) -> CommandResult<Outcome> {
    let now_ms = call.context.keys.now_ms;
    let query = Query::read(args, of_group, |args| match call.context.in_script {
        true => Err(CommandError::quoted_line(&scripting::with_code(&[args.at(0), scripting::NO_BLOCK].concat()))),
        false => next_deadline_of_ms(args, now_ms),
    })?;
    let reading = query.resolve(call.context)?;
    if read(call.context, &query.keys, &reading)? {
        return Ok(Outcome::Done);
    }
    let Some(deadline_ms) = query.deadline_ms.filter(|_| call.context.may_block) else {
        call.context.reply.null_array();
        return Ok(Outcome::Done);
    };
    let reading = reading.into_owned();
    let keys: Vec<Vec<u8>> = query.keys.iter().map(|key| key.to_vec()).collect();
    let asked: Vec<_> = keys.iter().cloned().zip(reading.after.iter().copied()).collect();
    let reader = reading.reader.clone();
    let is_ready: Ready = Box::new(move |key, held| {
        let mut asked = asked.iter().filter(|(awaited, _)| awaited == key);
        asked.any(|(_, after)| has_something(reader.as_ref(), *after, held))
    });
    let attempt: Attempt = Box::new(move |ctx, keys| read_again(ctx, keys, &reading));
    // What was delivered to a client that is gone is pending, or was nobody's: nothing is put back.
    let (unserved, until, put_back) = (None, None, None);
    let awaited = keys.len();
    let wait = Wait { keys, awaited, is_ready, deadline_ms, attempt, unserved, until, is_held: false, put_back };
    Ok(Outcome::Blocked(Box::new(wait)))
}
