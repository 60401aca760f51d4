//! The packed form: a short run of bytes in the record, kept in order.
//!
//! `[count: u16][entry]...`, each entry `[length: LEB128][member][score: f64]`, numbers in little-endian order, entries
//! ordered by score, then member. No bytes at all are an empty set as well. Everything is a walk from the front; the
//! limits keep it short.

use std::ops::Range;

use smallvec::SmallVec;

use super::{Cut, Key};
use crate::base::limits::THIN_BYTES_MAX;
use crate::value::packed::{Buffer, PackedLimits, write_varint};

/// The packed bytes of an empty set.
pub const EMPTY: &[u8] = &[0; COUNT_BYTES];

const COUNT_BYTES: usize = size_of::<u16>();
const SCORE_BYTES: usize = size_of::<f64>();
/// Most packed bytes, whatever the limits say: the record needs room for the key and more.
const PACKED_BYTES_MAX: usize = THIN_BYTES_MAX / 2;

/// One entry, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) key: Key<'a>,
    start: usize,
    end: usize,
}

/// A packed set, to be read.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

impl<'a> Packed<'a> {
    pub(super) fn len(self) -> usize {
        match self.0 {
            [low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
            _ => 0,
        }
    }

    pub(super) fn items(self) -> impl Iterator<Item = Item<'a>> {
        let mut at = COUNT_BYTES;
        (0..self.len()).map(move |_| {
            let item = self.item_at(at);
            at = item.end;
            item
        })
    }

    fn item_at(self, start: usize) -> Item<'a> {
        let (mut len, mut shift, mut at) = (0, 0, start);
        loop {
            let byte = self.0[at];
            at += 1;
            len |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let (member, rest) = self.0[at..].split_at(len);
        let mut score = [0; SCORE_BYTES];
        score.copy_from_slice(&rest[..SCORE_BYTES]);
        Item { key: Key { score: f64::from_le_bytes(score), member }, start, end: at + len + SCORE_BYTES }
    }

    pub(super) fn find(self, member: &[u8]) -> Option<Item<'a>> {
        self.items().find(|item| item.key.member == member)
    }

    /// How many entries come before a member.
    pub(super) fn rank(self, member: &[u8]) -> Option<usize> {
        self.items().position(|item| item.key.member == member)
    }

    /// How many entries come before the first that lies behind the cut.
    pub(super) fn partition(self, cut: &Cut) -> usize {
        self.items().position(|item| !cut.is_after(item.key.score, item.key.member)).unwrap_or(self.len())
    }

    pub(super) fn iter(self, ranks: Range<usize>) -> PackedIter<'a> {
        let end = ranks.end.min(self.len());
        let left = end.saturating_sub(ranks.start);
        let at = if left == 0 { 0 } else { self.items().nth(ranks.start).map_or(0, |item| item.start) };
        PackedIter { packed: self, at, left, starts: SmallVec::new() }
    }

    /// Where the entries of these ranks start and end; the ranks exist.
    fn span(self, ranks: &Range<usize>) -> (usize, usize) {
        let mut ends = self.items().map(|item| item.end);
        let start = if ranks.start == 0 { COUNT_BYTES } else { ends.nth(ranks.start - 1).unwrap_or(COUNT_BYTES) };
        (start, if ranks.is_empty() { start } else { ends.nth(ranks.len() - 1).unwrap_or(start) })
    }
}

/// Entries of a range of ranks, from either end.
#[derive(Clone)]
pub(super) struct PackedIter<'a> {
    packed: Packed<'a>,
    at: usize,
    left: usize,
    /// Where the entries that are left start, known from the first step from the back on: entries have no pointer back.
    starts: SmallVec<[u32; 128]>,
}

impl<'a> Iterator for PackedIter<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let item = self.packed.item_at(self.at);
        self.at = item.end;
        Some((item.key.member, item.key.score))
    }
}

impl PackedIter<'_> {
    pub(super) fn left(&self) -> usize {
        self.left
    }
}

impl DoubleEndedIterator for PackedIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.left > 0 && self.starts.is_empty() {
            let mut at = self.at;
            for _ in 0..self.left {
                // Packed bytes are shorter than 4 GB: see PACKED_BYTES_MAX.
                self.starts.push(at as u32);
                at = self.packed.item_at(at).end;
            }
        }
        self.left = self.left.checked_sub(1)?;
        let item = self.packed.item_at(self.starts.pop()? as usize);
        Some((item.key.member, item.key.score))
    }
}

/// What became of an [`upsert`].
pub(super) enum Upsert {
    /// It is done; the score before.
    Done(Option<f64>),
    /// The member is new, should get this score, and does not fit any more.
    Full(f64),
}

