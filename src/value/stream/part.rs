//! Fields and values inside a node: strings behind their length, integers in binary.
//!
//! The first byte says which:
//!
//! ```text
//! 0 … 191    a string of so many bytes
//! 192 … 195  a longer one, its length in 1 to 4 bytes, LE
//! 196 … 203  an integer of 1 to 8 bytes, LE
//! 204 … 255  an integer from 0 to 51
//! ```
//!
//! An integer stands for its decimal text, and every text that is one is stored so: equal parts have equal bytes.

use crate::base::number::{format_i64, parse_i64, sign_extended};
use crate::value::listpack_size;

const SHORT_MAX: usize = 191;
const LONG: u8 = 192;
const INTEGER: u8 = 196;
const SMALL: u8 = 204;
const SMALL_MAX: i64 = (u8::MAX - SMALL) as i64;

/// A field or a value as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Bytes inside the stream.
    Bytes(&'a [u8]),
    /// Stands for its decimal text.
    Integer(i64),
}

impl Part<'_> {
    /// Shows the part as bytes.
    #[inline]
    pub fn with_bytes<R>(self, show: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Part::Bytes(bytes) => show(bytes),
            Part::Integer(value) => show(&format_i64(value)),
        }
    }
}

/// Appends a part; returns what it takes in a listpack.
#[inline]
pub(super) fn put(part: &[u8], out: &mut Vec<u8>) -> usize {
    if matches!(part.first(), Some(b'0'..=b'9' | b'-'))
        && let Some(value) = parse_i64(part)
    {
        put_integer(value, out);
        return listpack_size::of_integer(value);
    }
    match u8::try_from(part.len()) {
        Ok(len) if usize::from(len) <= SHORT_MAX => out.push(len),
        _ => put_long(part.len(), out),
    }
    out.extend_from_slice(part);
    listpack_size::of_bytes(part.len())
}

fn put_integer(value: i64, out: &mut Vec<u8>) {
    if (0..=SMALL_MAX).contains(&value) {
        return out.push(SMALL + value as u8);
    }
    let significant = 65 - if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    let len = significant.div_ceil(8) as u8;
    out.push(INTEGER + len - 1);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(len)]);
}

#[cold]
fn put_long(len: usize, out: &mut Vec<u8>) {
    // Strings are bounded far below 4 GiB.
    let bytes = (len as u32).to_le_bytes();
    let used = 4 - bytes.iter().rev().take_while(|byte| **byte == 0).count().min(3);
    out.push(LONG + used as u8 - 1);
    out.extend_from_slice(&bytes[..used]);
}

/// The first part of `bytes`, and what stands behind it.
#[inline]
pub(super) fn take(bytes: &[u8]) -> (Part<'_>, &[u8]) {
    let (head, rest) = (bytes[0], &bytes[1..]);
    match head {
        0..LONG => {
            let (text, rest) = rest.split_at(usize::from(head));
            (Part::Bytes(text), rest)
        }
        LONG..INTEGER => {
            let (length, rest) = rest.split_at(usize::from(head - LONG) + 1);
            let len = length.iter().rev().fold(0, |len, byte| len << 8 | usize::from(*byte));
            let (text, rest) = rest.split_at(len);
            (Part::Bytes(text), rest)
        }
        INTEGER..SMALL => {
            let (value, rest) = rest.split_at(usize::from(head - INTEGER) + 1);
            (Part::Integer(sign_extended(value)), rest)
        }
        SMALL.. => (Part::Integer(i64::from(head - SMALL)), rest),
    }
}

/// Appends a number, seven bits a byte, the lowest first.
#[inline]
pub(super) fn put_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number in front of `bytes`, and what stands behind it.
#[inline]
pub(super) fn take_number(bytes: &[u8]) -> (u64, &[u8]) {
    if bytes[0] < 0x80 {
        return (u64::from(bytes[0]), &bytes[1..]);
    }
    let (mut value, mut at) = (0, 0);
    loop {
        let byte = bytes[at];
        value |= u64::from(byte & 0x7f) << (7 * at);
        at += 1;
        if byte < 0x80 {
            return (value, &bytes[at..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_numbers_come_back() {
        let mut parts: Vec<Vec<u8>> =
            [0, 1, 191, 192, 255, 256, 65_535, 65_536, 70_000].map(|len| vec![b'x'; len]).into();
        for shift in 0..64 {
            for near in [-1i64, 0, 1] {
                let value = (1i64 << shift).wrapping_add(near);
                parts.push(value.to_string().into_bytes());
                parts.push(value.wrapping_neg().to_string().into_bytes());
            }
        }
        parts.extend(["-0", "007", "51", "52", "-", "1.5", "9223372036854775808"].map(|text| text.as_bytes().to_vec()));
        let mut bytes = Vec::new();
        for part in &parts {
            let size = put(part, &mut bytes);
            assert_eq!(size, listpack_size::of_value(part));
        }
        let mut rest = &bytes[..];
        for part in &parts {
            let (found, behind) = take(rest);
            found.with_bytes(|text| assert_eq!(text, part));
            rest = behind;
        }
        assert!(rest.is_empty());
        for value in (0..64).flat_map(|shift| [(1u64 << shift) - 1, 1 << shift]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_number(value, &mut bytes);
            assert_eq!(take_number(&bytes), (value, &[][..]));
        }
    }
}
