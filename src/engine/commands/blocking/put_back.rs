//! What a pop took for a client that was gone before it could read the reply is put back where it was.

use crate::protocol::request::OwnedRequest;
use crate::protocol::value::BytesFrame;

/// The elements of an array.
fn items(reply: BytesFrame) -> Option<Vec<BytesFrame>> {
    match reply {
        BytesFrame::Array { data, .. } => Some(data),
        _ => None,
    }
}

/// A string, or a score: the same double in any spelling.
fn text(value: BytesFrame) -> Option<Vec<u8>> {
    match value {
        BytesFrame::BlobString { data, .. } | BytesFrame::SimpleString { data, .. } => Some(data.to_vec()),
        BytesFrame::Double { data, .. } => Some(crate::base::number::format_f64(data).to_vec()),
        _ => None,
    }
}

fn texts(values: impl IntoIterator<Item = BytesFrame>) -> Option<Vec<Vec<u8>>> {
    values.into_iter().map(text).collect()
}

fn request(name: &str, key: Vec<u8>, rest: impl IntoIterator<Item = Vec<u8>>) -> Option<OwnedRequest> {
    let arguments: Vec<Vec<u8>> = [name.as_bytes().to_vec(), key].into_iter().chain(rest).collect();
    OwnedRequest::new(&arguments)
}

/// `key element`
fn one(reply: BytesFrame, name: &str) -> Option<OwnedRequest> {
    let [key, element] = <[_; 2]>::try_from(texts(items(reply)?)?).ok()?;
    request(name, key, [element])
}

/// `key [element ...]`, the first taken first.
fn many(reply: BytesFrame, name: &str) -> Option<OwnedRequest> {
    let [key, elements] = <[_; 2]>::try_from(items(reply)?).ok()?;
    request(name, text(key)?, texts(items(elements)?.into_iter().rev())?)
}

/// BLPOP's.
pub(super) fn to_head(reply: BytesFrame) -> Option<OwnedRequest> {
    one(reply, "LPUSH")
}

/// BRPOP's.
pub(super) fn to_tail(reply: BytesFrame) -> Option<OwnedRequest> {
    one(reply, "RPUSH")
}

/// Those of BLMPOP from the left.
pub(super) fn many_to_head(reply: BytesFrame) -> Option<OwnedRequest> {
    many(reply, "LPUSH")
}

/// Those of BLMPOP from the right.
pub(super) fn many_to_tail(reply: BytesFrame) -> Option<OwnedRequest> {
    many(reply, "RPUSH")
}

/// BZPOPMIN's and BZPOPMAX's: `key member score`.
pub(super) fn scored(reply: BytesFrame) -> Option<OwnedRequest> {
    let [key, member, score] = <[_; 3]>::try_from(texts(items(reply)?)?).ok()?;
    request("ZADD", key, [score, member])
}

/// BZMPOP's: `key [[member score] ...]`.
pub(super) fn many_scored(reply: BytesFrame) -> Option<OwnedRequest> {
    let [key, pairs] = <[_; 2]>::try_from(items(reply)?).ok()?;
    let mut rest = Vec::new();
    for pair in items(pairs)? {
        let [member, score] = <[_; 2]>::try_from(texts(items(pair)?)?).ok()?;
        rest.extend([score, member]);
    }
    request("ZADD", text(key)?, rest)
}
