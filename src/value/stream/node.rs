//! `Node`: some entries of a stream, one after the other in one allocation.
//!
//! ```text
//! [fields of the first entry]                                                       the names
//! [distance in ms and a bit][number][length of the rest][values]                    an entry with these names
//! [distance in ms and a bit][number][length of the rest][count][field][value] …     one with others
//! ```
//!
//! Distances are from `base`, the id of the first entry that the node had; within its millisecond the number is a
//! distance, too. The first byte of an entry holds the bit that says whether it has names of its own, six bits of the
//! distance, and whether more of it follows; numbers and lengths take seven bits a byte. Fields and values are
//! [`part`](super::part)s.
//!
//! Trimming takes whole nodes where it may. When a node is full, and so what such a trim takes, can be seen by clients:
//! it follows the size that Redis's listpack of the same entries would have, in which deleted entries keep their place.

use super::id::StreamId;
use super::part::{self, Part};
use crate::value::listpack_size;
use crate::value::thin::allocation_size;

/// When a node takes no more entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// `stream-node-max-bytes`; 0 for no limit.
    pub bytes: usize,
    /// `stream-node-max-entries`; 0 for no limit.
    pub entries: usize,
}

/// What Redis 7.2 starts with.
impl Default for NodeLimits {
    fn default() -> Self {
        NodeLimits { bytes: 4096, entries: 100 }
    }
}

/// Longest node, and most bytes of an entry's parts together.
pub const NODE_BYTES_MAX: usize = 1 << 30;
/// An open node's buffer grows by doubling up to this.
const ROOM_MAX: usize = 4096;

/// See the module's text.
#[derive(Clone)]
pub struct Node {
    /// The id of the first entry that it had.
    pub base: StreamId,
    /// The id of the last, which may be deleted.
    pub last: StreamId,
    /// Entries that are there.
    pub live: u32,
    /// Entries that were deleted.
    deleted: u32,
    /// Number of names.
    names: u32,
    /// Where entries begin.
    entries_at: u32,
    /// Of Redis's listpack, without the counts of entries.
    listpack_bytes: usize,
    bytes: Vec<u8>,
}

/// An entry where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: StreamId,
    /// Fields, where the entry has the node's; they come from here, and values only from `body`.
    names: Option<&'a [u8]>,
    body: &'a [u8],
    count: usize,
}

impl<'a> Entry<'a> {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Always false: an entry has a field.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether its fields are those of its node.
    pub fn has_shared_names(&self) -> bool {
        self.names.is_some()
    }

    /// Fields with their values, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (Part<'a>, Part<'a>)> + use<'a> {
        let (mut names, mut body) = (self.names, self.body);
        (0..self.count).map(move |_| {
            let source = names.as_mut().unwrap_or(&mut body);
            let (field, rest) = part::take(source);
            *source = rest;
            let (value, rest) = part::take(body);
            body = rest;
            (field, value)
        })
    }
}

/// The entries of a node, ascending.
#[derive(Clone)]
pub struct Entries<'a> {
    node: &'a Node,
    at: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;
    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.at == self.node.bytes.len() {
            return None;
        }
        let head = self.node.head(self.at);
        self.at = head.end;
        Some(self.node.entry(&head))
    }
}

/// Where an entry lies.
struct Head {
    id: StreamId,
    own_names: bool,
    body: usize,
    end: usize,
}

impl Node {
    /// A node that begins with this entry: fields and values in turn.
    pub fn new(id: StreamId, parts: &[&[u8]]) -> Node {
        let mut bytes = Vec::new();
        let names = parts.len() / 2;
        // The number of fields, and a zero behind them.
        let mut listpack_bytes = listpack_size::EMPTY_BYTES + listpack_size::of_integer(names as i64) + 2;
        for field in parts.iter().step_by(2) {
            listpack_bytes += part::put(field, &mut bytes);
        }
        let mut node = Node {
            base: id,
            last: id,
            live: 0,
            deleted: 0,
            names: names as u32,
            entries_at: bytes.len() as u32,
            listpack_bytes,
            bytes,
        };
        node.append(id, parts);
        node
    }

