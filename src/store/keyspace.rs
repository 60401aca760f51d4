//! The keyspace: many shards, each behind a lock on its own cache lines, and one big-reader lock above them.
//!
//! The hash of a key chooses its shard; the database does not, so that commands between databases meet in one place.
//! Whoever touches shards holds the big lock too, shared. Holding it exclusively is holding every shard, at a cost that
//! grows with the number of workers and not of shards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crossbeam::sync::ShardedLock;
use crossbeam::utils::CachePadded;

use super::effects::{EffectSink, Observer};
use super::reclaim::Reclaimer;
use super::record::Record;
use super::snapshot::Snapshots;
use crate::base::config::KeyspaceEvents;
use crate::base::limits::SHARDS;
use crate::base::lock::SpinMutex;
use crate::value::table::{Basis, Table};

/// One database's part of one shard.
pub struct Database {
    /// The records.
    pub table: Table<Record>,
    /// How many of them have a deadline.
    pub volatile: usize,
    /// How many are hashes with fields that have one.
    pub volatile_hashes: usize,
}

impl Database {
    fn new(basis: Basis) -> Database {
        Database { table: Table::new(basis), volatile: 0, volatile_hashes: 0 }
    }
}

/// Set when a watched key changes; one per watching connection and `WATCH`…`EXEC` span.
#[derive(Debug, Default)]
pub struct WatchFlag(AtomicBool);

impl WatchFlag {
    /// Whether a watched key has changed.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
    /// Says that a watched key has changed. The shard's lock orders this with the readers.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Somebody who waits for elements of a key; the engine's blocking module knows what to do with it.
pub trait Waiter: Send + Sync + std::any::Any {
    /// Whether somebody has served it, or its time is over.
    fn is_settled(&self) -> bool;
    /// For the engine, to find its own type again.
    fn as_any(&self) -> &dyn std::any::Any;
    /// Every key that serving it may touch, those that it waits for included.
    fn touches(&self) -> &[Vec<u8>];
}

/// Those who wait for one key.
#[derive(Default)]
pub struct Queue {
    /// By ticket: tickets are drawn in order of arrival.
    waiters: BTreeMap<u64, Arc<dyn Waiter>>,
    /// The tickets of those who may touch other keys, too: a writer need not ask everybody.
    wide: BTreeSet<u64>,
}

impl Queue {
    /// The keys that serving those who wait may touch; the awaited one may be missing, and keys may come twice.
    pub fn touched(&self) -> impl Iterator<Item = &Vec<u8>> {
        let wide = self.wide.iter().filter_map(|ticket| self.waiters.get(ticket));
        wide.filter(|waiter| !waiter.is_settled()).flat_map(|waiter| waiter.touches())
    }

    fn add(&mut self, own: &[u8], ticket: u64, waiter: Arc<dyn Waiter>) {
        if waiter.touches().iter().any(|key| *key != own) {
            self.wide.insert(ticket);
        }
        self.waiters.insert(ticket, waiter);
    }

    fn remove(&mut self, ticket: u64) {
        self.waiters.remove(&ticket);
        self.wide.remove(&ticket);
    }
}

/// Which key of which database.
pub type KeyId = (usize, Box<[u8]>);

/// A part of the keyspace; see the module's text.
// The rare maps are boxed: every lookup touches the shard's own lines, and they are to be few.
#[allow(clippy::box_collection)]
pub struct Shard {
    /// Database 0, in the shard itself: one memory access less for nearly everybody.
    first: Database,
    /// Databases 1 and up; only as many as were used.
    others: Vec<Database>,
    /// Who watches keys of this shard. Kept boxed and absent: almost no shard has any.
    #[allow(clippy::box_collection)] // Eight bytes in the shard instead of 48, on its hot cache line.
    watched: Option<Box<HashMap<KeyId, Vec<Arc<WatchFlag>>>>>,
    /// Who waits for keys of this shard; absent, too, where nobody does.
    #[allow(clippy::box_collection)] // As above.
    waiting: Option<Box<HashMap<KeyId, Queue>>>,
    /// The latest time at which anybody held this shard, so that time never runs backwards for a key.
    pub now_ms: u64,
    /// The log's position behind the last record that concerns this shard.
    pub position: u64,
    basis: Basis,
}

impl Shard {
    fn new(basis: Basis) -> Shard {
        let first = Database::new(basis.clone());
        Shard { first, others: Vec::new(), watched: None, waiting: None, now_ms: 0, position: 0, basis }
    }

