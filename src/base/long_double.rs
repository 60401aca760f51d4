//! The 80-bit floating point numbers of x87: INCRBYFLOAT and HINCRBYFLOAT compute in them, and print 17 decimals.
//!
//! A finite number is `mantissa * 2^exponent` with a mantissa of 64 bits; its top bit is set unless the number is zero
//! or denormal (at the lowest exponent). Parsing, adding and printing are exact and round once, to nearest and to even,
//! so that the texts equal those of the C library bit for bit. Nearly everything fits 128-bit integers; the rest goes
//! through [`big`].

mod big;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use super::limits::LONG_DOUBLE_TEXT_MAX;
use super::number::scan::{Literal, hexadecimal_value, round, scan};
use big::Big;

/// An 80-bit floating point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    magnitude: Magnitude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Magnitude {
    Finite { mantissa: u64, exponent: i32 },
    Infinite,
    NotANumber,
}

const MANTISSA_BITS: u32 = 64;
const EXPONENT_MIN: i32 = -16445;
const EXPONENT_MAX: i32 = 16383 - 63;

/// Decimal exponents beyond these are out of range whatever the digits.
const DECIMAL_MAX: i64 = 4_940;
const DECIMAL_MIN: i64 = -4_960;

const DECIMALS: usize = 17;
const DECIMALS_UNIT: u128 = 10u128.pow(DECIMALS as u32);

const ZERO: Magnitude = Magnitude::Finite { mantissa: 0, exponent: EXPONENT_MIN };

impl LongDouble {
    /// The number that the whole of `text` spells, in any spelling that C's `strtold` reads.
    ///
    /// Refused, as Redis refuses them: no text, leading spaces, anything left over, not-a-number, what is out of range,
    /// and texts of 5 KiB and more.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        let scanned = scan(text).filter(|scanned| scanned.used == text.len() && text.len() <= LONG_DOUBLE_TEXT_MAX)?;
        let magnitude = match scanned.literal {
            Literal::Infinity => Magnitude::Infinite,
            Literal::NotANumber => return None,
            Literal::Hexadecimal { integer, fraction, exponent } => {
                let (mantissa, exponent, inexact) = hexadecimal_value(integer, fraction, exponent);
                in_range(mantissa, rounded(mantissa, exponent, inexact))?
            }
            Literal::Decimal { integer, fraction, exponent } => decimal(integer, fraction, exponent)?,
        };
        Some(LongDouble { negative: scanned.negative, magnitude })
    }

    /// Whether it is neither infinite nor not-a-number.
    pub fn is_finite(self) -> bool {
        matches!(self.magnitude, Magnitude::Finite { .. })
    }

    /// The text of `%.17Lf` without trailing zeros, and without the point if nothing stands behind it.
    pub fn to_text(self) -> String {
        let digits = match self.magnitude {
            Magnitude::NotANumber => "nan".to_owned(),
            Magnitude::Infinite => "inf".to_owned(),
            Magnitude::Finite { mantissa, exponent } => print(mantissa, exponent),
        };
        // There is no negative zero, and nothing else that rounds to zero is negative.
        if self.negative && digits != "0" { format!("-{digits}") } else { digits }
    }
}

impl From<i64> for LongDouble {
    fn from(value: i64) -> LongDouble {
        let magnitude = rounded(u128::from(value.unsigned_abs()), 0, false);
        LongDouble { negative: value < 0, magnitude }
    }
}

impl std::ops::Add for LongDouble {
    type Output = LongDouble;

    fn add(self, other: LongDouble) -> LongDouble {
        use Magnitude::{Finite, Infinite, NotANumber};
        let (a, b) = if self.is_larger_than(other) { (self, other) } else { (other, self) };
        let magnitude = match (a.magnitude, b.magnitude) {
            (NotANumber, _) | (_, NotANumber) => NotANumber,
            (Infinite, Infinite) if a.negative != b.negative => NotANumber,
            (Infinite, _) | (_, Infinite) => return if a.magnitude == Infinite { a } else { b },
            (Finite { mantissa, exponent }, Finite { mantissa: smaller, exponent: smaller_exponent }) => {
                // One bit of headroom above, 63 below: what the smaller number loses beyond these is only a trace.
                let a_wide = u128::from(mantissa) << 63;
                let b_wide = u128::from(smaller) << 63;
                let distance = exponent.abs_diff(smaller_exponent);
                let b_kept = b_wide.checked_shr(distance).unwrap_or(0);
                let inexact = b_kept.checked_shl(distance) != Some(b_wide) && b_wide != 0;
                let sum =
                    if a.negative == b.negative { a_wide + b_kept } else { a_wide - b_kept - u128::from(inexact) };
                if sum == 0 && !inexact {
                    return LongDouble { negative: a.negative && b.negative, magnitude: ZERO };
                }
                rounded(sum, i64::from(exponent) - 63, inexact)
            }
        };
        LongDouble { negative: a.negative, magnitude }
    }
}

