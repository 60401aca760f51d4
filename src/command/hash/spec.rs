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
    CommandSpec {
        name: "hexpire",
        summary: "Let fields expire after some seconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("seconds"), CONDITION, FIELDS],
        handler: Some(super::hexpire),
        ..ROW
    },
    CommandSpec {
        name: "hpexpire",
        summary: "Let fields expire after some milliseconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("milliseconds"), CONDITION, FIELDS],
        handler: Some(super::hpexpire),
        ..ROW
    },
    CommandSpec {
        name: "hexpireat",
        summary: "Let fields expire at a Unix time in seconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::unix_time("unix-time-seconds"), CONDITION, FIELDS],
        handler: Some(super::hexpireat),
        ..ROW
    },
    CommandSpec {
        name: "hpexpireat",
        summary: "Let fields expire at a Unix time in milliseconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::unix_time("unix-time-milliseconds"), CONDITION, FIELDS],
        handler: Some(super::hpexpireat),
        ..ROW
    },
    CommandSpec {
        name: "httl",
        summary: "Seconds until fields expire",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(READONLY | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::httl),
        ..ROW
    },
    CommandSpec {
        name: "hpttl",
        summary: "Milliseconds until fields expire",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(READONLY | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::hpttl),
        ..ROW
    },
    CommandSpec {
        name: "hexpiretime",
        summary: "When fields expire, Unix time in seconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::hexpiretime),
        ..ROW
    },
    CommandSpec {
        name: "hpexpiretime",
        summary: "When fields expire, Unix time in milliseconds",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::hpexpiretime),
        ..ROW
    },
    CommandSpec {
        name: "hpersist",
        summary: "Take the expiry off fields",
        since: "7.4.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::hpersist),
        ..ROW
    },
    CommandSpec {
        name: "hgetex",
        summary: "Values of fields, changing their expiry on the way",
        since: "8.0.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE)).notes("may change the expiry")],
        arguments: &[
            arg::key("key", 0),
            arg::one_of(
                "expiration",
                &[
                    arg::integer("seconds").token("EX"),
                    arg::integer("milliseconds").token("PX"),
                    arg::unix_time("unix-time-seconds").token("EXAT"),
                    arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    arg::token("persist", "PERSIST"),
                ],
            )
            .optional(),
            FIELDS,
        ],
        handler: Some(super::hgetex),
        ..ROW
    },
    CommandSpec {
        name: "hsetex",
        summary: "Set fields with one expiry, under a condition if wanted",
        since: "8.0.0",
        complexity: PER_FIELD,
        arity: AtLeast(6),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[
            arg::key("key", 0),
            arg::one_of("condition", &[arg::token("fnx", "FNX"), arg::token("fxx", "FXX")]).optional(),
            arg::one_of(
                "expiration",
                &[
                    arg::integer("seconds").token("EX"),
                    arg::integer("milliseconds").token("PX"),
                    arg::unix_time("unix-time-seconds").token("EXAT"),
                    arg::unix_time("unix-time-milliseconds").token("PXAT"),
                    arg::token("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
            arg::block(
                "fields",
                &[
                    arg::integer("numfields"),
                    arg::block("data", &[arg::string("field"), arg::string("value")]).multiple(),
                ],
            )
            .token("FIELDS"),
        ],
        handler: Some(super::hsetex),
        ..ROW
    },
    CommandSpec {
        name: "hgetdel",
        summary: "Values of fields, which are deleted",
        since: "8.0.0",
        complexity: PER_FIELD,
        arity: AtLeast(5),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), FIELDS],
        handler: Some(super::hgetdel),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Hash, ..CommandSpec::EMPTY };

const FIELD_VALUE: Argument = arg::block("data", &[arg::string("field"), arg::string("value")]).multiple();

const PER_FIELD: &str = "O(N) with N the fields given";

const FIELDS: Argument =
    arg::block("fields", &[arg::integer("numfields"), arg::string("field").multiple()]).token("FIELDS");

const CONDITION: Argument = arg::one_of(
    "condition",
    &[arg::token("nx", "NX"), arg::token("xx", "XX"), arg::token("gt", "GT"), arg::token("lt", "LT")],
)
.optional();
