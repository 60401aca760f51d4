//! LZF: the compression of strings in RDB data.
//!
//! A stream of two kinds of parts, told apart by the first byte:
//!
//! ```text
//! 000lllll                         l + 1 bytes follow as they are
//! lllooooo [lllllllll] oooooooo    l + 2 bytes that stand o + 1 bytes before; seven means that l goes on in a byte
//! ```
//!
//! The compressor remembers one place for each hash of three bytes. Its table serves any number of strings without
//! being cleared: places are counted on from string to string, and what lies before the present one does not count.

use super::error::Fault;

const HASH_BITS: u32 = 13;
/// A part goes back so far at most.
const DISTANCE_MAX: usize = 1 << 13;
/// Longest part that is repeated.
const REPEAT_MAX: usize = 264;
/// Longest part that is not.
const LITERAL_MAX: usize = 32;
/// What a string can grow by at the most when it is expanded: three bytes stand for so many.
const EXPANSION_MAX: usize = REPEAT_MAX / 3 + 1;

/// See the module's text.
pub struct Compressor {
    places: Box<[u32]>,
    /// What is counted as the start of the next string; places below it are older.
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Compressor { places: vec![0; 1 << HASH_BITS].into(), base: 1 }
    }
}

impl Compressor {
    /// Appends the compressed bytes to `out`; false, and nothing happens, when they would be longer than `most`.
    pub fn compress(&mut self, input: &[u8], most: usize, out: &mut Vec<u8>) -> bool {
        let Ok(len) = u32::try_from(input.len()) else { return false };
        if self.base.checked_add(len).is_none() {
            self.places.fill(0);
            self.base = 1;
        }
        let start = out.len();
        let fits = self.compress_within(input, start.saturating_add(most), out);
        if !fits {
            out.truncate(start);
        }
        // A string of nearly 4 GB leaves no room: the next one starts anew.
        self.base = self.base.saturating_add(len);
        fits
    }

    fn compress_within(&mut self, input: &[u8], end_max: usize, out: &mut Vec<u8>) -> bool {
        let (mut at, mut literal) = (0, 0);
        while let Some(&[a, b, c]) = input.get(at..at + 3).and_then(|next| next.as_array()) {
            let place = &mut self.places[hash(a, b, c)];
            let known = place.checked_sub(self.base).map(|known| known as usize);
            // Below 2^32, as the caller has seen to.
            *place = self.base + at as u32;
            let repeats = known.filter(|known| {
                let distance = at.wrapping_sub(*known);
                (1..=DISTANCE_MAX).contains(&distance) && input[*known..*known + 3] == [a, b, c]
            });
            let Some(known) = repeats else {
                at += 1;
                continue;
            };
            put_literals(&input[literal..at], out);
            let longest = REPEAT_MAX.min(input.len() - at);
            let ahead = input[at + 3..at + longest].iter().zip(&input[known + 3..]);
            let len = 3 + ahead.take_while(|(a, b)| a == b).count();
            put_repeat(at - known, len, out);
            if out.len() > end_max {
                return false;
            }
            at += len;
            literal = at;
        }
        put_literals(&input[literal..], out);
        out.len() <= end_max
    }
}

