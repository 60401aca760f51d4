//! The append side of the log: records go into a buffer in memory, one thread writes and syncs it.
//!
//! ```text
//! append (locks held)      writer thread                         waiters
//! front: current piece --> pieces --> file --> fdatasync    -->  wakers, blocked threads
//!        `end`                        `written`   `synced`
//! ```
//!
//! Positions count the bytes appended since the log was opened; the order of `append` is the order of the file. An
//! append never does I/O and never waits for the writer: who is about to append asks [`Log::admit`] first, before it
//! takes any lock, so that the buffer is bounded by the limit and what was admitted below it.
//!
//! - `always`: the writer syncs as soon as there is something, and everybody whose record was there before it began is
//!   served by the one sync. A first record that finds it asleep wakes it, but it waits a moment
//!   ([`LOG_GATHER_MS`]) for [`Log::nudge`], the end of that batch.
//! - `everysec`: records are written after [`LOG_WRITE_DELAY_MS`] or when a piece is full, and synced a second after
//!   the oldest of them, or when [`LOG_SYNC_BYTES`](crate::base::limits::LOG_SYNC_BYTES) are written. Beyond two seconds nothing more is admitted.
//! - `no`: as before, but the system decides when to sync.
//!
//! **Failure.** After an error of a write or a sync nothing is known about the end of the file, whatever later calls
//! say. The log is latched: records are dropped, waiters get the error, nothing is admitted. The way out is a full
//! rewrite: [`Log::rotate`] to a new file at the moment of its snapshot, from which on records are kept again, and
//! [`Log::recovered`] once the rewrite is durable. Until then the new file alone is no log, so nothing is admitted.

mod front;
mod waiting;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

use self::front::{Asleep, Front, Piece};
use self::waiting::Waiting;
pub use self::waiting::{Admission, Synced};
use super::record::Records;
use crate::base::clock::{Clock, Signal};
use crate::base::latency_monitor::LatencyMonitor;
use crate::base::limits::{
    LOG_BACKLOG_BYTES_MAX, LOG_GATHER_MS, LOG_STALL_MS_MAX, LOG_UNSYNCED_AGE_MS_MAX, LOG_WRITE_DELAY_MS,
};
use crate::base::lock::SpinMutex;
use crate::persist::storage::File;

/// A place in the log, in bytes since it was opened: everything appended before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

impl Position {
    /// Before the first record.
    pub const START: Position = Position(0);

    /// The number of bytes.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

/// When the log is synced (`appendfsync`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FsyncPolicy {
    /// As soon as there is something.
    Always,
    /// A second after the oldest unsynced record.
    EverySecond,
    /// When the system does it.
    No,
}

/// How a log behaves.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// When to sync.
    pub policy: FsyncPolicy,
    /// Whether to write the time into the log, once a second (`aof-timestamp-enabled`).
    pub timestamps: bool,
    /// With so many bytes unwritten, nothing more is admitted.
    pub backlog_bytes_max: u64,
    /// With `everysec` and records unsynced for so long, nothing more is admitted.
    pub unsynced_age_ms_max: u64,
    /// When nothing was admitted for so long, who waits is refused. Counted from when somebody first saw that: time that
    /// jumps, as a manual clock's does, is no fault of the disk.
    pub stall_ms_max: u64,
    /// How long records may stay in memory, unless the policy is `always`.
    pub write_delay_ms: u64,
    /// With `always`: how long the writer waits for the end of a batch.
    pub gather_ms: u64,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            policy: FsyncPolicy::EverySecond,
            timestamps: false,
            backlog_bytes_max: LOG_BACKLOG_BYTES_MAX,
            unsynced_age_ms_max: LOG_UNSYNCED_AGE_MS_MAX,
            stall_ms_max: LOG_STALL_MS_MAX,
            write_delay_ms: LOG_WRITE_DELAY_MS,
            gather_ms: LOG_GATHER_MS,
        }
    }
}

