//! `Engine`: one instance, everything that its connections share.
//!
//! Several may live in one process; nothing here is static. Its threads (expiry, timers, freeing) are the instance's
//! own, need no runtime, and end when it is dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use parking_lot::{Mutex, RwLock};

use super::announce::Observed;
use super::blocking::Timers;
use super::clients::{Client, Clients, Origin};
use super::cluster::Cluster;
use super::memory::Memory;
use super::monitors::Monitors;
use super::pause::Pause;
use super::persistence::Persistence;
use super::script::cache::Scripts;
use super::script::functions::Functions;
use super::session::Session;
use super::slowlog::SlowLog;
use super::stats::{Counter, Stats};
use super::tracking::Tracking;
use crate::base::clock::{Clock, Signal};
use crate::base::config::{Config, LogLevel, OutputLimit};
use crate::base::latency_monitor::LatencyMonitor;
use crate::base::random::{self, Random};
use crate::command::Context;
use crate::command::settings::Settings;
use crate::protocol::error::CommandError;
use crate::protocol::reply::Reply;
use crate::pubsub::outbox::DirectWrite;
use crate::pubsub::registry::PubSub;
use crate::store::expiry;
use crate::store::keys::{AccessPolicy, Keys};
use crate::store::keyspace::Keyspace;
use crate::value::table::Basis;

/// One instance; see the module's text.
pub struct Engine {
    /// The data.
    pub keyspace: Keyspace,
    /// The time.
    pub clock: Clock,
    /// Random numbers for commands.
    pub random: Random,
    /// Thresholds of the data types.
    pub settings: Settings,
    /// The configuration, as `CONFIG` sees it.
    pub config: RwLock<Config>,
    /// The file that the configuration came from, if it came from one.
    pub config_file: OnceLock<PathBuf>,
    /// Cluster mode.
    pub cluster: Cluster,
    /// Counters.
    pub stats: Stats,
    /// Connections.
    pub clients: Arc<Clients>,
    /// Subscriptions.
    pub pubsub: Arc<PubSub>,
    /// See there.
    pub pause: Pause,
    /// Who watches.
    pub monitors: Monitors,
    /// Who caches what.
    pub tracking: Arc<Tracking>,
    /// What is observed of changes.
    pub observed: Mutex<Observed>,
    /// The memory limit and what to do about it.
    pub memory: Memory,
    /// Slow commands.
    pub slowlog: SlowLog,
    /// Slow moments, by what was slow.
    pub latency: Arc<LatencyMonitor>,
    /// Somebody wants to know of each command how long it takes.
    pub times_all: AtomicBool,
    /// Deadlines of those who wait.
    pub timers: Timers,
    /// When the instance started, Unix time in ms.
    pub started_ms: u64,
    /// Forty random hexadecimal digits, new at each start.
    pub run_id: String,
    /// What the history of changes is called: forty random digits, until DEBUG CHANGE-REPL-ID draws others.
    pub replication_id: Mutex<String>,
    /// The port of the TCP listener, 0 without one.
    pub port: AtomicUsize,
    /// Output limits by class: normal, replica, pubsub.
    pub output_limits: RwLock<[OutputLimit; 3]>,
    /// `client-query-buffer-limit`, in bytes.
    pub query_bytes_max: AtomicUsize,
    /// Settings of the listeners.
    pub network: Network,
    /// Told of every change of `loglevel`; set by the binary, whose log it is.
    pub log_level: RwLock<Option<LogLevelHook>>,
    /// Raised by SHUTDOWN; listeners end.
    pub stopping: Stopping,
    /// Whether expired keys are removed before anybody meets them (`DEBUG SET-ACTIVE-EXPIRE`).
    pub active_expiry: AtomicBool,
    /// Nothing is looked at now and then (`DEBUG PAUSE-CRON`).
    pub pauses_upkeep: AtomicBool,
    /// Scripts.
    pub scripts: Scripts,
    /// Libraries of functions.
    pub functions: Functions,
    /// What is written to disk.
    pub persistence: Persistence,
    hindrances: AtomicU8,
    latched_because: Mutex<&'static str>,
    password: RwLock<Option<Box<[u8]>>>,
    expiry_signal: Signal,
}

