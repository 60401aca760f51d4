//! Ids as clients write them.

use crate::base::number::parse_i64;
use crate::command::Args;
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::stream::StreamId;

/// Longest text that may be an id, in bytes.
const TEXT_MAX: usize = 127;

/// An id as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// `ms-seq`, or `ms` alone with a number that the caller knows.
    Whole(StreamId),
    /// `ms-*`.
    Time(u64),
}

/// Reads `ms-seq`, `ms` (with this number) or `ms-*`.
///
/// # Errors
/// When it is none of these.
pub fn parse(text: &[u8], missing_seq: u64) -> CommandResult<Given> {
    if text.len() > TEXT_MAX {
        return Err(CommandError::StreamId);
    }
    // Redis reads a C string.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut halves = text.splitn(2, |byte| *byte == b'-');
    let ms = halves.next().and_then(number).ok_or(CommandError::StreamId)?;
    match halves.next() {
        Some(b"*") => Ok(Given::Time(ms)),
        Some(seq) => Ok(Given::Whole(StreamId { ms, seq: number(seq).ok_or(CommandError::StreamId)? })),
        None => Ok(Given::Whole(StreamId { ms, seq: missing_seq })),
    }
}

/// Reads `ms-seq` or `ms` (with this number).
///
/// # Errors
/// When it is neither.
pub fn strict(text: &[u8], missing_seq: u64) -> CommandResult<StreamId> {
    match parse(text, missing_seq)? {
        Given::Whole(id) => Ok(id),
        Given::Time(_) => Err(CommandError::StreamId),
    }
}

/// As [`strict`], `-` and `+` for the ends of all ids.
///
/// # Errors
/// As there.
pub fn lenient(text: &[u8], missing_seq: u64) -> CommandResult<StreamId> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => strict(text, missing_seq),
    }
}

/// The start of an interval; `(` in front excludes the id.
///
/// # Errors
/// When it is no id, or excludes the last one.
pub fn start(text: &[u8]) -> CommandResult<StreamId> {
    match excluded(text) {
        Some(text) => strict(text, 0)?.next().ok_or(CommandError::IntervalStart),
        None => lenient(text, 0),
    }
}

/// The end of an interval; `(` in front excludes the id.
///
/// # Errors
/// When it is no id, or excludes the first one.
pub fn end(text: &[u8]) -> CommandResult<StreamId> {
    match excluded(text) {
        Some(text) => strict(text, u64::MAX)?.previous().ok_or(CommandError::IntervalEnd),
        None => lenient(text, u64::MAX),
    }
}

fn excluded(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"(").filter(|rest| !rest.is_empty())
}

/// The rest of the arguments as ids.
///
/// # Errors
/// When one is none.
pub fn all(args: Args<'_>) -> CommandResult<Vec<StreamId>> {
    args.rest().map(|text| strict(text, 0)).collect()
}

/// An unsigned number as Redis reads it: an integer that is not negative, else whatever C's `strtoull` takes whole, which
/// counts a negative number from the top.
fn number(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    let value = digits.iter().try_fold(0, add)?;
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_redis_reads_them() {
        for (text, expected) in [
            ("5", Some((5, 9))),
            ("5-3", Some((5, 3))),
            ("18446744073709551615-18446744073709551615", Some((u64::MAX, u64::MAX))),
            ("18446744073709551616", None),
            ("007-+08", Some((7, 8))),
            (" 5- 6", Some((5, 6))),
            ("5-", None),
            ("-5", None),
            ("5--3", None),
            ("5--03", Some((5, 3u64.wrapping_neg()))),
            ("5-3-1", None),
            ("", None),
            ("5\0x", Some((5, 9))),
            ("-", None),
            ("+", None),
        ] {
            let id = strict(text.as_bytes(), 9).ok();
            assert_eq!(id.map(|id| (id.ms, id.seq)), expected, "{text:?}");
        }
        assert_eq!(parse(b"5-*", 0), Ok(Given::Time(5)));
        assert_eq!(start(b"(5-18446744073709551615"), Ok(StreamId::new(6, 0)));
        assert_eq!(end(b"(5-0"), Ok(StreamId::new(4, u64::MAX)));
        assert_eq!(end(b"(0-0"), Err(CommandError::IntervalEnd));
        assert_eq!(start(b"("), Err(CommandError::StreamId));
        assert_eq!((start(b"-"), end(b"+")), (Ok(StreamId::MIN), Ok(StreamId::MAX)));
        assert!(strict(&[b'1'; 128], 0).is_err());
    }
}
