//! The packed layout of a hash: lengths first, then the fields, then the values.
//!
//! `[head: u8][pairs: u16 LE, only where head says so][lengths][fields][values]`, where the lengths are `field, value`
//! for each pair in the order of insertion, `width` (1, 2 or 4) bytes each. The head's low two bits are the logarithm of
//! the width, the others the number of pairs, or all ones where it is too large for them and follows. A lookup runs over
//! the lengths and looks at the fields whose length fits; neither has to wait for what stands between two fields, and
//! values are not touched at all. The width follows the longest string ever held and never shrinks.

use smallvec::SmallVec;

use crate::value::packed::{Buffer, read_count};

/// A hash without pairs.
pub const EMPTY: &[u8] = &[0];
/// The number of pairs in a head that says that the real one follows.
const COUNT_FOLLOWS: usize = 63;

/// Where one pair stands.
pub struct Place {
    index: usize,
    field_at: usize,
    field_len: usize,
    /// Offset of the value.
    pub value_at: usize,
    /// Its length.
    pub value_len: usize,
}

/// Pairs held.
#[inline]
pub fn len(bytes: &[u8]) -> usize {
    let short = (bytes[0] >> 2) as usize;
    if short == COUNT_FOLLOWS { read_count(bytes, 1) } else { short }
}

#[inline]
fn width(bytes: &[u8]) -> usize {
    1 << (bytes[0] & 3)
}

/// Where the lengths start.
#[inline]
fn lengths_at(bytes: &[u8]) -> usize {
    if (bytes[0] >> 2) as usize == COUNT_FOLLOWS { 3 } else { 1 }
}

#[inline]
fn fields_at(bytes: &[u8]) -> usize {
    lengths_at(bytes) + 2 * width(bytes) * len(bytes)
}

/// The bytes in front of the lengths.
fn head(width: usize, count: usize) -> SmallVec<[u8; 4]> {
    let width = width.trailing_zeros() as u8;
    if count < COUNT_FOLLOWS {
        return SmallVec::from_slice(&[(count as u8) << 2 | width]);
    }
    let [low, high] = (count as u16).to_le_bytes();
    SmallVec::from_slice(&[(COUNT_FOLLOWS as u8) << 2 | width, low, high])
}

fn set_len(bytes: &mut impl Buffer, count: usize) {
    let head = head(width(bytes), count);
    bytes.splice(0, lengths_at(bytes), &[&head]);
}

/// Bytes that a length needs.
fn width_of(length: usize) -> usize {
    match length {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    }
}

#[inline]
fn number(bytes: &[u8]) -> usize {
    match *bytes {
        [a] => a as usize,
        [a, b] => u16::from_le_bytes([a, b]) as usize,
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as usize,
        _ => unreachable!("a width of {} bytes", bytes.len()),
    }
}

/// The lengths of fields and values in turn.
#[inline]
fn lengths(bytes: &[u8]) -> &[u8] {
    &bytes[lengths_at(bytes)..fields_at(bytes)]
}

/// The pair with this field.
#[inline]
pub fn find(bytes: &[u8], field: &[u8]) -> Option<Place> {
    match width(bytes) {
        1 => find_among::<1>(bytes, field),
        2 => find_among::<2>(bytes, field),
        _ => find_among::<4>(bytes, field),
    }
}

#[inline]
fn find_among<const WIDTH: usize>(bytes: &[u8], field: &[u8]) -> Option<Place> {
    let pairs = lengths(bytes).as_chunks::<WIDTH>().0.as_chunks::<2>().0;
    let (mut field_at, mut before) = (fields_at(bytes), 0);
    for (index, [field_len, value_len]) in pairs.iter().enumerate() {
        let (field_len, value_len) = (number(field_len), number(value_len));
        if field_len == field.len() && bytes[field_at..field_at + field_len] == *field {
            let behind: usize = pairs[index..].iter().map(|[field_len, _]| number(field_len)).sum();
            return Some(Place { index, field_at, field_len, value_at: field_at + behind + before, value_len });
        }
        field_at += field_len;
        before += value_len;
    }
    None
}

