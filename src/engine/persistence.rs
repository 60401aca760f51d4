//! Persistence: the log that hears of every change, snapshots in the background, and the start from both.
//!
//! An instance has a data directory as soon as it needs one: at its start where `dir`, `save` or `appendonly` is given,
//! else with the first SAVE. One thread does the jobs that take time, one at a time, and looks ten times a second whether
//! a save point is reached or the log has grown.

pub mod commit;
pub mod image;
pub mod recovery;
mod reload;
mod save;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Mutex, RwLock};

use self::image::{Progress, Written};
use self::recovery::{Loading, Replay};
use super::instance::{Engine, Hindrance};
use super::stats::Counter;
use crate::base::clock::Signal;
use crate::base::config::{Fsync, Settings};
use crate::persist::aof::Aof;
use crate::persist::aof::log::{FsyncPolicy, Log, LogOptions};
use crate::persist::directory::{DataDirectory, Dataset, DirectoryOptions};
use crate::persist::storage::fuse::Fuse;
use crate::persist::storage::{Disk, Storage};
use crate::store::effects::{EffectSink, Records};
use crate::store::keys::Keys;

/// How often save points are looked at, in ms.
const PERIOD_MS: u64 = 100;
/// After a save that failed, the next one by a save point waits so long, in ms.
const RETRY_MS: u64 = 5_000;
/// After a rewrite that failed, the next one that nobody asked for waits so long, in ms; twice as long after each more.
const REWRITE_RETRY_MS: u64 = 1_000;
/// The longest of these waits.
const REWRITE_RETRY_MS_MAX: u64 = 60_000;

/// How long a log that has grown waits for its next rewrite, in times of what the last one took.
const REWRITE_REST: u64 = 24;
/// The shortest wait, in ms, also from the start: what is being written in one go is described best when it is over,
/// and what a start would have to run for it is what can be written in that time.
const REWRITE_REST_MS_MIN: u64 = 3_000;
/// As [`REWRITE_REST`], for a log that has grown ten times as much.
const REWRITE_REST_SHORT: u64 = 9;

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A snapshot into the RDB file.
    Save,
    /// A new base for the append-only files.
    Rewrite,
}

impl Job {
    const fn name(self) -> &'static str {
        match self {
            Job::Save => "saving the snapshot",
            Job::Rewrite => "rewriting the append-only file",
        }
    }
}

/// What is known of jobs of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past {
    /// Whether the last one failed.
    pub has_failed: bool,
    /// How long the last one took, in ms.
    pub took_ms: Option<u64>,
    /// How many succeeded.
    pub count: u64,
    /// What the last one took in memory beside the dataset, in bytes.
    pub extra_bytes: usize,
    /// How many failed since the last that succeeded.
    pub failures: u64,
}

/// Jobs and save points.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// The job under way, and since when, Unix time in ms.
    pub running: Option<(Job, u64)>,
    /// Asked for and not begun: a save, a rewrite.
    scheduled: [bool; 2],
    /// Of saves.
    pub saves: Past,
    /// Of rewrites.
    pub rewrites: Past,
    /// When the last save that succeeded ended, Unix time in ms.
    pub saved_ms: u64,
    /// When the last save was tried, Unix time in ms.
    pub tried_ms: u64,
    /// [`Counter::Changes`] that the last save had.
    pub saved_changes: u64,
    /// When a rewrite that nobody asked for may begin, Unix time in ms.
    rewrite_due_ms: u64,
    /// Size of all append-only files when the last rewrite ended, in bytes; 0 where there was none since the start.
    pub rewritten_bytes: u64,
    /// When that was, Unix time in ms.
    pub rewritten_ms: u64,
}

impl State {
    /// The job under way. One that was asked for while nothing is done counts from then on, although the thread begins
    /// it a moment later.
    pub fn job(&self) -> Option<Job> {
        let asked_for = || [Job::Save, Job::Rewrite].into_iter().find(|&job| self.scheduled[job as usize]);
        self.running.map(|(job, _)| job).or_else(asked_for)
    }

    /// Whether this job will begin when another one has ended.
    pub fn is_waiting(&self, job: Job) -> bool {
        self.scheduled[job as usize] && self.job() != Some(job)
    }
}

