//! What an acknowledgement waits for, and what has to wait before it may write at all.
//!
//! With `appendfsync always` the replies of a batch leave when the log is on the disk up to the newest record of every
//! shard that the batch touched: what a reader was told, no power loss takes back. A batch notes where the replies of
//! its own writes are; when the log fails first, they are replaced by MISCONF. Such a write has run in memory and may or
//! may not survive: like after a lost connection, the client does not know. Reads are served on, from memory.
//!
//! A disk that does not keep up raises [`Hindrance::LogBehind`]. From then on each write asks the log before it locks
//! anything, waits, and is refused when that takes too long; the first that may go lifts it.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::Persistence;
use crate::engine::instance::{Engine, Hindrance};
use crate::persist::aof::log::{Admission, Admit, FsyncPolicy, Log, LogError, Position, Synced};
use crate::protocol::error::CommandError;
use crate::protocol::reply::{Protocol, Reply};
use crate::store::keys::Tally;

/// Replies that wait until the log is synced.
pub struct HeldBack {
    log: Arc<Log>,
    synced: Synced,
    /// The position behind the batch's own writes.
    written: Position,
    /// Where in the output the replies of those are, ascending.
    replies: Vec<Range<usize>>,
    protocol: Protocol,
}

impl HeldBack {
    /// Waits until `out`, which holds the replies, may be sent. Where the log failed, the replies of writes that may be
    /// lost are replaced.
    pub fn poll(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        Pin::new(&mut self.synced).poll(cx).map(|outcome| {
            if let Err(error) = outcome
                && self.log.synced() < self.written
            {
                self.refuse(&error, out);
            }
        })
    }

    #[cold]
    fn refuse(&self, error: &LogError, out: &mut Vec<u8>) {
        let mut reply = Reply::new(self.protocol);
        reply.error(&misconf(error));
        let (refused, mut told, mut from) = (reply.take(), Vec::with_capacity(out.len()), 0);
        for range in &self.replies {
            told.extend_from_slice(out.get(from..range.start).unwrap_or_default());
            told.extend_from_slice(&refused);
            from = range.end;
        }
        told.extend_from_slice(out.get(from..).unwrap_or_default());
        *out = told;
    }
}

impl std::fmt::Debug for HeldBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldBack").field("synced", &self.synced.position()).field("written", &self.written).finish()
    }
}

/// What a write is told while the log cannot be written.
pub fn misconf(error: &LogError) -> CommandError {
    CommandError::Misconf(error.cause().into())
}

impl Persistence {
    /// Whether replies wait until what they tell is on the disk (`appendfsync always`).
    #[inline]
    pub fn holds_replies(&self) -> bool {
        self.holds_replies.load(Ordering::Relaxed)
    }

    /// Looks again whether they do.
    pub(super) fn note_policy(&self) {
        let holds = self.log().is_some_and(|log| log.policy() == FsyncPolicy::Always);
        self.holds_replies.store(holds, Ordering::Relaxed);
    }

    /// What a batch with these counts has to wait for before its replies leave, if anything; `replies` says where those
    /// of its writes are. The batch has left the keyspace.
    pub fn hold_back(&self, tally: &Tally, replies: Vec<Range<usize>>, protocol: Protocol) -> Option<Box<HeldBack>> {
        let log = self.log().filter(|_| tally.position > 0)?;
        let position = log.position_at(tally.position);
        // While the log is latched, reads are served.
        if log.synced() >= position || (tally.written == 0 && log.is_failed()) {
            return None;
        }
        log.nudge();
        let (synced, written) = (log.synced_by(position), log.position_at(tally.written));
        Some(Box::new(HeldBack { log, synced, written, replies, protocol }))
    }

    /// A typed call has written.
    #[inline]
    pub fn nudge(&self) {
        if self.holds_replies()
            && let Some(log) = self.log()
        {
            log.nudge();
        }
    }

    /// What becomes of everything before a position of the log; `None` without a log.
    pub fn synced_by(&self, written: u64) -> Option<Synced> {
        let log = self.log()?;
        Some(log.synced_by(log.position_at(written)))
    }

    /// Whether a write may begin; to be asked while [`Hindrance::LogBehind`] is there.
    #[cold]
    pub fn admit(&self, engine: &Engine) -> Admit {
        let admit = self.log().map_or(Admit::Go, |log| log.admit(engine.clock.now_ms()));
        if admit == Admit::Go {
            engine.hinder(Hindrance::LogBehind, false);
        }
        admit
    }

    /// Waits until the log admits.
    pub fn admission(&self) -> Option<Admission> {
        self.log().map(|log| log.admission())
    }

    /// Blocks the thread until the log admits, or refuses: the gates say which.
    #[cold]
    pub fn wait_for_admission(&self) {
        if let Some(admission) = self.admission() {
            admission.wait().ok();
        }
    }

    /// Why the log refuses.
    pub fn refusal(&self, engine: &Engine) -> CommandError {
        match self.log() {
            Some(log) => misconf(&log.failure().unwrap_or_else(|| log.refusal(engine.clock.now_ms()))),
            None => misconf(&LogError::Closed),
        }
    }

    /// Looks whether the log is behind, and whether somebody has waited for too long; to be called a few times a second
    /// by a thread that writes to no disk.
    pub fn tick(&self, engine: &Engine, now_ms: u64) {
        let Some(log) = self.log() else { return };
        if !log.is_failed() && log.is_behind(now_ms) {
            engine.hinder(Hindrance::LogBehind, true);
        }
        log.tick(now_ms);
    }
}

#[cfg(test)]
mod tests;