#[inline]
fn hash(a: u8, b: u8, c: u8) -> usize {
    let word = u32::from_le_bytes([a, b, c, 0]);
    (word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

fn put_literals(bytes: &[u8], out: &mut Vec<u8>) {
    for part in bytes.chunks(LITERAL_MAX) {
        out.push(part.len() as u8 - 1);
        out.extend_from_slice(part);
    }
}

fn put_repeat(distance: usize, len: usize, out: &mut Vec<u8>) {
    let (back, len) = (distance - 1, len - 2);
    let high = (back >> 8) as u8;
    if len < 7 {
        out.push((len as u8) << 5 | high);
    } else {
        out.extend_from_slice(&[7 << 5 | high, (len - 7) as u8]);
    }
    out.push(back as u8);
}

/// Expands a string of `len` bytes into `out`, whose former content goes.
///
/// # Errors
/// When the bytes are not a string of that length.
pub fn expand(input: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    const DAMAGED: Fault = "a compressed string is damaged";
    out.clear();
    if len > input.len().saturating_mul(EXPANSION_MAX) {
        return Err("a compressed string claims to be longer than it can be");
    }
    out.try_reserve_exact(len).map_err(|_| "not enough memory for a compressed string")?;
    let mut rest = input;
    while let Some((&head, behind)) = rest.split_first() {
        rest = behind;
        if head < 32 {
            let (literal, behind) = rest.split_at_checked(head as usize + 1).ok_or(DAMAGED)?;
            if literal.len() > len - out.len() {
                return Err(DAMAGED);
            }
            out.extend_from_slice(literal);
            rest = behind;
            continue;
        }
        let mut count = (head >> 5) as usize + 2;
        if count == 9 {
            let (&more, behind) = rest.split_first().ok_or(DAMAGED)?;
            count += more as usize;
            rest = behind;
        }
        let (&low, behind) = rest.split_first().ok_or(DAMAGED)?;
        rest = behind;
        let distance = (((head & 0x1f) as usize) << 8 | low as usize) + 1;
        let from = out.len().checked_sub(distance).ok_or(DAMAGED)?;
        if count > len - out.len() {
            return Err(DAMAGED);
        }
        repeat(out, from, count);
    }
    if out.len() == len { Ok(()) } else { Err(DAMAGED) }
}

/// Appends `count` bytes from `from` on, which may run into what is just appended.
#[inline]
fn repeat(out: &mut Vec<u8>, from: usize, count: usize) {
    let mut left = count;
    while left > 0 {
        // Each round doubles what may be copied at once.
        let part = left.min(out.len() - from);
        out.extend_from_within(from..from + part);
        left -= part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(compressed: &[u8], len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        expand(compressed, len, &mut out).expect("what was compressed expands");
        out
    }

    #[test]
    fn repetition_is_found_and_noise_is_left() {
        let mut compressor = Compressor::default();
        let mut out = Vec::new();
        assert!(compressor.compress(&[b'a'; 10_000], 200, &mut out));
        assert_eq!(back(&out, 10_000), [b'a'; 10_000]);
        out.clear();
        assert!(!compressor.compress(b"the quick brown fox", 15, &mut out));
        assert!(out.is_empty());
    }

    #[test]
    fn places_of_other_strings_are_not_mistaken() {
        let mut compressor = Compressor { base: u32::MAX - 100, ..Compressor::default() };
        for round in 0..50u8 {
            let text = [b"abcdefgh".as_slice(), &[round], b"abcdefgh"].concat();
            let mut out = Vec::new();
            assert!(compressor.compress(&text, 100, &mut out));
            assert_eq!(back(&out, text.len()), text);
        }
    }

    #[test]
    fn claims_that_cannot_be_are_refused() {
        let mut out = Vec::new();
        for (input, len) in [
            (&b"\x00a"[..], 1 << 40),
            (b"\x00a", 2),
            (b"\x00a", 0),
            (b"\x05ab", 6),
            (b"\x00a\x20\x01", 4),
            (b"\x00a\x20", 4),
            (b"\xe0", 4),
            (b"", 1),
        ] {
            assert!(expand(input, len, &mut out).is_err(), "{input:?} as {len} bytes");
            assert!(out.capacity() < 1 << 20);
        }
    }

    proptest! {
        #[test]
        fn what_is_compressed_expands(
            words in proptest::collection::vec(proptest::collection::vec(0u8..4, 1..40), 0..200),
            noise in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut compressor = Compressor::default();
            for text in [words.concat(), noise.clone(), [words.concat(), noise].concat()] {
                let mut out = b"before".to_vec();
                prop_assert!(compressor.compress(&text, text.len() * 2 + 1, &mut out));
                prop_assert_eq!(back(&out[6..], text.len()), text);
            }
        }

        #[test]
        fn any_bytes_expand_or_are_refused(input in proptest::collection::vec(any::<u8>(), 0..60), len in 0usize..300) {
            let mut out = Vec::new();
            if expand(&input, len, &mut out).is_ok() {
                prop_assert_eq!(out.len(), len);
            }
        }
    }
}
