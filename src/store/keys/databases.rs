//! What concerns a whole database: walks, counts, FLUSHDB, SWAPDB. The caller is alone inside the keyspace.

use std::ops::Range;

use super::Keys;
use crate::base::limits::SHARDS;
use crate::base::random::Random;
use crate::store::keyspace::Shard;
use crate::store::reclaim::Garbage;
use crate::store::record::Record;

/// Whether there is a key that has not expired.
fn has_key(shard: &Shard, now_ms: u64, database: usize, key: &[u8]) -> bool {
    let Some(database) = shard.database(database) else { return false };
    let hash = database.table.basis().hash(key);
    database.table.find(hash, |record| record.key() == key).is_some_and(|record| !record.has_expired(now_ms))
}

fn is_empty_in(shard: &Shard, database: usize) -> bool {
    shard.database(database).is_none_or(|database| database.table.is_empty())
}

impl Keys<'_> {
    /// Keys of the selected database; those count that have expired and nobody has met yet.
    pub fn count(&mut self) -> usize {
        let (number, mut count) = (self.database, 0);
        self.each_shard(|shard| count += shard.database(number).map_or(0, |database| database.table.len()));
        count
    }

    /// Visits the live records of the selected database.
    pub fn each_record(&mut self, mut visit: impl FnMut(&Record)) {
        let (number, now_ms) = (self.database, self.now_ms);
        self.each_shard(|shard| {
            let records = shard.database(number).into_iter().flat_map(|database| database.table.iter());
            records.filter(|record| !record.has_expired(now_ms)).for_each(&mut visit);
        });
    }

    /// Visits some live records of the selected database: those at a position of a shard's table, see
    /// [`crate::value::table::Table::scan`]. Removes those that have expired. Returns where to go on; empty shards are
    /// passed over.
    pub fn scan(&mut self, (index, position): (usize, u64), mut visit: impl FnMut(&Record)) -> Option<(usize, u64)> {
        let (number, now_ms) = (self.database, self.now_ms);
        let mut expired = Vec::new();
        let next = self.with_shard(index, |shard| {
            shard.database(number)?.table.scan(position, |record| match record.has_expired(now_ms) {
                true => expired.push(record.key().to_vec()),
                false => visit(record),
            })
        });
        expired.iter().for_each(|key| _ = self.exists(key));
        match next {
            Some(position) => Some((index, position)),
            None => (index + 1..SHARDS)
                .find(|index| self.with_shard(*index, |shard| !is_empty_in(shard, number)))
                .map(|index| (index, 0)),
        }
    }

    /// Some key of the selected database, each about as likely as any other.
    pub fn random_key(&mut self, random: &Random) -> Option<Vec<u8>> {
        let number = self.database;
        loop {
            let mut place = random.index(self.count());
            let mut key = None;
            for index in 0..SHARDS {
                let held = self.with_shard(index, |shard| {
                    let table = &shard.database(number)?.table;
                    if place < table.len() {
                        key = table.sample(random.next_u64()).map(|record| record.key().to_vec());
                    }
                    Some(table.len())
                });
                if key.is_some() {
                    break;
                }
                place -= held.unwrap_or(0);
            }
            // A key that has expired is removed by the look at it, so that this ends.
            let key = key?;
            if self.exists(&key) {
                return Some(key);
            }
        }
    }

    /// Empties databases, and tells those who watch their keys; returns how many keys there were.
    pub fn flush(&mut self, databases: Range<usize>) -> usize {
        let (mut removed, mut taken, mut is_empty) = (0, Vec::new(), true);
        let now_ms = self.now_ms;
        self.each_shard(|shard| {
            for number in databases.clone() {
                if is_empty_in(shard, number) {
                    continue;
                }
                shard.touch_database(number, |shard, key| has_key(shard, now_ms, number, key));
                taken.extend(shard.take_database(number).map(|database| (number, database)));
            }
            is_empty &= (0..shard.database_count()).all(|number| is_empty_in(shard, number));
        });
        let mut bytes = 0;
        for (number, database) in taken {
            removed += database.table.len();
            if !is_empty {
                bytes += database.table.heap_bytes() + database.table.iter().map(Record::heap_bytes).sum::<usize>();
            }
            self.keyspace.snapshots.flushed(number, &database.table);
            self.keyspace.reclaimer.free(Garbage::Database(Box::new(database)));
        }
        if is_empty {
            // Everybody else has settled before they left, so that all that is accounted for was in these databases.
            self.settle_bytes();
            bytes = self.keyspace.record_bytes();
        }
        self.tally.bytes -= bytes as i64;
        databases.for_each(|number| self.ready_database(number));
        removed
    }

    /// Exchanges the contents of two databases, tells those who watch keys of them, and serves those who wait for keys.
    pub fn swap_databases(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        self.remove_expired_of_watched([a, b]);
        self.keyspace.snapshots.swapped(a, b);
        let now_ms = self.now_ms;
        self.each_shard(|shard| {
            if is_empty_in(shard, a) && is_empty_in(shard, b) {
                return;
            }
            for number in [a, b] {
                shard.touch_database(number, |shard, key| {
                    has_key(shard, now_ms, a, key) || has_key(shard, now_ms, b, key)
                });
            }
            shard.swap_databases(a, b);
        });
        self.ready_database(a);
        self.ready_database(b);
    }

    /// Removes what has expired from databases that are about to change places, under each key that is watched in one of
    /// them: who comes to watch it, met later, it would look like a change.
    fn remove_expired_of_watched(&mut self, databases: [usize; 2]) {
        let mut watched = Vec::new();
        self.each_shard(|shard| {
            watched.extend(shard.watched().filter(|id| databases.contains(&id.0)).map(|id| id.1.clone()));
        });
        let selected = self.database;
        for number in databases {
            self.database = number;
            watched.iter().for_each(|key| _ = self.exists(key));
        }
        self.database = selected;
    }
}

#[cfg(test)]
mod tests;
