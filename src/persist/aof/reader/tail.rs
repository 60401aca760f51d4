//! Telling a torn end from damage: the bytes from the beginning of the first record that is not whole.

use crate::protocol::request::{Batch, Parser};

/// Most digits of a count or a length.
const DIGITS_MAX: usize = 10;

/// Places that are looked at for further records.
const CANDIDATES_MAX: usize = 1_000;

/// Why `rest` is not what a crash leaves of a record, and where that shows.
pub(super) fn damage(rest: &[u8]) -> Option<(usize, &'static str)> {
    if let Some(at) = no_prefix(rest) {
        return Some((at, "what stands here is neither a whole record nor the beginning of one"));
    }
    let has_more = further_record(rest).is_some();
    has_more.then_some((0, "the record is longer than the file, yet further records follow: its length is damaged"))
}

/// Where `rest` stops being the beginning of a record; `None` when it is one to its end.
fn no_prefix(rest: &[u8]) -> Option<usize> {
    if rest.first() == Some(&b'#') {
        return None;
    }
    let mut at = 0;
    let mut kind = b'*';
    while at < rest.len() {
        match header(&rest[at..], kind) {
            Header::Whole { number, len } => {
                at += len;
                if kind == b'$' {
                    at = at.saturating_add(number);
                    let line_end = rest.get(at..).unwrap_or_default();
                    if !b"\r\n".starts_with(&line_end[..line_end.len().min(2)]) {
                        return Some(at);
                    }
                    at = at.saturating_add(2);
                }
            }
            Header::Cut => return None,
            Header::Wrong => return Some(at),
        }
        kind = b'$';
    }
    None
}

/// What stands where a header should.
enum Header {
    Whole { number: usize, len: usize },
    Cut,
    Wrong,
}

fn header(bytes: &[u8], kind: u8) -> Header {
    let Some((&first, line)) = bytes.split_first() else { return Header::Cut };
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if first != kind || digits > DIGITS_MAX {
        return Header::Wrong;
    }
    let (number, end) = line.split_at(digits);
    match (number, end) {
        (_, []) => Header::Cut,
        ([], _) => Header::Wrong,
        (_, [b'\r']) => Header::Cut,
        (_, [b'\r', b'\n', ..]) => {
            let number = number.iter().fold(0usize, |sum, digit| sum.saturating_mul(10) + usize::from(digit - b'0'));
            Header::Whole { number, len: 1 + digits + 2 }
        }
        _ => Header::Wrong,
    }
}

/// Where within `rest`, behind its beginning, a whole record stands.
fn further_record(rest: &[u8]) -> Option<usize> {
    let starts = rest.windows(4).enumerate().filter(|(_, window)| matches!(window, [b'\r', b'\n', b'*', b'1'..=b'9']));
    let (mut parser, mut batch) = (Parser::new(true), Batch::new());
    starts.map(|(at, _)| at + 2).take(CANDIDATES_MAX).find(|at| {
        parser.rewind();
        batch.clear();
        parser.parse(rest, *at, &mut batch, 1).is_ok() && !batch.is_empty()
    })
}
