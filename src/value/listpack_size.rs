//! What values take in Redis's listpacks, in bytes: some of its replies depend on when a listpack is full.

use crate::base::number::parse_i64;

/// A listpack without entries.
pub const EMPTY_BYTES: usize = 7;

/// What a value takes.
#[inline]
pub fn of_value(value: &[u8]) -> usize {
    // What is no integer is seen by its first byte mostly.
    if matches!(value.first(), Some(b'0'..=b'9' | b'-'))
        && let Some(integer) = parse_i64(value)
    {
        return of_integer(integer);
    }
    of_bytes(value.len())
}

/// What a value of so many bytes takes that is no integer.
#[inline]
pub fn of_bytes(len: usize) -> usize {
    with_length(match len {
        0..=63 => 1 + len,
        64..=4095 => 2 + len,
        _ => 5 + len,
    })
}

/// What an integer takes.
#[inline]
pub fn of_integer(value: i64) -> usize {
    let encoded = match value {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    };
    encoded + 1
}

/// Behind an entry its length stands once more.
#[inline]
fn with_length(encoded: usize) -> usize {
    let backward = match encoded {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    encoded + backward
}