/// What an instance writes to disk; see the module's text.
pub struct Persistence {
    storage: Arc<Fuse>,
    directory: Mutex<Option<Arc<DataDirectory>>>,
    aof: Mutex<Option<Arc<Aof>>>,
    log: RwLock<Option<Arc<Log>>>,
    engine: OnceLock<Weak<Engine>>,
    state: Mutex<State>,
    /// How loading goes.
    pub loading: Loading,
    /// How saving goes.
    pub progress: Progress,
    /// Whether the instance was told to keep its data.
    is_durable: AtomicBool,
    /// See there.
    holds_replies: AtomicBool,
    signal: Signal,
}

/// A log, as the keyspace knows it.
struct LogSink {
    log: Arc<Log>,
    engine: Weak<Engine>,
}

impl LogSink {
    #[cold]
    fn hinder(&self, hindrance: Hindrance, is_there: bool) {
        hinder(&self.engine, hindrance, is_there);
    }
}

/// Says to an instance that is still there what hinders its commands, or does not any more.
fn hinder(engine: &Weak<Engine>, hindrance: Hindrance, is_there: bool) {
    if let Some(engine) = engine.upgrade() {
        engine.hinder(hindrance, is_there);
        engine.persistence.signal.raise();
    }
}

impl EffectSink for LogSink {
    fn append(&self, records: &Records) -> u64 {
        let log = &*self.log;
        let write = |out: &mut crate::persist::aof::record::Records<'_>| {
            for (database, bytes) in records.iter() {
                out.select(u32::try_from(database).unwrap_or(u32::MAX));
                out.encoded(bytes, 1);
            }
        };
        let position = if records.iter().len() > 1 { log.append_transaction(0, write) } else { log.append(0, write) };
        if log.is_full() {
            self.hinder(Hindrance::LogBehind, true);
        }
        position.as_u64()
    }
}

impl Default for Persistence {
    fn default() -> Self {
        Persistence::on(Arc::new(Disk))
    }
}

impl Persistence {
    /// On this disk, with nothing opened.
    pub fn on(storage: Arc<dyn Storage>) -> Persistence {
        Persistence {
            storage: Arc::new(Fuse::around(storage)),
            directory: Mutex::default(),
            aof: Mutex::default(),
            log: RwLock::default(),
            engine: OnceLock::new(),
            state: Mutex::default(),
            loading: Loading::default(),
            progress: Progress::default(),
            is_durable: AtomicBool::new(false),
            holds_replies: AtomicBool::new(false),
            signal: Signal::new(),
        }
    }

    /// Has the process aborted in front of the nth operation that changes which files there are.
    pub fn light_fuse(&self, operations: u64) {
        self.storage.light(operations);
    }

    /// Says whose it is; once.
    pub(super) fn attach(&self, engine: &Arc<Engine>) {
        self.engine.set(Arc::downgrade(engine)).ok();
    }

    /// Jobs and save points.
    pub fn state(&self) -> State {
        *self.state.lock()
    }

    /// The log, while there is one.
    pub fn log(&self) -> Option<Arc<Log>> {
        self.log.read().clone()
    }

    /// Sizes of the base and of all append-only files, in bytes.
    pub fn log_sizes(&self) -> Option<(u64, u64)> {
        let (aof, log) = (self.aof.lock().clone()?, self.log()?);
        Some(aof.sizes(&log))
    }

    /// Whether the instance was told to keep its data.
    pub fn is_durable(&self) -> bool {
        self.is_durable.load(Ordering::Acquire)
    }

    /// Where its data are, once there is such a place.
    pub fn path(&self) -> Option<PathBuf> {
        self.directory.lock().as_ref().map(|directory| directory.path().to_owned())
    }

    /// Begins a job, unless one is under way.
    pub fn try_begin(&self, engine: &Engine, job: Job) -> bool {
        let mut state = self.state.lock();
        if state.running.is_some() {
            return false;
        }
        state.running = Some((job, engine.clock.now_ms()));
        state.scheduled[job as usize] = false;
        if job == Job::Save {
            state.tried_ms = engine.clock.now_ms();
        }
        true
    }

    /// Has the instance's thread do a job as soon as no other is under way.
    pub fn schedule(&self, job: Job) {
        self.state.lock().scheduled[job as usize] = true;
        self.signal.raise();
    }

