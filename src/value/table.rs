//! `Table`: a hash table whose growth never stops anyone.
//!
//! The keyspace, big hashes and sets, and the member index of big sorted sets are this one structure. Entries are
//! eight-byte owned pointers; seven of them and their one-byte tags make a **bucket** of one cache line. Up to
//! [`SEGMENT_BUCKETS_MAX`] buckets make a **segment**, the unit of everything that takes time: growth adds a half to
//! one segment or splits one in two (about 200 entries move, microseconds), a snapshot copies one segment, expiry looks
//! at one.
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
//! One of the audited modules with `unsafe`: one function, `Segment::buckets_mut`.
//!
//! What is absent: no clock. Deadlines reach the table as ticks ([`Entry::due`]), one earliest tick per bucket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::prefetch;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_micro_inline};

/// Entries per bucket.
const SLOTS: usize = 7;
/// Buckets of a segment at the most; a full one is split.
pub const SEGMENT_BUCKETS_MAX: usize = 30;
/// Buckets of each half after a split: its entries fill them to 61%, and the next step is the whole size again.
const SEGMENT_BUCKETS_HALF: usize = 21;
/// Percent of its slots that a segment fills before it grows.
const FILL_PERCENT_MAX: usize = 86;
/// How many buckets one insertion may shift entries through.
const SHIFT_MAX: usize = 6;
/// Two buddies merge when they hold at most this many entries together.
const MERGE_ENTRIES_MAX: usize = 64;
/// Bit of [`Bucket::flags`]: an entry whose home is here sits in the next bucket.
const OVERFLOWED: u8 = 0x80;
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

#[repr(C, align(64))]
struct Bucket<E> {
    /// One byte of hash per slot, 0 where the slot is empty.
    tags: [u8; SLOTS],
    /// Bit i: the entry of slot i is displaced, its home is the bucket before. [`OVERFLOWED`]: see there.
    flags: u8,
    slots: [Option<E>; SLOTS],
}

/// Kept by value in the table, so that a lookup reaches a bucket without touching a header in between.
struct Segment<E> {
    buckets: Arc<[Bucket<E>]>,
    /// Whether `buckets` may have another owner. Known here because the count in the `Arc` itself is one more cache
    /// line, which nearly every write would have to wait for.
    shared: AtomicBool,
    /// Earliest tick of each bucket, never later than the truth; empty while no entry has a deadline.
    due: Box<[u32]>,
    len: u32,
    /// Leading hash bits that all entries here share.
    depth: u32,
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

#[inline]
fn tag_of(hash: u64) -> u8 {
    let tag = (hash >> 12) as u8;
    if tag == 0 { 1 } else { tag }
}

/// Home bucket of `hash` in a segment of `buckets` buckets whose entries share `depth` leading bits.
#[inline]
fn home_of(hash: u64, depth: u32, buckets: usize) -> usize {
    let point = (hash << depth) >> 32;
    ((point * buckets as u64) >> 32) as usize
}

impl<E> Bucket<E> {
    fn empty() -> Self {
        const { assert!(size_of::<Option<E>>() == 8 && size_of::<Bucket<E>>() == 64) };
        Bucket { tags: [0; SLOTS], flags: 0, slots: [const { None }; SLOTS] }
    }

    /// Bit i of every byte i < 7 is set where the tag may equal `tag`.
    #[inline]
    fn matches(&self, tag: u8) -> u64 {
        const LOW: u64 = 0x0001_0101_0101_0101;
        const HIGH: u64 = 0x0080_8080_8080_8080;
        let t = &self.tags;
        let word = u64::from_le_bytes([t[0], t[1], t[2], t[3], t[4], t[5], t[6], 0]);
        let x = word ^ (LOW * tag as u64);
        x.wrapping_sub(LOW) & !x & HIGH
    }

    /// Slot whose tag and entry match, among the displaced entries or among those at home.
    #[inline]
    fn find(&self, tag: u8, displaced: bool, eq: &mut impl FnMut(&E) -> bool) -> Option<usize> {
        let mut found = self.matches(tag);
        while found != 0 {
            let slot = (found.trailing_zeros() / 8) as usize;
            if (self.flags >> slot) & 1 == displaced as u8 && self.slots[slot].as_ref().is_some_and(&mut *eq) {
                return Some(slot);
            }
            found &= found - 1;
        }
        None
    }

