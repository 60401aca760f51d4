//! Bytes and values as real servers pack and unpack them.

use proptest::prelude::*;

use super::super::testing::{TestHost, call, list};
use super::*;
use crate::engine::script::value::{Table, Value};

fn packed(values: &[Value]) -> String {
    call(pack::pack, values)
}

fn unpacked(bytes: &[u8]) -> String {
    call(unpack::unpack, &[Value::text(bytes)])
}

fn n(number: f64) -> Value {
    Value::Number(number)
}

#[test]
fn numbers_take_the_shortest_form() {
    for (value, expected) in [
        (1.0, "\\x01"),
        (-1.0, "\\xff"),
        (-33.0, "\\xd0\\xdf"),
        (200.0, "\\xcc\\xc8"),
        (70_000.0, "\\xce\\x00\\x01\\x11p"),
        (4_294_967_296.0, "\\xcf\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00"),
        (-2_147_483_649.0, "\\xd3\\xff\\xff\\xff\\xff\\x7f\\xff\\xff\\xff"),
        (1.5, "\\xca?\\xc0\\x00\\x00"),
        (3.3, "\\xcb@\\nffffff"),
        (f64::INFINITY, "\\xca\\x7f\\x80\\x00\\x00"),
        (9_223_372_036_854_775_808.0, "\\xca_\\x00\\x00\\x00"),
        (-9_223_372_036_854_775_808.0, "\\xd3\\x80\\x00\\x00\\x00\\x00\\x00\\x00\\x00"),
    ] {
        assert_eq!(packed(&[n(value)]), format!("'{expected}'"));
    }
}

#[test]
fn other_values_have_their_forms() {
    let null = Value::Null;
    assert_eq!(packed(&[Value::Nil, Value::Boolean(true), Value::Boolean(false), null]), "'\\xc0\\xc3\\xc2\\xc0'");
    let map = Table::new();
    map.set_text(b"a", n(1.0));
    assert_eq!(
        packed(&[list([]), list([n(1.0), n(2.0)]), Value::Table(map)]),
        "'\\x90\\x92\\x01\\x02\\x81\\xa1a\\x01'"
    );
    let holes = list([n(1.0), Value::Nil, n(3.0)]);
    assert_eq!(packed(&[holes]), "'\\x82\\x01\\x01\\x03\\x03'");
    let cycle = Table::new();
    cycle.set_index(1, Value::Table(cycle.clone()));
    assert_eq!(packed(&[Value::Table(cycle.clone())]), format!("'{}\\xc0'", "\\x91".repeat(16)));
    cycle.set_index(1, Value::Nil);
    assert!(packed(&[Value::text("x".repeat(32))]).starts_with("'\\xd9 xx"));
    assert!(packed(&[Value::text("x".repeat(256))]).starts_with("'\\xda\\x01\\x00xx"));
    assert_eq!(packed(&[]), "error: #0 MessagePack pack needs input.");
}

#[test]
fn bytes_become_values() {
    for (bytes, expected) in [
        (&b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"[..], "-1"),
        (b"\xd0\xff\xd1\xff\xfe\xd2\xff\xff\xff\xfd\xcc\xff\xcd\x01\x00\xce\x00\x01\x00\x00", "-1 -2 -3 255 256 65536"),
        (b"\xd9\x02ab\xda\x00\x01c\xdb\x00\x00\x00\x01d\xa2ef", "'ab' 'c' 'd' 'ef'"),
        (b"\xdc\x00\x02\x01\x02", "{1=1,2=2}"),
        (b"\xdf\x00\x00\x00\x01\xa1a\x90", "{'a'={}}"),
        (b"\xc0\xc2\xc3", "nil false true"),
        (b"\xca?\xc0\x00\x00", "1.5"),
        (b"", ""),
        (b"\xc1", "error: Bad data format in input."),
        (b"\xc4\x01a", "error: Bad data format in input."),
        (b"\x92\x01", "error: Missing bytes in input."),
        (b"\xdd\xff\xff\xff\xff", "error: Missing bytes in input."),
        (b"\x81\xc0\x01", "raised: 'table index is nil'"),
        (b"\x81\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00\x01", "raised: 'table index is NaN'"),
    ] {
        assert_eq!(unpacked(bytes), expected, "{bytes:?}");
    }
    let many = "error: stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
    assert_eq!(unpacked(&[1; 8_010]), many);
    assert!(unpacked(&[0x91; 5_000]).starts_with("error: stack overflow"));
}

#[test]
fn parts_return_the_next_offset() {
    let input = Value::text(b"\x01\x02\x03");
    let one = |offset| call(unpack::unpack_one, &[input.clone(), n(offset)]);
    assert_eq!((one(0.0), one(2.0), one(3.0)), ("1 1".into(), "-1 3".into(), "-1".into()));
    assert_eq!(one(4.0), "error: Start offset 4 greater than input length 3.");
    assert_eq!(one(-1.0), "error: Invalid request to unpack with offset of -1 and limit of 3.");
    let limit = |limit, offset| call(unpack::unpack_limit, &[input.clone(), n(limit), n(offset)]);
    assert_eq!((limit(2.0, 0.0), limit(2.0, 1.0)), ("2 1 2".into(), "-1 2 3".into()));
    assert_eq!((limit(0.0, 0.0), limit(0.0, 1.0)), ("1 2 3".into(), "1".into()));
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes in any::<Vec<u8>>()) {
        let host = &mut TestHost::default();
        if let Ok(values) = unpack::unpack(host, &[Value::text(&bytes)])
            && !values.is_empty()
        {
            prop_assert!(pack::pack(host, &values).is_ok());
        }
    }
}
