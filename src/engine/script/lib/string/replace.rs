//! `gsub`: each match becomes a text, what a table holds for it, or what a function says.

use super::super::super::value::{Arguments, Host, ScriptError, Text, Value, Values};
use super::super::pattern::{Captured, Matcher, split_anchor};
use super::super::{many, number};
use super::search::push_captures;

/// The memory budget is asked each time the result has grown by so many bytes.
const BYTES_PER_QUESTION: usize = 16 << 10;

pub(super) fn gsub(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let (subject, pattern) = (arguments.text(1)?, arguments.text(2)?);
    let replacement = replacement(&arguments)?;
    let count_max = match arguments.get(4) {
        Value::Nil => usize::MAX,
        _ => usize::try_from(number::to_i32(arguments.number(4)?)).unwrap_or(0),
    };
    let (anchored, pattern) = split_anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern);
    let mut out = Vec::with_capacity(subject.len().min(BYTES_PER_QUESTION));
    let (mut at, mut count, mut asked) = (0, 0, 0);
    while count < count_max {
        let end = matcher.match_at(at, host)?;
        if let Some(end) = end {
            count += 1;
            put(host, &replacement, &matcher, (at, end), &subject, &mut out)?;
        }
        match end {
            Some(end) if end > at => at = end,
            _ if at < subject.len() => {
                out.push(subject[at]);
                at += 1;
            }
            _ => break,
        }
        if out.len() >= asked + BYTES_PER_QUESTION {
            asked = out.len();
            host.reserve(2 * asked)?;
        }
        if anchored {
            break;
        }
    }
    host.reserve(out.len() + subject.len() - at)?;
    out.extend_from_slice(&subject[at..]);
    many([Value::text(out), Value::from(count as f64)])
}

/// What a match is replaced with.
enum Replacement<'a> {
    /// A text in which `%0` to `%9` stand for the captures.
    Text(Text),
    /// A table, or a function.
    Lookup(&'a Value),
}

fn replacement<'a>(arguments: &Arguments<'a>) -> Result<Replacement<'a>, ScriptError> {
    match arguments.get(3) {
        Value::Text(text) => Ok(Replacement::Text(text.clone())),
        Value::Number(number) => Ok(Replacement::Text(Text::new(&number::text(*number)))),
        value if matches!(value.type_name(), "table" | "function") => Ok(Replacement::Lookup(value)),
        _ => Err(ScriptError::argument(3, "string/function/table expected")),
    }
}

fn put(
    host: &mut dyn Host,
    replacement: &Replacement<'_>,
    matcher: &Matcher<'_, '_>,
    (start, end): (usize, usize),
    subject: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    let result = match replacement {
        Replacement::Text(text) => return put_text(host, text, matcher, (start, end), out),
        Replacement::Lookup(Value::Table(table)) => table.get(&matcher.capture(0, start, end)?.into()),
        Replacement::Lookup(function) => {
            let mut captures = Values::new();
            push_captures(matcher, (start, end), true, &mut captures)?;
            host.call(function, &captures)?.into_iter().next().unwrap_or_default()
        }
    };
    if !result.is_true() {
        out.extend_from_slice(&subject[start..end]);
        return Ok(());
    }
    let Some(text) = result.as_text() else {
        return Err(ScriptError::message(format!("invalid replacement value (a {})", result.type_name())));
    };
    host.reserve(out.len() + text.len())?;
    out.extend_from_slice(&text);
    Ok(())
}

fn put_text(
    host: &mut dyn Host,
    text: &[u8],
    matcher: &Matcher<'_, '_>,
    (start, end): (usize, usize),
    out: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    host.tick(text.len() as u64 / 16)?;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        // Behind the end C reads a NUL.
        let captured = match bytes.next().copied().unwrap_or(0) {
            b'0' => matcher.whole(start, end),
            digit @ b'1'..=b'9' => matcher.capture(usize::from(digit - b'1'), start, end)?,
            other => {
                out.push(other);
                continue;
            }
        };
        match captured {
            Captured::Position(position) => number::write(position as f64, out),
            Captured::Bytes(bytes) => {
                host.reserve(out.len() + bytes.len())?;
                out.extend_from_slice(bytes);
            }
        }
    }
    Ok(())
}
