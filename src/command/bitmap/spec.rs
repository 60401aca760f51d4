//! Rows of the bitmap commands.

use crate::command::Handler;
use crate::command::spec::Arity::{AtLeast, Exactly};
use crate::command::spec::{Argument, CommandSpec, Group, KeySpec, arg, flags, key_flags};

/// The rows, handlers in the same order in `mod.rs`.
pub const COMMANDS: &[CommandSpec<Handler>] = &[
    CommandSpec {
        name: "setbit",
        summary: "Write one bit of a string, padding with zero bytes",
        since: "2.2.0",
        arity: Exactly(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE))],
        arguments: &[arg::key("key", 0), arg::integer("offset"), arg::integer("value")],
        handler: Some(super::setbit),
        ..ROW
    },
    CommandSpec {
        name: "getbit",
        summary: "One bit of a string",
        since: "2.2.0",
        arity: Exactly(3),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), arg::integer("offset")],
        handler: Some(super::getbit),
        ..ROW
    },
    CommandSpec {
        name: "bitcount",
        summary: "Number of bits that are set in a string or a part of it",
        since: "2.6.0",
        complexity: "O(N) with N the bytes of that part",
        arity: AtLeast(2),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::block("range", &[arg::integer("start"), arg::integer("end"), UNIT]).optional(),
        ],
        history: &[("7.0.0", "`BYTE` and `BIT`.")],
        handler: Some(super::bitcount),
        ..ROW
    },
    CommandSpec {
        name: "bitpos",
        summary: "The first bit that is set, or not, in a string or a part of it",
        since: "2.8.7",
        complexity: "O(N) with N the bytes of that part",
        arity: AtLeast(3),
        flags: flags!(READONLY),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[
            arg::key("key", 0),
            arg::integer("bit"),
            arg::block(
                "range",
                &[arg::integer("start"), arg::block("end-unit-block", &[arg::integer("end"), UNIT]).optional()],
            )
            .optional(),
        ],
        history: &[("7.0.0", "`BYTE` and `BIT`.")],
        handler: Some(super::bitpos),
        ..ROW
    },
    CommandSpec {
        name: "bitop",
        summary: "Combine strings bit by bit, and store the result",
        since: "2.6.0",
        complexity: "O(N) with N the bytes of all strings",
        arity: AtLeast(4),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::at(2, key_flags!(OW | UPDATE)), KeySpec::from(3, key_flags!(RO | ACCESS))],
        arguments: &[
            arg::one_of(
                "operation",
                &[
                    arg::token("and", "AND"),
                    arg::token("or", "OR"),
                    arg::token("xor", "XOR"),
                    arg::token("not", "NOT"),
                    arg::token("diff", "DIFF").since("8.2.0"),
                    arg::token("diff1", "DIFF1").since("8.2.0"),
                    arg::token("andor", "ANDOR").since("8.2.0"),
                    arg::token("one", "ONE").since("8.2.0"),
                ],
            ),
            arg::key("destkey", 0),
            arg::key("key", 1).multiple(),
        ],
        history: &[("8.2.0", "`DIFF`, `DIFF1`, `ANDOR` and `ONE`.")],
        handler: Some(super::bitop),
        ..ROW
    },
    CommandSpec {
        name: "bitfield",
        summary: "Read and write integers of any width within a string",
        since: "3.2.0",
        complexity: "O(1) for each integer",
        arity: AtLeast(2),
        flags: flags!(WRITE | DENYOOM),
        keys: &[KeySpec::first(key_flags!(RW | ACCESS | UPDATE | VARIABLE_FLAGS)).notes("`GET` alone only reads")],
        arguments: &[arg::key("key", 0), arg::one_of("operation", &[GET, WRITE]).optional().multiple()],
        handler: Some(super::bitfield),
        ..ROW
    },
    CommandSpec {
        name: "bitfield_ro",
        summary: "Read integers of any width within a string",
        since: "6.0.0",
        complexity: "O(1) for each integer",
        arity: AtLeast(2),
        flags: flags!(READONLY | FAST),
        keys: &[KeySpec::first(key_flags!(RO | ACCESS))],
        arguments: &[arg::key("key", 0), GET.optional().multiple_token()],
        handler: Some(super::bitfield_ro),
        ..ROW
    },
];

/// What the rows have in common.
const ROW: CommandSpec<Handler> = CommandSpec { group: Group::Bitmap, ..CommandSpec::EMPTY };

const UNIT: Argument =
    arg::one_of("unit", &[arg::token("byte", "BYTE"), arg::token("bit", "BIT")]).optional().since("7.0.0");

const GET: Argument = arg::block("get-block", &[arg::string("encoding"), arg::integer("offset")]).token("GET");

const WRITE: Argument = arg::block(
    "write",
    &[
        arg::one_of(
            "overflow-block",
            &[arg::token("wrap", "WRAP"), arg::token("sat", "SAT"), arg::token("fail", "FAIL")],
        )
        .token("OVERFLOW")
        .optional(),
        arg::one_of(
            "write-operation",
            &[
                arg::block("set-block", &[arg::string("encoding"), arg::integer("offset"), arg::integer("value")])
                    .token("SET"),
                arg::block(
                    "incrby-block",
                    &[arg::string("encoding"), arg::integer("offset"), arg::integer("increment")],
                )
                .token("INCRBY"),
            ],
        ),
    ],
);
