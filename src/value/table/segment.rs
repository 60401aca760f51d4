//! `Segment`: a few dozen buckets that share the leading bits of their hashes; what grows, splits and is copied at once.
//!
//! Half a cache line describes a segment, and its buckets follow behind one pointer, so that the descriptions of even a
//! big table stay in the second-level cache.
//!
//! Sizes are chosen so that allocations fill the allocator's classes: a line of header and [`SIZES`] lines of buckets.
//!
//! One function is `unsafe`: [`Segment::buckets_mut`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bucket::{Bucket, SLOTS};
use super::{Basis, Entry, NEVER};
use crate::base::prefetch;

/// Sizes of segments, in buckets. The last is that of a full one, which is split.
const SIZES: [usize; 11] = [1, 2, 3, 5, 7, 11, 15, 23, 31, 47, BUCKETS_MAX];
/// Buckets of a segment at the most.
pub(super) const BUCKETS_MAX: usize = 63;
/// Segments that share so many bits are not split any more: their hashes agree, and they just grow.
const DEPTH_MAX: u8 = 40;
/// Percent of its slots that a segment fills before it grows.
const FILL_PERCENT_MAX: usize = 88;
/// How many buckets one insertion may shift entries through.
const SHIFT_MAX: usize = 6;
/// Buckets whose entries are fetched ahead while a segment is emptied.
const FETCH_AHEAD: usize = 3;

/// See the module's text.
pub(super) struct Segment<E> {
    buckets: Arc<[Bucket<E>]>,
    /// Earliest tick of each bucket, never later than the truth; absent while no entry has a deadline.
    #[allow(clippy::box_collection)] // Eight bytes here instead of 24.
    due: Option<Box<Vec<u32>>>,
    /// What the table's owner says of the segment, see [`super::Table::set_stamp`].
    pub stamp: u32,
    /// Entries.
    len: u16,
    /// Leading hash bits that all entries here share.
    depth: u8,
    /// Whether `buckets` may have another owner. Known here because the count in the `Arc` itself is one more cache
    /// line, which nearly every write would have to wait for.
    shared: AtomicBool,
}

#[inline]
pub(super) fn tag_of(hash: u64) -> u8 {
    let tag = (hash >> 12) as u8;
    if tag == 0 { 1 } else { tag }
}

/// The bucket behind `bucket`, round the end.
#[inline]
fn after(bucket: usize, count: usize) -> usize {
    if bucket + 1 == count { 0 } else { bucket + 1 }
}

/// The size that has room for `entries`, filled to about 70%.
pub(super) fn roomy(entries: usize) -> usize {
    let buckets = (entries * 10).div_ceil(SLOTS * 7);
    SIZES.into_iter().find(|size| *size >= buckets).unwrap_or(buckets)
}

/// Into how many segments, as a power of two, that many entries go at once, and the size of each; filled to at most 80%.
pub(super) fn spacious(entries: usize) -> (u32, usize) {
    let buckets = |depth: u32| ((entries >> depth) * 10).div_ceil(SLOTS * 8);
    let depth = (0..u32::from(DEPTH_MAX)).find(|depth| buckets(*depth) <= BUCKETS_MAX).unwrap_or(0);
    (depth, SIZES.into_iter().find(|size| *size >= buckets(depth)).unwrap_or(BUCKETS_MAX))
}

impl<E: Clone> Clone for Segment<E> {
    fn clone(&self) -> Self {
        self.shared.store(true, Ordering::Relaxed);
        Segment {
            buckets: self.buckets.clone(),
            due: self.due.clone(),
            stamp: self.stamp,
            len: self.len,
            depth: self.depth,
            shared: AtomicBool::new(true),
        }
    }
}

impl<E: Entry> Segment<E> {
    pub fn new(buckets: usize, depth: u8) -> Self {
        const { assert!(size_of::<Segment<E>>() == 32) };
        let buckets = (0..buckets).map(|_| Bucket::empty()).collect();
        Segment { buckets, due: None, stamp: 0, len: 0, depth, shared: AtomicBool::new(false) }
    }

    /// Without any bucket: what stands in for a segment that is being rebuilt.
    pub fn none() -> Self {
        Segment::new(0, 0)
    }

    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub fn depth(&self) -> u32 {
        u32::from(self.depth)
    }

    #[inline]
    pub fn buckets(&self) -> &[Bucket<E>] {
        &self.buckets
    }

    /// The buckets, to be changed; copied first where a snapshot shares them.
    #[inline]
    #[allow(unsafe_code)]
    pub fn buckets_mut(&mut self) -> &mut [Bucket<E>] {
        if *self.shared.get_mut() {
            *self.shared.get_mut() = false;
            return Arc::make_mut(&mut self.buckets);
        }
        // SAFETY: the `Arc` is cloned nowhere but in `Segment::clone`, which needs `&self` and marks both sides as
        // shared, and a `Weak` is never made. Not marked means that this is the only owner, and `&mut self` that nobody
        // borrows from it. The pointer is that of the whole allocation.
        unsafe { &mut *Arc::as_ptr(&self.buckets).cast_mut() }
    }

