//! The smaller commands about the server: TIME, SHUTDOWN, ROLE, SLOWLOG, MODULE.

use super::saving::outside;
use super::write_help;
use crate::base::number::format_u64;
use crate::command::Args;
use crate::engine::instance::Hindrance;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// `TIME`
pub fn time(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let mut now_us = call.engine.clock.now_us();
    if call.context.in_script {
        now_us = *call.context.script_us.get_or_insert(now_us);
    }
    let reply = &mut call.context.reply;
    reply.array(2);
    reply.bulk(&format_u64(now_us / 1_000_000));
    reply.bulk(&format_u64(now_us % 1_000_000));
    Ok(Outcome::Done)
}

#[derive(Default)]
struct Shutdown {
    save: bool,
    nosave: bool,
    now: bool,
    force: bool,
    abort: bool,
}

impl Shutdown {
    fn read(mut args: Args<'_>) -> CommandResult<Shutdown> {
        let mut options = Shutdown::default();
        while args.remaining() > 0 {
            let option = if args.take("SAVE") {
                &mut options.save
            } else if args.take("NOSAVE") {
                &mut options.nosave
            } else if args.take("NOW") {
                &mut options.now
            } else if args.take("FORCE") {
                &mut options.force
            } else if args.take("ABORT") {
                &mut options.abort
            } else {
                return Err(CommandError::Syntax);
            };
            *option = true;
        }
        let Shutdown { save, nosave, now, force, abort } = options;
        if (abort && (save || nosave || now || force)) || (save && nosave) {
            return Err(CommandError::Syntax);
        }
        Ok(options)
    }
}

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`
///
/// Saving is done before the reply, so that there is never a shutdown in progress to abort. Without an option the
/// dataset is saved where save points ask for saves.
pub fn shutdown(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let options = Shutdown::read(args)?;
    if options.abort {
        return Err(CommandError::NoShutdown);
    }
    if !options.nosave && call.engine.is_hindered(Hindrance::Busy) {
        return Err(call.engine.scripts.running.busy_error());
    }
    let saves = options.save || (!options.nosave && call.engine.persistence.saves_at_end(call.engine));
    if options.nosave {
        call.engine.scripts.running.abandon();
    }
    let ended = outside(call, |engine| {
        // What others write from now on would be acknowledged and lost.
        engine.seal();
        if saves {
            engine.persistence.save_at_end(engine)?;
        }
        // Not closed yet: where the end is refused, the log goes on.
        engine.persistence.sync()
    });
    if let Err(error) = ended
        && !options.force
        && !options.nosave
    {
        call.engine.hinder(Hindrance::Ended, false);
        tracing::error!("SHUTDOWN is refused, since saving failed: {error}; NOSAVE or FORCE stops without it");
        return Err(CommandError::ShutdownFailed);
    }
    tracing::info!("stopped by SHUTDOWN from {}", call.session.client.origin.peer);
    call.session.shutdown = true;
    call.session.closing = true;
    call.engine.stop();
    Ok(Outcome::Done)
}

/// `ROLE`
pub fn role(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let reply = &mut call.context.reply;
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(0);
    reply.array(0);
    Ok(Outcome::Done)
}

/// `SLOWLOG GET [count]`
pub fn slowlog_get(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    const COUNT_DEFAULT: usize = 10;
    let count = match args.remaining() {
        0 => COUNT_DEFAULT,
        1 => match args.next_i64_or(CommandError::CountBelowMinusOne)? {
            -1 => usize::MAX,
            count => usize::try_from(count).map_err(|_| CommandError::CountBelowMinusOne)?,
        },
        _ => return Err(CommandError::subcommand_syntax(args.at(0), args.at(1))),
    };
    let entries = call.engine.slowlog.newest(count);
    let reply = &mut call.context.reply;
    reply.array(entries.len());
    for entry in &entries {
        reply.array(6);
        // Counts from 0, and seconds.
        reply.integer(entry.id as i64);
        reply.integer(entry.at_seconds as i64);
        reply.integer(i64::try_from(entry.took_us).unwrap_or(i64::MAX));
        reply.array(entry.arguments.len());
        entry.arguments.iter().for_each(|argument| reply.bulk(argument));
        reply.bulk(entry.peer.as_bytes());
        reply.bulk(entry.name.as_bytes());
    }
    Ok(Outcome::Done)
}

/// `SLOWLOG LEN`
pub fn slowlog_len(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.count(call.engine.slowlog.len());
    Ok(Outcome::Done)
}

/// `SLOWLOG RESET`
pub fn slowlog_reset(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.engine.slowlog.reset();
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `SLOWLOG HELP`
pub fn slowlog_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "slowlog");
    Ok(Outcome::Done)
}

/// `MODULE LIST`
pub fn module_list(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.array(0);
    Ok(Outcome::Done)
}

/// `MODULE HELP`
pub fn module_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "module");
    Ok(Outcome::Done)
}
