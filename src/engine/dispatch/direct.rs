//! Typed calls: one command on one key, without a request before or a reply behind it.
//!
//! For callers in this process, to whom bytes would only be a detour. The call passes the gates of the instance, locks,
//! counts, serves and reports exactly as the same command in a batch does; only parsing and encoding are left out. The
//! clock is read once: of commands flagged `fast` every [`SAMPLED`]th is timed, and stands for the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use super::{finish_step, gates, lock_only_key, tally};
use crate::base::clock::Stopwatch;
use crate::command::Context;
use crate::command::spec::Flags;
use crate::engine::Call;
use crate::engine::blocking;
use crate::engine::instance::{Engine, Hindrance};
use crate::engine::monitors::{self, Source};
use crate::engine::registry::Command;
use crate::engine::session::Session;
use crate::engine::stats::Counter;
use crate::protocol::command::encode;
use crate::protocol::error::CommandResult;
use crate::protocol::reply::Reply;
use crate::protocol::request::OwnedRequest;
use crate::store::keys::AccessPolicy;

/// One in so many calls of a fast command is timed; a power of two.
const SAMPLED: u64 = 16;

/// Runs `body` in place of the handler of `command`, whose only key is `arguments[1]`.
///
/// The session must be plain ([`Session::is_plain`]). `body` writes no reply; a panic in it latches the instance.
///
/// # Errors
/// What the gates or `body` say.
#[inline]
pub fn run_direct<R>(
    engine: &Engine,
    session: &mut Session,
    command: &'static Command,
    arguments: &[&[u8]],
    body: impl FnOnce(&mut Context<'_>) -> CommandResult<R>,
) -> CommandResult<R> {
    debug_assert!(session.is_plain() && command.simple_keys.is_some_and(|keys| keys.first == 1));
    let attempt = catch_unwind(AssertUnwindSafe(|| run(engine, session, command, arguments, body)));
    attempt.unwrap_or_else(|_| {
        engine.latch("a handler panicked");
        Err(engine.latched_error())
    })
}

#[inline]
fn run<R>(
    engine: &Engine,
    session: &mut Session,
    command: &'static Command,
    arguments: &[&[u8]],
    body: impl FnOnce(&mut Context<'_>) -> CommandResult<R>,
) -> CommandResult<R> {
    // The session is the only one that writes these, so that none of them needs a locked instruction.
    let client = &session.client;
    let calls = client.commands.load(Relaxed);
    let weight = if command.flags.has(Flags::FAST) && !tally::times_all(engine) { SAMPLED } else { 1 };
    let watch = (calls & (weight - 1) == 0).then(Stopwatch::start);
    let now_ms = engine.clock.now_ms();
    client.commands.store(calls + 1, Relaxed);
    client.last_command.store(command.id as u32, Relaxed);
    client.active_ms.store(now_ms, Relaxed);

    let mut context = engine.context(Reply::default());
    context.keys.database = session.database;
    if session.no_touch {
        context.keys.access = AccessPolicy::Untouched;
    }
    engine.keyspace.pace();
    if engine.is_hindered(Hindrance::LogBehind) && command.flags.has(Flags::WRITE) {
        engine.persistence.wait_for_admission();
    }
    if !context.keys.enter_unless_busy(now_ms) {
        return Err(engine.scripts.running.busy_error());
    }
    if let Err(error) = gates::pass_direct(engine, &mut context, command) {
        engine.stats.rejected(command.id);
        engine.stats.error(&error);
        return Err(error);
    }
    let key = arguments[1];
    let hash = context.keys.hash(key);
    lock_only_key(&mut context, command, key, hash);
    let result = body(&mut context);
    if engine.monitors.any() {
        show(engine, session, &mut context, command, arguments);
    }
    finish_step(&mut context, engine, result.is_ok(), |out| encode(out, arguments));
    let tally = context.keys.leave();
    blocking::serve_gone(engine, &mut context.keys.effects.gone);
    engine.flush(&mut context.keys.effects.touched);
    if tally.written > 0 {
        session.written = tally.written;
        engine.persistence.nudge();
    }
    engine.stats.add_tally(&tally);
    engine.stats.add(Counter::Changes, context.keys.effects.dirty);
    let nanoseconds = watch.map_or(0, |watch| watch.elapsed_ns());
    engine.stats.called(command.id, 1, nanoseconds * weight);
    if watch.is_some() {
        engine.stats.took(command.id, weight, nanoseconds);
    }
    if watch.is_some() && weight == 1 {
        engine.latency.note(tally::latency_event(command), &engine.clock, nanoseconds);
        note_slow(engine, session, command, arguments, nanoseconds / 1000);
    }
    if let Err(error) = &result {
        engine.stats.failed(command.id);
        engine.stats.error(error);
    }
    result
}

#[cold]
fn show<'k>(
    engine: &'k Engine,
    session: &mut Session,
    context: &mut Context<'k>,
    command: &'static Command,
    arguments: &[&[u8]],
) {
    if let Some(request) = OwnedRequest::new(arguments) {
        monitors::show(&mut Call { context, engine, session, command }, command, request.request(), Source::Connection);
    }
}

#[cold]
fn note_slow(engine: &Engine, session: &Session, command: &Command, arguments: &[&[u8]], took_us: u64) {
    let threshold = engine.slowlog.threshold_us();
    if threshold >= 0
        && took_us >= threshold.unsigned_abs()
        && let Some(request) = OwnedRequest::new(arguments)
    {
        engine.slowlog.note(engine, session, command, request.request(), took_us);
    }
}
