//! Fields of hashes that expire.
//!
//! They go when somebody looks at their key, all that are due, so that nobody ever sees one; or when the sweep comes to
//! them, some at a time. Either way they are logged as removed, and a key goes with its last field.

use super::Keys;
use crate::base::bytes::equal;
use crate::store::effects::EventClass;
use crate::store::keyspace::Keyspace;
use crate::value::hash::HashMut;
use crate::value::table::Place;

/// Fields that the sweep removes while a shard is held.
const SWEPT_FIELDS: usize = 1024;
/// Fields that are logged in one command.
const LOGGED_FIELDS: usize = 1024;

impl Keys<'_> {
    /// Says that fields of a key have got deadlines, so that the sweep finds them.
    pub fn schedule_fields(&mut self, key: &[u8]) {
        let hash = self.hash(key);
        let Some(deadline) = self.peek(key).and_then(|record| record.field_deadline()) else { return };
        let tick = self.keyspace.basis().tick_after(deadline);
        self.part(hash).table.note_due(hash, tick);
    }

    /// Whether any hash has fields with deadlines. The caller is alone inside.
    pub fn has_field_deadlines(&mut self) -> bool {
        let mut found = false;
        self.each_shard(|shard| {
            found |= (0..shard.database_count())
                .any(|number| shard.database(number).is_some_and(|database| database.volatile_hashes > 0));
        });
        found
    }

    /// Removes some of a key's fields that are due, for the sweep; says how many.
    pub(super) fn expire_fields_of(&mut self, key: &[u8]) -> usize {
        let (hash, database) = (self.hash(key), self.database);
        let part = self.shard(Keyspace::shard_of(hash)).database(database);
        let place = part.and_then(|part| part.table.locate(hash, |record| equal(record.key(), key)));
        place.map_or(0, |place| self.expire_fields(key, hash, place, SWEPT_FIELDS))
    }

    /// Removes at most `limit` fields that are due of the hash at a place, and the key if none is left.
    pub(super) fn expire_fields(&mut self, key: &[u8], hash: u64, place: Place, limit: usize) -> usize {
        let now_ms = self.now_ms;
        let (mut fields, mut emptied) = (Vec::new(), false);
        let mut record = self.record_mut(hash, place);
        if let Some(mut home) = record.hash_mut() {
            let mut fields_left = HashMut::new(&mut home);
            fields.extend(std::iter::from_fn(|| fields_left.remove_due(now_ms)).take(limit));
            emptied = fields_left.read().is_empty();
        }
        drop(record);
        let database = self.database;
        self.shard(Keyspace::shard_of(hash)).touch(database, key);
        self.effects.lose(key);
        for part in fields.chunks(LOGGED_FIELDS) {
            let mut command: Vec<&[u8]> = vec![b"HDEL", key];
            command.extend(part.iter().map(|field| &field[..]));
            self.effects.log_also(database, &command);
        }
        self.announce(EventClass::Hash, "hexpired", key);
        if emptied && let Some(record) = self.remove_at(hash, place) {
            self.retire(record, hash);
            self.announce(EventClass::Generic, "del", key);
        }
        fields.len()
    }
}