    /// Whether an entry of so many bytes in its parts may be appended.
    pub fn admits(&self, part_bytes: usize, limits: &NodeLimits) -> bool {
        let most = if limits.bytes == 0 { NODE_BYTES_MAX } else { limits.bytes.min(NODE_BYTES_MAX) };
        let (live, deleted) = (i64::from(self.live), i64::from(self.deleted));
        let own = self.listpack_bytes + listpack_size::of_integer(live) + listpack_size::of_integer(deleted);
        // Redis's estimate of a new entry is the bytes of its parts.
        own + part_bytes < most && (limits.entries == 0 || ((live + deleted) as usize) < limits.entries)
    }

    /// Appends an entry, whose id is above all others.
    pub fn append(&mut self, id: StreamId, parts: &[&[u8]]) {
        let count = parts.len() / 2;
        let shares = self.has_names(parts);
        let (ms, seq) = self.distance(id);
        self.make_room(parts.iter().map(|part| part.len() + 5).sum::<usize>() + 32);
        let start = self.bytes.len();
        put_distance(ms, !shares, &mut self.bytes);
        part::put_number(seq, &mut self.bytes);
        // One byte is mostly enough for the length, which is known only behind the rest.
        let body = self.bytes.len() + 1;
        self.bytes.push(0);
        // Flags, both distances, and how many elements the entry has, as a listpack has them.
        let base = self.base;
        let seq_distance = id.seq.wrapping_sub(base.seq) as i64;
        let mut size = 2 + listpack_size::of_integer(ms as i64) + listpack_size::of_integer(seq_distance);
        if shares {
            size += listpack_size::of_integer(count as i64 + 3);
            for value in parts.iter().skip(1).step_by(2) {
                size += part::put(value, &mut self.bytes);
            }
        } else {
            size += listpack_size::of_integer(count as i64) + listpack_size::of_integer(2 * count as i64 + 4);
            part::put_number(count as u64, &mut self.bytes);
            for part in parts {
                size += part::put(part, &mut self.bytes);
            }
        }
        let len = self.bytes.len() - body;
        if len < 0x80 {
            self.bytes[body - 1] = len as u8;
        } else {
            let mut text = Vec::new();
            part::put_number(len as u64, &mut text);
            self.bytes.splice(body - 1..body, text);
        }
        debug_assert!(self.head(start).end == self.bytes.len());
        self.listpack_bytes += size;
        self.live += 1;
        self.last = id;
    }

    /// Whether these are the node's fields.
    fn has_names(&self, parts: &[&[u8]]) -> bool {
        if parts.len() / 2 != self.names as usize {
            return false;
        }
        let mut rest = &self.bytes[..self.entries_at as usize];
        parts.iter().step_by(2).all(|given| {
            let (name, behind) = part::take(rest);
            rest = behind;
            match name {
                Part::Bytes(name) => name == *given,
                Part::Integer(_) => name.with_bytes(|name| name == *given),
            }
        })
    }

    fn make_room(&mut self, bytes: usize) {
        let (len, room) = (self.bytes.len(), self.bytes.capacity());
        if room - len < bytes {
            let wanted = (2 * room).min(ROOM_MAX).max(len + bytes);
            self.bytes.reserve_exact(wanted - len);
        }
    }

