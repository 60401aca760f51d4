//! Keys of any type, and publishing.

use std::time::Duration;

use bytes::Bytes;

use crate::embed::{Client, Result};

#[allow(clippy::missing_errors_doc)] // The folder's text says it for all of them.
impl Client {
    /// `DEL`: how many keys there were.
    pub fn del<K: AsRef<[u8]>>(&mut self, keys: impl IntoIterator<Item = K>) -> Result<u64> {
        self.command("DEL").args(keys).run()
    }

    /// `TYPE`: `string`, `list`, `set`, `zset`, `hash` or `none`.
    pub fn type_of(&mut self, key: impl AsRef<[u8]>) -> Result<String> {
        self.command("TYPE").arg(key).run()
    }

    /// `PEXPIRE`: false if there is no key.
    pub fn expire(&mut self, key: impl AsRef<[u8]>, after: Duration) -> Result<bool> {
        self.command("PEXPIRE").arg(key).milliseconds(after).run()
    }

    /// `PERSIST`: whether there was a deadline to remove.
    pub fn persist(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.command("PERSIST").arg(key).run()
    }

    /// `PTTL`: how long the key has left; `None` for a key without a deadline, and for no key.
    pub fn ttl(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Duration>> {
        let left_ms: i64 = self.command("PTTL").arg(key).run()?;
        Ok(u64::try_from(left_ms).ok().map(Duration::from_millis))
    }

    /// `RENAME`.
    pub fn rename(&mut self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<()> {
        self.command("RENAME").arg(from).arg(to).run()
    }

    /// `SELECT`: the database of the calls that follow.
    pub fn select(&mut self, database: u32) -> Result<()> {
        self.command("SELECT").integer(i64::from(database)).run()
    }

    /// `DBSIZE`: keys of the selected database.
    pub fn dbsize(&mut self) -> Result<u64> {
        self.command("DBSIZE").run()
    }

    /// `FLUSHALL`.
    pub fn flushall(&mut self) -> Result<()> {
        self.command("FLUSHALL").run()
    }

    /// One step of `SCAN`: where to go on (0 at the end), and some keys.
    pub fn scan(&mut self, cursor: u64, pattern: impl AsRef<[u8]>, count: u32) -> Result<(u64, Vec<Bytes>)> {
        let line = self.command("SCAN").arg(cursor.to_string()).arg("MATCH").arg(pattern).arg("COUNT");
        let (next, keys): (i64, Vec<Bytes>) = line.integer(i64::from(count)).run()?;
        Ok((next.unsigned_abs(), keys))
    }

    /// `PUBLISH`: how many received it.
    pub fn publish(&mut self, channel: impl AsRef<[u8]>, message: impl AsRef<[u8]>) -> Result<u64> {
        self.command("PUBLISH").arg(channel).arg(message).run()
    }
}