/// Whether a command that writes may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// It may.
    Go,
    /// The disk is behind: ask again later, see [`Log::admission`].
    Wait,
    /// The log has failed, or the disk is behind for too long.
    Refused,
}

/// Why a log gives no answer; `Display` says what happened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// Writing failed.
    #[error("writing the append-only file failed: {0}")]
    Write(Arc<io::Error>),
    /// Syncing failed.
    #[error("syncing the append-only file failed: {0}")]
    Sync(Arc<io::Error>),
    /// The disk does not keep up.
    #[error("the disk has not taken the append-only file's records for {0} ms")]
    Stalled(u64),
    /// The log was closed.
    #[error("the append-only file is closed")]
    Closed,
}

impl LogError {
    /// What happened, without saying where.
    pub fn cause(&self) -> String {
        match self {
            LogError::Write(error) | LogError::Sync(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// Told when the log fails (true) and when it has recovered.
pub type FailureHook = Box<dyn Fn(bool) + Send + Sync>;

/// The moment of a switch to another file, see [`Log::rotate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Records before it are in the old file, later ones in the new.
    pub position: Position,
    /// Whether the log had failed: then the old file is not whole, and [`Log::recovered`] has to follow.
    pub recovers: bool,
}

/// Figures of a log since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Bytes appended.
    pub appended_bytes: u64,
    /// Bytes in memory that are not written.
    pub backlog_bytes: u64,
    /// Bytes that may not survive a power loss.
    pub unsynced_bytes: u64,
    /// Size of the file in use.
    pub file_bytes: u64,
    /// Number of syncs.
    pub syncs: u64,
    /// How long the last one took, in microseconds.
    pub last_sync_us: u64,
    /// How long the longest took.
    pub longest_sync_us: u64,
    /// How often somebody was told to wait.
    pub waits: u64,
    /// How often somebody was refused.
    pub refusals: u64,
}

/// The log; shared by all threads that append.
pub struct Log {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What appenders, the writer and waiters share.
struct Shared {
    front: CachePadded<SpinMutex<Front>>,
    /// Mirror of `front.end`, to be read without its lock.
    end: CachePadded<AtomicU64>,
    /// Time of the oldest record that is not as safe as the policy wants it; 0 for none. Written under `front`.
    pending_since_ms: AtomicU64,
    /// When somebody first saw that nothing can be admitted; 0 while it can.
    behind_since_ms: AtomicU64,
    written: CachePadded<AtomicU64>,
    synced: AtomicU64,
    file_bytes: AtomicU64,
    /// Latched by a failure; read by everybody who writes.
    failed: AtomicBool,
    failure: Mutex<Option<LogError>>,
    failure_hook: OnceLock<FailureHook>,
    latency: OnceLock<Arc<LatencyMonitor>>,
    waiting: Waiting,
    policy: AtomicU8,
    timestamps: AtomicBool,
    options: LogOptions,
    clock: Clock,
    signal: Signal,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    syncs: AtomicU64,
    last_sync_us: AtomicU64,
    longest_sync_us: AtomicU64,
    waits: AtomicU64,
    refusals: AtomicU64,
}

impl Log {
    /// A log that goes on at the end of `file`, which has `file_bytes` bytes and ends with a whole record.
    ///
    /// # Errors
    /// When the writer's thread cannot be started.
    pub fn open(file: Box<dyn File>, file_bytes: u64, options: LogOptions, clock: Clock) -> io::Result<Log> {
        let shared = Arc::new(Shared {
            front: CachePadded::new(SpinMutex::new(Front::new())),
            end: CachePadded::default(),
            pending_since_ms: AtomicU64::new(0),
            behind_since_ms: AtomicU64::new(0),
            written: CachePadded::default(),
            synced: AtomicU64::new(0),
            file_bytes: AtomicU64::new(file_bytes),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            failure_hook: OnceLock::new(),
            latency: OnceLock::new(),
            waiting: Waiting::default(),
            policy: AtomicU8::new(options.policy as u8),
            timestamps: AtomicBool::new(options.timestamps),
            options,
            clock,
            signal: Signal::new(),
            counters: Counters::default(),
        });
        let writer = writer::Writer::new(Arc::clone(&shared), file);
        let thread = std::thread::Builder::new().name("pipkin-log".into()).spawn(move || writer.run())?;
        Ok(Log { shared, writer: Mutex::new(Some(thread)) })
    }

    /// Appends what `write` writes, and returns the position behind it. `database` is the one of the first record.
    ///
    /// Called while the locks of the keys are held: takes a mutex for as long as `write` runs, and does no I/O. After a
    /// failure the records are dropped, and waiting for the position gives the error.
    #[inline]
    pub fn append(&self, database: u32, write: impl FnOnce(&mut Records<'_>)) -> Position {
        self.shared.append(database, false, write)
    }

    /// As [`Log::append`], for records that take effect together or not at all: MULTI and EXEC go around them.
    #[inline]
    pub fn append_transaction(&self, database: u32, write: impl FnOnce(&mut Records<'_>)) -> Position {
        self.shared.append(database, true, write)
    }

    /// Says that a batch has ended: with `always` the writer need not wait for more. Call it after the locks are
    /// released; it is cheap when there is nothing to do.
    #[inline]
    pub fn nudge(&self) {
        if self.policy() == FsyncPolicy::Always && self.shared.end.load(Ordering::Relaxed) != self.written().0 {
            self.shared.hurry();
        }
    }

    /// Has `hook` called when the log fails, before anybody who waits for it is told, and when it has recovered; being
    /// closed is no failure. Only the first call has an effect.
    pub fn on_failure(&self, hook: FailureHook) {
        self.shared.failure_hook.set(hook).ok();
    }

    /// Has slow writes and syncs noted.
    pub fn note_slow(&self, monitor: Arc<LatencyMonitor>) {
        self.shared.latency.set(monitor).ok();
    }

    /// Whether so much is not written yet that [`Log::admit`] has to be asked.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.shared.backlog() >= self.shared.options.backlog_bytes_max
    }

    /// As [`Log::is_full`], or something is unsynced for so long.
    pub fn is_behind(&self, now_ms: u64) -> bool {
        self.shared.behind_since_ms(now_ms).is_some()
    }

    /// Why [`Log::admit`] refuses.
    pub fn refusal(&self, now_ms: u64) -> LogError {
        self.shared.refusal(now_ms)
    }

    /// The place of which [`Position::as_u64`] is this; at most the end of the log.
    pub fn position_at(&self, bytes: u64) -> Position {
        Position(bytes).min(self.end())
    }

    /// Whether a command that writes may begin now. To be asked before it takes any lock.
    #[inline]
    pub fn admit(&self, now_ms: u64) -> Admit {
        self.shared.admit(now_ms)
    }

    /// Waits until [`Log::admit`] would let it go: a future that can also be waited for without a runtime.
    pub fn admission(&self) -> Admission {
        Admission::new(Arc::clone(&self.shared))
    }

    /// Looks whether somebody has waited for too long; to be called a few times a second.
    pub fn tick(&self, now_ms: u64) {
        if self.shared.waiting.has_admissions() && self.shared.admit(now_ms) != Admit::Wait {
            self.shared.waiting.wake_admissions();
        }
    }

    /// Waits until everything before `position` is synced: a future that can also be waited for without a runtime.
    /// Where the policy would sync later or never, it is synced as soon as somebody waits.
    pub fn synced_by(&self, position: Position) -> Synced {
        Synced::new(Arc::clone(&self.shared), position)
    }

    /// Blocks until everything before `position` is synced.
    ///
    /// # Errors
    /// When the log fails before that, or has failed.
    pub fn wait_synced(&self, position: Position) -> Result<(), LogError> {
        self.nudge();
        self.shared.waiting.block(|| self.shared.outcome(position))
    }

    /// Writes and syncs everything appended so far, whatever the policy, and blocks until it is done.
    ///
    /// # Errors
    /// As [`Log::wait_synced`].
    pub fn flush(&self) -> Result<Position, LogError> {
        let position = self.shared.request_flush();
        self.shared.waiting.block(|| self.shared.outcome(position)).map(|()| position)
    }

    /// Switches to another, empty file, and returns the moment. Does no I/O: the writer brings the old file to its end,
    /// syncs it, and then begins with the new one. Called while the keyspace is held exclusively.
    ///
    /// `recovers` says whether the log is known to have failed. `None` where it is not so: the log has failed since,
    /// and the rewrite has to begin again, because its new file is not to stand behind one that is not whole.
    pub fn rotate(&self, file: Box<dyn File>, recovers: bool) -> Option<Rotation> {
        self.shared.rotate(file, recovers)
    }

    /// Takes the latch off: the rewrite whose snapshot was taken at `rotation` is durable. False when that is not what
    /// the log waits for, because it failed again since, or had not failed at the rotation.
    pub fn recovered(&self, rotation: Rotation) -> bool {
        self.shared.recovered(rotation)
    }

    /// Everything appended so far.
    #[inline]
    pub fn end(&self) -> Position {
        Position(self.shared.end.load(Ordering::Acquire))
    }

    /// What the system has: it survives the end of the process.
    pub fn written(&self) -> Position {
        Position(self.shared.written.load(Ordering::Acquire))
    }

    /// What is on the disk: it survives a power loss.
    #[inline]
    pub fn synced(&self) -> Position {
        Position(self.shared.synced.load(Ordering::Acquire))
    }

    /// Bytes in memory that are not written yet.
    pub fn backlog(&self) -> u64 {
        self.shared.backlog()
    }

    /// Age of the oldest record that is not yet as safe as the policy wants it, in milliseconds; 0 when there is none.
    /// With `no` a record is as safe as wanted when it is written.
    pub fn unsynced_age_ms(&self, now_ms: u64) -> u64 {
        self.shared.age_ms(now_ms)
    }

    /// The error that latched the log, if one did.
    pub fn failure(&self) -> Option<LogError> {
        if self.is_failed() { self.shared.failure.lock().clone() } else { None }
    }

    /// Whether the log is latched.
    #[inline]
    pub fn is_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Acquire)
    }

    /// When it syncs.
    #[inline]
    pub fn policy(&self) -> FsyncPolicy {
        self.shared.policy()
    }

    /// Changes when it syncs; what is there already is treated as the new policy says.
    pub fn set_policy(&self, policy: FsyncPolicy) {
        self.shared.policy.store(policy as u8, Ordering::Release);
        self.shared.signal.raise();
    }

    /// Changes whether the time is written into the log.
    pub fn set_timestamps(&self, timestamps: bool) {
        self.shared.timestamps.store(timestamps, Ordering::Relaxed);
    }

    /// Figures since it was opened.
    pub fn stats(&self) -> LogStats {
        self.shared.stats()
    }

    /// Writes and syncs everything, and ends the writer. What is appended later is dropped.
    ///
    /// # Errors
    /// When not everything is safe.
    pub fn close(&self) -> Result<(), LogError> {
        let Some(thread) = self.writer.lock().take() else { return Ok(()) };
        let before = self.failure();
        self.shared.front.lock().closing = true;
        self.shared.signal.raise();
        if thread.thread().id() == std::thread::current().id() {
            // The writer itself let go of the log last, in a hook: it ends when it has returned from there.
            return Ok(());
        }
        if thread.join().is_err() {
            return Err(LogError::Closed);
        }
        match before.or_else(|| self.failure()) {
            None | Some(LogError::Closed) => Ok(()),
            Some(error) => Err(error),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!("{error}; the records of the last moments may be lost");
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("policy", &self.policy()).field("stats", &self.stats()).finish()
    }
}

impl Shared {
    #[inline]
    fn append(&self, database: u32, is_transaction: bool, write: impl FnOnce(&mut Records<'_>)) -> Position {
        let mut guard = self.front.lock();
        let front = &mut *guard;
        if front.discards {
            return self.discard(front);
        }
        if self.timestamps.load(Ordering::Relaxed) {
            front.annotate(self.clock.now_ms());
        }
        let mut records = Records::new(&mut front.current, &mut front.database, database, is_transaction);
        write(&mut records);
        front.end += records.finish() as u64;
        let end = front.end;
        if front.since_ms == 0 && !front.current.is_empty() {
            self.first_of_batch(front);
        }
        self.end.store(end, Ordering::Release);
        let wake = front.needs_wake();
        drop(guard);
        if wake {
            self.signal.raise();
        }
        Position(end)
    }

    /// Makes the position one that never becomes synced before the log recovers.
    #[cold]
    fn discard(&self, front: &mut Front) -> Position {
        front.end += 1;
        self.end.store(front.end, Ordering::Release);
        Position(front.end)
    }

    /// Notes the time of the first record of a batch.
    #[cold]
    fn first_of_batch(&self, front: &mut Front) {
        front.since_ms = self.clock.now_ms().max(1);
        if self.pending_since_ms.load(Ordering::Relaxed) == 0 {
            self.pending_since_ms.store(front.since_ms, Ordering::Release);
        }
    }

    /// Has the writer take what there is at once.
    fn hurry(&self) {
        let mut front = self.front.lock();
        front.hurries = true;
        let wake = std::mem::replace(&mut front.asleep, Asleep::No) != Asleep::No;
        drop(front);
        if wake {
            self.signal.raise();
        }
    }

    /// Has everything before `position` synced at once, whatever the policy.
    fn hasten(&self, position: Position) {
        let mut front = self.front.lock();
        front.flush_to = front.flush_to.max(position.0.min(front.end));
        front.hurries = true;
        let wake = std::mem::replace(&mut front.asleep, Asleep::No) != Asleep::No;
        drop(front);
        if wake {
            self.signal.raise();
        }
    }

    /// Asks for everything to be synced, and returns up to where.
    fn request_flush(&self) -> Position {
        let mut front = self.front.lock();
        let end = front.end;
        front.flush_to = end;
        front.hurries = true;
        front.asleep = Asleep::No;
        drop(front);
        self.signal.raise();
        Position(end)
    }

    fn rotate(&self, file: Box<dyn File>, recovers: bool) -> Option<Rotation> {
        let mut front = self.front.lock();
        if recovers != self.failed.load(Ordering::Acquire) {
            return None;
        }
        let position = Position(front.end);
        front.push(Piece::Switch { file, position: position.0, recovers });
        front.database = None;
        front.annotated_s = 0;
        if recovers {
            front.discards = front.closed;
            front.recovering = Some(position);
        }
        front.asleep = Asleep::No;
        drop(front);
        self.signal.raise();
        Some(Rotation { position, recovers })
    }

    fn recovered(&self, rotation: Rotation) -> bool {
        let mut front = self.front.lock();
        if !rotation.recovers || front.recovering != Some(rotation.position) || front.closed {
            return false;
        }
        front.recovering = None;
        *self.failure.lock() = None;
        self.failed.store(false, Ordering::Release);
        // What came before the rotation is in the rewrite; what came after it is synced once more, and published.
        self.synced.fetch_max(rotation.position.0, Ordering::AcqRel);
        self.pending_since_ms.store(front.since_ms, Ordering::Release);
        front.flush_to = front.end;
        front.hurries = true;
        front.asleep = Asleep::No;
        drop(front);
        self.signal.raise();
        self.tell(false);
        self.waiting.wake_admissions();
        true
    }

    /// Latches the log.
    fn fail(&self, error: LogError) {
        let mut front = self.front.lock();
        if let LogError::Closed = error {
            front.closed = true;
        }
        front.drop_everything();
        let is_closed = matches!(error, LogError::Closed);
        let mut failure = self.failure.lock();
        // The first error tells most; being closed is none.
        if failure.is_none() {
            *failure = Some(error);
        }
        drop(failure);
        self.failed.store(true, Ordering::Release);
        let is_orderly = is_closed && front.closing;
        drop(front);
        if !is_orderly {
            self.tell(true);
        }
        self.waiting.wake_all();
    }

    fn tell(&self, has_failed: bool) {
        if let Some(hook) = self.failure_hook.get() {
            hook(has_failed);
        }
    }

    /// What waiting for `position` comes to; `None`: to be waited for.
    fn outcome(&self, position: Position) -> Option<Result<(), LogError>> {
        // In this order: what was synced before a failure stays synced.
        if self.synced.load(Ordering::Acquire) >= position.0 {
            return Some(Ok(()));
        }
        if self.failed.load(Ordering::Acquire)
            && let Some(error) = self.failure.lock().clone()
        {
            return Some(Err(error));
        }
        None
    }

    #[inline]
    fn admit(&self, now_ms: u64) -> Admit {
        if self.failed.load(Ordering::Acquire) {
            return self.refuse();
        }
        let Some(since_ms) = self.behind_since_ms(now_ms) else { return Admit::Go };
        if now_ms.saturating_sub(since_ms) >= self.options.stall_ms_max {
            return self.refuse();
        }
        self.counters.waits.fetch_add(1, Ordering::Relaxed);
        Admit::Wait
    }

    /// Since when nothing can be admitted, as far as anybody has looked; `None` while it can.
    #[inline]
    fn behind_since_ms(&self, now_ms: u64) -> Option<u64> {
        let is_late = self.age_ms(now_ms) >= self.options.unsynced_age_ms_max;
        if (is_late && self.policy() == FsyncPolicy::EverySecond) || self.backlog() >= self.options.backlog_bytes_max {
            let known = self.behind_since_ms.compare_exchange(0, now_ms.max(1), Ordering::AcqRel, Ordering::Acquire);
            return Some(known.map_or_else(|since_ms| since_ms, |_| now_ms));
        }
        if self.behind_since_ms.load(Ordering::Relaxed) != 0 {
            self.behind_since_ms.store(0, Ordering::Release);
        }
        None
    }

    #[cold]
    fn refuse(&self) -> Admit {
        self.counters.refusals.fetch_add(1, Ordering::Relaxed);
        Admit::Refused
    }

    /// Why somebody is refused.
    fn refusal(&self, now_ms: u64) -> LogError {
        let failure = self.failure.lock().clone();
        failure.unwrap_or_else(|| LogError::Stalled(self.age_ms(now_ms)))
    }

    #[inline]
    fn age_ms(&self, now_ms: u64) -> u64 {
        match self.pending_since_ms.load(Ordering::Acquire) {
            0 => 0,
            since => now_ms.saturating_sub(since),
        }
    }

    #[inline]
    fn backlog(&self) -> u64 {
        let written = self.written.load(Ordering::Acquire);
        self.end.load(Ordering::Acquire).saturating_sub(written)
    }

    #[inline]
    fn policy(&self) -> FsyncPolicy {
        match self.policy.load(Ordering::Acquire) {
            0 => FsyncPolicy::Always,
            1 => FsyncPolicy::EverySecond,
            _ => FsyncPolicy::No,
        }
    }

    fn stats(&self) -> LogStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let synced = self.synced.load(Ordering::Acquire);
        let appended_bytes = self.end.load(Ordering::Acquire);
        LogStats {
            appended_bytes,
            backlog_bytes: self.backlog(),
            unsynced_bytes: appended_bytes.saturating_sub(synced),
            file_bytes: read(&self.file_bytes),
            syncs: read(&self.counters.syncs),
            last_sync_us: read(&self.counters.last_sync_us),
            longest_sync_us: read(&self.counters.longest_sync_us),
            waits: read(&self.counters.waits),
            refusals: read(&self.counters.refusals),
        }
    }
}
