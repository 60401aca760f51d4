//! Rows of the stream commands that may wait.

use crate::command::spec::Arity::AtLeast;
use crate::command::spec::{
    Argument, BeginSearch, CommandSpec, FindKeys, Group, KeyFlags, KeySpec, arg, flags, key_flags,
};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "xread",
        summary: "Entries of several streams behind given ids, waiting for some if asked to",
        since: "5.0.0",
        complexity: "O(N) per stream with N the number of entries in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY | BLOCKING),
        keys: &[streams(1, key_flags!(RO | ACCESS))],
        arguments: &[COUNT, BLOCK, STREAMS],
        handler: Some(super::xread),
        ..ROW
    },
    CommandSpec {
        name: "xreadgroup",
        summary: "Entries that a consumer group has not been given yet, or those pending for a consumer",
        since: "5.0.0",
        complexity: "O(M) per stream with M the number of entries in the reply",
        arity: AtLeast(7),
        flags: flags!(WRITE | BLOCKING),
        keys: &[streams(4, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::block("group-block", &[arg::string("group"), arg::string("consumer")]).token("GROUP"),
            COUNT,
            BLOCK,
            arg::token("noack", "NOACK").optional(),
            STREAMS,
        ],
        handler: Some(super::xreadgroup),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Stream, ..CommandSpec::EMPTY };

const COUNT: Argument = arg::integer("count").token("COUNT").optional();
const BLOCK: Argument = arg::integer("milliseconds").token("BLOCK").optional();
const STREAMS: Argument =
    arg::block("streams", &[arg::key("key", 0).multiple(), arg::string("id").multiple()]).token("STREAMS");

/// The first half of what stands behind `STREAMS`, which is searched from this argument on.
const fn streams(from: i16, flags: KeyFlags) -> KeySpec {
    let find = FindKeys::Range { last: -1, step: 1, limit: 2 };
    KeySpec { flags, begin: BeginSearch::Keyword("STREAMS", from), find, notes: "" }
}
