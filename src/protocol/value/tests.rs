//! What the writer writes, the decoder reads.

use super::*;
use crate::protocol::Reply;

fn value(protocol: Protocol, write: impl FnOnce(&mut Reply)) -> Result<BytesFrame, CommandError> {
    let mut reply = Reply::new(protocol);
    write(&mut reply);
    decode_reply(reply.take(), protocol)
}

fn number(data: i64) -> BytesFrame {
    BytesFrame::Number { data, attributes: None }
}

fn blob(data: &'static [u8]) -> BytesFrame {
    BytesFrame::BlobString { data: Bytes::from_static(data), attributes: None }
}

#[test]
fn replies_become_values() {
    let array = |r: &mut Reply| {
        r.array(3);
        r.integer(-1);
        r.bulk(b"a\r\nb");
        r.null();
    };
    let expected = BytesFrame::Array { data: vec![number(-1), blob(b"a\r\nb"), BytesFrame::Null], attributes: None };
    assert_eq!(value(Protocol::Resp3, array), Ok(expected.clone()));
    assert_eq!(value(Protocol::Resp2, array), Ok(expected));
    assert_eq!(value(Protocol::Resp3, |r| r.double(2.5)), Ok(BytesFrame::Double { data: 2.5, attributes: None }));
    assert_eq!(value(Protocol::Resp3, |r| r.boolean(true)), Ok(BytesFrame::Boolean { data: true, attributes: None }));
    let map = value(Protocol::Resp3, |r| {
        r.map(1);
        r.bulk(b"k");
        r.integer(1);
    });
    let Ok(BytesFrame::Map { data, .. }) = map else { panic!("not a map: {map:?}") };
    assert_eq!(data.get(&blob(b"k")), Some(&number(1)));
}

#[test]
fn errors_become_errors() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let error = value(protocol, |r| r.error(&CommandError::WrongType)).expect_err("an error");
        assert_eq!(error.to_string(), CommandError::WrongType.to_string());
        assert_eq!(error.code(), "WRONGTYPE");
        for bytes in [&b"*2\r\n:1\r\n"[..], b"", b":1\r\n:2\r\n", b"nonsense\r\n"] {
            let error = decode_reply(bytes.to_vec(), protocol).expect_err("no reply");
            assert!(error.to_string().contains("no RESP value"), "{bytes:?}: {error}");
        }
    }
}

#[test]
fn slots_follow_hash_tags() {
    assert_eq!(hash_slot(b"123456789"), 12739);
    assert_eq!(hash_slot(b"{user1000}.following"), hash_slot(b"{user1000}.followers"));
}
