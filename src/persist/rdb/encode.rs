//! `Encoder`: the bytes of keys and values, in the encodings that Redis 7.0 loads as what they are here.
//!
//! | value | type |
//! |---|---|
//! | string, integer | 0, an integer of up to 32 bits in binary |
//! | list | 18: one listpack for each node that Redis would have |
//! | set | 11 for packed integers, else 2: Redis 7.0 knows no sets in listpacks |
//! | sorted set | 17 (listpack) while packed, else 5 |
//! | hash | 16 (listpack) while packed, 24 while fields expire, else 4 |
//! | stream | 19, see [`super::stream`] |

use super::format::{encoding, kind, length, node, opcode};
use super::listpack;
use super::lzf::Compressor;
use super::stream;
use super::{Usage, volatile_hash};
use crate::base::number::{format_f64, format_i64, parse_i64};
use crate::value::ValueRef;
use crate::value::hash::Hash;
use crate::value::list::{self, List};
use crate::value::packed::Form;
use crate::value::set::{self, Set};
use crate::value::sorted_set::SortedSet;

/// Shorter strings are not compressed.
const COMPRESSED_FROM_BYTES: usize = 21;
/// What compression has to save at least.
const SAVED_BYTES_MIN: usize = 4;
/// Longest text that may be that of an integer of 32 bits.
const INTEGER_TEXT_MAX: usize = 11;
/// A single value of a list that is longer stands in its node as it is.
const PLAIN_NODE_BYTES: usize = 64 << 10;
/// A buffer of a listpack that grew beyond this is given back.
const KEPT_BYTES: usize = 1 << 20;

/// Where encoded bytes go.
pub trait Sink {
    /// The buffer to append to.
    fn buffer(&mut self) -> &mut Vec<u8>;
    /// Called between the elements of a big value: the sink may hand over what the buffer holds.
    ///
    /// # Errors
    /// When it could not.
    fn relieve(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Vec<u8> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }
}

/// See the module's text. Keeps the compressor and a buffer from value to value.
pub struct Encoder {
    compresses: bool,
    /// Made for the first string that is long enough.
    compressor: Option<Compressor>,
    listpack: Vec<u8>,
}

impl Encoder {
    /// `compresses`: whether long strings are compressed (`rdbcompression`).
    pub fn new(compresses: bool) -> Encoder {
        Encoder { compresses, compressor: None, listpack: Vec::new() }
    }

    /// Appends a key with its value and what is to be said of it.
    ///
    /// # Errors
    /// The sink's, which [`Vec`] has none of.
    pub fn entry(
        &mut self,
        key: &[u8],
        value: ValueRef<'_>,
        deadline: Option<u64>,
        usage: Usage,
        sink: &mut impl Sink,
    ) -> std::io::Result<()> {
        let out = sink.buffer();
        if let Some(deadline) = deadline {
            out.push(opcode::DEADLINE_MS);
            out.extend_from_slice(&deadline.to_le_bytes());
        }
        match usage {
            Usage::Unknown => {}
            Usage::Idle(seconds) => {
                out.push(opcode::IDLE);
                put_length(seconds, out);
            }
            Usage::Frequency(counter) => out.extend_from_slice(&[opcode::FREQUENCY, counter]),
        }
        out.push(kind_of(value));
        self.string(key, out);
        self.body(value, sink)
    }

    /// Appends a library of functions: its text.
    pub fn function(&mut self, code: &[u8], out: &mut Vec<u8>) {
        out.push(opcode::FUNCTION);
        self.string(code, out);
    }

    /// Appends a value behind its type: the body of a DUMP payload.
    ///
    /// # Errors
    /// The sink's.
    pub fn value(&mut self, value: ValueRef<'_>, sink: &mut impl Sink) -> std::io::Result<()> {
        sink.buffer().push(kind_of(value));
        self.body(value, sink)
    }

