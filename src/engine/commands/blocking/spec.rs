//! Rows of the commands that wait.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, categories, flags, key_flags};
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
    CommandSpec {
        name: "brpoplpush",
        summary: "Move the last element of a list to the front of another, waiting for one",
        since: "2.2.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM | BLOCKING),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE)), KeySpec::at(2, key_flags!(RW | INSERT))],
        deprecated: Some(("6.2.0", "`BLMOVE` with `RIGHT LEFT`")),
        arguments: &[arg::key("source", 0), arg::key("destination", 1), arg::double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        handler: Some(super::brpoplpush),
        ..ROW
    },
    CommandSpec {
        name: "blmpop",
        summary: "Take elements from the first of several lists that has any, waiting for one",
        since: "7.0.0",
        complexity: "O(N+M) with N the number of keys and M the number of elements in the reply",
        arity: AtLeast(5),
        flags: flags!(WRITE | BLOCKING),
        keys: &[KeySpec::counted(2, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[
            arg::double("timeout"),
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::one_of("where", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
            arg::integer("count").token("COUNT").optional(),
        ],
        handler: Some(super::blmpop),
        ..ROW
    },
    CommandSpec {
        name: "bzpopmin",
        summary: "Take the lowest member of the first sorted set that has any, waiting for one",
        since: "5.0.0",
        complexity: "O(log(N)) with N the number of members",
        group: Group::SortedSet,
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST | BLOCKING),
        keys: &[KeySpec::range(1, -2, 1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0).multiple(), arg::double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        handler: Some(super::bzpopmin),
        ..ROW
    },
    CommandSpec {
        name: "bzpopmax",
        summary: "Take the highest member of the first sorted set that has any, waiting for one",
        since: "5.0.0",
        complexity: "O(log(N)) with N the number of members",
        group: Group::SortedSet,
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST | BLOCKING),
        keys: &[KeySpec::range(1, -2, 1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0).multiple(), arg::double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        handler: Some(super::bzpopmax),
        ..ROW
    },
    CommandSpec {
        name: "bzmpop",
        summary: "Take lowest or highest members from the first of several sorted sets that has any, waiting for one",
        since: "7.0.0",
        complexity: "O(K) + O(M*log(N)) with K the number of keys, N the size of the set and M of what is taken",
        group: Group::SortedSet,
        arity: AtLeast(5),
        flags: flags!(WRITE | BLOCKING),
        keys: &[KeySpec::counted(2, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[
            arg::double("timeout"),
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::one_of("where", &[arg::token("min", "MIN"), arg::token("max", "MAX")]),
            arg::integer("count").token("COUNT").optional(),
        ],
        handler: Some(super::bzmpop),
        ..ROW
    },
    CommandSpec {
        name: "wait",
        summary: "Wait until replicas have what this connection wrote",
        since: "3.0.0",
        complexity: "O(1)",
        group: Group::Generic,
        arity: Exactly(3),
        flags: flags!(BLOCKING),
        categories: categories!(CONNECTION),
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        arguments: &[arg::integer("numreplicas"), arg::integer("timeout")],
        handler: Some(super::wait),
        ..ROW
    },
    CommandSpec {
        name: "waitaof",
        summary: "Wait until what this connection wrote is on the disk",
        since: "7.2.0",
        complexity: "O(1)",
        group: Group::Generic,
        arity: Exactly(4),
        flags: flags!(BLOCKING),
        categories: categories!(CONNECTION),
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        arguments: &[arg::integer("numlocal"), arg::integer("numreplicas"), arg::integer("timeout")],
        handler: Some(super::waitaof),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::List, ..CommandSpec::EMPTY };
