//! Handlers of the scripting commands; what runs is in [`crate::engine::script`].

pub mod functions;
pub mod spec;

use crate::command::Args;
use crate::engine::commands::server::command::write_help;
use crate::engine::registry::ScriptSource;
use crate::engine::script::run::run;
use crate::engine::script::running::{Killed, Kind};
use crate::engine::{Call, Outcome};
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};

/// `EVAL script numkeys [key ...] [arg ...]`
pub fn eval(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Text, false)
}

/// `EVAL_RO script numkeys [key ...] [arg ...]`
pub fn eval_ro(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Text, true)
}

/// `EVALSHA sha1 numkeys [key ...] [arg ...]`
pub fn evalsha(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Digest, false)
}

/// `EVALSHA_RO sha1 numkeys [key ...] [arg ...]`
pub fn evalsha_ro(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Digest, true)
}

/// `SCRIPT LOAD script`
pub fn script_load(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let script = call.engine.scripts.of_text(args.next_bytes()?, false)?;
    call.context.reply.bulk(&script.digest);
    Ok(Outcome::Done)
}

/// `SCRIPT EXISTS sha1 [sha1 ...]`
pub fn script_exists(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.array(args.remaining());
    for digest in args.rest() {
        call.context.reply.integer(i64::from(call.engine.scripts.has(digest)));
    }
    Ok(Outcome::Done)
}

/// `SCRIPT SHOW sha1`
pub fn script_show(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let text = call.engine.scripts.text(args.next_bytes()?).ok_or(CommandError::NoScript)?;
    call.context.reply.bulk(&text);
    Ok(Outcome::Done)
}

/// `SCRIPT FLUSH [ASYNC | SYNC]`
pub fn script_flush(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let is_known = args.remaining() == 0 || args.take("ASYNC") || args.take("SYNC");
    if !is_known || args.remaining() > 0 {
        return Err(CommandError::quoted_line(scripting::FLUSH_OPTION));
    }
    call.engine.scripts.flush();
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `SCRIPT KILL`
pub fn script_kill(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    kill_long(call, Kind::Script)
}

/// Has what runs for long of a kind end.
fn kill_long(call: &mut Call<'_, '_>, kind: Kind) -> CommandResult<Outcome> {
    match call.engine.scripts.running.kill(kind) {
        Killed::Yes => {
            call.context.reply.ok();
            Ok(Outcome::Done)
        }
        Killed::NotBusy => Err(CommandError::quoted_line(scripting::NOT_BUSY)),
        Killed::Unkillable => Err(CommandError::quoted_line(scripting::UNKILLABLE)),
        Killed::OfOtherKind => Err(call.engine.scripts.running.busy_error()),
    }
}

/// `SCRIPT DEBUG YES | SYNC | NO`: there is no debugger.
pub fn script_debug(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.take("NO") {
        call.context.reply.ok();
        return Ok(Outcome::Done);
    }
    if args.take("YES") || args.take("SYNC") {
        return Err(CommandError::quoted_line(scripting::NO_DEBUGGER));
    }
    Err(CommandError::quoted_line(scripting::DEBUG_OPTION))
}

/// `SCRIPT HELP`
pub fn script_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "script");
    Ok(Outcome::Done)
}
