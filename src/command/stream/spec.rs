//! Rows of the stream commands that do not wait.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "xadd",
        summary: "Append an entry to a stream, and trim it if asked to",
        since: "5.0.0",
        complexity: "O(1), and O(N) with N the number of entries that are trimmed",
        arity: AtLeast(5),
        flags: flags!(WRITE | DENYOOM | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RW | UPDATE)).notes("it may be trimmed, so that it is more than an insert")],
        arguments: &[
            arg::key("key", 0),
            arg::token("nomkstream", "NOMKSTREAM").optional().since("6.2.0"),
            TRIM.optional(),
            arg::one_of("id-selector", &[arg::token("auto-id", "*"), arg::string("id")]),
            arg::block("data", &[arg::string("field"), arg::string("value")]).multiple(),
        ],
        history: &[("6.2.0", "Options `NOMKSTREAM`, `MINID` and `LIMIT`."), ("7.0.0", "Ids of the form `<ms>-*`.")],
        handler: Some(super::xadd),
        ..ROW
    },
    CommandSpec {
        name: "xtrim",
        summary: "Remove the oldest entries of a stream",
        since: "5.0.0",
        complexity: "O(N) with N the number of removed entries; whole nodes go at once",
        arity: AtLeast(4),
        flags: flags!(WRITE),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), TRIM],
        history: &[("6.2.0", "Options `MINID` and `LIMIT`.")],
        handler: Some(super::xtrim),
        ..ROW
    },
    CommandSpec {
        name: "xdel",
        summary: "Delete entries of a stream by their ids",
        since: "5.0.0",
        complexity: "O(1) per id, whatever the length of the stream",
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("id").multiple()],
        handler: Some(super::xdel),
        ..ROW
    },
    CommandSpec {
        name: "xlen",
        summary: "Number of entries of a stream",
        since: "5.0.0",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::xlen),
        ..ROW
    },
    CommandSpec {
        name: "xsetid",
        summary: "Set the last id of a stream; for the server's own use",
        since: "5.0.0",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[
            arg::key("key", 0),
            arg::string("last-id"),
            arg::integer("entries-added").token("ENTRIESADDED").optional().since("7.0.0"),
            arg::string("max-deleted-id").token("MAXDELETEDID").optional().since("7.0.0"),
        ],
        history: &[("7.0.0", "Options `ENTRIESADDED` and `MAXDELETEDID`.")],
        handler: Some(super::xsetid),
        ..ROW
    },
    CommandSpec {
        name: "xrange",
        summary: "Entries of a stream between two ids",
        since: "5.0.0",
        complexity: "O(N) with N the number of entries in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("start"), arg::string("end"), COUNT],
        history: &[("6.2.0", "Ids may be excluded.")],
        handler: Some(super::xrange),
        ..ROW
    },
    CommandSpec {
        name: "xrevrange",
        summary: "Entries of a stream between two ids, the newest first",
        since: "5.0.0",
        complexity: "O(N) with N the number of entries in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("end"), arg::string("start"), COUNT],
        history: &[("6.2.0", "Ids may be excluded.")],
        handler: Some(super::xrevrange),
        ..ROW
    },
    CommandSpec {
        name: "xack",
        summary: "Acknowledge entries that a consumer group was given",
        since: "5.0.0",
        complexity: "O(1) per id",
        arity: AtLeast(4),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::string("group"), arg::string("id").multiple()],
        handler: Some(super::xack),
        ..ROW
    },
    CommandSpec {
        name: "xpending",
        summary: "What a consumer group was given and has not acknowledged",
        since: "5.0.0",
        complexity: "O(N) with N the number of entries looked at; the summary is O(1) per consumer",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::string("group"),
            arg::block(
                "filters",
                &[
                    arg::integer("min-idle-time").token("IDLE").optional().since("6.2.0"),
                    arg::string("start"),
                    arg::string("end"),
                    arg::integer("count"),
                    arg::string("consumer").optional(),
                ],
            )
            .optional(),
        ],
        history: &[("6.2.0", "Option `IDLE`; ids may be excluded.")],
        handler: Some(super::xpending),
        ..ROW
    },
    CommandSpec {
        name: "xclaim",
        summary: "Take over entries that are pending for another consumer",
        since: "5.0.0",
        complexity: "O(log N) with N the number of the group's pending entries",
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[
            arg::key("key", 0),
            arg::string("group"),
            arg::string("consumer"),
            arg::string("min-idle-time"),
            arg::string("id").multiple(),
            arg::integer("ms").token("IDLE").optional(),
            arg::unix_time("unix-time-milliseconds").token("TIME").optional(),
            arg::integer("count").token("RETRYCOUNT").optional(),
            arg::token("force", "FORCE").optional(),
            arg::token("justid", "JUSTID").optional(),
            arg::string("lastid").token("LASTID").optional(),
        ],
        handler: Some(super::xclaim),
        ..ROW
    },
    CommandSpec {
        name: "xautoclaim",
        summary: "Take over whatever has been pending for long, step by step",
        since: "6.2.0",
        complexity: "O(1) for a small count",
        arity: AtLeast(6),
        flags: flags!(WRITE | FAST),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[
            arg::key("key", 0),
            arg::string("group"),
            arg::string("consumer"),
            arg::string("min-idle-time"),
            arg::string("start"),
            COUNT,
            arg::token("justid", "JUSTID").optional(),
        ],
        history: &[("7.0.0", "The reply also tells the deleted entries that it cleared away.")],
        handler: Some(super::xautoclaim),
        ..ROW
    },
    CommandSpec {
        name: "xgroup",
        summary: "Consumer groups of a stream",
        since: "5.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: XGROUP,
        ..ROW
    },
    CommandSpec {
        name: "xinfo",
        summary: "What a stream and its consumer groups look like",
        since: "5.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: XINFO,
        ..ROW
    },
];

