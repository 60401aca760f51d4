//! `Keys`: the shards that a command holds, and everything that may be done with the keys in them.
//!
//! A batch of commands enters the keyspace once ([`Keys::enter`]); each command then locks the shards of its keys in
//! ascending order, runs, and lets go. What needs every shard enters exclusively and locks shards as it meets them:
//! nobody else holds any. Between two commands nothing is held but the big lock's shared side, and never across an
//! await.
//!
//! Lookups here are what makes expiry invisible: a key past its deadline is removed by whoever meets it first.

mod access;
mod changes;
mod databases;
mod entry;
mod expiry;
mod fields;
mod held;
mod snapshot;

use std::cell::Cell;

use smallvec::SmallVec;

pub use self::access::AccessPolicy;
use self::entry::Entered;
use self::held::HeldShards;
use super::effects::{Effects, EventClass};
use super::keyspace::{Database, Keyspace, Shard};
use super::reclaim::Garbage;
use super::record::{NewValue, Record};
use crate::base::bytes::equal;
use crate::base::prefetch;
use crate::value::table::Place;

/// A declared key, known by its address: its memory lives as long as the command runs, so that the same address and
/// length mean the same bytes.
#[derive(Clone, Copy)]
struct Declared {
    address: *const u8,
    len: usize,
    hash: u64,
}

impl Declared {
    const NONE: Declared = Declared { address: std::ptr::null(), len: 0, hash: 0 };

    #[inline]
    fn new(key: &[u8], hash: u64) -> Declared {
        Declared { address: key.as_ptr(), len: key.len(), hash }
    }

    #[inline]
    fn is(&self, key: &[u8]) -> bool {
        self.address == key.as_ptr() && self.len == key.len()
    }
}

/// Counts of a batch, added to the instance's statistics when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Lookups for reading that found their key.
    pub hits: u64,
    /// Lookups for reading that did not.
    pub misses: u64,
    /// Keys that were found expired.
    pub expired: u64,
    /// Bytes of records more (or fewer) than before.
    pub bytes: i64,
    /// The log's position behind everything that was seen or changed.
    pub position: u64,
    /// The log's position behind what was changed, 0 for nothing.
    pub written: u64,
}

/// What one look at a shard for expired keys came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swept {
    /// Keys removed.
    pub removed: usize,
    /// Whether any key there has a deadline.
    pub volatile: bool,
}

/// The lock set and key operations of one caller; see the module's text.
pub struct Keys<'k> {
    keyspace: &'k Keyspace,
    entered: Entered<'k>,
    held: HeldShards<'k>,
    /// The key that the running command declared alone, or that was asked for last.
    current: Cell<Declared>,
    /// The keys of a command that declared several.
    declared: Vec<Declared>,
    /// Place in `declared` behind the key that was asked for last: handlers take their keys in order.
    next: Cell<usize>,
    /// The newest snapshot that is being taken, 0 for none.
    snapshot: u32,
    /// The selected database.
    pub database: usize,
    /// The time of this command, Unix time in ms.
    pub now_ms: u64,
    /// The time while a log is replayed, outside of time.
    pub replay_ms: u64,
    /// How uses are noted.
    pub access: AccessPolicy,
    /// What has expired is not removed, only not found: for a caller that does not write.
    pub spares_expired: bool,
    /// Counts since the last [`Keys::leave`].
    pub tally: Tally,
    /// What the running command changed.
    pub effects: Effects,
}

/// A record to be changed; accounts for the bytes that it gains or loses.
pub struct RecordMut<'a> {
    record: &'a mut Record,
    before: usize,
    bytes: &'a mut i64,
    /// Whether it was a hash with fields that have deadlines, and how many of those there are beside it.
    was_volatile_hash: bool,
    volatile_hashes: &'a mut usize,
}

impl std::ops::Deref for RecordMut<'_> {
    type Target = Record;
    #[inline]
    fn deref(&self) -> &Record {
        self.record
    }
}

impl std::ops::DerefMut for RecordMut<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Record {
        self.record
    }
}

