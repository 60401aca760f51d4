//! The reply writer: appends RESP to a buffer, and is the only place that knows RESP2 from RESP3.
//!
//! A handler says what it replies (`map`, `null`, `double`), never how that is spelled. Replies are streamed: an
//! aggregate announces its length first, or is deferred ([`Reply::deferred_array`]) where the length shows only at the
//! end. A handler that fails half-way leaves nothing behind: the dispatcher takes a [`Mark`] before it and truncates.
//!
//! Short numbers, which are nearly all lengths, are copied with one eight-byte store out of a table of whole lines.

use super::decimal::{INTEGER_BYTES_MAX, decimal};
use super::error::{CommandError, ProtocolError};
use crate::base::number::format_f64;

/// Version of the protocol that a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// What a client speaks that has not said HELLO.
    #[default]
    Resp2,
    /// Maps, sets, doubles, booleans and pushes have types of their own.
    Resp3,
}

impl Protocol {
    /// HELLO's number.
    pub const fn version(self) -> i64 {
        match self {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }

    /// The protocol of HELLO's number.
    pub const fn from_version(version: i64) -> Option<Protocol> {
        match version {
            2 => Some(Protocol::Resp2),
            3 => Some(Protocol::Resp3),
            _ => None,
        }
    }
}

/// A place in the reply that can be returned to. Valid until the reply is truncated or taken before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Mark(usize);

/// A buffer of replies, in one version of the protocol.
#[derive(Debug, Default)]
pub struct Reply {
    buffer: Vec<u8>,
    protocol: Protocol,
    /// What is in front of it is not forgotten.
    kept: usize,
}

/// Numbers below this have their line in [`LINES`].
const LINES_COUNT: usize = 1000;

/// For each short number: room for the type's byte, the digits, CR LF, padding, and in the last byte the line's length.
static LINES: [[u8; 8]; LINES_COUNT] = lines();

const fn lines() -> [[u8; 8]; LINES_COUNT] {
    let mut lines = [[0; 8]; LINES_COUNT];
    let mut number = 0;
    while number < LINES_COUNT {
        let digits = [b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
        let skipped = (number < 10) as usize + (number < 100) as usize;
        let line = &mut lines[number];
        let mut at = 1;
        let mut digit = skipped;
        while digit < 3 {
            line[at] = digits[digit];
            at += 1;
            digit += 1;
        }
        line[at] = b'\r';
        line[at + 1] = b'\n';
        line[7] = at as u8 + 2;
        number += 1;
    }
    lines
}

/// What a deferred aggregate's header takes while its length is one digit; longer ones move what follows.
const DEFERRED_BYTES: usize = 4;

impl Reply {
    /// An empty reply.
    pub fn new(protocol: Protocol) -> Reply {
        Reply { buffer: Vec::new(), protocol, kept: 0 }
    }

    /// A reply that goes on behind what `buffer` holds.
    pub fn with_buffer(buffer: Vec<u8>, protocol: Protocol) -> Reply {
        Reply { buffer, protocol, kept: 0 }
    }

    /// The version in which the next value is written.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Switches the version for what follows.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Whether it is RESP3.
    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// What was written.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Number of bytes written.
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What the buffer has allocated.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Hands out what was written and begins anew, without an allocation.
    pub fn take(&mut self) -> Vec<u8> {
        self.kept = 0;
        std::mem::take(&mut self.buffer)
    }

    /// Forgets what was written, and keeps at most `kept` bytes allocated.
    pub fn clear(&mut self, kept: usize) {
        self.kept = 0;
        self.buffer.clear();
        if self.buffer.capacity() > kept {
            self.buffer.shrink_to(kept);
        }
    }

    /// Forgets the first `count` bytes, those that were sent.
    pub fn drain_front(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
    }

    /// The end of what was written so far.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.buffer.len())
    }

    /// Forgets what was written since `mark`.
    #[inline]
    pub fn truncate(&mut self, mark: Mark) {
        self.buffer.truncate(mark.0.max(self.kept));
    }

    /// Appends bytes that are no part of the running command's reply, and stay if that is forgotten.
    pub fn raw_for_good(&mut self, bytes: &[u8]) {
        self.raw(bytes);
        self.kept = self.buffer.len();
    }

    /// What was written since `mark`.
    pub fn since(&self, mark: Mark) -> &[u8] {
        self.buffer.get(mark.0..).unwrap_or_default()
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.buffer.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; `text` is one line.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']), "a simple string is one line");
        self.buffer.push(b'+');
        self.buffer.extend_from_slice(text.as_bytes());
        self.line_end();
    }

    /// A failed command.
    #[cold]
    pub fn error(&mut self, error: &CommandError) {
        self.buffer.push(b'-');
        error.write_to(&mut self.buffer);
        self.line_end();
    }

    /// The last words before a connection closes; nothing where it closes silently.
    #[cold]
    pub fn protocol_error(&mut self, error: &ProtocolError) {
        if !error.is_silent() {
            self.buffer.push(b'-');
            error.write_to(&mut self.buffer);
            self.line_end();
        }
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// The length of something, as an integer.
    #[inline]
    pub fn count(&mut self, value: usize) {
        // No length exceeds isize::MAX.
        self.header(b':', value as i64);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.buffer.reserve(bytes.len() + INTEGER_BYTES_MAX + 5);
        self.header(b'$', bytes.len() as i64);
        self.buffer.extend_from_slice(bytes);
        self.line_end();
    }

    /// A bulk string, or null.
    #[inline]
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// One bulk string made of `parts`.
    pub fn bulk_parts(&mut self, parts: &[&[u8]]) {
        let len = parts.iter().map(|part| part.len()).sum();
        self.bulk_with(len, |out| parts.iter().for_each(|part| out.extend_from_slice(part)));
    }

    /// A bulk string of `len` bytes that `fill` appends.
    ///
    /// # Panics
    /// When `fill` appends another number of bytes: that would break the protocol for all that follows.
    #[inline]
    pub fn bulk_with(&mut self, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.reserve(len + INTEGER_BYTES_MAX + 5);
        self.header(b'$', len as i64);
        let start = self.buffer.len();
        fill(&mut self.buffer);
        assert_eq!(self.buffer.len() - start, len, "a bulk string of another length than announced");
        self.line_end();
    }

    /// A bulk string that holds a decimal integer.
    #[inline]
    pub fn bulk_integer(&mut self, value: i64) {
        let mut digits = [0; INTEGER_BYTES_MAX];
        let text = decimal(value, &mut digits);
        self.bulk(text);
    }

    /// Null where a value could be.
    #[inline]
    pub fn null(&mut self) {
        self.buffer.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// Null where an array could be.
    #[inline]
    pub fn null_array(&mut self) {
        self.buffer.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// `count` values follow.
    #[inline]
    pub fn array(&mut self, count: usize) {
        self.header(b'*', count as i64);
    }

    /// `count` pairs follow, key and value each.
    #[inline]
    pub fn map(&mut self, count: usize) {
        match self.protocol {
            Protocol::Resp3 => self.header(b'%', count as i64),
            Protocol::Resp2 => self.header(b'*', 2 * count as i64),
        }
    }

    /// `count` distinct values follow.
    #[inline]
    pub fn set(&mut self, count: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, count as i64);
    }

    /// `count` values follow, which nobody asked for.
    #[inline]
    pub fn push(&mut self, count: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, count as i64);
    }

    /// A floating point number.
    pub fn double(&mut self, value: f64) {
        let text = format_f64(value);
        match self.protocol {
            Protocol::Resp2 => self.bulk(&text),
            Protocol::Resp3 => {
                self.buffer.push(b',');
                self.buffer.extend_from_slice(&text);
                self.line_end();
            }
        }
    }

    /// A truth value.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.buffer.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp3, true) => b"#t\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp2, false) => b":0\r\n",
        });
    }

    /// An integer of any size, in decimal digits.
    pub fn big_number(&mut self, digits: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => {
                self.buffer.push(b'(');
                self.buffer.extend_from_slice(digits);
                self.line_end();
            }
        }
    }

    /// Text to be shown as it is; `format` is `txt` or `mkd`.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        debug_assert_eq!(format.len(), 3, "a verbatim string's format has three letters");
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', (text.len() + 4) as i64);
                self.buffer.extend_from_slice(format.as_bytes());
                self.buffer.push(b':');
                self.buffer.extend_from_slice(text);
                self.line_end();
            }
        }
    }

    /// Bytes that are RESP already, in this version.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Begins an aggregate whose length shows at its end: one of the `finish_` functions must follow. They nest.
    #[inline]
    pub fn deferred_array(&mut self) -> Mark {
        let mark = self.mark();
        self.buffer.extend_from_slice(&[0; DEFERRED_BYTES]);
        mark
    }

    /// The aggregate that began at `mark` is an array of `count` values.
    #[inline]
    pub fn finish_array(&mut self, mark: Mark, count: usize) {
        self.finish(mark, b'*', count);
    }

    /// The aggregate that began at `mark` is a map of `count` pairs.
    pub fn finish_map(&mut self, mark: Mark, count: usize) {
        match self.protocol {
            Protocol::Resp3 => self.finish(mark, b'%', count),
            Protocol::Resp2 => self.finish(mark, b'*', 2 * count),
        }
    }

    /// The aggregate that began at `mark` is a set of `count` values.
    pub fn finish_set(&mut self, mark: Mark, count: usize) {
        self.finish(mark, if self.is_resp3() { b'~' } else { b'*' }, count);
    }

    fn finish(&mut self, mark: Mark, kind: u8, count: usize) {
        let begin = mark.0 + DEFERRED_BYTES;
        let body_len = self.buffer.len() - begin;
        let mut digits = [0; INTEGER_BYTES_MAX];
        let digits = decimal(count as i64, &mut digits);
        let extra = digits.len() - 1;
        if extra > 0 {
            self.buffer.resize(self.buffer.len() + extra, 0);
            self.buffer.copy_within(begin..begin + body_len, begin + extra);
        }
        let header = &mut self.buffer[mark.0..begin + extra];
        header[0] = kind;
        header[1..=digits.len()].copy_from_slice(digits);
        header[digits.len() + 1..].copy_from_slice(b"\r\n");
    }

    #[inline]
    fn line_end(&mut self) {
        self.buffer.extend_from_slice(b"\r\n");
    }

    /// `kind`, the number, CR LF.
    #[inline]
    fn header(&mut self, kind: u8, number: i64) {
        match usize::try_from(number) {
            Ok(short) if short < LINES_COUNT => {
                let mut line = LINES[short];
                let len = usize::from(line[7]);
                line[0] = kind;
                let end = self.buffer.len() + len;
                self.buffer.extend_from_slice(&line);
                self.buffer.truncate(end);
            }
            _ => self.long_header(kind, number),
        }
    }

    fn long_header(&mut self, kind: u8, number: i64) {
        let mut digits = [0; INTEGER_BYTES_MAX];
        let digits = decimal(number, &mut digits);
        self.buffer.push(kind);
        self.buffer.extend_from_slice(digits);
        self.line_end();
    }
}

#[cfg(test)]
mod tests;
