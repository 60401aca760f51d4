//! Listpacks: what Redis 7 keeps small collections in, written and read.
//!
//! `[total bytes: u32 LE][elements: u16 LE]`, the elements, `255`. 65,535 elements mean that they are to be counted. An
//! element is its encoding, its data, and the length of both once more, to be read from behind: seven bits a byte, the
//! first byte the highest, all but the first with the top bit set.
//!
//! ```text
//! 0nnnnnnn                  an integer from 0 to 127      11110001 + 2 … 11110100 + 8   integers of 2, 3, 4, 8 bytes, LE
//! 110nnnnn nnnnnnnn         an integer of 13 bits         1110llll llllllll   a string of up to 4095 bytes
//! 10llllll                  a string of up to 63 bytes    11110000 + 4        a longer one, its length LE
//! ```

use super::elements::Element;
use super::error::Fault;
use crate::base::number::parse_i64;

const HEADER_BYTES: usize = 6;
const END: u8 = 0xff;
/// The count that says nothing.
const UNCOUNTED: u16 = u16::MAX;
const DAMAGED: Fault = "a listpack is damaged";

/// Begins a listpack in an empty buffer.
pub fn begin(out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[0; HEADER_BYTES]);
}

/// Ends it, with this many elements.
pub fn end(out: &mut Vec<u8>, elements: usize) {
    out.push(END);
    // Values are bounded far below 4 GB: see the limits of packed forms and of strings.
    let total = out.len() as u32;
    let elements = u16::try_from(elements).unwrap_or(UNCOUNTED);
    out[..4].copy_from_slice(&total.to_le_bytes());
    out[4..HEADER_BYTES].copy_from_slice(&elements.to_le_bytes());
}

