//! What the differential test cannot see of the bitmap commands: operators that came later, and effects.

use crate::command::testing::Bench;

/// A bench with three strings of four bits each that differ in all ways.
fn bench() -> Bench {
    let bench = Bench::new(1);
    for (key, value) in [("x", "\u{f}"), ("y", "3"), ("z", "U")] {
        bench.text(&format!("SET {key} {value}"));
    }
    bench
}

#[test]
fn operators_with_a_first_key_of_its_own_kind() {
    // x = 0000_1111, y = 0011_0011, z = 0101_0101
    for (operator, expected) in [("DIFF", 0x08), ("DIFF1", 0x70), ("ANDOR", 0x07), ("ONE", 0x68), ("AND", 1)] {
        let bench = bench();
        assert_eq!(bench.text(&format!("BITOP {operator} d x y z")), ":1\r\n");
        let (reply, _) = bench.run(&["GET", "d"]);
        assert_eq!(reply, [b"$1\r\n", &[expected][..], b"\r\n"].concat(), "{operator}");
    }
}

#[test]
fn operators_that_need_several_keys() {
    for operator in ["DIFF", "DIFF1", "ANDOR"] {
        let expected = format!("-ERR BITOP {operator} must be called with at least two source keys.\r\n");
        assert_eq!(bench().text(&format!("BITOP {} d x", operator.to_lowercase())), expected);
    }
    assert_eq!(bench().text("BITOP ONE d x"), ":1\r\n");
}

#[test]
fn combining_nothing_removes_the_destination() {
    let bench = bench();
    assert_eq!(bench.text("BITOP DIFF x none nor"), ":0\r\n");
    assert_eq!(bench.text("EXISTS x"), ":0\r\n");
}

#[test]
fn arguments_are_looked_at_before_the_key() {
    let bench = bench();
    for line in ["BITCOUNT none 1", "BITPOS none 1 0 1 BYTES", "BITCOUNT none 0 1 x"] {
        assert_eq!(bench.text(line), "-ERR syntax error\r\n", "{line}");
    }
    assert_eq!(bench.text("BITCOUNT none x 1"), "-ERR value is not an integer or out of range\r\n");
}

#[test]
fn a_field_that_cannot_be_written_changes_nothing() {
    let bench = bench();
    assert_eq!(bench.text("BITFIELD x OVERFLOW FAIL SET u4 0 16 GET u8 0"), "*2\r\n$-1\r\n:15\r\n");
    let behind_the_end = "BITFIELD x SET u8 0 1 SET u8 4294967289 1";
    assert_eq!(bench.text(behind_the_end), "-ERR bit offset is not an integer or out of range\r\n");
    assert_eq!(bench.text("BITFIELD x GET u8 0"), "*1\r\n:15\r\n");
}
