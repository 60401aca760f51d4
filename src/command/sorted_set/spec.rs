//! Rows of the sorted-set commands that do not wait.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "zadd",
        summary: "Add members with scores to a sorted set, or change their scores",
        since: "1.2.0",
        complexity: "O(log(N)) per member, with N the size of the sorted set",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[
            arg::key("key", 0),
            arg::one_of("condition", &[arg::token("nx", "NX"), arg::token("xx", "XX")]).optional().since("3.0.2"),
            arg::one_of("comparison", &[arg::token("gt", "GT"), arg::token("lt", "LT")]).optional().since("6.2.0"),
            arg::token("change", "CH").optional().since("3.0.2"),
            arg::token("increment", "INCR").optional().since("3.0.2"),
            arg::block("data", &[arg::double("score"), arg::string("member")]).multiple(),
        ],
        history: &[
            ("2.4.0", "Several members in one call."),
            ("3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "Options `GT` and `LT`."),
        ],
        handler: Some(super::zadd),
        ..ROW
    },
    CommandSpec {
        name: "zincrby",
        summary: "Add to the score of a member",
        since: "1.2.0",
        complexity: "O(log(N)) with N the size of the sorted set",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("increment"), arg::string("member")],
        handler: Some(super::zincrby),
        ..ROW
    },
    CommandSpec {
        name: "zrem",
        summary: "Remove members of a sorted set; an empty one disappears",
        since: "1.2.0",
        complexity: "O(M*log(N)) with N the size of the sorted set and M the number of members given",
        arity: AtLeast(3),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("member").multiple()],
        history: &[("2.4.0", "Several members in one call.")],
        handler: Some(super::zrem),
        ..ROW
    },
    CommandSpec {
        name: "zcard",
        summary: "Number of members of a sorted set",
        since: "1.2.0",
        complexity: "O(1)",
        arity: Exactly(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO))],
        arguments: &[arg::key("key", 0)],
        handler: Some(super::zcard),
        ..ROW
    },
    CommandSpec {
        name: "zcount",
        summary: "Number of members within a range of scores",
        since: "2.0.0",
        complexity: "O(log(N)) with N the size of the sorted set",
        arity: Exactly(4),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::double("min"), arg::double("max")],
        handler: Some(super::zcount),
        ..ROW
    },
    CommandSpec {
        name: "zscore",
        summary: "Score of one member",
        since: "1.2.0",
        complexity: "O(1)",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member")],
        handler: Some(super::zscore),
        ..ROW
    },
    CommandSpec {
        name: "zmscore",
        summary: "Scores of several members",
        since: "6.2.0",
        complexity: "O(N) with N the number of members given",
        arity: AtLeast(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member").multiple()],
        handler: Some(super::zmscore),
        ..ROW
    },
    CommandSpec {
        name: "zrank",
        summary: "Place of a member, counted from the lowest score",
        since: "2.0.0",
        complexity: "O(log(N))",
        arity: AtLeast(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member"), arg::token("withscore", "WITHSCORE").optional()],
        history: &[("7.2.0", "Option `WITHSCORE`.")],
        handler: Some(super::zrank),
        ..ROW
    },
    CommandSpec {
        name: "zrevrank",
        summary: "Place of a member, counted from the highest score",
        since: "2.0.0",
        complexity: "O(log(N))",
        arity: AtLeast(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member"), arg::token("withscore", "WITHSCORE").optional()],
        history: &[("7.2.0", "Option `WITHSCORE`.")],
        handler: Some(super::zrevrank),
        ..ROW
    },
    CommandSpec {
        name: "zrange",
        summary: "Members within a range of places, scores or names",
        since: "1.2.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::string("start"),
            arg::string("stop"),
            arg::one_of("sortby", &[arg::token("byscore", "BYSCORE"), arg::token("bylex", "BYLEX")])
                .optional()
                .since("6.2.0"),
            arg::token("rev", "REV").optional().since("6.2.0"),
            arg::block("limit", &[arg::integer("offset"), arg::integer("count")])
                .token("LIMIT")
                .optional()
                .since("6.2.0"),
            arg::token("withscores", "WITHSCORES").optional(),
        ],
        history: &[("6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
        handler: Some(super::zrange),
        ..ROW
    },
    CommandSpec {
        name: "zrangestore",
        summary: "Store the members within a range of places, scores or names",
        since: "6.2.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of stored members",
        arity: AtLeast(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::at(2, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("dst", 0),
            arg::key("src", 1),
            arg::string("min"),
            arg::string("max"),
            arg::one_of("sortby", &[arg::token("byscore", "BYSCORE"), arg::token("bylex", "BYLEX")]).optional(),
            arg::token("rev", "REV").optional(),
            LIMIT,
        ],
        handler: Some(super::zrangestore),
        ..ROW
    },
    CommandSpec {
        name: "zrangebyscore",
        summary: "Members within a range of scores",
        since: "1.0.5",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::double("min"),
            arg::double("max"),
            arg::token("withscores", "WITHSCORES").optional().since("2.0.0"),
            LIMIT,
        ],
        history: &[("2.0.0", "Option `WITHSCORES`.")],
        deprecated: Some(("6.2.0", "`ZRANGE` with `BYSCORE`")),
        handler: Some(super::zrangebyscore),
        ..ROW
    },
    CommandSpec {
        name: "zrevrange",
        summary: "Members within a range of places, highest score first",
        since: "1.2.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::integer("start"),
            arg::integer("stop"),
            arg::token("withscores", "WITHSCORES").optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with `REV`")),
        handler: Some(super::zrevrange),
        ..ROW
    },
    CommandSpec {
        name: "zrevrangebyscore",
        summary: "Members within a range of scores, highest first",
        since: "2.2.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::double("max"),
            arg::double("min"),
            arg::token("withscores", "WITHSCORES").optional(),
            LIMIT,
        ],
        history: &[("2.1.6", "Limits may be exclusive.")],
        deprecated: Some(("6.2.0", "`ZRANGE` with `REV` and `BYSCORE`")),
        handler: Some(super::zrevrangebyscore),
        ..ROW
    },
    CommandSpec {
        name: "zrangebylex",
        summary: "Members within a range of names, where all scores are equal",
        since: "2.8.9",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("min"), arg::string("max"), LIMIT],
        deprecated: Some(("6.2.0", "`ZRANGE` with `BYLEX`")),
        handler: Some(super::zrangebylex),
        ..ROW
    },
    CommandSpec {
        name: "zrevrangebylex",
        summary: "Members within a range of names, last first, where all scores are equal",
        since: "2.8.9",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of members in the reply",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("max"), arg::string("min"), LIMIT],
        deprecated: Some(("6.2.0", "`ZRANGE` with `REV` and `BYLEX`")),
        handler: Some(super::zrevrangebylex),
        ..ROW
    },
    CommandSpec {
        name: "zlexcount",
        summary: "Number of members within a range of names, where all scores are equal",
        since: "2.8.9",
        complexity: "O(log(N)) with N the size of the sorted set",
        arity: Exactly(4),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("min"), arg::string("max")],
        handler: Some(super::zlexcount),
        ..ROW
    },
    CommandSpec {
        name: "zremrangebyrank",
        summary: "Remove the members within a range of places",
        since: "2.0.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of removed members",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("start"), arg::integer("stop")],
        handler: Some(super::zremrangebyrank),
        ..ROW
    },
    CommandSpec {
        name: "zremrangebyscore",
        summary: "Remove the members within a range of scores",
        since: "1.2.0",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of removed members",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::double("min"), arg::double("max")],
        handler: Some(super::zremrangebyscore),
        ..ROW
    },
    CommandSpec {
        name: "zremrangebylex",
        summary: "Remove the members within a range of names, where all scores are equal",
        since: "2.8.9",
        complexity: "O(log(N)+M) with N the size of the sorted set and M the number of removed members",
        arity: Exactly(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::first(key_flags!(RW | DELETE))],
        arguments: &[arg::key("key", 0), arg::string("min"), arg::string("max")],
        handler: Some(super::zremrangebylex),
        ..ROW
    },
    CommandSpec {
        name: "zpopmin",
        summary: "Take out the members with the lowest scores",
        since: "5.0.0",
        complexity: "O(log(N)*M) with N the size of the sorted set and M the number of members taken",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional()],
        handler: Some(super::zpopmin),
        ..ROW
    },
    CommandSpec {
        name: "zpopmax",
        summary: "Take out the members with the highest scores",
        since: "5.0.0",
        complexity: "O(log(N)*M) with N the size of the sorted set and M the number of members taken",
        arity: AtLeast(2),
        flags: flags!(WRITE | FAST),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | DELETE))],
        arguments: &[arg::key("key", 0), arg::integer("count").optional()],
        handler: Some(super::zpopmax),
        ..ROW
    },
    CommandSpec {
        name: "zmpop",
        summary: "Take lowest or highest members from the first of several sorted sets that has any",
        since: "7.0.0",
        complexity: "O(K) + O(M*log(N)) with K the number of keys, N the size of the set and M of what is taken",
        arity: AtLeast(4),
        flags: flags!(WRITE),
        keys: &[KeySpec::counted(1, key_flags!(RW | ACCESS | DELETE))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::one_of("where", &[arg::token("min", "MIN"), arg::token("max", "MAX")]),
            arg::integer("count").token("COUNT").optional(),
        ],
        handler: Some(super::zmpop),
        ..ROW
    },
    CommandSpec {
        name: "zrandmember",
        summary: "Random members of a sorted set, which stay",
        since: "6.2.0",
        complexity: "O(N) with N the number of members in the reply",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::block("options", &[arg::integer("count"), arg::token("withscores", "WITHSCORES").optional()])
                .optional(),
        ],
        handler: Some(super::zrandmember),
        ..ROW
    },
    CommandSpec {
        name: "zscan",
        summary: "Walk over members and scores of a sorted set in steps",
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
        handler: Some(super::zscan),
        ..ROW
    },
    CommandSpec {
        name: "zunion",
        summary: "Members that any of the sorted sets has, their scores combined",
        since: "6.2.0",
        complexity: "O(N)+O(M*log(M)) with N the size of all inputs together and M the size of the result",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::counted(1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::integer("weight").token("WEIGHTS").optional().multiple(),
            AGGREGATE,
            arg::token("withscores", "WITHSCORES").optional(),
        ],
        handler: Some(super::zunion),
        ..ROW
    },
    CommandSpec {
        name: "zinter",
        summary: "Members that all of the sorted sets share, their scores combined",
        since: "6.2.0",
        complexity: "O(N*K)+O(M*log(M)) at worst, with N the smallest of K inputs and M the size of the result",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::counted(1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::integer("weight").token("WEIGHTS").optional().multiple(),
            AGGREGATE,
            arg::token("withscores", "WITHSCORES").optional(),
        ],
        handler: Some(super::zinter),
        ..ROW
    },
    CommandSpec {
        name: "zdiff",
        summary: "Members of the first sorted set that no other has",
        since: "6.2.0",
        complexity: "O(L + (N-K)log(N)) at worst, with L the size of all inputs, N of the first, K of the result",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::counted(1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::token("withscores", "WITHSCORES").optional(),
        ],
        handler: Some(super::zdiff),
        ..ROW
    },
    CommandSpec {
        name: "zunionstore",
        summary: "Store the union of sorted sets, scores combined",
        since: "2.0.0",
        complexity: "O(N)+O(M*log(M)) with N the size of all inputs together and M the size of the result",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::counted(2, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("destination", 0),
            arg::integer("numkeys"),
            arg::key("key", 1).multiple(),
            arg::integer("weight").token("WEIGHTS").optional().multiple(),
            AGGREGATE,
        ],
        handler: Some(super::zunionstore),
        ..ROW
    },
    CommandSpec {
        name: "zinterstore",
        summary: "Store the intersection of sorted sets, scores combined",
        since: "2.0.0",
        complexity: "O(N*K)+O(M*log(M)) at worst, with N the smallest of K inputs and M the size of the result",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::counted(2, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("destination", 0),
            arg::integer("numkeys"),
            arg::key("key", 1).multiple(),
            arg::integer("weight").token("WEIGHTS").optional().multiple(),
            AGGREGATE,
        ],
        handler: Some(super::zinterstore),
        ..ROW
    },
    CommandSpec {
        name: "zdiffstore",
        summary: "Store the members of the first sorted set that no other has",
        since: "6.2.0",
        complexity: "O(L + (N-K)log(N)) at worst, with L the size of all inputs, N of the first, K of the result",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::counted(2, key_flags!(RO | ACCESS))],
        arguments: &[arg::key("destination", 0), arg::integer("numkeys"), arg::key("key", 1).multiple()],
        handler: Some(super::zdiffstore),
        ..ROW
    },
    CommandSpec {
        name: "zintercard",
        summary: "Number of members that all of the sorted sets share",
        since: "7.0.0",
        complexity: "O(N*K) at worst, with N the smallest input and K the number of inputs",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::counted(1, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::integer("numkeys"),
            arg::key("key", 0).multiple(),
            arg::integer("limit").token("LIMIT").optional(),
        ],
        handler: Some(super::zintercard),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::SortedSet, ..CommandSpec::EMPTY };

const LIMIT: Argument = arg::block("limit", &[arg::integer("offset"), arg::integer("count")]).token("LIMIT").optional();
const AGGREGATE: Argument =
    arg::one_of("aggregate", &[arg::token("sum", "SUM"), arg::token("min", "MIN"), arg::token("max", "MAX")])
        .token("AGGREGATE")
        .optional();
