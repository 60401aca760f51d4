//! Rows of the geo commands.

use crate::command::Handler;
use crate::command::spec::Arity::AtLeast;
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs` and `search.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "geoadd",
        summary: "Add members with their places to a geo index, or move them",
        since: "3.2.0",
        complexity: "O(log(N)) for each member, with N the members of the index",
        arity: AtLeast(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | UPDATE))],
        arguments: &[
            arg::key("key", 0),
            arg::one_of("condition", &[arg::token("nx", "NX"), arg::token("xx", "XX")]).optional().since("6.2.0"),
            arg::token("change", "CH").optional().since("6.2.0"),
            arg::block("data", &[arg::double("longitude"), arg::double("latitude"), arg::string("member")]).multiple(),
        ],
        history: &[("6.2.0", "`CH`, `NX` and `XX`.")],
        handler: Some(super::geoadd),
        ..ROW
    },
    CommandSpec {
        name: "geodist",
        summary: "Distance of two members of a geo index",
        since: "3.2.0",
        arity: AtLeast(4),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member1"), arg::string("member2"), UNIT.optional()],
        handler: Some(super::geodist),
        ..ROW
    },
    CommandSpec {
        name: "geohash",
        summary: "Places of members of a geo index, as geohashes of eleven digits",
        since: "3.2.0",
        complexity: "O(1) for each member",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member").optional().multiple()],
        handler: Some(super::geohash),
        ..ROW
    },
    CommandSpec {
        name: "geopos",
        summary: "Longitudes and latitudes of members of a geo index",
        since: "3.2.0",
        complexity: "O(1) for each member",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::string("member").optional().multiple()],
        handler: Some(super::geopos),
        ..ROW
    },
    CommandSpec {
        name: "geosearch",
        summary: "Members of a geo index within a circle or a box",
        since: "6.2.0",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(7),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), FROM, BY, ORDER, COUNT, WITH_PLACE, WITH_DISTANCE, WITH_HASH],
        history: &[("7.0.0", "Units in capitals.")],
        handler: Some(super::geosearch),
        ..ROW
    },
    CommandSpec {
        name: "geosearchstore",
        summary: "Store the members of a geo index within a circle or a box",
        since: "6.2.0",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(8),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(OW | UPDATE)), KeySpec::at(2, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("destination", 0),
            arg::key("source", 1),
            FROM,
            BY,
            ORDER,
            COUNT,
            arg::token("storedist", "STOREDIST").optional(),
        ],
        history: &[("7.0.0", "Units in capitals.")],
        handler: Some(super::geosearchstore),
        ..ROW
    },
    CommandSpec {
        name: "georadius",
        summary: "Members of a geo index within a circle, or store them",
        since: "3.2.0",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(6),
        flags: flags!(WRITE | DENYOOM),
        keys: &[
            KeySpec::first(key_flags!(RO | ACCESS)),
            KeySpec::behind("STORE", 6, key_flags!(OW | UPDATE)),
            KeySpec::behind("STOREDIST", 6, key_flags!(OW | UPDATE)),
        ],
        arguments: &[
            arg::key("key", 0),
            arg::double("longitude"),
            arg::double("latitude"),
            arg::double("radius"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            OLD_COUNT,
            ORDER,
            STORE,
        ],
        history: &[("6.2.0", "`ANY` for `COUNT`."), ("7.0.0", "Units in capitals.")],
        deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`")),
        handler: Some(super::georadius),
        ..ROW
    },
    CommandSpec {
        name: "georadius_ro",
        summary: "Members of a geo index within a circle",
        since: "3.2.10",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(6),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::double("longitude"),
            arg::double("latitude"),
            arg::double("radius"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            OLD_COUNT,
            ORDER,
        ],
        history: &[("6.2.0", "`ANY` for `COUNT`.")],
        deprecated: Some(("6.2.0", "`GEOSEARCH` with `BYRADIUS`")),
        handler: Some(super::georadius_ro),
        ..ROW
    },
    CommandSpec {
        name: "georadiusbymember",
        summary: "Members of a geo index around one of them, or store them",
        since: "3.2.0",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(5),
        flags: flags!(WRITE | DENYOOM),
        keys: &[
            KeySpec::first(key_flags!(RO | ACCESS)),
            KeySpec::behind("STORE", 5, key_flags!(OW | UPDATE)),
            KeySpec::behind("STOREDIST", 5, key_flags!(OW | UPDATE)),
        ],
        arguments: &[
            arg::key("key", 0),
            arg::string("member"),
            arg::double("radius"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT,
            ORDER,
            STORE,
        ],
        history: &[("6.2.0", "`ANY` for `COUNT`."), ("7.0.0", "Units in capitals.")],
        deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`")),
        handler: Some(super::georadiusbymember),
        ..ROW
    },
    CommandSpec {
        name: "georadiusbymember_ro",
        summary: "Members of a geo index around one of them",
        since: "3.2.10",
        complexity: SEARCH_COMPLEXITY,
        arity: AtLeast(5),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::string("member"),
            arg::double("radius"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT,
            ORDER,
        ],
        deprecated: Some(("6.2.0", "`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`")),
        handler: Some(super::georadiusbymember_ro),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Geo, ..CommandSpec::EMPTY };

const SEARCH_COMPLEXITY: &str = "O(N+log(M)) with N the members in the cells around the area and M those of the index";

const UNIT: Argument = arg::one_of(
    "unit",
    &[arg::token("m", "M"), arg::token("km", "KM"), arg::token("ft", "FT"), arg::token("mi", "MI")],
);

const FROM: Argument = arg::one_of(
    "from",
    &[
        arg::string("member").token("FROMMEMBER"),
        arg::block("fromlonlat", &[arg::double("longitude"), arg::double("latitude")]).token("FROMLONLAT"),
    ],
);

const BY: Argument = arg::one_of(
    "by",
    &[
        arg::block("circle", &[arg::double("radius").token("BYRADIUS"), UNIT]),
        arg::block("box", &[arg::double("width").token("BYBOX"), arg::double("height"), UNIT]),
    ],
);

const ORDER: Argument = arg::one_of("order", &[arg::token("asc", "ASC"), arg::token("desc", "DESC")]).optional();

const COUNT: Argument =
    arg::block("count-block", &[arg::integer("count").token("COUNT"), arg::token("any", "ANY").optional()]).optional();

const OLD_COUNT: Argument = arg::block(
    "count-block",
    &[arg::integer("count").token("COUNT"), arg::token("any", "ANY").optional().since("6.2.0")],
)
.optional();

const STORE: Argument =
    arg::one_of("store", &[arg::key("storekey", 1).token("STORE"), arg::key("storedistkey", 2).token("STOREDIST")])
        .optional();

const WITH_PLACE: Argument = arg::token("withcoord", "WITHCOORD").optional();
const WITH_DISTANCE: Argument = arg::token("withdist", "WITHDIST").optional();
const WITH_HASH: Argument = arg::token("withhash", "WITHHASH").optional();
