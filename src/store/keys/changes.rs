//! What follows from a change: it is counted and logged, and those hear of it who watch the key, wait for it, track it
//! or listen to events.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Keys;
use crate::base::bytes::equal;
use crate::store::effects::EventClass;
use crate::store::keyspace::{KeyId, Keyspace, Waiter, WatchFlag};
use crate::store::record::Record;

impl Keys<'_> {
    /// Says that the running command changed a key: counts it, and tells those who watch the key, wait for it, or listen
    /// to events.
    #[inline]
    pub fn changed(&mut self, class: EventClass, event: &'static str, key: &[u8]) {
        self.changed_by(1, class, event, key);
    }

    /// Removes a key, and says so; false if there is none.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let removed = self.remove(key);
        if removed {
            self.changed(EventClass::Generic, "del", key);
        }
        removed
    }

    /// As [`Keys::delete`], by a command that does not always delete: the log says DEL in its place.
    pub fn delete_as_such(&mut self, key: &[u8]) -> bool {
        let removed = self.delete(key);
        if removed {
            self.effects.log_instead(self.database, &[b"DEL", key]);
        }
        removed
    }

    /// Removes a key whose last element the running command took: no further change, but what follows from one.
    pub fn remove_emptied(&mut self, key: &[u8]) {
        self.remove(key);
        self.changed_by(0, EventClass::Generic, "del", key);
    }

    /// As [`Keys::changed`], for so many changes as save points count them: elements, members, fields.
    #[inline]
    pub fn changed_by(&mut self, count: usize, class: EventClass, event: &'static str, key: &[u8]) {
        self.effects.dirty += count as u64;
        let (hash, database) = (self.hash(key), self.database);
        let shard = self.shard(Keyspace::shard_of(hash));
        shard.touch(database, key);
        if shard.has_waiters() && shard.is_awaited(database, key) {
            self.effects.ready.push((database, key.to_vec()));
        }
        self.effects.change(key);
        self.announce(class, event, key);
    }

    /// Tells those who listen to events of one more that a change of a key comes with.
    #[inline]
    pub fn announce(&mut self, class: EventClass, event: &'static str, key: &[u8]) {
        self.effects.event(class, event, self.database, key);
    }

    /// Says that the running command changed something at a key that does not concern those who watch it.
    pub fn changed_aside(&mut self, class: EventClass, event: &'static str, key: &[u8]) {
        self.effects.dirty += 1;
        self.announce(class, event, key);
    }

    /// Says that something changed aside for which somebody may wait.
    pub fn ready(&mut self, key: &[u8]) {
        let database = self.database;
        if self.with_shard_of(key, |shard| shard.has_waiters() && shard.is_awaited(database, key)) {
            self.effects.ready.push((database, key.to_vec()));
        }
    }

    /// Says that a key's bytes changed, though nothing that is worth an event.
    pub fn touched(&mut self, key: &[u8]) {
        self.effects.dirty += 1;
        let database = self.database;
        self.with_shard_of(key, |shard| shard.touch(database, key));
        self.effects.change(key);
    }

    /// Hands what was changed since the last call over to those who listen. The shards are still held.
    #[inline]
    pub fn commit(&mut self) {
        if self.effects.is_pending() {
            self.hand_over_effects();
        }
    }

    /// Tells those who cache which keys changed so far, in front of what the running command's client is noted to have
    /// read.
    pub fn tell_changes(&mut self) {
        let listeners = self.entered.listeners();
        if let Some(observer) = listeners.and_then(|listeners| listeners.observer.as_ref()) {
            self.effects.tell_changes(&**observer);
        }
    }

    #[cold]
    fn hand_over_effects(&mut self) {
        let listeners = self.entered.listeners();
        if let Some(log) = listeners.and_then(|listeners| listeners.log.as_ref())
            && !self.effects.records().is_empty()
        {
            let position = log.append(self.effects.records());
            self.tally.position = self.tally.position.max(position);
            self.tally.written = position;
            self.held.shards_mut().for_each(|shard| shard.position = position);
        }
        if let Some(observer) = listeners.and_then(|listeners| listeners.observer.as_ref()) {
            self.effects.tell(&**observer);
        }
        self.effects.settle();
    }

    /// The first of those who wait for a key for whom `wanted` holds, given the record of the key.
    pub fn first_waiter(
        &mut self,
        id: &KeyId,
        wanted: impl Fn(&dyn Waiter, Option<&Record>) -> bool,
    ) -> Option<Arc<dyn Waiter>> {
        // Removes what has expired.
        self.peek(&id.1);
        let hash = self.hash(&id.1);
        let shard = self.held.get(Keyspace::shard_of(hash))?;
        let database = shard.database(self.database);
        let record = database.and_then(|database| database.table.find(hash, |record| equal(record.key(), &id.1)));
        shard.waiters(id).find(|waiter| wanted(&***waiter, record)).cloned()
    }

    /// Says that every key of a database may have changed (SWAPDB, FLUSHALL). The caller is alone inside.
    pub fn ready_database(&mut self, database: usize) {
        let mut ready = Vec::new();
        self.each_shard(|shard| ready.extend(shard.awaited().map(|(id, _)| id.clone()).filter(|id| id.0 == database)));
        self.effects.ready.extend(ready.into_iter().map(|(database, key)| (database, key.into_vec())));
    }

    /// Whether anybody waits for a key of a held shard.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        self.held.have_waiters()
    }

    /// Adds to `more` every key that serving those who wait for `declared`, or for a key of `more`, may touch, as far
    /// as the held shards tell; true if the shards of all of them are held. The database does not matter here.
    pub fn holds_what_waiters_touch(&mut self, declared: &[&[u8]], more: &mut BTreeSet<Vec<u8>>) -> bool {
        if self.is_exclusive() {
            return true;
        }
        loop {
            let known = more.len();
            for shard in self.held.shards().filter(|shard| shard.has_waiters()) {
                for ((_, key), queue) in shard.awaited() {
                    if declared.contains(&&**key) || more.contains(&**key) {
                        for key in queue.touched() {
                            if !more.contains(key) {
                                more.insert(key.clone());
                            }
                        }
                    }
                }
            }
            if more.len() == known {
                return more.iter().all(|key| self.holds(key));
            }
        }
    }

    /// Watches a key for a connection.
    pub fn watch(&mut self, key: &[u8], flag: Arc<WatchFlag>) {
        // Removing what has expired now keeps a later removal from looking like a change.
        self.exists(key);
        let id = (self.database, key.into());
        self.with_shard_of(key, |shard| shard.watch(id, flag));
    }
}
