//! The request parser: from the bytes of a connection to commands, without copying or allocating per command.
//!
//! A connection owns a read buffer and calls [`Parser::parse`] with it; complete commands are appended to a reusable
//! [`Batch`] as spans into that buffer. Three paths, from hot to cold:
//!
//! 1. `*N $len …` that is entirely there: [`Parser::complete_array`], one look at eight bytes for each header.
//! 2. Anything irregular (long headers, a command cut off by the end of the buffer): [`Parser::advance`], a state
//!    machine whose state is relative to the command's first byte, so that the connection may move the unread rest to
//!    the front of its buffer, and that never looks at a finished argument again.
//! 3. Lines that begin with anything but `*`: inline commands, whose unescaped words are copied behind the batch.
//!
//! Nothing is allocated from an announced size: spans grow with the arguments that arrived, and
//! [`Progress::reserve`] bounds what the connection should make room for.
//!
//! It behaves as Redis does, oddities included: no line end is found behind a NUL. Unlike Redis the outcome never
//! depends on how the bytes were cut into reads (a line has one limit, wherever the reads ended), the line ends behind
//! headers and bulks have to be there, and nobody sends more than [`ARGUMENTS_MAX`] arguments.

mod batch;

pub use batch::{Batch, OwnedRequest, Request, RequestBuffer, Span};

use super::error::ProtocolError;
use crate::base::limits::{
    ARGUMENTS_MAX, BULK_BYTES_MAX, INLINE_BYTES_MAX, UNAUTHENTICATED_ARGUMENTS_MAX, UNAUTHENTICATED_BULK_BYTES_MAX,
};

/// How far a call of [`Parser::parse`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Everything in front of this offset is finished: complete commands, and empty lines between them.
    pub consumed: usize,
    /// At least so many more bytes make up the command that begins at `consumed`; 0 where none was begun, or where the
    /// call ended because it was full: while `consumed` is short of the buffer's end, call again.
    pub missing: usize,
}

impl Progress {
    /// How much room to make for the next read when `arrived` bytes of the incomplete command are there: never more
    /// than what arrived already, nor less than `least`, whatever size was announced.
    pub fn reserve(&self, arrived: usize, least: usize) -> usize {
        self.missing.min(arrived).max(least)
    }
}

/// The parser of one connection.
#[derive(Debug)]
pub struct Parser {
    authenticated: bool,
    bulk_bytes_max: usize,
    partial: Partial,
}

/// What is known about the incomplete command; offsets are relative to its first byte.
#[derive(Debug, Default)]
struct Partial {
    /// The arguments that are complete.
    spans: Vec<Span>,
    /// Arguments that are still to come; `None` until the count is read.
    remaining: Option<u32>,
    /// Length of the bulk that begins at `position`, once its header is read.
    bulk: Option<u32>,
    /// Where to go on: a header or a bulk.
    position: usize,
    /// So many bytes from `position` on hold no line end.
    scanned: usize,
}

/// Spans that a parser keeps allocated between two incomplete commands.
const SPANS_KEPT_MAX: usize = 64;

/// Shortest argument on the wire, `$0\r\n\r\n`; bounds how many can have arrived.
const ARGUMENT_BYTES_MIN: usize = 6;

impl Partial {
    fn is_none(&self) -> bool {
        self.remaining.is_none() && self.scanned == 0
    }

    fn clear(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        spans.shrink_to(SPANS_KEPT_MAX);
        *self = Partial { spans, ..Partial::default() };
    }
}

/// What became of the command under the cursor.
enum Step {
    /// It ends at this offset.
    Complete(usize),
    /// It was nothing (an empty line, `*0`), up to this offset.
    Skipped(usize),
    /// At least so many bytes are missing.
    Incomplete(usize),
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new(true)
    }
}

impl Parser {
    /// A parser for a new connection; `authenticated` also where no password is asked for.
    pub fn new(authenticated: bool) -> Parser {
        Parser { authenticated, bulk_bytes_max: BULK_BYTES_MAX, partial: Partial::default() }
    }

