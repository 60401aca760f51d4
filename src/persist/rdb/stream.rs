//! Streams in RDB data.
//!
//! ```text
//! nodes, and for each:  id of 16 bytes (big-endian, as all ids in nodes and pending lists), a listpack
//! entries, last id                        ids here are two lengths
//! first id, highest deleted id, entries ever added                        from type 19 on
//! groups, and for each:  name, last id, entries read (type 19 on)
//!     pending entries, and for each:  id, delivered ms (8 bytes), deliveries
//!     consumers, and for each:  name, seen ms (8 bytes), active ms (8 bytes, type 21), ids of its pending entries
//! ```
//!
//! The listpack of a node begins with how many entries it has and how many were deleted, the fields of its first entry
//! and a zero. Each entry follows: flags (1: deleted, 2: the fields are those of the first), the distances of its id
//! from the node's, its fields and values (or how many and values only), and how many elements these were.
//!
//! What is read is checked throughout: ids must ascend, counts agree, and each pending entry have one consumer.

use std::io::Read;

use smallvec::SmallVec;

use super::decode::at;
use super::elements::{Element, Elements};
use super::encode::{Encoder, Sink, put_length};
use super::error::{Fault, Result};
use super::format::kind;
use super::input::Input;
use super::listpack;
use crate::value::stream::{EntryList, Group, Node, NodeLimits, Ordered, Part, Pending, Stream, StreamId};

const DELETED: i64 = 1;
const SHARES_NAMES: i64 = 2;
/// Entries read, where that is not known.
const UNKNOWN: u64 = u64::MAX;
/// Nodes are kept as they were written.
const NO_LIMITS: NodeLimits = NodeLimits { bytes: 0, entries: 0 };

/// Appends a stream, its type excluded.
pub fn write(encoder: &mut Encoder, stream: &Stream, sink: &mut impl Sink) -> std::io::Result<()> {
    let entries = &stream.entries;
    // A node may be left without entries by a trim; it is of no use to anybody else.
    let nodes = || entries.nodes().filter(|node| node.live > 0);
    put_length(nodes().count() as u64, sink.buffer());
    for node in nodes() {
        let out = sink.buffer();
        put_length(16, out);
        out.extend_from_slice(&node.base.to_bytes());
        encoder.pack(node_elements(node), out, |out| write_node(node, out));
        sink.relieve()?;
    }
    let out = sink.buffer();
    put_length(entries.len(), out);
    for id in [entries.last_id, entries.first_id(), entries.max_deleted_id] {
        put_id(id, out);
    }
    put_length(entries.entries_added, out);
    put_length(stream.group_count() as u64, out);
    for (name, group) in stream.groups() {
        encoder.string(name, sink.buffer());
        write_group(encoder, group, sink)?;
    }
    Ok(())
}

fn put_id(id: StreamId, out: &mut Vec<u8>) {
    put_length(id.ms, out);
    put_length(id.seq, out);
}

/// How many elements a node's listpack has.
fn node_elements(node: &Node) -> usize {
    let entries = node.entries().map(|entry| {
        let count = entry.len();
        if entry.has_shared_names() { 4 + count } else { 5 + 2 * count }
    });
    4 + node.names().len() + entries.sum::<usize>()
}

fn put_part(part: Part<'_>, out: &mut Vec<u8>) {
    match part {
        Part::Bytes(bytes) => listpack::put(bytes, out),
        Part::Integer(value) => listpack::put_integer(value, out),
    }
}

fn write_node(node: &Node, out: &mut Vec<u8>) {
    let put = |value: i64, out: &mut Vec<u8>| listpack::put_integer(value, out);
    put(node.live.into(), out);
    put(0, out);
    put(node.names().len() as i64, out);
    node.names().for_each(|name| put_part(name, out));
    put(0, out);
    for entry in node.entries() {
        let (shares, count) = (entry.has_shared_names(), entry.len() as i64);
        put(if shares { SHARES_NAMES } else { 0 }, out);
        // Distances are signed in a listpack, and wrap around as they do in Redis.
        put(entry.id.ms.wrapping_sub(node.base.ms) as i64, out);
        put(entry.id.seq.wrapping_sub(node.base.seq) as i64, out);
        if !shares {
            put(count, out);
        }
        for (field, value) in entry.pairs() {
            if !shares {
                put_part(field, out);
            }
            put_part(value, out);
        }
        put(if shares { 3 + count } else { 4 + 2 * count }, out);
    }
}

