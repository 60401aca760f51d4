//! Rows of the commands about the cluster.

use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{CommandSpec, Group, arg, categories, flags};
use crate::engine::Handler;

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "cluster",
        summary: "About the cluster and the slots of keys",
        since: "3.0.0",
        complexity: "That of the subcommand",
        arity: AtLeast(2),
        subcommands: &[
            CommandSpec {
                name: "info",
                summary: "Figures about the node and its cluster",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_info),
                ..ROW
            },
            CommandSpec {
                name: "nodes",
                summary: "The nodes of the cluster, a line each",
                since: "3.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_nodes),
                ..ROW
            },
            CommandSpec {
                name: "slots",
                summary: "Ranges of slots and who serves them",
                since: "3.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                history: &[("4.0.0", "Ids of the nodes."), ("7.0.0", "More about the address of each node.")],
                deprecated: Some(("7.0.0", "`CLUSTER SHARDS`")),
                handler: Some(super::cluster_slots),
                ..ROW
            },
            CommandSpec {
                name: "shards",
                summary: "The shards of the cluster: their slots and their nodes",
                since: "7.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_shards),
                ..ROW
            },
            CommandSpec {
                name: "myid",
                summary: "The node's id",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(STALE),
                handler: Some(super::cluster_myid),
                ..ROW
            },
            CommandSpec {
                name: "myshardid",
                summary: "The id of the node's shard",
                since: "7.2.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_myshardid),
                ..ROW
            },
            CommandSpec {
                name: "links",
                summary: "Connections between this node and others",
                since: "7.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(2),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_links),
                ..ROW
            },
            CommandSpec {
                name: "keyslot",
                summary: "The slot of a key",
                since: "3.0.0",
                complexity: "O(N) with N the number of bytes of the key",
                arity: Exactly(3),
                flags: flags!(STALE),
                arguments: &[arg::string("key")],
                handler: Some(super::cluster_keyslot),
                ..ROW
            },
            CommandSpec {
                name: "countkeysinslot",
                summary: "Number of keys in a slot",
                since: "3.0.0",
                complexity: "O(N) with N the number of all keys",
                arity: Exactly(3),
                flags: flags!(STALE),
                arguments: &[arg::integer("slot")],
                handler: Some(super::cluster_countkeysinslot),
                ..ROW
            },
            CommandSpec {
                name: "getkeysinslot",
                summary: "Keys in a slot",
                since: "3.0.0",
                complexity: "O(N) with N the number of all keys",
                arity: Exactly(4),
                flags: flags!(STALE),
                tips: &["nondeterministic_output"],
                arguments: &[arg::integer("slot"), arg::integer("count")],
                handler: Some(super::cluster_getkeysinslot),
                ..ROW
            },
            CommandSpec {
                name: "replicas",
                summary: "The replicas of a node",
                since: "5.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE),
                tips: &["nondeterministic_output"],
                arguments: &[arg::string("node-id")],
                handler: Some(super::cluster_replicas),
                ..ROW
            },
            CommandSpec {
                name: "slaves",
                summary: "The replicas of a node",
                since: "3.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE),
                tips: &["nondeterministic_output"],
                arguments: &[arg::string("node-id")],
                deprecated: Some(("5.0.0", "`CLUSTER REPLICAS`")),
                handler: Some(super::cluster_replicas),
                ..ROW
            },
            CommandSpec {
                name: "count-failure-reports",
                summary: "How many nodes report a failure of a node",
                since: "3.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE),
                tips: &["nondeterministic_output"],
                arguments: &[arg::string("node-id")],
                handler: Some(super::cluster_count_failure_reports),
                ..ROW
            },
            CommandSpec {
                name: "addslots",
                summary: "Give slots to the node",
                since: "3.0.0",
                complexity: "O(N) with N the number of slots named",
                arity: AtLeast(3),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::integer("slot").multiple()],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "addslotsrange",
                summary: "Give ranges of slots to the node",
                since: "7.0.0",
                complexity: "O(N) with N the number of slots named",
                arity: AtLeast(4),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::block("range", &[arg::integer("start-slot"), arg::integer("end-slot")]).multiple()],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "bumpepoch",
                summary: "Advance the configuration's epoch",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                tips: &["nondeterministic_output"],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "delslots",
                summary: "Take slots from the node",
                since: "3.0.0",
                complexity: "O(N) with N the number of slots named",
                arity: AtLeast(3),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::integer("slot").multiple()],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "delslotsrange",
                summary: "Take ranges of slots from the node",
                since: "7.0.0",
                complexity: "O(N) with N the number of slots named",
                arity: AtLeast(4),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::block("range", &[arg::integer("start-slot"), arg::integer("end-slot")]).multiple()],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "failover",
                summary: "Make a replica the master",
                since: "3.0.0",
                complexity: "O(1)",
                arity: AtLeast(2),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::one_of(
                    "options",
                    &[arg::token("force", "FORCE"), arg::token("takeover", "TAKEOVER")],
                )
                .optional()],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "flushslots",
                summary: "Take all slots from the node",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "forget",
                summary: "Remove a node from the cluster",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::string("node-id")],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "meet",
                summary: "Join another node",
                since: "3.0.0",
                complexity: "O(1)",
                arity: AtLeast(4),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[
                    arg::string("ip"),
                    arg::integer("port"),
                    arg::integer("cluster-bus-port").optional().since("4.0.0"),
                ],
                history: &[("4.0.0", "The argument `cluster-bus-port`.")],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "replicate",
                summary: "Make the node a replica of another",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::string("node-id")],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "reset",
                summary: "Make the node forget the cluster",
                since: "3.0.0",
                complexity: "O(N) with N the number of nodes",
                arity: AtLeast(2),
                flags: flags!(ADMIN | STALE | NOSCRIPT),
                arguments: &[
                    arg::one_of("reset-type", &[arg::token("hard", "HARD"), arg::token("soft", "SOFT")]).optional()
                ],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "saveconfig",
                summary: "Write the cluster configuration to the disk",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "set-config-epoch",
                summary: "Set a new node's epoch",
                since: "3.0.0",
                complexity: "O(1)",
                arity: Exactly(3),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[arg::integer("config-epoch")],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "setslot",
                summary: "Bind a slot to a node",
                since: "3.0.0",
                complexity: "O(1)",
                arity: AtLeast(4),
                flags: flags!(ADMIN | STALE | NO_ASYNC_LOADING),
                arguments: &[
                    arg::integer("slot"),
                    arg::one_of(
                        "subcommand",
                        &[
                            arg::string("importing").token("IMPORTING").shown_as("node-id"),
                            arg::string("migrating").token("MIGRATING").shown_as("node-id"),
                            arg::string("node").token("NODE").shown_as("node-id"),
                            arg::token("stable", "STABLE"),
                        ],
                    ),
                ],
                handler: Some(super::cluster_fixed),
                ..ROW
            },
            CommandSpec {
                name: "help",
                summary: "How CLUSTER's subcommands are called",
                since: "5.0.0",
                complexity: "O(1)",
                arity: Exactly(2),
                flags: flags!(LOADING | STALE),
                handler: Some(super::cluster_help),
                ..ROW
            },
        ],
        ..ROW
    },
    CommandSpec {
        name: "readonly",
        summary: "Allow reads on a replica",
        since: "3.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(LOADING | STALE | FAST),
        categories: categories!(CONNECTION),
        handler: Some(super::readonly),
        ..ROW
    },
    CommandSpec {
        name: "readwrite",
        summary: "Take READONLY back",
        since: "3.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(LOADING | STALE | FAST),
        categories: categories!(CONNECTION),
        handler: Some(super::readwrite),
        ..ROW
    },
    CommandSpec {
        name: "asking",
        summary: "Follow a redirection to a slot that is being moved",
        since: "3.0.0",
        complexity: "O(1)",
        arity: Exactly(1),
        flags: flags!(FAST),
        categories: categories!(CONNECTION),
        handler: Some(super::asking),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Cluster, ..CommandSpec::EMPTY };
