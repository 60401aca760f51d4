//! The syntax of C's `strtod` and `strtold`: the longest prefix of a text that is a float.
//!
//! ```text
//! [+-] ( digits [. digits] | . digits ) [ e [+-] digits ]
//! [+-] 0x ( hex [. hex] | . hex ) [ p [+-] digits ]
//! [+-] inf | infinity | nan | nan(…)                          letters in either case
//! ```
//!
//! Leading white space is left to the caller: Redis refuses it in most places.

/// A float as it is written, not yet a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scanned<'a> {
    /// A minus stands in front.
    pub negative: bool,
    /// What follows the sign.
    pub literal: Literal<'a>,
    /// Length of the prefix that was read, the sign included.
    pub used: usize,
}

/// What stands behind the sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literal<'a> {
    Infinity,
    NotANumber,
    /// `integer.fraction` times ten to the `exponent`.
    Decimal {
        integer: &'a [u8],
        fraction: &'a [u8],
        exponent: i64,
    },
    /// `integer.fraction` in base sixteen times two to the `exponent`.
    Hexadecimal {
        integer: &'a [u8],
        fraction: &'a [u8],
        exponent: i64,
    },
}

/// Exponents saturate here: far outside of every format, far inside of `i64`.
const EXPONENT_LIMIT: i64 = 1 << 40;

/// Reads the longest prefix of `text` that is a float.
pub(crate) fn scan(text: &[u8]) -> Option<Scanned<'_>> {
    let (negative, sign_len) = match text.first()? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let body = &text[sign_len..];
    let (literal, len) = match body.first()? {
        b'i' | b'I' | b'n' | b'N' => word(body)?,
        b'0' if body.len() > 1 && body[1] | 0x20 == b'x' => hexadecimal(body).unwrap_or((
            // "0x" without a digit behind it is a zero, followed by something else.
            Literal::Decimal { integer: &body[..1], fraction: &[], exponent: 0 },
            1,
        )),
        _ => decimal(body)?,
    };
    Some(Scanned { negative, literal, used: sign_len + len })
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn word(body: &[u8]) -> Option<(Literal<'_>, usize)> {
    if starts_with(body, b"infinity") {
        return Some((Literal::Infinity, 8));
    }
    if starts_with(body, b"inf") {
        return Some((Literal::Infinity, 3));
    }
    if !starts_with(body, b"nan") {
        return None;
    }
    let payload = &body[3..];
    let inner = payload.iter().skip(1).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let closed = payload.first() == Some(&b'(') && payload.get(inner + 1) == Some(&b')');
    Some((Literal::NotANumber, if closed { 3 + inner + 2 } else { 3 }))
}

fn run(text: &[u8], digit: impl Fn(&u8) -> bool) -> &[u8] {
    let len = text.iter().take_while(|b| digit(b)).count();
    &text[..len]
}

/// Digits, a point, digits; at least one digit in all. Also returns the length.
fn mantissa(text: &[u8], digit: fn(&u8) -> bool) -> Option<(&[u8], &[u8], usize)> {
    let integer = run(text, digit);
    let mut used = integer.len();
    let mut fraction: &[u8] = &[];
    if text.get(used) == Some(&b'.') {
        fraction = run(&text[used + 1..], digit);
        used += 1 + fraction.len();
    }
    (!integer.is_empty() || !fraction.is_empty()).then_some((integer, fraction, used))
}

/// The exponent behind `marker` and its length; nothing when there are no digits in it.
fn exponent(text: &[u8], marker: u8) -> (i64, usize) {
    if text.first().is_none_or(|b| b | 0x20 != marker) {
        return (0, 0);
    }
    let (negative, sign_len) = match text.get(1) {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let digits = run(&text[1 + sign_len..], u8::is_ascii_digit);
    if digits.is_empty() {
        return (0, 0);
    }
    let value = digits.iter().fold(0i64, |sum, b| (sum * 10 + i64::from(b - b'0')).min(EXPONENT_LIMIT));
    (if negative { -value } else { value }, 1 + sign_len + digits.len())
}

fn decimal(body: &[u8]) -> Option<(Literal<'_>, usize)> {
    let (integer, fraction, used) = mantissa(body, u8::is_ascii_digit)?;
    let (exponent, exponent_len) = exponent(&body[used..], b'e');
    Some((Literal::Decimal { integer, fraction, exponent }, used + exponent_len))
}

fn hexadecimal(body: &[u8]) -> Option<(Literal<'_>, usize)> {
    let (integer, fraction, used) = mantissa(&body[2..], u8::is_ascii_hexdigit)?;
    let (exponent, exponent_len) = exponent(&body[2 + used..], b'p');
    Some((Literal::Hexadecimal { integer, fraction, exponent }, 2 + used + exponent_len))
}

/// The value of hexadecimal digits as `(mantissa, exponent, inexact)`: `mantissa` times two to the `exponent`, where
/// `mantissa` holds the first 32 significant digits and `inexact` says that a later one was not zero.
pub(crate) fn hexadecimal_value(integer: &[u8], fraction: &[u8], exponent: i64) -> (u128, i64, bool) {
    let (mut mantissa, mut shift, mut inexact) = (0u128, exponent, false);
    let digits = integer.iter().map(|b| (b, false)).chain(fraction.iter().map(|b| (b, true)));
    for (&byte, behind_point) in digits {
        let digit = (byte as char).to_digit(16).unwrap_or_default();
        if mantissa >> 124 == 0 {
            mantissa = mantissa << 4 | u128::from(digit);
            shift -= if behind_point { 4 } else { 0 };
        } else {
            inexact |= digit != 0;
            shift += if behind_point { 0 } else { 4 };
        }
    }
    (mantissa, shift, inexact)
}

/// `mantissa * 2^exponent` rounded to nearest, ties to even, to at most `bits` bits (up to 64) and to no exponent below
/// `exponent_min`; `inexact` stands for bits below the mantissa, which must then have more than `bits` bits.
///
/// The result has exactly `bits` bits unless it is zero or lies at `exponent_min`.
pub(crate) fn round(mantissa: u128, exponent: i64, inexact: bool, bits: u32, exponent_min: i64) -> (u64, i64) {
    if mantissa == 0 {
        return (0, exponent_min);
    }
    let zeros = mantissa.leading_zeros();
    let (mantissa, exponent) = (mantissa << zeros, exponent - i64::from(zeros));
    let dropped = i64::from(128 - bits).max(exponent_min - exponent);
    if dropped > 128 {
        return (0, exponent_min);
    }
    let half = 1u128 << (dropped - 1);
    // Two shifts, because all 128 bits may have to go.
    let kept = mantissa >> (dropped - 1) >> 1;
    let rest = mantissa & (half | (half - 1));
    let up = rest > half || (rest == half && (inexact || kept & 1 == 1));
    let (kept, exponent) = (kept + u128::from(up), exponent + dropped);
    // Rounding up may have carried into one bit more; the lowest is zero then.
    if kept >> bits == 0 { (kept as u64, exponent) } else { ((kept >> 1) as u64, exponent + 1) }
}
