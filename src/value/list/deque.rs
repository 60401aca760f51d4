//! The big form of a list: a deque of chunks.
//!
//! A chunk is one allocation of at most 4,096 bytes (more for one entry that is longer), shared between a list and its
//! snapshots. Only the chunks at the ends are filled, each from its inner side outwards, so that a push writes one entry
//! and a pop writes nothing. A chunk starts small in a small list and grows by doubling; when it is full the next one is
//! opened, and a chunk that is left with much unused room (long entries) is cut to its size. An index is found by
//! skipping chunks from the nearer end.

use std::collections::{VecDeque, vec_deque};
use std::ops::Range;

use super::chunk::{Chunk, ROOM_MAX, room_for};
use super::entry::{self, Entries};
use super::shape::{ListLimits, Node, Shape, Side};
use super::{ENTRIES_AT, End};
use crate::value::listpack_size::of_value as entry_bytes;
use crate::value::packed::read_count;

/// A single chunk with less than one part in so many in use moves to a smaller allocation.
const SPARSE: usize = 4;

/// See the module's text. A clone is a snapshot that shares what neither side changes.
#[derive(Clone)]
pub struct Deque {
    chunks: VecDeque<Chunk>,
    len: usize,
    /// Bytes of all entries.
    entry_bytes: usize,
    /// Allocations of all chunks.
    chunk_bytes: usize,
    pub(super) shape: Shape,
}

/// Values in order, from either end.
#[derive(Clone, Default)]
pub struct Iter<'a> {
    front: Entries<'a>,
    middle: vec_deque::Iter<'a, Chunk>,
    back: Entries<'a>,
}

impl<'a> Iter<'a> {
    pub(super) fn of_run(run: Entries<'a>) -> Iter<'a> {
        Iter { front: run, ..Iter::default() }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];
    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(value) = self.front.next() {
                return Some(value);
            }
            match self.middle.next() {
                Some(chunk) => self.front = chunk.entries(),
                None => return self.back.next(),
            }
        }
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(value) = self.back.next_back() {
                return Some(value);
            }
            match self.middle.next_back() {
                Some(chunk) => self.back = chunk.entries(),
                None => return self.front.next_back(),
            }
        }
    }
}

/// The chunk that holds the entry at `index` of `len`, and its index there.
fn locate(chunks: &VecDeque<Chunk>, len: usize, index: usize) -> (usize, usize) {
    if index < len / 2 {
        let mut rest = index;
        for (at, chunk) in chunks.iter().enumerate() {
            if rest < chunk.count() {
                return (at, rest);
            }
            rest -= chunk.count();
        }
    } else {
        let mut first = len;
        for (at, chunk) in chunks.iter().enumerate().rev() {
            first -= chunk.count();
            if index >= first {
                return (at, index - first);
            }
        }
    }
    unreachable!("index {index} of {len} entries");
}

fn range_of(chunks: &VecDeque<Chunk>, len: usize, range: Range<usize>) -> Iter<'_> {
    if range.is_empty() {
        return Iter::default();
    }
    let (first, start) = locate(chunks, len, range.start);
    let (last, end) = locate(chunks, len, range.end - 1);
    let (head, tail) = (&chunks[first], &chunks[last]);
    let start = head.entries().offset(start, head.count());
    let end = tail.entries().offset(end + 1, tail.count());
    if first == last {
        return Iter::of_run(Entries(&head.live()[start..end]));
    }
    Iter {
        front: Entries(&head.live()[start..]),
        middle: chunks.range(first + 1..last),
        back: Entries(&tail.live()[..end]),
    }
}

impl Deque {
    /// The list with these packed bytes.
    pub(super) fn from_packed(packed: &[u8]) -> Deque {
        let entries = Entries(&packed[ENTRIES_AT..]);
        let count = read_count(packed, 0);
        let mut deque =
            Deque { chunks: VecDeque::new(), len: count, entry_bytes: 0, chunk_bytes: 0, shape: Shape::of(entries) };
        if count > 0 {
            deque.entry_bytes = entries.0.len();
            deque.replace(0..0, [Chunk::exact(entries.0, count)]);
        }
        deque
    }

