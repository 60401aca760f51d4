//! Rows of the commands about the connection itself.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, arg, flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "auth",
        summary: "Log in",
        since: "1.0.0",
        complexity: "O(N) with N the number of the user's passwords",
        arity: AtLeast(2),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY),
        arguments: &[arg::string("username").optional().since("6.0.0"), arg::string("password")],
        history: &[("6.0.0", "User name in front of the password.")],
        handler: Some(super::auth),
        ..ROW
    },
    CommandSpec {
        name: "hello",
        summary: "Agree on the protocol version, log in and name the connection",
        since: "6.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY),
        arguments: &[arg::block(
            "arguments",
            &[
                arg::integer("protover"),
                arg::block("auth", &[arg::string("username"), arg::string("password")]).token("AUTH").optional(),
                arg::string("clientname").token("SETNAME").optional(),
            ],
        )
        .optional()],
        history: &[("6.2.0", "Without a version it tells about the connection.")],
        handler: Some(super::hello),
        ..ROW
    },
    CommandSpec {
        name: "select",
        summary: "Choose the database of the connection",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE | FAST),
        arguments: &[arg::integer("index")],
        handler: Some(super::select),
        ..ROW
    },
    CommandSpec {
        name: "ping",
        summary: "Ask for a sign of life",
        since: "1.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(FAST),
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        arguments: &[arg::string("message").optional()],
        handler: Some(super::ping),
        ..ROW
    },
    CommandSpec {
        name: "echo",
        summary: "Send a message back",
        since: "1.0.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(LOADING | STALE | FAST),
        arguments: &[arg::string("message")],
        handler: Some(super::echo),
        ..ROW
    },
    CommandSpec {
        name: "quit",
        summary: "End the connection",
        since: "1.0.0",
        complexity: "O(1)",
        arity: AtLeast(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY),
        deprecated: Some(("7.2.0", "closing the connection")),
        handler: Some(super::quit),
        ..ROW
    },
    CommandSpec {
        name: "reset",
        summary: "Put the connection back to how it began",
        since: "6.2.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY),
        handler: Some(super::reset),
        ..ROW
    },
    CommandSpec {
        name: "client",
        summary: "About the connections of clients",
        since: "2.4.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "id",
                summary: "Number of this connection",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                handler: Some(super::client_id),
                ..ROW
            },
            CommandSpec {
                name: "setname",
                summary: "Name this connection",
                since: "2.6.9",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                arguments: &[arg::string("connection-name")],
                handler: Some(super::client_setname),
                ..ROW
            },
            CommandSpec {
                name: "getname",
                summary: "Name of this connection",
                since: "2.6.9",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                handler: Some(super::client_getname),
                ..ROW
            },
            CommandSpec {
                name: "setinfo",
                summary: "Tell the server which library this client uses",
                since: "7.2.0",
                complexity: "O(1)",
                arity: Exactly(4),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                arguments: &[arg::one_of(
                    "attr",
                    &[arg::string("libname").token("LIB-NAME"), arg::string("libver").token("LIB-VER")],
                )],
                handler: Some(super::client_setinfo),
                ..ROW
            },
            CommandSpec {
                name: "info",
                summary: "Properties of this connection",
                since: "6.2.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::client_info),
                ..ROW
            },
            CommandSpec {
                name: "list",
                summary: "Properties of the connections",
                since: "2.4.0",
                complexity: "O(N) with N the number of connections",
                arity: AtLeast(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                tips: &["nondeterministic_output"],
                arguments: &[
                    arg::one_of(
                        "client-type",
                        &[
                            arg::token("normal", "NORMAL"),
                            arg::token("master", "MASTER"),
                            arg::token("replica", "REPLICA"),
                            arg::token("pubsub", "PUBSUB"),
                        ],
                    )
                    .token("TYPE")
                    .optional()
                    .since("5.0.0"),
                    arg::integer("client-id").token("ID").optional().multiple().since("6.2.0"),
                ],
                history: &[
                    ("2.8.12", "Field `id`."),
                    ("5.0.0", "Filter `TYPE`."),
                    ("6.0.0", "Field `user`."),
                    ("6.2.0", "Fields `argv-mem`, `tot-mem`, `laddr` and `redir`; filter `ID`."),
                    ("7.0.0", "Fields `resp`, `multi-mem`, `rbs` and `rbp`."),
                    ("7.0.3", "Field `ssub`."),
                    ("7.2.0", "Fields `lib-name` and `lib-ver`."),
                ],
                handler: Some(super::client_list),
                ..ROW
            },
            CommandSpec {
                name: "kill",
                summary: "Close connections",
                since: "2.4.0",
                complexity: "O(N) with N the number of connections",
                arity: AtLeast(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[arg::one_of(
                    "filter",
                    &[
                        arg::string("old-format").deprecated("2.8.12").shown_as("ip:port"),
                        arg::one_of(
                            "new-format",
                            &[
                                arg::integer("client-id").token("ID").optional().since("2.8.12"),
                                arg::one_of(
                                    "client-type",
                                    &[
                                        arg::token("normal", "NORMAL"),
                                        arg::token("master", "MASTER").since("3.2.0"),
                                        arg::token("slave", "SLAVE"),
                                        arg::token("replica", "REPLICA").since("5.0.0"),
                                        arg::token("pubsub", "PUBSUB"),
                                    ],
                                )
                                .token("TYPE")
                                .optional()
                                .since("2.8.12"),
                                arg::string("username").token("USER").optional(),
                                arg::string("addr").token("ADDR").optional().shown_as("ip:port"),
                                arg::string("laddr").token("LADDR").optional().since("6.2.0").shown_as("ip:port"),
                                arg::one_of("skipme", &[arg::token("yes", "YES"), arg::token("no", "NO")])
                                    .token("SKIPME")
                                    .optional(),
                                arg::integer("maxage").token("MAXAGE").optional().since("7.4.0"),
                            ],
                        )
                        .multiple(),
                    ],
                )],
                history: &[
                    ("2.8.12", "Filters by name."),
                    ("2.8.12", "Filter `ID`."),
                    ("3.2.0", "Type `master`."),
                    ("5.0.0", "Type `replica`, with `slave` as its old name."),
                    ("6.2.0", "Filter `LADDR`."),
                    ("7.4.0", "Filter `MAXAGE`."),
                ],
                handler: Some(super::client_kill),
                ..ROW
            },
            CommandSpec {
                name: "unblock",
                summary: "End the wait of another connection",
                since: "5.0.0",
                complexity: "O(log N) with N the number of connections",
                arity: AtLeast(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[
                    arg::integer("client-id"),
                    arg::one_of("unblock-type", &[arg::token("timeout", "TIMEOUT"), arg::token("error", "ERROR")])
                        .optional(),
                ],
                handler: Some(super::client_unblock),
                ..ROW
            },
            CommandSpec {
                name: "pause",
                summary: "Let commands of all connections wait",
                since: "2.9.50",
                complexity: "O(1)",
                arity: AtLeast(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[
                    arg::integer("timeout"),
                    arg::one_of("mode", &[arg::token("write", "WRITE"), arg::token("all", "ALL")])
                        .optional()
                        .since("6.2.0"),
                ],
                history: &[("6.2.0", "`WRITE`, and the option `mode`.")],
                handler: Some(super::client_pause),
                ..ROW
            },
            CommandSpec {
                name: "unpause",
                summary: "End a pause",
                since: "6.2.0",
                complexity: "O(N) with N the number of connections that wait",
                arity: Exactly(2),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                handler: Some(super::client_unpause),
                ..ROW
            },
            CommandSpec {
                name: "tracking",
                summary: "Be told of changes of what this connection may have cached",
                since: "6.0.0",
                complexity: "O(1), and more with some of the options",
                arity: AtLeast(3),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[
                    arg::one_of("status", &[arg::token("on", "ON"), arg::token("off", "OFF")]),
                    arg::integer("client-id").token("REDIRECT").optional(),
                    arg::string("prefix").token("PREFIX").optional().multiple_token(),
                    arg::token("bcast", "BCAST").optional(),
                    arg::token("optin", "OPTIN").optional(),
                    arg::token("optout", "OPTOUT").optional(),
                    arg::token("noloop", "NOLOOP").optional(),
                ],
                handler: Some(super::client_tracking),
                ..ROW
            },
            CommandSpec {
                name: "caching",
                summary: "Whether what the next command reads is cached",
                since: "6.0.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[arg::one_of("mode", &[arg::token("yes", "YES"), arg::token("no", "NO")])],
                handler: Some(super::client_caching),
                ..ROW
            },
            CommandSpec {
                name: "getredir",
                summary: "The connection that is told in place of this one",
                since: "6.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                handler: Some(super::client_getredir),
                ..ROW
            },
            CommandSpec {
                name: "trackinginfo",
                summary: "How this connection tracks what it has cached",
                since: "6.2.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                handler: Some(super::client_trackinginfo),
                ..ROW
            },
            CommandSpec {
                name: "no-evict",
                summary: "Except this connection from eviction of clients",
                since: "7.0.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
                arguments: &[ENABLED],
                handler: Some(super::client_no_evict),
                ..ROW
            },
            CommandSpec {
                name: "no-touch",
                summary: "Let this connection's reads leave usage times and counters alone",
                since: "7.2.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[ENABLED],
                handler: Some(super::client_no_touch),
                ..ROW
            },
            CommandSpec {
                name: "reply",
                summary: "Switch the replies to this connection off and on",
                since: "3.2.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(NOSCRIPT | LOADING | STALE),
                arguments: &[arg::one_of(
                    "action",
                    &[arg::token("on", "ON"), arg::token("off", "OFF"), arg::token("skip", "SKIP")],
                )],
                handler: Some(super::client_reply),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How CLIENT's subcommands are called",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::client_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "monitor",
        summary: "Be shown every command that runs",
        since: "1.0.0",
        complexity: "O(1)",
        group: Group::Server,
        arity: Exactly(1),
        flags: flags!(ADMIN | NOSCRIPT | LOADING | STALE),
        handler: Some(super::monitor),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Connection, ..CommandSpec::EMPTY };

const ENABLED: Argument = arg::one_of("enabled", &[arg::token("on", "ON"), arg::token("off", "OFF")]);
