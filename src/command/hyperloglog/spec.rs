//! Rows of the HyperLogLog commands.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "pfadd",
        summary: "Count elements in a HyperLogLog",
        since: "2.8.9",
        complexity: "O(1) per element, O(N) for N of them",
        arity: AtLeast(2),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | INSERT))],
        arguments: &[arg::key("key", 0), arg::string("element").optional().multiple()],
        handler: Some(super::pfadd),
        ..ROW
    },
    CommandSpec {
        name: "pfcount",
        summary: "Estimate how many different elements were counted",
        since: "2.8.9",
        complexity: "O(1) for one key, O(N) for N keys, which costs far more per key",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        keys: &[KeySpec::from(1, key_flags!(RW | ACCESS)).notes("may store the estimate with the value")],
        arguments: &[arg::key("key", 0).multiple()],
        handler: Some(super::pfcount),
        ..ROW
    },
    CommandSpec {
        name: "pfmerge",
        summary: "Merge HyperLogLogs into one",
        since: "2.8.9",
        complexity: "O(N) with N the number of HyperLogLogs; each costs much",
        arity: AtLeast(2),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | INSERT)), KeySpec::from(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("destkey", 0), arg::key("sourcekey", 1).optional().multiple()],
        handler: Some(super::pfmerge),
        ..ROW
    },
    CommandSpec {
        name: "pfdebug",
        summary: "Look into a HyperLogLog",
        since: "2.8.9",
        complexity: "O(1), with a high constant time",
        arity: Exactly(3),
        flags: flags!(WRITE | DENYOOM | ADMIN),
        keys: &[KeySpec::at(2, key_flags!(RW | ACCESS))],
        arguments: &[arg::string("subcommand"), arg::key("key", 0)],
        internal: true,
        handler: Some(super::pfdebug),
        ..ROW
    },
    CommandSpec {
        name: "pfselftest",
        summary: "Check the server's HyperLogLogs against themselves",
        since: "2.8.9",
        complexity: "O(1), with a very high constant time",
        arity: Exactly(1),
        flags: flags!(ADMIN),
        internal: true,
        handler: Some(super::pfselftest),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::HyperLogLog, ..CommandSpec::EMPTY };
