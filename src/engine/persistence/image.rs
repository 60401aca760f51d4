//! `Image`: what a snapshot hands over, encoded where it is handed over, on its way to a file.
//!
//! Small records are encoded under the lock of their shard, into blocks; of big values a copy that shares their nodes is
//! kept, and encoded by the thread that writes the file. Blocks wait in a queue: while it is long, those who are about to
//! run a batch wait for a moment, outside of all locks, so that memory does not grow.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::limits::{IMAGE_BACKLOG_BYTES_MAX, IMAGE_PACE_MS};
use crate::engine::commands::connection::REDIS_VERSION;
use crate::engine::instance::Engine;
use crate::engine::script::functions::Library;
use crate::persist::rdb::{Auxiliary, Encoder, Usage, Writer};
use crate::store::keys::Keys;
use crate::store::record::Record;
use crate::store::snapshot::{Cursor, SnapshotReceiver};
use crate::value::table::Table;

/// Something on its way to the file.
enum Block {
    Encoded { database: usize, keys: usize, bytes: Vec<u8> },
    Big { database: usize, record: Record },
    Flushed { database: usize, table: Table<Record>, id: u32 },
}

#[derive(Default)]
struct Queue {
    blocks: VecDeque<Block>,
    bytes: usize,
    bytes_max: usize,
    encoders: Vec<Encoder>,
    /// Length of the segment that was encoded last: the next one will not be much longer.
    segment_bytes: usize,
}

/// How far the image that is being written has come, for INFO; zeroes while there is none.
#[derive(Debug, Default)]
pub struct Progress {
    /// Keys that are written.
    pub keys: AtomicU64,
    /// Keys when it began.
    pub total: AtomicU64,
}

/// See the module's text.
pub struct Image {
    compresses: bool,
    queue: Mutex<Queue>,
    drained: Condvar,
}

/// What an image came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// Keys.
    pub keys: usize,
    /// The longest that the queue was, in bytes: what the snapshot took beside the dataset.
    pub queue_bytes_max: usize,
}

/// Keys and volatile keys of each database when the image began.
type Sizes = Vec<(usize, usize, usize)>;

/// A snapshot that has begun; it ends, written or given up, when this is dropped.
pub struct Snapshot<'e> {
    engine: &'e Engine,
    image: Arc<Image>,
    id: u32,
    sizes: Sizes,
    has_field_deadlines: bool,
    libraries: Vec<Arc<Library>>,
}

impl<'e> Snapshot<'e> {
    /// Begins a snapshot of this very moment, alone inside the keyspace; `at_start` runs at that moment.
    pub fn begin(engine: &'e Engine, at_start: impl FnOnce(&mut Keys<'_>)) -> Snapshot<'e> {
        let compresses = engine.settings.rdbcompression.load(Ordering::Relaxed);
        let image = Arc::new(Image { compresses, queue: Mutex::default(), drained: Condvar::new() });
        let mut keys = engine.keys();
        keys.enter_exclusively(engine.clock.now_ms());
        let sizes = sizes(&mut keys);
        let has_field_deadlines = keys.has_field_deadlines();
        let libraries = engine.functions.libraries();
        let id = keys.begin_snapshot(image.clone());
        at_start(&mut keys);
        keys.leave();
        Snapshot { engine, image, id, sizes, has_field_deadlines, libraries }
    }

    /// Walks the keyspace and writes the whole image.
    ///
    /// # Errors
    /// The sink's.
    pub fn write<W: Write>(self, sink: W, is_aof_base: bool) -> io::Result<(W, Written)> {
        let (engine, image) = (self.engine, &*self.image);
        let head = Auxiliary {
            redis_version: REDIS_VERSION,
            created: engine.clock.now_ms() / 1000,
            used_memory: engine.used_memory() as u64,
            is_aof_base,
            has_field_deadlines: self.has_field_deadlines,
        };
        let mut file = ImageFile {
            writer: Writer::new(sink, true, head)?,
            encoder: Encoder::new(image.compresses),
            selected: None,
            written: Written::default(),
        };
        for library in &self.libraries {
            let mut encoded = Vec::new();
            file.encoder.function(&library.code, &mut encoded);
            file.writer.append(&encoded)?;
        }
        for &(database, keys, volatile) in &self.sizes {
            file.select(database);
            file.writer.sizes(keys, volatile);
        }
        let progress = &engine.persistence.progress;
        progress.total.store(self.sizes.iter().map(|(_, keys, _)| *keys as u64).sum(), Ordering::Relaxed);
        let (mut cursor, mut keys, mut more) = (Cursor::default(), engine.keys(), true);
        while more {
            keys.enter(engine.clock.now_ms());
            more = keys.walk_snapshot(&mut cursor);
            keys.leave();
            if !more {
                // Everything was handed over; what is queued is the rest.
                engine.keyspace.snapshots.end(self.id);
            }
            while let Some(block) = image.next() {
                file.block(block)?;
                progress.keys.store(file.written.keys as u64, Ordering::Relaxed);
            }
        }
        let written = Written { queue_bytes_max: image.queue.lock().bytes_max, ..file.written };
        Ok((file.writer.finish()?, written))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.engine.keyspace.snapshots.end(self.id);
        self.image.drained.notify_all();
        let Progress { keys, total } = &self.engine.persistence.progress;
        [keys, total].iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
    }
}

