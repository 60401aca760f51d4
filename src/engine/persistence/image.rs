//! `Image`: what a snapshot hands over, encoded where it is handed over, on its way to a file.
//!
//! Small records are encoded under the lock of their shard, into blocks; of big values a copy that shares their nodes is
//! kept, and encoded by the thread that writes the file. Blocks wait in a queue: while it is long, those who are about to
//! run a batch wait for a moment, outside of all locks, so that memory does not grow.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::limits::{IMAGE_BACKLOG_BYTES_MAX, IMAGE_PACE_MS};
use crate::engine::instance::Engine;
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

impl Image {
    /// Begins an image of this very moment, alone inside the keyspace; `at_start` runs at that moment. Returns it, the
    /// snapshot's id, and how much there is.
    pub fn begin(engine: &Engine, at_start: impl FnOnce()) -> (Arc<Image>, u32, Sizes) {
        let compresses = engine.settings.rdbcompression.load(std::sync::atomic::Ordering::Relaxed);
        let image = Arc::new(Image { compresses, queue: Mutex::default(), drained: Condvar::new() });
        let mut keys = engine.keys();
        keys.enter_exclusively(engine.clock.now_ms());
        let sizes = sizes(&mut keys);
        let id = keys.begin_snapshot(image.clone());
        at_start();
        keys.leave();
        (image, id, sizes)
    }

    /// Walks the keyspace and writes the whole image; the snapshot has ended when this returns, whatever it returns.
    ///
    /// # Errors
    /// The sink's.
    pub fn write<W: Write>(
        self: &Arc<Image>,
        engine: &Engine,
        id: u32,
        sizes: &Sizes,
        sink: W,
        is_aof_base: bool,
    ) -> io::Result<(W, Written)> {
        let result = self.try_write(engine, id, sizes, sink, is_aof_base);
        engine.keyspace.snapshots.end(id);
        self.drained.notify_all();
        result
    }

    fn try_write<W: Write>(
        &self,
        engine: &Engine,
        id: u32,
        sizes: &Sizes,
        sink: W,
        is_aof_base: bool,
    ) -> io::Result<(W, Written)> {
        let head = Auxiliary {
            redis_version: crate::engine::commands::connection::REDIS_VERSION,
            created: engine.clock.now_ms() / 1000,
            used_memory: engine.used_memory() as u64,
            is_aof_base,
        };
        let mut writer = Writer::new(sink, true, head)?;
        let (mut selected, mut written) = (None, Written::default());
        for &(database, keys, volatile) in sizes {
            writer.select(database);
            writer.sizes(keys, volatile);
            selected = Some(database);
        }
        let (mut cursor, mut keys, mut more) = (Cursor::default(), engine.keys(), true);
        while more {
            keys.enter(engine.clock.now_ms());
            more = keys.walk_snapshot(&mut cursor);
            keys.leave();
            if !more {
                // Everything was handed over; what is queued is the rest.
                engine.keyspace.snapshots.end(id);
            }
            while let Some(block) = self.next() {
                self.write_block(block, &mut writer, &mut selected, &mut written)?;
            }
        }
        written.queue_bytes_max = self.queue.lock().bytes_max;
        Ok((writer.finish()?, written))
    }

    fn next(&self) -> Option<Block> {
        let mut queue = self.queue.lock();
        let block = queue.blocks.pop_front()?;
        queue.bytes -= block.bytes();
        self.drained.notify_all();
        Some(block)
    }

    fn write_block<W: Write>(
        &self,
        block: Block,
        writer: &mut Writer<W>,
        selected: &mut Option<usize>,
        written: &mut Written,
    ) -> io::Result<()> {
        let database = block.database();
        if *selected != Some(database) {
            writer.select(database);
            *selected = Some(database);
        }
        match block {
            Block::Encoded { bytes, keys, .. } => {
                written.keys += keys;
                writer.append(&bytes)
            }
            Block::Big { record, .. } => {
                written.keys += 1;
                let mut encoder = Encoder::new(self.compresses);
                writer.entry(&mut encoder, record.key(), record.view(), record.deadline(), Usage::Unknown)
            }
            Block::Flushed { table, id, .. } => {
                let mut encoder = Encoder::new(self.compresses);
                table.each_stamped_below(id, |record| {
                    written.keys += 1;
                    writer.entry(&mut encoder, record.key(), record.view(), record.deadline(), Usage::Unknown)
                })
            }
        }
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
        let kept = self.queue.lock().encoders.pop();
        let mut encoder = kept.unwrap_or_else(|| Encoder::new(self.compresses));
        let (mut bytes, mut keys) = (Vec::new(), 0);
        for record in records {
            if record.is_slow_to_free() {
                self.push(Block::Big { database, record: record.clone() });
                continue;
            }
            keys += 1;
            let encoded = encoder.entry(record.key(), record.view(), record.deadline(), Usage::Unknown, &mut bytes);
            debug_assert!(encoded.is_ok(), "memory takes everything");
        }
        if keys > 0 {
            self.push(Block::Encoded { database, keys, bytes });
        }
        self.queue.lock().encoders.push(encoder);
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
