//! Transactions: read, decide, write, and all over again when somebody else was faster.

use super::{Client, Error, FromValue, Pipeline, Result, Value};

/// Attempts before a transaction gives up with [`Error::Contended`].
pub const CONFLICTS_MAX: usize = 10_000;

impl Client {
    /// Watches keys, lets `attempt` read with the client and queue writes, and executes these at once (`WATCH`, `MULTI`,
    /// `EXEC`). When a watched key changed meanwhile nothing is written, and `attempt` is called again.
    ///
    /// Returns what `attempt` returned last, and the replies of the queued commands.
    ///
    /// ```
    /// let server = pipkin::Server::open()?;
    /// let mut client = server.client();
    /// client.set("stock", "3")?;
    /// let (left, _) = client.transaction(&["stock"], |client, queued| -> pipkin::Result<i64> {
    ///     let left = client.get_as::<i64>("stock")?.unwrap_or(0) - 1;
    ///     queued.set("stock", left.to_string()).publish("sold", "one");
    ///     Ok(left)
    /// })?;
    /// assert_eq!(left, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What `attempt` returns; the first command that could not be queued; [`Error::Contended`].
    pub fn transaction<T, E: From<Error>, K: AsRef<[u8]>>(
        &mut self,
        watched: &[K],
        mut attempt: impl FnMut(&mut Client, &mut Pipeline) -> Result<T, E>,
    ) -> Result<(T, Vec<Result<Value>>), E> {
        for _ in 0..CONFLICTS_MAX {
            if !watched.is_empty() {
                self.command("WATCH").args(watched).run::<()>()?;
            }
            let mut queued = Pipeline::default();
            queued.call(&["MULTI"]);
            let decided = attempt(self, &mut queued).and_then(|decided| Ok((decided, queued.refusal()?)));
            let decided = match decided {
                Ok((decided, ())) if queued.len() > 1 => decided,
                other => {
                    self.call::<(), _>(&["UNWATCH"])?;
                    return other.map(|(decided, ())| (decided, Vec::new()));
                }
            };
            queued.call(&["EXEC"]);
            if let Some(replies) = executed(self.run_all(queued.encoded)?)? {
                return Ok((decided, replies));
            }
        }
        Err(Error::Contended(CONFLICTS_MAX).into())
    }
}

/// The replies of the queued commands; `None` where a watched key had changed.
fn executed(mut replies: Vec<Value>) -> Result<Option<Vec<Result<Value>>>> {
    let last = replies.pop().ok_or(Error::Closed)?;
    if let Some(refused) = replies.into_iter().find(|reply| matches!(reply, Value::SimpleError { .. })) {
        return Value::from_value(refused).map(|_| None);
    }
    match last {
        Value::Null => Ok(None),
        Value::Array { data, .. } => Ok(Some(data.into_iter().map(Value::from_value).collect())),
        other => Value::from_value(other).and_then(|other| Err(Error::Unexpected(Box::new(other)))),
    }
}
