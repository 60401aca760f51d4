//! Every kind of reply, in both versions of the protocol.

use proptest::prelude::*;

use super::*;

/// Writes the same reply in both versions.
fn both(write: impl Fn(&mut Reply)) -> (String, String) {
    let text = |protocol| {
        let mut reply = Reply::new(protocol);
        write(&mut reply);
        String::from_utf8(reply.take()).expect("UTF-8")
    };
    (text(Protocol::Resp2), text(Protocol::Resp3))
}

#[track_caller]
fn check(write: impl Fn(&mut Reply), resp2: &str, resp3: &str) {
    assert_eq!(both(write), (resp2.to_owned(), resp3.to_owned()));
}

#[test]
fn values_that_both_versions_spell_alike() {
    let same = |write: fn(&mut Reply), text: &str| check(write, text, text);
    same(|r| r.ok(), "+OK\r\n");
    same(|r| r.simple("QUEUED"), "+QUEUED\r\n");
    same(|r| r.integer(0), ":0\r\n");
    same(|r| r.integer(-1), ":-1\r\n");
    same(|r| r.integer(999), ":999\r\n");
    same(|r| r.integer(1000), ":1000\r\n");
    same(|r| r.integer(i64::MAX), ":9223372036854775807\r\n");
    same(|r| r.integer(i64::MIN), ":-9223372036854775808\r\n");
    same(|r| r.count(42), ":42\r\n");
    same(|r| r.bulk(b""), "$0\r\n\r\n");
    same(|r| r.bulk(b"hello"), "$5\r\nhello\r\n");
    same(|r| r.bulk_or_null(Some(b"x")), "$1\r\nx\r\n");
    same(|r| r.bulk_parts(&[b"ab", b"", b"c"]), "$3\r\nabc\r\n");
    same(|r| r.bulk_with(2, |out| out.extend(b"hi")), "$2\r\nhi\r\n");
    same(|r| r.bulk_integer(-120), "$4\r\n-120\r\n");
    same(|r| r.array(0), "*0\r\n");
    same(|r| r.array(1_000_000), "*1000000\r\n");
    same(|r| r.raw(b":1\r\n"), ":1\r\n");
    same(|r| r.error(&CommandError::Syntax), "-ERR syntax error\r\n");
    same(|r| r.protocol_error(&ProtocolError::CrossProtocol), "");
    same(|r| r.protocol_error(&ProtocolError::ExpectedDollar(b'\r')), "-ERR Protocol error: expected '$', got ' '\r\n");
}

#[test]
fn values_that_the_versions_spell_differently() {
    check(|r| r.null(), "$-1\r\n", "_\r\n");
    check(|r| r.bulk_or_null(None), "$-1\r\n", "_\r\n");
    check(|r| r.null_array(), "*-1\r\n", "_\r\n");
    check(|r| r.map(2), "*4\r\n", "%2\r\n");
    check(|r| r.set(3), "*3\r\n", "~3\r\n");
    check(|r| r.push(3), "*3\r\n", ">3\r\n");
    check(|r| r.boolean(true), ":1\r\n", "#t\r\n");
    check(|r| r.boolean(false), ":0\r\n", "#f\r\n");
    check(|r| r.double(3.0), "$1\r\n3\r\n", ",3\r\n");
    check(|r| r.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    check(|r| r.big_number(b"123"), "$3\r\n123\r\n", "(123\r\n");
    check(|r| r.verbatim("txt", b"abc"), "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n");
}

#[test]
fn deferred_aggregates_nest_and_grow() {
    for (outer, inner) in [(1, 0), (1, 9), (1, 10), (1, 1234)] {
        let mut reply = Reply::new(Protocol::Resp3);
        reply.ok();
        let first = reply.deferred_array();
        for _ in 0..outer {
            let second = reply.deferred_array();
            (0..inner).for_each(|_| reply.integer(7));
            reply.finish_set(second, inner);
        }
        reply.finish_array(first, outer);
        let expected = format!("+OK\r\n*{outer}\r\n~{inner}\r\n{}", ":7\r\n".repeat(inner));
        assert_eq!(String::from_utf8_lossy(reply.bytes()), expected);
    }
    let pairs = |r: &mut Reply| {
        let mark = r.deferred_array();
        (0..10).for_each(|_| r.null());
        r.finish_map(mark, 5);
    };
    check(pairs, &format!("*10\r\n{}", "$-1\r\n".repeat(10)), &format!("%5\r\n{}", "_\r\n".repeat(10)));
}

#[test]
fn a_failed_command_leaves_only_its_error() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.integer(1);
    let mark = reply.mark();
    reply.array(3);
    reply.bulk(b"half");
    assert_eq!(reply.since(mark), b"*3\r\n$4\r\nhalf\r\n");
    reply.truncate(mark);
    reply.error(&CommandError::WrongType);
    let text = b":1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    assert_eq!(reply.bytes(), text);
    reply.drain_front(4);
    assert_eq!(reply.bytes()[0], b'-');
    reply.set_protocol(Protocol::Resp3);
    reply.clear(0);
    assert_eq!((reply.len(), reply.capacity(), reply.protocol().version()), (0, 0, 3));
}

#[test]
#[should_panic(expected = "another length than announced")]
fn a_bulk_of_another_length_is_a_bug() {
    Reply::default().bulk_with(3, |out| out.extend(b"hi"));
}

proptest! {
    #[test]
    fn integers_are_decimal(value: i64, small in 0i64..2000) {
        for number in [value, small, -small] {
            let mut reply = Reply::default();
            reply.integer(number);
            let expected = format!(":{number}\r\n");
            prop_assert_eq!(reply.bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn bulks_are_framed(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
        let mut reply = Reply::default();
        reply.bulk(&bytes);
        let expected = [format!("${}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
        prop_assert_eq!(reply.bytes(), expected);
    }
}
