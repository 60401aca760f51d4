//! Words of an inline command, with Redis's quoting.
//!
//! Outside of quotes, blanks part words. `"…"` knows `\n \r \t \b \a`, `\xHH` and `\` before any other byte; `'…'` knows
//! only `\'`. A closing quote ends the word, and must be followed by a blank or the end of the line; an opening one may
//! stand within a word.

use super::Span;

/// Appends the words of `line` to `bytes` and where they are to `spans`; `false` when a quote is not balanced (then
/// both lists hold a part of the line).
pub(super) fn split(line: &[u8], bytes: &mut Vec<u8>, spans: &mut Vec<Span>) -> bool {
    let mut rest = line;
    loop {
        let Some(begin) = rest.iter().position(|&byte| !is_blank(byte)) else { return true };
        rest = &rest[begin..];
        let start = bytes.len();
        let Some(behind) = word(rest, bytes) else { return false };
        rest = behind;
        // A line has at most 64 KiB, and a batch fewer bytes than its buffer.
        spans.push(Span { start: start as u32, len: (bytes.len() - start) as u32 });
    }
}

/// Appends one word, unescaped; returns what follows it, or nothing when a quote is not balanced.
fn word<'a>(mut rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t' | 0, ..] => return Some(rest),
            [b'"', behind @ ..] => return closed(double_quoted(behind, bytes)?),
            [b'\'', behind @ ..] => return closed(single_quoted(behind, bytes)?),
            [byte, behind @ ..] => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
}

/// What follows a closing quote, where that may follow one.
fn closed(rest: &[u8]) -> Option<&[u8]> {
    rest.first().is_none_or(|&byte| is_blank(byte)).then_some(rest)
}

fn double_quoted<'a>(mut rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', b'x', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescape(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return None,
        };
        bytes.push(byte);
        rest = behind;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [b'\'', behind @ ..] => return Some(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return None,
        };
        bytes.push(byte);
        rest = behind;
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

/// Value of a hexadecimal digit, which the caller has checked.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// C's `isspace`: Rust's ASCII white space, and the vertical tab.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
