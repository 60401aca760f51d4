//! Records as real servers pack and unpack them.

use proptest::prelude::*;

use super::super::testing::call;
use super::*;

fn n(number: f64) -> Value {
    Value::Number(number)
}

fn packed(format: &str, values: &[Value]) -> String {
    let arguments: Vec<Value> = std::iter::once(Value::text(format)).chain(values.iter().cloned()).collect();
    call(pack, &arguments)
}

fn unpacked(format: &str, data: &[u8]) -> String {
    call(unpack, &[Value::text(format), Value::text(data)])
}

#[test]
fn fields_are_packed() {
    let abc = Value::text("abc");
    for (format, values, expected) in [
        (">I2<I2!4i4", vec![n(1.0), n(2.0), n(3.0)], "'\\x00\\x01\\x02\\x00\\x03\\x00\\x00\\x00'"),
        ("bBhH", vec![n(-1.0), n(255.0), n(-1.0), n(65535.0)], "'\\xff\\xff\\xff\\xff\\xff\\xff'"),
        ("f", vec![n(1.5)], "'\\x00\\x00\\xc0?'"),
        (
            "!bi8",
            vec![n(1.0), n(2.0)],
            "'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00'",
        ),
        ("!4i3i3", vec![n(1.0), n(2.0)], "'\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x02\\x00\\x00'"),
        ("i0", vec![n(5.0)], "''"),
        ("c2", vec![abc.clone()], "'ab'"),
        ("c0c", vec![abc.clone(), abc.clone()], "'abca'"),
        ("s", vec![abc.clone()], "'abc\\x00'"),
        ("x x", vec![], "'\\x00\\x00'"),
        ("I4", vec![n(1_099_511_627_781.0)], "'\\x05\\x00\\x00\\x00'"),
        ("\0i", vec![], "''"),
        ("c5", vec![abc.clone()], "error: #3 string too short"),
        ("!3b", vec![n(1.0)], "error: alignment 3 is not a power of 2"),
        ("i33", vec![n(1.0)], "error: integral size 33 is larger than limit of 32"),
        ("i99999999999", vec![n(1.0)], "error: integral size overflow"),
        ("z", vec![n(1.0)], "error: #1 invalid format option \\'z\\'"),
        ("i", vec![], "error: #2 number expected, got nil"),
        ("i", vec![abc], "error: #2 number expected, got string"),
    ] {
        assert_eq!(packed(format, &values), expected, "{format}");
    }
    let wide = packed(">i32", &[n(-2.0)]);
    assert_eq!(wide, format!("'{}{}\\xfe'", "\\x00".repeat(24), "\\xff".repeat(7)));
}

#[test]
fn fields_are_unpacked() {
    for (format, data, expected) in [
        ("i", &b"\x01\0\0\0"[..], "1 5"),
        ("bB", b"\xff\xff", "-1 255 3"),
        (">h<h", b"\x01\x02\x01\x02", "258 513 5"),
        ("bc0", b"\x03abcd", "'abc' 5"),
        ("ss", b"abc\0de\0", "'abc' 'de' 8"),
        ("sc0", b"3\0abc", "'abc' 6"),
        ("xb", b"ab", "98 3"),
        ("i16", &[255; 16], "-1 17"),
        ("L", &[255; 8], "1.844674407371e+19 9"),
        ("i0", b"abc", "0 1"),
        ("d", b"\0\0\0\0\0\0\x04@", "2.5 9"),
        ("", b"abc", "1"),
        ("i", b"abc", "error: #2 data string too short"),
        ("c0", b"abc", "error: format \\'c0\\' needs a previous size"),
        ("bc0", b"\x09abc", "error: #2 data string too short"),
        ("s", b"abc", "error: unfinished string in data"),
        ("?", b"abc", "error: #1 invalid format option \\'?\\'"),
    ] {
        assert_eq!(unpacked(format, data), expected, "{format}");
    }
    let from = |at: f64| call(unpack, &[Value::text("b"), Value::text("abc"), n(at)]);
    assert_eq!((from(3.0), from(0.0)), ("99 4".into(), "error: #3 offset must be 1 or greater".into()));
    let too_short = "error: #2 data string too short";
    assert_eq!((from(4.0), from(-5.0), from(1e300)), (too_short.into(), too_short.into(), too_short.into()));
    assert_eq!(unpacked(&"b".repeat(8_001), &[1; 8_001]), "error: stack overflow (too many results)");
}

#[test]
fn sizes_are_added() {
    let size = |format: &str| call(size, &[Value::text(format)]);
    assert_eq!(
        (size("i4!8d"), size("!8bd"), size("c10x"), size("z")),
        ("16".into(), "16".into(), "11".into(), "0".into())
    );
    assert_eq!(size("s"), "error: #1 option \\'s\\' has no fixed size");
    assert_eq!(size("c0"), "error: #1 option \\'c0\\' has no fixed size");
    assert_eq!(size("?"), "error: #1 invalid format option \\'?\\'");
}

proptest! {
    #[test]
    fn any_format_ends(
        format in "[bBhHlLTiIfdcsx!<> z0-9]{0,16}",
        data in any::<Vec<u8>>(),
        numbers in proptest::collection::vec(any::<f64>(), 0..8),
        at in any::<f64>(),
    ) {
        // Large sizes need as much data: a pack of them is refused for its argument.
        let values: Vec<Value> = numbers.into_iter().map(n).collect();
        packed(&format, &values);
        unpacked(&format, &data);
        call(unpack, &[Value::text(&format), Value::text(&data), n(at)]);
        call(size, &[Value::text(&format)]);
    }
}
