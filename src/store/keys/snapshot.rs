//! What snapshots ask of those who change keys: to hand over, before they do, what a snapshot does not have yet.

use std::sync::Arc;

use super::Keys;
use crate::store::keyspace::Keyspace;
use crate::store::snapshot::{Cursor, SnapshotReceiver};

impl Keys<'_> {
    /// Before a segment of the selected database changes: hands it over to the snapshots that lack it.
    #[inline]
    pub(super) fn preserve(&mut self, hash: u64) {
        if self.snapshot != 0 {
            self.preserve_at(Keyspace::shard_of(hash), hash);
        }
    }

    /// As [`Keys::preserve`], for the segment of a shard that covers `point`.
    #[cold]
    pub(super) fn preserve_at(&mut self, index: usize, point: u64) {
        let (keyspace, number) = (self.keyspace, self.database);
        let table = &mut self.shard(index).database_mut(number).table;
        keyspace.snapshots.hand_over(number, table, point);
    }

    /// Begins a snapshot of this very moment; the caller is alone inside. Returns its id, for [`Keys::walk_snapshot`] and
    /// [`crate::store::snapshot::Snapshots::end`].
    ///
    /// # Panics
    /// When others are inside.
    pub fn begin_snapshot(&mut self, receiver: Arc<dyn SnapshotReceiver>) -> u32 {
        assert!(self.is_exclusive(), "a snapshot begins while nobody changes anything");
        self.snapshot = self.keyspace.snapshots.begin(receiver);
        self.snapshot
    }

    /// Hands the next segment over to the snapshots that lack it; false behind the last one of the keyspace. The caller
    /// holds nothing, and others come in between two calls.
    pub fn walk_snapshot(&mut self, cursor: &mut Cursor) -> bool {
        if cursor.shard >= crate::base::limits::SHARDS {
            return false;
        }
        self.push_locked(cursor.shard);
        let keyspace = self.keyspace;
        let shard = self.shard(cursor.shard);
        while let Some(number) = keyspace.snapshots.number(cursor.database) {
            if number >= shard.database_count() || shard.database_mut(number).table.is_empty() {
                (cursor.database, cursor.position) = (cursor.database + 1, 0);
                continue;
            }
            let table = &mut shard.database_mut(number).table;
            let next = table.segment_end(cursor.position);
            keyspace.snapshots.hand_over(number, table, cursor.position);
            (cursor.database, cursor.position) = next.map_or((cursor.database + 1, 0), |next| (cursor.database, next));
            break;
        }
        if cursor.database >= keyspace.databases {
            *cursor = Cursor { shard: cursor.shard + 1, ..Cursor::default() };
        }
        self.release();
        true
    }
}
