//! Hashes, lists, sets and sorted sets.

use std::time::Duration;

use bytes::Bytes;

use crate::embed::{Client, Result, Waiting};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEnd {
    /// The front.
    Left,
    /// The back.
    Right,
}

impl ListEnd {
    const fn word(self) -> &'static str {
        match self {
            ListEnd::Left => "LEFT",
            ListEnd::Right => "RIGHT",
        }
    }
}

/// The seconds of a blocking command; 0 is for ever, so that no time becomes the shortest.
fn seconds(timeout: Option<Duration>) -> f64 {
    timeout.map_or(0.0, |timeout| timeout.as_secs_f64().max(0.001))
}

#[allow(clippy::missing_errors_doc)] // The folder's text says it for all of them.
impl Client {
    /// `HSET` of one field: whether it is new.
    pub fn hset(&mut self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool> {
        self.command("HSET").arg(key).arg(field).arg(value).run()
    }

    /// `HSET` of several fields: how many are new.
    pub fn hset_all<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Result<u64> {
        let line = self.command("HSET").arg(key);
        fields.into_iter().fold(line, |line, (field, value)| line.arg(field).arg(value)).run()
    }

    /// `HGET`.
    pub fn hget(&mut self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.command("HGET").arg(key).arg(field).run()
    }

    /// `HGETALL`, in no particular order.
    pub fn hgetall(&mut self, key: impl AsRef<[u8]>) -> Result<Vec<(Bytes, Bytes)>> {
        self.command("HGETALL").arg(key).run()
    }

    /// `HINCRBY`.
    pub fn hincrby(&mut self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>, by: i64) -> Result<i64> {
        self.command("HINCRBY").arg(key).arg(field).integer(by).run()
    }

    /// `HDEL`: how many fields there were.
    pub fn hdel<F: AsRef<[u8]>>(&mut self, key: impl AsRef<[u8]>, fields: impl IntoIterator<Item = F>) -> Result<u64> {
        self.command("HDEL").arg(key).args(fields).run()
    }

    /// `LPUSH`: the new length.
    pub fn lpush<E: AsRef<[u8]>>(
        &mut self,
        key: impl AsRef<[u8]>,
        elements: impl IntoIterator<Item = E>,
    ) -> Result<u64> {
        self.command("LPUSH").arg(key).args(elements).run()
    }

    /// `RPUSH`: the new length.
    pub fn rpush<E: AsRef<[u8]>>(
        &mut self,
        key: impl AsRef<[u8]>,
        elements: impl IntoIterator<Item = E>,
    ) -> Result<u64> {
        self.command("RPUSH").arg(key).args(elements).run()
    }

    /// `LPOP`.
    pub fn lpop(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.command("LPOP").arg(key).run()
    }

    /// `RPOP`.
    pub fn rpop(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.command("RPOP").arg(key).run()
    }

    /// `LRANGE`: from `first` to `last`, both included; negative ones count from the end.
    pub fn lrange(&mut self, key: impl AsRef<[u8]>, first: i64, last: i64) -> Result<Vec<Bytes>> {
        self.command("LRANGE").arg(key).integer(first).integer(last).run()
    }

    /// `LLEN`.
    pub fn llen(&mut self, key: impl AsRef<[u8]>) -> Result<u64> {
        self.command("LLEN").arg(key).run()
    }

    /// `BLPOP`: the first element of the first list that has one, and its key; `None` when the time is over.
    ///
    /// ```
    /// # let server = pipkin::Server::open()?;
    /// # let (mut worker, mut client) = (server.client(), server.client());
    /// client.rpush("jobs", ["a", "b"])?;
    /// let (list, job) = worker.blpop(["jobs"], None).wait()?.expect("no time limit");
    /// // In async code, on any runtime: `worker.blpop(["jobs"], None).await?`
    /// # assert_eq!((list, job), ("jobs".into(), "a".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blpop<K: AsRef<[u8]>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
        timeout: Option<Duration>,
    ) -> Waiting<'_, Option<(Bytes, Bytes)>> {
        self.command("BLPOP").args(keys).float(seconds(timeout)).start()
    }

    /// `BRPOP`: as [`Client::blpop`], from the back.
    pub fn brpop<K: AsRef<[u8]>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
        timeout: Option<Duration>,
    ) -> Waiting<'_, Option<(Bytes, Bytes)>> {
        self.command("BRPOP").args(keys).float(seconds(timeout)).start()
    }

    /// `BLMOVE`: takes an element from one list to another. Where the future is dropped after it happened, the element
    /// is in `to`.
    pub fn blmove(
        &mut self,
        from: (impl AsRef<[u8]>, ListEnd),
        to: (impl AsRef<[u8]>, ListEnd),
        timeout: Option<Duration>,
    ) -> Waiting<'_, Option<Bytes>> {
        let line = self.command("BLMOVE").arg(from.0).arg(to.0).arg(from.1.word()).arg(to.1.word());
        line.float(seconds(timeout)).start()
    }

    /// `SADD`: how many are new.
    pub fn sadd<M: AsRef<[u8]>>(&mut self, key: impl AsRef<[u8]>, members: impl IntoIterator<Item = M>) -> Result<u64> {
        self.command("SADD").arg(key).args(members).run()
    }

    /// `SREM`: how many there were.
    pub fn srem<M: AsRef<[u8]>>(&mut self, key: impl AsRef<[u8]>, members: impl IntoIterator<Item = M>) -> Result<u64> {
        self.command("SREM").arg(key).args(members).run()
    }

    /// `SMEMBERS`, in no particular order.
    pub fn smembers(&mut self, key: impl AsRef<[u8]>) -> Result<Vec<Bytes>> {
        self.command("SMEMBERS").arg(key).run()
    }

    /// `SISMEMBER`.
    pub fn sismember(&mut self, key: impl AsRef<[u8]>, member: impl AsRef<[u8]>) -> Result<bool> {
        self.command("SISMEMBER").arg(key).arg(member).run()
    }

    /// `ZADD` of one member: whether it is new.
    pub fn zadd(&mut self, key: impl AsRef<[u8]>, score: f64, member: impl AsRef<[u8]>) -> Result<bool> {
        self.command("ZADD").arg(key).float(score).arg(member).run()
    }

    /// `ZRANGE` by rank, with scores: from `first` to `last`, both included; negative ones count from the end.
    pub fn zrange(&mut self, key: impl AsRef<[u8]>, first: i64, last: i64) -> Result<Vec<(Bytes, f64)>> {
        self.command("ZRANGE").arg(key).integer(first).integer(last).arg("WITHSCORES").run()
    }

    /// `ZSCORE`.
    pub fn zscore(&mut self, key: impl AsRef<[u8]>, member: impl AsRef<[u8]>) -> Result<Option<f64>> {
        self.command("ZSCORE").arg(key).arg(member).run()
    }

    /// `ZINCRBY`.
    pub fn zincrby(&mut self, key: impl AsRef<[u8]>, by: f64, member: impl AsRef<[u8]>) -> Result<f64> {
        self.command("ZINCRBY").arg(key).float(by).arg(member).run()
    }

    /// `ZREM`: how many there were.
    pub fn zrem<M: AsRef<[u8]>>(&mut self, key: impl AsRef<[u8]>, members: impl IntoIterator<Item = M>) -> Result<u64> {
        self.command("ZREM").arg(key).args(members).run()
    }

    /// `ZCARD`.
    pub fn zcard(&mut self, key: impl AsRef<[u8]>) -> Result<u64> {
        self.command("ZCARD").arg(key).run()
    }
}