    fn finish(&self, engine: &Engine, job: Job, changes: u64, written: Option<Written>) {
        let now_ms = engine.clock.now_ms();
        let log_bytes = self.log_sizes().map_or(0, |(_, all)| all);
        let mut state = self.state.lock();
        let since = state.running.take().map_or(now_ms, |(_, since)| since);
        let past = if job == Job::Save { &mut state.saves } else { &mut state.rewrites };
        past.has_failed = written.is_none();
        past.took_ms = Some(now_ms.saturating_sub(since));
        past.count += u64::from(written.is_some());
        past.failures = if written.is_some() { 0 } else { past.failures + 1 };
        past.extra_bytes = written.map_or(past.extra_bytes, |written| written.queue_bytes_max);
        let failures = past.failures;
        if job == Job::Rewrite {
            (state.rewritten_bytes, state.rewritten_ms) = (log_bytes, now_ms);
            let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
            let wait_ms = REWRITE_RETRY_MS.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
            state.rewrite_due_ms = if failures == 0 { 0 } else { now_ms + wait_ms.min(REWRITE_RETRY_MS_MAX) };
        }
        if job == Job::Save {
            engine.hinder(Hindrance::SaveFailed, written.is_none() && self.is_durable());
            if written.is_some() {
                (state.saved_ms, state.saved_changes) = (now_ms, changes);
            }
        }
        drop(state);
        self.signal.raise();
    }

    /// The data directory; opened where it is not yet.
    fn directory(&self, engine: &Engine) -> io::Result<Arc<DataDirectory>> {
        let mut known = self.directory.lock();
        if let Some(directory) = &*known {
            return Ok(directory.clone());
        }
        let options = options(&engine.config.read().settings());
        let opened = DataDirectory::open(self.storage.clone(), options);
        let directory = Arc::new(opened.map_err(io::Error::other)?);
        *known = Some(directory.clone());
        Ok(directory)
    }

    fn log_options(&self, engine: &Engine) -> LogOptions {
        let settings = engine.config.read().settings();
        LogOptions { policy: policy(&settings), timestamps: settings.aof_timestamp_enabled, ..LogOptions::default() }
    }

    /// The log hears of everything from now on; `keys` is alone inside the keyspace.
    fn switch_on(&self, engine: &Engine, keys: &mut Keys<'_>, log: Arc<Log>) {
        let host = self.engine.get().cloned().unwrap_or_default();
        let told = host.clone();
        log.on_failure(Box::new(move |has_failed| hinder(&told, Hindrance::LogFailed, has_failed)));
        log.note_slow(engine.latency.clone());
        *self.log.write() = Some(log.clone());
        self.note_policy();
        keys.set_log(Some(Arc::new(LogSink { log, engine: host })));
    }

    /// Ends the log.
    fn switch_off(&self, engine: &Engine) {
        let mut keys = engine.keys();
        keys.enter_exclusively(engine.clock.now_ms());
        keys.set_log(None);
        let log = self.log.write().take();
        self.note_policy();
        engine.hinder(Hindrance::LogBehind, false);
        engine.hinder(Hindrance::LogFailed, false);
        keys.leave();
        if let Some(log) = log
            && let Err(error) = log.close()
        {
            tracing::warn!("closing the append-only file: {error}");
        }
    }

    /// Whether a snapshot that failed is a reason to refuse writes.
    pub fn stops_writes(&self, engine: &Engine) -> bool {
        let settings = engine.config.read().settings();
        settings.stop_writes_on_bgsave_error && !settings.save_points.is_empty()
    }

    /// Follows the settings that may change at run time.
    pub fn configure(&self, settings: &Settings) {
        if let Some(log) = self.log() {
            log.set_policy(policy(settings));
            log.set_timestamps(settings.aof_timestamp_enabled);
            self.note_policy();
        }
        if settings.appendonly {
            self.is_durable.store(true, Ordering::Relaxed);
        }
        // The thread begins or ends the log: that takes being alone inside the keyspace.
        self.signal.raise();
    }

    /// Ends the log because `appendonly` was switched off.
    fn end_log(&self, engine: &Engine) {
        self.switch_off(engine);
        if let Some(directory) = &*self.directory.lock()
            && let Err(error) = directory.unmark(Dataset::Aof)
        {
            tracing::warn!("cannot note that there is no append-only file any more: {error}");
        }
    }

