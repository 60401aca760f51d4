//! Walks over a table: SCAN, samples, what is due, and addresses to fetch ahead.

use super::bucket::SLOTS;
use super::segment::{BUCKETS_MAX, tag_of};
use super::{Entry, NEVER, Table};

/// Draws of a place, after which an entry is counted out in the segment at hand.
const DRAWS_MAX: usize = 64;

impl<E: Entry> Table<E> {
    /// Visits the entries whose home is the bucket at `position` on the hash line (0 starts), and returns the position
    /// of the next bucket, or `None` behind the last. Positions are multiples of 2^24: their upper 40 bits tell all.
    ///
    /// An entry that is in the table from the first call to the last is visited at least once.
    pub fn scan(&self, position: u64, mut visit: impl FnMut(&E)) -> Option<u64> {
        let segment = &self.segments[self.segment_index(position)?];
        let (n, depth) = (segment.buckets().len(), segment.depth());
        let home = segment.home(position);
        let at_home = &segment.buckets()[home];
        at_home.iter_of(false).for_each(&mut visit);
        if at_home.is_overflowed() {
            segment.buckets()[segment.next(home)].iter_of(true).for_each(&mut visit);
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

    /// An entry drawn by a uniform random number: each is as likely as any other.
    ///
    /// A place is drawn again and again, of as many as there were if all segments were of the widest size, until it is
    /// there and holds an entry; so neither full buckets nor small segments are preferred. Where a table is nearly empty,
    /// any entry of the segment last drawn does after a while.
    pub fn sample(&self, random: u64) -> Option<&E> {
        if self.len == 0 {
            return None;
        }
        let alone = self.segments.len() == 1;
        let width = if alone { self.buckets } else { BUCKETS_MAX };
        let mut bits = random;
        for draw in 1_usize.. {
            let segment = &self.segments[share(bits >> 32, self.segments.len())];
            let bucket = share(bits & 0xffff_ffff, width * SLOTS);
            let (bucket, slot) = (bucket / SLOTS, bucket % SLOTS);
            if let Some(entry) = segment.buckets().get(bucket).and_then(|bucket| bucket.entry(slot)) {
                return Some(entry);
            }
            if draw.is_multiple_of(DRAWS_MAX) && segment.len() > 0 {
                return segment.iter().nth(share(bits & 0xffff_ffff, segment.len()));
            }
            // The steps of splitmix64, whose every bit is as good as the others.
            bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
        }
        None
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
            for bucket in 0..segment.buckets().len() {
                if segment.due(bucket) > now {
                    continue;
                }
                for slot in 0..SLOTS {
                    // A pulled-back entry may fill the slot again, hence the loop.
                    while segment.buckets()[bucket].entry(slot).is_some_and(&mut expired) {
                        if let Some(entry) = segment.remove_at(bucket, slot, &self.basis) {
                            self.len -= 1;
                            count += 1;
                            taken(entry);
                        }
                    }
                }
                segment.settle_due(bucket, &self.basis);
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
        Some(std::ptr::from_ref(&segment.buckets()[segment.home(hash)]).cast())
    }

    /// The address of the first entry whose tag matches, if any.
    #[inline]
    pub fn candidate_address(&self, hash: u64) -> Option<*const u8> {
        let segment = &self.segments[self.segment_index(hash)?];
        segment.buckets()[segment.home(hash)].candidate(tag_of(hash)).map(E::address)
    }

    /// The stamp of the segment that covers a point of the hash line: 0, or what [`Table::set_stamp`] said last. Segments
    /// that come of it inherit it, and only those with the same stamp merge. `None` in a table without segments.
    pub fn stamp(&self, point: u64) -> Option<u32> {
        Some(self.segments[self.segment_index(point)?].stamp)
    }

    /// Stamps the segment that covers a point.
    pub fn set_stamp(&mut self, point: u64, stamp: u32) {
        if let Some(index) = self.segment_index(point) {
            self.segments[index].stamp = stamp;
        }
    }

    /// The entries of the segment that covers a point.
    pub fn segment_records(&self, point: u64) -> impl Iterator<Item = &E> {
        self.segment_index(point).into_iter().flat_map(|index| self.segments[index].iter())
    }

    /// Visits the entries of the segments whose stamp is below `stamp`, until `visit` fails.
    ///
    /// # Errors
    /// The visitor's.
    pub fn each_stamped_below<X>(&self, stamp: u32, visit: impl FnMut(&E) -> Result<(), X>) -> Result<(), X> {
        self.segments.iter().filter(|segment| segment.stamp < stamp).flat_map(|s| s.iter()).try_for_each(visit)
    }

    /// The first point behind the segment that covers `point`; `None` behind the last.
    pub fn segment_end(&self, point: u64) -> Option<u64> {
        let depth = self.segments[self.segment_index(point)?].depth();
        let width = if depth == 0 { return None } else { 1u64 << (64 - depth) };
        (point & !(width - 1)).checked_add(width)
    }

    /// A point in each segment in which something may be due at a tick.
    pub fn due_points(&self, tick: u32) -> impl Iterator<Item = u64> + use<E> {
        let shift = 64 - self.depth;
        let point = |slot: usize| if shift == 64 { 0 } else { (slot as u64) << shift };
        let due = self.directory.iter().enumerate().filter(|(_, index)| self.segment_due[**index as usize] <= tick);
        due.map(move |(slot, _)| point(slot)).collect::<Vec<_>>().into_iter()
    }
}

/// Which of `count` things 32 random bits choose.
fn share(bits: u64, count: usize) -> usize {
    ((bits * count as u64) >> 32) as usize
}