/// Why commands are refused for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Hindrance {
    /// A handler panicked: nothing is written any more.
    Latched = 1,
    /// The dataset is being loaded.
    Loading = 2,
    /// The append-only file cannot be written.
    LogFailed = 4,
    /// The last snapshot could not be written, and `stop-writes-on-bgsave-error` is set.
    SaveFailed = 8,
    /// The disk does not keep up with the append-only file: writes wait until it does.
    LogBehind = 16,
    /// The instance has ended: what is written from now on would be lost.
    Ended = 32,
    /// Commands of connections wait; see [`super::pause`].
    Paused = 64,
    /// A script has been running for longer than `busy-reply-threshold`.
    Busy = 128,
}

/// Changes how much is logged.
pub type LogLevelHook = Box<dyn Fn(LogLevel) + Send + Sync>;

/// Settings that the listeners read.
#[derive(Default)]
pub struct Network {
    /// `maxclients`.
    pub clients_max: AtomicUsize,
    /// `operator-clients`: seats beyond them.
    pub operator_clients: AtomicUsize,
    /// `timeout`, in seconds; 0 is never.
    pub idle_seconds_max: AtomicUsize,
    /// `tcp-keepalive`, in seconds; 0 is off.
    pub keepalive_seconds: AtomicUsize,
    /// `protected-mode`.
    pub protected: AtomicBool,
}

/// The wish that an instance ends, and who wants to know.
#[derive(Default)]
pub struct Stopping {
    wished: AtomicBool,
    listeners: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Stopping {
    /// Whether the instance is to end.
    pub fn is_wished(&self) -> bool {
        self.wished.load(Ordering::Acquire)
    }

    /// Wishes it, and tells the listeners.
    pub fn wish(&self) {
        self.wished.store(true, Ordering::Release);
        for listener in std::mem::take(&mut *self.listeners.lock()) {
            listener();
        }
    }

    /// Has `listener` called when the end is wished, at once if it is already.
    pub fn listen(&self, listener: impl FnOnce() + Send + 'static) {
        let mut listeners = self.listeners.lock();
        if self.is_wished() {
            drop(listeners);
            listener();
        } else {
            listeners.push(Box::new(listener));
        }
    }
}

/// The threads of an instance; dropping it ends them.
pub struct Threads {
    engine: Arc<Engine>,
    handles: Vec<JoinHandle<()>>,
}

impl Engine {
    /// An instance with this configuration, without threads.
    ///
    /// # Errors
    /// When the operating system refuses the thread that frees big values.
    pub fn new(config: Config, clock: Clock) -> std::io::Result<Arc<Engine>> {
        Engine::on(config, clock, Persistence::default())
    }

    /// As [`Engine::new`], with a disk of the caller's choice.
    ///
    /// # Errors
    /// As there.
    pub fn on(config: Config, clock: Clock, persistence: Persistence) -> std::io::Result<Arc<Engine>> {
        let now_ms = clock.now_ms();
        let settings = config.settings();
        let basis = Basis::new(random::system_seed(), now_ms);
        let clients = Arc::<Clients>::default();
        let engine = Arc::new(Engine {
            keyspace: Keyspace::new(basis, settings.databases)?,
            clock: clock.clone(),
            random: Random::from_system(),
            settings: Settings::default(),
            config_file: OnceLock::new(),
            cluster: Cluster::new(settings.cluster_enabled),
            stats: Stats::default(),
            pause: Pause::default(),
            monitors: Monitors::default(),
            tracking: Arc::new(Tracking::new(clients.clone())),
            clients,
            pubsub: Arc::default(),
            observed: Mutex::default(),
            memory: Memory::default(),
            slowlog: SlowLog::default(),
            latency: Arc::default(),
            times_all: AtomicBool::new(false),
            timers: Timers::default(),
            started_ms: now_ms,
            run_id: random::token(20),
            replication_id: Mutex::new(random::token(20)),
            port: AtomicUsize::new(0),
            output_limits: RwLock::new([settings.normal_output, settings.replica_output, settings.pubsub_output]),
            query_bytes_max: AtomicUsize::new(settings.client_query_buffer_limit),
            network: Network::default(),
            log_level: RwLock::default(),
            stopping: Stopping::default(),
            active_expiry: AtomicBool::new(true),
            pauses_upkeep: AtomicBool::new(false),
            scripts: Scripts::default(),
            functions: Functions::default(),
            persistence,
            hindrances: AtomicU8::new(0),
            latched_because: Mutex::new(""),
            password: RwLock::default(),
            expiry_signal: Signal::new(),
            config: RwLock::new(config),
        });
        engine.persistence.attach(&engine);
        engine.scripts.running.attach(&engine);
        engine.apply_config(&settings);
        engine.observe_from_outside();
        engine.follow_manual_clock();
        Ok(engine)
    }

