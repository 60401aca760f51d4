//! Rows of the commands that wait for an element.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "blpop",
        summary: "Take the first element of the first list that has any, waiting for one",
        since: "2.0.0",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(3),
        flags: flags!(WRITE | BLOCKING),
        keys: &[KeySpec::range(1, -2, 1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0).multiple(), arg::double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        handler: Some(super::blpop),
        ..ROW
    },
    CommandSpec {
        name: "brpop",
        summary: "Take the last element of the first list that has any, waiting for one",
        since: "2.0.0",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(3),
        flags: flags!(WRITE | BLOCKING),
        keys: &[KeySpec::range(1, -2, 1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0).multiple(), arg::double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        handler: Some(super::brpop),
        ..ROW
    },
    CommandSpec {
        name: "blmove",
        summary: "Move an element from one list to another, waiting for one",
        since: "6.2.0",
        complexity: "O(1)",
        arity: Exactly(6),
        flags: flags!(WRITE | DENYOOM | BLOCKING),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE)), KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[
            arg::key("source", 0),
            arg::key("destination", 1),
            arg::one_of("wherefrom", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
            arg::one_of("whereto", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
            arg::double("timeout"),
        ],
        handler: Some(super::blmove),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::List, ..CommandSpec::EMPTY };