const XGROUP: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "create",
        summary: "Create a consumer group, and the stream if asked to",
        since: "5.0.0",
        arity: AtLeast(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[
            arg::key("key", 0),
            arg::string("group"),
            START,
            arg::token("mkstream", "MKSTREAM").optional(),
            ENTRIES_READ,
        ],
        history: &[("7.0.0", "Option `ENTRIESREAD`.")],
        handler: Some(super::xgroup_create),
        ..ROW
    },
    CommandSpec {
        name: "setid",
        summary: "Set what a consumer group was given last",
        since: "5.0.0",
        arity: AtLeast(5),
        flags: flags!(WRITE),
        keys: &[KeySpec::at(2, key_flags!(RW | UPDATE))],
        arguments: &[arg::key("key", 0), arg::string("group"), START, ENTRIES_READ],
        history: &[("7.0.0", "Option `ENTRIESREAD`.")],
        handler: Some(super::xgroup_setid),
        ..ROW
    },
    CommandSpec {
        name: "destroy",
        summary: "Remove a consumer group",
        since: "5.0.0",
        complexity: "O(N) with N the number of its pending entries",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::at(2, key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("group")],
        handler: Some(super::xgroup_destroy),
        ..ROW
    },
    CommandSpec {
        name: "createconsumer",
        summary: "Create a consumer in a group",
        since: "6.2.0",
        arity: Exactly(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::at(2, key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("group"), arg::string("consumer")],
        handler: Some(super::xgroup_createconsumer),
        ..ROW
    },
    CommandSpec {
        name: "delconsumer",
        summary: "Remove a consumer with what is pending for it",
        since: "5.0.0",
        arity: Exactly(5),
        flags: flags!(WRITE),
        keys: &[KeySpec::at(2, key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("group"), arg::string("consumer")],
        handler: Some(super::xgroup_delconsumer),
        ..ROW
    },
    CommandSpec {
        name: "help",
        summary: "How XGROUP's subcommands are called",
        since: "5.0.0",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE),
        handler: Some(super::xgroup_help),
        ..ROW
    },
];

const XINFO: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "stream",
        summary: "What a stream looks like, on demand with all that is in it",
        since: "5.0.0",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::at(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::block("full-block", &[arg::token("full", "FULL"), COUNT]).optional()],
        history: &[
            ("6.0.0", "Option `FULL`."),
            (
                "7.0.0",
                "Fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read`, `lag`.",
            ),
            ("7.2.0", "Field `active-time` of consumers; `seen-time` counts attempts too."),
        ],
        handler: Some(super::xinfo_stream),
        ..ROW
    },
    CommandSpec {
        name: "groups",
        summary: "The consumer groups of a stream",
        since: "5.0.0",
        arity: Exactly(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::at(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0)],
        history: &[("7.0.0", "Fields `entries-read` and `lag`.")],
        handler: Some(super::xinfo_groups),
        ..ROW
    },
    CommandSpec {
        name: "consumers",
        summary: "The consumers of a group",
        since: "5.0.0",
        arity: Exactly(4),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("group")],
        history: &[("7.2.0", "Field `inactive`.")],
        handler: Some(super::xinfo_consumers),
        ..ROW
    },
    CommandSpec {
        name: "help",
        summary: "How XINFO's subcommands are called",
        since: "5.0.0",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE),
        handler: Some(super::xinfo_help),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Stream, ..CommandSpec::EMPTY };

const COUNT: Argument = arg::integer("count").token("COUNT").optional();
const START: Argument = arg::one_of("id-selector", &[arg::string("id"), arg::token("new-id", "$")]);
const ENTRIES_READ: Argument = arg::integer("entries-read").token("ENTRIESREAD").optional();
const TRIM: Argument = arg::block(
    "trim",
    &[
        arg::one_of("strategy", &[arg::token("maxlen", "MAXLEN"), arg::token("minid", "MINID").since("6.2.0")]),
        arg::one_of("operator", &[arg::token("equal", "="), arg::token("approximately", "~")]).optional(),
        arg::string("threshold"),
        arg::integer("count").token("LIMIT").optional().since("6.2.0"),
    ],
);
