//! The slow log: commands that took longer than a threshold, the newest first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use super::clients::Client;
use super::instance::Engine;
use super::registry::Command;
use super::session::Session;
use crate::base::config::is_sensitive;
use crate::command::spec::Flags;
use crate::protocol::request::Request;

/// Arguments of an entry; a longer command's last one says how many were left out.
const ARGUMENTS_MAX: usize = 32;
/// Bytes of an argument; a longer one says how much was left out.
const ARGUMENT_BYTES_MAX: usize = 128;

/// One slow command.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts from 0 since the start.
    pub id: u64,
    /// When it ran, Unix time in seconds.
    pub at_seconds: u64,
    /// How long it took, in us.
    pub took_us: u64,
    /// The command, shortened and without secrets.
    pub arguments: Vec<Vec<u8>>,
    /// The client's address.
    pub peer: String,
    /// The client's name.
    pub name: String,
}

/// See the module's text.
pub struct SlowLog {
    threshold_us: AtomicI64,
    len_max: AtomicUsize,
    next_id: AtomicU64,
    entries: Mutex<VecDeque<Entry>>,
}

impl Default for SlowLog {
    fn default() -> Self {
        SlowLog {
            threshold_us: AtomicI64::new(10_000),
            len_max: AtomicUsize::new(128),
            next_id: AtomicU64::new(0),
            entries: Mutex::default(),
        }
    }
}

impl SlowLog {
    /// `slowlog-log-slower-than`, in us; negative is never.
    #[inline]
    pub fn threshold_us(&self) -> i64 {
        self.threshold_us.load(Relaxed)
    }

    /// Sets threshold (us) and length.
    pub fn configure(&self, threshold_us: i64, len_max: usize) {
        self.threshold_us.store(threshold_us, Relaxed);
        self.len_max.store(len_max, Relaxed);
        self.entries.lock().truncate(len_max);
    }

    /// Whether any command may be slow.
    pub fn may_note(&self) -> bool {
        self.threshold_us() >= 0
    }

    /// Notes a command if it was slow.
    #[inline]
    pub fn note(&self, engine: &Engine, session: &Session, command: &Command, request: Request<'_>, took_us: u64) {
        self.note_arguments(engine, &session.client, command, took_us, || shortened(command, request));
    }

    /// As [`SlowLog::note`], of a client whose session is elsewhere.
    #[inline]
    pub fn note_arguments(
        &self,
        engine: &Engine,
        client: &Client,
        command: &Command,
        took_us: u64,
        arguments: impl FnOnce() -> Vec<Vec<u8>>,
    ) {
        let threshold = self.threshold_us();
        if threshold >= 0 && took_us >= threshold as u64 && !command.flags.has(Flags::SKIP_SLOWLOG) {
            self.add(engine, client, arguments(), took_us);
        }
    }

    #[cold]
    fn add(&self, engine: &Engine, client: &Client, arguments: Vec<Vec<u8>>, took_us: u64) {
        let entry = Entry {
            id: self.next_id.fetch_add(1, Relaxed),
            at_seconds: engine.clock.now_ms() / 1000,
            took_us,
            arguments,
            peer: client.origin.peer.clone(),
            name: client.names.lock().name.clone(),
        };
        let mut entries = self.entries.lock();
        entries.push_front(entry);
        entries.truncate(self.len_max.load(Relaxed));
    }

    /// The newest `count` entries.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        self.entries.lock().iter().take(count).cloned().collect()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries.
    pub fn reset(&self) {
        self.entries.lock().clear();
    }
}

/// The arguments as the log shows them.
pub fn shortened(command: &Command, request: Request<'_>) -> Vec<Vec<u8>> {
    let shown = if request.len() > ARGUMENTS_MAX { ARGUMENTS_MAX - 1 } else { request.len() };
    let arguments = request.iter().take(shown).enumerate();
    let show = |(at, argument)| {
        if is_secret(command, request, at) { b"(redacted)".to_vec() } else { shortened_argument(argument) }
    };
    let mut out: Vec<Vec<u8>> = arguments.map(show).collect();
    if shown < request.len() {
        out.push(format!("... ({} more arguments)", request.len() - shown).into_bytes());
    }
    out
}

/// Whether an argument is, or may be, a password or who it belongs to.
pub fn is_secret(command: &Command, request: Request<'_>, at: usize) -> bool {
    let is_auth = |at: Option<usize>| {
        at.filter(|at| *at >= 2).and_then(|at| request.get(at)).is_some_and(|word| word.eq_ignore_ascii_case(b"auth"))
    };
    match command.full_name.as_str() {
        "auth" => at > 0,
        "hello" => is_auth(at.checked_sub(1)) || is_auth(at.checked_sub(2)),
        "config|set" => at >= 3 && at % 2 == 1 && request.get(at - 1).is_some_and(is_sensitive),
        _ => false,
    }
}

fn shortened_argument(argument: &[u8]) -> Vec<u8> {
    if argument.len() <= ARGUMENT_BYTES_MAX {
        return argument.to_vec();
    }
    let mut out = argument[..ARGUMENT_BYTES_MAX].to_vec();
    out.extend_from_slice(format!("... ({} more bytes)", argument.len() - ARGUMENT_BYTES_MAX).as_bytes());
    out
}
