//! Rows of the commands about the server.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, categories, flags, key_flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "info",
        summary: "Figures about the server, by section",
        since: "1.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(LOADING | STALE),
        categories: categories!(DANGEROUS),
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        arguments: &[arg::string("section").optional().multiple()],
        history: &[("7.0.0", "Several sections in one call.")],
        handler: Some(super::info),
        ..ROW
    },
    CommandSpec {
        name: "config",
        summary: "The server's settings",
        since: "2.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "get",
                summary: "Values of the settings that match patterns",
                since: "2.0.0",
                complexity: "O(N) with N the number of settings given",
                arity: AtLeast(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[arg::string("parameter").multiple()],
                history: &[("7.0.0", "Several patterns in one call.")],
                handler: Some(super::config_get),
                ..ROW
            },
            CommandSpec {
                name: "set",
                summary: "Change settings while the server runs",
                since: "2.0.0",
                complexity: "O(N) with N the number of settings given",
                arity: AtLeast(4),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                arguments: &[arg::block("data", &[arg::string("parameter"), arg::string("value")]).multiple()],
                history: &[("7.0.0", "Several settings in one call.")],
                handler: Some(super::config_set),
                ..ROW
            },
            CommandSpec {
                name: "rewrite",
                summary: "Write the settings of now into the configuration file",
                since: "2.8.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                handler: Some(super::config_rewrite),
                ..ROW
            },
            CommandSpec {
                name: "resetstat",
                summary: "Set the statistics of INFO back to zero",
                since: "2.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                handler: Some(super::config_resetstat),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How CONFIG's subcommands are called",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::config_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "command",
        summary: "Facts about all commands",
        since: "2.8.13",
        complexity: "O(N) with N the number of all commands",
        arity: AtLeast(1),
        flags: flags!(LOADING | STALE),
        categories: categories!(CONNECTION),
        tips: &["nondeterministic_output_order"],
        subcommands: &[
            CommandSpec {
                name: "count",
                summary: "Number of commands",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                handler: Some(super::command_count),
                ..ROW
            },
            CommandSpec {
                name: "info",
                summary: "Facts about some commands",
                since: "2.8.13",
                complexity: "O(N) with N the number of commands asked for",
                arity: AtLeast(2),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                tips: &["nondeterministic_output_order"],
                arguments: &[arg::string("command-name").optional().multiple()],
                history: &[("7.0.0", "Without a name it tells about all commands.")],
                handler: Some(super::command_info),
                ..ROW
            },
            CommandSpec {
                name: "docs",
                summary: "Documentation of some commands",
                since: "7.0.0",
                complexity: "O(N) with N the number of commands asked for",
                arity: AtLeast(2),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                tips: &["nondeterministic_output_order"],
                arguments: &[arg::string("command-name").optional().multiple()],
                handler: Some(super::command_docs),
                ..ROW
            },
            CommandSpec {
                name: "getkeys",
                summary: "Key names within a whole command",
                since: "2.8.13",
                complexity: "O(N) with N the number of arguments",
                arity: AtLeast(3),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                arguments: &[arg::string("command"), arg::string("arg").optional().multiple()],
                handler: Some(super::command_getkeys),
                ..ROW
            },
            CommandSpec {
                name: "getkeysandflags",
                summary: "Key names within a whole command and what happens to each",
                since: "7.0.0",
                complexity: "O(N) with N the number of arguments",
                arity: AtLeast(3),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                arguments: &[arg::string("command"), arg::string("arg").optional().multiple()],
                handler: Some(super::command_getkeysandflags),
                ..ROW
            },
            CommandSpec {
                name: "list",
                summary: "Names of the commands, filtered if wanted",
                since: "7.0.0",
                complexity: "O(N) with N the number of all commands",
                arity: AtLeast(2),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                tips: &["nondeterministic_output_order"],
                arguments: &[arg::one_of(
                    "filterby",
                    &[
                        arg::string("module-name").token("MODULE"),
                        arg::string("category").token("ACLCAT"),
                        arg::pattern("pattern").token("PATTERN"),
                    ],
                )
                .token("FILTERBY")
                .optional()],
                handler: Some(super::command_list),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How COMMAND's subcommands are called",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                categories: categories!(CONNECTION),
                handler: Some(super::command_help),
                ..ROW
            },
        ],
        handler: Some(super::command),
        ..ROW
    },
    CommandSpec {
        name: "dbsize",
        summary: "Number of keys of the database",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(READONLY | FAST),
        categories: categories!(KEYSPACE),
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        handler: Some(super::dbsize),
        ..ROW
    },
    CommandSpec {
        name: "flushall",
        summary: "Delete the keys of all databases",
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in all databases",
        arity: AtLeast(1),
        flags: flags!(WRITE),
        categories: categories!(KEYSPACE | DANGEROUS),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        arguments: &[FLUSH_TYPE],
        history: &[("4.0.0", "Option `ASYNC`."), ("6.2.0", "Option `SYNC`.")],
        handler: Some(super::flushall),
        ..ROW
    },
    CommandSpec {
        name: "flushdb",
        summary: "Delete all keys of the database",
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in the database",
        arity: AtLeast(1),
        flags: flags!(WRITE),
        categories: categories!(KEYSPACE | DANGEROUS),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        arguments: &[FLUSH_TYPE],
        history: &[("4.0.0", "Option `ASYNC`."), ("6.2.0", "Option `SYNC`.")],
        handler: Some(super::flushdb),
        ..ROW
    },
    CommandSpec {
        name: "swapdb",
        summary: "Exchange two databases",
        since: "4.0.0",
        complexity: "O(N) with N the number of clients that watch or wait for keys of the two databases",
        arity: Exactly(3),
        flags: flags!(WRITE | FAST),
        categories: categories!(KEYSPACE | DANGEROUS),
        arguments: &[arg::integer("index1"), arg::integer("index2")],
        handler: Some(super::swapdb),
        ..ROW
    },
    CommandSpec {
        name: "time",
        summary: "The server's clock",
        since: "2.6.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(LOADING | STALE | FAST),
        tips: &["nondeterministic_output"],
        handler: Some(super::time),
        ..ROW
    },
    CommandSpec {
        name: "shutdown",
        summary: "Stop the server",
        since: "1.0.0",
        complexity: "O(N) with N the number of keys where the dataset is saved, otherwise O(1)",
        arity: AtLeast(1),
        flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY),
        arguments: &[
            arg::one_of("save-selector", &[arg::token("nosave", "NOSAVE"), arg::token("save", "SAVE")]).optional(),
            arg::token("now", "NOW").optional().since("7.0.0"),
            arg::token("force", "FORCE").optional().since("7.0.0"),
            arg::token("abort", "ABORT").optional().since("7.0.0"),
        ],
        history: &[("7.0.0", "Options `NOW`, `FORCE` and `ABORT`.")],
        handler: Some(super::shutdown),
        ..ROW
    },
    CommandSpec {
        name: "save",
        summary: "Write the dataset to a file, and reply when it is there",
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in all databases",
        arity: Exactly(1),
        flags: flags!(ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI),
        handler: Some(super::save),
        ..ROW
    },
    CommandSpec {
        name: "bgsave",
        summary: "Write the dataset to a file in the background",
        since: "1.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(ADMIN | NOSCRIPT | NO_ASYNC_LOADING),
        arguments: &[arg::token("schedule", "SCHEDULE").optional().since("3.2.2")],
        history: &[("3.2.2", "Option `SCHEDULE`.")],
        handler: Some(super::bgsave),
        ..ROW
    },
    CommandSpec {
        name: "lastsave",
        summary: "When the dataset was last written to a file",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(LOADING | STALE | FAST),
        categories: categories!(ADMIN | DANGEROUS),
        tips: &["nondeterministic_output"],
        handler: Some(super::lastsave),
        ..ROW
    },
    CommandSpec {
        name: "bgrewriteaof",
        summary: "Write the append-only files anew in the background",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(ADMIN | NOSCRIPT | NO_ASYNC_LOADING),
        handler: Some(super::bgrewriteaof),
        ..ROW
    },
    CommandSpec {
        name: "role",
        summary: "Part that the server has in replication",
        since: "2.8.12",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST),
        categories: categories!(ADMIN | DANGEROUS),
        handler: Some(super::role),
        ..ROW
    },
    CommandSpec {
        name: "slowlog",
        summary: "The log of slow commands",
        since: "2.2.12",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "get",
                summary: "Latest entries of the slow log",
                since: "2.2.12",
                complexity: "O(N) with N the number of entries in the reply",
                arity: AtLeast(2),
                flags: flags!(ADMIN | LOADING | STALE),
                tips: &["request_policy:all_nodes", "nondeterministic_output"],
                arguments: &[arg::integer("count").optional()],
                history: &[("4.0.0", "Address and name of the client in each entry.")],
                handler: Some(super::slowlog_get),
                ..ROW
            },
            CommandSpec {
                name: "len",
                summary: "Number of entries of the slow log",
                since: "2.2.12",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
                handler: Some(super::slowlog_len),
                ..ROW
            },
            CommandSpec {
                name: "reset",
                summary: "Empty the slow log",
                since: "2.2.12",
                complexity: "O(N) with N the number of entries",
                arity: Exactly(2),
                flags: flags!(ADMIN | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                handler: Some(super::slowlog_reset),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How SLOWLOG's subcommands are called",
                since: "6.2.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::slowlog_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "latency",
        summary: "Slow moments, and how long commands take",
        since: "2.8.13",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "latest",
                summary: "The latest slow moment of each event",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                handler: Some(super::latency_latest),
                ..ROW
            },
            CommandSpec {
                name: "history",
                summary: "The slow moments of an event",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                arguments: &[arg::string("event")],
                handler: Some(super::latency_history),
                ..ROW
            },
            CommandSpec {
                name: "reset",
                summary: "Forget the slow moments of some events, or of all",
                since: "2.8.13",
                complexity: "O(1)",
                arity: AtLeast(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                arguments: &[arg::string("event").optional().multiple()],
                handler: Some(super::latency_reset),
                ..ROW
            },
            CommandSpec {
                name: "graph",
                summary: "The slow moments of an event, drawn",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                arguments: &[arg::string("event")],
                handler: Some(super::latency_graph),
                ..ROW
            },
            CommandSpec {
                name: "doctor",
                summary: "What was slow, and what to do about it",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                handler: Some(super::latency_doctor),
                ..ROW
            },
            CommandSpec {
                name: "histogram",
                summary: "How many calls of each command took how long",
                since: "7.0.0",
                complexity: "O(N) with N the number of commands in the reply",
                arity: AtLeast(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                arguments: &[arg::string("command").optional().multiple()],
                handler: Some(super::latency_histogram),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How LATENCY's subcommands are called",
                since: "2.8.13",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::latency_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "memory",
        summary: "About the memory that is used",
        since: "4.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "usage",
                summary: "Bytes that a key and its value take",
                since: "4.0.0",
                complexity: "O(N) with N the number of samples",
                arity: AtLeast(3),
                flags: flags!(READONLY),
                keys: &[KeySpec::at(2, key_flags!(RO))],
                arguments: &[arg::key("key", 0), arg::integer("count").token("SAMPLES").optional()],
                handler: Some(super::memory_usage),
                ..ROW
            },
            CommandSpec {
                name: "stats",
                summary: "What is used for what",
                since: "4.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                handler: Some(super::memory_stats),
                ..ROW
            },
            CommandSpec {
                name: "doctor",
                summary: "Whatever about the memory deserves a look",
                since: "4.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                handler: Some(super::memory_doctor),
                ..ROW
            },
            CommandSpec {
                name: "malloc-stats",
                summary: "The allocator's account of itself",
                since: "4.0.0",
                complexity: "Depends on how much memory is held; may be slow",
                arity: Exactly(2),
                tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                handler: Some(super::memory_malloc_stats),
                ..ROW
            },
            CommandSpec {
                name: "purge",
                summary: "Give unused memory back to the operating system",
                since: "4.0.0",
                complexity: "Depends on how much memory is held; may be slow",
                arity: Exactly(2),
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                handler: Some(super::memory_purge),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How MEMORY's subcommands are called",
                since: "4.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::memory_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "lolwut",
        summary: "A drawing, and the version",
        since: "5.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(READONLY | FAST),
        arguments: &[arg::integer("version").token("VERSION").optional()],
        handler: Some(super::lolwut),
        ..ROW
    },
    CommandSpec {
        name: "acl",
        summary: "Users and what they may do",
        since: "6.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "whoami",
                summary: "The user's name of this connection",
                since: "6.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                handler: Some(super::acl_whoami),
                ..ROW
            },
            CommandSpec {
                name: "users",
                summary: "Names of the users",
                since: "6.0.0",
                complexity: "O(N) with N the number of users",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                handler: Some(super::acl_users),
                ..ROW
            },
            CommandSpec {
                name: "list",
                summary: "The users and their rules, as lines of an ACL file",
                since: "6.0.0",
                complexity: "O(N) with N the number of users",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                handler: Some(super::acl_list),
                ..ROW
            },
            CommandSpec {
                name: "getuser",
                summary: "The rules of a user",
                since: "6.0.0",
                complexity: "O(N) with N the number of rules of the user",
                arity: Exactly(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[arg::string("username")],
                history: &[
                    ("6.2.0", "Patterns of channels."),
                    ("7.0.0", "Selectors; patterns of keys and channels as rules."),
                ],
                handler: Some(super::acl_getuser),
                ..ROW
            },
            CommandSpec {
                name: "cat",
                summary: "The categories, or the commands of one",
                since: "6.0.0",
                complexity: "O(1)",
                arity: AtLeast(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[arg::string("category").optional()],
                handler: Some(super::acl_cat),
                ..ROW
            },
            CommandSpec {
                name: "genpass",
                summary: "A random password",
                since: "6.0.0",
                complexity: "O(1)",
                arity: AtLeast(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[arg::integer("bits").optional()],
                handler: Some(super::acl_genpass),
                ..ROW
            },
            CommandSpec {
                name: "dryrun",
                summary: "Whether a user may run a command, without running it",
                since: "7.0.0",
                complexity: "O(1).",
                arity: AtLeast(4),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[arg::string("username"), arg::string("command"), arg::string("arg").optional().multiple()],
                handler: Some(super::acl_dryrun),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How ACL's subcommands are called",
                since: "6.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::acl_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "debug",
        summary: "Tools for tests of the server",
        since: "1.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
        arguments: &[arg::string("subcommand"), arg::string("argument").optional().multiple()],
        internal: true,
        handler: Some(super::debug),
        ..ROW
    },
    CommandSpec {
        name: "module",
        summary: "About modules",
        since: "4.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "list",
                summary: "Modules that are loaded",
                since: "4.0.0",
                complexity: "O(N) with N the number of modules",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT),
                tips: &["nondeterministic_output_order"],
                handler: Some(super::module_list),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How MODULE's subcommands are called",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::module_help),
                ..ROW
            },
        ],
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Server, ..CommandSpec::EMPTY };

const FLUSH_TYPE: Argument = arg::one_of(
    "flush-type",
    &[arg::token("async", "ASYNC").since("4.0.0"), arg::token("sync", "SYNC").since("6.2.0")],
)
.optional();