    fn body(&mut self, value: ValueRef<'_>, sink: &mut impl Sink) -> std::io::Result<()> {
        match value {
            ValueRef::Integer(n) => put_integer(n, sink.buffer()),
            ValueRef::Bytes(bytes) => self.string(bytes, sink.buffer()),
            ValueRef::Hash(form @ Form::Packed(_)) => {
                let hash = Hash::new(form);
                self.pack(2 * hash.len(), sink.buffer(), |out| {
                    for (field, value) in hash.iter() {
                        listpack::put(field, out);
                        listpack::put(value, out);
                    }
                });
            }
            ValueRef::Hash(form @ Form::Big(_)) => {
                let hash = Hash::new(form);
                if let Some(earliest) = hash.earliest_deadline() {
                    return volatile_hash::write(self, hash, earliest, sink);
                }
                put_length(hash.len() as u64, sink.buffer());
                for (field, value) in hash.iter() {
                    self.string(field, sink.buffer());
                    self.string(value, sink.buffer());
                    sink.relieve()?;
                }
            }
            ValueRef::Stream(stream) => stream::write(self, stream, sink)?,
            ValueRef::List(form) => self.list(List::new(form), sink)?,
            ValueRef::Set(form) => self.set(Set::new(form), sink)?,
            ValueRef::SortedSet(form @ Form::Packed(_)) => {
                let set = SortedSet::new(form);
                self.pack(2 * set.len(), sink.buffer(), |out| {
                    for (member, score) in set.iter() {
                        listpack::put(member, out);
                        listpack::put(&format_f64(score), out);
                    }
                });
            }
            ValueRef::SortedSet(form @ Form::Big(_)) => {
                let set = SortedSet::new(form);
                put_length(set.len() as u64, sink.buffer());
                // From the highest on, as Redis writes them: it loads that fastest.
                for (member, score) in set.iter().rev() {
                    self.string(member, sink.buffer());
                    sink.buffer().extend_from_slice(&score.to_le_bytes());
                    sink.relieve()?;
                }
            }
        }
        sink.relieve()
    }

    fn list(&mut self, list: List<'_>, sink: &mut impl Sink) -> std::io::Result<()> {
        let is_quicklist = list.encoding() == list::Encoding::Quicklist;
        put_length(list.node_lengths().count() as u64, sink.buffer());
        let mut values = list.iter().peekable();
        for len in list.node_lengths() {
            if let Some(value) = values.next_if(|value| is_quicklist && len == 1 && value.len() > PLAIN_NODE_BYTES) {
                put_length(node::PLAIN, sink.buffer());
                self.string(value, sink.buffer());
            } else {
                put_length(node::PACKED, sink.buffer());
                let node = values.by_ref().take(len);
                self.pack(len, sink.buffer(), |out| node.for_each(|value| listpack::put(value, out)));
            }
            sink.relieve()?;
        }
        Ok(())
    }

    fn set(&mut self, set: Set<'_>, sink: &mut impl Sink) -> std::io::Result<()> {
        if let Some((width, integers)) = set.packed_integers() {
            self.listpack.clear();
            // Both are bounded by the limits of packed forms.
            self.listpack.extend_from_slice(&(width as u32).to_le_bytes());
            self.listpack.extend_from_slice(&(set.len() as u32).to_le_bytes());
            self.listpack.extend_from_slice(integers);
            self.blob(sink.buffer());
            return Ok(());
        }
        put_length(set.len() as u64, sink.buffer());
        for member in set.iter() {
            self.string(&member, sink.buffer());
            sink.relieve()?;
        }
        Ok(())
    }

    /// Appends a listpack of so many elements, which `fill` puts in, as a string.
    pub(super) fn pack(&mut self, elements: usize, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
        listpack::begin(&mut self.listpack);
        fill(&mut self.listpack);
        listpack::end(&mut self.listpack, elements);
        self.blob(out);
    }

