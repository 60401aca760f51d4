//! Handlers of FUNCTION and FCALL; what runs is in [`crate::engine::script::functions`].

use crate::base::glob;
use crate::command::Args;
use crate::engine::commands::server::command::write_help;
use crate::engine::registry::ScriptSource;
use crate::engine::script::functions::{ENGINE, Function, LOAD_MS_MAX, Library, Policy};
use crate::engine::script::run::run;
use crate::engine::script::running::{Kind, LongScript};
use crate::engine::{Call, Outcome};
use crate::persist::rdb::functions::{self, FunctionsError};
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::reclaim::Garbage;

/// `FCALL function numkeys [key ...] [arg ...]`
pub fn fcall(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Function, false)
}

/// `FCALL_RO function numkeys [key ...] [arg ...]`
pub fn fcall_ro(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    run(call, args, ScriptSource::Function, true)
}

/// `FUNCTION LOAD [REPLACE] code`
pub fn load(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let mut replaces = false;
    while args.remaining() > 1 {
        let option = args.next_bytes()?;
        if !option.eq_ignore_ascii_case(b"REPLACE") {
            return Err(CommandError::quoted_line(&[scripting::UNKNOWN_OPTION, option].concat()));
        }
        replaces = true;
    }
    let code = args.next_bytes()?;
    // What was logged was loaded in time once.
    let limit_ms = (!call.session.is_replay).then_some(LOAD_MS_MAX);
    let loaded = call.engine.functions.load(code, replaces, limit_ms);
    let name = loaded.map_err(|refusal| CommandError::quoted_line(&refusal))?;
    call.context.keys.effects.dirty += 1;
    call.context.reply.bulk(&name);
    Ok(Outcome::Done)
}

/// `FUNCTION DELETE library-name`
pub fn delete(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if !call.engine.functions.delete(args.next_bytes()?) {
        return Err(CommandError::quoted_line(scripting::NO_LIBRARY));
    }
    call.context.keys.effects.dirty += 1;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `FUNCTION FLUSH [ASYNC | SYNC]`
pub fn flush(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 1 {
        return Err(CommandError::subcommand_syntax(b"FUNCTION", args.request().argument(1)));
    }
    if args.remaining() > 0 && !args.take("ASYNC") && !args.take("SYNC") {
        return Err(CommandError::quoted_line(scripting::FUNCTION_FLUSH_OPTION));
    }
    let flushed = call.engine.functions.flush();
    call.engine.keyspace.reclaimer.free(Garbage::Other(Box::new(flushed)));
    call.context.keys.effects.dirty += 1;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]`
pub fn list(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (mut pattern, mut with_code) = (None, false);
    while args.remaining() > 0 {
        if !with_code && args.take("WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.take("LIBRARYNAME") {
            if args.remaining() == 0 {
                return Err(CommandError::quoted_line(scripting::NO_LIBRARY_NAME));
            }
            pattern = Some(args.next_bytes()?);
        } else {
            let line = [scripting::UNKNOWN_ARGUMENT, args.next_bytes()?].concat();
            return Err(CommandError::quoted_line(&line));
        }
    }
    let mut libraries = call.engine.functions.libraries();
    if let Some(pattern) = pattern {
        libraries.retain(|library| glob::matches_ignoring_case(pattern, &library.name));
    }
    let reply = &mut call.context.reply;
    reply.array(libraries.len());
    for library in &libraries {
        write_library(library, with_code, reply);
    }
    Ok(Outcome::Done)
}

fn write_library(library: &Library, with_code: bool, reply: &mut Reply) {
    reply.map(3 + usize::from(with_code));
    reply.bulk(b"library_name");
    reply.bulk(&library.name);
    reply.bulk(b"engine");
    reply.bulk(ENGINE.as_bytes());
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        write_function(function, reply);
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.code);
    }
}

fn write_function(function: &Function, reply: &mut Reply) {
    reply.map(3);
    reply.bulk(b"name");
    reply.bulk(&function.name);
    reply.bulk(b"description");
    match &function.description {
        Some(description) => reply.bulk(description),
        None => reply.null(),
    }
    reply.bulk(b"flags");
    let flags = function.flags.flags();
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.simple(flag));
}

/// `FUNCTION DUMP`
pub fn dump(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let libraries = call.engine.functions.libraries();
    let codes = libraries.iter().map(|library| &*library.code);
    let payload = functions::dump(codes, call.context.settings.compresses());
    call.context.reply.bulk(&payload);
    Ok(Outcome::Done)
}

/// `FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]`
pub fn restore(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 2 {
        return Err(CommandError::subcommand_syntax(b"FUNCTION", args.request().argument(1)));
    }
    let payload = args.next_bytes()?;
    let policy = match args.remaining() {
        0 => Policy::Append,
        _ if args.take("APPEND") => Policy::Append,
        _ if args.take("REPLACE") => Policy::Replace,
        _ if args.take("FLUSH") => Policy::Flush,
        _ => return Err(CommandError::quoted_line(scripting::RESTORE_POLICY)),
    };
    let codes = functions::read(payload).map_err(|error| match error {
        FunctionsError::Footer => CommandError::DumpChecksum,
        FunctionsError::PreRelease => CommandError::quoted_line(scripting::PRE_RELEASE),
        FunctionsError::Other => CommandError::quoted_line(scripting::NOT_A_FUNCTION),
        FunctionsError::Text => CommandError::quoted_line(scripting::NO_PAYLOAD),
    })?;
    let restored = call.engine.functions.restore(&codes, policy);
    restored.map_err(|refusal| CommandError::quoted_line(&refusal))?;
    call.context.keys.effects.dirty += 1;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `FUNCTION STATS`
pub fn stats(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let long = call.engine.scripts.running.longest();
    if long.as_ref().is_some_and(|script| script.kind == Kind::Script) {
        return Err(Kind::Script.busy_error());
    }
    let reply = &mut call.context.reply;
    reply.map(2);
    reply.bulk(b"running_script");
    match long {
        Some(function) => write_running(&function, reply),
        None => reply.null(),
    }
    let figures = call.engine.functions.figures();
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(ENGINE.as_bytes());
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(figures.libraries as i64);
    reply.bulk(b"functions_count");
    reply.integer(figures.functions as i64);
    Ok(Outcome::Done)
}

fn write_running(function: &LongScript, reply: &mut Reply) {
    reply.map(3);
    reply.bulk(b"name");
    reply.bulk(&function.name);
    reply.bulk(b"command");
    reply.array(function.call.len());
    function.call.iter().for_each(|word| reply.bulk(word));
    reply.bulk(b"duration_ms");
    reply.integer(i64::try_from(function.elapsed_ms()).unwrap_or(i64::MAX));
}

/// `FUNCTION KILL`
pub fn kill(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    super::kill_long(call, Kind::Function)
}

/// `FUNCTION HELP`
pub fn help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "function");
    Ok(Outcome::Done)
}
