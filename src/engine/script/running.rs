//! Scripts that take long: who they are, how they are ended, and who answers meanwhile.
//!
//! From `busy-reply-threshold` on a script is *long*. It may hold everything, and the thread that it runs on serves other
//! connections, perhaps all of them. So each long script has an [attendant](attend), a thread that lives as long as the
//! script does: it takes turns for the connections whose own thread does not come to them ([`Attended`]). Commands that
//! a busy server does not run are refused before they try a lock; the few others take none. What these leave to be done
//! under locks ([`Running::withdraw_later`]) the attendant does when the script has ended.
//!
//! Whether a script is killed or has written is one word, so that it cannot be both.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::clock::Stopwatch;
use crate::engine::instance::{Engine, Hindrance};
use crate::engine::transaction::{self, Watched};
use crate::protocol::error::CommandError;

/// Time between two rounds of an attendant.
const ROUND: Duration = Duration::from_millis(5);

/// A connection that somebody else can take a turn for.
pub trait Attended: Send + Sync {
    /// Reads what is there, runs it and writes the replies, unless its own thread is at it.
    fn attend(&self);
}

/// What a long script was called as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// EVAL and its kin.
    Script,
    /// FCALL.
    Function,
}

impl Kind {
    /// What others are told while one runs.
    pub fn busy_error(self) -> CommandError {
        match self {
            Kind::Script => CommandError::Busy,
            Kind::Function => CommandError::BusyFunction,
        }
    }
}

/// What the caller of either kind is told when it is killed.
pub const KILLED_MESSAGE: &str = "Script killed by user with SCRIPT KILL...";

/// It can be killed.
const UNTOUCHED: u8 = 0;
/// It has written: half of its work would be left.
const WRITTEN: u8 = 1;
/// It is to end.
const KILLED: u8 = 2;

/// A script that runs for long.
#[derive(Debug)]
pub struct LongScript {
    /// What it was called as.
    pub kind: Kind,
    /// The function's name, or the script's digest.
    pub name: Vec<u8>,
    /// The call, word for word.
    pub call: Vec<Vec<u8>>,
    watch: Stopwatch,
    state: AtomicU8,
    is_over: AtomicBool,
    attendant: OnceLock<Thread>,
}

impl LongScript {
    /// How long it has been running, in ms.
    pub fn elapsed_ms(&self) -> u64 {
        self.watch.elapsed_ns() / 1_000_000
    }

    /// Whether it is to end.
    pub fn is_killed(&self) -> bool {
        self.state.load(Ordering::Acquire) == KILLED
    }

    /// It is about to write for the first time; false where it is to end instead.
    pub fn note_write(&self) -> bool {
        let changed = self.state.compare_exchange(UNTOUCHED, WRITTEN, Ordering::AcqRel, Ordering::Acquire);
        changed != Err(KILLED)
    }
}

/// What a call that has become long says of itself.
pub struct LongCall<'a> {
    /// What it was called as.
    pub kind: Kind,
    /// The function's name, or the script's digest.
    pub name: &'a [u8],
    /// The call, word for word.
    pub words: Vec<Vec<u8>>,
    /// When it began.
    pub watch: Stopwatch,
    /// Whether it has written.
    pub has_written: bool,
}

/// What came of the wish to end a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// It will end.
    Yes,
    /// None runs for so long.
    NotBusy,
    /// It has written: half of its work would be left.
    Unkillable,
    /// It is of the other kind.
    OfOtherKind,
}

/// The long scripts of an instance.
#[derive(Default)]
pub struct Running {
    /// `busy-reply-threshold`, in ms; 0 is never.
    threshold_ms: AtomicU64,
    long: Mutex<Vec<Arc<LongScript>>>,
    /// All are to end, those that become long from now on included.
    is_abandoned: AtomicBool,
    later: Mutex<Later>,
    engine: OnceLock<Weak<Engine>>,
}

/// What commands that ran beside a script have left to be done.
#[derive(Default)]
struct Later {
    watched: Vec<Watched>,
    observes: bool,
}

impl Running {
    /// Says whose scripts these are.
    pub(in crate::engine) fn attach(&self, engine: &Arc<Engine>) {
        self.engine.set(Arc::downgrade(engine)).ok();
    }

    /// After so many ms others are told that a script is busy.
    pub fn threshold_ms(&self) -> u64 {
        match self.threshold_ms.load(Ordering::Relaxed) {
            0 => u64::MAX,
            threshold => threshold,
        }
    }

    /// Sets `busy-reply-threshold`, in ms.
    pub fn set_threshold_ms(&self, threshold_ms: u64) {
        self.threshold_ms.store(threshold_ms, Ordering::Relaxed);
    }

