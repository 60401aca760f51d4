//! A chunk: a run of list entries with room at its ends.
//!
//! The live bytes lie somewhere inside one shared allocation, so that a chunk can be filled from behind as well as from
//! the front, and popping moves nothing. A clone shares the allocation; the first write of either side copies it.

use std::sync::Arc;

use super::End;
use super::entry::{self, Entries};
use crate::value::thin::allocation_size;

/// The counters in front of an `Arc`'s payload.
const ARC_BYTES: usize = 16;
/// Smallest allocation of a chunk, in bytes.
const ALLOCATION_MIN: usize = 512;
/// Largest allocation of a chunk, unless one entry alone is larger.
const ALLOCATION_MAX: usize = 4096;
/// Room of a chunk of the largest regular size.
pub const ROOM_MAX: usize = ALLOCATION_MAX - ARC_BYTES;

/// See the module's text.
#[derive(Clone)]
pub struct Chunk {
    bytes: Arc<[u8]>,
    start: u32,
    end: u32,
    count: u32,
}

/// The smallest regular room for `needed` bytes: powers of two with the allocation's header; `needed` itself beyond.
pub fn room_for(needed: usize) -> usize {
    if needed > ROOM_MAX {
        return needed;
    }
    (needed + ARC_BYTES).next_power_of_two().max(ALLOCATION_MIN) - ARC_BYTES
}

impl Chunk {
    /// An empty chunk that is to be filled from `end`'s side: from behind for [`End::Head`].
    pub fn new(room: usize, end: End) -> Chunk {
        let at = if end == End::Head { room as u32 } else { 0 };
        Chunk { bytes: std::iter::repeat_n(0, room).collect(), start: at, end: at, count: 0 }
    }

    /// The smallest chunk that holds `count` entries with these bytes.
    pub fn exact(entries: &[u8], count: usize) -> Chunk {
        let whole = allocation_size(entries.len() + ARC_BYTES) - ARC_BYTES;
        Chunk::placed(entries, count, if entries.len() > ROOM_MAX { entries.len() } else { whole }, 0)
    }

    fn placed(entries: &[u8], count: usize, room: usize, at: usize) -> Chunk {
        let mut chunk = Chunk::new(room, End::Tail);
        chunk.start = at as u32;
        chunk.end = (at + entries.len()) as u32;
        chunk.count = count as u32;
        chunk.unshared()[at..at + entries.len()].copy_from_slice(entries);
        chunk
    }

    /// The same entries with this much room: all of the rest on `end`'s side, or half on each side for `None`.
    pub fn moved(&self, room: usize, end: Option<End>) -> Chunk {
        let spare = room - self.live().len();
        let at = match end {
            Some(End::Head) => spare,
            Some(End::Tail) => 0,
            None => spare / 2,
        };
        Chunk::placed(self.live(), self.count as usize, room, at)
    }

    fn unshared(&mut self) -> &mut [u8] {
        Arc::make_mut(&mut self.bytes)
    }

    /// The bytes of the entries.
    #[inline]
    pub fn live(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }

    /// The entries.
    #[inline]
    pub fn entries(&self) -> Entries<'_> {
        Entries(self.live())
    }

    /// Entries held.
    #[inline]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes of entries that the allocation could hold.
    pub fn room(&self) -> usize {
        self.bytes.len()
    }

    /// Free bytes at one end.
    #[inline]
    pub fn free(&self, end: End) -> usize {
        match end {
            End::Head => self.start as usize,
            End::Tail => self.bytes.len() - self.end as usize,
        }
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        allocation_size(ARC_BYTES + self.bytes.len())
    }

    /// Adds an entry where there is room for it.
    #[inline]
    pub fn push(&mut self, end: End, value: &[u8]) {
        let size = entry::size(value.len()) as u32;
        let at = match end {
            End::Head => {
                self.start -= size;
                self.start
            }
            End::Tail => {
                self.end += size;
                self.end - size
            }
        } as usize;
        self.count += 1;
        let (head, tail) = entry::frame(value.len());
        let place = &mut self.unshared()[at..at + size as usize];
        let (front, rest) = place.split_at_mut(head.len());
        let (middle, back) = rest.split_at_mut(value.len());
        front.copy_from_slice(&head);
        middle.copy_from_slice(value);
        back.copy_from_slice(&tail);
    }

    /// Removes `count` entries of `bytes` bytes at one end.
    #[inline]
    pub fn cut(&mut self, end: End, count: usize, bytes: usize) {
        self.count -= count as u32;
        match end {
            End::Head => self.start += bytes as u32,
            End::Tail => self.end -= bytes as u32,
        }
    }

    /// Overwrites live bytes from offset `at` on.
    pub fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        let at = self.start as usize + at;
        self.unshared()[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
