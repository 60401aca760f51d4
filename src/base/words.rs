//! Splitting a line into words by the quoting rules that redis.conf, redis-cli and inline commands share.
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
    let mut rest = &line[..line.iter().position(|b| *b == 0).unwrap_or(line.len())];
    let mut words = Vec::new();
    loop {
        let blank = rest.iter().take_while(|b| is_space(**b)).count();
        rest = &rest[blank..];
        if rest.is_empty() {
            return Some(words);
        }
        let (word, used) = word(rest)?;
        words.push(word);
        rest = &rest[used..];
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The first word of `text`, which does not begin with white space, and how many bytes it takes.
fn word(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut word = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = double_quoted(text, at + 1, &mut word)?;
                return ends_at(text, at).then_some((word, at));
            }
            b'\'' => {
                at = single_quoted(text, at + 1, &mut word)?;
                return ends_at(text, at).then_some((word, at));
            }
            _ if is_space(byte) => break,
            _ => word.push(byte),
        }
        at += 1;
    }
    Some((word, at))
}

fn ends_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| is_space(*byte))
}

/// Reads up to the closing quote, and returns where it goes on behind it.
fn double_quoted(text: &[u8], mut at: usize, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        let tail = text.get(at..)?;
        let (byte, used) = match tail {
            [] => return None,
            [b'"', ..] => return Some(at + 1),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), 4)
            }
            [b'\\', escaped, ..] => (unescape(*escaped), 2),
            [byte, ..] => (*byte, 1),
        };
        word.push(byte);
        at += used;
    }
}

fn single_quoted(text: &[u8], mut at: usize, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        let (byte, used) = match text.get(at..)? {
            [] => return None,
            [b'\\', b'\'', ..] => (b'\'', 2),
            [b'\'', ..] => return Some(at + 1),
            [byte, ..] => (*byte, 1),
        };
        word.push(byte);
        at += used;
    }
}

fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).map_or(0, |value| value as u8)
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
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
    }
}
