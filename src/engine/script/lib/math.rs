//! `math`: the whole library of Lua 5.1. Random numbers are those of Redis: 31 bits of the 48-bit linear congruential
//! generator that POSIX calls `lrand48`, so that a seed gives the same numbers everywhere.

#[cfg(test)]
mod tests;

use super::super::value::{Arguments, Host, ScriptError, Value, Values, one};
use super::{Constant, Library, many, none, number};

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "math",
    functions: &[
        ("abs", |_, a| unary(a, f64::abs)),
        ("acos", |_, a| unary(a, f64::acos)),
        ("asin", |_, a| unary(a, f64::asin)),
        ("atan", |_, a| unary(a, f64::atan)),
        ("atan2", |_, a| binary(a, f64::atan2)),
        ("ceil", |_, a| unary(a, f64::ceil)),
        ("cos", |_, a| unary(a, f64::cos)),
        ("cosh", |_, a| unary(a, f64::cosh)),
        ("deg", |_, a| unary(a, |radians| radians / RADIANS_PER_DEGREE)),
        ("exp", |_, a| unary(a, f64::exp)),
        ("floor", |_, a| unary(a, f64::floor)),
        ("fmod", |_, a| binary(a, |a, b| a % b)),
        ("frexp", frexp),
        ("ldexp", ldexp),
        ("log", |_, a| unary(a, f64::ln)),
        ("log10", |_, a| unary(a, f64::log10)),
        ("max", |_, a| fold(a, |best, number| if number > best { number } else { best })),
        ("min", |_, a| fold(a, |best, number| if number < best { number } else { best })),
        ("mod", |_, a| binary(a, |a, b| a % b)),
        ("modf", modf),
        ("pow", |_, a| binary(a, f64::powf)),
        ("rad", |_, a| unary(a, |degrees| degrees * RADIANS_PER_DEGREE)),
        ("random", random),
        ("randomseed", randomseed),
        ("sin", |_, a| unary(a, f64::sin)),
        ("sinh", |_, a| unary(a, f64::sinh)),
        ("sqrt", |_, a| unary(a, f64::sqrt)),
        ("tan", |_, a| unary(a, f64::tan)),
        ("tanh", |_, a| unary(a, f64::tanh)),
    ],
    constants: &[("huge", Constant::Number(f64::INFINITY)), ("pi", Constant::Number(std::f64::consts::PI))],
};

const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;

fn unary(arguments: &[Value], function: fn(f64) -> f64) -> Result<Values, ScriptError> {
    one(function(Arguments(arguments).number(1)?))
}

fn binary(arguments: &[Value], function: fn(f64, f64) -> f64) -> Result<Values, ScriptError> {
    // C looks at the last argument first.
    let arguments = Arguments(arguments);
    let second = arguments.number(2)?;
    one(function(arguments.number(1)?, second))
}

fn fold(arguments: &[Value], better: fn(f64, f64) -> f64) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let mut best = checked.number(1)?;
    for position in 2..=arguments.len() {
        best = better(best, checked.number(position)?);
    }
    one(best)
}

/// The mantissa, at least one half and below one, and the exponent of two.
fn frexp(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let value = Arguments(arguments).number(1)?;
    let (mantissa, exponent) = split(value);
    many([Value::Number(mantissa), Value::Number(f64::from(exponent))])
}

fn split(value: f64) -> (f64, i32) {
    const EXPONENT_BITS: u64 = 0x7ff << 52;
    if value == 0.0 || !value.is_finite() {
        return (value, 0);
    }
    if value.abs() < f64::MIN_POSITIVE {
        let (mantissa, exponent) = split(value * 2f64.powi(54));
        return (mantissa, exponent - 54);
    }
    let bits = value.to_bits();
    let exponent = ((bits & EXPONENT_BITS) >> 52) as i32 - 1022;
    (f64::from_bits((bits & !EXPONENT_BITS) | (1022 << 52)), exponent)
}

fn ldexp(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let exponent = number::to_i32(arguments.number(2)?);
    one(scale(arguments.number(1)?, exponent))
}

/// `mantissa * 2^exponent`, rounded once.
fn scale(mantissa: f64, exponent: i32) -> f64 {
    // The mantissa is taken apart so that only the last step can leave the range of normal numbers.
    let (mantissa, own) = split(mantissa);
    match exponent.saturating_add(own) {
        ..-1080 => mantissa * 0.0,
        sum @ -1080..-1000 => mantissa * 2f64.powi(sum + 500) * 2f64.powi(-500),
        sum @ -1000..=1000 => mantissa * 2f64.powi(sum),
        sum @ 1001..1100 => mantissa * 2f64.powi(sum - 500) * 2f64.powi(500),
        1100.. => mantissa * f64::INFINITY,
    }
}

/// The integral and the fractional part, both with the sign of the number.
fn modf(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let value = Arguments(arguments).number(1)?;
    let fraction = if value.is_infinite() { 0f64.copysign(value) } else { (value - value.trunc()).copysign(value) };
    many([Value::Number(value.trunc()), Value::Number(fraction)])
}

fn random(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    const MOST: i32 = i32::MAX;
    // The remainder keeps the quotient below one.
    let fraction = f64::from(host.random() % MOST) / f64::from(MOST);
    let checked = Arguments(arguments);
    let integer = |position| checked.number(position).map(number::to_i32);
    match arguments.len() {
        0 => one(fraction),
        1 => {
            let high = integer(1)?;
            if high < 1 {
                return Err(ScriptError::argument(1, "interval is empty"));
            }
            one((fraction * f64::from(high)).floor() + 1.0)
        }
        2 => {
            let (low, high) = (integer(1)?, integer(2)?);
            if low > high {
                return Err(ScriptError::argument(2, "interval is empty"));
            }
            let span = high.wrapping_sub(low).wrapping_add(1);
            one((fraction * f64::from(span)).floor() + f64::from(low))
        }
        _ => Err(ScriptError::message("wrong number of arguments")),
    }
}

fn randomseed(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    host.seed_random(number::to_i32(Arguments(arguments).number(1)?));
    none()
}

/// The bits of the generator's state.
const STATE: u64 = (1 << 48) - 1;

/// The generator behind `math.random`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Default for Random {
    /// The state in which a server starts.
    fn default() -> Random {
        Random(0x1234_abcd_330e)
    }
}

impl Random {
    /// The generator in this state, of which 48 bits count.
    pub fn from_state(state: u64) -> Random {
        Random(state & STATE)
    }

    /// The state, for [`Random::from_state`].
    pub fn state(self) -> u64 {
        self.0
    }

    /// The generator that begins with this seed.
    pub fn seeded(seed: i32) -> Random {
        Random(u64::from(seed as u32) << 16 | 0x330e)
    }

    /// The next 31 bits.
    pub fn draw(&mut self) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & STATE;
        (self.0 >> 17) as i32
    }
}