    /// The database, if it was ever written to in this shard.
    #[inline]
    pub fn database(&self, number: usize) -> Option<&Database> {
        if number == 0 { Some(&self.first) } else { self.others.get(number - 1) }
    }

    /// The database.
    #[inline]
    pub fn database_mut(&mut self, number: usize) -> &mut Database {
        if number == 0 {
            return &mut self.first;
        }
        if number > self.others.len() {
            self.others.resize_with(number, || Database::new(self.basis.clone()));
        }
        &mut self.others[number - 1]
    }

    /// One more than the highest database that was ever written to.
    pub fn database_count(&self) -> usize {
        1 + self.others.len()
    }

    /// Takes a database's contents out, if it was ever written to.
    pub fn take_database(&mut self, number: usize) -> Option<Database> {
        self.database(number)?;
        let fresh = Database::new(self.basis.clone());
        Some(std::mem::replace(self.database_mut(number), fresh))
    }

    /// Exchanges two databases.
    pub fn swap_databases(&mut self, a: usize, b: usize) {
        let (low, high) = (a.min(b), a.max(b));
        if low == high {
            return;
        }
        self.database_mut(high);
        if low == 0 {
            std::mem::swap(&mut self.first, &mut self.others[high - 1]);
        } else {
            self.others.swap(low - 1, high - 1);
        }
    }

    /// Registers a watcher of a key.
    pub fn watch(&mut self, id: KeyId, flag: Arc<WatchFlag>) {
        self.watched.get_or_insert_default().entry(id).or_default().push(flag);
    }

    /// Removes a watcher of a key.
    pub fn unwatch(&mut self, id: &KeyId, flag: &Arc<WatchFlag>) {
        let Some(watched) = &mut self.watched else { return };
        if let Some(flags) = watched.get_mut(id) {
            flags.retain(|known| !Arc::ptr_eq(known, flag));
            if flags.is_empty() {
                watched.remove(id);
            }
        }
        if watched.is_empty() {
            self.watched = None;
        }
    }

    /// The keys that somebody watches.
    pub fn watched(&self) -> impl Iterator<Item = &KeyId> {
        self.watched.iter().flat_map(|watched| watched.keys())
    }

    /// Raises the flags of everybody who watches the key.
    #[inline]
    pub fn touch(&mut self, database: usize, key: &[u8]) {
        if let Some(watched) = &self.watched
            && let Some(flags) = watched.get(&(database, key.into()) as &KeyId)
        {
            flags.iter().for_each(|flag| flag.raise());
        }
    }

    /// Raises the flags of everybody who watches a key of the database for which `concerned` holds.
    pub fn touch_database(&mut self, database: usize, mut concerned: impl FnMut(&Self, &[u8]) -> bool) {
        let Some(watched) = self.watched.take() else { return };
        for ((number, key), flags) in watched.iter() {
            if *number == database && concerned(self, key) {
                flags.iter().for_each(|flag| flag.raise());
            }
        }
        self.watched = Some(watched);
    }

