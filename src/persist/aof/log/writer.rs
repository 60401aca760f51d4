//! The thread that writes and syncs the log.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::front::{Asleep, Front, Piece};
use super::{FsyncPolicy, LogError, Shared};
use crate::base::clock::Stopwatch;
use crate::base::limits::LOG_SYNC_BYTES;
use crate::persist::storage::File;

/// With `everysec`: age of the oldest unsynced record when the sync begins.
const SYNC_AFTER_MS: u64 = 1_000;

pub(super) struct Writer {
    shared: Arc<Shared>,
    file: Box<dyn File>,
    /// Bytes that were written to the file since its last sync.
    unsynced_bytes: u64,
    /// The log has failed, and there is no new file yet.
    has_failed: bool,
    /// What is written does not count yet: the rewrite of a failed log is not through.
    recovering: bool,
}

enum Work {
    Write(VecDeque<Piece>),
    Sync,
    Sleep(Option<u64>),
    End,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, file: Box<dyn File>) -> Writer {
        Writer { shared, file, unsynced_bytes: 0, has_failed: false, recovering: false }
    }

    pub(super) fn run(mut self) {
        // Also when this thread panics, nobody is left waiting.
        let latch = Latch(Arc::clone(&self.shared));
        loop {
            let outcome = match self.next() {
                Work::Write(pieces) => self.write(pieces),
                Work::Sync => self.sync(),
                Work::Sleep(deadline_ms) => {
                    self.shared.clock.wait(deadline_ms, &self.shared.signal);
                    Ok(())
                }
                Work::End => break,
            };
            if let Err(error) = outcome {
                tracing::error!("{error}; writes are refused until a rewrite has succeeded");
                self.has_failed = true;
                self.unsynced_bytes = 0;
                self.shared.fail(error);
            }
        }
        drop(latch);
    }

    fn is_dirty(&self) -> bool {
        self.unsynced_bytes > 0
    }

    fn next(&mut self) -> Work {
        let shared = &*self.shared;
        let policy = shared.policy();
        let mut front = shared.front.lock();
        front.asleep = Asleep::No;
        self.recovering = front.recovering.is_some();
        let now_ms = shared.clock.now_ms();
        let has_records = !front.is_empty();
        let write_at = has_records.then(|| front.since_ms.saturating_add(self.delay_ms(policy)));
        if self.unsynced_bytes >= LOG_SYNC_BYTES && policy == FsyncPolicy::EverySecond {
            return Work::Sync;
        }
        let is_pressing = front.is_pressing() || front.hurries || front.closing;
        if has_records && (is_pressing || write_at.is_some_and(|at| at <= now_ms)) {
            return Work::Write(front.take());
        }
        if self.has_failed {
            return Self::sleep(&mut front, None);
        }
        let must_sync = self.must_sync(&front, policy);
        if must_sync {
            return Work::Sync;
        }
        let sync_at = (policy == FsyncPolicy::EverySecond && self.is_dirty())
            .then(|| shared.pending_since_ms.load(Ordering::Acquire).saturating_add(SYNC_AFTER_MS));
        if sync_at.is_some_and(|at| at <= now_ms) {
            return Work::Sync;
        }
        Self::sleep(&mut front, [write_at, sync_at].into_iter().flatten().min())
    }

    fn sleep(front: &mut Front, deadline_ms: Option<u64>) -> Work {
        if front.closing {
            return Work::End;
        }
        front.asleep = if front.is_empty() { Asleep::Idle } else { Asleep::Gathering };
        if front.asleep == Asleep::Idle {
            front.rest();
        }
        Work::Sleep(deadline_ms)
    }

    /// Whether to sync now, whatever the time.
    fn must_sync(&self, front: &Front, policy: FsyncPolicy) -> bool {
        let synced = self.shared.synced.load(Ordering::Acquire);
        let is_wanted = front.closing || (policy == FsyncPolicy::Always && !self.recovering);
        // What was recovered counts as dirty until it is published.
        (self.is_dirty() && is_wanted) || (front.flush_to > synced && !self.recovering)
    }

    /// How long records may wait for company.
    fn delay_ms(&self, policy: FsyncPolicy) -> u64 {
        let options = &self.shared.options;
        match policy {
            // A manual clock may stand still for ever.
            _ if self.shared.clock.is_manual() => 0,
            FsyncPolicy::Always => options.gather_ms,
            _ => options.write_delay_ms,
        }
    }

    fn write(&mut self, pieces: VecDeque<Piece>) -> Result<(), LogError> {
        for piece in pieces {
            match piece {
                // What a failed file did not get is in the rewrite, or dropped with the log.
                Piece::Bytes(_) if self.has_failed => {}
                Piece::Bytes(bytes) => self.write_bytes(bytes)?,
                Piece::Switch { file, position, recovers } => self.switch(file, position, recovers)?,
            }
        }
        if !self.has_failed && self.shared.policy() == FsyncPolicy::No {
            self.settle(!self.is_dirty());
        }
        Ok(())
    }

    fn write_bytes(&mut self, bytes: Vec<u8>) -> Result<(), LogError> {
        let shared = &*self.shared;
        let count = bytes.len() as u64;
        self.unsynced_bytes += count;
        let latency = shared.latency.get();
        let watch = latency.and_then(|latency| latency.watch());
        self.file.write_all(&bytes).map_err(|error| LogError::Write(Arc::new(error)))?;
        if let Some(latency) = latency {
            latency.note_watch("aof-write", &shared.clock, watch);
        }
        shared.written.fetch_add(count, Ordering::AcqRel);
        shared.file_bytes.fetch_add(count, Ordering::Relaxed);
        shared.front.lock().give_back(bytes);
        if shared.waiting.has_admissions() && shared.backlog() < shared.options.backlog_bytes_max {
            shared.waiting.wake_admissions();
        }
        Ok(())
    }

    fn switch(&mut self, file: Box<dyn File>, position: u64, recovers: bool) -> Result<(), LogError> {
        if !recovers && self.has_failed {
            // The log failed between the call and now: the new file would lack what the old one lost.
            return Ok(());
        }
        if !recovers && self.is_dirty() {
            self.sync()?;
        }
        self.file = file;
        self.unsynced_bytes = 0;
        self.has_failed = false;
        self.shared.file_bytes.store(0, Ordering::Relaxed);
        self.shared.written.fetch_max(position, Ordering::AcqRel);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), LogError> {
        let shared = Arc::clone(&self.shared);
        let watch = Stopwatch::start();
        self.file.sync_data().map_err(|error| LogError::Sync(Arc::new(error)))?;
        let took_ns = watch.elapsed_ns();
        let event = if shared.policy() == FsyncPolicy::Always { "aof-fsync-always" } else { "aof-fsync" };
        if let Some(latency) = shared.latency.get() {
            latency.note(event, &shared.clock, took_ns);
        }
        let took_us = took_ns / 1000;
        let counters = &shared.counters;
        counters.syncs.fetch_add(1, Ordering::Relaxed);
        counters.last_sync_us.store(took_us, Ordering::Relaxed);
        counters.longest_sync_us.fetch_max(took_us, Ordering::Relaxed);
        self.unsynced_bytes = 0;
        self.settle(true);
        Ok(())
    }

    /// Everything written is as safe as the policy wants it; `synced`: and on the disk.
    fn settle(&self, synced: bool) {
        let shared = &*self.shared;
        let front = shared.front.lock();
        shared.pending_since_ms.store(front.since_ms, Ordering::Release);
        drop(front);
        if self.recovering {
            return;
        }
        if synced {
            shared.synced.fetch_max(shared.written.load(Ordering::Acquire), Ordering::AcqRel);
        }
        shared.waiting.wake_synced(shared.synced.load(Ordering::Acquire));
        shared.waiting.wake_admissions();
    }
}

/// Latches the log when the writer ends.
struct Latch(Arc<Shared>);

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.fail(LogError::Closed);
    }
}
