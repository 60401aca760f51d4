//! Rows of the bitmaps: on the keys of the strings, so that they meet texts and numbers.

use super::Row;
use crate::compare::Rule::*;

pub const ROWS: &[Row] = &[
    (10, "SETBIT key (0|1|5|7|8|15|63|100|1000|2047|16383|20000|-1|4294967296|x) (0|1|1|1|2)", Exact),
    (5, "GETBIT key (0|1|5|7|8|15|63|100|1000|2047|20000|4294967295|4294967296|-1)", Exact),
    (8, "BITCOUNT key [(index|bitindex) (index|bitindex) [(BYTE|BIT)]]", Exact),
    (10, "BITPOS key (0|1|1|0|2) [(index|bitindex) [(index|bitindex) [(BYTE|BIT)]]]", Exact),
    (8, "BITOP (AND|OR|XOR) key key…", Exact),
    (3, "BITOP NOT key key", Exact),
    (1, "BITOP (NOT|NAND) key key…", Exact),
    (6, "BITFIELD key GET encoding fieldat", Exact),
    (8, "BITFIELD key (GET encoding fieldat|SET encoding fieldat fieldint|INCRBY encoding fieldat fieldint)…", Exact),
    (
        10,
        "BITFIELD key (OVERFLOW (WRAP|SAT|FAIL|SAT|FAIL) (SET encoding fieldat fieldint|INCRBY encoding fieldat fieldint))…",
        Exact,
    ),
    (1, "BITFIELD key (OVERFLOW (WRAP|NO)|GET encoding|SET encoding fieldat)…", Exact),
    (3, "BITFIELD_RO key (GET encoding fieldat)…", Exact),
    (1, "BITFIELD_RO key (GET encoding fieldat|SET encoding fieldat fieldint)…", Exact),
    (6, "SET key value", Exact),
    (3, "SET key int", Exact),
    (3, "SETRANGE key (0|40|100|2040|2500) value", Exact),
    (3, "APPEND key manyones", Exact),
    (3, "GET key", Exact),
    (2, "OBJECT ENCODING key", Encoding),
];

/// What the words of these rows may stand for; several arguments where there are blanks.
pub fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "bitindex" => "0 1 7 8 9 15 16 100 1000 -1 -7 -8 -9 -100 -1000 20000",
        "encoding" => "u1 u1 u2 u4 u7 u8 u8 u13 u16 u31 u32 u63 i1 i2 i5 i8 i8 i16 i33 i63 i64 i64 u64 i0 i65 x8",
        "fieldat" => "0 0 1 3 7 8 9 60 100 1001 16380 #0 #1 #2 #7 #33 -1 #-1 abc # 4294967296",
        "fieldint" => {
            "0 1 1 -1 2 -2 7 8 100 127 128 255 256 -128 -129 65535 1000000 -1000000 4294967296 9223372036854775807 \
             -4611686018427387904 9223372036854775808 abc"
        }
        _ => return None,
    })
}