    /// Gives back what the buffer has beyond its content: nothing more comes.
    pub fn seal(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Bytes held from the allocator, the node's own behind a reference count included.
    pub fn heap_bytes(&self) -> usize {
        allocation_size(size_of::<Node>() + 2 * size_of::<usize>()) + allocation_size(self.bytes.capacity())
    }

    /// Distance of an id from the base as it is stored.
    #[inline]
    fn distance(&self, id: StreamId) -> (u64, u64) {
        let ms = id.ms - self.base.ms;
        (ms, if ms == 0 { id.seq - self.base.seq } else { id.seq })
    }

    #[inline]
    fn head(&self, at: usize) -> Head {
        let rest = &self.bytes[at..];
        let own_names = rest[0] & 1 != 0;
        let mut ms = u64::from(rest[0] >> 1 & 0x3f);
        let mut rest = &rest[1..];
        if self.bytes[at] & 0x80 != 0 {
            let (more, behind) = part::take_number(rest);
            ms |= more << 6;
            rest = behind;
        }
        let (seq, rest) = part::take_number(rest);
        let (len, rest) = part::take_number(rest);
        let seq = if ms == 0 { self.base.seq + seq } else { seq };
        let body = self.bytes.len() - rest.len();
        Head { id: StreamId { ms: self.base.ms + ms, seq }, own_names, body, end: body + len as usize }
    }

    #[inline]
    fn entry(&self, head: &Head) -> Entry<'_> {
        let body = &self.bytes[head.body..head.end];
        if head.own_names {
            let (count, body) = part::take_number(body);
            Entry { id: head.id, names: None, body, count: count as usize }
        } else {
            let names = &self.bytes[..self.entries_at as usize];
            Entry { id: head.id, names: Some(names), body, count: self.names as usize }
        }
    }

    /// The node's fields.
    pub fn names(&self) -> impl ExactSizeIterator<Item = Part<'_>> {
        let mut rest = &self.bytes[..self.entries_at as usize];
        (0..self.names as usize).map(move |_| {
            let (name, behind) = part::take(rest);
            rest = behind;
            name
        })
    }

    /// All entries, ascending.
    pub fn entries(&self) -> Entries<'_> {
        Entries { node: self, at: self.entries_at as usize }
    }

    /// Entries from an id on, ascending.
    pub fn from(&self, start: StreamId) -> Entries<'_> {
        Entries { node: self, at: self.offset(start) }
    }

    /// The entry with this id.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.from(id).next().filter(|entry| entry.id == id)
    }

    /// Offset of the first entry from an id on.
    fn offset(&self, start: StreamId) -> usize {
        let mut at = self.entries_at as usize;
        while at < self.bytes.len() {
            let head = self.head(at);
            if head.id >= start {
                break;
            }
            at = head.end;
        }
        at
    }

    /// Offsets of the entries up to an id, ascending.
    pub fn offsets_to(&self, end: StreamId, out: &mut Vec<u32>) {
        let mut at = self.entries_at as usize;
        while at < self.bytes.len() {
            let head = self.head(at);
            if head.id > end {
                break;
            }
            out.push(at as u32);
            at = head.end;
        }
    }

    /// The entry at an offset that was told.
    pub fn at(&self, offset: u32) -> Entry<'_> {
        self.entry(&self.head(offset as usize))
    }

    /// Deletes an entry; false if there is none with this id.
    pub fn remove(&mut self, id: StreamId) -> bool {
        let at = self.offset(id);
        if at == self.bytes.len() {
            return false;
        }
        let head = self.head(at);
        let found = head.id == id;
        if found {
            self.bytes.drain(at..head.end);
            self.note_deleted(1);
        }
        found
    }

    /// Deletes the first entries, so many of them.
    pub fn remove_first(&mut self, count: usize) {
        let start = self.entries_at as usize;
        let mut entries = self.entries();
        for _ in 0..count {
            entries.next();
        }
        let end = entries.at;
        self.bytes.drain(start..end);
        self.note_deleted(count);
    }

    fn note_deleted(&mut self, count: usize) {
        self.live -= count as u32;
        self.deleted += count as u32;
        if self.bytes.len() < self.bytes.capacity() / 2 {
            self.bytes.shrink_to_fit();
        }
    }
}

/// Appends a distance in ms with a bit below it.
#[inline]
fn put_distance(ms: u64, bit: bool, out: &mut Vec<u8>) {
    let first = (ms & 0x3f) as u8 * 2 + u8::from(bit);
    if ms < 0x40 {
        return out.push(first);
    }
    out.push(first | 0x80);
    part::put_number(ms >> 6, out);
}
