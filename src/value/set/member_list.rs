//! The packed layout of a small set of strings: `[0: u8][count: u16 LE]`, then `[length: varint][member]` for each, in
//! the order of insertion. A lookup is one pass that compares lengths first.

use crate::value::packed::{Buffer, read_count, string_at, write_count, write_varint};

/// The empty set.
pub const EMPTY: &[u8] = &[0, 0, 0];
/// Where the members start.
const MEMBERS_AT: usize = 3;

/// Members held.
#[inline]
pub fn len(bytes: &[u8]) -> usize {
    read_count(bytes, 1)
}

/// Where the length of `member` stands, and where its bytes end.
#[inline]
pub fn find(bytes: &[u8], member: &[u8]) -> Option<(usize, usize)> {
    let mut at = MEMBERS_AT;
    while at < bytes.len() {
        let (start, end) = string_at(bytes, at);
        if end - start == member.len() && bytes[start..end] == *member {
            return Some((at, end));
        }
        at = end;
    }
    None
}

/// Appends a member that is not in the set yet.
pub fn append(bytes: &mut impl Buffer, member: &[u8]) {
    let count = len(bytes) + 1;
    write_count(bytes, 1, count);
    let end = bytes.len();
    bytes.splice(end, 0, &[&write_varint(member.len()), member]);
}

/// Appends the layout of distinct members to `out`.
pub fn pack<'a>(members: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(EMPTY);
    let mut count = 0u16;
    for member in members {
        out.extend_from_slice(&write_varint(member.len()));
        out.extend_from_slice(member);
        count += 1;
    }
    out[start + 1..start + MEMBERS_AT].copy_from_slice(&count.to_le_bytes());
}

/// Removes the member whose length stands at `at` and whose bytes end at `end`.
pub fn remove(bytes: &mut impl Buffer, (at, end): (usize, usize)) {
    let count = len(bytes) - 1;
    write_count(bytes, 1, count);
    bytes.splice(at, end - at, &[]);
}

/// All members.
pub fn iter(bytes: &[u8]) -> Members<'_> {
    Members(&bytes[MEMBERS_AT..])
}

/// See [`iter`].
pub struct Members<'a>(&'a [u8]);

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];
    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (start, end) = string_at(self.0, 0);
        let member = &self.0[start..end];
        self.0 = &self.0[end..];
        Some(member)
    }
}