/// The file that an image is written to.
struct ImageFile<W> {
    writer: Writer<W>,
    encoder: Encoder,
    /// The database that the keys are of.
    selected: Option<usize>,
    written: Written,
}

impl<W: Write> ImageFile<W> {
    fn select(&mut self, database: usize) {
        if self.selected != Some(database) {
            self.writer.select(database);
            self.selected = Some(database);
        }
    }

    fn block(&mut self, block: Block) -> io::Result<()> {
        self.select(block.database());
        match block {
            Block::Encoded { bytes, keys, .. } => {
                self.written.keys += keys;
                self.writer.append(&bytes)
            }
            Block::Big { record, .. } => self.record(&record),
            Block::Flushed { table, id, .. } => table.each_stamped_below(id, |record| self.record(record)),
        }
    }

    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.written.keys += 1;
        let (key, deadline) = (record.key(), record.deadline());
        self.writer.entry(&mut self.encoder, key, record.view(), deadline, Usage::Unknown)
    }
}

impl Image {
    fn next(&self) -> Option<Block> {
        let mut queue = self.queue.lock();
        let block = queue.blocks.pop_front()?;
        queue.bytes -= block.bytes();
        self.drained.notify_all();
        Some(block)
    }

    fn push(&self, block: Block) {
        let mut queue = self.queue.lock();
        queue.bytes += block.bytes();
        queue.bytes_max = queue.bytes_max.max(queue.bytes);
        queue.blocks.push_back(block);
    }
}

impl Block {
    fn database(&self) -> usize {
        match self {
            Block::Encoded { database, .. } | Block::Big { database, .. } | Block::Flushed { database, .. } => {
                *database
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Block::Encoded { bytes, .. } => bytes.len(),
            Block::Big { record, .. } => record.key().len(),
            Block::Flushed { .. } => 0,
        }
    }
}

impl SnapshotReceiver for Image {
    fn records(&self, database: usize, records: &mut dyn Iterator<Item = &Record>) {
        let mut queue = self.queue.lock();
        let (kept, mut keys) = (queue.encoders.pop(), 0);
        let mut bytes = Vec::with_capacity(queue.segment_bytes + queue.segment_bytes / 8);
        drop(queue);
        let mut encoder = kept.unwrap_or_else(|| Encoder::new(self.compresses));
        for record in records {
            if record.is_slow_to_free() {
                self.push(Block::Big { database, record: record.clone() });
                continue;
            }
            keys += 1;
            let encoded = encoder.entry(record.key(), record.view(), record.deadline(), Usage::Unknown, &mut bytes);
            debug_assert!(encoded.is_ok(), "memory takes everything");
        }
        let segment_bytes = bytes.len();
        if keys > 0 {
            self.push(Block::Encoded { database, keys, bytes });
        }
        let mut queue = self.queue.lock();
        queue.segment_bytes = segment_bytes;
        queue.encoders.push(encoder);
    }

    fn flushed(&self, database: usize, table: Table<Record>, id: u32) {
        self.push(Block::Flushed { database, table, id });
    }

    fn pace(&self) {
        let mut queue = self.queue.lock();
        if queue.bytes > IMAGE_BACKLOG_BYTES_MAX {
            // Waking late or early does no harm: the bound is soft.
            self.drained.wait_for(&mut queue, Duration::from_millis(IMAGE_PACE_MS));
        }
    }
}

/// `(database, keys, volatile keys)` of those that hold any.
fn sizes(keys: &mut Keys<'_>) -> Sizes {
    let mut sizes = vec![(0, 0); keys.keyspace().databases];
    keys.each_shard(|shard| {
        for number in 0..shard.database_count() {
            if let (Some(database), Some(size)) = (shard.database(number), sizes.get_mut(number)) {
                size.0 += database.table.len();
                size.1 += database.volatile;
            }
        }
    });
    let sizes = sizes.into_iter().enumerate().map(|(number, (keys, volatile))| (number, keys, volatile));
    sizes.filter(|(_, keys, _)| *keys > 0).collect()
}

#[cfg(test)]
mod tests;
