//! `Table`: a hash table whose growth never stops anyone.
//!
//! The keyspace, big hashes and sets, and the member index of big sorted sets are this one structure. Entries are
//! eight-byte owned pointers; seven of them and their one-byte tags make a **bucket** of one cache line. Up to 63
//! buckets make a **segment**, the unit of everything that takes time: growth adds a half to one segment or splits one in
//! two (about 400 entries move, microseconds), a snapshot copies one segment, expiry looks at one.
//!
//! Position is hash order. The upper `depth` bits of a hash choose the segment through the directory, the next 32
//! choose the home bucket by multiplication (so that any number of buckets works), and the tag comes from low bits. A
//! `SCAN` cursor is therefore a point on the hash line, and stays valid whatever grows or shrinks in between.
//!
//! An entry sits in its home bucket or, displaced, in the next one; a full pair makes room by moving a neighbour's
//! entry one bucket on. Each bucket knows by one bit whether any of its entries was displaced, exactly: a removal pulls
//! one back. Lookups thus read one bucket, seldom two, and segments fill to 86% before they grow.
//!
//! A segment's buckets are an `Arc`: [`Table::clone`] copies the list of segments only, and a write to a segment that a
//! clone still shares copies its buckets first. That is the snapshot iterator of every structure that stands on the table.
//!
//! One of the audited modules with `unsafe`: one function, [`segment::Segment::buckets_mut`].
//!
//! What is absent: no clock. Deadlines reach the table as ticks ([`Entry::due`]), one earliest tick per bucket.

mod bucket;
mod segment;
mod walk;

use std::sync::Arc;

use self::segment::{Segment, roomy, spacious};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_micro_inline};

/// Two buddies merge when they hold at most this many entries together.
const MERGE_ENTRIES_MAX: usize = 128;
/// Length of a tick, in ms.
pub const TICK_MS: u64 = 32;
/// The tick of an entry without a deadline.
pub const NEVER: u32 = u32::MAX;

/// What all entries of a table are hashed and dated with; an instance draws it once, and its tables share it.
#[derive(Clone, Debug)]
pub struct Basis(Arc<BasisParts>);

#[derive(Debug)]
struct BasisParts {
    /// Secrets derived from the seed, so that no input collides whatever the seed is.
    secrets: RapidSecrets,
    origin_ms: u64,
}

impl Basis {
    /// `seed`: random, kept from clients. `origin_ms`: Unix time, in ms, of tick 0.
    pub fn new(seed: u64, origin_ms: u64) -> Basis {
        Basis(Arc::new(BasisParts { secrets: RapidSecrets::seed(seed), origin_ms }))
    }

    /// The hash of a key, field or member.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        rapidhash_v3_micro_inline::<true, false>(bytes, &self.0.secrets)
    }

    /// The first tick at which a deadline (Unix time in ms) has passed.
    #[inline]
    pub fn tick_after(&self, deadline_ms: u64) -> u32 {
        let ticks = deadline_ms.saturating_sub(self.0.origin_ms).div_ceil(TICK_MS);
        ticks.min(NEVER as u64 - 1) as u32
    }

    /// The tick that has begun at a time (Unix time in ms).
    #[inline]
    pub fn tick_at(&self, now_ms: u64) -> u32 {
        (now_ms.saturating_sub(self.0.origin_ms) / TICK_MS).min(NEVER as u64 - 1) as u32
    }
}

/// What a table holds: an owned pointer that can tell its hash.
///
/// `Option<E>` must be eight bytes, which the table asserts.
pub trait Entry: Clone {
    /// The hash of the entry's key under `basis`, as lookups pass it.
    fn hash(&self, basis: &Basis) -> u64;
    /// The first tick at which the entry has expired; [`NEVER`] without a deadline.
    fn due(&self, _basis: &Basis) -> u32 {
        NEVER
    }
    /// The allocation's address, for prefetching.
    fn address(&self) -> *const u8;
}

/// A hash table of owned pointers; see the module's text.
pub struct Table<E> {
    segments: Vec<Segment<E>>,
    /// For each value of the leading `depth` bits, the index of its segment.
    directory: Vec<u32>,
    /// Earliest tick of each segment, parallel to `segments`.
    segment_due: Vec<u32>,
    depth: u32,
    len: usize,
    basis: Basis,
    /// Buckets in all segments.
    buckets: usize,
    /// Whether any entry ever had a deadline.
    has_deadlines: bool,
}

/// Where an entry is; see [`Table::locate`].
#[derive(Clone, Copy, Debug)]
pub struct Place {
    segment: u32,
    bucket: u16,
    slot: u16,
}