    fn free_slot(&self) -> Option<usize> {
        self.tags.iter().position(|&t| t == 0)
    }

    fn put(&mut self, slot: usize, tag: u8, displaced: bool, entry: E) {
        self.tags[slot] = tag;
        self.flags = (self.flags & !(1 << slot)) | ((displaced as u8) << slot);
        self.slots[slot] = Some(entry);
    }

    fn take(&mut self, slot: usize) -> Option<(u8, E)> {
        let tag = std::mem::take(&mut self.tags[slot]);
        self.flags &= !(1 << slot);
        self.slots[slot].take().map(|entry| (tag, entry))
    }

    fn home_slot(&self) -> Option<usize> {
        (0..SLOTS).find(|&s| self.tags[s] != 0 && (self.flags >> s) & 1 == 0)
    }

    fn displaced_slot(&self) -> Option<usize> {
        (0..SLOTS).find(|&s| (self.flags >> s) & 1 == 1)
    }
}

impl<E: Clone> Clone for Bucket<E> {
    fn clone(&self) -> Self {
        Bucket { tags: self.tags, flags: self.flags, slots: self.slots.clone() }
    }
}

impl<E: Clone> Clone for Segment<E> {
    fn clone(&self) -> Self {
        self.shared.store(true, Ordering::Relaxed);
        Segment {
            buckets: self.buckets.clone(),
            shared: AtomicBool::new(true),
            due: self.due.clone(),
            len: self.len,
            depth: self.depth,
        }
    }
}

impl<E: Entry> Segment<E> {
    /// The buckets, to be changed; copied first where a snapshot shares them.
    #[inline]
    #[allow(unsafe_code)]
    fn buckets_mut(&mut self) -> &mut [Bucket<E>] {
        if *self.shared.get_mut() {
            *self.shared.get_mut() = false;
            return Arc::make_mut(&mut self.buckets);
        }
        // SAFETY: the `Arc` is cloned nowhere but in `Segment::clone`, which needs `&self` and marks both sides as
        // shared, and a `Weak` is never made. Not marked means that this is the only owner, and `&mut self` that nobody
        // borrows from it. The pointer is that of the whole allocation.
        unsafe { &mut *Arc::as_ptr(&self.buckets).cast_mut() }
    }

    fn with_buckets(buckets: usize, depth: u32) -> Self {
        let buckets = (0..buckets).map(|_| Bucket::empty()).collect();
        Segment { buckets, shared: AtomicBool::new(false), due: Box::default(), len: 0, depth }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        home_of(hash, self.depth, self.buckets.len())
    }

    #[inline]
    fn next(&self, bucket: usize) -> usize {
        after(bucket, self.buckets.len())
    }

    /// `(bucket, slot)` of the entry that matches.
    #[inline]
    fn find(&self, hash: u64, mut eq: impl FnMut(&E) -> bool) -> Option<(usize, usize)> {
        let tag = tag_of(hash);
        let home = self.home(hash);
        let bucket = &self.buckets[home];
        if let Some(slot) = bucket.find(tag, false, &mut eq) {
            return Some((home, slot));
        }
        if bucket.flags & OVERFLOWED == 0 {
            return None;
        }
        let next = self.next(home);
        self.buckets[next].find(tag, true, &mut eq).map(|slot| (next, slot))
    }

    /// Puts the entry, or gives it back when there is no room near its home.
    fn try_insert(&mut self, hash: u64, entry: E, basis: &Basis) -> Result<(), E> {
        let (tag, home) = (tag_of(hash), self.home(hash));
        let due = entry.due(basis);
        let buckets = self.buckets_mut();
        if let Some(slot) = buckets[home].free_slot() {
            buckets[home].put(slot, tag, false, entry);
            self.lower_due(home, due);
        } else {
            let next = after(home, buckets.len());
            let Some(slot) = self.make_room(home, next, basis) else { return Err(entry) };
            let buckets = self.buckets_mut();
            buckets[next].put(slot, tag, true, entry);
            buckets[home].flags |= OVERFLOWED;
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
            buckets[from].flags |= OVERFLOWED;
            self.lower_due(to, due);
            free = slot;
        }
        Some(free)
    }

