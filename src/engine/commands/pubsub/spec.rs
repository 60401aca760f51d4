//! Rows of the publish/subscribe commands.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "subscribe",
        summary: "Listen to channels",
        since: "2.0.0",
        complexity: "O(N) with N the number of channels given",
        arity: AtLeast(2),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        arguments: &[arg::string("channel").multiple()],
        handler: Some(super::subscribe),
        ..ROW
    },
    CommandSpec {
        name: "unsubscribe",
        summary: "Stop listening to channels",
        since: "2.0.0",
        complexity: "O(N) with N the number of channels given",
        arity: AtLeast(1),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        arguments: &[arg::string("channel").optional().multiple()],
        handler: Some(super::unsubscribe),
        ..ROW
    },
    CommandSpec {
        name: "psubscribe",
        summary: "Listen to all channels that match patterns",
        since: "2.0.0",
        complexity: "O(N) with N the number of patterns given",
        arity: AtLeast(2),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        arguments: &[arg::pattern("pattern").multiple()],
        handler: Some(super::psubscribe),
        ..ROW
    },
    CommandSpec {
        name: "punsubscribe",
        summary: "Stop listening to patterns",
        since: "2.0.0",
        complexity: "O(N) with N the number of patterns given",
        arity: AtLeast(1),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        arguments: &[arg::pattern("pattern").optional().multiple()],
        handler: Some(super::punsubscribe),
        ..ROW
    },
    CommandSpec {
        name: "publish",
        summary: "Send a message to a channel",
        since: "2.0.0",
        complexity: "O(N+M) with N the number of listeners of the channel and M the number of patterns of all clients",
        arity: Exactly(3),
        flags: flags!(PUBSUB | LOADING | STALE | FAST),
        arguments: &[arg::string("channel"), arg::string("message")],
        handler: Some(super::publish),
        ..ROW
    },
    CommandSpec {
        name: "ssubscribe",
        summary: "Listen to channels of shards",
        since: "7.0.0",
        complexity: "O(N) with N the number of channels given",
        arity: AtLeast(2),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        keys: &[KeySpec::from(1, key_flags!(NOT_KEY))],
        arguments: &[arg::string("shardchannel").multiple()],
        handler: Some(super::ssubscribe),
        ..ROW
    },
    CommandSpec {
        name: "sunsubscribe",
        summary: "Stop listening to channels of shards",
        since: "7.0.0",
        complexity: "O(N) with N the number of channels given",
        arity: AtLeast(1),
        flags: flags!(PUBSUB | NOSCRIPT | LOADING | STALE),
        keys: &[KeySpec::from(1, key_flags!(NOT_KEY))],
        arguments: &[arg::string("shardchannel").optional().multiple()],
        handler: Some(super::sunsubscribe),
        ..ROW
    },
    CommandSpec {
        name: "spublish",
        summary: "Send a message to a shard's channel",
        since: "7.0.0",
        complexity: "O(N) with N the number of listeners of the channel",
        arity: Exactly(3),
        flags: flags!(PUBSUB | LOADING | STALE | FAST),
        keys: &[KeySpec::first(key_flags!(NOT_KEY))],
        arguments: &[arg::string("shardchannel"), arg::string("message")],
        handler: Some(super::spublish),
        ..ROW
    },
    CommandSpec {
        name: "pubsub",
        summary: "About channels and their listeners",
        since: "2.8.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "channels",
                summary: "Channels that have listeners",
                since: "2.8.0",
                complexity: "O(N) with N the number of channels in use, for short names and patterns",
                arity: AtLeast(2),
                flags: flags!(PUBSUB | LOADING | STALE),
                arguments: &[arg::pattern("pattern").optional()],
                handler: Some(super::pubsub_channels),
                ..ROW
            },
            CommandSpec {
                name: "numsub",
                summary: "Number of listeners of each of the channels",
                since: "2.8.0",
                complexity: "O(N) with N the number of channels given",
                arity: AtLeast(2),
                flags: flags!(PUBSUB | LOADING | STALE),
                arguments: &[arg::string("channel").optional().multiple()],
                handler: Some(super::pubsub_numsub),
                ..ROW
            },
            CommandSpec {
                name: "numpat",
                summary: "Number of different patterns that have listeners",
                since: "2.8.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(PUBSUB | LOADING | STALE),
                handler: Some(super::pubsub_numpat),
                ..ROW
            },
            CommandSpec {
                name: "shardchannels",
                summary: "Channels of shards that have listeners",
                since: "7.0.0",
                complexity: "O(N) with N the number of channels in use, for short names and patterns",
                arity: AtLeast(2),
                flags: flags!(PUBSUB | LOADING | STALE),
                arguments: &[arg::pattern("pattern").optional()],
                handler: Some(super::pubsub_shardchannels),
                ..ROW
            },
            CommandSpec {
                name: "shardnumsub",
                summary: "Number of listeners of each of the channels of shards",
                since: "7.0.0",
                complexity: "O(N) with N the number of channels given",
                arity: AtLeast(2),
                flags: flags!(PUBSUB | LOADING | STALE),
                arguments: &[arg::string("shardchannel").optional().multiple()],
                handler: Some(super::pubsub_shardnumsub),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How PUBSUB's subcommands are called",
                since: "6.2.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::pubsub_help),
                ..ROW
            },
        ],
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::PubSub, ..CommandSpec::EMPTY };
