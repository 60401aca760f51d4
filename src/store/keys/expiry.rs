//! Keys that go by themselves: past their deadline, or to make room.

use super::super::effects::EventClass;
use super::{Keys, Swept};
use crate::base::bytes::equal;
use crate::store::keyspace::Keyspace;
use crate::store::record::Record;
use crate::value::table::Place;

impl Keys<'_> {
    /// Removes a key that has expired, or those of its fields that have; says where the key is if it still is. While
    /// nothing is to be removed such a key is out of sight, and its fields stay.
    #[cold]
    pub(super) fn expire_due_part(&mut self, key: &[u8], hash: u64, place: Place) -> Option<Place> {
        let now_ms = self.now_ms;
        let is_over = self.part(hash).table.at(place).has_expired(now_ms);
        if self.spares_expired {
            return (!is_over).then_some(place);
        }
        if is_over {
            self.expire(key, hash, place);
            return None;
        }
        self.expire_fields(key, hash, place, usize::MAX);
        let database = self.database;
        let table = &self.shard(Keyspace::shard_of(hash)).database(database)?.table;
        table.locate(hash, |record| equal(record.key(), key))
    }

    /// Removes a key that has expired.
    #[cold]
    fn expire(&mut self, key: &[u8], hash: u64, place: Place) {
        let database = self.database;
        self.tally.expired += 1;
        self.note_gone(Keyspace::shard_of(hash), database, key);
        self.effects.log_also(database, &[b"DEL", key]);
        self.announce(EventClass::Expired, "expired", key);
        if let Some(record) = self.remove_at(hash, place) {
            self.retire(record, hash);
        }
    }

    /// Removes keys of one shard that are due at `tick`, about `limit` of them. The caller holds nothing.
    pub fn expire_due(&mut self, index: usize, tick: u32, limit: usize) -> Swept {
        self.push_locked(index);
        let snapshot = self.snapshot;
        let mut swept = Swept::default();
        for number in 0..self.shard(index).database_count() {
            let now_ms = self.now_ms;
            let database = self.shard(index).database_mut(number);
            let is_volatile = database.volatile + database.volatile_hashes > 0;
            swept.volatile |= is_volatile;
            if !is_volatile || database.table.next_due() > tick || swept.removed >= limit {
                continue;
            }
            let points = (snapshot != 0).then(|| database.table.due_points(tick));
            self.database = number;
            points.into_iter().flatten().for_each(|point| self.preserve_at(index, point));
            let database = self.shard(index).database_mut(number);
            let before = database.table.heap_bytes();
            let (mut records, mut hashes) = (Vec::new(), Vec::new());
            let expired = |record: &Record| {
                let expired = record.has_expired(now_ms);
                if !expired && record.is_due(now_ms) {
                    hashes.push(record.key().to_vec());
                }
                expired
            };
            swept.removed += database.table.take_due(tick, limit, expired, |record| records.push(record));
            self.tally.bytes += self.shard(index).database_mut(number).table.heap_bytes() as i64 - before as i64;
            for record in records {
                let key = record.key();
                self.tally.expired += 1;
                self.note_gone(index, number, key);
                self.effects.log_also(number, &[b"DEL", key]);
                self.announce(EventClass::Expired, "expired", key);
                let hash = self.hash(key);
                self.retire(record, hash);
            }
            swept.removed += hashes.iter().map(|key| self.expire_fields_of(key)).sum::<usize>();
        }
        self.commit();
        self.release();
        swept
    }

    /// Evicts a key of a shard that is not held (or of any, alone inside).
    pub fn evict(&mut self, index: usize, database: usize, key: &[u8]) {
        let selected = std::mem::replace(&mut self.database, database);
        let locked = !self.is_exclusive();
        if locked {
            self.push_locked(index);
        }
        self.note_gone(index, database, key);
        self.effects.log_also(database, &[b"DEL", key]);
        self.announce(EventClass::Evicted, "evicted", key);
        self.remove(key);
        self.commit();
        if locked {
            self.release();
        }
        self.database = selected;
    }

    /// A key of a held shard is gone without a command: whoever waits for it is told later, as locks for that are not held.
    fn note_gone(&mut self, index: usize, database: usize, key: &[u8]) {
        let shard = self.shard(index);
        shard.touch(database, key);
        if shard.has_waiters() && shard.is_awaited(database, key) {
            self.effects.gone.push((database, key.to_vec()));
        }
        self.effects.lose(key);
    }
}
