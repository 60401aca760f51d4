//! Ziplists: what Redis kept small collections in before 7.0; read only.
//!
//! `[total bytes: u32 LE][offset of the last entry: u32 LE][entries: u16 LE]`, the entries, `255`. 65,535 entries mean
//! that they are to be counted. An entry is the length of the one before it (one byte, or 254 and four, LE), its
//! encoding, its data:
//!
//! ```text
//! 00llllll   01llllll llllllll   10…… + 4        strings; the lengths are big-endian
//! 11000000 + 2   11010000 + 4   11100000 + 8   11110000 + 3   11111110 + 1   integers, LE
//! 1111nnnn                                       the integer n - 1, for n from 1 to 13
//! ```

use super::elements::Element;
use super::error::Fault;

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;
/// The count that says nothing.
const UNCOUNTED: u16 = u16::MAX;
/// In front of a long length of the entry before.
const LONG: u8 = 254;
const DAMAGED: Fault = "a ziplist is damaged";

/// Shows every element of a ziplist, and checks it to its last byte.
pub fn each(blob: &[u8], mut visit: impl FnMut(Element<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let (header, _) = blob.split_first_chunk::<HEADER_BYTES>().ok_or(DAMAGED)?;
    let [t0, t1, t2, t3, l0, l1, l2, l3, n0, n1] = *header;
    let total = u32::from_le_bytes([t0, t1, t2, t3]);
    let last_at = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).map_err(|_| DAMAGED)?;
    let announced = u16::from_le_bytes([n0, n1]);
    if usize::try_from(total) != Ok(blob.len()) {
        return Err("a ziplist has another length than it says");
    }
    let (mut at, mut last, mut before, mut count) = (HEADER_BYTES, HEADER_BYTES, 0usize, 0usize);
    loop {
        let rest = blob.get(at..).ok_or(DAMAGED)?;
        if rest.first() == Some(&END) {
            return match () {
                () if rest.len() > 1 => Err("a ziplist ends before its bytes do"),
                () if announced != UNCOUNTED && usize::from(announced) != count => {
                    Err("a ziplist has another number of entries than it says")
                }
                () if last != last_at => Err("a ziplist's last entry is not where it says"),
                () => Ok(()),
            };
        }
        let (length_before, prefix) = length_before(rest).ok_or(DAMAGED)?;
        if length_before != before {
            return Err("an entry of a ziplist says another length of the one before it");
        }
        let (element, size) = element(&rest[prefix..]).ok_or(DAMAGED)?;
        visit(element)?;
        (last, before) = (at, prefix + size);
        at += before;
        count += 1;
    }
}

/// The length of the entry before, and the bytes it is written in.
fn length_before(entry: &[u8]) -> Option<(usize, usize)> {
    match *entry.first()? {
        LONG => Some((usize::try_from(u32::from_le_bytes(*entry[1..].first_chunk()?)).ok()?, 5)),
        short => Some((short.into(), 1)),
    }
}

/// The element behind that length, and its bytes with the encoding's.
fn element(bytes: &[u8]) -> Option<(Element<'_>, usize)> {
    let (&head, behind) = bytes.split_first()?;
    let string = |prefix: usize, len: usize| Element::string_behind(behind, prefix, len);
    let integer = |bytes: usize| Element::integer_behind(behind, bytes);
    match head {
        0x00..=0x3f => string(0, head.into()),
        0x40..=0x7f => string(1, usize::from(head & 0x3f) << 8 | usize::from(*behind.first()?)),
        0x80 => string(4, usize::try_from(u32::from_be_bytes(*behind.first_chunk()?)).ok()?),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => Some((Element::Integer(i64::from(head) - 0xf1), 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::elements::texts;
    use super::*;

    fn collect(blob: &[u8]) -> Result<Vec<String>, Fault> {
        texts(|visit| each(blob, visit))
    }

    /// A ziplist of entries that are given without the length before them.
    fn build(entries: &[&[u8]]) -> Vec<u8> {
        let (mut body, mut before, mut last) = (Vec::new(), 0usize, HEADER_BYTES);
        for entry in entries {
            last = HEADER_BYTES + body.len();
            match before {
                0..=253 => body.push(before as u8),
                _ => {
                    body.push(LONG);
                    body.extend_from_slice(&(before as u32).to_le_bytes());
                }
            }
            body.extend_from_slice(entry);
            before = HEADER_BYTES + body.len() - last;
        }
        body.push(END);
        let total = (HEADER_BYTES + body.len()) as u32;
        let head = [&total.to_le_bytes()[..], &(last as u32).to_le_bytes(), &(entries.len() as u16).to_le_bytes()];
        [head.concat(), body].concat()
    }

    fn sample() -> Vec<u8> {
        let long = [&[0x41, 0x2c][..], &[b'y'; 300]].concat();
        let longer = [&[0x80, 0, 0, 0x40, 0][..], &[b'z'; 16384]].concat();
        build(&[
            b"\x02hi",
            &long,
            &longer,
            &[0xc0, 0x18, 0xfc],
            &[0xd0, 0, 0, 0, 0x80],
            &[0xe0, 1, 0, 0, 0, 0, 0, 0, 0x40],
            &[0xf0, 0xff, 0xff, 0xff],
            &[0xfe, 0x80],
            &[0xf1],
            &[0xfd],
            b"\x00",
        ])
    }

    #[test]
    fn every_encoding_is_read() {
        let found = collect(&sample()).unwrap_or_default();
        let short: Vec<&str> = found.iter().map(|text| &text[..text.len().min(20)]).collect();
        assert_eq!((found[1].len(), found[2].len()), (300, 16384));
        assert_eq!(short[0], "hi");
        assert_eq!(short[3..], ["-1000", "-2147483648", "4611686018427387905", "-1", "-128", "0", "12", ""]);
        assert_eq!(collect(&build(&[])), Ok(vec![]));
    }

    #[test]
    fn damage_is_an_error() {
        let blob = build(&[b"\x02hi", &[0xc0, 1, 0], b"\x01x"]);
        assert!((0..blob.len()).all(|end| collect(&blob[..end]).is_err()));
        assert!(collect(&[&blob[..], &[END]].concat()).is_err());
        for at in 0..HEADER_BYTES {
            let mut damaged = blob.clone();
            damaged[at] ^= 1;
            assert!(collect(&damaged).is_err(), "byte {at}");
        }
        // The length of the entry before.
        let mut damaged = blob.clone();
        damaged[HEADER_BYTES + 4] = 5;
        assert!(collect(&damaged).is_err());
    }
}
