//! Recovery: from the files of a data directory to a keyspace, while connections are told to wait.

use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::limits::LOG_READ_BYTES;
use crate::engine::clients::Origin;
use crate::engine::dispatch;
use crate::engine::instance::Engine;
use crate::engine::session::Session;
use crate::persist::aof::load::Loader;
use crate::persist::aof::reader::Commands;
use crate::persist::rdb::{Item, Reader, Usage};
use crate::store::eviction;
use crate::store::filler::{Duplicate, Filler};
use crate::store::record::Record;

/// What a key takes in a file at least: its type, two lengths, and a byte of the two.
const KEY_BYTES_MIN: u64 = 4;

/// Why loading ends early.
const STOPPED: &str = "the instance was stopped meanwhile";

/// How far loading has come, for INFO and the progress bar.
#[derive(Debug, Default)]
pub struct Loading {
    /// When it began, Unix time in ms.
    pub started_ms: AtomicU64,
    /// Bytes to load.
    pub total_bytes: AtomicU64,
    /// Bytes that were loaded.
    pub loaded_bytes: AtomicU64,
    /// Keys that were loaded from snapshots.
    pub keys: AtomicU64,
    /// Keys that had expired, and were left out.
    pub expired: AtomicU64,
}

impl Loading {
    /// Loading begins, and nothing has been loaded.
    pub(super) fn begin(&self, now_ms: u64) {
        self.started_ms.store(now_ms, Ordering::Relaxed);
        for counter in [&self.total_bytes, &self.loaded_bytes, &self.keys, &self.expired] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// Counts what is read.
struct Counting<'l, R> {
    input: R,
    loading: &'l Loading,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.loading.loaded_bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Which keys of a snapshot are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those whose deadline is not over.
    Live,
    /// Those, in the place of what is there of the same name, libraries of functions included.
    Instead,
    /// All: a log follows, which may have given them another deadline in time.
    All,
}

/// Loads a snapshot. Returns what was read behind its end.
///
/// # Errors
/// What is wrong with it, and at which offset.
pub fn load_snapshot(engine: &Engine, input: impl Read, wanted: Wanted) -> Result<Vec<u8>, String> {
    let loading = &engine.persistence.loading;
    let (limits, basis) = (engine.settings.values(), engine.keyspace.basis().clone());
    let input = Counting { input, loading };
    let mut reader = Reader::new(input, limits, basis).map_err(|error| error.to_string())?;
    load_items(&mut reader, engine, wanted)?;
    Ok(reader.into_rest().0)
}

fn load_items<R: Read>(reader: &mut Reader<R>, engine: &Engine, wanted: Wanted) -> Result<(), String> {
    let loading = &engine.persistence.loading;
    let (mut filler, databases) = (Filler::new(&engine.keyspace), engine.keyspace.databases);
    let now_ms = engine.clock.now_ms();
    // Records are put into their places some at a time: the second one of them may be a little before the offset.
    let twice = |found: Duplicate, offset: u64| {
        format!("the key '{}' is there twice, before offset {offset}", String::from_utf8_lossy(&found.key))
    };
    while let Some(item) = reader.next().map_err(|error| error.to_string())? {
        if engine.stopping.is_wished() {
            return Err(STOPPED.into());
        }
        let entry = match item {
            Item::Entry(entry) => entry,
            Item::Sizes { database, keys, .. } if database < databases => {
                let keys = keys.min(loading.total_bytes.load(Ordering::Relaxed) / KEY_BYTES_MIN);
                filler.expect(database, usize::try_from(keys).unwrap_or(0));
                continue;
            }
            Item::Function(code) => {
                let loaded = engine.functions.load(code, wanted == Wanted::Instead, None);
                loaded.map_err(|refusal| String::from_utf8_lossy(&refusal).into_owned())?;
                continue;
            }
            _ => continue,
        };
        if entry.database >= databases {
            return Err(format!(
                "it has keys of database {}, and there are {databases} here: start with --databases {}",
                entry.database,
                entry.database + 1
            ));
        }
        if wanted != Wanted::All && entry.deadline.is_some_and(|deadline| deadline < now_ms) {
            loading.expired.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        if wanted == Wanted::Instead {
            let mut keys = engine.keys();
            keys.enter_exclusively(now_ms);
            keys.database = entry.database;
            keys.remove(entry.key);
            keys.leave();
        }
        let mut record = Record::new(entry.key, entry.value, entry.deadline);
        record.set_access(match entry.usage {
            Usage::Frequency(counter) => eviction::frequency_of_counter(counter, now_ms),
            Usage::Idle(seconds) => eviction::recency_of_idle(seconds, now_ms),
            Usage::Unknown => eviction::recency_at(now_ms),
        });
        let added = filler.add(entry.database, record);
        added.map_err(|found| twice(found, reader.offset()))?;
        loading.keys.fetch_add(1, Ordering::Relaxed);
    }
    filler.finish().map_err(|found| twice(found, reader.offset()))
}

/// Runs what the append-only files hold.
pub struct Replay<'e> {
    engine: &'e Engine,
    session: Session,
}

impl<'e> Replay<'e> {
    /// For an instance that is loading.
    pub fn new(engine: &'e Engine) -> Replay<'e> {
        let mut session = engine.connect(Origin::in_process(), None);
        session.is_replay = true;
        Replay { engine, session }
    }
}

impl Loader for Replay<'_> {
    fn begin_file(&mut self, name: &str, bytes: u64) {
        tracing::info!("loading {name}, {bytes} bytes");
        self.engine.persistence.loading.total_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.session.database = 0;
    }

    fn snapshot(&mut self, input: &mut dyn Read) -> Result<Vec<u8>, String> {
        load_snapshot(self.engine, input, Wanted::All)
    }

    fn run(&mut self, commands: &Commands<'_>) -> Result<(), (usize, String)> {
        let mut out = Vec::new();
        for (index, request) in commands.iter().enumerate() {
            if self.engine.stopping.is_wished() {
                return Err((index, STOPPED.into()));
            }
            let bytes: usize = request.iter().map(<[u8]>::len).sum();
            self.engine.persistence.loading.loaded_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            out.clear();
            out = dispatch::run_request(self.engine, &mut self.session, request, out);
            if out.first() == Some(&b'-') {
                return Err((index, String::from_utf8_lossy(&out).trim_end().to_owned()));
            }
        }
        Ok(())
    }
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        self.session.end(self.engine);
    }
}

/// Loads a snapshot from a file.
///
/// # Errors
/// What the system or the file says.
pub fn load_rdb(engine: &Engine, input: impl Read, bytes: u64, wanted: Wanted) -> Result<(), String> {
    engine.persistence.loading.total_bytes.fetch_add(bytes, Ordering::Relaxed);
    load_snapshot(engine, BufReader::with_capacity(LOG_READ_BYTES, input), wanted).map(drop)
}