/// Decides by the member's score, if it is here, whether to give it another.
pub(super) fn upsert(
    buffer: &mut impl Buffer,
    member: &[u8],
    limits: &PackedLimits,
    decide: impl FnOnce(Option<f64>) -> Option<f64>,
) -> Upsert {
    let packed = Packed(buffer);
    let found = packed.find(member).map(|item| (item.key.score, item.start..item.end));
    let old = found.as_ref().map(|(score, _)| *score);
    let Some(score) = decide(old) else { return Upsert::Done(old) };
    if old == Some(score) {
        return Upsert::Done(old);
    }
    let key = Key { score, member };
    let len = packed.len();
    // The end of the last entry that stays before the new key; the member's own entry does not count.
    let own = found.as_ref().map(|(_, span)| span.start);
    let stays = |item: &Item| own == Some(item.start) || item.key < key;
    let before = packed.items().take_while(stays).filter(|item| own != Some(item.start)).last();
    let place = before.map_or(COUNT_BYTES, |item| item.end);
    match found {
        // Its own place, with the entry before it and the one behind it unchanged.
        Some((_, span)) if place == span.start => {
            buffer.splice(span.end - SCORE_BYTES, SCORE_BYTES, &[&score_bytes(score)]);
        }
        Some((_, span)) => {
            buffer.splice(span.start, span.len(), &[]);
            insert_at(buffer, if place > span.start { place - span.len() } else { place }, &key);
        }
        None if !fits(limits, len + 1, member.len(), buffer.len()) => return Upsert::Full(score),
        None => {
            insert_at(buffer, place, &key);
            set_len(buffer, len + 1);
        }
    }
    Upsert::Done(old)
}

/// Whether a set of `len` entries stays packed with one member of `member_bytes` beside the `bytes` of the others.
fn fits(limits: &PackedLimits, len: usize, member_bytes: usize, bytes: usize) -> bool {
    len <= limits.entries.min(usize::from(u16::MAX))
        && member_bytes <= limits.value_bytes
        && bytes + member_bytes <= PACKED_BYTES_MAX
}

/// The packed bytes of entries in order, if they may be packed.
pub(super) fn pack<'a>(entries: impl ExactSizeIterator<Item = Key<'a>>, limits: &PackedLimits) -> Option<Vec<u8>> {
    let len = entries.len();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(u16::try_from(len).ok()?).to_le_bytes());
    for key in entries {
        if !fits(limits, len, key.member.len(), bytes.len()) {
            return None;
        }
        let end = bytes.len();
        insert_at(&mut bytes, end, &key);
    }
    Some(bytes)
}

/// Appends the packed bytes of entries in order to `out`; false, and nothing happens, where the limits want a tree.
pub(super) fn pack_into<'a>(
    entries: impl Iterator<Item = (&'a [u8], f64)> + Clone,
    limits: &PackedLimits,
    out: &mut Vec<u8>,
) -> bool {
    let (mut len, mut bytes) = (0u16, COUNT_BYTES);
    for (member, _) in entries.clone() {
        let Some(next) = len.checked_add(1) else { return false };
        if !fits(limits, next.into(), member.len(), bytes) {
            return false;
        }
        len = next;
        bytes += member.len() + 5 + SCORE_BYTES;
    }
    out.extend_from_slice(&len.to_le_bytes());
    for (member, score) in entries {
        out.extend_from_slice(&write_varint(member.len()));
        out.extend_from_slice(member);
        out.extend_from_slice(&score_bytes(score));
    }
    true
}

fn insert_at(buffer: &mut impl Buffer, at: usize, key: &Key) {
    if buffer.is_empty() {
        buffer.splice(0, 0, &[EMPTY]);
    }
    let mut prefix = SmallVec::<[u8; 5]>::new();
    let mut rest = key.member.len();
    while rest >= 0x80 {
        prefix.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    prefix.push(rest as u8);
    buffer.splice(at, 0, &[&prefix, key.member, &score_bytes(key.score)]);
}

/// A score as it is stored. A packed zero has no sign, as in Redis; one in a tree has.
fn score_bytes(score: f64) -> [u8; SCORE_BYTES] {
    (score + 0.0).to_le_bytes()
}

fn set_len(buffer: &mut impl Buffer, len: usize) {
    // The limits keep it below 2^16.
    buffer.splice(0, COUNT_BYTES, &[&(len as u16).to_le_bytes()]);
}

/// Removes a member; returns the score it had.
pub(super) fn remove(buffer: &mut impl Buffer, member: &[u8]) -> Option<f64> {
    let packed = Packed(buffer);
    let (item, len) = (packed.find(member)?, packed.len());
    let (score, start, end) = (item.key.score, item.start, item.end);
    buffer.splice(start, end - start, &[]);
    set_len(buffer, len - 1);
    Some(score)
}

/// Removes the entries of these ranks, which exist, and shows them in ascending order.
pub(super) fn remove_ranks(buffer: &mut impl Buffer, ranks: Range<usize>, visit: &mut dyn FnMut(&[u8], f64)) {
    let packed = Packed(buffer);
    packed.iter(ranks.clone()).for_each(|(member, score)| visit(member, score));
    let ((start, end), len) = (packed.span(&ranks), packed.len());
    buffer.splice(start, end - start, &[]);
    set_len(buffer, len - ranks.len());
}
