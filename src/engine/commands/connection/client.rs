//! `CLIENT` and its subcommands.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::listing::{Asking, Kind, line};
use super::read_id;
use crate::base::number::parse_i64;
use crate::command::Args;
use crate::engine::clients::Client;
use crate::engine::commands::blocking::timeout::next_deadline_of_ms;
use crate::engine::commands::server::write_help;
use crate::engine::session::ReplyMode;
use crate::engine::stats::Counter;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::keys::AccessPolicy;

/// Whether a name fits into a line of CLIENT LIST.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// A connection's name.
///
/// # Errors
/// When it would not fit into a line of CLIENT LIST.
pub(super) fn checked_name(text: &[u8]) -> CommandResult<String> {
    if is_plain(text) {
        Ok(String::from_utf8_lossy(text).into_owned())
    } else {
        Err(CommandError::SpecialCharacters("Client names"))
    }
}

/// `CLIENT ID`
pub fn client_id(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    // Ids are counted from 1, one per connection.
    call.context.reply.integer(call.session.client.id as i64);
    Ok(Outcome::Done)
}

/// `CLIENT SETNAME connection-name`
pub fn client_setname(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let name = checked_name(args.next_bytes()?)?;
    call.session.client.names.lock().name = name;
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CLIENT GETNAME`
pub fn client_getname(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let names = call.session.client.names.lock();
    call.context.reply.bulk_or_null((!names.name.is_empty()).then_some(names.name.as_bytes()));
    Ok(Outcome::Done)
}

/// `CLIENT SETINFO LIB-NAME libname | LIB-VER libver`
pub fn client_setinfo(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (attribute, value) = (args.next_bytes()?, args.next_bytes()?);
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        return Err(CommandError::unrecognized_option(attribute));
    }
    if !is_plain(value) {
        return Err(CommandError::special_characters(attribute));
    }
    let value = String::from_utf8_lossy(value).into_owned();
    let mut names = call.session.client.names.lock();
    if is_name {
        names.library = value;
    } else {
        names.library_version = value;
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// Shows others, and CLIENT LIST itself, how the connection stands while its command runs.
fn publish(call: &Call<'_, '_>) {
    call.session.publish_state();
    let client = &call.session.client;
    client.last_command.store(call.command.id as u32, Relaxed);
    client.active_ms.store(call.context.keys.now_ms, Relaxed);
}

/// `CLIENT INFO`
pub fn client_info(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    publish(call);
    let client = &call.session.client;
    let text = line(client, call.context.keys.now_ms, &Asking::new(client.id, args.request()));
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// `CLIENT LIST [TYPE NORMAL | MASTER | REPLICA | PUBSUB] [ID client-id [client-id ...]]`
pub fn client_list(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let clients = &call.engine.clients;
    let asking = Asking::new(call.session.client.id, args.request());
    let listed: Vec<Arc<Client>> = if args.remaining() == 2 && args.take("TYPE") {
        let kind = Kind::read(args.next_bytes()?)?;
        publish(call);
        clients.all().into_iter().filter(|client| Kind::of(client) == kind).collect()
    } else if args.take_with_value("ID") {
        let mut listed = Vec::new();
        for id in args.rest() {
            let id = parse_i64(id).ok_or(CommandError::InvalidClientId)?;
            listed.extend(u64::try_from(id).ok().and_then(|id| clients.get(id)));
        }
        publish(call);
        listed
    } else {
        args.finish()?;
        publish(call);
        clients.all()
    };
    let now_ms = call.context.keys.now_ms;
    let text: String = listed.iter().map(|client| line(client, now_ms, &asking)).collect();
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// Which connections CLIENT KILL closes: those for which everything that is given holds.
#[derive(Default)]
struct Victims<'a> {
    id: Option<u64>,
    kind: Option<Kind>,
    peer: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    age_seconds: Option<u64>,
    spare_self: bool,
}

impl<'a> Victims<'a> {
    fn read(mut args: Args<'a>) -> CommandResult<Victims<'a>> {
        let mut victims = Victims { spare_self: true, ..Victims::default() };
        while args.remaining() > 0 {
            if args.take_with_value("ID") {
                let id = read_id(args.next_bytes()?, CommandError::ClientIdNotPositive)?;
                victims.id = Some(id).filter(|id| *id > 0);
                victims.id.ok_or(CommandError::ClientIdNotPositive)?;
            } else if args.take_with_value("TYPE") {
                victims.kind = Some(Kind::read(args.next_bytes()?)?);
            } else if args.take_with_value("ADDR") {
                victims.peer = Some(args.next_bytes()?);
            } else if args.take_with_value("LADDR") {
                victims.local = Some(args.next_bytes()?);
            } else if args.take_with_value("USER") {
                let user = args.next_bytes()?;
                if user != b"default" {
                    return Err(CommandError::no_such_user(user));
                }
            } else if args.take_with_value("MAXAGE") {
                let seconds = args.next_i64_or(CommandError::MaxAgeNotInteger)?;
                let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
                victims.age_seconds = Some(seconds.ok_or(CommandError::MaxAgeNotPositive)?);
            } else if args.take_with_value("SKIPME") {
                victims.spare_self = args.take("YES");
                if !victims.spare_self && !args.take("NO") {
                    return Err(CommandError::Syntax);
                }
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(victims)
    }

    fn include(&self, client: &Client, now_ms: u64) -> bool {
        // A caller in this process has no connection to lose; only who names it by its id means it.
        (self.id.is_some() || !client.origin.in_process)
            && self.id.is_none_or(|id| client.id == id)
            && self.kind.is_none_or(|kind| Kind::of(client) == kind)
            && self.peer.is_none_or(|peer| client.origin.peer.as_bytes() == peer)
            && self.local.is_none_or(|local| client.origin.local.as_bytes() == local)
            && self.age_seconds.is_none_or(|age| now_ms.saturating_sub(client.connected_ms) / 1000 >= age)
    }

    /// Closes them; the caller's own connection only when its reply is sent. Returns how many.
    fn kill(&self, call: &mut Call<'_, '_>) -> usize {
        publish(call);
        let now_ms = call.context.keys.now_ms;
        let mut killed = 0;
        let clients = call.engine.clients.all().into_iter().filter(|client| self.include(client, now_ms));
        // Who was killed before may take a moment to go.
        for client in clients.filter(|client| !client.outbox.is_closed()) {
            let is_self = client.id == call.session.client.id;
            if is_self && self.spare_self {
                continue;
            }
            killed += 1;
            call.engine.stats.add(Counter::KilledClients, 1);
            if is_self {
                call.session.closing = true;
            } else {
                client.outbox.close();
            }
        }
        killed
    }
}

/// `CLIENT KILL ip:port | [ID client-id] [TYPE type] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME yes|no]
/// [MAXAGE seconds]`
pub fn client_kill(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() == 1 {
        let peer = Some(args.next_bytes()?);
        if (Victims { peer, ..Victims::default() }).kill(call) == 0 {
            return Err(CommandError::NoSuchClient);
        }
        call.context.reply.ok();
        return Ok(Outcome::Done);
    }
    let killed = Victims::read(args)?.kill(call);
    call.context.reply.count(killed);
    Ok(Outcome::Done)
}

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
pub fn client_unblock(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 2 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let mut reason = args;
    reason.skip(1);
    let fails = reason.take("ERROR");
    if !fails && reason.remaining() > 0 && !reason.take("TIMEOUT") {
        return Err(CommandError::UnblockReason);
    }
    let id = u64::try_from(args.next_i64()?).ok();
    let client = id.and_then(|id| call.engine.clients.get(id));
    let waiter = client.and_then(|client| client.waiting()).filter(|waiter| waiter.may_be_ended());
    let ended = waiter.is_some_and(|waiter| match fails {
        true => waiter.fail(call.engine, &CommandError::Unblocked),
        false => waiter.time_out(call.engine),
    });
    call.context.reply.integer(ended.into());
    Ok(Outcome::Done)
}

