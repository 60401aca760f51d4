//! What is written to disk on request: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF.

use crate::command::Args;
use crate::engine::instance::Engine;
use crate::engine::persistence::Job;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// `SAVE`
///
/// Other connections go on meanwhile: the file is an image of the moment at which the command began.
pub fn save(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    if !call.engine.persistence.try_begin(call.engine, Job::Save) {
        return Err(CommandError::SaveInProgress);
    }
    let saved = outside(call, |engine| engine.persistence.work(engine, Job::Save).is_ok());
    if !saved {
        return Err(CommandError::SaveFailed);
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `BGSAVE [SCHEDULE]`
pub fn bgsave(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let schedules = args.remaining() == 1 && args.take("SCHEDULE");
    args.finish()?;
    let persistence = &call.engine.persistence;
    let text = match persistence.state().job() {
        None => "Background saving started",
        Some(Job::Save) => return Err(CommandError::SaveInProgress),
        Some(Job::Rewrite) if schedules => "Background saving scheduled",
        Some(Job::Rewrite) => return Err(CommandError::RewriteBlocksSave),
    };
    persistence.schedule(Job::Save);
    call.context.reply.simple(text);
    Ok(Outcome::Done)
}

/// `BGREWRITEAOF`
pub fn bgrewriteaof(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let persistence = &call.engine.persistence;
    let text = match persistence.state().job() {
        None => "Background append only file rewriting started",
        Some(Job::Save) => "Background append only file rewriting scheduled",
        Some(Job::Rewrite) => return Err(CommandError::RewriteInProgress),
    };
    persistence.schedule(Job::Rewrite);
    call.context.reply.simple(text);
    Ok(Outcome::Done)
}

/// `LASTSAVE`
pub fn lastsave(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let saved_ms = match call.engine.persistence.state().saved_ms {
        0 => call.engine.started_ms,
        saved_ms => saved_ms,
    };
    // Seconds stay far below 2^63.
    call.context.reply.integer((saved_ms / 1000) as i64);
    Ok(Outcome::Done)
}

/// Does something outside of the keyspace; inside EXEC, which nobody may leave half done, it is done within.
pub(super) fn outside<R>(call: &mut Call<'_, '_>, act: impl FnOnce(&Engine) -> R) -> R {
    let keys = &mut call.context.keys;
    if !call.context.may_block {
        return act(call.engine);
    }
    let tally = keys.leave();
    call.engine.stats.add_tally(&tally);
    let result = act(call.engine);
    call.context.keys.enter(call.engine.clock.now_ms());
    call.context.keys.resume(&tally);
    result
}
