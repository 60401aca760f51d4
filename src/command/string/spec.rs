//! Rows of the string commands; bitmaps have a family of their own.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "get",
        summary: "Value of a string",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::get),
        ..ROW
    },
    CommandSpec {
        name: "set",
        summary: "Write a string, under a condition and with an expiry if wanted",
        since: "1.0.0",
        complexity: "O(1)",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE | VARIABLE_FLAGS)).notes("`GET` reads the old value")],
        arguments: &[
            arg::key("key", 0),
            arg::string("value"),
            arg::one_of("condition", &[arg::token("nx", "NX"), arg::token("xx", "XX"), IFEQ, IFNE, IFDEQ, IFDNE])
                .optional()
                .since("2.6.12"),
            arg::token("get", "GET").optional().since("6.2.0"),
            arg::one_of(
                "expiration",
                &[
                    arg::integer("seconds").token("EX").since("2.6.12"),
                    arg::integer("milliseconds").token("PX").since("2.6.12"),
                    arg::unix_time("unix-time-seconds").token("EXAT").since("6.2.0"),
                    arg::unix_time("unix-time-milliseconds").token("PXAT").since("6.2.0"),
                    arg::token("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ],
        history: &[
            ("2.6.12", "Options `EX`, `PX`, `NX` and `XX`."),
            ("6.0.0", "Option `KEEPTTL`."),
            ("6.2.0", "Options `GET`, `EXAT` and `PXAT`."),
            ("7.0.0", "`NX` and `GET` may stand together."),
            ("8.4.0", "Options `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."),
        ],
        handler: Some(super::set),
        ..ROW
    },
    CommandSpec {
        name: "getex",
        summary: "Value of a string, changing its expiry on the way",
        since: "6.2.0",
        complexity: "O(1)",
        arity: AtLeast(2),
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
        ],
        handler: Some(super::getex),
        ..ROW
    },
    CommandSpec {
        name: "getdel",
        summary: "Value of a string, which is then deleted",
        since: "6.2.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::getdel),
        ..ROW
    },
    CommandSpec {
        name: "getset",
        summary: "Write a string and tell what was there before",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::string("value")],
        deprecated: Some(("6.2.0", "`SET` with `GET`")),
        handler: Some(super::getset),
        ..ROW
    },
    CommandSpec {
        name: "setnx",
        summary: "Write a string unless the key exists",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(OW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("value")],
        deprecated: Some(("2.6.12", "`SET` with `NX`")),
        handler: Some(super::setnx),
        ..ROW
    },
    CommandSpec {
        name: "setex",
        summary: "Write a string that expires after some seconds",
        since: "2.0.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("seconds"), arg::string("value")],
        deprecated: Some(("2.6.12", "`SET` with `EX`")),
        handler: Some(super::setex),
        ..ROW
    },
    CommandSpec {
        name: "psetex",
        summary: "Write a string that expires after some milliseconds",
        since: "2.6.0",
        complexity: "O(1)",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("milliseconds"), arg::string("value")],
        deprecated: Some(("2.6.12", "`SET` with `PX`")),
        handler: Some(super::psetex),
        ..ROW
    },
    CommandSpec {
        name: "setrange",
        summary: "Overwrite the bytes of a string from an offset on, padding with zero bytes",
        since: "2.2.0",
        complexity: "O(1) for short values, O(M) with M the length of the value",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("offset"), arg::string("value")],
        handler: Some(super::setrange),
        ..ROW
    },
    CommandSpec {
        name: "getrange",
        summary: "Part of a string, between two offsets",
        since: "2.4.0",
        complexity: "O(N) with N the length of the reply",
        arity: Exactly(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("start"), arg::integer("end")],
        handler: Some(super::getrange),
        ..ROW
    },
    CommandSpec {
        name: "substr",
        summary: "Part of a string; the old name of GETRANGE",
        since: "1.0.0",
        complexity: "O(N) with N the length of the reply",
        arity: Exactly(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("start"), arg::integer("end")],
        deprecated: Some(("2.0.0", "`GETRANGE`")),
        handler: Some(super::substr),
        ..ROW
    },
    CommandSpec {
        name: "strlen",
        summary: "Number of bytes of a string",
        since: "2.2.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::strlen),
        ..ROW
    },
    CommandSpec {
        name: "append",
        summary: "Add bytes to the end of a string",
        since: "2.0.0",
        complexity: "O(1) on average, as the room for a string doubles when it grows",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("value")],
        handler: Some(super::append),
        ..ROW
    },
    CommandSpec {
        name: "incr",
        summary: "Add one to a number",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::incr),
        ..ROW
    },
    CommandSpec {
        name: "decr",
        summary: "Subtract one from a number",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::decr),
        ..ROW
    },
    CommandSpec {
        name: "incrby",
        summary: "Add an integer to a number",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("increment")],
        handler: Some(super::incrby),
        ..ROW
    },
    CommandSpec {
        name: "decrby",
        summary: "Subtract an integer from a number",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("decrement")],
        handler: Some(super::decrby),
        ..ROW
    },
    CommandSpec {
        name: "incrbyfloat",
        summary: "Add a floating-point number to a number",
        since: "2.6.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::double("increment")],
        handler: Some(super::incrbyfloat),
        ..ROW
    },
    CommandSpec {
        name: "mget",
        summary: "Values of several strings at one moment",
        since: "1.0.0",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(2),
        flags: flags!(READONLY | FAST),
        tips: &["request_policy:multi_shard"],
        keys: &[KeySpec::from(1, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::mget),
        ..ROW
    },
    CommandSpec {
        name: "mset",
        summary: "Write several strings at one moment",
        since: "1.0.1",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
        keys: &[KeySpec::range(1, -1, 2, key_flags!(OW | UPDATE))],
        arguments: &[KEY_VALUE],
        handler: Some(super::mset),
        ..ROW
    },
    CommandSpec {
        name: "msetnx",
        summary: "Write several strings, or none if any of the keys exists",
        since: "1.0.1",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::range(1, -1, 2, key_flags!(OW | INSERT))],
        arguments: &[KEY_VALUE],
        handler: Some(super::msetnx),
        ..ROW
    },
    CommandSpec {
        name: "msetex",
        summary: "Write several strings with one expiry, all or none",
        since: "8.4.0",
        complexity: "O(N) with N the number of keys",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM),
        tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
        keys: &[KeySpec::counted_by_step(1, 2, key_flags!(OW | UPDATE))],
        arguments: &[
            arg::integer("numkeys"),
            KEY_VALUE,
            arg::one_of("condition", &[arg::token("nx", "NX"), arg::token("xx", "XX")]).optional(),
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
        ],
        handler: Some(super::msetex),
        ..ROW
    },
    CommandSpec {
        name: "delifeq",
        summary: "Delete a key if it holds this value",
        since: "9.0.0",
        complexity: "O(1) for short values",
        arity: Exactly(3),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RM | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("value")],
        handler: Some(super::delifeq),
        ..ROW
    },
    CommandSpec {
        name: "delex",
        summary: "Delete a key if its value, or the digest of it, is or is not this",
        since: "8.4.0",
        complexity: "O(1) for IFEQ and IFNE, O(N) for digests with N the length of the value",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RM | DELETE))],
        arguments: &[arg::key("key", 0), arg::one_of("condition", &[IFEQ, IFNE, IFDEQ, IFDNE]).optional()],
        handler: Some(super::delex),
        ..ROW
    },
    CommandSpec {
        name: "digest",
        summary: "The digest of a string, to compare by",
        since: "8.4.0",
        complexity: "O(N) with N the length of the value",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::digest),
        ..ROW
    },
    CommandSpec {
        name: "lcs",
        summary: "The longest subsequence that two strings have in common",
        since: "7.0.0",
        complexity: "O(N*M) with N and M the lengths of the strings",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::range(1, 1, 1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key1", 0),
            arg::key("key2", 0),
            arg::token("len", "LEN").optional(),
            arg::token("idx", "IDX").optional(),
            arg::integer("min-match-len").token("MINMATCHLEN").optional(),
            arg::token("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        handler: Some(super::lcs),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::String, ..CommandSpec::EMPTY };

const KEY_VALUE: Argument = arg::block("data", &[arg::key("key", 0), arg::string("value")]).multiple();

const IFEQ: Argument = arg::string("ifeq-value").token("IFEQ").since("8.4.0");
const IFNE: Argument = arg::string("ifne-value").token("IFNE").since("8.4.0");
const IFDEQ: Argument = arg::string("ifdeq-digest").token("IFDEQ").since("8.4.0");
const IFDNE: Argument = arg::string("ifdne-digest").token("IFDNE").since("8.4.0");
