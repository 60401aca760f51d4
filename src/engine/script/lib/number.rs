//! Numbers as Lua 5.1 reads and prints them, and its conversions to C's integers.
//!
//! A number prints as `%.14g`; a text is a number when C's `strtod` reads all of it but the white space around it
//! (hexadecimal, `inf` and `nan` included), where a NUL ends the text. Conversions to integers are those of the x86
//! instructions that real servers compile to: what does not fit becomes the smallest integer.

#[cfg(test)]
mod tests;

use super::format::{Conversion, Spec};
use super::pattern::is_space;
use crate::base::number::scan::{Literal, scan};
use crate::base::number::{format_i64, parse_f64_lenient};

/// Significant digits that Lua prints.
const DIGITS: usize = 14;

/// Appends `value` as `tostring` prints it.
pub fn write(value: f64, out: &mut Vec<u8>) {
    write_digits(value, DIGITS, out);
}

/// Appends `value` as C's `%.<digits>g` prints it; `digits` is below a hundred.
pub fn write_digits(value: f64, digits: usize, out: &mut Vec<u8>) {
    // Integers print as themselves until they have more digits than are asked for.
    const EXACT: f64 = 1e14;
    if digits >= DIGITS && value.abs() < EXACT && value == value.trunc() && (value != 0.0 || value.is_sign_positive()) {
        out.extend_from_slice(&format_i64(value as i64));
        return;
    }
    let spec = Spec { precision: Some(digits), ..Spec::default() };
    spec.float(value, Conversion::General, false, out);
}

/// The text that `tostring` gives for `value`.
pub fn text(value: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    write(value, &mut text);
    text
}

/// The number that `text` spells, as arithmetic on strings and `tonumber` without a base read it.
pub fn parse(text: &[u8]) -> Option<f64> {
    let text = &text[..text.iter().position(|byte| *byte == 0).unwrap_or(text.len())];
    let text = trim(text);
    let scanned = scan(text).filter(|scanned| scanned.used == text.len())?;
    if scanned.literal == Literal::NotANumber {
        return Some(if scanned.negative { -f64::NAN } else { f64::NAN });
    }
    parse_f64_lenient(text)
}

/// The number that `text` spells in `base`, from 2 to 36, as C's `strtoul` reads it: a sign and `0x` may stand in front,
/// a minus counts down from 2^64, and what is too large becomes 2^64 - 1.
pub fn parse_in_base(text: &[u8], base: u32) -> Option<f64> {
    let text = &text[..text.iter().position(|byte| *byte == 0).unwrap_or(text.len())];
    let text = trim(text);
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let digits = match digits {
        [b'0', b'x' | b'X', rest @ ..] if base == 16 && rest.first().is_some_and(u8::is_ascii_hexdigit) => rest,
        _ => digits,
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = Some(0u64);
    for byte in digits {
        let digit = char::from(*byte).to_digit(base)?;
        value = value.and_then(|value| value.checked_mul(u64::from(base))?.checked_add(u64::from(digit)));
    }
    let value = match value {
        Some(value) if negative => value.wrapping_neg(),
        Some(value) => value,
        None => u64::MAX,
    };
    Some(value as f64)
}

/// `value` without the white space on both ends.
fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// 2^63, the first double that no `i64` holds.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// `value` as C's `(long long) value`: truncated, and the smallest integer when it does not fit.
pub fn to_i64(value: f64) -> i64 {
    if (-TWO_TO_63..TWO_TO_63).contains(&value) { value as i64 } else { i64::MIN }
}

/// `value` as C's `(int) (long) value`: the lower half of [`to_i64`].
pub fn to_i32(value: f64) -> i32 {
    to_i64(value) as i32
}

/// `value` as C's `(unsigned long) value`: negative ones count down from 2^64.
pub fn to_u64(value: f64) -> u64 {
    if value >= TWO_TO_63 { (to_i64(value - TWO_TO_63) as u64) ^ (1 << 63) } else { to_i64(value) as u64 }
}