    /// With a manual clock, what is due happens on the thread that moves it, in order, before `advance` returns.
    fn follow_manual_clock(self: &Arc<Engine>) {
        let weak = Arc::downgrade(self);
        let due = weak.clone();
        self.clock.on_due(Arc::new(move || due.upgrade().and_then(|engine| engine.timers.next())));
        self.clock.on_advance(Arc::new(move |now_ms| {
            if let Some(engine) = weak.upgrade() {
                engine.expire_now(now_ms, usize::MAX);
                engine.timers.fire(&engine, now_ms);
                engine.look_after_clients(now_ms);
                engine.persistence.tick(&engine, now_ms);
            }
        }));
    }

    /// Starts the instance's threads.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start_threads(self: &Arc<Engine>) -> std::io::Result<Threads> {
        let mut threads = Threads { engine: self.clone(), handles: Vec::new() };
        let engine = self.clone();
        let timers = std::thread::Builder::new().name("pipkin-timers".into());
        threads.handles.push(timers.spawn(move || engine.timers.run(&engine))?);
        let engine = self.clone();
        let sweeper = std::thread::Builder::new().name("pipkin-expiry".into());
        threads.handles.push(sweeper.spawn(move || engine.expire_until_stopped())?);
        let engine = self.clone();
        let saver = std::thread::Builder::new().name("pipkin-save".into());
        threads.handles.push(saver.spawn(move || engine.persistence.run(&engine))?);
        Ok(threads)
    }

    fn expire_until_stopped(&self) {
        while !self.stopping.is_wished() {
            let now_ms = self.clock.now_ms();
            let next_ms = self.expire_now(now_ms, expiry::SLICE);
            self.persistence.tick(self, now_ms);
            self.clock.wait(Some(next_ms), &self.expiry_signal);
        }
    }

    /// Removes what is due, unless that is switched off; returns when to look again, Unix time in ms.
    fn expire_now(&self, now_ms: u64, slice: usize) -> u64 {
        /// How often the switch is looked at while it is off, in ms.
        const OFF_PERIOD_MS: u64 = 100;
        let is_paused = self.is_hindered(Hindrance::Paused) && self.is_paused(now_ms);
        let expires = self.active_expiry.load(Ordering::Relaxed) && !self.pauses_upkeep.load(Ordering::Relaxed);
        if is_paused || !expires || self.is_hindered(Hindrance::Loading) {
            return now_ms + OFF_PERIOD_MS;
        }
        let watch = self.latency.watch();
        let mut keys = self.keys();
        let (tally, next_ms) = expiry::sweep(&mut keys, now_ms, slice);
        self.flush(&mut keys.effects.touched);
        super::blocking::serve_gone(self, &mut keys.effects.gone);
        self.latency.note_watch("expire-cycle", &self.clock, watch);
        self.stats.add_tally(&tally);
        next_ms
    }