impl Drop for RecordMut<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.bytes += self.record.heap_bytes() as i64 - self.before as i64;
        let is_volatile_hash = self.record.field_deadline().is_some();
        if is_volatile_hash != self.was_volatile_hash {
            *self.volatile_hashes = *self.volatile_hashes + is_volatile_hash as usize - self.was_volatile_hash as usize;
        }
    }
}

impl<'k> Keys<'k> {
    /// Holds nothing yet.
    pub fn new(keyspace: &'k Keyspace) -> Self {
        Keys {
            keyspace,
            entered: Entered::Not,
            held: HeldShards::default(),
            current: Cell::new(Declared::NONE),
            declared: Vec::new(),
            next: Cell::new(0),
            snapshot: 0,
            database: 0,
            now_ms: 0,
            replay_ms: 0,
            access: AccessPolicy::default(),
            spares_expired: false,
            tally: Tally::default(),
            effects: Effects::default(),
        }
    }

    /// The keyspace.
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// Lets go of the shards.
    #[inline]
    pub fn release(&mut self) {
        self.held.clear();
        self.current.set(Declared::NONE);
        if !self.declared.is_empty() {
            self.declared.clear();
            self.next.set(0);
        }
    }

    /// The hash of a key; those of the command's declared keys are remembered.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        let current = self.current.get();
        if current.is(key) { current.hash } else { self.hash_of_other(key) }
    }

    fn hash_of_other(&self, key: &[u8]) -> u64 {
        let next = self.next.get();
        for place in [next, 0] {
            if let Some(declared) = self.declared.get(place)
                && declared.is(key)
            {
                self.next.set(place + 1);
                self.current.set(*declared);
                return declared.hash;
            }
        }
        self.keyspace.basis().hash(key)
    }

    #[inline]
    fn push_locked(&mut self, index: usize) -> &mut Shard {
        let mut shard = self.keyspace.shard(index).lock();
        // Sampled before locking, time could run backwards for a key that another worker touched in between.
        if self.now_ms != 0 {
            self.now_ms = self.now_ms.max(shard.now_ms);
            shard.now_ms = self.now_ms;
        }
        self.tally.position = self.tally.position.max(shard.position);
        self.held.add(index, shard)
    }

    /// Locks the shard of one key, whose hash is known.
    #[inline]
    pub fn lock_one(&mut self, key: &[u8], hash: u64) {
        debug_assert!(self.held.is_empty());
        self.current.set(Declared::new(key, hash));
        self.push_locked(Keyspace::shard_of(hash));
    }

    /// Locks the shards of several keys, in ascending order; the keys live as long as the command runs, and their hashes
    /// are remembered.
    pub fn lock_hashed<'a>(&mut self, keys: impl Iterator<Item = (&'a [u8], u64)>) {
        self.declared.extend(keys.map(|(key, hash)| Declared::new(key, hash)));
        let shards = self.declared.iter().map(|key| Keyspace::shard_of(key.hash) as u16).collect();
        self.lock_shards(shards);
    }

    /// Locks the shards of several keys, in ascending order.
    pub fn lock_many<'a>(&mut self, keys: impl Iterator<Item = &'a [u8]>) {
        let shards = keys.map(|key| Keyspace::shard_of(self.hash(key)) as u16).collect();
        self.lock_shards(shards);
    }

    fn lock_shards(&mut self, mut shards: SmallVec<[u16; 32]>) {
        debug_assert!(self.held.is_empty());
        shards.sort_unstable();
        shards.dedup();
        for index in shards {
            self.push_locked(index as usize);
        }
    }

    /// Whether the shard of a key is held (or everything is).
    pub fn holds(&mut self, key: &[u8]) -> bool {
        let index = Keyspace::shard_of(self.hash(key));
        self.is_exclusive() || self.held.get(index).is_some()
    }

    /// The held shard with this index.
    ///
    /// # Panics
    /// When the caller never locked it: the dispatcher missed a key, which is a bug and must not go unnoticed.
    #[inline(always)]
    fn shard(&mut self, index: usize) -> &mut Shard {
        if self.held.get_mut(index).is_none() {
            self.lock_late(index);
        }
        match self.held.get_mut(index) {
            Some(shard) => shard,
            None => unreachable!("a shard was locked just now"),
        }
    }

    /// Alone inside, shards are locked as they are met.
    #[cold]
    fn lock_late(&mut self, index: usize) {
        assert!(self.is_exclusive(), "a command touched a key that it did not declare");
        self.push_locked(index);
    }

    /// Runs `visit` on every shard in order. Alone inside, the shards stay locked; else each is let go at once, and the
    /// caller must hold none.
    pub fn each_shard(&mut self, mut visit: impl FnMut(&mut Shard)) {
        for index in 0..crate::base::limits::SHARDS {
            if self.is_exclusive() {
                visit(self.shard(index));
            } else {
                debug_assert!(self.held.is_empty());
                self.with_shard(index, &mut visit);
            }
        }
    }

    /// Runs `visit` on one shard, as [`Keys::each_shard`] does.
    pub fn with_shard<R>(&mut self, index: usize, visit: impl FnOnce(&mut Shard) -> R) -> R {
        if self.is_exclusive() {
            return visit(self.shard(index));
        }
        let mut shard = self.keyspace.shard(index).lock();
        self.tally.position = self.tally.position.max(shard.position);
        visit(&mut shard)
    }

    #[inline(always)]
    fn part(&mut self, hash: u64) -> &mut Database {
        let number = self.database;
        self.shard(Keyspace::shard_of(hash)).database_mut(number)
    }

    /// Where a live key is; removes it, or those of its fields, that have expired.
    #[inline]
    fn locate(&mut self, key: &[u8], hash: u64) -> Option<Place> {
        let database = self.database;
        let now_ms = self.now_ms;
        let shard = self.shard(Keyspace::shard_of(hash));
        let table = &shard.database(database)?.table;
        let mut expired = false;
        let place = table.locate(hash, |record| {
            let found = equal(record.key(), key);
            expired |= found && record.is_due(now_ms);
            found
        })?;
        if expired { self.expire_due_part(key, hash, place) } else { Some(place) }
    }

    /// Takes a record out of its table and accounts for what the table gives back.
    fn remove_at(&mut self, hash: u64, place: Place) -> Option<Record> {
        self.preserve(hash);
        let table = &mut self.part(hash).table;
        let before = table.heap_bytes();
        let record = table.remove_at(place)?;
        let after = table.heap_bytes();
        self.tally.bytes += after as i64 - before as i64;
        Some(record)
    }

    /// Accounts for a record that left its table, and frees it.
    fn retire(&mut self, record: Record, hash: u64) {
        self.tally.bytes -= record.heap_bytes() as i64;
        if record.deadline().is_some() {
            self.part(hash).volatile -= 1;
        }
        if record.field_deadline().is_some() {
            self.part(hash).volatile_hashes -= 1;
        }
        if record.is_slow_to_free() {
            self.keyspace.reclaimer.free(Garbage::Record(record));
        }
    }

    /// The record of a key, to be read; counts a hit or a miss.
    #[inline]
    pub fn find(&mut self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        let Some(place) = self.locate(key, hash) else {
            self.tally.misses += 1;
            self.announce(EventClass::Missed, "keymiss", key);
            return None;
        };
        self.tally.hits += 1;
        self.note_use(hash, place);
        Some(self.part(hash).table.at(place))
    }

    #[inline]
    fn note_use(&mut self, hash: u64, place: Place) {
        let (policy, now_ms) = (self.access, self.now_ms);
        let table = &mut self.part(hash).table;
        let known = table.at(place).access();
        let access = policy.after_use(known, now_ms);
        if access != known {
            table.at_mut(place).set_access(access);
        }
    }

    /// The record of a key, to be read without noting a use; counts a hit or a miss.
    pub fn look(&mut self, key: &[u8]) -> Option<&Record> {
        if !self.exists(key) {
            self.announce(EventClass::Missed, "keymiss", key);
        }
        self.inspect(key)
    }

    /// The same, but to miss the key is no event (OBJECT).
    pub fn inspect(&mut self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        let Some(place) = self.locate(key, hash) else {
            self.tally.misses += 1;
            return None;
        };
        self.tally.hits += 1;
        Some(self.part(hash).table.at(place))
    }

    /// The record of a key, to be looked at without counting or noting a use.
    #[inline]
    pub fn peek(&mut self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        let place = self.locate(key, hash)?;
        Some(self.part(hash).table.at(place))
    }

    /// The record of a key, for a command that looks at several at once: nothing is counted or removed, and an expired
    /// key is as good as absent. Call [`Keys::find`] or [`Keys::peek`] for each key before the first `view`.
    ///
    /// # Panics
    /// When the key's shard is not held, which those calls ensure.
    pub fn view(&self, key: &[u8]) -> Option<&Record> {
        let hash = self.hash(key);
        let shard = self.held.get(Keyspace::shard_of(hash));
        let Some(shard) = shard else { panic!("a command viewed a key whose shard it does not hold") };
        let record = shard.database(self.database)?.table.find(hash, |record| equal(record.key(), key))?;
        record.deadline().is_none_or(|deadline| deadline >= self.now_ms).then_some(record)
    }

    /// The record of a key, to be changed. Its deadline is changed by [`Keys::set_deadline`] only.
    #[inline]
    pub fn find_mut(&mut self, key: &[u8]) -> Option<RecordMut<'_>> {
        let hash = self.hash(key);
        let place = self.locate(key, hash)?;
        Some(self.record_mut(hash, place))
    }

    /// The record of a key, to be changed; where there is none, it is created with `value` first.
    #[inline]
    pub fn find_or_insert(&mut self, key: &[u8], value: NewValue<'_>) -> RecordMut<'_> {
        let hash = self.hash(key);
        let place = match self.locate(key, hash) {
            Some(place) => place,
            None => {
                self.insert(key, value, None);
                match self.locate(key, hash) {
                    Some(place) => place,
                    None => unreachable!("a key that was just inserted is there"),
                }
            }
        };
        self.record_mut(hash, place)
    }

    /// The record at a place of a shard that is held.
    #[inline]
    fn record_mut(&mut self, hash: u64, place: Place) -> RecordMut<'_> {
        self.preserve(hash);
        // Borrowed field by field, so that the tally can be changed while the record is held.
        let Keys { held, tally, access, now_ms, database, .. } = self;
        let Some(shard) = held.get_mut(Keyspace::shard_of(hash)) else {
            unreachable!("a record was located in a shard that is not held")
        };
        let Database { table, volatile_hashes, .. } = shard.database_mut(*database);
        let record = table.at_mut(place);
        record.set_access(access.after_use(record.access(), *now_ms));
        let (before, was_volatile_hash) = (record.heap_bytes(), record.field_deadline().is_some());
        RecordMut { record, before, bytes: &mut tally.bytes, was_volatile_hash, volatile_hashes }
    }

    /// Whether a key exists.
    #[inline]
    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// Gives a key a value, whatever it held before, and a deadline or none.
    pub fn set(&mut self, key: &[u8], value: NewValue<'_>, deadline: Option<u64>) {
        let hash = self.hash(key);
        let Some(place) = self.locate(key, hash) else { return self.insert(key, value, deadline) };
        self.preserve(hash);
        let (policy, now_ms) = (self.access, self.now_ms);
        let record = self.part(hash).table.at_mut(place);
        let access = policy.after_use(record.access(), now_ms);
        let known = record.deadline();
        // The commonest SET of all: a short string in the place of one as long.
        if !record.overwrite(&value, access) {
            if record.is_slow_to_free() {
                self.remove(key);
                return self.insert_hashed(self.made(key, value, deadline), hash);
            }
            self.record_mut(hash, place).replace_value(value);
        }
        if known != deadline {
            self.set_deadline(key, deadline);
        }
    }

    /// Adds a key that does not exist.
    pub fn insert(&mut self, key: &[u8], value: NewValue<'_>, deadline: Option<u64>) {
        let record = self.made(key, value, deadline);
        self.insert_hashed(record, self.hash(key));
        self.announce(EventClass::New, "new", key);
    }

    /// A record that is used for the first time.
    fn made(&self, key: &[u8], value: NewValue<'_>, deadline: Option<u64>) -> Record {
        let mut record = Record::new(key, value, deadline);
        record.set_access(self.access.of_new(self.now_ms));
        record
    }

    /// Adds a record whose key does not exist, as just made.
    pub fn insert_new(&mut self, mut record: Record) {
        record.set_access(self.access.of_new(self.now_ms));
        self.insert_record(record);
    }

    /// Adds a record whose key does not exist; its last use stays what it was.
    pub fn insert_record(&mut self, record: Record) {
        let hash = self.keyspace.basis().hash(record.key());
        self.announce(EventClass::New, "new", record.key());
        self.insert_hashed(record, hash);
    }

    fn insert_hashed(&mut self, record: Record, hash: u64) {
        self.preserve(hash);
        self.tally.bytes += record.heap_bytes() as i64;
        let snapshot = self.snapshot;
        let part = self.part(hash);
        part.volatile += record.deadline().is_some() as usize;
        part.volatile_hashes += record.field_deadline().is_some() as usize;
        let before = part.table.heap_bytes();
        part.table.insert(hash, record);
        if snapshot != 0 {
            // A segment that was just made holds nothing that a snapshot under way lacks.
            part.table.set_stamp(hash, snapshot);
        }
        let after = part.table.heap_bytes();
        self.tally.bytes += after as i64 - before as i64;
    }

    /// Changes when a key expires; false if there is no such key.
    pub fn set_deadline(&mut self, key: &[u8], deadline: Option<u64>) -> bool {
        let hash = self.hash(key);
        let Some(mut record) = self.find_mut(key) else { return false };
        let before = record.deadline();
        record.set_deadline(deadline);
        drop(record);
        let basis = self.keyspace.basis();
        let part = self.part(hash);
        part.volatile = part.volatile + deadline.is_some() as usize - before.is_some() as usize;
        if let Some(deadline) = deadline {
            part.table.note_due(hash, basis.tick_after(deadline));
        }
        true
    }

    /// Removes a key; false if there is none.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let hash = self.hash(key);
        let Some(place) = self.locate(key, hash) else { return false };
        let Some(record) = self.remove_at(hash, place) else { return false };
        self.retire(record, hash);
        true
    }

    /// Takes a record out, to be inserted again under another key or in another database.
    pub fn take(&mut self, key: &[u8]) -> Option<Record> {
        let hash = self.hash(key);
        let place = self.locate(key, hash)?;
        let record = self.remove_at(hash, place)?;
        self.part(hash).volatile -= record.deadline().is_some() as usize;
        self.part(hash).volatile_hashes -= record.field_deadline().is_some() as usize;
        self.tally.bytes -= record.heap_bytes() as i64;
        Some(record)
    }

    /// The time as what is stored tells it, Unix time in ms: also while a log is replayed, when nothing expires.
    pub fn stored_ms(&self) -> i64 {
        let ms = if self.now_ms == 0 { self.replay_ms } else { self.now_ms };
        i64::try_from(ms).unwrap_or(i64::MAX)
    }

    /// Runs `f` on the shard of a key.
    pub fn with_shard_of<R>(&mut self, key: &[u8], f: impl FnOnce(&mut Shard) -> R) -> R {
        let hash = self.hash(key);
        f(self.shard(Keyspace::shard_of(hash)))
    }

    /// Fetches the cache lines that a lookup of these hashes will touch; stage 0 the shards, 1 the buckets, 2 the
    /// records. The shards' locks are taken for a moment in the later stages, and not waited for.
    pub fn prefetch(&self, hashes: &[u64], stage: u8) {
        for &hash in hashes {
            let shard = self.keyspace.shard(Keyspace::shard_of(hash));
            if stage == 0 {
                prefetch::read(std::ptr::from_ref(shard).cast());
                continue;
            }
            let Some(shard) = shard.try_lock() else { continue };
            let Some(database) = shard.database(self.database) else { continue };
            let address =
                if stage == 1 { database.table.bucket_address(hash) } else { database.table.candidate_address(hash) };
            if let Some(address) = address {
                prefetch::read(address);
                if stage == 2 {
                    // A record of a short value is two lines long.
                    prefetch::read(address.wrapping_add(64));
                }
            }
        }
    }
}
