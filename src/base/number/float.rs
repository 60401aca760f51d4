//! Doubles: scores, float increments' results, timeouts.

use super::grisu::shortest;
use super::scan::{Literal, hexadecimal_value, round, scan};
use super::{Text, format_i64, parse_i64};

/// Longest text of a double: sign, 17 digits, and up to 7 zeros or an exponent.
pub const FLOAT_TEXT_MAX: usize = 32;

/// The double that the whole of `text` spells, in any spelling that C's `strtod` reads.
///
/// Refused, as Redis refuses them: leading spaces, anything left over, not-a-number, and what is too large for a
/// double or so small that it becomes zero (`inf` in words is fine, and so are denormals).
#[inline]
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    // Most scores are short integers, and fifteen digits are exact in a double.
    if text.len() <= 15
        && let Some(integer) = parse_i64(text)
    {
        return Some(integer as f64);
    }
    let scanned = scan(text).filter(|scanned| scanned.used == text.len())?;
    let value = magnitude(text, &scanned.literal)?;
    if value.is_nan() || out_of_range(value, &scanned.literal) {
        return None;
    }
    Some(if scanned.negative { -value } else { value })
}

/// The double at the beginning of `text` by the looser rules of range bounds: leading white space is skipped, no text
/// is zero, too large is infinity, too small is zero. Still refused: not-a-number and anything left over in front of
/// the first NUL.
pub fn parse_f64_lenient(text: &[u8]) -> Option<f64> {
    let text = &text[..text.iter().position(|b| *b == 0).unwrap_or(text.len())];
    if text.is_empty() {
        return Some(0.0);
    }
    let blank = text.iter().take_while(|b| matches!(b, b' ' | b'\t'..=b'\r')).count();
    let text = &text[blank..];
    let scanned = scan(text).filter(|scanned| scanned.used == text.len())?;
    let value = magnitude(text, &scanned.literal).filter(|value| !value.is_nan())?;
    Some(if scanned.negative { -value } else { value })
}

/// The literal's value without its sign; `text` is the whole of what was scanned.
fn magnitude(text: &[u8], literal: &Literal<'_>) -> Option<f64> {
    match *literal {
        Literal::Infinity => Some(f64::INFINITY),
        Literal::NotANumber => Some(f64::NAN),
        Literal::Decimal { .. } => std::str::from_utf8(text).ok()?.parse::<f64>().ok().map(f64::abs),
        Literal::Hexadecimal { integer, fraction, exponent } => {
            let (mantissa, exponent, inexact) = hexadecimal_value(integer, fraction, exponent);
            Some(scale(mantissa, exponent, inexact))
        }
    }
}

/// Whether C would have reported `ERANGE` and left infinity or zero.
fn out_of_range(value: f64, literal: &Literal<'_>) -> bool {
    let (Literal::Decimal { integer, fraction, .. } | Literal::Hexadecimal { integer, fraction, .. }) = literal else {
        return false;
    };
    value.is_infinite() || (value == 0.0 && integer.iter().chain(*fraction).any(|digit| *digit != b'0'))
}

/// `mantissa * 2^exponent` rounded once; `inexact` stands for bits below the mantissa.
fn scale(mantissa: u128, exponent: i64, inexact: bool) -> f64 {
    const HIDDEN: u64 = 1 << 52;
    let (mantissa, exponent) = round(mantissa, exponent, inexact, 53, -1074);
    if mantissa < HIDDEN {
        return f64::from_bits(mantissa);
    }
    match u64::try_from(exponent + 1075) {
        Ok(biased) if biased < 0x7ff => f64::from_bits(biased << 52 | (mantissa & (HIDDEN - 1))),
        _ => f64::INFINITY,
    }
}