    /// Whether anybody waits for any key here.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether anybody waits for a key.
    pub fn is_awaited(&self, database: usize, key: &[u8]) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.contains_key(&(database, key.into()) as &KeyId))
    }

    /// The keys that somebody waits for, and everybody who does.
    pub fn awaited(&self) -> impl Iterator<Item = (&KeyId, &Queue)> {
        self.waiting.iter().flat_map(|waiting| waiting.iter())
    }

    /// Those who wait for a key, in order of arrival.
    pub fn waiters(&self, id: &KeyId) -> impl Iterator<Item = &Arc<dyn Waiter>> {
        self.waiting.as_ref().and_then(|waiting| waiting.get(id)).into_iter().flat_map(|queue| queue.waiters.values())
    }

    /// Lets somebody wait for a key; `ticket` is higher than that of everybody who came before.
    pub fn enqueue_waiter(&mut self, id: KeyId, ticket: u64, waiter: Arc<dyn Waiter>) {
        let own = id.1.clone();
        self.waiting.get_or_insert_default().entry(id).or_default().add(&own, ticket, waiter);
    }

    /// Takes somebody out of the queue of a key.
    pub fn remove_waiter(&mut self, id: &KeyId, ticket: u64) {
        let Some(queue) = self.waiting.as_mut().and_then(|waiting| waiting.get_mut(id)) else { return };
        queue.remove(ticket);
        if queue.waiters.is_empty()
            && let Some(waiting) = &mut self.waiting
        {
            waiting.remove(id);
            if waiting.is_empty() {
                self.waiting = None;
            }
        }
    }
}

/// Who hears of changes. Everybody inside sees the same: it is changed only by who is alone there.
#[derive(Default)]
pub struct Listeners {
    /// Takes the records, where they are kept.
    pub log: Option<Arc<dyn EffectSink>>,
    /// Hears of events.
    pub observer: Option<Arc<dyn Observer>>,
    /// The classes that it wants to hear of.
    pub wanted: KeyspaceEvents,
    /// Whether it wants to hear of every change.
    pub tracking: bool,
}

/// The keyspace of one instance.
pub struct Keyspace {
    shards: Box<[CachePadded<SpinMutex<Shard>>]>,
    /// Held shared by whoever touches shards, exclusively by what touches everything.
    pub(super) everything: ShardedLock<Listeners>,
    /// Who holds everything will do so for long: others rather say so than wait.
    pub is_busy: AtomicBool,
    basis: Basis,
    /// Number of databases.
    pub databases: usize,
    /// Frees big values.
    pub reclaimer: Reclaimer,
    /// Bytes of records and their values; the tables' own bytes are counted when asked for.
    used: CachePadded<AtomicI64>,
    /// The snapshots under way.
    pub snapshots: Snapshots,
}

impl Keyspace {
    /// An empty keyspace.
    ///
    /// # Errors
    /// When the thread that frees big values cannot be started.
    pub fn new(basis: Basis, databases: usize) -> std::io::Result<Keyspace> {
        let shards = (0..SHARDS).map(|_| CachePadded::new(SpinMutex::new(Shard::new(basis.clone())))).collect();
        Ok(Keyspace {
            shards,
            everything: ShardedLock::default(),
            is_busy: AtomicBool::new(false),
            basis,
            databases,
            reclaimer: Reclaimer::start()?,
            used: CachePadded::new(AtomicI64::new(0)),
            snapshots: Snapshots::new(databases),
        })
    }

    /// Called before a batch enters: waits for a moment while a snapshot under way cannot keep up.
    #[inline]
    pub fn pace(&self) {
        if self.snapshots.latest() != 0 {
            self.snapshots.pace();
        }
    }

    /// What keys are hashed and dated with.
    #[inline]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Index of the shard that holds keys of this hash. Tables use the upper bits.
    #[inline]
    pub fn shard_of(hash: u64) -> usize {
        hash as usize & (SHARDS - 1)
    }

    /// A shard behind its lock.
    #[inline]
    pub fn shard(&self, index: usize) -> &SpinMutex<Shard> {
        &self.shards[index & (SHARDS - 1)]
    }

    /// Adds to the bytes in use.
    #[inline]
    pub fn account(&self, bytes: i64) {
        if bytes != 0 {
            self.used.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of all records and their values.
    #[inline]
    pub fn record_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed).max(0) as usize
    }

    /// Bytes of the keyspace itself while it is empty.
    pub fn base_bytes(&self) -> usize {
        SHARDS * size_of::<CachePadded<SpinMutex<Shard>>>()
    }
}
