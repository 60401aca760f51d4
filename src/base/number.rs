//! Numbers as text: what a client may send as a number, and how a number is printed.
//!
//! Redis is strict about integers (`parse_i64`: only the one spelling that `format_i64` prints) and liberal about
//! floats (`parse_f64`: whatever C's `strtod` reads, hexadecimal included). Printing is on the path of every counter
//! and every score, hence the digit-pair table and the buffers on the stack.

mod float;
mod grisu;
pub(crate) mod scan;

#[cfg(test)]
mod tests;

use std::ops::Deref;

pub use float::{format_f64, format_f64_17, parse_f64, parse_f64_lenient};

/// Printed text of a number in a buffer on the stack; dereferences to its bytes.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    start: u8,
    end: u8,
}

impl<const N: usize> Text<N> {
    /// Text that stands in `bytes[start..end]`.
    #[inline]
    fn new(bytes: [u8; N], start: usize, end: usize) -> Text<N> {
        const { assert!(N <= u8::MAX as usize) };
        debug_assert!(start <= end && end <= N);
        Text { bytes, start: start as u8, end: end as u8 }
    }

    /// The text as a string; it is always ASCII.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self).unwrap_or_default()
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }
}

impl<const N: usize> AsRef<[u8]> for Text<N> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> std::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The integer that these bytes are in two's complement, little-endian; of more than eight, the first eight count.
#[inline]
pub fn sign_extended(bytes: &[u8]) -> i64 {
    let bytes = &bytes[..bytes.len().min(8)];
    let negative = bytes.last().is_some_and(|high| high & 0x80 != 0);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

/// Longest text of a 64-bit integer: 20 digits, or a sign and 19 digits.
pub const INTEGER_TEXT_MAX: usize = 20;

/// The integer that `text` spells, or `None` unless it is spelled exactly as [`format_i64`] prints it: no sign but a
/// minus, no leading zeros, no spaces, nothing out of range.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = parse_u64(digits)?;
    if !negative {
        return i64::try_from(magnitude).ok();
    }
    match magnitude {
        0 => None,
        1..=0x8000_0000_0000_0000 => Some((magnitude as i64).wrapping_neg()),
        _ => None,
    }
}

/// The unsigned integer that `text` spells in plain digits, without sign and without leading zeros.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    let (&first, rest) = text.split_first()?;
    let mut value = u64::from(first.wrapping_sub(b'0'));
    if value > 9 || (value == 0 && !rest.is_empty()) || text.len() > 20 {
        return None;
    }
    // Nineteen digits cannot overflow; only a twentieth has to be looked at.
    let (free, last) = if rest.len() == 19 { rest.split_at(18) } else { (rest, &[][..]) };
    for &byte in free {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    for &byte in last {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// The decimal text of `value`.
#[inline]
pub fn format_i64(value: i64) -> Text<INTEGER_TEXT_MAX> {
    let mut bytes = [0; INTEGER_TEXT_MAX];
    let mut start = write_backwards(&mut bytes, value.unsigned_abs());
    if value < 0 {
        start -= 1;
        bytes[start] = b'-';
    }
    Text::new(bytes, start, INTEGER_TEXT_MAX)
}

/// The decimal text of `value`.
#[inline]
pub fn format_u64(value: u64) -> Text<INTEGER_TEXT_MAX> {
    let mut bytes = [0; INTEGER_TEXT_MAX];
    let start = write_backwards(&mut bytes, value);
    Text::new(bytes, start, INTEGER_TEXT_MAX)
}

/// Length of the text that [`format_i64`] prints.
#[inline]
pub fn decimal_len(value: i64) -> usize {
    value.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1) + usize::from(value < 0)
}

const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut i = 0;
    while i < 100 {
        pairs[2 * i] = b'0' + (i / 10) as u8;
        pairs[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    pairs
};

/// Writes the digits so that they end with the buffer, and returns where they begin.
#[inline]
fn write_backwards(bytes: &mut [u8; INTEGER_TEXT_MAX], mut value: u64) -> usize {
    let mut at = INTEGER_TEXT_MAX;
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        bytes[at] = b'0' + value as u8;
    }
    at
}