    /// A lock set with nothing locked.
    pub fn keys(&self) -> Keys<'_> {
        let mut keys = Keys::new(&self.keyspace);
        keys.access = self.access_policy();
        keys
    }

    fn access_policy(&self) -> AccessPolicy {
        self.memory.access_policy()
    }

    /// What a batch runs on.
    pub fn context(&self, reply: Reply) -> Context<'_> {
        let (settings, random) = (&self.settings, &self.random);
        Context { keys: self.keys(), reply, settings, random, may_block: true, in_script: false, script_us: None }
    }

    /// Registers a connection; `writer` for sockets that other threads may write to.
    pub fn connect(&self, origin: Origin, writer: Option<Arc<dyn DirectWrite>>) -> Session {
        let limit = self.output_limits.read()[2];
        let client: Arc<Client> = self.clients.add(origin, writer, limit, self.clock.now_ms());
        self.stats.add(Counter::Connections, 1);
        let trusted = client.origin.in_process || !self.has_password();
        Session::new(client, trusted)
    }

    /// Sets or removes the default user's password.
    pub fn set_password(&self, password: Option<&[u8]>) {
        *self.password.write() = password.filter(|text| !text.is_empty()).map(Into::into);
    }

    /// Whether a password is asked for.
    pub fn has_password(&self) -> bool {
        self.password.read().is_some()
    }

    /// The password of the default user, if there is one.
    pub fn password(&self) -> Option<Box<[u8]>> {
        self.password.read().clone()
    }

    /// Whether this is the password, in a time that tells nothing about how much of it is right.
    pub fn is_password(&self, given: &[u8]) -> bool {
        let password = self.password.read();
        let Some(password) = &*password else { return true };
        let mut difference = (password.len() ^ given.len()) as u64;
        for index in 0..password.len().max(given.len()) {
            let (ours, theirs) = (password.get(index).unwrap_or(&0), given.get(index).unwrap_or(&0));
            difference |= (ours ^ theirs) as u64;
        }
        difference == 0
    }

    /// `maxclients`.
    pub fn clients_max(&self) -> usize {
        self.network.clients_max.load(Ordering::Relaxed)
    }

    /// `operator-clients`.
    pub fn operator_clients(&self) -> usize {
        self.network.operator_clients.load(Ordering::Relaxed)
    }

    /// `timeout`, in seconds; 0 is never.
    pub fn idle_seconds_max(&self) -> u64 {
        self.network.idle_seconds_max.load(Ordering::Relaxed) as u64
    }

    /// `tcp-keepalive`, in seconds; 0 is off.
    pub fn keepalive_seconds(&self) -> u64 {
        self.network.keepalive_seconds.load(Ordering::Relaxed) as u64
    }

    /// `protected-mode`.
    pub fn is_protected(&self) -> bool {
        self.network.protected.load(Ordering::Relaxed)
    }

    /// Refuses all writes from now on.
    pub fn latch(&self, because: &'static str) {
        *self.latched_because.lock() = because;
        self.hinder(Hindrance::Latched, true);
        tracing::error!("{because}: the instance is read-only from now on; save what you need and restart it");
    }

    /// Raises or lifts a hindrance; returns whether it was there.
    pub fn hinder(&self, hindrance: Hindrance, is_there: bool) -> bool {
        let bit = hindrance as u8;
        let before = if is_there {
            self.hindrances.fetch_or(bit, Ordering::AcqRel)
        } else {
            self.hindrances.fetch_and(!bit, Ordering::AcqRel)
        };
        before & bit != 0
    }

    /// Whether this is why commands are refused.
    #[inline]
    pub fn is_hindered(&self, by: Hindrance) -> bool {
        self.hindrances.load(Ordering::Relaxed) & by as u8 != 0
    }

    /// Whether any command may be refused for now.
    #[inline]
    pub fn has_hindrances(&self) -> bool {
        self.hindrances.load(Ordering::Relaxed) != 0
    }

    /// Whether writes are refused because a handler has panicked.
    pub fn is_latched(&self) -> bool {
        self.is_hindered(Hindrance::Latched)
    }

    /// What a refused write is told.
    pub fn latched_error(&self) -> CommandError {
        CommandError::Latched((*self.latched_because.lock()).into())
    }

    /// Lets nobody write from now on. Whoever is inside the keyspace still reaches the log; who comes later is refused.
    /// The caller is outside.
    pub fn seal(&self) {
        let mut keys = self.keys();
        keys.enter_exclusively(self.clock.now_ms());
        self.hinder(Hindrance::Ended, true);
        keys.leave();
    }

    /// The last that an instance does which keeps its data: lets nobody write any more, saves where there are save
    /// points, syncs the log, and gives the data directory back.
    pub fn persist_at_end(&self) {
        let persistence = &self.persistence;
        self.seal();
        if persistence.saves_at_end(self)
            && let Err(error) = persistence.save_at_end(self)
        {
            tracing::error!("the last snapshot could not be saved: {error}");
        }
        if let Err(error) = persistence.close() {
            tracing::error!("the append-only file could not be closed: {error}");
        }
        persistence.release_directory();
    }

    /// Ends the instance's threads and tells its listeners.
    pub fn stop(&self) {
        self.stopping.wish();
        self.timers.stop();
        self.persistence.wake();
        self.expiry_signal.raise();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.engine.stop();
        for handle in self.handles.drain(..) {
            // A thread that panicked has reported it.
            drop(handle.join());
        }
    }
}
