//! `string`: positions count from 1, negative ones from the end. Patterns are matched in [`pattern`](super::pattern), one
//! conversion of `format` is printed in [`format`](super::format).

mod replace;
mod search;
#[cfg(test)]
mod tests;

use super::super::value::{Arguments, Host, ScriptError, Text, Value, Values, one};
use super::format::{Conversion, Radix, Spec, quote};
use super::{Library, buffer, number};

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "string",
    functions: &[
        ("byte", byte),
        ("char", char),
        ("dump", |_, _| Err(ScriptError::message("unable to dump given function"))),
        ("find", search::find),
        ("format", format),
        ("gfind", search::gmatch),
        ("gmatch", search::gmatch),
        ("gsub", replace::gsub),
        ("len", len),
        ("lower", |host, a| map(host, a, <[u8]>::to_ascii_lowercase)),
        ("match", search::r#match),
        ("rep", rep),
        ("reverse", |host, a| map(host, a, |text| text.iter().rev().copied().collect())),
        ("sub", sub),
        ("upper", |host, a| map(host, a, <[u8]>::to_ascii_uppercase)),
    ],
    constants: &[],
};

/// Most values that fit the stack, arguments and results together.
const STACK_MAX: usize = 8_000;

/// A position as C has it: from the end when negative, and never below 0.
fn position(from: i64, length: usize) -> i64 {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if from < 0 { from.saturating_add(length).saturating_add(1).max(0) } else { from }
}

/// An integer argument; C's conversion.
fn integer(arguments: &Arguments<'_>, at: usize) -> Result<i64, ScriptError> {
    arguments.number(at).map(number::to_i64)
}

fn integer_or(arguments: &Arguments<'_>, at: usize, default: i64) -> Result<i64, ScriptError> {
    if arguments.get(at).is_nil() { Ok(default) } else { integer(arguments, at) }
}

/// The part of a text from the position `first` to `last`, both included.
fn part(text: &[u8], first: i64, last: i64) -> &[u8] {
    let first = usize::try_from(position(first, text.len()).max(1)).unwrap_or(usize::MAX);
    let last = usize::try_from(position(last, text.len())).unwrap_or(0).min(text.len());
    if first > last { b"" } else { &text[first - 1..last] }
}

fn sub(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let text = arguments.text(1)?;
    let (first, last) = (integer(&arguments, 2)?, integer_or(&arguments, 3, -1)?);
    let part = part(&text, first, last);
    if part.len() == text.len() { one(text) } else { one(part) }
}

fn len(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    one(Arguments(arguments).text(1)?.len() as f64)
}

fn byte(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let text = arguments.text(1)?;
    let first = integer_or(&arguments, 2, 1)?;
    // What is left out is the first position as counted from the front.
    let last = integer_or(&arguments, 3, position(first, text.len()))?;
    let part = part(&text, first, last);
    if part.len() + arguments.0.len() > STACK_MAX {
        return Err(ScriptError::message("stack overflow (string slice too long)"));
    }
    Ok(part.iter().map(|byte| Value::Number(f64::from(*byte))).collect())
}

fn char(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let mut text = Vec::with_capacity(arguments.len());
    for at in 1..=arguments.len() {
        let code = number::to_i32(checked.number(at)?);
        text.push(u8::try_from(code).map_err(|_| ScriptError::argument(at, "invalid value"))?);
    }
    one(Value::text(text))
}

fn rep(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let text = arguments.text(1)?;
    let count = usize::try_from(number::to_i32(arguments.number(2)?)).unwrap_or(0);
    let length = text.len().saturating_mul(count);
    host.reserve(length)?;
    host.tick(length as u64 / 64)?;
    one(Value::text(text.repeat(count)))
}

fn map(host: &mut dyn Host, arguments: &[Value], function: fn(&[u8]) -> Vec<u8>) -> Result<Values, ScriptError> {
    let text = Arguments(arguments).text(1)?;
    host.reserve(text.len())?;
    host.tick(text.len() as u64 / 64)?;
    one(Value::text(function(&text)))
}

/// From this length on, and without a precision, `%s` takes a text as it is.
const LONG_TEXT_BYTES: usize = 100;

fn format(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let pattern = checked.text(1)?;
    let mut out = buffer(host, pattern.len())?;
    let (mut rest, mut at) = (&pattern[..], 1);
    while let Some(percent) = rest.iter().position(|byte| *byte == b'%') {
        out.extend_from_slice(&rest[..percent]);
        rest = &rest[percent + 1..];
        if let [b'%', behind @ ..] = rest {
            out.push(b'%');
            rest = behind;
            continue;
        }
        at += 1;
        if at > arguments.len() {
            return Err(ScriptError::argument(at, "no value"));
        }
        let (spec, used) = Spec::scan(rest).map_err(ScriptError::message)?;
        let letter = rest.get(used).copied().unwrap_or(0);
        host.tick(1)?;
        convert(host, &checked, at, &spec, letter, &mut out)?;
        rest = &rest[used + 1..];
    }
    out.extend_from_slice(rest);
    one(Value::text(out))
}

/// Prints the argument `at` as `letter` says.
fn convert(
    host: &mut dyn Host,
    arguments: &Arguments<'_>,
    at: usize,
    spec: &Spec,
    letter: u8,
    out: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    let mut float = |conversion| {
        spec.float(arguments.number(at)?, conversion, letter.is_ascii_uppercase(), out);
        Ok(())
    };
    let radix = match letter {
        b'e' | b'E' => return float(Conversion::Exponent),
        b'f' => return float(Conversion::Fixed),
        b'g' | b'G' => return float(Conversion::General),
        b'd' | b'i' => {
            spec.signed(number::to_i64(arguments.number(at)?), out);
            return Ok(());
        }
        b'c' => {
            let code = number::to_i64(arguments.number(at)?);
            // C keeps an `int`, of it a byte, and the text ends at a NUL.
            let byte = i32::try_from(code).unwrap_or(0) as u8;
            let start = out.len();
            Spec { precision: None, ..*spec }.text(&[byte], out);
            end_at_nul(start, out);
            return Ok(());
        }
        b'q' => {
            let text = arguments.text(at)?;
            host.reserve(out.len() + 4 * text.len())?;
            quote(&text, out);
            return Ok(());
        }
        b's' => return text(host, spec, &arguments.text(at)?, out),
        b'u' => Radix::Decimal,
        b'o' => Radix::Octal,
        b'x' => Radix::Hexadecimal,
        b'X' => Radix::UpperHexadecimal,
        other => {
            let shown = if other == 0 { Vec::new() } else { vec![other] };
            return Err(ScriptError::message([b"invalid option '%", &shown[..], b"' to 'format'"].concat()));
        }
    };
    spec.unsigned(number::to_u64(arguments.number(at)?), radix, out);
    Ok(())
}

fn text(host: &mut dyn Host, spec: &Spec, text: &Text, out: &mut Vec<u8>) -> Result<(), ScriptError> {
    host.reserve(out.len() + text.len())?;
    if spec.precision.is_none() && text.len() >= LONG_TEXT_BYTES {
        out.extend_from_slice(text);
        return Ok(());
    }
    let until_nul = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    spec.text(&text[..until_nul], out);
    Ok(())
}

/// Cuts what was printed from `start` on at its first NUL.
fn end_at_nul(start: usize, out: &mut Vec<u8>) {
    if let Some(nul) = out[start..].iter().position(|byte| *byte == 0) {
        out.truncate(start + nul);
    }
}
