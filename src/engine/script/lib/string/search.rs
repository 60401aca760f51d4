//! `find`, `match` and `gmatch`.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::super::value::{Arguments, Charge, Host, ScriptError, Text, Value, Values, one};
use super::super::pattern::{Captured, Matcher, is_plain, split_anchor};
use super::{integer_or, position};

/// What an iterator takes.
const ITERATOR_BYTES: usize = 96;
/// A search for plain text costs a step for so many bytes.
const PLAIN_BYTES_PER_STEP: usize = 16;

impl From<Captured<'_>> for Value {
    fn from(captured: Captured<'_>) -> Value {
        match captured {
            Captured::Bytes(bytes) => Value::text(bytes),
            Captured::Position(position) => Value::Number(position as f64),
        }
    }
}

/// Appends what the pattern captured in the match `start..end`: the whole match where it has no captures and `whole`.
pub(super) fn push_captures(
    matcher: &Matcher<'_, '_>,
    (start, end): (usize, usize),
    whole: bool,
    out: &mut Values,
) -> Result<(), ScriptError> {
    let count = if whole { matcher.capture_count() } else { matcher.own_captures() };
    for index in 0..count {
        out.push(matcher.capture(index, start, end)?.into());
    }
    Ok(())
}

/// Where the third argument lets a search begin.
fn start(arguments: &Arguments<'_>, length: usize) -> Result<usize, ScriptError> {
    let from = position(integer_or(arguments, 3, 1)?, length) - 1;
    Ok(usize::try_from(from).unwrap_or(0).min(length))
}

pub(super) fn find(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let (subject, pattern) = (arguments.text(1)?, arguments.text(2)?);
    let from = start(&arguments, subject.len())?;
    if arguments.get(4).is_true() || is_plain(&pattern) {
        host.tick(((subject.len() - from) / PLAIN_BYTES_PER_STEP) as u64)?;
        return match find_plain(&subject[from..], &pattern, host)? {
            None => one(Value::Nil),
            Some(at) => {
                let first = from + at + 1;
                super::super::many([Value::from(first as f64), Value::from((first + pattern.len() - 1) as f64)])
            }
        };
    }
    let (anchored, pattern) = split_anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern);
    let Some((start, end)) = matcher.find(from, anchored, host)? else { return one(Value::Nil) };
    let mut results = Values::from_iter([Value::from((start + 1) as f64), Value::from(end as f64)]);
    push_captures(&matcher, (start, end), false, &mut results)?;
    Ok(results)
}

/// Where `needle` begins in `text`: candidates by their first byte, each comparison that goes beyond it paid for.
fn find_plain(text: &[u8], needle: &[u8], host: &mut dyn Host) -> Result<Option<usize>, ScriptError> {
    let Some((&first, rest)) = needle.split_first() else { return Ok(Some(0)) };
    let mut from = 0;
    while text.len() - from >= needle.len() {
        let candidates = &text[from..=text.len() - needle.len()];
        let Some(at) = candidates.iter().position(|byte| *byte == first) else { return Ok(None) };
        let behind = &text[from + at + 1..];
        if behind.starts_with(rest) {
            return Ok(Some(from + at));
        }
        if rest.len() >= PLAIN_BYTES_PER_STEP {
            host.tick((rest.len() / PLAIN_BYTES_PER_STEP) as u64)?;
        }
        from += at + 1;
    }
    Ok(None)
}

pub(super) fn r#match(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let (subject, pattern) = (arguments.text(1)?, arguments.text(2)?);
    let from = start(&arguments, subject.len())?;
    let (anchored, pattern) = split_anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern);
    let Some(found) = matcher.find(from, anchored, host)? else { return one(Value::Nil) };
    let mut results = Values::new();
    push_captures(&matcher, found, true, &mut results)?;
    Ok(results)
}

/// An iterator over all matches; an anchor has no meaning here.
pub(super) fn gmatch(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let (subject, pattern) = (arguments.text(1)?, arguments.text(2)?);
    let mut from = 0;
    let charge = Charge::new(ITERATOR_BYTES);
    let next = move |host: &mut dyn Host, _: &[Value]| {
        let _ = &charge;
        next_match(host, &subject, &pattern, &mut from)
    };
    one(Value::Stateful(Rc::new(RefCell::new(next))))
}

fn next_match(host: &mut dyn Host, subject: &Text, pattern: &Text, from: &mut usize) -> Result<Values, ScriptError> {
    let mut matcher = Matcher::new(subject, pattern);
    let found = if *from > subject.len() { None } else { matcher.find(*from, false, host)? };
    let Some((start, end)) = found else {
        *from = subject.len() + 1;
        return one(Value::Nil);
    };
    // An empty match must not be found again.
    *from = end + usize::from(end == start);
    let mut results = Values::new();
    push_captures(&matcher, (start, end), true, &mut results)?;
    Ok(results)
}