/// Adds a string, as an integer where it is one.
pub fn put(value: &[u8], out: &mut Vec<u8>) {
    // What is no integer is seen by its first byte mostly.
    let numeric = matches!(value.first(), Some(b'0'..=b'9' | b'-'));
    if numeric && let Some(integer) = parse_i64(value) {
        return put_integer(integer, out);
    }
    let start = out.len();
    match value.len() {
        len @ 0..=63 => out.push(0x80 | len as u8),
        len @ 64..=4095 => out.extend_from_slice(&[0xe0 | (len >> 8) as u8, len as u8]),
        len => {
            out.push(0xf0);
            out.extend_from_slice(&(len as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(value);
    put_length(out.len() - start, out);
}

/// Adds an integer.
pub fn put_integer(value: i64, out: &mut Vec<u8>) {
    let start = out.len();
    let bytes = value.to_le_bytes();
    match value {
        0..=127 => out.push(bytes[0]),
        -4096..=4095 => out.extend_from_slice(&[0xc0 | (bytes[1] & 0x1f), bytes[0]]),
        -0x8000..=0x7fff => out.extend_from_slice(&[0xf1, bytes[0], bytes[1]]),
        -0x80_0000..=0x7f_ffff => out.extend_from_slice(&[0xf2, bytes[0], bytes[1], bytes[2]]),
        -0x8000_0000..=0x7fff_ffff => {
            out.push(0xf3);
            out.extend_from_slice(&bytes[..4]);
        }
        _ => {
            out.push(0xf4);
            out.extend_from_slice(&bytes);
        }
    }
    put_length(out.len() - start, out);
}

/// Bytes of the length behind an element. The bounds are one off those of seven bits each, as Redis counts.
fn length_bytes(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    }
}

fn put_length(len: usize, out: &mut Vec<u8>) {
    for place in (0..length_bytes(len)).rev() {
        out.push(length_byte(len, place));
    }
}

/// The byte of a length behind an element that has `place` others behind it.
fn length_byte(len: usize, place: usize) -> u8 {
    let bits = (len >> (7 * place)) as u8 & 0x7f;
    if place + 1 == length_bytes(len) { bits } else { bits | 0x80 }
}

/// Shows every element of a listpack, and checks it to its last byte.
pub fn each(blob: &[u8], mut visit: impl FnMut(Element<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let (header, mut rest) = blob.split_first_chunk::<HEADER_BYTES>().ok_or(DAMAGED)?;
    let [t0, t1, t2, t3, n0, n1] = *header;
    let announced = u16::from_le_bytes([n0, n1]);
    if usize::try_from(u32::from_le_bytes([t0, t1, t2, t3])) != Ok(blob.len()) {
        return Err("a listpack has another length than it says");
    }
    let mut count = 0usize;
    loop {
        let (&head, behind) = rest.split_first().ok_or(DAMAGED)?;
        if head == END {
            return match () {
                () if !behind.is_empty() => Err("a listpack ends before its bytes do"),
                () if announced != UNCOUNTED && usize::from(announced) != count => {
                    Err("a listpack has another number of elements than it says")
                }
                () => Ok(()),
            };
        }
        let (element, size) = element(head, behind).ok_or(DAMAGED)?;
        // The encoding, the data, and the length behind them.
        let lengths = rest.get(size..size + length_bytes(size)).ok_or(DAMAGED)?;
        let places = (0..lengths.len()).rev();
        if !lengths.iter().zip(places).all(|(byte, place)| *byte == length_byte(size, place)) {
            return Err("an element of a listpack has another length behind it than it has");
        }
        visit(element)?;
        rest = &rest[size + lengths.len()..];
        count += 1;
    }
}

/// The element that begins with `head`, and its bytes with the encoding's.
#[inline]
fn element(head: u8, behind: &[u8]) -> Option<(Element<'_>, usize)> {
    let string = |prefix: usize, len: usize| Element::string_behind(behind, prefix, len);
    let integer = |bytes: usize| Element::integer_behind(behind, bytes);
    match head {
        0..=0x7f => Some((Element::Integer(head.into()), 1)),
        0x80..=0xbf => string(0, usize::from(head & 0x3f)),
        0xc0..=0xdf => {
            let bits = i64::from(head & 0x1f) << 8 | i64::from(*behind.first()?);
            Some((Element::Integer(if bits >= 1 << 12 { bits - (1 << 13) } else { bits }), 2))
        }
        0xe0..=0xef => string(1, usize::from(head & 0x0f) << 8 | usize::from(*behind.first()?)),
        0xf0 => string(4, usize::try_from(u32::from_le_bytes(*behind.first_chunk()?)).ok()?),
        0xf1 => integer(2),
        0xf2 => integer(3),
        0xf3 => integer(4),
        0xf4 => integer(8),
        0xf5..=0xff => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(blob: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut found = Vec::new();
        each(blob, |element| {
            element.with_text(|text| found.push(text.to_vec()));
            Ok(())
        })?;
        Ok(found)
    }

    fn pack(values: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        begin(&mut out);
        values.iter().for_each(|value| put(value, &mut out));
        end(&mut out, values.len());
        out
    }

    #[test]
    fn elements_of_every_size_come_back() {
        let mut values: Vec<Vec<u8>> =
            [0, 1, 63, 64, 126, 127, 4095, 4096, 16_376, 16_377, 16_378, 16_383, 2_097_145, 2_097_146]
                .map(|len| vec![b'x'; len])
                .to_vec();
        for power in 0..64 {
            for near in [-1i64, 0, 1] {
                let value = (1i64 << power.min(62)).wrapping_add(near);
                values.push(value.to_string().into_bytes());
                values.push(value.wrapping_neg().to_string().into_bytes());
            }
        }
        values.extend([i64::MIN, i64::MAX].map(|n| n.to_string().into_bytes()));
        values.extend(["-0", "00", "1.5", "-", "9223372036854775808"].map(|text| text.as_bytes().to_vec()));
        assert_eq!(collect(&pack(&values)), Ok(values));
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let values = ["a", "1", "-1", "300"].map(|text| text.as_bytes().to_vec());
        let expected = [&[20, 0, 0, 0, 4, 0][..], &[0x81, b'a', 2], &[1, 1], &[0xdf, 0xff, 2], &[0xc1, 0x2c, 2]];
        let expected = [expected.concat(), vec![0xff]].concat();
        let expected = [&(expected.len() as u32).to_le_bytes()[..], &expected[4..]].concat();
        assert_eq!(pack(&values), expected);
    }

    #[test]
    fn every_damage_is_an_error_or_another_listpack() {
        let blob = pack(&["a", "1", "-70000", "9999999999", "longer than a few bytes"].map(|t| t.as_bytes().to_vec()));
        assert!((0..blob.len()).all(|end| collect(&blob[..end]).is_err()));
        for at in 0..blob.len() {
            for bit in 0..8 {
                let mut damaged = blob.clone();
                damaged[at] ^= 1 << bit;
                // What a string or an integer says may change unnoticed, the header may not.
                assert!(collect(&damaged).is_err() || at >= HEADER_BYTES, "byte {at}");
            }
        }
        assert!(collect(&[&blob[..], &[0]].concat()).is_err());
    }

    #[test]
    fn more_elements_than_the_header_counts_are_counted() {
        let values = vec![b"7".to_vec(); 70_000];
        assert_eq!(collect(&pack(&values)).map(|found| found.len()), Ok(70_000));
    }
}
