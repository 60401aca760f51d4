//! Replies of both protocols, each type kept apart, so that a test sees `*-1` and `$-1` and `_` as different things.

use std::fmt;
use std::io::{self, BufRead};

/// One reply as it came over the wire. Doubles keep their text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    NilBulk,
    NilArray,
    Null,
    Double(Vec<u8>),
    Boolean(bool),
    BigNumber(Vec<u8>),
    BlobError(Vec<u8>),
    Verbatim(Vec<u8>),
    Array(Vec<Reply>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
}

impl Reply {
    /// Reads one reply; attributes in front of it are dropped.
    pub fn read(input: &mut impl BufRead) -> io::Result<Reply> {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(malformed("a line without CR LF", &line));
        };
        let (kind, rest) = (line[0], &line[1..]);
        Ok(match kind {
            b'+' => Reply::Simple(rest.to_vec()),
            b'-' => Reply::Error(rest.to_vec()),
            b':' => Reply::Integer(number(rest)?),
            b',' => Reply::Double(rest.to_vec()),
            b'(' => Reply::BigNumber(rest.to_vec()),
            b'_' if rest.is_empty() => Reply::Null,
            b'#' if rest == b"t" => Reply::Boolean(true),
            b'#' if rest == b"f" => Reply::Boolean(false),
            b'$' if rest == b"-1" => Reply::NilBulk,
            b'*' if rest == b"-1" => Reply::NilArray,
            b'$' => Reply::Bulk(payload(input, rest)?),
            b'!' => Reply::BlobError(payload(input, rest)?),
            b'=' => Reply::Verbatim(payload(input, rest)?),
            b'*' => Reply::Array(elements(input, rest)?),
            b'~' => Reply::Set(elements(input, rest)?),
            b'>' => Reply::Push(elements(input, rest)?),
            b'%' => Reply::Map(pairs(input, rest)?),
            b'|' => {
                pairs(input, rest)?;
                Reply::read(input)?
            }
            _ => return Err(malformed("an unknown type", line)),
        })
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_) | Reply::BlobError(_))
    }

    /// Whether this is one of the three ways to say "nothing".
    pub fn is_nil(&self) -> bool {
        matches!(self, Reply::NilBulk | Reply::NilArray | Reply::Null)
    }

    /// The text of a scalar; empty for the rest.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Reply::Simple(b) | Reply::Error(b) | Reply::Bulk(b) | Reply::Double(b) => b,
            Reply::BigNumber(b) | Reply::BlobError(b) => b,
            Reply::Verbatim(b) => b.get(4..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The text of a scalar, for messages and for names that are known to be text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The number of an integer reply; fails the test on any other.
    pub fn integer(&self) -> i64 {
        match self {
            Reply::Integer(n) => *n,
            other => panic!("an integer was expected, not {other:?}"),
        }
    }

    /// The elements of an array, set or push; empty for the rest.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items,
            _ => &[],
        }
    }

    /// Every scalar in it, depth first.
    pub fn leaves(&self) -> Vec<&Reply> {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                items.iter().flat_map(Reply::leaves).collect()
            }
            Reply::Map(pairs) => pairs.iter().flat_map(|(k, v)| [k.leaves(), v.leaves()].concat()).collect(),
            scalar => vec![scalar],
        }
    }
}

fn malformed(what: &str, line: &[u8]) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}: \"{}\"", line.escape_ascii()))
}

fn number(text: &[u8]) -> io::Result<i64> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| malformed("not a number", text))
}

fn payload(input: &mut impl BufRead, length: &[u8]) -> io::Result<Vec<u8>> {
    let length = usize::try_from(number(length)?).map_err(|_| malformed("a negative length", length))?;
    let mut data = vec![0; length + 2];
    input.read_exact(&mut data)?;
    if !data.ends_with(b"\r\n") {
        return Err(malformed("a bulk string without CR LF", &data));
    }
    data.truncate(length);
    Ok(data)
}

fn elements(input: &mut impl BufRead, count: &[u8]) -> io::Result<Vec<Reply>> {
    (0..number(count)?).map(|_| Reply::read(input)).collect()
}

fn pairs(input: &mut impl BufRead, count: &[u8]) -> io::Result<Vec<(Reply, Reply)>> {
    (0..number(count)?).map(|_| Ok((Reply::read(input)?, Reply::read(input)?))).collect()
}

/// Long lists are cut: they are meant for the message of a failing test.
fn list(f: &mut fmt::Formatter<'_>, sign: &str, items: &[Reply]) -> fmt::Result {
    const SHOWN: usize = 40;
    f.write_str(sign)?;
    f.debug_list().entries(items.iter().take(SHOWN)).finish()?;
    if items.len() > SHOWN { write!(f, "… ({} elements)", items.len()) } else { Ok(()) }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |f: &mut fmt::Formatter<'_>, sign: &str, b: &[u8]| match b.len() {
            0..=200 => write!(f, "{sign}\"{}\"", b.escape_ascii()),
            length => write!(f, "{sign}\"{}…\" ({length} bytes)", b[..100].escape_ascii()),
        };
        match self {
            Reply::Simple(b) => text(f, "+", b),
            Reply::Error(b) => text(f, "-", b),
            Reply::Integer(n) => write!(f, ":{n}"),
            Reply::Bulk(b) => text(f, "$", b),
            Reply::NilBulk => f.write_str("$-1"),
            Reply::NilArray => f.write_str("*-1"),
            Reply::Null => f.write_str("_"),
            Reply::Double(b) => text(f, ",", b),
            Reply::Boolean(b) => write!(f, "#{b}"),
            Reply::BigNumber(b) => text(f, "(", b),
            Reply::BlobError(b) => text(f, "!", b),
            Reply::Verbatim(b) => text(f, "=", b),
            Reply::Array(items) => list(f, "", items),
            Reply::Set(items) => list(f, "~", items),
            Reply::Push(items) => list(f, ">", items),
            Reply::Map(pairs) => f.debug_map().entries(pairs.iter().take(40).map(|(k, v)| (k, v))).finish(),
        }
    }
}
