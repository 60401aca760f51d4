//! The shards that a caller holds.
//!
//! Nearly every command has one key: its shard has a place of its own here, and is found with one comparison. Where
//! there are more they stand in ascending order, the order in which they were locked.

use crate::base::lock::SpinGuard;

use crate::store::keyspace::Shard;

struct Held<'k> {
    index: usize,
    shard: SpinGuard<'k, Shard>,
}

/// Shards under lock, by index.
#[derive(Default)]
pub(super) struct HeldShards<'k> {
    /// The one with the lowest index.
    first: Option<Held<'k>>,
    /// The others, ascending.
    more: Vec<Held<'k>>,
}

impl<'k> HeldShards<'k> {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Lets go of all.
    #[inline]
    pub fn clear(&mut self) {
        self.first = None;
        if !self.more.is_empty() {
            self.more.clear();
        }
    }

    /// Adds a shard that is not held yet, and returns it.
    #[inline]
    pub fn add(&mut self, index: usize, shard: SpinGuard<'k, Shard>) -> &mut Shard {
        let held = Held { index, shard };
        if self.first.is_none() { &mut self.first.insert(held).shard } else { self.add_beside(held) }
    }

    fn add_beside(&mut self, held: Held<'k>) -> &mut Shard {
        match &mut self.first {
            Some(first) if held.index < first.index => {
                self.more.insert(0, std::mem::replace(first, held));
                &mut first.shard
            }
            _ => {
                let place = self.more.partition_point(|other| other.index < held.index);
                self.more.insert(place, held);
                &mut self.more[place].shard
            }
        }
    }

    /// The shard with this index, if it is held.
    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Shard> {
        match &mut self.first {
            Some(first) if first.index == index => Some(&mut first.shard),
            _ => {
                let place = self.more.binary_search_by_key(&index, |held| held.index).ok()?;
                Some(&mut self.more[place].shard)
            }
        }
    }

    /// As [`HeldShards::get_mut`], to be read.
    pub fn get(&self, index: usize) -> Option<&Shard> {
        self.iter().find(|held| held.index == index).map(|held| &*held.shard)
    }

    /// Whether anybody waits for a key of a held shard.
    #[inline]
    pub fn have_waiters(&self) -> bool {
        self.iter().any(|held| held.shard.has_waiters())
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = &Held<'k>> {
        self.first.iter().chain(&self.more)
    }

    /// All held shards, to be changed.
    pub fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.first.iter_mut().chain(&mut self.more).map(|held| &mut *held.shard)
    }

    /// All held shards, ascending.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.iter().map(|held| &*held.shard)
    }
}
