//! `Filler`: many records into a keyspace at once, from a file for example, as fast as the memory takes them.
//!
//! It gathers a batch of records, fetches the buckets that they go into ahead, and then puts them there: a table of
//! millions is in no cache, and its misses overlap that way. Tables are made ready for what is announced, so that they
//! need not grow.
//!
//! Between two batches others may enter the keyspace. Nobody is told of the keys that appear: no watcher, no waiter, no
//! log, no snapshot that is under way.

use crossbeam::sync::ShardedLockReadGuard;

use super::keyspace::{Keyspace, Listeners};
use super::record::Record;
use crate::base::limits::SHARDS;
use crate::base::prefetch;
use crate::value::table::Table;

/// Records that are put into their places together.
const BATCH: usize = 32;

/// See the module's text.
pub struct Filler<'k> {
    keyspace: &'k Keyspace,
    /// Each with its database and its hash.
    waiting: Vec<(usize, u64, Record)>,
    /// Bytes of records and tables more than before.
    bytes: i64,
}

/// A key came twice, or was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Its database.
    pub database: usize,
    /// The key.
    pub key: Vec<u8>,
}

impl<'k> Filler<'k> {
    /// Fills this keyspace.
    pub fn new(keyspace: &'k Keyspace) -> Filler<'k> {
        Filler { keyspace, waiting: Vec::with_capacity(BATCH), bytes: 0 }
    }

    /// Makes an empty database ready for about so many keys. What a file announces has to be bounded by the caller, by
    /// the file's length for example: room is made for all of them.
    pub fn expect(&mut self, database: usize, keys: usize) {
        // Less than a few per shard need no preparation.
        if keys < 8 * SHARDS {
            return;
        }
        let _inside = self.enter();
        for index in 0..SHARDS {
            let mut shard = self.keyspace.shard(index).lock();
            self.bytes += growth(&mut shard.database_mut(database).table, |table| table.reserve(keys / SHARDS));
        }
    }

    fn enter(&self) -> ShardedLockReadGuard<'k, Listeners> {
        self.keyspace.everything.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds a record to a database that there is. Its last use stays what it was.
    ///
    /// # Errors
    /// When a key of a batch that is finished with this record is there already; the first of them stays.
    pub fn add(&mut self, database: usize, record: Record) -> Result<(), Duplicate> {
        let hash = self.keyspace.basis().hash(record.key());
        prefetch::read(std::ptr::from_ref(self.keyspace.shard(Keyspace::shard_of(hash))).cast());
        self.waiting.push((database, hash, record));
        if self.waiting.len() < BATCH { Ok(()) } else { self.settle() }
    }

    /// Puts those that wait into their places.
    fn settle(&mut self) -> Result<(), Duplicate> {
        let _inside = self.enter();
        for (database, hash, _) in &self.waiting {
            let shard = self.keyspace.shard(Keyspace::shard_of(*hash)).lock();
            if let Some(address) = shard.database(*database).and_then(|part| part.table.bucket_address(*hash)) {
                prefetch::read(address);
            }
        }
        for (database, hash, record) in self.waiting.drain(..) {
            let mut shard = self.keyspace.shard(Keyspace::shard_of(hash)).lock();
            let part = shard.database_mut(database);
            if part.table.find(hash, |known| known.key() == record.key()).is_some() {
                return Err(Duplicate { database, key: record.key().to_vec() });
            }
            self.bytes += record.heap_bytes() as i64;
            part.volatile += usize::from(record.deadline().is_some());
            part.volatile_hashes += usize::from(record.field_deadline().is_some());
            self.bytes += growth(&mut part.table, |table| table.insert(hash, record));
        }
        self.keyspace.account(std::mem::take(&mut self.bytes));
        Ok(())
    }

    /// Ends the filling.
    ///
    /// # Errors
    /// As [`Filler::add`].
    pub fn finish(mut self) -> Result<(), Duplicate> {
        self.settle()
    }
}

impl Drop for Filler<'_> {
    fn drop(&mut self) {
        self.keyspace.account(self.bytes);
    }
}

/// Bytes that a table gains by a change.
#[inline]
fn growth(table: &mut Table<Record>, change: impl FnOnce(&mut Table<Record>)) -> i64 {
    let before = table.heap_bytes();
    change(table);
    table.heap_bytes() as i64 - before as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys::Keys;
    use crate::value::NewValue;
    use crate::value::table::Basis;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn keyspace() -> Keyspace {
        Keyspace::new(Basis::new(1, NOW_MS), 16).expect("a thread can be started")
    }

    fn record(number: usize) -> Record {
        let deadline = (number.is_multiple_of(3)).then_some(NOW_MS + 1000);
        Record::new(format!("key:{number}").as_bytes(), NewValue::Bytes(&[b'v'; 40]), deadline)
    }

    #[test]
    fn what_is_filled_in_is_there_and_accounted_for_as_if_inserted() {
        const COUNT: usize = 20_000;
        let [filled, ready, inserted] = [keyspace(), keyspace(), keyspace()];
        for keyspace in [&filled, &ready] {
            let mut filler = Filler::new(keyspace);
            if std::ptr::eq(keyspace, &ready) {
                filler.expect(2, COUNT);
            }
            (0..COUNT).for_each(|number| filler.add(2, record(number)).expect("keys differ"));
            filler.finish().expect("keys differ");
        }
        let mut keys = Keys::new(&inserted);
        keys.database = 2;
        keys.enter_exclusively(NOW_MS);
        (0..COUNT).for_each(|number| keys.insert_record(record(number)));
        keys.leave();
        assert_eq!(filled.record_bytes(), inserted.record_bytes());
        let ratio = ready.record_bytes() as f64 / inserted.record_bytes() as f64;
        assert!((0.9..1.1).contains(&ratio), "made ready it takes {ratio} times as much");
        for keyspace in [&filled, &ready] {
            let mut keys = Keys::new(keyspace);
            keys.database = 2;
            keys.enter_exclusively(NOW_MS);
            assert!((0..COUNT).all(|number| keys.exists(record(number).key())));
            let mut volatile = 0;
            keys.each_shard(|shard| volatile += shard.database(2).map_or(0, |part| part.volatile));
            assert_eq!(volatile, COUNT.div_ceil(3));
        }
    }

    #[test]
    fn a_key_that_comes_twice_is_told() {
        let keyspace = keyspace();
        let mut filler = Filler::new(&keyspace);
        filler.add(0, record(1)).expect("it is new");
        filler.add(1, record(1)).expect("another database");
        filler.add(0, record(1)).expect("the batch is not finished");
        assert_eq!(filler.finish(), Err(Duplicate { database: 0, key: b"key:1".to_vec() }));
    }
}