    fn remove_at(&mut self, bucket: usize, slot: usize, basis: &Basis) -> Option<E> {
        let buckets = self.buckets_mut();
        let count = buckets.len();
        let displaced = (buckets[bucket].flags >> slot) & 1 == 1;
        let (_, entry) = buckets[bucket].take(slot)?;
        let mut due = NEVER;
        if displaced {
            settle_overflow(buckets, if bucket == 0 { count - 1 } else { bucket - 1 });
        } else if buckets[bucket].flags & OVERFLOWED != 0 {
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

    fn lower_due(&mut self, bucket: usize, due: u32) {
        if due == NEVER {
            return;
        }
        if self.due.is_empty() {
            self.due = vec![NEVER; self.buckets.len()].into();
        }
        let known = &mut self.due[bucket];
        *known = due.min(*known);
    }

    fn earliest(&self) -> u32 {
        self.due.iter().copied().min().unwrap_or(NEVER)
    }

    fn iter(&self) -> impl Iterator<Item = &E> {
        self.buckets.iter().flat_map(|b| b.slots.iter().flatten())
    }
}

/// The bucket behind `bucket`, round the end.
#[inline]
fn after(bucket: usize, count: usize) -> usize {
    if bucket + 1 == count { 0 } else { bucket + 1 }
}

/// Clears the overflow bit of `home` when no entry of it is displaced any more.
fn settle_overflow<E>(buckets: &mut [Bucket<E>], home: usize) {
    if buckets[after(home, buckets.len())].displaced_slot().is_none() {
        buckets[home].flags &= !OVERFLOWED;
    }
}

/// The size of a segment after `buckets`: half as much again, by way of the two sizes that splitting alternates between.
fn larger(buckets: usize) -> usize {
    match (buckets + 1).max(buckets * 3 / 2) {
        wanted if wanted <= 14 => wanted,
        _ if buckets < SEGMENT_BUCKETS_HALF => SEGMENT_BUCKETS_HALF,
        _ => SEGMENT_BUCKETS_MAX,
    }
}

/// Buckets that hold `entries` at about 70% fill.
fn roomy(entries: usize) -> usize {
    (entries * 10).div_ceil(SLOTS * 7).max(1)
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
        match &self.segments[place.segment as usize].buckets[place.bucket as usize].slots[place.slot as usize] {
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
        match &mut buckets[place.bucket as usize].slots[place.slot as usize] {
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
        if self.segments.is_empty() {
            self.push_segment(Segment::with_buckets(1, 0));
            self.directory.push(0);
        }
        let due = entry.due(&self.basis);
        self.has_deadlines |= due != NEVER;
        let mut entry = entry;
        loop {
            let index = self.segment_index(hash).unwrap_or(0);
            let segment = &mut self.segments[index];
            if (segment.len as usize) * 100 < segment.buckets.len() * SLOTS * FILL_PERCENT_MAX
                || segment.buckets.len() == 1 && (segment.len as usize) < SLOTS
            {
                match segment.try_insert(hash, entry, &self.basis) {
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

    fn push_segment(&mut self, segment: Segment<E>) -> usize {
        self.buckets += segment.buckets.len();
        self.segment_due.push(segment.earliest());
        self.segments.push(segment);
        self.segments.len() - 1
    }

    fn replace_segment(&mut self, index: usize, segment: Segment<E>) -> Segment<E> {
        self.buckets += segment.buckets.len();
        self.buckets -= self.segments[index].buckets.len();
        self.segment_due[index] = segment.earliest();
        std::mem::replace(&mut self.segments[index], segment)
    }

    /// Gives a full segment more buckets, or splits it.
    fn grow(&mut self, index: usize) {
        let (buckets, depth) = (self.segments[index].buckets.len(), self.segments[index].depth);
        if buckets < SEGMENT_BUCKETS_MAX || depth >= 40 {
            self.rebuild(index, if depth >= 40 { buckets * 3 / 2 } else { larger(buckets) });
        } else {
            self.split(index);
        }
    }

    /// Moves a segment's entries to a new one with `buckets` buckets, or a few more if they do not fit.
    fn rebuild(&mut self, index: usize, buckets: usize) {
        let depth = self.segments[index].depth;
        let old = self.replace_segment(index, Segment::with_buckets(0, depth));
        let fresh = Self::gather(&self.basis, entries_of(old), buckets, depth);
        self.replace_segment(index, fresh);
    }

    /// A segment of at least `buckets` buckets with all of `entries`.
    fn gather(basis: &Basis, entries: Vec<E>, buckets: usize, depth: u32) -> Segment<E> {
        // Each entry's hash is computed from its key, which is a cache miss: take them all at once.
        entries.iter().for_each(|entry| prefetch::read(entry.address()));
        let mut segment = Segment::with_buckets(buckets, depth);
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            if let Err(entry) = segment.try_insert(entry.hash(basis), entry, basis) {
                let all: Vec<E> = entries_of(segment).into_iter().chain([entry]).chain(entries).collect();
                return Self::gather(basis, all, buckets + 1, depth);
            }
        }
        segment
    }

    fn split(&mut self, index: usize) {
        let depth = self.segments[index].depth;
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|&i| [i, i]).collect();
            self.depth += 1;
        }
        let old = self.replace_segment(index, Segment::with_buckets(0, depth));
        let entries = entries_of(old);
        entries.iter().for_each(|entry| prefetch::read(entry.address()));
        let (mut low, mut high) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        let mut prefix = 0;
        for entry in entries {
            let hash = entry.hash(&self.basis);
            prefix = hash >> (64 - self.depth) >> (self.depth - depth - 1) >> 1;
            if (hash << depth) >> 63 == 0 { low.push(entry) } else { high.push(entry) }
        }
        let size = |entries: usize| roomy(entries).max(SEGMENT_BUCKETS_HALF);
        let sizes = (size(low.len()), size(high.len()));
        self.replace_segment(index, Self::gather(&self.basis, low, sizes.0, depth + 1));
        let new = self.push_segment(Self::gather(&self.basis, high, sizes.1, depth + 1));
        // The directory's run for the old prefix: its upper half now leads to the new segment.
        let run = 1usize << (self.depth - depth);
        let start = (prefix as usize) * run;
        for slot in &mut self.directory[start + run / 2..start + run] {
            *slot = new as u32;
        }
    }

    fn shrink(&mut self, index: usize) {
        let segment = &self.segments[index];
        let (len, buckets, depth) = (segment.len as usize, segment.buckets.len(), segment.depth);
        if len * 4 >= buckets * SLOTS || buckets <= 2 {
            return;
        }
        if self.len == 0 {
            *self = Table::new(self.basis.clone());
        } else if depth == 0 || !self.merge(index) {
            self.rebuild(index, roomy(len).max(2));
        }
    }

    /// Merges a sparse segment with its buddy, the one whose shared bits differ in the last only.
    fn merge(&mut self, index: usize) -> bool {
        let depth = self.segments[index].depth;
        let Some(at) = self.directory.iter().position(|&i| i as usize == index) else { return false };
        let run = 1usize << (self.depth - depth);
        let buddy = self.directory[at ^ run] as usize;
        let total = self.segments[index].len + self.segments[buddy].len;
        if self.segments[buddy].depth != depth || total as usize > MERGE_ENTRIES_MAX {
            return false;
        }
        let empty = || Segment::with_buckets(0, depth - 1);
        let mut all = entries_of(self.replace_segment(index, empty()));
        all.extend(entries_of(self.replace_segment(buddy, empty())));
        let merged = Self::gather(&self.basis, all, roomy(total as usize), depth - 1);
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
        while self.depth > 0 && self.segments.iter().all(|s| s.depth < self.depth) {
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

    /// Visits the entries whose home is the bucket at `position` on the hash line (0 starts), and returns the position
    /// of the next bucket, or `None` behind the last. Positions are multiples of 2^24: their upper 40 bits tell all.
    ///
    /// An entry that is in the table from the first call to the last is visited at least once.
    pub fn scan(&self, position: u64, mut visit: impl FnMut(&E)) -> Option<u64> {
        let segment = &self.segments[self.segment_index(position)?];
        let (n, depth) = (segment.buckets.len(), segment.depth);
        let home = segment.home(position);
        let at_home = &segment.buckets[home];
        for (slot, entry) in at_home.slots.iter().enumerate() {
            if let Some(entry) = entry
                && (at_home.flags >> slot) & 1 == 0
            {
                visit(entry);
            }
        }
        if at_home.flags & OVERFLOWED != 0 {
            let next = &segment.buckets[segment.next(home)];
            for (slot, entry) in next.slots.iter().enumerate() {
                if let Some(entry) = entry
                    && (next.flags >> slot) & 1 == 1
                {
                    visit(entry);
                }
            }
        }
        let prefix = if depth == 0 { 0 } else { position >> (64 - depth) };
        let base = if depth == 0 { 0 } else { prefix << (64 - depth) };
        if home + 1 < n {
            // The first point of the next bucket, rounded down to a position: a bucket is visited twice at the worst.
            let point = (((home as u64 + 1) << 32).div_ceil(n as u64)) << 32 >> depth;
            let next = (base | point) & !0xff_ffff;
            return Some(next.max(position + (1 << 24)));
        }
        if depth == 0 || prefix + 1 == 1 << depth { None } else { Some((prefix + 1) << (64 - depth)) }
    }

    /// An entry near the point `random`: uniform points give nearly uniform entries.
    pub fn sample(&self, random: u64) -> Option<&E> {
        if self.len == 0 {
            return None;
        }
        let mut point = random;
        loop {
            let segment = &self.segments[self.segment_index(point)?];
            let home = segment.home(point);
            let first = (random & 0xffff) as usize % SLOTS;
            let slots = &segment.buckets[home].slots;
            // An empty slot means another draw, so that full buckets are not preferred to sparse ones.
            if let Some(entry) = &slots[first] {
                return Some(entry);
            }
            point = point.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1).rotate_left(23);
            if point & 0x1f == 0
                && let Some(entry) = segment.iter().next()
            {
                return Some(entry);
            }
        }
    }

    /// The earliest tick at which an entry may be due.
    pub fn next_due(&self) -> u32 {
        self.segment_due.iter().copied().min().unwrap_or(NEVER)
    }

    /// Takes out at most `limit` of the entries that are due at tick `now` and for which `expired` holds.
    pub fn take_due(
        &mut self,
        now: u32,
        limit: usize,
        mut expired: impl FnMut(&E) -> bool,
        mut taken: impl FnMut(E),
    ) -> usize {
        let mut count = 0;
        let mut index = 0;
        while index < self.segments.len() && count < limit {
            if self.segment_due[index] > now {
                index += 1;
                continue;
            }
            let segment = &mut self.segments[index];
            for bucket in 0..segment.due.len() {
                if segment.due[bucket] > now {
                    continue;
                }
                for slot in 0..SLOTS {
                    // A pulled-back entry may fill the slot again, hence the loop.
                    while segment.buckets[bucket].slots[slot].as_ref().is_some_and(&mut expired) {
                        if let Some(entry) = segment.remove_at(bucket, slot, &self.basis) {
                            self.len -= 1;
                            count += 1;
                            taken(entry);
                        }
                    }
                }
                let rest = segment.buckets[bucket].slots.iter().flatten().map(|e| e.due(&self.basis)).min();
                segment.due[bucket] = rest.unwrap_or(NEVER);
            }
            self.segment_due[index] = segment.earliest();
            let before = self.segments.len();
            self.shrink(index);
            if self.segments.len() >= before {
                index += 1;
            }
        }
        count
    }

    /// The address of the bucket where a lookup of `hash` starts.
    #[inline]
    pub fn bucket_address(&self, hash: u64) -> Option<*const u8> {
        let segment = &self.segments[self.segment_index(hash)?];
        Some(std::ptr::from_ref(&segment.buckets[segment.home(hash)]).cast())
    }

    /// The address of the first entry whose tag matches, if any.
    #[inline]
    pub fn candidate_address(&self, hash: u64) -> Option<*const u8> {
        let segment = &self.segments[self.segment_index(hash)?];
        let bucket = &segment.buckets[segment.home(hash)];
        let found = bucket.matches(tag_of(hash));
        if found == 0 {
            return None;
        }
        bucket.slots[(found.trailing_zeros() / 8) as usize].as_ref().map(E::address)
    }
}

/// The entries of a segment, moved out where nobody else holds it, cloned where a snapshot does.
fn entries_of<E: Entry>(mut segment: Segment<E>) -> Vec<E> {
    match Arc::get_mut(&mut segment.buckets) {
        Some(buckets) => buckets.iter_mut().flat_map(|b| b.slots.iter_mut().filter_map(Option::take)).collect(),
        None => segment.iter().cloned().collect(),
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