    /// Says that the dataset is still to be loaded; returns whether that was said already. To be called before anybody can connect: who came earlier than
    /// [`Persistence::recover`] would meet an empty dataset, and could change it.
    pub fn announce_loading(&self, engine: &Engine) -> bool {
        let was_loading = engine.hinder(Hindrance::Loading, true);
        if !was_loading {
            self.loading.begin(engine.clock.now_ms());
        }
        was_loading
    }

    /// Opens the data directory and loads what is there. To be called once, before anybody changes keys. Where that
    /// fails, the instance answers as one that is loading until it ends: what there is of the dataset is not to be
    /// written to, and not to be saved.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub fn recover(&self, engine: &Arc<Engine>) -> Result<(), String> {
        let settings = engine.config.read().settings();
        let directory = self.directory(engine).map_err(|error| error.to_string())?;
        self.announce_loading(engine);
        let outcome = if settings.appendonly {
            self.recover_log(engine, &directory, &settings)
        } else {
            load_rdb(engine, &directory)
        };
        outcome?;
        let mut state = self.state.lock();
        state.saved_ms = engine.clock.now_ms();
        state.saved_changes = engine.stats.get(Counter::Changes);
        drop(state);
        engine.hinder(Hindrance::Loading, false);
        // Last: from now on the thread saves, and begins a log where there is none.
        self.is_durable.store(true, Ordering::Release);
        Ok(())
    }

    fn recover_log(
        &self,
        engine: &Arc<Engine>,
        directory: &Arc<DataDirectory>,
        settings: &Settings,
    ) -> Result<(), String> {
        let aof = self.append_only_files(directory).map_err(|error| error.to_string())?;
        if aof.is_empty() && directory.found().rdb_bytes.is_some() {
            load_rdb(engine, directory)?;
            return match self.try_begin(engine, Job::Rewrite) {
                true => self.work(engine, Job::Rewrite).map(drop).map_err(|error| error.to_string()),
                false => Err("a job is under way already".into()),
            };
        }
        aof.load(settings.aof_load_truncated, &mut Replay::new(engine)).map_err(|error| error.to_string())?;
        let log = aof.start_log(self.log_options(engine), engine.clock.clone()).map_err(|error| error.to_string())?;
        let mut keys = engine.keys();
        keys.enter_exclusively(engine.clock.now_ms());
        self.switch_on(engine, &mut keys, Arc::new(log));
        keys.leave();
        Ok(())
    }

    /// The thread's work: jobs, and the times for them, until the instance stops.
    pub(super) fn run(&self, engine: &Engine) {
        while !engine.stopping.is_wished() {
            while let Some(job) = self.next_job(engine) {
                if self.try_begin(engine, job) {
                    // What went wrong is noted and logged there.
                    self.work(engine, job).ok();
                }
            }
            engine.clock.wait(Some(engine.clock.now_ms() + PERIOD_MS), &self.signal);
        }
    }

    /// Wakes the thread.
    pub(super) fn wake(&self) {
        self.signal.raise();
    }

    fn next_job(&self, engine: &Engine) -> Option<Job> {
        if engine.stopping.is_wished() {
            return None;
        }
        let settings = engine.config.read().settings();
        let now_ms = engine.clock.now_ms();
        let state = self.state.lock();
        if state.running.is_some() || engine.is_hindered(Hindrance::Loading) {
            return None;
        }
        if !settings.appendonly && self.log().is_some() {
            drop(state);
            self.end_log(engine);
            return None;
        }
        if let Some(job) = state.job() {
            return Some(job);
        }
        if self.is_durable() && is_save_due(&state, &settings, engine.stats.get(Counter::Changes), now_ms) {
            return Some(Job::Save);
        }
        let may_rewrite = self.is_durable() && settings.appendonly && now_ms >= state.rewrite_due_ms;
        drop(state);
        // A log that has failed recovers by a full rewrite.
        let wants_rewrite =
            || self.log().is_none_or(|log| log.is_failed()) || self.has_log_grown(engine, &settings, now_ms);
        (may_rewrite && wants_rewrite()).then_some(Job::Rewrite)
    }

    /// Whether the log is to be rewritten because it has grown. However fast it grows, rewrites by themselves take a
    /// 25th of the time, and a tenth once it has grown ten times as much as asks for one: what a start would have to
    /// run is worth more then than what clients wait for.
    fn has_log_grown(&self, engine: &Engine, settings: &Settings, now_ms: u64) -> bool {
        let Some((base, all)) = self.log_sizes() else { return false };
        let state = self.state();
        let since = if state.rewritten_bytes > 0 { state.rewritten_bytes } else { base };
        let percent = settings.auto_aof_rewrite_percentage;
        let growth = all.saturating_sub(since).saturating_mul(100) / since.max(1);
        let rest = if growth >= percent.saturating_mul(10) { REWRITE_REST_SHORT } else { REWRITE_REST };
        let rest_ms = state.rewrites.took_ms.unwrap_or(0).saturating_mul(rest).max(REWRITE_REST_MS_MIN);
        let rested = now_ms.saturating_sub(state.rewritten_ms.max(engine.started_ms)) >= rest_ms;
        percent > 0 && all > settings.auto_aof_rewrite_min_size_bytes && growth >= percent && rested
    }

    /// Whether the dataset is to be saved when the instance ends without a word about it.
    pub fn saves_at_end(&self, engine: &Engine) -> bool {
        self.is_durable() && !engine.config.read().settings().save_points.is_empty()
    }

    /// The last job of an instance that ends: what `save` points ask for, or SHUTDOWN SAVE. Half a dataset, of an
    /// instance that is still loading, is not saved.
    ///
    /// # Errors
    /// What the disk says.
    pub fn save_at_end(&self, engine: &Engine) -> io::Result<()> {
        if engine.is_hindered(Hindrance::Loading) {
            return Ok(());
        }
        self.state.lock().running = None;
        if self.try_begin(engine, Job::Save) { self.work(engine, Job::Save).map(drop) } else { Ok(()) }
    }

    /// Writes and syncs what the log holds.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync(&self) -> io::Result<()> {
        self.log().map_or(Ok(()), |log| log.flush().map(drop).map_err(io::Error::other))
    }

    /// Gives the data directory back, once the log is closed and nothing is written any more: another instance may open
    /// it, though somebody still holds this one.
    pub fn release_directory(&self) {
        self.aof.lock().take();
        self.directory.lock().take();
    }

    /// Writes and syncs what the log still holds, and ends it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn close(&self) -> io::Result<()> {
        self.log().map_or(Ok(()), |log| log.close().map_err(io::Error::other))
    }
}

