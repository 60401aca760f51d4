//! Integers in decimal, two digits at a time, without an intermediate string.

/// Longest decimal form of an integer, the sign included.
pub const INTEGER_BYTES_MAX: usize = 20;

/// All two-digit numbers, one after the other.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The decimal form of `value`, at the end of `space`.
#[inline]
pub fn decimal(value: i64, space: &mut [u8; INTEGER_BYTES_MAX]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = space.len();
    while rest >= 10 {
        at -= 2;
        space[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 || at == space.len() {
        at -= 1;
        space[at] = b'0' + rest as u8;
    }
    if value < 0 {
        at -= 1;
        space[at] = b'-';
    }
    &space[at..]
}
