//! Strings, counters and HyperLogLogs. GET, SET and EXISTS have their direct ways beside the client itself.

use std::time::Duration;

use bytes::Bytes;

use crate::embed::{Client, Error, FromValue, Result, Value};

/// Options of [`Client::set_with`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SetOptions {
    condition: Option<&'static str>,
    expiry: Option<(&'static str, Option<u64>)>,
}

impl SetOptions {
    /// None.
    pub fn new() -> SetOptions {
        SetOptions::default()
    }

    /// Only where there is no key (`NX`).
    pub fn if_missing(mut self) -> Self {
        self.condition = Some("NX");
        self
    }

    /// Only where there is one (`XX`).
    pub fn if_exists(mut self) -> Self {
        self.condition = Some("XX");
        self
    }

    /// The key expires after a time, of 1 ms at least (`PX`).
    pub fn expires_in(mut self, after: Duration) -> Self {
        self.expiry = Some(("PX", Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1))));
        self
    }

    /// The key expires at a Unix time in ms (`PXAT`).
    pub fn expires_at_ms(mut self, at_ms: u64) -> Self {
        self.expiry = Some(("PXAT", Some(at_ms)));
        self
    }

    /// The key keeps its deadline (`KEEPTTL`).
    pub fn keep_ttl(mut self) -> Self {
        self.expiry = Some(("KEEPTTL", None));
        self
    }
}

#[allow(clippy::missing_errors_doc)] // The folder's text says it for all of them.
impl Client {
    /// `SET` with options: false where a condition did not hold.
    pub fn set_with(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, options: SetOptions) -> Result<bool> {
        let mut line = self.command("SET").arg(key).arg(value).args(options.condition);
        if let Some((word, number)) = options.expiry {
            line = line.arg(word).args(number.map(|number| number.to_string()));
        }
        line.run()
    }

    /// `GET` in another type, such as `i64` or `String`.
    pub fn get_as<T: FromValue>(&mut self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        self.get(key)?.map(|data| T::from_value(Value::BlobString { data, attributes: None })).transpose()
    }

    /// `GETDEL`.
    pub fn getdel(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.command("GETDEL").arg(key).run()
    }

    /// `INCR`.
    pub fn incr(&mut self, key: impl AsRef<[u8]>) -> Result<i64> {
        self.command("INCR").arg(key).run()
    }

    /// `INCRBY`.
    pub fn incr_by(&mut self, key: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        self.command("INCRBY").arg(key).integer(by).run()
    }

    /// `DECR`.
    pub fn decr(&mut self, key: impl AsRef<[u8]>) -> Result<i64> {
        self.command("DECR").arg(key).run()
    }

    /// `DECRBY`.
    pub fn decr_by(&mut self, key: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        self.command("DECRBY").arg(key).integer(by).run()
    }

    /// `INCRBYFLOAT`.
    pub fn incr_by_float(&mut self, key: impl AsRef<[u8]>, by: f64) -> Result<f64> {
        self.command("INCRBYFLOAT").arg(key).float(by).run()
    }

    /// `APPEND`: the new length.
    pub fn append(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<u64> {
        self.command("APPEND").arg(key).arg(value).run()
    }

    /// `MGET`: one value or `None` for each key.
    pub fn mget<K: AsRef<[u8]>>(&mut self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Option<Bytes>>> {
        self.command("MGET").args(keys).run()
    }

    /// `MSET`: all of them at once.
    pub fn mset<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        pairs.into_iter().fold(self.command("MSET"), |line, (key, value)| line.arg(key).arg(value)).run()
    }

    /// `PFADD`: whether the estimate changed.
    pub fn pfadd<E: AsRef<[u8]>>(
        &mut self,
        key: impl AsRef<[u8]>,
        elements: impl IntoIterator<Item = E>,
    ) -> Result<bool> {
        self.command("PFADD").arg(key).args(elements).run()
    }

    /// `PFCOUNT` of the union.
    pub fn pfcount<K: AsRef<[u8]>>(&mut self, keys: impl IntoIterator<Item = K>) -> Result<u64> {
        self.command("PFCOUNT").args(keys).run()
    }

    /// `PING`, to see whether the instance is there.
    pub fn ping(&mut self) -> Result<()> {
        match self.command("PING").run::<Bytes>()? {
            text if text == "PONG" => Ok(()),
            data => Err(Error::Unexpected(Box::new(Value::BlobString { data, attributes: None }))),
        }
    }
}