    /// Home bucket of a hash: the 32 bits behind the shared ones, spread over any number of buckets.
    #[inline]
    pub fn home(&self, hash: u64) -> usize {
        let point = (hash << self.depth) >> 32;
        ((point * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    pub fn next(&self, bucket: usize) -> usize {
        after(bucket, self.buckets.len())
    }

    /// `(bucket, slot)` of the entry that matches.
    #[inline]
    pub fn find(&self, hash: u64, mut eq: impl FnMut(&E) -> bool) -> Option<(usize, usize)> {
        let tag = tag_of(hash);
        let home = self.home(hash);
        let bucket = &self.buckets[home];
        if let Some(slot) = bucket.find(tag, false, &mut eq) {
            return Some((home, slot));
        }
        if !bucket.is_overflowed() {
            return None;
        }
        let next = self.next(home);
        self.buckets[next].find(tag, true, &mut eq).map(|slot| (next, slot))
    }

    /// Whether one more entry leaves it filled as it should be.
    #[inline]
    pub fn has_room(&self) -> bool {
        let buckets = self.buckets.len();
        self.len() * 100 < buckets * SLOTS * FILL_PERCENT_MAX || buckets == 1 && self.len() < SLOTS
    }

    /// Whether it should be split rather than grow.
    pub fn is_full_size(&self) -> bool {
        self.buckets.len() >= BUCKETS_MAX && self.depth < DEPTH_MAX
    }

    /// The size after this one.
    pub fn larger(&self) -> usize {
        let buckets = self.buckets.len();
        SIZES.into_iter().find(|size| *size > buckets).unwrap_or(buckets * 3 / 2)
    }

    /// Whether it is so empty that it should shrink.
    pub fn is_sparse(&self) -> bool {
        self.len() * 4 < self.buckets.len() * SLOTS && self.buckets.len() > 2
    }

    /// Puts the entry, which is due at `due`, or gives it back when there is no room near its home.
    #[inline]
    pub fn try_insert(&mut self, hash: u64, entry: E, due: u32, basis: &Basis) -> Result<(), E> {
        let (tag, home) = (tag_of(hash), self.home(hash));
        let buckets = self.buckets_mut();
        if let Some(slot) = buckets[home].free_slot() {
            buckets[home].put(slot, tag, false, entry);
            self.lower_due(home, due);
        } else {
            let next = self.next(home);
            let Some(slot) = self.make_room(home, next, basis) else { return Err(entry) };
            let buckets = self.buckets_mut();
            buckets[next].put(slot, tag, true, entry);
            buckets[home].set_overflowed(true);
            self.lower_due(next, due);
        }
        self.len += 1;
        Ok(())
    }

    /// A free slot in `bucket`, made by shifting entries that are at home one bucket on. `origin` is not shifted into.
    fn make_room(&mut self, origin: usize, bucket: usize, basis: &Basis) -> Option<usize> {
        let mut path = [(0usize, 0usize); SHIFT_MAX];
        let (mut at, mut steps) = (bucket, 0);
        let mut free = loop {
            if at == origin {
                return None;
            }
            if let Some(slot) = self.buckets[at].free_slot() {
                break slot;
            }
            if steps == SHIFT_MAX {
                return None;
            }
            path[steps] = (at, self.buckets[at].home_slot()?);
            steps += 1;
            at = self.next(at);
        };
        for &(from, slot) in path[..steps].iter().rev() {
            let to = self.next(from);
            let buckets = self.buckets_mut();
            let (tag, entry) = buckets[from].take(slot)?;
            let due = entry.due(basis);
            buckets[to].put(free, tag, true, entry);
            buckets[from].set_overflowed(true);
            self.lower_due(to, due);
            free = slot;
        }
        Some(free)
    }

    pub fn remove_at(&mut self, bucket: usize, slot: usize, basis: &Basis) -> Option<E> {
        let buckets = self.buckets_mut();
        let count = buckets.len();
        let displaced = buckets[bucket].is_displaced(slot);
        let (_, entry) = buckets[bucket].take(slot)?;
        let mut due = NEVER;
        if displaced {
            settle_overflow(buckets, if bucket == 0 { count - 1 } else { bucket - 1 });
        } else if buckets[bucket].is_overflowed() {
            let next = after(bucket, count);
            if let Some(from) = buckets[next].displaced_slot()
                && let Some((tag, back)) = buckets[next].take(from)
            {
                due = back.due(basis);
                buckets[bucket].put(slot, tag, false, back);
            }
            settle_overflow(buckets, bucket);
        }
        self.lower_due(bucket, due);
        self.len -= 1;
        Some(entry)
    }

    /// Says that an entry of a bucket may be due at `due` or later.
    #[inline]
    pub fn lower_due(&mut self, bucket: usize, due: u32) {
        if due != NEVER {
            let buckets = self.buckets.len();
            let known = &mut self.due.get_or_insert_with(|| Box::new(vec![NEVER; buckets]))[bucket];
            *known = due.min(*known);
        }
    }

    /// Earliest tick at which an entry of a bucket may be due.
    pub fn due(&self, bucket: usize) -> u32 {
        self.due.as_ref().map_or(NEVER, |due| due[bucket])
    }

    /// Finds out when a bucket is due, after it was emptied of what was.
    pub fn settle_due(&mut self, bucket: usize, basis: &Basis) {
        if let Some(due) = &mut self.due {
            due[bucket] = self.buckets[bucket].iter().map(|entry| entry.due(basis)).min().unwrap_or(NEVER);
        }
    }

    /// Earliest tick at which any entry may be due.
    pub fn earliest(&self) -> u32 {
        self.due.iter().flat_map(|due| due.iter().copied()).min().unwrap_or(NEVER)
    }

    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.buckets.iter().flat_map(Bucket::iter)
    }

    /// Hands out the entries with their hashes: moved where nobody else holds them, cloned where a snapshot does.
    ///
    /// An entry's hash is computed from its key, a cache miss each: they are fetched some buckets ahead.
    pub fn drain(mut self, basis: &Basis, mut take: impl FnMut(u64, E)) {
        let fetch = |bucket: &Bucket<E>| bucket.iter().for_each(|entry| prefetch::read(entry.address()));
        if *self.shared.get_mut() && Arc::get_mut(&mut self.buckets).is_some() {
            *self.shared.get_mut() = false;
        }
        let shared = *self.shared.get_mut();
        self.buckets.iter().take(FETCH_AHEAD).for_each(fetch);
        for index in 0..self.buckets.len() {
            if let Some(ahead) = self.buckets.get(index + FETCH_AHEAD) {
                fetch(ahead);
            }
            if shared {
                self.buckets[index].iter().for_each(|entry| take(entry.hash(basis), entry.clone()));
            } else {
                self.buckets_mut()[index].drain().for_each(|entry| take(entry.hash(basis), entry));
            }
        }
    }

    /// A segment of `buckets` buckets, or more if need be, with the entries of others.
    pub fn gather(sources: impl IntoIterator<Item = Self>, buckets: usize, depth: u32, basis: &Basis) -> Self {
        let mut target = Segment::new(buckets, depth as u8);
        let mut refused = Vec::new();
        for source in sources {
            target.stamp = source.stamp;
            source.drain(basis, |hash, entry| refused.extend(target.try_insert_due(hash, entry, basis).err()));
        }
        target.insist(refused, basis);
        target
    }

    /// Two segments with the entries of this one, parted by the next bit of their hashes; also a hash of one of them.
    pub fn split(self, basis: &Basis) -> ([Self; 2], u64) {
        let depth = self.depth;
        let (buckets, stamp) = (roomy(usize::from(self.len) / 2), self.stamp);
        let half = || Segment { stamp, ..Segment::new(buckets, depth + 1) };
        let (mut halves, mut refused, mut some_hash) = ([half(), half()], [Vec::new(), Vec::new()], 0);
        self.drain(basis, |hash, entry| {
            let upper = usize::from((hash << depth) >> 63 != 0);
            some_hash = hash;
            refused[upper].extend(halves[upper].try_insert_due(hash, entry, basis).err());
        });
        for (half, refused) in halves.iter_mut().zip(refused) {
            half.insist(refused, basis);
        }
        (halves, some_hash)
    }

    #[inline]
    fn try_insert_due(&mut self, hash: u64, entry: E, basis: &Basis) -> Result<(), E> {
        let due = entry.due(basis);
        self.try_insert(hash, entry, due, basis)
    }

    /// Inserts entries that found no room, and grows until they do.
    fn insist(&mut self, mut entries: Vec<E>, basis: &Basis) {
        while let Some(entry) = entries.pop() {
            if let Err(entry) = self.try_insert_due(entry.hash(basis), entry, basis) {
                entries.push(entry);
                let bigger = Segment { stamp: self.stamp, ..Segment::new(self.larger(), self.depth) };
                let small = std::mem::replace(self, bigger);
                small.drain(basis, |hash, entry| entries.extend(self.try_insert_due(hash, entry, basis).err()));
            }
        }
    }
}

/// Clears the overflow bit of `home` when no entry of it is displaced any more.
fn settle_overflow<E>(buckets: &mut [Bucket<E>], home: usize) {
    if buckets[after(home, buckets.len())].displaced_slot().is_none() {
        buckets[home].set_overflowed(false);
    }
}