    /// The packed form of the list, when that is short.
    pub(super) fn to_packed(&self) -> Vec<u8> {
        let mut packed = (self.len as u16).to_le_bytes().to_vec();
        self.chunks.iter().for_each(|chunk| packed.extend_from_slice(chunk.live()));
        packed
    }

    /// Values held.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the entries take.
    pub(super) fn entry_bytes(&self) -> usize {
        self.entry_bytes
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        self.chunk_bytes + self.chunks.capacity() * size_of::<Chunk>() + self.shape.heap_bytes()
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        if index >= self.len {
            return None;
        }
        let (at, inside) = locate(&self.chunks, self.len, index);
        let chunk = &self.chunks[at];
        Entries(&chunk.live()[chunk.entries().offset(inside, chunk.count())..]).next()
    }

    /// The values at these indices, which exist.
    pub(super) fn range(&self, range: Range<usize>) -> Iter<'_> {
        range_of(&self.chunks, self.len, range)
    }

    fn end_chunk(&mut self, end: End) -> Option<&mut Chunk> {
        match end {
            End::Head => self.chunks.front_mut(),
            End::Tail => self.chunks.back_mut(),
        }
    }

    fn end_index(&self, end: End) -> usize {
        if end == End::Head { 0 } else { self.chunks.len() - 1 }
    }

    /// Puts other chunks in the place of some, and keeps count of the allocations.
    fn replace(&mut self, range: Range<usize>, by: impl IntoIterator<Item = Chunk>) {
        let mut at = range.start;
        for _ in range {
            if let Some(old) = self.chunks.remove(at) {
                self.chunk_bytes -= old.heap_bytes();
            }
        }
        for chunk in by {
            self.chunk_bytes += chunk.heap_bytes();
            self.chunks.insert(at, chunk);
            at += 1;
        }
    }

    /// Moves a chunk to an allocation with this much room; see [`Chunk::moved`].
    fn move_chunk(&mut self, index: usize, room: usize, end: Option<End>) {
        let moved = self.chunks[index].moved(room, end);
        self.chunk_bytes += moved.heap_bytes();
        self.chunk_bytes -= self.chunks[index].heap_bytes();
        self.chunks[index] = moved;
    }

    /// An empty quicklist, to be filled from a file.
    pub fn for_loading() -> Deque {
        let shape = Shape::Quicklist(VecDeque::new());
        Deque { chunks: VecDeque::new(), len: 0, entry_bytes: 0, chunk_bytes: 0, shape }
    }

    /// Adds the values of one node of a quicklist behind those that are there. The list must not be a listpack.
    pub fn load_node<'a>(&mut self, values: impl Iterator<Item = &'a [u8]> + Clone) {
        let node = Node::of(values.clone());
        if node.entries() == 0 {
            return;
        }
        values.for_each(|value| self.add(End::Tail, value));
        if let Shape::Quicklist(nodes) = &mut self.shape {
            nodes.push_back(node);
        }
    }

    /// Adds a value behind those that are there, as RPUSH would.
    pub fn load(&mut self, value: &[u8], limits: &ListLimits) {
        self.push(End::Tail, value, limits);
    }

    /// Ends loading.
    pub fn end_loading(&mut self, limits: &ListLimits) {
        self.shape.after_loading(limits);
    }

    /// Adds a value at one end.
    #[inline]
    pub(super) fn push(&mut self, end: End, value: &[u8], limits: &ListLimits) {
        self.add(end, value);
        self.shape.push(end, value, limits);
    }

    /// Adds a value at one end without a word to the shape.
    #[inline]
    fn add(&mut self, end: End, value: &[u8]) {
        let size = entry::size(value.len());
        if self.end_chunk(end).is_none_or(|chunk| chunk.free(end) < size) {
            self.make_room(end, size);
        }
        if let Some(chunk) = self.end_chunk(end) {
            chunk.push(end, value);
        }
        self.len += 1;
        self.entry_bytes += size;
    }

    /// Makes room for an entry at one end: inside the chunk there, by doubling it, or by opening the next one.
    #[cold]
    fn make_room(&mut self, end: End, size: usize) {
        let single = self.chunks.len() == 1;
        if let Some(chunk) = self.end_chunk(end) {
            let (room, live) = (chunk.room(), chunk.live().len());
            let needed = live + size;
            let index = self.end_index(end);
            if needed * 2 <= room {
                // Half on each side of a chunk with two active ends, so that pushes in turns do not move it each time.
                return self.move_chunk(index, room, if single { None } else { Some(end) });
            }
            if needed <= ROOM_MAX && room < ROOM_MAX {
                return self.move_chunk(index, room_for(needed.max(room * 2).min(ROOM_MAX)), Some(end));
            }
            if live * 8 < room * 7 {
                self.move_chunk(index, live, Some(End::Tail));
            }
        }
        let room = room_for(size.max((self.entry_bytes / 8).min(ROOM_MAX)));
        let at = if end == End::Head { 0 } else { self.chunks.len() };
        self.replace(at..at, [Chunk::new(room, end)]);
    }

    /// Removes `count` values at one end, at most all.
    pub(super) fn drop_end(&mut self, end: End, count: usize) {
        let Deque { chunks, len, shape, .. } = self;
        shape.drop_end(end, count, *len, |range| range_of(chunks, *len, range).map(entry_bytes).sum());
        let mut rest = count;
        while rest > 0 && !self.chunks.is_empty() {
            let index = self.end_index(end);
            let chunk = &mut self.chunks[index];
            let live = chunk.live().len();
            if chunk.count() <= rest {
                rest -= chunk.count();
                self.entry_bytes -= live;
                self.replace(index..index + 1, []);
                continue;
            }
            let gone = match end {
                End::Head => chunk.entries().offset(rest, chunk.count()),
                End::Tail => live - chunk.entries().offset(chunk.count() - rest, chunk.count()),
            };
            chunk.cut(end, rest, gone);
            self.entry_bytes -= gone;
            rest = 0;
        }
        self.len -= count;
    }

    /// Ends a command that removed something: gives memory back and updates the shape.
    pub(super) fn settle(&mut self, limits: &ListLimits) {
        self.shape.after_removal(limits);
        if self.chunks.len() * 4 < self.chunks.capacity() && self.chunks.capacity() > 8 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
        if self.chunks.len() == 1 && self.entry_bytes * SPARSE < self.chunks[0].room() {
            let room = room_for(self.entry_bytes * 2);
            if room < self.chunks[0].room() {
                self.move_chunk(0, room, None);
            }
        }
    }

    /// Replaces bytes of one chunk, which has `count` entries then; splits it when it gets too long.
    fn rewrite(&mut self, index: usize, at: usize, removed: usize, inserted: &[&[u8]], count: usize) {
        let live = self.chunks[index].live();
        let content = [&live[..at], &inserted.concat(), &live[at + removed..]].concat();
        self.entry_bytes = self.entry_bytes + content.len() - live.len();
        if content.len() <= ROOM_MAX {
            return self.replace(index..index + 1, [Chunk::exact(&content, count)]);
        }
        let (mut pieces, mut start, mut end, mut entries) = (Vec::new(), 0, 0, 0);
        for value in Entries(&content) {
            let size = entry::size(value.len());
            if entries > 0 && (end - start >= content.len() / 2 || end - start + size > ROOM_MAX) {
                pieces.push(Chunk::exact(&content[start..end], entries));
                (start, entries) = (end, 0);
            }
            end += size;
            entries += 1;
        }
        pieces.push(Chunk::exact(&content[start..end], entries));
        self.replace(index..index + 1, pieces);
    }

    /// Replaces the value at an index that exists.
    pub(super) fn set(&mut self, index: usize, value: &[u8]) {
        let (at, inside) = locate(&self.chunks, self.len, index);
        let chunk = &mut self.chunks[at];
        let offset = chunk.entries().offset(inside, chunk.count());
        let Some(old) = Entries(&chunk.live()[offset..]).next() else { return };
        self.shape.replace(index, old, value);
        let (head, tail) = entry::frame(value.len());
        if old.len() == value.len() {
            chunk.overwrite(offset + head.len(), value);
        } else {
            let (old_size, count) = (entry::size(old.len()), chunk.count());
            self.rewrite(at, offset, old_size, &[&head, value, &tail], count);
        }
    }

    /// Inserts a value beside the one at `pivot`, which exists.
    pub(super) fn insert(&mut self, pivot: usize, side: Side, value: &[u8], limits: &ListLimits) {
        let Deque { chunks, len, shape, .. } = self;
        shape.insert(pivot, side, value, limits, |range| range_of(chunks, *len, range).map(entry_bytes).sum());
        let (at, inside) = locate(&self.chunks, self.len, pivot);
        let chunk = &self.chunks[at];
        let count = chunk.count();
        let offset = chunk.entries().offset(inside + (side == Side::After) as usize, count);
        let (head, tail) = entry::frame(value.len());
        self.rewrite(at, offset, 0, &[&head, value, &tail], count + 1);
        self.len += 1;
    }

    /// Removes copies of `value`, which stand at these ascending indices.
    pub(super) fn remove_copies(&mut self, indices: &[usize], value: &[u8]) {
        self.shape.remove_copies(indices, value);
        self.len -= indices.len();
        self.entry_bytes -= indices.len() * entry::size(value.len());
        let (mut first, mut rest) = (0, indices);
        let mut kept: VecDeque<Chunk> = VecDeque::with_capacity(self.chunks.len());
        for mut chunk in std::mem::take(&mut self.chunks) {
            let past = first + chunk.count();
            let (here, behind) = rest.split_at(rest.partition_point(|&index| index < past));
            if !here.is_empty() {
                let mut content = Vec::with_capacity(chunk.live().len());
                let mut gone = here.iter().map(|&index| index - first).peekable();
                for (index, value) in chunk.entries().enumerate() {
                    if gone.next_if_eq(&index).is_none() {
                        entry::append(&mut content, value);
                    }
                }
                chunk = Chunk::exact(&content, chunk.count() - here.len());
            }
            (first, rest) = (past, behind);
            match kept.back_mut() {
                _ if chunk.count() == 0 => {}
                Some(last) if last.live().len() + chunk.live().len() <= ROOM_MAX / 2 => {
                    *last = Chunk::exact(&[last.live(), chunk.live()].concat(), last.count() + chunk.count());
                }
                _ => kept.push_back(chunk),
            }
        }
        self.chunk_bytes = kept.iter().map(Chunk::heap_bytes).sum();
        self.chunks = kept;
    }

    /// Checks the running sums against the chunks.
    #[cfg(test)]
    pub(super) fn verify(&self) {
        assert_eq!(self.len, self.chunks.iter().map(Chunk::count).sum::<usize>());
        assert_eq!(self.entry_bytes, self.chunks.iter().map(|c| c.live().len()).sum::<usize>());
        assert_eq!(self.chunk_bytes, self.chunks.iter().map(Chunk::heap_bytes).sum::<usize>());
        assert!(self.chunks.iter().all(|c| c.count() > 0 && c.count() == c.entries().count()));
        assert!(self.chunks.iter().all(|c| c.heap_bytes() <= 4096 || c.count() == 1));
        self.shape.verify(self.range(0..self.len));
    }
}
