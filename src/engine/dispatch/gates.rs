//! The gates: what every command passes between its name and its handler, in Redis's order.

use crate::command::Context;
use crate::command::spec::Flags;
use crate::engine::Call;
use crate::engine::cluster;
use crate::engine::instance::{Engine, Hindrance};
use crate::engine::registry::Command;
use crate::engine::session::Session;
use crate::engine::stats::Counter;
use crate::persist::aof::log::Admit;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Protocol;
use crate::protocol::request::Request;

/// Whether the command may run or be queued.
#[inline(always)]
pub fn pass(
    engine: &Engine,
    session: &Session,
    context: &mut Context<'_>,
    command: &Command,
    request: Request<'_>,
) -> CommandResult {
    connection(engine, session, command)?;
    if engine.cluster.is_enabled {
        cluster::one_slot(session, command, request)?;
    }
    // What was logged fitted, or what did not was evicted, which was logged, too.
    if !session.is_replay {
        if engine.is_hindered(Hindrance::Busy) {
            return beside_script(engine, context, command);
        }
        let (needs_more, writes) = (|| needs_more(session, command), || writes(session, command, |_| false));
        instance(engine, context, command, needs_more, writes)?;
    }
    if session.protocol == Protocol::Resp2 && session.is_subscribed() {
        subscription(command, request)?;
    }
    Ok(())
}

/// A script has been alone inside for long: a few commands run beside it, and the others when it has ended.
#[cold]
pub fn pass_busy(
    engine: &Engine,
    session: &Session,
    context: &mut Context<'_>,
    command: &Command,
    request: Request<'_>,
) -> CommandResult {
    let now_ms = engine.clock.now_ms();
    if context.keys.enter_unless_busy(now_ms) {
        return pass(engine, session, context, command, request);
    }
    connection(engine, session, command)?;
    beside_script(engine, context, command)
}

/// A few commands run while a script is long: outside of the keyspace, so that none of them waits for a lock.
#[cold]
fn beside_script(engine: &Engine, context: &mut Context<'_>, command: &Command) -> CommandResult {
    if !command.flags.has(Flags::ALLOW_BUSY) {
        return Err(engine.scripts.running.busy_error());
    }
    context.keys.step_out();
    Ok(())
}

/// What a command of a typed client passes, which has no connection.
#[inline]
pub fn pass_direct(engine: &Engine, context: &mut Context<'_>, command: &Command) -> CommandResult {
    if engine.is_hindered(Hindrance::Busy) {
        return Err(engine.scripts.running.busy_error());
    }
    let has = |flag| move || command.flags.has(flag);
    instance(engine, context, command, has(Flags::DENYOOM), has(Flags::WRITE))
}

/// The gates of the connection that are open to most.
#[inline(always)]
fn connection(engine: &Engine, session: &Session, command: &Command) -> CommandResult {
    if !session.authenticated {
        authentication(engine, command)?;
    }
    if session.is_reserved {
        reservation(command)?;
    }
    if session.transaction.is_some() {
        nesting(command)?;
    }
    Ok(())
}

/// The gates of the instance, which ask nothing of the connection.
#[inline(always)]
fn instance(
    engine: &Engine,
    context: &mut Context<'_>,
    command: &Command,
    needs_more: impl FnOnce() -> bool,
    writes: impl FnOnce() -> bool,
) -> CommandResult {
    memory(engine, context, needs_more)?;
    if engine.has_hindrances() {
        let writes = writes();
        hindered(engine, command, writes)?;
        backlog(engine, writes)?;
    }
    Ok(())
}

/// Whether a command changes keys or is one of `others`, or for EXEC one of those that are queued.
#[cold]
pub fn writes(session: &Session, command: &Command, others: impl Fn(&Command) -> bool) -> bool {
    let mut queued = session.transaction.iter().flat_map(|transaction| &transaction.queued);
    let counts = |command: &Command| command.flags.has(Flags::WRITE) || others(command);
    counts(command) || (command.is_exec && queued.any(|(command, _)| counts(command)))
}

/// Only a few commands run before AUTH.
#[cold]
fn authentication(engine: &Engine, command: &Command) -> CommandResult {
    if command.flags.has(Flags::NO_AUTH) {
        return Ok(());
    }
    engine.stats.add(Counter::DeniedUnauthenticated, 1);
    Err(CommandError::NoAuth)
}