fn load_rdb(engine: &Arc<Engine>, directory: &DataDirectory) -> Result<(), String> {
    let Some(bytes) = directory.found().rdb_bytes else { return Ok(()) };
    let path = directory.rdb_path();
    let file = directory.storage().open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    recovery::load_rdb(engine, file, bytes, recovery::Wanted::Live).map_err(|error| {
        format!("{path} cannot be loaded: {error}. See what is whole with: pipkin check {path}", path = path.display())
    })
}

fn is_save_due(state: &State, settings: &Settings, changes: u64, now_ms: u64) -> bool {
    let changed = changes.saturating_sub(state.saved_changes);
    let waits = state.saves.has_failed && now_ms < state.tried_ms + RETRY_MS;
    let since_s = now_ms.saturating_sub(state.saved_ms) / 1000;
    !waits && settings.save_points.iter().any(|&(seconds, count)| changed >= count.max(1) && since_s >= seconds)
}

fn policy(settings: &Settings) -> FsyncPolicy {
    match settings.appendfsync {
        Fsync::Always => FsyncPolicy::Always,
        Fsync::EverySecond => FsyncPolicy::EverySecond,
        Fsync::No => FsyncPolicy::No,
    }
}

fn options(settings: &Settings) -> DirectoryOptions {
    DirectoryOptions {
        path: PathBuf::from(&settings.dir),
        rdb_name: settings.dbfilename.clone(),
        aof_directory_name: settings.appenddirname.clone(),
        aof_name: settings.appendfilename.clone(),
        aof_enabled: settings.appendonly,
        start_empty: settings.start_empty,
    }
}

#[cfg(test)]
mod tests;