impl<E: Entry> Table<E> {
    /// An empty table; allocates nothing until the first insertion.
    pub fn new(basis: Basis) -> Self {
        Table {
            segments: Vec::new(),
            directory: Vec::new(),
            segment_due: Vec::new(),
            depth: 0,
            len: 0,
            basis,
            buckets: 0,
            has_deadlines: false,
        }
    }

    /// Entries held.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the table holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the entries are hashed and dated with.
    #[inline]
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Bytes of the table itself, without what its entries own.
    pub fn heap_bytes(&self) -> usize {
        let due = if self.has_deadlines { self.buckets * 4 } else { 0 };
        let lists = self.segments.capacity() * size_of::<Segment<E>>()
            + (self.segment_due.capacity() + self.directory.capacity()) * size_of::<u32>();
        // A segment's buckets have the counts of their `Arc` in front, on a cache line of its own.
        (self.buckets + self.segments.len()) * 64 + due + lists
    }

    #[inline]
    fn segment_index(&self, hash: u64) -> Option<usize> {
        if self.depth == 0 {
            return if self.segments.is_empty() { None } else { Some(0) };
        }
        Some(self.directory[(hash >> (64 - self.depth)) as usize] as usize)
    }

    /// Where the entry with this hash for which `eq` holds is, until the table changes next.
    #[inline]
    pub fn locate(&self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<Place> {
        let segment = self.segment_index(hash)?;
        let (bucket, slot) = self.segments[segment].find(hash, eq)?;
        Some(Place { segment: segment as u32, bucket: bucket as u16, slot: slot as u16 })
    }

    /// The entry at a place.
    ///
    /// # Panics
    /// When the table has changed since the place was located, and nothing is there any more.
    #[inline]
    pub fn at(&self, place: Place) -> &E {
        match self.segments[place.segment as usize].buckets()[place.bucket as usize].entry(place.slot as usize) {
            Some(entry) => entry,
            None => unreachable!("a place outlived a change of its table"),
        }
    }

    /// The entry at a place, to change what is not its key. After giving an entry an earlier deadline call
    /// [`Table::note_due`].
    ///
    /// # Panics
    /// As [`Table::at`].
    #[inline]
    pub fn at_mut(&mut self, place: Place) -> &mut E {
        let buckets = self.segments[place.segment as usize].buckets_mut();
        match buckets[place.bucket as usize].entry_mut(place.slot as usize) {
            Some(entry) => entry,
            None => unreachable!("a place outlived a change of its table"),
        }
    }

    /// Takes out the entry at a place.
    pub fn remove_at(&mut self, place: Place) -> Option<E> {
        let segment = &mut self.segments[place.segment as usize];
        let entry = segment.remove_at(place.bucket as usize, place.slot as usize, &self.basis)?;
        self.len -= 1;
        self.shrink(place.segment as usize);
        Some(entry)
    }

    /// The entry with this hash for which `eq` holds.
    #[inline]
    pub fn find(&self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<&E> {
        self.locate(hash, eq).map(|place| self.at(place))
    }

    /// The same, to change what is not its key. After giving an entry an earlier deadline call [`Table::note_due`].
    #[inline]
    pub fn find_mut(&mut self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<&mut E> {
        self.locate(hash, eq).map(|place| self.at_mut(place))
    }

    /// Adds an entry whose key is not in the table yet.
    pub fn insert(&mut self, hash: u64, entry: E) {
        let due = entry.due(&self.basis);
        self.has_deadlines |= due != NEVER;
        let mut entry = entry;
        loop {
            let index = self.segment_index(hash).unwrap_or_else(|| self.first_segment());
            let segment = &mut self.segments[index];
            if segment.has_room() {
                match segment.try_insert(hash, entry, due, &self.basis) {
                    Ok(()) => {
                        if due < self.segment_due[index] {
                            self.segment_due[index] = due;
                        }
                        self.len += 1;
                        return;
                    }
                    Err(back) => entry = back,
                }
            }
            self.grow(index);
        }
    }

    /// Takes out the entry with this hash for which `eq` holds.
    pub fn remove(&mut self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<E> {
        let place = self.locate(hash, eq)?;
        self.remove_at(place)
    }

    /// Says that the entry with this hash may be due at `due` or later.
    pub fn note_due(&mut self, hash: u64, due: u32) {
        let Some(index) = self.segment_index(hash) else { return };
        self.has_deadlines = true;
        let segment = &mut self.segments[index];
        let home = segment.home(hash);
        // The entry sits in its home or in the bucket after it; marking both costs one needless look at the most.
        segment.lower_due(home, due);
        segment.lower_due(segment.next(home), due);
        self.segment_due[index] = self.segment_due[index].min(due);
    }

    /// Makes an empty table ready for about so many entries, so that it need not grow on the way there. Allocates for
    /// all of them: the caller has reason to believe in the number.
    pub fn reserve(&mut self, entries: usize) {
        if entries == 0 || !self.segments.is_empty() {
            return;
        }
        let (depth, buckets) = spacious(entries);
        self.depth = depth;
        for index in 0..1 << depth {
            self.directory.push(index);
            // Below DEPTH_MAX.
            self.push_segment(Segment::new(buckets, depth as u8));
        }
    }

    #[cold]
    fn first_segment(&mut self) -> usize {
        self.directory.push(0);
        self.push_segment(Segment::new(1, 0))
    }

    fn push_segment(&mut self, segment: Segment<E>) -> usize {
        self.buckets += segment.buckets().len();
        self.segment_due.push(segment.earliest());
        self.segments.push(segment);
        self.segments.len() - 1
    }

    /// Puts a segment in the place of another one, which is returned.
    fn replace_segment(&mut self, index: usize, segment: Segment<E>) -> Segment<E> {
        self.buckets += segment.buckets().len();
        self.buckets -= self.segments[index].buckets().len();
        self.segment_due[index] = segment.earliest();
        std::mem::replace(&mut self.segments[index], segment)
    }

    /// Gives a full segment more buckets, or splits it.
    #[cold]
    fn grow(&mut self, index: usize) {
        let segment = &self.segments[index];
        if segment.is_full_size() { self.split(index) } else { self.rebuild(index, segment.larger()) }
    }

    /// Moves a segment's entries to a new one with `buckets` buckets, or a few more if they do not fit.
    fn rebuild(&mut self, index: usize, buckets: usize) {
        let old = self.replace_segment(index, Segment::none());
        let depth = old.depth();
        let fresh = Segment::gather([old], buckets, depth, &self.basis);
        self.replace_segment(index, fresh);
    }

    fn split(&mut self, index: usize) {
        let depth = self.segments[index].depth();
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|&i| [i, i]).collect();
            self.depth += 1;
        }
        let old = self.replace_segment(index, Segment::none());
        let ([low, high], hash) = old.split(&self.basis);
        self.replace_segment(index, low);
        let new = self.push_segment(high);
        // The directory's run for the old prefix: its upper half now leads to the new segment.
        let run = 1usize << (self.depth - depth);
        let start = (hash >> (64 - self.depth)) as usize & !(run - 1);
        for slot in &mut self.directory[start + run / 2..start + run] {
            *slot = new as u32;
        }
    }

    fn shrink(&mut self, index: usize) {
        let segment = &self.segments[index];
        if !segment.is_sparse() {
            return;
        }
        let (len, depth) = (segment.len(), segment.depth());
        if self.len == 0 {
            *self = Table::new(self.basis.clone());
        } else if depth == 0 || !self.merge(index) {
            self.rebuild(index, roomy(len).max(2));
        }
    }

    /// Merges a sparse segment with its buddy, the one whose shared bits differ in the last only.
    fn merge(&mut self, index: usize) -> bool {
        let depth = self.segments[index].depth();
        let Some(at) = self.directory.iter().position(|&i| i as usize == index) else { return false };
        let run = 1usize << (self.depth - depth);
        let buddy = self.directory[at ^ run] as usize;
        let total = self.segments[index].len() + self.segments[buddy].len();
        let differ = self.segments[buddy].stamp != self.segments[index].stamp;
        if self.segments[buddy].depth() != depth || total > MERGE_ENTRIES_MAX || differ {
            return false;
        }
        let parts = [index, buddy].map(|part| self.replace_segment(part, Segment::none()));
        let merged = Segment::gather(parts, roomy(total), depth - 1, &self.basis);
        self.replace_segment(index, merged);
        self.segments.swap_remove(buddy);
        self.segment_due.swap_remove(buddy);
        let moved = self.segments.len();
        for slot in &mut self.directory {
            if *slot as usize == buddy {
                *slot = index as u32;
            }
            if *slot as usize == moved {
                *slot = buddy as u32;
            }
        }
        while self.depth > 0 && self.segments.iter().all(|s| s.depth() < self.depth) {
            self.directory = self.directory.iter().copied().step_by(2).collect();
            self.depth -= 1;
        }
        if self.segments.capacity() > 4 * self.segments.len() {
            self.segments.shrink_to(2 * self.segments.len());
            self.segment_due.shrink_to(2 * self.segments.len());
        }
        true
    }

    /// All entries, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.segments.iter().flat_map(|s| s.iter())
    }
}

/// A snapshot of the table: the segments are shared until one side writes to them.
impl<E: Entry> Clone for Table<E> {
    fn clone(&self) -> Self {
        Table {
            segments: self.segments.clone(),
            directory: self.directory.clone(),
            segment_due: self.segment_due.clone(),
            depth: self.depth,
            len: self.len,
            basis: self.basis.clone(),
            buckets: self.buckets,
            has_deadlines: self.has_deadlines,
        }
    }
}

#[cfg(test)]
mod tests;