    /// Appends the structure in the buffer as a string.
    fn blob(&mut self, out: &mut Vec<u8>) {
        let blob = std::mem::take(&mut self.listpack);
        self.string_of_bytes(&blob, out);
        if blob.capacity() <= KEPT_BYTES {
            self.listpack = blob;
        }
    }

    /// Appends a string, as an integer where it is one.
    pub(super) fn string(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let numeric = bytes.len() <= INTEGER_TEXT_MAX && matches!(bytes.first(), Some(b'0'..=b'9' | b'-'));
        if numeric && let Some(n) = parse_i64(bytes).and_then(|n| i32::try_from(n).ok()) {
            return put_small_integer(n, out);
        }
        self.string_of_bytes(bytes, out);
    }

    fn string_of_bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.compresses && bytes.len() >= COMPRESSED_FROM_BYTES && self.compressed(bytes, out) {
            return;
        }
        put_length(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    /// Appends a compressed string, unless that saves too little.
    fn compressed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        /// The longest head: the encoding and two lengths.
        const HEAD: usize = 11;
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        let compressor = self.compressor.get_or_insert_default();
        if !compressor.compress(bytes, bytes.len() - SAVED_BYTES_MIN, out) {
            out.truncate(start);
            return false;
        }
        let compressed = out.len() - start - HEAD;
        let mut head = Vec::with_capacity(HEAD);
        head.push(length::ENCODED << 6 | encoding::LZF);
        put_length(compressed as u64, &mut head);
        put_length(bytes.len() as u64, &mut head);
        // The lengths are known now, and shorter than their room.
        out[start..start + head.len()].copy_from_slice(&head);
        out.copy_within(start + HEAD.., start + head.len());
        out.truncate(start + head.len() + compressed);
        true
    }
}

/// The type that a value is written as.
fn kind_of(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Integer(_) | ValueRef::Bytes(_) => kind::STRING,
        ValueRef::Hash(Form::Packed(_)) => kind::HASH_LISTPACK,
        ValueRef::Hash(Form::Big(table)) if table.earliest_deadline().is_some() => kind::HASH_DEADLINES,
        ValueRef::Hash(Form::Big(_)) => kind::HASH,
        ValueRef::List(_) => kind::LIST_QUICKLIST_2,
        ValueRef::Set(form) if Set::new(form).encoding() == set::Encoding::Intset => kind::SET_INTSET,
        ValueRef::Set(_) => kind::SET,
        ValueRef::SortedSet(Form::Packed(_)) => kind::SORTED_SET_LISTPACK,
        ValueRef::SortedSet(Form::Big(_)) => kind::SORTED_SET_2,
        ValueRef::Stream(_) => kind::STREAM_2,
    }
}

/// Appends a length.
pub(super) fn put_length(len: u64, out: &mut Vec<u8>) {
    match len {
        0..=0x3f => out.push(len as u8),
        0x40..=0x3fff => out.extend_from_slice(&[length::FOURTEEN_BITS << 6 | (len >> 8) as u8, len as u8]),
        0x4000..=0xffff_ffff => {
            out.push(length::LONG);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
        _ => {
            out.push(length::LONGER);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
}

fn put_small_integer(n: i32, out: &mut Vec<u8>) {
    let bytes = n.to_le_bytes();
    let (encoding, len) = match n {
        -0x80..=0x7f => (encoding::INTEGER_8, 1),
        -0x8000..=0x7fff => (encoding::INTEGER_16, 2),
        _ => (encoding::INTEGER_32, 4),
    };
    out.push(length::ENCODED << 6 | encoding);
    out.extend_from_slice(&bytes[..len]);
}

/// Appends an integer as a string.
pub(super) fn put_integer(n: i64, out: &mut Vec<u8>) {
    match i32::try_from(n) {
        Ok(n) => put_small_integer(n, out),
        Err(_) => {
            let text = format_i64(n);
            put_length(text.len() as u64, out);
            out.extend_from_slice(&text);
        }
    }
}
