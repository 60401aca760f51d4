//! Handlers of the commands about the connection itself; those of CLIENT are in [`client`].

mod client;
mod listing;
pub mod spec;
mod tracking;

pub use client::{
    client_getname, client_help, client_id, client_info, client_kill, client_list, client_no_evict, client_no_touch,
    client_pause, client_reply, client_setinfo, client_setname, client_unblock, client_unpause, monitor,
};
pub use tracking::{client_caching, client_getredir, client_tracking, client_trackinginfo};

use std::sync::atomic::Ordering::Relaxed;

use crate::base::number::parse_i64;
use crate::command::Args;
use crate::engine::session::ReplyMode;
use crate::engine::stats::Counter;
use crate::engine::{Call, Outcome, transaction};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Protocol;

/// The Redis version whose behaviour this is, as clients are told.
pub const REDIS_VERSION: &str = "7.2.4";

/// The only user.
pub const DEFAULT_USER: &[u8] = b"default";

/// `AUTH [username] password`
pub fn auth(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (user, password) = match args.remaining() {
        1 if !call.engine.has_password() => return Err(CommandError::NoPasswordSet),
        1 => (DEFAULT_USER, args.next_bytes()?),
        2 => (args.next_bytes()?, args.next_bytes()?),
        _ => return Err(CommandError::Syntax),
    };
    log_in(call, user, password)?;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

fn log_in(call: &mut Call<'_, '_>, user: &[u8], password: &[u8]) -> CommandResult {
    if user != DEFAULT_USER || !call.engine.is_password(password) {
        call.engine.stats.add(Counter::FailedLogins, 1);
        return Err(CommandError::WrongPass);
    }
    call.session.authenticated = true;
    Ok(())
}

/// What HELLO asks for.
#[derive(Default)]
struct Greeting<'a> {
    protocol: Option<Protocol>,
    login: Option<(&'a [u8], &'a [u8])>,
    name: Option<String>,
}

impl<'a> Greeting<'a> {
    fn read(mut args: Args<'a>) -> CommandResult<Greeting<'a>> {
        let mut greeting = Greeting::default();
        if args.remaining() > 0 {
            let version = args.next_i64_or(CommandError::ProtocolNotInteger)?;
            greeting.protocol = Some(Protocol::from_version(version).ok_or(CommandError::NoProto)?);
        }
        while let Some(option) = args.peek() {
            if args.remaining() >= 3 && args.take("AUTH") {
                greeting.login = Some((args.next_bytes()?, args.next_bytes()?));
            } else if args.take_with_value("SETNAME") {
                greeting.name = Some(client::checked_name(args.next_bytes()?)?);
            } else {
                return Err(CommandError::hello_option(option));
            }
        }
        Ok(greeting)
    }
}

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
pub fn hello(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let greeting = Greeting::read(args)?;
    if let Some((user, password)) = greeting.login {
        log_in(call, user, password)?;
    }
    if !call.session.authenticated {
        return Err(CommandError::HelloNoAuth);
    }
    if let Some(name) = greeting.name {
        call.session.client.names.lock().name = name;
    }
    if let Some(protocol) = greeting.protocol {
        speak(call, protocol);
    }
    let reply = &mut call.context.reply;
    reply.map(7);
    for (field, text) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"proto");
    reply.integer(call.session.protocol.version());
    reply.bulk(b"id");
    // Ids are counted from 1, one per connection.
    reply.integer(call.session.client.id as i64);
    for (field, text) in [("mode", call.engine.cluster.mode()), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
    Ok(Outcome::Done)
}

/// Switches the connection to a protocol, for replies and for messages.
fn speak(call: &mut Call<'_, '_>, protocol: Protocol) {
    let session = &mut *call.session;
    session.protocol = protocol;
    session.publish_state();
    call.context.reply.set_protocol(protocol);
    if session.is_subscribed() {
        let pushes = protocol == Protocol::Resp3;
        call.engine.pubsub.set_pushes(session.client.id, &session.subscriptions, pushes);
    }
}

/// `SELECT index`
pub fn select(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let index = args.next_i64()?;
    let bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
    if index < bounds.0 || index > bounds.1 {
        return Err(CommandError::NotBetween(Box::new(bounds)));
    }
    if call.engine.cluster.is_enabled && index != 0 {
        return Err(CommandError::NotInCluster("SELECT"));
    }
    let database = usize::try_from(index).ok().filter(|index| *index < call.engine.keyspace.databases);
    choose(call, database.ok_or(CommandError::DatabaseOutOfRange)?);
    call.context.reply.ok();
    Ok(Outcome::Done)
}

fn choose(call: &mut Call<'_, '_>, database: usize) {
    call.session.database = database;
    call.context.keys.database = database;
}

/// `PING [message]`
pub fn ping(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 1 {
        return Err(CommandError::wrong_arity("ping"));
    }
    let reply = &mut call.context.reply;
    // A subscriber of RESP2 tells replies from messages by their shape.
    if call.session.protocol == Protocol::Resp2 && call.session.is_subscribed() {
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(args.peek().unwrap_or_default());
        return Ok(Outcome::Done);
    }
    match args.peek() {
        Some(message) => reply.bulk(message),
        None => reply.simple("PONG"),
    }
    Ok(Outcome::Done)
}

/// `ECHO message`
pub fn echo(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.bulk(args.next_bytes()?);
    Ok(Outcome::Done)
}

/// `QUIT`
pub fn quit(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.session.closing = true;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `RESET`
pub fn reset(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.session.transaction = None;
    transaction::unwatch(call.engine, call.session, &mut call.context.keys);
    client::stop_monitoring(call);
    tracking::stop_tracking(call.engine, call.session, &mut call.context.keys);
    choose(call, 0);
    speak(call, Protocol::Resp2);
    let session = &mut *call.session;
    call.engine.pubsub.leave(session.client.id, &mut session.subscriptions);
    session.authenticated = session.client.origin.in_process || !call.engine.has_password();
    // What the library calls itself stays: it is the same library behind the connection.
    session.client.names.lock().name.clear();
    session.reply_mode = ReplyMode::On;
    session.client.no_evict.store(false, Relaxed);
    client::set_no_touch(call, false);
    call.context.reply.simple("RESET");
    Ok(Outcome::Done)
}

/// An id as clients are known by; `error` for what cannot be one.
fn read_id(text: &[u8], error: CommandError) -> CommandResult<u64> {
    parse_i64(text).and_then(|id| u64::try_from(id).ok()).ok_or(error)
}