/// `ON` or `OFF`, and nothing behind it.
fn read_switch(mut args: Args<'_>) -> CommandResult<bool> {
    let on = args.take("ON");
    if !on && !args.take("OFF") {
        return Err(CommandError::Syntax);
    }
    args.finish()?;
    Ok(on)
}

/// `CLIENT NO-EVICT ON | OFF`
pub fn client_no_evict(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let on = read_switch(args)?;
    call.session.client.no_evict.store(on, Relaxed);
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CLIENT NO-TOUCH ON | OFF`
pub fn client_no_touch(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    set_no_touch(call, read_switch(args)?);
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// Whether uses of keys by this connection leave no trace, from the next command on.
pub(super) fn set_no_touch(call: &mut Call<'_, '_>, on: bool) {
    call.session.no_touch = on;
    call.session.client.no_touch.store(on, Relaxed);
    call.context.keys.access = if on { AccessPolicy::Untouched } else { call.engine.memory.access_policy() };
}

/// `CLIENT REPLY ON | OFF | SKIP`
pub fn client_reply(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let mode = &mut call.session.reply_mode;
    if args.take("ON") {
        *mode = ReplyMode::On;
        call.context.reply.ok();
    } else if args.take("OFF") {
        *mode = ReplyMode::Off;
    } else if args.take("SKIP") {
        // Where all replies are off there is none to skip.
        if *mode != ReplyMode::Off {
            *mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(CommandError::Syntax);
    }
    Ok(Outcome::Done)
}

/// `CLIENT PAUSE timeout [WRITE | ALL]`
pub fn client_pause(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 2 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let mut mode = args;
    mode.skip(1);
    let writes_only = mode.take("WRITE");
    if !writes_only && mode.remaining() > 0 && !mode.take("ALL") {
        return Err(CommandError::PauseMode);
    }
    let now_ms = call.context.keys.now_ms;
    let end_ms = next_deadline_of_ms(&mut args, now_ms)?.unwrap_or(0);
    call.engine.pause(end_ms, !writes_only, now_ms);
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CLIENT UNPAUSE`
pub fn client_unpause(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.engine.unpause();
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `MONITOR`
pub fn monitor(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    // Lines could come before EXEC's reply has ended.
    if !call.context.may_block {
        return Err(CommandError::DenyMonitor);
    }
    let client = &call.session.client;
    client.outbox.open();
    client.outbox.cork(true);
    client.monitors.store(true, Relaxed);
    call.engine.monitors.add(client.id, client.outbox.clone());
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// Ends MONITOR.
pub fn stop_monitoring(call: &mut Call<'_, '_>) {
    if call.session.client.monitors.swap(false, Relaxed) {
        call.engine.monitors.remove(call.session.client.id);
    }
}

/// `CLIENT HELP`
pub fn client_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "client");
    Ok(Outcome::Done)
}