/// Makes the lengths wide enough for one of `length` bytes.
fn widen(bytes: &mut impl Buffer, length: usize) {
    let (old, new) = (width(bytes), width_of(length));
    if new <= old {
        return;
    }
    let mut start = head(new, len(bytes)).to_vec();
    for known in lengths(bytes).chunks_exact(old) {
        start.extend_from_slice(&(number(known) as u32).to_le_bytes()[..new]);
    }
    let end = fields_at(bytes);
    bytes.splice(0, end, &[&start]);
}

/// Replaces a pair's value.
pub fn overwrite(bytes: &mut impl Buffer, mut place: Place, value: &[u8]) {
    if value.len() != place.value_len {
        let fields = fields_at(bytes);
        widen(bytes, value.len());
        place.value_at += fields_at(bytes) - fields;
        let width = width(bytes);
        let at = lengths_at(bytes) + (2 * place.index + 1) * width;
        bytes.splice(at, width, &[&(value.len() as u32).to_le_bytes()[..width]]);
    }
    bytes.splice(place.value_at, place.value_len, &[value]);
}

/// Adds a pair whose field is not in the hash yet.
pub fn append(bytes: &mut impl Buffer, field: &[u8], value: &[u8]) {
    widen(bytes, field.len().max(value.len()));
    let (width, count, at) = (width(bytes), len(bytes), fields_at(bytes));
    let field_bytes: usize = lengths(bytes).chunks_exact(2 * width).map(|pair| number(&pair[..width])).sum();
    // Fields and values are written anew in one go, instead of moving them aside three times.
    let rest: SmallVec<[u8; 2048]> = SmallVec::from_slice(&bytes[at..]);
    let (fields, values) = rest.split_at(field_bytes);
    let (field_len, value_len) = ((field.len() as u32).to_le_bytes(), (value.len() as u32).to_le_bytes());
    bytes.splice(at, rest.len(), &[&field_len[..width], &value_len[..width], fields, field, values, value]);
    set_len(bytes, count + 1);
}

/// Appends the layout of pairs with distinct fields to `out`, all of it in one go.
pub fn pack<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone, out: &mut Vec<u8>) {
    let longest = pairs.clone().map(|(field, value)| field.len().max(value.len())).max().unwrap_or(0);
    let width = width_of(longest);
    out.extend_from_slice(&head(width, pairs.clone().count()));
    for (field, value) in pairs.clone() {
        out.extend_from_slice(&(field.len() as u32).to_le_bytes()[..width]);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes()[..width]);
    }
    pairs.clone().for_each(|(field, _)| out.extend_from_slice(field));
    pairs.for_each(|(_, value)| out.extend_from_slice(value));
}

/// Removes a pair.
pub fn remove(bytes: &mut impl Buffer, place: &Place) {
    let (width, count) = (width(bytes), len(bytes));
    bytes.splice(place.value_at, place.value_len, &[]);
    bytes.splice(place.field_at, place.field_len, &[]);
    bytes.splice(lengths_at(bytes) + 2 * place.index * width, 2 * width, &[]);
    set_len(bytes, count - 1);
}

/// All pairs.
pub fn iter(bytes: &[u8]) -> Pairs<'_> {
    let (width, lengths) = (width(bytes), lengths(bytes));
    let field_bytes = lengths.chunks_exact(2 * width).map(|pair| number(&pair[..width])).sum();
    let (fields, values) = bytes[fields_at(bytes)..].split_at(field_bytes);
    Pairs { width, lengths, fields, values }
}

/// See [`iter`].
pub struct Pairs<'a> {
    width: usize,
    lengths: &'a [u8],
    fields: &'a [u8],
    values: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (pair, lengths) = self.lengths.split_at_checked(2 * self.width)?;
        let (field_len, value_len) = pair.split_at(self.width);
        let (field, fields) = self.fields.split_at(number(field_len));
        let (value, values) = self.values.split_at(number(value_len));
        (self.lengths, self.fields, self.values) = (lengths, fields, values);
        Some((field, value))
    }
}
