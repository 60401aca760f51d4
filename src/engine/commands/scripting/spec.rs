//! Rows of the scripting commands.

use super::functions;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};
use crate::engine::Handler;

const SCRIPT_ARGUMENTS: &[Argument] = &[
    arg::string("script"),
    arg::integer("numkeys"),
    arg::key("key", 0).optional().multiple(),
    arg::string("arg").optional().multiple(),
];
const DIGEST_ARGUMENTS: &[Argument] = &[
    arg::string("sha1"),
    arg::integer("numkeys"),
    arg::key("key", 0).optional().multiple(),
    arg::string("arg").optional().multiple(),
];
const FUNCTION_ARGUMENTS: &[Argument] = &[
    arg::string("function"),
    arg::integer("numkeys"),
    arg::key("key", 0).optional().multiple(),
    arg::string("arg").optional().multiple(),
];
/// Nobody can tell what a script does to its keys.
const WRITTEN: &[KeySpec] = &[KeySpec::counted(2, key_flags!(RW | ACCESS | UPDATE))];
const READ: &[KeySpec] = &[KeySpec::counted(2, key_flags!(RO | ACCESS))];

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "eval",
        summary: "Run a script",
        since: "2.6.0",
        flags: flags!(NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: WRITTEN,
        arguments: SCRIPT_ARGUMENTS,
        handler: Some(super::eval),
        ..RUN
    },
    CommandSpec {
        name: "eval_ro",
        summary: "Run a script that only reads",
        since: "7.0.0",
        flags: flags!(READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: READ,
        arguments: SCRIPT_ARGUMENTS,
        handler: Some(super::eval_ro),
        ..RUN
    },
    CommandSpec {
        name: "evalsha",
        summary: "Run a script that the server knows",
        since: "2.6.0",
        flags: flags!(NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: WRITTEN,
        arguments: DIGEST_ARGUMENTS,
        handler: Some(super::evalsha),
        ..RUN
    },
    CommandSpec {
        name: "evalsha_ro",
        summary: "Run a script that the server knows and that only reads",
        since: "7.0.0",
        flags: flags!(READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: READ,
        arguments: DIGEST_ARGUMENTS,
        handler: Some(super::evalsha_ro),
        ..RUN
    },
    CommandSpec {
        name: "script",
        summary: "What concerns the scripts that the server knows",
        since: "2.6.0",
        complexity: "Depends on the subcommand",
        arity: AtLeast(2),
        subcommands: SCRIPT,
        ..ROW
    },
    CommandSpec {
        name: "fcall",
        summary: "Call a function",
        since: "7.0.0",
        complexity: "Depends on the function",
        flags: flags!(NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: WRITTEN,
        arguments: FUNCTION_ARGUMENTS,
        handler: Some(functions::fcall),
        ..RUN
    },
    CommandSpec {
        name: "fcall_ro",
        summary: "Call a function that only reads",
        since: "7.0.0",
        complexity: "Depends on the function",
        flags: flags!(READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS),
        keys: READ,
        arguments: FUNCTION_ARGUMENTS,
        handler: Some(functions::fcall_ro),
        ..RUN
    },
    CommandSpec {
        name: "function",
        summary: "What concerns libraries of functions",
        since: "7.0.0",
        complexity: "Depends on the subcommand",
        arity: AtLeast(2),
        subcommands: FUNCTION,
        ..ROW
    },
];

const SCRIPT: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "debug",
        summary: "Choose how scripts are debugged",
        since: "3.2.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(NOSCRIPT),
        arguments: &[arg::one_of(
            "mode",
            &[arg::token("yes", "YES"), arg::token("sync", "SYNC"), arg::token("no", "NO")],
        )],
        handler: Some(super::script_debug),
        ..ROW
    },
    CommandSpec {
        name: "exists",
        summary: "Whether scripts are known",
        since: "2.6.0",
        complexity: "O(N) with N the number of scripts asked for",
        arity: AtLeast(3),
        flags: flags!(NOSCRIPT),
        tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
        arguments: &[arg::string("sha1").multiple()],
        handler: Some(super::script_exists),
        ..ROW
    },
    CommandSpec {
        name: "flush",
        summary: "Forget all scripts",
        since: "2.6.0",
        complexity: "O(N) with N the number of scripts",
        arity: AtLeast(2),
        flags: flags!(NOSCRIPT),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        arguments: &[arg::one_of("async", &[arg::token("async", "ASYNC"), arg::token("sync", "SYNC")])
            .optional()
            .since("6.2.0")],
        history: &[("6.2.0", "Options `ASYNC` and `SYNC`.")],
        handler: Some(super::script_flush),
        ..ROW
    },
    CommandSpec {
        name: "help",
        summary: "How SCRIPT's subcommands are called",
        since: "5.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE),
        handler: Some(super::script_help),
        ..ROW
    },
    CommandSpec {
        name: "kill",
        summary: "End the script that runs, if it has not written yet",
        since: "2.6.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(NOSCRIPT | ALLOW_BUSY),
        tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
        handler: Some(super::script_kill),
        ..ROW
    },
    CommandSpec {
        name: "load",
        summary: "Make a script known, without running it",
        since: "2.6.0",
        complexity: "O(N) with N the length of the script",
        arity: Exactly(3),
        flags: flags!(NOSCRIPT | STALE),
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        arguments: &[arg::string("script")],
        handler: Some(super::script_load),
        ..ROW
    },
    CommandSpec {
        name: "show",
        summary: "The text of a script that is known",
        since: "8.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(NOSCRIPT),
        arguments: &[arg::string("sha1")],
        handler: Some(super::script_show),
        ..ROW
    },
];

const FUNCTION: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "delete",
        summary: "Delete a library and its functions",
        since: "7.0.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(WRITE | NOSCRIPT),
        tips: ON_ALL_SHARDS,
        arguments: &[arg::string("library-name")],
        handler: Some(functions::delete),
        ..ROW
    },
    CommandSpec {
        name: "dump",
        summary: "All libraries as one payload",
        since: "7.0.0",
        complexity: "O(N) with N the number of functions",
        arity: Exactly(2),
        flags: flags!(NOSCRIPT),
        handler: Some(functions::dump),
        ..ROW
    },
    CommandSpec {
        name: "flush",
        summary: "Delete all libraries",
        since: "7.0.0",
        complexity: "O(N) with N the number of functions",
        arity: AtLeast(2),
        flags: flags!(WRITE | NOSCRIPT),
        tips: ON_ALL_SHARDS,
        arguments: &[arg::one_of("async", &[arg::token("async", "ASYNC"), arg::token("sync", "SYNC")]).optional()],
        handler: Some(functions::flush),
        ..ROW
    },
    CommandSpec {
        name: "help",
        summary: "How FUNCTION's subcommands are called",
        since: "7.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE),
        handler: Some(functions::help),
        ..ROW
    },
    CommandSpec {
        name: "kill",
        summary: "End the function that runs, if it has not written yet",
        since: "7.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(NOSCRIPT | ALLOW_BUSY),
        tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
        handler: Some(functions::kill),
        ..ROW
    },
    CommandSpec {
        name: "list",
        summary: "The libraries and their functions",
        since: "7.0.0",
        complexity: "O(N) with N the number of functions",
        arity: AtLeast(2),
        flags: flags!(NOSCRIPT),
        tips: &["nondeterministic_output_order"],
        arguments: &[
            arg::string("library-name-pattern").token("LIBRARYNAME").optional(),
            arg::token("withcode", "WITHCODE").optional(),
        ],
        handler: Some(functions::list),
        ..ROW
    },
    CommandSpec {
        name: "load",
        summary: "Load a library of functions",
        since: "7.0.0",
        complexity: "O(N) with N the length of its text",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | NOSCRIPT),
        tips: ON_ALL_SHARDS,
        arguments: &[arg::token("replace", "REPLACE").optional(), arg::string("function-code")],
        handler: Some(functions::load),
        ..ROW
    },
    CommandSpec {
        name: "restore",
        summary: "Load the libraries of a payload",
        since: "7.0.0",
        complexity: "O(N) with N the number of functions in it",
        arity: AtLeast(3),
        flags: flags!(WRITE | DENYOOM | NOSCRIPT),
        tips: ON_ALL_SHARDS,
        arguments: &[
            arg::string("serialized-value"),
            arg::one_of(
                "policy",
                &[arg::token("flush", "FLUSH"), arg::token("append", "APPEND"), arg::token("replace", "REPLACE")],
            )
            .optional(),
        ],
        handler: Some(functions::restore),
        ..ROW
    },
    CommandSpec {
        name: "stats",
        summary: "The function that runs, and how many functions there are",
        since: "7.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(NOSCRIPT | ALLOW_BUSY),
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        handler: Some(functions::stats),
        ..ROW
    },
];

/// What changes libraries changes them on every shard of a cluster.
const ON_ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Scripting, ..CommandSpec::EMPTY };

/// What the commands that run scripts have in common.
const RUN: CommandSpec<Handler> = CommandSpec { complexity: "Depends on the script", arity: AtLeast(3), ..ROW };