/// The text of a double as Redis 7.2 and later print it.
///
/// Integers below 2^62 print as integers; else the shortest digits that read back as the same double, plain when they
/// stay short (`0.000015`, `12300000000000001000000`) and with an exponent otherwise (`1e+20`, `1.5e-7`).
pub fn format_f64(value: f64) -> Text<FLOAT_TEXT_MAX> {
    let mut text = Builder { bytes: [0; FLOAT_TEXT_MAX], len: 0 };
    // Half of i64's range, as in Redis: a cast in there is exact for every double without a fraction.
    const SAFE: f64 = (i64::MAX / 2) as f64;
    if value.is_nan() {
        text.put(b"nan");
    } else if value.is_infinite() {
        text.put(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        text.put(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= SAFE && value == (value as i64) as f64 {
        text.put(&format_i64(value as i64));
    } else {
        if value < 0.0 {
            text.put(b"-");
        }
        let (digits, len, exponent) = shortest(value.abs());
        text.put_decimal(&digits[..len], exponent);
    }
    Text::new(text.bytes, 0, text.len)
}

/// The text of a double with seventeen digits, as C prints `%.17g`: trailing zeros left out, an exponent of at least two
/// digits where it is below -4 or above 16.
pub fn format_f64_17(value: f64) -> Text<FLOAT_TEXT_MAX> {
    // Both print zeros, infinities and integers of so many digits alike.
    if !value.is_finite() || (value.abs() < 1e17 && value == (value as i64) as f64) {
        return format_f64(value);
    }
    let mut text = Builder { bytes: [0; FLOAT_TEXT_MAX], len: 0 };
    if value < 0.0 {
        text.put(b"-");
    }
    let scientific = format!("{:.16e}", value.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(1, |last| last + 1);
    text.put_general(&digits[..kept], exponent.parse().unwrap_or(0));
    Text::new(text.bytes, 0, text.len)
}

struct Builder {
    bytes: [u8; FLOAT_TEXT_MAX],
    len: usize,
}

impl Builder {
    fn put(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }

    fn zeros(&mut self, count: usize) {
        self.bytes[self.len..self.len + count].fill(b'0');
        self.len += count;
    }

    /// `digits` with a point behind the first, times ten to the `exponent`, as `%g` chooses between the notations.
    fn put_general(&mut self, digits: &[u8], exponent: i32) {
        match usize::try_from(exponent) {
            Ok(leading @ ..17) if leading + 1 >= digits.len() => {
                self.put(digits);
                self.zeros(leading + 1 - digits.len());
            }
            Ok(leading @ ..17) => {
                self.put(&digits[..=leading]);
                self.put(b".");
                self.put(&digits[leading + 1..]);
            }
            Err(_) if exponent >= -4 => {
                self.put(b"0.");
                self.zeros(exponent.unsigned_abs() as usize - 1);
                self.put(digits);
            }
            _ => {
                self.put(&digits[..1]);
                if digits.len() > 1 {
                    self.put(b".");
                    self.put(&digits[1..]);
                }
                self.put(if exponent < 0 { b"e-" } else { b"e+" });
                self.zeros(usize::from(exponent.abs() < 10));
                self.put(&format_i64(i64::from(exponent.abs())));
            }
        }
    }

    /// `digits` times ten to the `exponent`, in the shorter of the two notations.
    fn put_decimal(&mut self, digits: &[u8], exponent: i32) {
        let count = digits.len() as i32;
        let leading = exponent + count - 1;
        if exponent >= 0 && leading < count + 7 {
            self.put(digits);
            self.zeros(exponent as usize);
        } else if exponent < 0 && (exponent > -7 || leading.abs() < 4) {
            if leading < 0 {
                self.put(b"0.");
                self.zeros((-leading - 1) as usize);
                self.put(digits);
            } else {
                let (integer, fraction) = digits.split_at(leading as usize + 1);
                self.put(integer);
                self.put(b".");
                self.put(fraction);
            }
        } else {
            let (first, rest) = digits.split_at(1);
            self.put(first);
            if !rest.is_empty() {
                self.put(b".");
                self.put(rest);
            }
            self.put(if leading < 0 { b"e-" } else { b"e+" });
            self.put(&format_i64(i64::from(leading.abs())));
        }
    }
}
