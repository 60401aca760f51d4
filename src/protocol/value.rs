//! Replies as values, for callers inside the process, and the slots of keys.
//!
//! The in-process API runs commands in RESP3 and hands out the frames of the `redis-protocol` crate, which a Rust
//! client library's users know already. Bulk strings within share the reply's memory.

use bytes::Bytes;
pub use redis_protocol::resp3::types::BytesFrame;
use redis_protocol::{resp2, resp3};

use super::error::CommandError;
use super::reply::Protocol;

/// Decodes the first value of a reply; `None` where it is incomplete or no RESP.
pub fn decode(reply: &Bytes, protocol: Protocol) -> Option<(BytesFrame, usize)> {
    match protocol {
        Protocol::Resp3 => resp3::decode::complete::decode_bytes(reply).ok()?,
        Protocol::Resp2 => {
            let (frame, len) = resp2::decode::decode_bytes(reply).ok()??;
            Some((frame.into_resp3(), len))
        }
    }
}

/// Decodes a reply that is one value, such as one command's.
///
/// # Errors
/// The error the command replied, or the remark that the bytes are no reply (which only a bug of ours produces).
pub fn decode_reply(reply: Vec<u8>, protocol: Protocol) -> Result<BytesFrame, CommandError> {
    let reply = Bytes::from(reply);
    match decode(&reply, protocol) {
        Some((BytesFrame::SimpleError { data, .. }, _)) => Err(CommandError::Custom(data.to_string().into())),
        Some((frame, len)) if len == reply.len() => Ok(frame),
        _ => Err(CommandError::UndecodableReply),
    }
}

/// The cluster slot of a key, 0 to 16383; of its hash tag where it has one.
pub fn hash_slot(key: &[u8]) -> u16 {
    redis_protocol::redis_keyslot(key)
}

#[cfg(test)]
mod tests;
