//! Rows of the set commands.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "sadd",
        summary: "Add members to a set",
        since: "1.0.0",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("member").multiple()],
        history: &[("2.4.0", "Several members in one call.")],
        handler: Some(super::sadd),
        ..ROW
    },
    CommandSpec {
        name: "srem",
        summary: "Remove members of a set; an empty set disappears",
        since: "1.0.0",
        complexity: "O(N) with N the number of members given",
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("member").multiple()],
        history: &[("2.4.0", "Several members in one call.")],
        handler: Some(super::srem),
        ..ROW
    },
    CommandSpec {
        name: "sismember",
        summary: "Whether a value is a member of a set",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0), arg::string("member")],
        handler: Some(super::sismember),
        ..ROW
    },
    CommandSpec {
        name: "smismember",
        summary: "For each of several values, whether it is a member of a set",
        since: "6.2.0",
        complexity: "O(N) with N the number of members given",
        arity: AtLeast(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member").multiple()],
        handler: Some(super::smismember),
        ..ROW
    },
    CommandSpec {
        name: "smembers",
        summary: "All members of a set",
        since: "1.0.0",
        complexity: "O(N) with N the size of the set",
        arity: Exactly(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::smembers),
        ..ROW
    },
    CommandSpec {
        name: "scard",
        summary: "Number of members of a set",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::scard),
        ..ROW
    },
    CommandSpec {
        name: "spop",
        summary: "Take random members out of a set",
        since: "1.0.0",
        complexity: "O(1) without a count, otherwise O(N) with N the count",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional().since("3.2.0")],
        history: &[("3.2.0", "Argument `count`.")],
        handler: Some(super::spop),
        ..ROW
    },
    CommandSpec {
        name: "srandmember",
        summary: "Random members of a set, which stay",
        since: "1.0.0",
        complexity: "O(1) without a count, otherwise O(N) with N the absolute count",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional().since("2.6.0")],
        history: &[("2.6.0", "Argument `count`.")],
        handler: Some(super::srandmember),
        ..ROW
    },
    CommandSpec {
        name: "smove",
        summary: "Take a member out of one set and put it into another",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE)), KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[arg::key("source", 0), arg::key("destination", 1), arg::string("member")],
        handler: Some(super::smove),
        ..ROW
    },
    CommandSpec {
        name: "sinter",
        summary: "Members that all of the sets share",
        since: "1.0.0",
        complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::from(1, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::sinter),
        ..ROW
    },
    CommandSpec {
        name: "sinterstore",
        summary: "Store the members that all of the sets share",
        since: "1.0.0",
        complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::from(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("destination", 0), arg::key("key", 1).multiple()],
        handler: Some(super::sinterstore),
        ..ROW
    },
    CommandSpec {
        name: "sintercard",
        summary: "Number of members that all of the sets share",
        since: "7.0.0",
        complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::counted(1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::integer("limit").token("LIMIT").optional(),
        ],
        handler: Some(super::sintercard),
        ..ROW
    },
    CommandSpec {
        name: "sunion",
        summary: "Members that any of the sets has",
        since: "1.0.0",
        complexity: "O(N) with N the number of members of all sets together",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::from(1, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::sunion),
        ..ROW
    },
    CommandSpec {
        name: "sunionstore",
        summary: "Store the members that any of the sets has",
        since: "1.0.0",
        complexity: "O(N) with N the number of members of all sets together",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::from(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("destination", 0), arg::key("key", 1).multiple()],
        handler: Some(super::sunionstore),
        ..ROW
    },
    CommandSpec {
        name: "sdiff",
        summary: "Members of the first set that no other has",
        since: "1.0.0",
        complexity: "O(N) with N the number of members of all sets together",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::from(1, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::sdiff),
        ..ROW
    },
    CommandSpec {
        name: "sdiffstore",
        summary: "Store the members of the first set that no other has",
        since: "1.0.0",
        complexity: "O(N) with N the number of members of all sets together",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::from(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("destination", 0), arg::key("key", 1).multiple()],
        handler: Some(super::sdiffstore),
        ..ROW
    },
    CommandSpec {
        name: "sscan",
        summary: "Walk over the members of a set in steps",
        since: "2.8.0",
        complexity: "O(1) per call, O(N) for a whole walk over N elements",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::integer("cursor"),
            arg::pattern("pattern").token("MATCH").optional(),
            arg::integer("count").token("COUNT").optional(),
        ],
        handler: Some(super::sscan),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Set, ..CommandSpec::EMPTY };
