//! Several commands in one go.

use std::future::poll_fn;

use bytes::Bytes;

use super::client::is_of_connections;
use super::encode::Encoded;
use super::park::block_on;
use super::{Client, Error, FromValue, Result, Value};
use crate::base::number::format_i64;
use crate::protocol::reply::Protocol;
use crate::protocol::value::decode;

/// Commands that are run together, see [`Client::pipeline`] and [`Client::transaction`].
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    pub(super) encoded: Encoded,
    refused: Option<Error>,
}

impl Pipeline {
    /// Any command, its name first.
    pub fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> &mut Self {
        let words: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        if let Some(name) = is_of_connections(&words) {
            self.refused = Some(Error::OnlyOnConnections(name.into()));
        }
        self.encoded.command(&words);
        self
    }

    /// `GET`.
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"GET", key.as_ref()])
    }

    /// `SET`.
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"SET", key.as_ref(), value.as_ref()])
    }

    /// `DEL` of one key.
    pub fn del(&mut self, key: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"DEL", key.as_ref()])
    }

    /// `INCRBY`.
    pub fn incr_by(&mut self, key: impl AsRef<[u8]>, by: i64) -> &mut Self {
        self.call(&[b"INCRBY", key.as_ref(), &format_i64(by)])
    }

    /// `HSET` of one field.
    pub fn hset(&mut self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"HSET", key.as_ref(), field.as_ref(), value.as_ref()])
    }

    /// `RPUSH` of one element.
    pub fn rpush(&mut self, key: impl AsRef<[u8]>, element: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"RPUSH", key.as_ref(), element.as_ref()])
    }

    /// `PUBLISH`.
    pub fn publish(&mut self, channel: impl AsRef<[u8]>, message: impl AsRef<[u8]>) -> &mut Self {
        self.call(&[b"PUBLISH", channel.as_ref(), message.as_ref()])
    }

    /// Number of commands.
    pub fn len(&self) -> usize {
        self.encoded.commands
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Why it cannot be run, if so.
    pub(super) fn refusal(&self) -> Result<()> {
        self.refused.clone().map_or(Ok(()), Err)
    }
}

impl Client {
    /// Runs the commands that `fill` adds, as one batch: their memory is fetched ahead, the locks of the instance are
    /// entered once. Others' commands may run between them. Each has its own reply or error.
    ///
    /// ```
    /// let server = pipkin::Server::open()?;
    /// let replies = server.client().pipeline(|batch| {
    ///     batch.set("a", "1").incr_by("a", 2).get("a");
    /// })?;
    /// assert_eq!(replies.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Closed`], or a command that cannot be sent at all; then none has run.
    pub fn pipeline(&mut self, fill: impl FnOnce(&mut Pipeline)) -> Result<Vec<Result<Value>>> {
        let mut pipeline = Pipeline::default();
        fill(&mut pipeline);
        pipeline.refusal()?;
        let values = self.run_all(pipeline.encoded)?;
        Ok(values.into_iter().map(Value::from_value).collect())
    }

    /// Runs encoded commands; one that has to wait parks the thread.
    pub(super) fn run_all(&mut self, encoded: Encoded) -> Result<Vec<Value>> {
        let (end, commands) = (encoded.bytes().ok_or(Error::TooLong)?.len(), encoded.commands);
        self.encoded = encoded;
        let (mut at, mut out) = (0, Vec::new());
        while at < end {
            at = self.run_encoded(at, &mut out)?;
            if self.session.blocked.is_some() {
                out.extend(block_on(poll_fn(|cx| self.poll_blocked(cx)))?);
            }
        }
        decode_all(out, self.session.protocol, commands)
    }
}

fn decode_all(out: Vec<u8>, protocol: Protocol, count: usize) -> Result<Vec<Value>> {
    let mut rest = Bytes::from(out);
    let mut values = Vec::with_capacity(count);
    while !rest.is_empty() {
        let (value, len) = decode(&rest, protocol).ok_or(Error::Closed)?;
        values.push(value);
        rest = rest.split_off(len);
    }
    Ok(values)
}
