//! Rows of the transaction commands.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "multi",
        summary: "Begin a transaction",
        since: "1.2.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY),
        handler: Some(super::multi),
        ..ROW
    },
    CommandSpec {
        name: "exec",
        summary: "Run the commands of the transaction at one moment",
        since: "1.2.0",
        complexity: "That of the queued commands",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG),
        handler: Some(super::exec),
        ..ROW
    },
    CommandSpec {
        name: "discard",
        summary: "Give the transaction up",
        since: "2.0.0",
        complexity: "O(N) with N the number of queued commands",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY),
        handler: Some(super::discard),
        ..ROW
    },
    CommandSpec {
        name: "watch",
        summary: "Let the next transaction run only if these keys stay as they are",
        since: "2.2.0",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(2),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY),
        keys: &[KeySpec::from(1, key_flags!(RO))],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::watch),
        ..ROW
    },
    CommandSpec {
        name: "unwatch",
        summary: "Forget which keys are watched",
        since: "2.2.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY),
        handler: Some(super::unwatch),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Transactions, ..CommandSpec::EMPTY };