/// A connection beyond `maxclients` is for whoever has to find out why there are so many, and to do something about it.
#[cold]
fn reservation(command: &Command) -> CommandResult {
    let is_for_operators = command.flags.has(Flags::ADMIN)
        || command.full_name.starts_with("client|")
        || command.full_name.starts_with("command")
        || matches!(command.full_name.as_str(), "auth" | "hello" | "info" | "quit" | "reset");
    if is_for_operators { Ok(()) } else { Err(CommandError::MaxClients) }
}

/// Some commands make no sense behind MULTI.
fn nesting(command: &Command) -> CommandResult {
    if command.flags.has(Flags::NO_MULTI) && !command.governs_transaction {
        Err(CommandError::NotInTransaction)
    } else {
        Ok(())
    }
}

/// A subscriber of RESP2 can only manage its subscriptions: it could not tell replies from messages.
fn subscription(command: &Command, request: Request<'_>) -> CommandResult {
    let allowed = matches!(
        command.full_name.as_str(),
        "subscribe"
            | "unsubscribe"
            | "psubscribe"
            | "punsubscribe"
            | "ssubscribe"
            | "sunsubscribe"
            | "ping"
            | "quit"
            | "reset"
    );
    if allowed {
        return Ok(());
    }
    let name = String::from_utf8_lossy(request.name()).to_lowercase();
    let name = if command.first_argument > 1 { command.full_name.clone() } else { name };
    Err(CommandError::OnlySubscribe(name.into()))
}

/// Memory is short: make room, or refuse what would need more.
#[inline]
fn memory(engine: &Engine, context: &mut Context<'_>, needs_more: impl FnOnce() -> bool) -> CommandResult {
    if engine.memory.is_limited() && !engine.make_room(context) && needs_more() {
        return Err(CommandError::OutOfMemory);
    }
    Ok(())
}

/// Whether a command, or for EXEC one of those that are queued, may take more memory.
#[cold]
fn needs_more(session: &Session, command: &Command) -> bool {
    let mut queued = session.transaction.iter().flat_map(|transaction| &transaction.queued);
    command.flags.has(Flags::DENYOOM)
        || (command.is_exec && queued.any(|(command, _)| command.flags.has(Flags::DENYOOM)))
}

/// What keeps commands from running for now: a panic, a dataset that is being loaded, a disk that does not write.
#[cold]
fn hindered(engine: &Engine, command: &Command, writes: bool) -> CommandResult {
    if engine.is_hindered(Hindrance::Loading) && !command.flags.has(Flags::LOADING) {
        return Err(CommandError::Loading);
    }
    if !writes {
        return Ok(());
    }
    if engine.is_hindered(Hindrance::Ended) {
        return Err(CommandError::Ended);
    }
    if engine.is_hindered(Hindrance::Latched) {
        return Err(engine.latched_error());
    }
    if engine.is_hindered(Hindrance::LogFailed) {
        return Err(engine.persistence.refusal(engine));
    }
    if engine.is_hindered(Hindrance::SaveFailed) && engine.persistence.stops_writes(engine) {
        return Err(CommandError::MisconfSave);
    }
    Ok(())
}

/// A disk that has been behind for too long: who may still wait for it has done so before.
#[cold]
fn backlog(engine: &Engine, writes: bool) -> CommandResult {
    if writes && engine.is_hindered(Hindrance::LogBehind) && engine.persistence.admit(engine) == Admit::Refused {
        return Err(engine.persistence.refusal(engine));
    }
    Ok(())
}

/// The gates of the instance that a script's first write passes.
pub fn pass_script(call: &mut Call<'_, '_>, writes: bool) -> CommandResult {
    if !call.engine.has_hindrances() || call.session.is_replay {
        return Ok(());
    }
    hindered(call.engine, call.command, writes)?;
    backlog(call.engine, writes)
}

/// Whether a command behind MULTI is queued rather than run.
#[inline]
pub fn is_queued(session: &Session, command: &Command) -> bool {
    session.transaction.is_some() && !command.governs_transaction
}

/// The gates that a queued command passes again when it runs.
pub fn pass_queued(call: &mut Call<'_, '_>, command: &Command) -> CommandResult {
    let engine = call.engine;
    if command.flags.has(Flags::DENYOOM) && engine.memory.is_limited() && engine.is_over_limit() {
        return Err(CommandError::OutOfMemory);
    }
    match engine.has_hindrances() {
        true => hindered(engine, command, command.flags.has(Flags::WRITE)),
        false => Ok(()),
    }
}