    /// Says whether the client may send requests of any size. Without it every call delivers one command at most, so
    /// that what follows AUTH is parsed after AUTH ran.
    pub fn set_authenticated(&mut self, authenticated: bool) {
        self.authenticated = authenticated;
    }

    /// Sets `proto-max-bulk-len`.
    pub fn set_bulk_bytes_max(&mut self, bytes: usize) {
        self.bulk_bytes_max = bytes;
    }

    /// Forgets what is known of the incomplete command: the next call begins in front of it.
    pub fn rewind(&mut self) {
        self.partial.clear();
    }

    /// Whether a command has begun to arrive and is not complete.
    pub fn is_partial(&self) -> bool {
        !self.partial.is_none()
    }

    /// Appends up to `commands_max` complete commands of `buffer`, from offset `from` on, to `batch`.
    ///
    /// When the last call left a command incomplete, `from` must be where that command begins now.
    ///
    /// # Errors
    /// The bytes are no request. What was complete before is in the batch, and is to be executed before the error is
    /// reported and the connection closed.
    pub fn parse(
        &mut self,
        buffer: &[u8],
        from: usize,
        batch: &mut Batch,
        commands_max: usize,
    ) -> Result<Progress, ProtocolError> {
        if buffer.len() > u32::MAX as usize {
            return Err(ProtocolError::QueryBufferTooLong);
        }
        let mut budget = if self.authenticated { commands_max } else { commands_max.min(1) };
        let mut at = from;
        while budget > 0 && at < buffer.len() {
            let step = if self.partial.is_none() && buffer[at] == b'*' {
                self.complete_array(buffer, at, batch)?
            } else {
                self.resume(buffer, at, batch)?
            };
            match step {
                Step::Complete(end) => {
                    budget -= 1;
                    at = end;
                }
                Step::Skipped(end) => at = end,
                Step::Incomplete(missing) => return Ok(Progress { consumed: at, missing }),
            }
        }
        Ok(Progress { consumed: at, missing: 0 })
    }

    /// The hot path: an array that is there as a whole, with short headers. Hands over where it is not so.
    #[inline]
    fn complete_array(&mut self, buffer: &[u8], start: usize, batch: &mut Batch) -> Result<Step, ProtocolError> {
        let header_of_array = header(buffer, start, b'*').filter(|(count, _)| *count as usize <= ARGUMENTS_MAX);
        let Some((count, mut at)) = header_of_array else { return self.resume(buffer, start, batch) };
        if count == 0 {
            return Ok(Step::Skipped(at));
        }
        if !self.authenticated && count as usize > UNAUTHENTICATED_ARGUMENTS_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        let first = batch.spans.len();
        batch.spans.reserve((count as usize).min(buffer.len() / ARGUMENT_BYTES_MIN));
        let unauthenticated_max = if self.authenticated { usize::MAX } else { UNAUTHENTICATED_BULK_BYTES_MAX };
        let bulk_bytes_max = self.bulk_bytes_max.min(unauthenticated_max);
        for done in 0..count {
            if let Some((len, begin)) = header(buffer, at, b'$')
                && len as usize <= bulk_bytes_max
                && let end = begin + len as usize
                && buffer.get(end..).and_then(|rest| rest.first_chunk()) == Some(b"\r\n")
            {
                batch.spans.push(Span { start: begin as u32, len });
                at = end + 2;
            } else {
                self.hand_over(&mut batch.spans, first, start, at, count - done);
                return self.resume(buffer, start, batch);
            }
        }
        batch.push_array(first, at);
        Ok(Step::Complete(at))
    }

    /// Makes the arguments found so far, those from `first` on, the state of an incomplete command.
    #[cold]
    fn hand_over(&mut self, spans: &mut Vec<Span>, first: usize, start: usize, at: usize, remaining: u32) {
        let relative = |span: Span| Span { start: span.start - start as u32, len: span.len };
        self.partial.spans.extend(spans.drain(first..).map(relative));
        self.partial.remaining = Some(remaining);
        self.partial.position = at - start;
    }

