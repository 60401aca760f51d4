//! Rows of the hash commands.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "hset",
        summary: "Write fields of a hash",
        since: "2.0.0",
        complexity: "O(1) per field, O(N) for N of them",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), FIELD_VALUE],
        history: &[("4.0.0", "Several fields in one call.")],
        handler: Some(super::hset),
        ..ROW
    },
    CommandSpec {
        name: "hsetnx",
        summary: "Write a field of a hash unless it exists",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("field"), arg::string("value")],
        handler: Some(super::hsetnx),
        ..ROW
    },
    CommandSpec {
        name: "hmset",
        summary: "Write several fields of a hash",
        since: "2.0.0",
        complexity: "O(N) with N the number of fields",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), FIELD_VALUE],
        deprecated: Some(("4.0.0", "`HSET`, which takes several fields")),
        handler: Some(super::hmset),
        ..ROW
    },
    CommandSpec {
        name: "hget",
        summary: "Value of one field of a hash",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("field")],
        handler: Some(super::hget),
        ..ROW
    },
    CommandSpec {
        name: "hmget",
        summary: "Values of several fields of a hash",
        since: "2.0.0",
        complexity: "O(N) with N the number of fields",
        arity: AtLeast(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("field").multiple()],
        handler: Some(super::hmget),
        ..ROW
    },
    CommandSpec {
        name: "hgetall",
        summary: "All fields of a hash with their values",
        since: "2.0.0",
        complexity: "O(N) with N the size of the hash",
        arity: Exactly(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::hgetall),
        ..ROW
    },
    CommandSpec {
        name: "hkeys",
        summary: "All field names of a hash",
        since: "2.0.0",
        complexity: "O(N) with N the size of the hash",
        arity: Exactly(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::hkeys),
        ..ROW
    },
    CommandSpec {
        name: "hvals",
        summary: "All values of a hash",
        since: "2.0.0",
        complexity: "O(N) with N the size of the hash",
        arity: Exactly(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::hvals),
        ..ROW
    },
    CommandSpec {
        name: "hlen",
        summary: "Number of fields of a hash",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::hlen),
        ..ROW
    },
    CommandSpec {
        name: "hstrlen",
        summary: "Number of bytes of a field's value",
        since: "3.2.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0), arg::string("field")],
        handler: Some(super::hstrlen),
        ..ROW
    },
    CommandSpec {
        name: "hexists",
        summary: "Whether a hash has a field",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0), arg::string("field")],
        handler: Some(super::hexists),
        ..ROW
    },
    CommandSpec {
        name: "hdel",
        summary: "Remove fields of a hash; an empty hash disappears",
        since: "2.0.0",
        complexity: "O(N) with N the number of fields",
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("field").multiple()],
        history: &[("2.4.0", "Several fields in one call.")],
        handler: Some(super::hdel),
        ..ROW
    },
    CommandSpec {
        name: "hincrby",
        summary: "Add an integer to the number in a field",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::string("field"), arg::integer("increment")],
        handler: Some(super::hincrby),
        ..ROW
    },
    CommandSpec {
        name: "hincrbyfloat",
        summary: "Add a floating-point number to the number in a field",
        since: "2.6.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::string("field"), arg::double("increment")],
        handler: Some(super::hincrbyfloat),
        ..ROW
    },
    CommandSpec {
        name: "hrandfield",
        summary: "Fields of a hash drawn at random",
        since: "6.2.0",
        complexity: "O(N) with N the number of fields in the reply",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::block("options", &[arg::integer("count"), arg::token("withvalues", "WITHVALUES").optional()])
                .optional(),
        ],
        handler: Some(super::hrandfield),
        ..ROW
    },
    CommandSpec {
        name: "hscan",
        summary: "Walk over the fields of a hash in steps",
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
        handler: Some(super::hscan),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Hash, ..CommandSpec::EMPTY };

const FIELD_VALUE: Argument = arg::block("data", &[arg::string("field"), arg::string("value")]).multiple();
