//! `bit`: LuaBitOp. Numbers become 32 bits by rounding to the nearest integer, modulo 2^32, and results are signed.

#[cfg(test)]
mod tests;

use super::super::value::{Arguments, Host, ScriptError, Value, Values, one};
use super::Library;

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "bit",
    functions: &[
        ("arshift", |_, a| shift(a, |bits, by| (bits as i32 >> by) as u32)),
        ("band", |_, a| fold(a, |a, b| a & b)),
        ("bnot", |_, a| unary(a, |bits| !bits)),
        ("bor", |_, a| fold(a, |a, b| a | b)),
        ("bswap", |_, a| unary(a, u32::swap_bytes)),
        ("bxor", |_, a| fold(a, |a, b| a ^ b)),
        ("lshift", |_, a| shift(a, |bits, by| bits << by)),
        ("rol", |_, a| shift(a, u32::rotate_left)),
        ("ror", |_, a| shift(a, u32::rotate_right)),
        ("rshift", |_, a| shift(a, |bits, by| bits >> by)),
        ("tobit", |_, a| unary(a, |bits| bits)),
        ("tohex", tohex),
    ],
    constants: &[],
};

fn bits(arguments: &[Value], position: usize) -> Result<u32, ScriptError> {
    // Beside this sum a double has no room for a fraction, and its lowest bits are those of the rounded number.
    const ROUNDING: f64 = 6_755_399_441_055_744.0;
    Ok((Arguments(arguments).number(position)? + ROUNDING).to_bits() as u32)
}

fn result(bits: u32) -> Result<Values, ScriptError> {
    one(f64::from(bits as i32))
}

fn unary(arguments: &[Value], function: fn(u32) -> u32) -> Result<Values, ScriptError> {
    result(function(bits(arguments, 1)?))
}

fn fold(arguments: &[Value], function: fn(u32, u32) -> u32) -> Result<Values, ScriptError> {
    let mut sum = bits(arguments, 1)?;
    for position in 2..=arguments.len() {
        sum = function(sum, bits(arguments, position)?);
    }
    result(sum)
}

fn shift(arguments: &[Value], function: fn(u32, u32) -> u32) -> Result<Values, ScriptError> {
    let (value, by) = (bits(arguments, 1)?, bits(arguments, 2)?);
    result(function(value, by & 31))
}

/// The lowest digits in base sixteen, eight unless told otherwise; a negative count asks for capitals.
fn tohex(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    const DIGITS: usize = 8;
    let value = bits(arguments, 1)?;
    let count = if arguments.len() < 2 { DIGITS as i32 } else { bits(arguments, 2)? as i32 };
    let text = if count < 0 { format!("{value:08X}") } else { format!("{value:08x}") };
    let kept = usize::try_from(count.unsigned_abs()).unwrap_or(DIGITS).min(DIGITS);
    one(Value::text(&text[DIGITS - kept..]))
}