    /// Goes on with the command that begins at `start`; delivers and forgets it when it is complete.
    fn resume(&mut self, buffer: &[u8], start: usize, batch: &mut Batch) -> Result<Step, ProtocolError> {
        if buffer[start] != b'*' {
            return self.inline(buffer, start, batch);
        }
        let step = self.advance(&buffer[start..])?;
        Ok(match step {
            Step::Complete(len) => {
                batch.push_moved_array(&self.partial.spans, start, start + len);
                self.partial.clear();
                Step::Complete(start + len)
            }
            Step::Skipped(len) => {
                self.partial.clear();
                Step::Skipped(start + len)
            }
            incomplete => incomplete,
        })
    }

    /// The state machine: as far as `command`, the bytes from the command's first one on, allows.
    fn advance(&mut self, command: &[u8]) -> Result<Step, ProtocolError> {
        if self.partial.remaining.is_none() {
            let Some((count, next)) = self.header(command, ProtocolError::MultibulkCountTooLong)? else {
                return Ok(Step::Incomplete(1));
            };
            let count = count.filter(|&n| n <= i64::from(i32::MAX)).ok_or(ProtocolError::InvalidMultibulkLength)?;
            if !self.authenticated && count > UNAUTHENTICATED_ARGUMENTS_MAX as i64 {
                return Err(ProtocolError::UnauthenticatedMultibulkLength);
            }
            if count > ARGUMENTS_MAX as i64 {
                return Err(ProtocolError::InvalidMultibulkLength);
            }
            // A negative count is a request for nothing, like zero.
            let Some(count) = u32::try_from(count).ok().filter(|&n| n > 0) else { return Ok(Step::Skipped(next)) };
            self.partial.remaining = Some(count);
            self.partial.position = next;
        }
        while let Some(remaining) = self.partial.remaining.filter(|&n| n > 0) {
            let Some(len) = self.bulk_length(command)? else { return Ok(Step::Incomplete(1)) };
            let begin = self.partial.position;
            let end = begin + len as usize + 2;
            if end > command.len() {
                return Ok(Step::Incomplete(end - command.len()));
            }
            if command[end - 2..end] != *b"\r\n" {
                return Err(ProtocolError::MissingLineEnd);
            }
            self.partial.spans.push(Span { start: begin as u32, len });
            self.partial.remaining = Some(remaining - 1);
            self.partial.bulk = None;
            self.partial.position = end;
        }
        Ok(Step::Complete(self.partial.position))
    }

    /// Length of the bulk under the cursor, from its header or as remembered; `None` until the header is complete.
    fn bulk_length(&mut self, command: &[u8]) -> Result<Option<u32>, ProtocolError> {
        if self.partial.bulk.is_some() {
            return Ok(self.partial.bulk);
        }
        let position = self.partial.position;
        let Some((len, next)) = self.header(command, ProtocolError::BulkCountTooLong)? else { return Ok(None) };
        match command[position] {
            b'$' => {}
            got => return Err(ProtocolError::ExpectedDollar(got)),
        }
        let len = len.and_then(|n| u32::try_from(n).ok()).ok_or(ProtocolError::InvalidBulkLength)?;
        if len as usize > self.bulk_bytes_max {
            return Err(ProtocolError::InvalidBulkLength);
        }
        if !self.authenticated && len as usize > UNAUTHENTICATED_BULK_BYTES_MAX {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.partial.bulk = Some(len);
        self.partial.position = next;
        Ok(Some(len))
    }

    /// The header under the cursor: its number (`None`: it is none) and where it ends; nothing until it is there.
    fn header(
        &mut self,
        command: &[u8],
        too_long: ProtocolError,
    ) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
        let position = self.partial.position;
        let Some(line) = self.line(&command[position..], b'\r', too_long)? else { return Ok(None) };
        let next = position + line + 2;
        if next > command.len() {
            return Ok(None);
        }
        if command[next - 1] != b'\n' {
            return Err(ProtocolError::MissingLineEnd);
        }
        self.partial.scanned = 0;
        Ok(Some((number(&command[position + 1..(position + line).max(position + 1)]), next)))
    }