fn write_group(encoder: &mut Encoder, group: &Group, sink: &mut impl Sink) -> std::io::Result<()> {
    let out = sink.buffer();
    put_id(group.last_id, out);
    put_length(group.entries_read.unwrap_or(UNKNOWN), out);
    put_length(group.pending().len() as u64, out);
    for (id, pending) in group.pending().iter() {
        let out = sink.buffer();
        out.extend_from_slice(&id.to_bytes());
        out.extend_from_slice(&pending.delivered_ms.to_le_bytes());
        put_length(pending.count, out);
        sink.relieve()?;
    }
    put_length(group.consumer_count() as u64, sink.buffer());
    for consumer in group.consumers() {
        encoder.string(&consumer.name, sink.buffer());
        sink.buffer().extend_from_slice(&consumer.seen_ms.to_le_bytes());
        put_length(consumer.pending().len() as u64, sink.buffer());
        for (id, ()) in consumer.pending().iter() {
            sink.buffer().extend_from_slice(&id.to_bytes());
            sink.relieve()?;
        }
    }
    Ok(())
}

/// Reads a stream of this type.
pub fn read<R: Read>(input: &mut Input<R>, kind: u8) -> Result<Stream> {
    let mut stream = Stream::default();
    for _ in 0..input.length()? {
        let offset = input.offset();
        let base = <[u8; 16]>::try_from(input.string()?).ok();
        let base =
            StreamId::from_bytes(at(offset, base.ok_or("the id of a stream's node has another length than ids"))?);
        let offset = input.offset();
        let mut node = NodeReader::new(&mut stream.entries, base);
        let walked = listpack::each(input.blob()?, |element| node.take(element));
        at(offset, walked.and_then(|()| node.finish()))?;
    }
    let offset = input.offset();
    let (length, last_id) = (input.length()?, id(input)?);
    let entries = &mut stream.entries;
    if length != entries.len() {
        return input.damaged(offset, "a stream has another number of entries than it says");
    }
    if last_id < entries.last_entry_id() {
        return input.damaged(offset, "a stream has an entry behind its last id");
    }
    entries.last_id = last_id;
    if kind == kind::STREAM {
        entries.entries_added = length;
    } else {
        // The first id can be seen.
        id(input)?;
        (entries.max_deleted_id, entries.entries_added) = (id(input)?, input.length()?);
    }
    for _ in 0..input.length()? {
        let offset = input.offset();
        let name: Box<[u8]> = input.string()?.into();
        let group = group(input, kind, &stream.entries)?;
        if !stream.create_group(&name, group) {
            return input.damaged(offset, "a stream has two groups of the same name");
        }
    }
    Ok(stream)
}

fn id<R: Read>(input: &mut Input<R>) -> Result<StreamId> {
    Ok(StreamId { ms: input.length()?, seq: input.length()? })
}

fn group<R: Read>(input: &mut Input<R>, kind: u8, entries: &EntryList) -> Result<Group> {
    let last_id = id(input)?;
    let entries_read = match kind {
        kind::STREAM => entries.added_up_to(last_id),
        // A negative number says that it is not known.
        _ => Some(input.length()?).filter(|count| i64::try_from(*count).is_ok()),
    };
    let mut group = Group::new(last_id, entries_read);
    // When each was delivered, and how often, until the consumer is known.
    let mut loose: Ordered<(i64, u64)> = Ordered::default();
    for _ in 0..input.length()? {
        let offset = input.offset();
        let id = StreamId::from_bytes(input.array()?);
        let delivery = (i64::from_le_bytes(input.array()?), input.length()?);
        if loose.insert(id, delivery).is_some() {
            return input.damaged(offset, "an entry is pending twice in a group");
        }
    }
    for _ in 0..input.length()? {
        let offset = input.offset();
        let name: Box<[u8]> = input.string()?.into();
        let seen_ms = i64::from_le_bytes(input.array()?);
        // What older types do not say is best taken from what they do.
        let active_ms = if kind == kind::STREAM_3 { i64::from_le_bytes(input.array()?) } else { seen_ms };
        let number = group.create_consumer(&name, seen_ms);
        let consumer = at(offset, number.ok_or("a group has two consumers of the same name"))?;
        group.note_active(consumer, Some(active_ms).filter(|ms| *ms != -1));
        for _ in 0..input.length()? {
            let offset = input.offset();
            let id = StreamId::from_bytes(input.array()?);
            let delivery = loose.remove(id).ok_or("an entry is pending for a consumer, and not in its group alone");
            let (delivered_ms, count) = at(offset, delivery)?;
            group.assign(id, Pending { consumer, delivered_ms, count });
        }
    }
    if !loose.is_empty() {
        return input.damaged(input.offset(), "an entry is pending in a group, and for no consumer");
    }
    Ok(group)
}

