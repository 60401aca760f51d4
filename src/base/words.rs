//! Splitting a line into words by the quoting rules that redis.conf, redis-cli and inline commands share, and quoting.
//!
//! ```text
//! plain      up to the next white space
//! "quoted"   with \n \r \t \b \a, \xHH for a byte, and \ in front of anything else for itself
//! 'quoted'   with \' for a quote
//! ```
//!
//! A closing quote must be followed by white space or the end of the line. A NUL ends the line.

/// The words of `line`, or `None` when its quotes are unbalanced.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = unindented(&line[..line.iter().position(|byte| *byte == 0).unwrap_or(line.len())]);
    let mut words = Vec::new();
    while !rest.is_empty() {
        let mut word = Vec::new();
        rest = unindented(take(rest, &mut word)?);
        words.push(word);
    }
    Some(words)
}

/// A line without the white space that it begins with: C's `isspace`, which knows the vertical tab.
pub fn unindented(line: &[u8]) -> &[u8] {
    let begin = line.iter().position(|byte| !is_blank(*byte)).unwrap_or(line.len());
    &line[begin..]
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Appends the first word of a line, unescaped; returns what follows it, or nothing when a quote is not balanced. The
/// line has no NUL, and does not begin with white space.
pub fn take<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match line {
            // Other white space parts words and belongs to one that it stands in.
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Some(line),
            [b'"', behind @ ..] => return closed(double_quoted(behind, word)?),
            [b'\'', behind @ ..] => return closed(single_quoted(behind, word)?),
            [byte, behind @ ..] => {
                word.push(*byte);
                line = behind;
            }
        }
    }
}

/// What follows a closing quote, where that may follow one.
fn closed(rest: &[u8]) -> Option<&[u8]> {
    rest.first().is_none_or(|byte| is_blank(*byte)).then_some(rest)
}

/// Reads up to the closing quote; returns what follows it.
fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
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
        word.push(byte);
        rest = behind;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [b'\'', behind @ ..] => return Some(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return None,
        };
        word.push(byte);
        rest = behind;
    }
}

/// Value of a hexadecimal digit, which the caller has checked.
fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).map_or(0, |value| value as u8)
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

/// Appends a text in double quotes; what cannot be printed is escaped.
pub fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

/// A word as a file has it: as it is where nothing in it needs quotes, else in quotes.
pub fn written(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'\\#".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let mut text = Vec::new();
    quote(word, &mut text);
    text
}

#[cfg(test)]
mod tests {
    fn check(line: &str, expected: Option<&[&str]>) {
        let words = super::split(line.as_bytes());
        let expected = expected.map(|words| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(words, expected, "{line:?}");
    }

    #[test]
    fn lines_split_as_redis_splits_them() {
        check("", Some(&[]));
        check("  \t ", Some(&[]));
        check("set  key value\r\n", Some(&["set", "key", "value"]));
        check(r#"set "a b" 'c d'"#, Some(&["set", "a b", "c d"]));
        check(r#""" ''"#, Some(&["", ""]));
        check(r#""\x41\n\"\\\q\xzz""#, Some(&["A\n\"\\qxzz"]));
        check(r"'it\'s \n'", Some(&[r"it's \n"]));
        check(r#"ab"cd""#, Some(&["abcd"]));
        check(r#""a"b"#, None);
        check(r#""a"#, None);
        check("'a", None);
        check(r#""a\"#, None);
        check("a\0b", Some(&["a"]));
        check("a\x0bb \x0b c", Some(&["a\x0bb", "c"]));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for word in [&b"plain"[..], b"", b"two words", b"\"'\\#", &(0..=255).collect::<Vec<u8>>()] {
            let written = super::written(word);
            assert!(written.is_ascii() && !written.contains(&0));
            assert_eq!(super::split(&written), Some(vec![word.to_vec()]));
        }
        assert_eq!(super::written(b"a-b.c"), b"a-b.c");
        assert_eq!(super::written(b"a\x07\n\xff"), br#""a\a\n\xff""#);
    }
}
