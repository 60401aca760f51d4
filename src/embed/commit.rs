//! Commit tokens: waiting until a write is on the disk.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Client, Error, Result};
use crate::engine::persistence::commit::misconf;
use crate::persist::aof::log::Synced;

/// Stands for everything that a client has written so far; made by [`Client::commit_token`].
///
/// Await it on any runtime, or block with [`CommitToken::wait`]; dropping it changes nothing. Whoever waits has the log
/// synced at once, whatever `appendfsync` says, and one sync serves all who wait.
#[must_use = "a token only says something when it is asked"]
pub struct CommitToken(Option<Synced>);

impl CommitToken {
    /// Whether the writes are on the disk by now.
    pub fn is_durable(&self) -> bool {
        self.0.as_ref().and_then(Synced::outcome).is_some_and(|outcome| outcome.is_ok())
    }

    /// Blocks the thread until the writes are on the disk.
    ///
    /// # Errors
    /// `MISCONF` where the append-only file failed: the writes have run, and may be lost with the process.
    /// [`Error::NotLogged`] without an append-only file.
    pub fn wait(self) -> Result<()> {
        let outcome = self.0.ok_or(Error::NotLogged)?.wait();
        outcome.map_err(|error| misconf(&error).into())
    }
}

impl Future for CommitToken {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(synced) = &mut self.0 else { return Poll::Ready(Err(Error::NotLogged)) };
        let outcome = ready!(Pin::new(synced).poll(cx));
        Poll::Ready(outcome.map_err(|error| misconf(&error).into()))
    }
}

impl std::fmt::Debug for CommitToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommitToken").field("is_durable", &self.is_durable()).finish()
    }
}

impl Client {
    /// A token for everything that this client has written so far. Calls return when the write is in memory and queued
    /// for the append-only file, with `appendfsync always` too; the token says when it survives a power loss.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("pipkin-commit-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// let server = pipkin::Server::builder().dir(&dir).append_only(true).open()?;
    /// let mut client = server.client();
    /// client.set("order:1", "paid")?;
    /// client.commit_token().wait()?; // or `.await`, on any runtime
    /// # drop((client, server));
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_token(&self) -> CommitToken {
        CommitToken(self.shared.engine.persistence.synced_by(self.session.written))
    }
}