/// What the next element of a node's listpack is.
#[derive(Clone, Copy)]
enum Next {
    Live,
    Deleted,
    NameCount,
    Names(u64),
    Zero,
    Flags,
    Ms,
    Seq,
    Count,
    Parts(u64),
    Elements,
}

/// Reads a node, element by element.
struct NodeReader<'s> {
    entries: &'s mut EntryList,
    base: StreamId,
    next: Next,
    /// Entries that the node says it has and that are still to come.
    live: u64,
    deleted: u64,
    names: Elements,
    name_count: u64,
    /// Of the entry that is being read.
    flags: i64,
    id: StreamId,
    count: u64,
    parts: Elements,
}

const COUNT: Fault = "a node of a stream has a count that is none";
const ENTRY: Fault = "an entry of a stream is damaged";

impl<'s> NodeReader<'s> {
    fn new(entries: &'s mut EntryList, base: StreamId) -> NodeReader<'s> {
        entries.end_node();
        NodeReader {
            entries,
            base,
            next: Next::Live,
            live: 0,
            deleted: 0,
            names: Elements::default(),
            name_count: 0,
            flags: 0,
            id: StreamId::MIN,
            count: 0,
            parts: Elements::default(),
        }
    }

    fn take(&mut self, element: Element<'_>) -> std::result::Result<(), Fault> {
        let integer = || element.integer().ok_or(ENTRY);
        let count = || integer().and_then(|count| u64::try_from(count).map_err(|_| COUNT));
        self.next = match self.next {
            Next::Live => {
                self.live = count()?;
                Next::Deleted
            }
            Next::Deleted => {
                self.deleted = count()?;
                Next::NameCount
            }
            Next::NameCount => {
                self.name_count = count()?;
                more(self.name_count, Next::Names, Next::Zero)
            }
            Next::Names(left) => {
                element.with_text(|name| self.names.push(name));
                more(left - 1, Next::Names, Next::Zero)
            }
            Next::Zero if integer()? == 0 => Next::Flags,
            Next::Zero => return Err("the fields of a stream's node do not end"),
            Next::Flags => {
                self.flags = integer()?;
                self.parts.clear();
                Next::Ms
            }
            Next::Ms => {
                self.id.ms = self.base.ms.wrapping_add_signed(integer()?);
                Next::Seq
            }
            Next::Seq => {
                self.id.seq = self.base.seq.wrapping_add_signed(integer()?);
                if self.flags & SHARES_NAMES == 0 {
                    Next::Count
                } else {
                    self.count = self.name_count;
                    more(self.count, Next::Parts, Next::Elements)
                }
            }
            Next::Count => {
                self.count = count()?;
                more(self.count.checked_mul(2).ok_or(COUNT)?, Next::Parts, Next::Elements)
            }
            Next::Parts(left) => {
                element.with_text(|part| self.parts.push(part));
                more(left - 1, Next::Parts, Next::Elements)
            }
            Next::Elements => {
                self.end_entry(count()?)?;
                Next::Flags
            }
        };
        Ok(())
    }

    /// The entry is complete, and says how many elements it had.
    fn end_entry(&mut self, elements: u64) -> std::result::Result<(), Fault> {
        let shares = self.flags & SHARES_NAMES != 0;
        let expected = if shares {
            self.count.checked_add(3)
        } else {
            self.count.checked_mul(2).and_then(|count| count.checked_add(4))
        };
        if expected != Some(elements) {
            return Err("an entry of a stream has another number of elements than it says");
        }
        let left = if self.flags & DELETED != 0 { &mut self.deleted } else { &mut self.live };
        *left = left.checked_sub(1).ok_or("a node of a stream has more entries than it says")?;
        if self.flags & DELETED != 0 {
            return Ok(());
        }
        let is_first = self.entries.is_empty();
        if self.count == 0 || self.id < self.base || (!is_first && self.id <= self.entries.last_id) {
            return Err("the entries of a stream are not in order");
        }
        let mut parts: SmallVec<[&[u8]; 32]> = SmallVec::new();
        if shares {
            for (name, value) in self.names.iter().zip(self.parts.iter()) {
                parts.extend([name, value]);
            }
        } else {
            parts.extend(self.parts.iter());
        }
        self.entries.append(self.id, &parts, &NO_LIMITS);
        Ok(())
    }

    fn finish(self) -> std::result::Result<(), Fault> {
        match self.next {
            Next::Flags if self.live == 0 && self.deleted == 0 => Ok(()),
            _ => Err("a node of a stream ends before its entries do"),
        }
    }
}

/// The state with so many elements left, or the one behind it.
fn more(left: u64, with: impl FnOnce(u64) -> Next, behind: Next) -> Next {
    if left == 0 { behind } else { with(left) }
}
