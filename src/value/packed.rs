//! Packed bytes: how small collections live inside their record.
//!
//! A collection of a few entries is a run of bytes in the record's own allocation; a large one is a structure of its
//! own. This file holds what the two forms share: the buffer that packed bytes are edited in, the home that a
//! collection lives in and moves up from, and the varint that prefixes every packed string.

use std::ops::Deref;

use super::thin::Thin;

/// Bytes that can be edited in place: a record's payload, or a `Vec` in tests.
pub trait Buffer: Deref<Target = [u8]> {
    /// Replaces `removed` bytes at offset `at` by `inserted`, moving the tail.
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]);
}

impl Buffer for Thin {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Thin::splice(self, at, removed, inserted);
    }
}

impl Buffer for Vec<u8> {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Vec::splice(self, at..at + removed, inserted.concat());
    }
}

/// One of the two forms of a collection.
#[derive(Clone, Copy, Debug)]
pub enum Form<P, B> {
    /// A run of bytes; the collection's module gives their layout.
    Packed(P),
    /// A structure of its own.
    Big(B),
}

/// A form of two iterators over the same items iterates.
impl<T, P: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Form<P, B> {
    type Item = T;
    #[inline]
    fn next(&mut self) -> Option<T> {
        match self {
            Form::Packed(items) => items.next(),
            Form::Big(items) => items.next(),
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Form::Packed(items) => items.size_hint(),
            Form::Big(items) => items.size_hint(),
        }
    }
}

/// Where one collection lives: first as packed bytes, from some size on as a `Big`.
pub trait Home<Big> {
    /// The packed bytes, to be edited.
    type Bytes<'a>: Buffer
    where
        Self: 'a;
    /// The collection, to be read.
    fn form(&self) -> Form<&[u8], &Big>;
    /// The collection, to be changed.
    fn form_mut(&mut self) -> Form<Self::Bytes<'_>, &mut Big>;
    /// Replaces the collection, in whichever form it was, by `big`.
    fn promote(&mut self, big: Big);
    /// Replaces the collection, in whichever form it was, by packed bytes.
    fn demote(&mut self, packed: &[u8]);
}

/// Up to which size a collection stays packed (`*-max-listpack-entries`, `*-max-listpack-value`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedLimits {
    /// Most entries.
    pub entries: usize,
    /// Longest entry, in bytes.
    pub value_bytes: usize,
}

/// Longest packed form, in bytes, whatever the limits say.
pub const PACKED_BYTES_MAX: usize = 256 << 20;

impl PackedLimits {
    /// Whether a packed form may have this many entries (it counts them in sixteen bits) and bytes.
    #[inline]
    pub fn admit(&self, entries: usize, packed_bytes: usize) -> bool {
        entries <= self.entries.min(u16::MAX as usize) && packed_bytes <= PACKED_BYTES_MAX
    }
}

/// A length as written in front of packed bytes: LEB128, at most five bytes.
#[derive(Clone, Copy)]
pub struct Varint {
    bytes: [u8; 5],
    len: u8,
}

impl Deref for Varint {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

impl Varint {
    /// The same length with its bytes in the opposite order, to be read from behind.
    pub fn reversed(mut self) -> Varint {
        self.bytes[..self.len as usize].reverse();
        self
    }
}

/// Bytes that [`write_varint`] gives for `value`.
#[inline]
pub const fn varint_len(value: usize) -> usize {
    if value < 0x80 { 1 } else { (usize::BITS - value.leading_zeros()).div_ceil(7) as usize }
}

/// `value`, below 2^35, as LEB128.
#[inline]
pub fn write_varint(value: usize) -> Varint {
    let mut out = Varint { bytes: [0; 5], len: varint_len(value) as u8 };
    let mut rest = value;
    for byte in &mut out.bytes[..out.len as usize] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out.bytes[out.len as usize - 1] &= 0x7f;
    out
}

/// The LEB128 number at offset `at`, and the offset behind it.
#[inline]
pub fn read_varint(bytes: &[u8], at: usize) -> (usize, usize) {
    let first = bytes[at];
    if first < 0x80 { (first as usize, at + 1) } else { read_long_varint(bytes, at) }
}

fn read_long_varint(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[at];
        at += 1;
        value |= ((byte & 0x7f) as usize) << shift;
        if byte < 0x80 {
            return (value, at);
        }
        shift += 7;
    }
}

/// The string `[length: varint][bytes]` at offset `at`: where its bytes start and end.
#[inline]
pub fn string_at(bytes: &[u8], at: usize) -> (usize, usize) {
    let (len, start) = read_varint(bytes, at);
    (start, start + len)
}

/// The little-endian count at offset `at`.
#[inline]
pub fn read_count(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize
}

/// Overwrites the count at offset `at`.
#[inline]
pub fn write_count(bytes: &mut impl Buffer, at: usize, count: usize) {
    debug_assert!(count <= u16::MAX as usize);
    bytes.splice(at, 2, &[&(count as u16).to_le_bytes()]);
}

/// Maps a random number to an index below `len`.
#[inline]
pub fn random_index(random: u64, len: usize) -> usize {
    ((random as u128 * len as u128) >> 64) as usize
}

/// A home outside of any record, for tests and for building a collection before it is stored.
#[derive(Debug)]
pub struct Detached<Big>(pub Form<Vec<u8>, Big>);

impl<Big> Detached<Big> {
    /// A home that starts with these packed bytes.
    pub fn new(packed: &[u8]) -> Self {
        Detached(Form::Packed(packed.to_vec()))
    }

    /// Hands the collection over, to be stored.
    pub fn hand_over<R>(self, store: impl FnOnce(Form<&[u8], Big>) -> R) -> R {
        match self.0 {
            Form::Packed(bytes) => store(Form::Packed(&bytes)),
            Form::Big(big) => store(Form::Big(big)),
        }
    }
}

impl<Big> Home<Big> for Detached<Big> {
    type Bytes<'a>
        = VecBytes<'a>
    where
        Big: 'a;
    fn form(&self) -> Form<&[u8], &Big> {
        match &self.0 {
            Form::Packed(bytes) => Form::Packed(bytes),
            Form::Big(big) => Form::Big(big),
        }
    }
    fn form_mut(&mut self) -> Form<VecBytes<'_>, &mut Big> {
        match &mut self.0 {
            Form::Packed(bytes) => Form::Packed(VecBytes(bytes)),
            Form::Big(big) => Form::Big(big),
        }
    }
    fn promote(&mut self, big: Big) {
        self.0 = Form::Big(big);
    }
    fn demote(&mut self, packed: &[u8]) {
        self.0 = Form::Packed(packed.to_vec());
    }
}

/// The packed bytes of a [`Detached`] home.
pub struct VecBytes<'a>(&'a mut Vec<u8>);

impl Deref for VecBytes<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl Buffer for VecBytes<'_> {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Buffer::splice(self.0, at, removed, inserted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back_from_both_sides() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 1 << 28, (1 << 30) + 5] {
            let written = write_varint(value);
            assert_eq!(written.len(), varint_len(value));
            assert_eq!(read_varint(&written, 0), (value, written.len()));
            assert!(written.reversed().iter().rev().eq(written.iter()));
        }
    }
}
