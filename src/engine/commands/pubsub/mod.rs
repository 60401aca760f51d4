//! Handlers of the publish/subscribe commands.
//!
//! A confirmation is a reply of its own per channel, and under RESP3 a push like the messages themselves.

pub mod spec;

use crate::base::glob::Glob;
use crate::command::Args;
use crate::engine::commands::server::write_help;
use crate::engine::session::Session;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::{Protocol, Reply};
use crate::pubsub::registry::{Channels, Names, PubSub, Subscriber};

/// One confirmation; `count` is what the connection is subscribed to afterwards.
fn confirm(reply: &mut Reply, kind: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.bulk(kind.as_bytes());
    reply.bulk_or_null(name);
    reply.count(count);
}

fn subscriptions(session: &Session) -> usize {
    session.subscriptions.channels.len() + session.subscriptions.patterns.len()
}

/// The connection as others send to it. From here on messages wait behind what it is being replied.
fn subscriber(session: &Session) -> Subscriber {
    session.client.outbox.open();
    session.client.outbox.cork(true);
    Subscriber {
        id: session.client.id,
        outbox: session.client.outbox.clone(),
        pushes: session.protocol == Protocol::Resp3,
    }
}

/// What the arguments name, or everything that is subscribed to.
fn named_or_all(args: Args<'_>, all: &Names) -> Vec<Box<[u8]>> {
    if args.remaining() == 0 { all.iter().cloned().collect() } else { args.rest().map(Into::into).collect() }
}

/// `SUBSCRIBE channel [channel ...]`
pub fn subscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    for channel in args.rest() {
        if call.session.subscriptions.channels.insert(channel) {
            call.engine.pubsub.channels.subscribe(channel, subscriber(call.session));
        }
        confirm(&mut call.context.reply, "subscribe", Some(channel), subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

/// `UNSUBSCRIBE [channel [channel ...]]`
pub fn unsubscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names = named_or_all(args, &call.session.subscriptions.channels);
    for channel in &names {
        if call.session.subscriptions.channels.remove(channel) {
            call.engine.pubsub.channels.unsubscribe(channel, call.session.client.id);
        }
        confirm(&mut call.context.reply, "unsubscribe", Some(channel), subscriptions(call.session));
    }
    if names.is_empty() {
        confirm(&mut call.context.reply, "unsubscribe", None, subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

/// `PSUBSCRIBE pattern [pattern ...]`
pub fn psubscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    for pattern in args.rest() {
        if call.session.subscriptions.patterns.insert(pattern) {
            call.engine.pubsub.subscribe_pattern(pattern, subscriber(call.session));
        }
        confirm(&mut call.context.reply, "psubscribe", Some(pattern), subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

/// `PUNSUBSCRIBE [pattern [pattern ...]]`
pub fn punsubscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names = named_or_all(args, &call.session.subscriptions.patterns);
    for pattern in &names {
        if call.session.subscriptions.patterns.remove(pattern) {
            call.engine.pubsub.unsubscribe_pattern(pattern, call.session.client.id);
        }
        confirm(&mut call.context.reply, "punsubscribe", Some(pattern), subscriptions(call.session));
    }
    if names.is_empty() {
        confirm(&mut call.context.reply, "punsubscribe", None, subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

/// `PUBLISH channel message`
pub fn publish(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (channel, message) = (args.next_bytes()?, args.next_bytes()?);
    let receivers = call.engine.pubsub.publish(channel, message, &mut call.session.touched);
    call.context.reply.count(receivers);
    Ok(Outcome::Done)
}

/// `SSUBSCRIBE shardchannel [shardchannel ...]`
pub fn ssubscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    // Messages could come before EXEC's reply has ended.
    if !call.context.may_block {
        return Err(CommandError::DenyBlocking("SSUBSCRIBE"));
    }
    for channel in args.rest() {
        if call.session.subscriptions.shard_channels.insert(channel) {
            call.engine.pubsub.shard_channels.subscribe(channel, subscriber(call.session));
        }
        confirm(&mut call.context.reply, "ssubscribe", Some(channel), shard_subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

/// `SUNSUBSCRIBE [shardchannel [shardchannel ...]]`
pub fn sunsubscribe(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names = named_or_all(args, &call.session.subscriptions.shard_channels);
    for channel in &names {
        if call.session.subscriptions.shard_channels.remove(channel) {
            call.engine.pubsub.shard_channels.unsubscribe(channel, call.session.client.id);
        }
        confirm(&mut call.context.reply, "sunsubscribe", Some(channel), shard_subscriptions(call.session));
    }
    if names.is_empty() {
        confirm(&mut call.context.reply, "sunsubscribe", None, shard_subscriptions(call.session));
    }
    Ok(Outcome::Done)
}

fn shard_subscriptions(session: &Session) -> usize {
    session.subscriptions.shard_channels.len()
}

/// `SPUBLISH shardchannel message`
pub fn spublish(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let (channel, message) = (args.next_bytes()?, args.next_bytes()?);
    let receivers = call.engine.pubsub.publish_to_shard(channel, message, &mut call.session.touched);
    call.context.reply.count(receivers);
    Ok(Outcome::Done)
}

/// `PUBSUB CHANNELS [pattern]`
pub fn pubsub_channels(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    list_channels(call, args, |pubsub| &pubsub.channels)
}

/// `PUBSUB SHARDCHANNELS [pattern]`
pub fn pubsub_shardchannels(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    list_channels(call, args, |pubsub| &pubsub.shard_channels)
}

fn list_channels(call: &mut Call<'_, '_>, args: Args<'_>, of: fn(&PubSub) -> &Channels) -> CommandResult<Outcome> {
    if args.remaining() > 1 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let pattern = args.peek().map(Glob::new);
    let channels = of(&call.engine.pubsub).names(pattern.as_ref());
    call.context.reply.array(channels.len());
    channels.iter().for_each(|channel| call.context.reply.bulk(channel));
    Ok(Outcome::Done)
}

/// `PUBSUB NUMSUB [channel [channel ...]]`
pub fn pubsub_numsub(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    count_subscribers(call, args, |pubsub| &pubsub.channels)
}

/// `PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]`
pub fn pubsub_shardnumsub(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    count_subscribers(call, args, |pubsub| &pubsub.shard_channels)
}

fn count_subscribers(call: &mut Call<'_, '_>, args: Args<'_>, of: fn(&PubSub) -> &Channels) -> CommandResult<Outcome> {
    let channels = args.rest();
    call.context.reply.array(2 * channels.len());
    for channel in channels {
        call.context.reply.bulk(channel);
        call.context.reply.count(of(&call.engine.pubsub).subscribers(channel));
    }
    Ok(Outcome::Done)
}

/// `PUBSUB NUMPAT`
pub fn pubsub_numpat(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.count(call.engine.pubsub.pattern_count());
    Ok(Outcome::Done)
}

/// `PUBSUB HELP`
pub fn pubsub_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "pubsub");
    Ok(Outcome::Done)
}