    /// Offset of the first `end` in `bytes`, which begin at the cursor. Remembers what was looked at.
    fn line(&mut self, bytes: &[u8], end: u8, too_long: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let fresh = &bytes[self.partial.scanned.min(bytes.len())..];
        let stop = fresh.iter().position(|&byte| byte == end || byte == 0);
        let looked_at = self.partial.scanned + stop.unwrap_or(fresh.len());
        let found = stop.is_some_and(|stop| fresh[stop] == end);
        if looked_at > INLINE_BYTES_MAX || (!found && bytes.len() > INLINE_BYTES_MAX) {
            return Err(too_long);
        }
        self.partial.scanned = looked_at;
        Ok(found.then_some(looked_at))
    }

    /// An inline command: a line of words.
    #[cold]
    fn inline(&mut self, buffer: &[u8], start: usize, batch: &mut Batch) -> Result<Step, ProtocolError> {
        let Some(newline) = self.line(&buffer[start..], b'\n', ProtocolError::InlineTooLong)? else {
            return Ok(Step::Incomplete(1));
        };
        self.partial.clear();
        let line = &buffer[start..start + newline];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = start + newline + 1;
        if !batch.push_inline(line, end)? {
            return Ok(Step::Skipped(end));
        }
        Ok(Step::Complete(end))
    }
}

/// Whether a command of this name betrays an HTTP client (`POST / HTTP/1.1`, `Host: …`). The parser refuses them as
/// inline commands; as arrays they are unknown commands, so that the hot path need not look.
pub fn is_cross_protocol(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// The header at `at`: its number, and the offset behind its line; `None` for anything that is not a plain header, or
/// where the buffer ends too early to tell. One look at eight bytes tells those of one and two digits.
#[inline(always)]
fn header(buffer: &[u8], at: usize, kind: u8) -> Option<(u32, usize)> {
    /// `\r\n`, as it stands behind one digit.
    const LINE_END: u64 = 0x0a0d << 16;
    let Some(window) = buffer.get(at..).and_then(|rest| rest.first_chunk()) else {
        return long_header(buffer, at, kind);
    };
    let word = u64::from_le_bytes(*window);
    let digit = |place: u32| (word >> (8 * place) & 0xff).wrapping_sub(u64::from(b'0'));
    if word & 0xffff_00ff == LINE_END | u64::from(kind) && digit(1) <= 9 {
        return Some((digit(1) as u32, at + 4));
    }
    if word & 0x00ff_ff00_00ff == LINE_END << 8 | u64::from(kind) && digit(1).wrapping_sub(1) <= 8 && digit(2) <= 9 {
        return Some((digit(1) as u32 * 10 + digit(2) as u32, at + 5));
    }
    long_header(buffer, at, kind)
}

/// As [`header`], for up to nine digits, and at the buffer's end.
fn long_header(buffer: &[u8], at: usize, kind: u8) -> Option<(u32, usize)> {
    /// Digits that cannot overflow.
    const DIGITS_MAX: usize = 9;
    let (&first, rest) = buffer.get(at..)?.split_first()?;
    let digits = rest.iter().take(DIGITS_MAX + 1).position(|byte| !byte.is_ascii_digit())?;
    let (number, end) = rest.split_at(digits);
    let plain = matches!(number, [_] | [b'1'..=b'9', ..]) && first == kind && end.starts_with(b"\r\n");
    let value =
        number.iter().fold(0, |value: u32, &digit| value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')));
    plain.then_some((value, at + 1 + digits + 2))
}

/// An integer as Redis reads one: no plus sign, no leading zero, no space.
fn number(digits: &[u8]) -> Option<i64> {
    match digits {
        b"0" => Some(0),
        [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => std::str::from_utf8(digits).ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
