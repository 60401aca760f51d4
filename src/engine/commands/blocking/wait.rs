//! WAIT and WAITAOF: until what this connection wrote is safe.

use super::block;
use super::timeout::next_deadline_of_ms;
use crate::command::Args;
use crate::engine::blocking::Wait;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// `WAIT numreplicas timeout`
///
/// There are no replicas to wait for.
pub fn wait(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let replicas = args.next_i64()?;
    let deadline_ms = next_deadline_of_ms(&mut args, call.context.keys.now_ms)?;
    let none = |reply: &mut Reply| reply.integer(0);
    if replicas <= 0 {
        none(&mut call.context.reply);
        return Ok(Outcome::Done);
    }
    block(call, Wait::for_nothing(deadline_ms, Box::new(none)), none)
}

/// `WAITAOF numlocal numreplicas timeout`
///
/// The log is synced for it as soon as can be. There are no replicas to wait for.
pub fn waitaof(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let local = args.next_i64_or(CommandError::OutOfRangeOneOrNone)?;
    if !(0..=1).contains(&local) {
        return Err(CommandError::OutOfRangeOneOrNone);
    }
    let replicas = args.next_i64()?;
    if replicas < 0 {
        return Err(CommandError::NotPositive);
    }
    let deadline_ms = next_deadline_of_ms(&mut args, call.context.keys.now_ms)?;
    let log = call.engine.persistence.log();
    if log.is_none() && local > 0 {
        return Err(CommandError::WaitAofDisabled);
    }
    // What earlier commands of this batch wrote, too.
    let written = call.session.written.max(call.context.keys.tally.written);
    let position = log.as_ref().map(|log| log.position_at(written));
    let synced = log.as_ref().zip(position).map(|(log, position)| log.synced_by(position));
    let is_synced = move || log.as_ref().zip(position).is_some_and(|(log, position)| log.synced() >= position);
    let acknowledge = move |reply: &mut Reply, is_synced: bool| {
        reply.array(2);
        reply.integer(i64::from(is_synced));
        reply.integer(0);
    };
    let is_local_done = local == 0 || is_synced();
    if is_local_done && replicas == 0 {
        acknowledge(&mut call.context.reply, is_synced());
        return Ok(Outcome::Done);
    }
    let unserved = move |reply: &mut Reply| acknowledge(reply, is_synced());
    let mut wait = Wait::for_nothing(deadline_ms, Box::new(unserved.clone()));
    // Replicas are waited for until the deadline; a log that failed is told by its gates.
    if let (0, Some(synced)) = (replicas, synced) {
        wait.until = Some(Box::pin(async { drop(synced.await) }));
    }
    block(call, wait, unserved)
}