impl LongDouble {
    /// Compares magnitudes only.
    fn is_larger_than(self, other: LongDouble) -> bool {
        use Magnitude::Finite;
        match (self.magnitude, other.magnitude) {
            (Finite { mantissa, exponent }, Finite { mantissa: other_mantissa, exponent: other_exponent }) => {
                // Zero and denormals have the lowest exponent, so exponents compare first.
                exponent.cmp(&other_exponent).then(mantissa.cmp(&other_mantissa)) == Ordering::Greater
            }
            (Finite { .. }, _) => false,
            _ => true,
        }
    }
}

fn rounded(mantissa: u128, exponent: i64, inexact: bool) -> Magnitude {
    let (mantissa, exponent) = round(mantissa, exponent, inexact, MANTISSA_BITS, i64::from(EXPONENT_MIN));
    match i32::try_from(exponent) {
        _ if mantissa == 0 => ZERO,
        Ok(exponent) if exponent <= EXPONENT_MAX => Magnitude::Finite { mantissa, exponent },
        _ => Magnitude::Infinite,
    }
}

/// Refuses what became infinite, or became zero without being zero.
fn in_range(exact: u128, magnitude: Magnitude) -> Option<Magnitude> {
    (magnitude != Magnitude::Infinite && (magnitude != ZERO || exact == 0)).then_some(magnitude)
}

/// `integer.fraction * 10^exponent`, if it is in range.
fn decimal(integer: &[u8], fraction: &[u8], exponent: i64) -> Option<Magnitude> {
    let all: Vec<u8> = [integer, fraction].concat();
    let exponent = exponent - fraction.len() as i64;
    let from = all.iter().position(|digit| *digit != b'0');
    let to = all.iter().rposition(|digit| *digit != b'0');
    let (Some(from), Some(to)) = (from, to) else { return Some(ZERO) };
    let exponent = exponent + (all.len() - 1 - to) as i64;
    let digits = &all[from..=to];
    let leading = exponent + digits.len() as i64;
    if !(DECIMAL_MIN..=DECIMAL_MAX).contains(&leading) {
        return None;
    }
    let magnitude = if digits.len() <= 19 && exponent.abs() <= 27 {
        small_decimal(digits, exponent as i32)
    } else {
        big_decimal(digits, exponent)
    };
    in_range(1, magnitude)
}

/// At most 19 digits and a power of five below 2^64: 128 bits are enough.
fn small_decimal(digits: &[u8], exponent: i32) -> Magnitude {
    let value = digits.iter().fold(0u128, |sum, digit| sum * 10 + u128::from(digit - b'0'));
    let five = 5u128.pow(exponent.unsigned_abs());
    if exponent >= 0 {
        return rounded(value * five, i64::from(exponent), false);
    }
    let shift = value.leading_zeros();
    let scaled = value << shift;
    rounded(scaled / five, i64::from(exponent) - i64::from(shift), scaled % five != 0)
}

fn big_decimal(digits: &[u8], exponent: i64) -> Magnitude {
    let mut value = Big::from_decimal(digits);
    let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    if exponent >= 0 {
        value.multiply_by_power_of_five(power);
        let (top, dropped, inexact) = value.top_bits();
        return rounded(top, exponent + i64::from(dropped), inexact);
    }
    let mut divisor = Big::from(1);
    divisor.multiply_by_power_of_five(power);
    let (quotient, shift, inexact) = value.divide(divisor);
    rounded(quotient, exponent - shift, inexact)
}

/// `mantissa * 2^exponent` with 17 decimals, rounded, then trimmed.
fn print(mantissa: u64, exponent: i32) -> String {
    if exponent >= 0 {
        return match u128::from(mantissa).checked_mul(1u128.checked_shl(exponent.unsigned_abs()).unwrap_or(0)) {
            Some(integer) if integer != 0 || mantissa == 0 => integer.to_string(),
            _ => Big::shifted(mantissa, exponent.unsigned_abs()).into_decimal(),
        };
    }
    let below = exponent.unsigned_abs();
    let wide = u128::from(mantissa);
    let integer = wide.checked_shr(below).unwrap_or(0);
    let scaled = if below >= 122 {
        // Less than half of the last decimal.
        0
    } else {
        let product = (wide & ((1 << below) - 1)) * DECIMALS_UNIT;
        let (kept, rest, half) = (product >> below, product & ((1 << below) - 1), 1u128 << (below - 1));
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    };
    let (integer, scaled) = if scaled == DECIMALS_UNIT { (integer + 1, 0) } else { (integer, scaled) };
    if scaled == 0 {
        return integer.to_string();
    }
    let text = format!("{integer}.{scaled:0DECIMALS$}");
    text.trim_end_matches('0').to_owned()
}
