//! Rows of the list commands that do not wait.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "lpush",
        summary: "Add elements in front of a list",
        since: "1.0.0",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("element").multiple()],
        history: &[("2.4.0", "Several elements in one call.")],
        handler: Some(super::lpush),
        ..ROW
    },
    CommandSpec {
        name: "rpush",
        summary: "Add elements behind a list",
        since: "1.0.0",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("element").multiple()],
        history: &[("2.4.0", "Several elements in one call.")],
        handler: Some(super::rpush),
        ..ROW
    },
    CommandSpec {
        name: "lpushx",
        summary: "Add elements in front of a list, but only if it exists",
        since: "2.2.0",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("element").multiple()],
        history: &[("4.0.0", "Several elements in one call.")],
        handler: Some(super::lpushx),
        ..ROW
    },
    CommandSpec {
        name: "rpushx",
        summary: "Add elements behind a list, but only if it exists",
        since: "2.2.0",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("element").multiple()],
        history: &[("4.0.0", "Several elements in one call.")],
        handler: Some(super::rpushx),
        ..ROW
    },
    CommandSpec {
        name: "lpop",
        summary: "Take elements from the front of a list",
        since: "1.0.0",
        complexity: "O(N) with N the number of elements in the reply",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional().since("6.2.0")],
        history: &[("6.2.0", "Argument `count`.")],
        handler: Some(super::lpop),
        ..ROW
    },
    CommandSpec {
        name: "rpop",
        summary: "Take elements from the back of a list",
        since: "1.0.0",
        complexity: "O(N) with N the number of elements in the reply",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional().since("6.2.0")],
        history: &[("6.2.0", "Argument `count`.")],
        handler: Some(super::rpop),
        ..ROW
    },
    CommandSpec {
        name: "llen",
        summary: "Number of elements of a list",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::llen),
        ..ROW
    },
    CommandSpec {
        name: "lindex",
        summary: "Element at a position of a list",
        since: "1.0.0",
        complexity: "O(N) with N the distance from the nearer end",
        arity: Exactly(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("index")],
        handler: Some(super::lindex),
        ..ROW
    },
    CommandSpec {
        name: "lset",
        summary: "Replace the element at a position of a list",
        since: "1.0.0",
        complexity: "O(N) with N the length of the list, O(1) at either end",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("index"), arg::string("element")],
        handler: Some(super::lset),
        ..ROW
    },
    CommandSpec {
        name: "linsert",
        summary: "Put an element next to another one",
        since: "2.2.0",
        complexity: "O(N) with N the distance of the pivot from the front",
        arity: Exactly(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[
            arg::key("key", 0),
            arg::one_of("where", &[arg::token("before", "BEFORE"), arg::token("after", "AFTER")]),
            arg::string("pivot"),
            arg::string("element"),
        ],
        handler: Some(super::linsert),
        ..ROW
    },
    CommandSpec {
        name: "lrange",
        summary: "Elements of a list between two positions",
        since: "1.0.0",
        complexity: "O(S+N) with S the distance of the start from the nearer end and N the length of the range",
        arity: Exactly(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("start"), arg::integer("stop")],
        handler: Some(super::lrange),
        ..ROW
    },
    CommandSpec {
        name: "ltrim",
        summary: "Keep only the elements between two positions",
        since: "1.0.0",
        complexity: "O(N) with N the number of removed elements",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("start"), arg::integer("stop")],
        handler: Some(super::ltrim),
        ..ROW
    },
    CommandSpec {
        name: "lrem",
        summary: "Remove elements equal to a value",
        since: "1.0.0",
        complexity: "O(N+M) with N the length of the list and M the number of removed elements",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count"), arg::string("element")],
        handler: Some(super::lrem),
        ..ROW
    },
    CommandSpec {
        name: "lpos",
        summary: "Positions of the elements equal to a value",
        since: "6.0.6",
        complexity: "O(N) with N the length of the list; less for matches near the start or with MAXLEN",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::string("element"),
            arg::integer("rank").token("RANK").optional(),
            arg::integer("num-matches").token("COUNT").optional(),
            arg::integer("len").token("MAXLEN").optional(),
        ],
        handler: Some(super::lpos),
        ..ROW
    },
    CommandSpec {
        name: "lmove",
        summary: "Take an element from an end of one list and put it to an end of another",
        since: "6.2.0",
        complexity: "O(1)",
        arity: Exactly(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE)), KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[
            arg::key("source", 0),
            arg::key("destination", 1),
            arg::one_of("wherefrom", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
            arg::one_of("whereto", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
        ],
        handler: Some(super::lmove),
        ..ROW
    },
    CommandSpec {
        name: "rpoplpush",
        summary: "Take the last element of one list and put it in front of another",
        since: "1.2.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE)), KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[arg::key("source", 0), arg::key("destination", 1)],
        deprecated: Some(("6.2.0", "`LMOVE` with `RIGHT LEFT`")),
        handler: Some(super::rpoplpush),
        ..ROW
    },
    CommandSpec {
        name: "lmpop",
        summary: "Take elements from the first of several lists that has any",
        since: "7.0.0",
        complexity: "O(N+M) with N the number of keys and M the number of elements in the reply",
        arity: AtLeast(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::counted(1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::one_of("where", &[arg::token("left", "LEFT"), arg::token("right", "RIGHT")]),
            arg::integer("count").token("COUNT").optional(),
        ],
        handler: Some(super::lmpop),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::List, ..CommandSpec::EMPTY };
