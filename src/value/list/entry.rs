//! The bytes of a list's entries, the same in the packed form and in chunks.
//!
//! An entry is `[length: LEB128][bytes][length: LEB128 backwards]`: two bytes more than its value up to 127 bytes, and
//! a run of entries can be read from either end.

use crate::value::packed::{Varint, read_varint, varint_len, write_varint};

/// Bytes that an entry takes for a value of `len` bytes.
#[inline]
pub fn size(len: usize) -> usize {
    len + 2 * varint_len(len)
}

/// What stands before and after a value of `len` bytes.
#[inline]
pub fn frame(len: usize) -> (Varint, Varint) {
    let head = write_varint(len);
    (head, head.reversed())
}

/// Appends an entry.
pub fn append(to: &mut Vec<u8>, value: &[u8]) {
    let (head, tail) = frame(value.len());
    to.extend_from_slice(&head);
    to.extend_from_slice(value);
    to.extend_from_slice(&tail);
}

/// A run of entries; iterates over their values from either end.
#[derive(Clone, Copy, Default)]
pub struct Entries<'a>(pub &'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];
    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (len, start) = read_varint(self.0, 0);
        let (entry, rest) = self.0.split_at(start + len + start);
        self.0 = rest;
        Some(&entry[start..start + len])
    }
}

impl<'a> DoubleEndedIterator for Entries<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        let (len, width) = length_behind(self.0)?;
        let (rest, entry) = self.0.split_at(self.0.len() - len - 2 * width);
        self.0 = rest;
        Some(&entry[width..width + len])
    }
}

impl Entries<'_> {
    /// Offset of the entry at `index` of the `count` entries here, found from the nearer end; `index` may be `count`.
    pub fn offset(mut self, index: usize, count: usize) -> usize {
        let all = self.0.len();
        if index <= count / 2 {
            self.by_ref().take(index).for_each(drop);
            all - self.0.len()
        } else {
            self.by_ref().rev().take(count - index).for_each(drop);
            self.0.len()
        }
    }
}

/// The length of the last value, and the bytes its length takes.
#[inline]
fn length_behind(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut len, mut shift, mut at) = (0, 0, bytes.len());
    loop {
        at = at.checked_sub(1)?;
        let byte = bytes[at];
        len |= ((byte & 0x7f) as usize) << shift;
        if byte < 0x80 {
            return Some((len, bytes.len() - at));
        }
        shift += 7;
    }
}