    /// The script that has been long for longest, if there is one.
    pub fn longest(&self) -> Option<Arc<LongScript>> {
        self.long.lock().first().cloned()
    }

    /// What those are told who come while a script is long.
    pub fn busy_error(&self) -> CommandError {
        self.longest().map_or(Kind::Script, |script| script.kind).busy_error()
    }

    /// Ends every script, whatever it has written: the instance goes, and nothing of it is to be kept.
    pub fn abandon(&self) {
        let long = self.long.lock();
        self.is_abandoned.store(true, Ordering::Release);
        long.iter().for_each(|script| script.state.store(KILLED, Ordering::Release));
    }

    /// Asks the scripts of a kind to end.
    pub fn kill(&self, kind: Kind) -> Killed {
        let long = self.long.lock();
        let mut result = Killed::NotBusy;
        for script in long.iter() {
            let found = match script.state.load(Ordering::Acquire) {
                WRITTEN => Killed::Unkillable,
                _ if script.kind != kind => Killed::OfOtherKind,
                _ => match script.state.compare_exchange(UNTOUCHED, KILLED, Ordering::AcqRel, Ordering::Acquire) {
                    Err(WRITTEN) => Killed::Unkillable,
                    _ => Killed::Yes,
                },
            };
            if result == Killed::NotBusy || found == Killed::Yes {
                result = found;
            }
        }
        result
    }

    /// Has these keys given back when no script is in the way.
    pub fn withdraw_later(&self, watched: Watched) {
        self.later.lock().watched.push(watched);
    }

    /// Has what is observed of changes looked at again when no script is in the way.
    pub fn observe_later(&self) {
        self.later.lock().observes = true;
    }
}

impl Engine {
    /// From now on a script is long: who comes is told so.
    #[cold]
    pub(super) fn begin_long_script(&self, call: LongCall<'_>) -> Arc<LongScript> {
        let LongCall { kind, name, words, watch, has_written } = call;
        let state = AtomicU8::new(if has_written { WRITTEN } else { UNTOUCHED });
        let script = Arc::new(LongScript {
            kind,
            name: name.to_vec(),
            call: words,
            watch,
            state,
            is_over: AtomicBool::new(false),
            attendant: OnceLock::new(),
        });
        tracing::warn!("a script has been running for {} ms; use SCRIPT KILL to end it", script.elapsed_ms());
        let running = &self.scripts.running;
        {
            let mut long = running.long.lock();
            if running.is_abandoned.load(Ordering::Acquire) {
                script.state.store(KILLED, Ordering::Release);
            }
            long.push(script.clone());
            self.show_busy(true);
        }
        let engine = running.engine.get().cloned().unwrap_or_default();
        let attended = script.clone();
        let thread = std::thread::Builder::new().name("pipkin-attendant".into());
        match thread.spawn(move || attend(&engine, &attended)) {
            Ok(handle) => drop(script.attendant.set(handle.thread().clone())),
            Err(error) => tracing::warn!("nobody answers for the threads that wait for the script: {error}"),
        }
        script
    }

    /// A long script has ended: others go on.
    #[cold]
    pub(super) fn end_long_script(&self, script: &Arc<LongScript>) {
        {
            let mut long = self.scripts.running.long.lock();
            long.retain(|other| !Arc::ptr_eq(other, script));
            self.show_busy(!long.is_empty());
        }
        script.is_over.store(true, Ordering::Release);
        if let Some(attendant) = script.attendant.get() {
            attendant.unpark();
        }
    }

    fn show_busy(&self, is_busy: bool) {
        self.hinder(Hindrance::Busy, is_busy);
        self.keyspace.is_busy.store(is_busy, Ordering::Release);
    }

    /// Does what commands beside a script have left.
    fn catch_up(&self) {
        let Later { watched, observes } = std::mem::take(&mut *self.scripts.running.later.lock());
        for watched in watched {
            transaction::withdraw_from_outside(self, &watched);
        }
        if observes {
            self.observe_from_outside();
        }
    }
}

/// Takes turns for everybody's connections until the script has ended.
fn attend(engine: &Weak<Engine>, script: &LongScript) {
    while !script.is_over.load(Ordering::Acquire) {
        let watch = Stopwatch::start();
        {
            let Some(engine) = engine.upgrade() else { return };
            for client in engine.clients.all() {
                if script.is_over.load(Ordering::Acquire) {
                    break;
                }
                if let Some(connection) = client.connection.get().and_then(Weak::upgrade) {
                    connection.attend();
                }
            }
        }
        // With very many connections it rests as long as it works.
        std::thread::park_timeout(ROUND.max(Duration::from_nanos(watch.elapsed_ns())));
    }
    if let Some(engine) = engine.upgrade() {
        engine.catch_up();
    }
}
