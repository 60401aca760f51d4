//! Snapshots without a fork: images of the keyspace at one moment, taken while it is written to.
//!
//! A snapshot draws an id at its start, alone inside the keyspace. Every segment carries as a stamp the id of the last
//! snapshot that has it. A walker hands over segment by segment; whoever is about to change a segment whose stamp is
//! older hands it over first. So each segment reaches each snapshot once, in the state of its start, and nothing is
//! copied that is not written to: records go straight to the receiver, under the lock of one shard of many.
//!
//! Databases are told by identities, which SWAPDB exchanges: what a snapshot calls database 3 is what was number 3 at
//! its start. Flushed tables belong to the receiver, which walks them at leisure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;

use super::record::Record;
use crate::value::table::Table;

/// Takes in what a snapshot is made of. Called under locks of the keyspace: must not wait.
pub trait SnapshotReceiver: Send + Sync {
    /// Records of a database, as they were when the snapshot began.
    fn records(&self, database: usize, records: &mut dyn Iterator<Item = &Record>);

    /// A whole table that nobody else holds any more. Its segments stamped below `id` belong to the snapshot.
    fn flushed(&self, database: usize, table: Table<Record>, id: u32);

    /// Called outside of all locks before a batch: waits, for a bounded time, while too much is not written yet.
    fn pace(&self);
}

struct Active {
    id: u32,
    receiver: Arc<dyn SnapshotReceiver>,
    /// For each identity, the number of its database when the snapshot began.
    numbers: Vec<usize>,
}

/// How far a walk over the keyspace has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// The shard.
    pub(super) shard: usize,
    /// The identity of its database: a number may stand for another database at the next step.
    pub(super) database: usize,
    /// The point on the hash line.
    pub(super) position: u64,
}

/// The snapshots under way.
#[derive(Default)]
pub struct Snapshots {
    /// The newest of those under way, 0 while there is none; changed only while somebody is alone inside.
    latest: AtomicU32,
    drawn: AtomicU32,
    active: RwLock<Vec<Active>>,
    /// Which database is which.
    names: RwLock<Names>,
}

/// Numbers of databases and their identities, both ways.
#[derive(Default)]
struct Names {
    identities: Vec<usize>,
    numbers: Vec<usize>,
}

impl Snapshots {
    /// Of `databases` databases, none under way.
    pub fn new(databases: usize) -> Snapshots {
        let names = Names { identities: (0..databases).collect(), numbers: (0..databases).collect() };
        Snapshots { names: RwLock::new(names), ..Snapshots::default() }
    }

    /// The newest snapshot under way, 0 for none.
    #[inline]
    pub fn latest(&self) -> u32 {
        self.latest.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, receiver: Arc<dyn SnapshotReceiver>) -> u32 {
        let id = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
        let numbers = self.names.read().numbers.clone();
        self.active.write().push(Active { id, receiver, numbers });
        self.latest.store(id, Ordering::Relaxed);
        id
    }

    /// The snapshot has all it needs, or is given up. May be called at any time.
    pub fn end(&self, id: u32) {
        let mut active = self.active.write();
        active.retain(|snapshot| snapshot.id != id);
        self.latest.store(active.last().map_or(0, |snapshot| snapshot.id), Ordering::Relaxed);
    }

    /// Hands the segment of a table that covers `point` over to the snapshots that lack it.
    pub(super) fn hand_over(&self, number: usize, table: &mut Table<Record>, point: u64) {
        let Some(stamp) = table.stamp(point) else { return };
        let identity = self.identity(number);
        let active = self.active.read();
        for snapshot in active.iter().filter(|snapshot| snapshot.id > stamp) {
            snapshot.receiver.records(snapshot.numbers[identity], &mut table.segment_records(point));
        }
        if let Some(newest) = active.last()
            && newest.id > stamp
        {
            table.set_stamp(point, newest.id);
        }
    }

    /// A database was emptied, and this was its table.
    pub(super) fn flushed(&self, number: usize, table: &Table<Record>) {
        let identity = self.identity(number);
        for snapshot in self.active.read().iter() {
            snapshot.receiver.flushed(snapshot.numbers[identity], table.clone(), snapshot.id);
        }
    }

    pub(super) fn swapped(&self, a: usize, b: usize) {
        let Names { identities, numbers } = &mut *self.names.write();
        identities.swap(a, b);
        numbers.swap(identities[a], identities[b]);
    }

    /// Waits, for a bounded time, while a snapshot under way cannot keep up.
    #[cold]
    pub(super) fn pace(&self) {
        let receivers: Vec<_> = self.active.read().iter().map(|snapshot| snapshot.receiver.clone()).collect();
        receivers.iter().for_each(|receiver| receiver.pace());
    }

    fn identity(&self, number: usize) -> usize {
        self.names.read().identities[number]
    }

    /// The number that the database of this identity has now; `None` behind the last.
    pub(super) fn number(&self, identity: usize) -> Option<usize> {
        self.names.read().numbers.get(identity).copied()
    }
}
