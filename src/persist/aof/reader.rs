//! Reading an append-only file: streaming, bounded, and strict.
//!
//! A window of the file is in memory; it grows with what has arrived and never with what a header announces. Commands
//! are handed out in runs of up to [`LOG_READ_COMMANDS`], as spans into the window; annotations (`#...`) are kept back.
//! The commands between MULTI and EXEC come as a run of their own, and not before the EXEC was read: a transaction that
//! was cut off leaves no trace.
//!
//! Where the file ends within a record, or within a transaction, it is *torn*: a crash came between two writes, and
//! everything up to the last whole record or transaction stands. Anything else is *damage*. A length that was damaged
//! also makes a record seem to go on behind the end of the file; a record that is cut off and holds what looks like
//! further records is therefore damaged, not torn.

mod tail;

#[cfg(test)]
mod tests;

use std::io::{self, Read};

use crate::base::limits::{ANNOTATION_BYTES_MAX, LOG_READ_BYTES, LOG_READ_COMMANDS};
use crate::base::number::parse_u64;
use crate::protocol::request::{Batch, Parser, Request};

/// What comes next in a file.
#[derive(Debug)]
pub enum Next<'a> {
    /// Commands.
    Commands(Commands<'a>),
    /// The file ends where a record ends.
    End,
    /// The file ends within a record or a transaction.
    Torn(Torn),
}

/// An incomplete end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where the last whole record or transaction ends.
    pub offset: u64,
    /// Length of the rest.
    pub bytes: u64,
    /// Whether it is a transaction whose EXEC is missing, rather than a record.
    pub is_transaction: bool,
}

/// A run of commands, SELECT among them; every file begins in database 0.
#[derive(Clone, Copy)]
pub struct Commands<'a> {
    batch: &'a Batch,
    buffer: &'a [u8],
    len: usize,
    /// Offset of `buffer` in the file.
    base: u64,
    /// Where the first record begins in `buffer`.
    start: usize,
    is_transaction: bool,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What is at this offset is no record.
    #[error("damaged at offset {offset}: {reason}")]
    Damaged {
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The disk gives an error.
    #[error("cannot be read at offset {offset}: {source}")]
    Io {
        /// Where in the file.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads one file.
pub struct LogReader<R> {
    input: R,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that hold something.
    filled: usize,
    /// Where the next record begins in `buffer`.
    at: usize,
    /// Offset of `buffer` in the file.
    base: u64,
    is_at_end: bool,
    parser: Parser,
    batch: Batch,
    /// Where the MULTI begins whose EXEC is still to come; its records stay in the window.
    transaction: Option<usize>,
    annotated_s: Option<u64>,
}

/// What a record is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Command,
    Multi,
    Exec,
}

/// How far a step came.
enum Step {
    /// One more record, which begins here.
    Record(usize, Role),
    /// An annotation.
    Annotation,
    /// There is no whole record in the window, and it must not or cannot grow.
    Starved,
}

/// What was gathered: so many commands, from this place in the buffer on.
struct Run {
    len: usize,
    start: usize,
    is_transaction: bool,
}

impl<R: Read> LogReader<R> {
    /// A reader of what `input` gives, which begins at `offset` in the file.
    pub fn new(input: R, offset: u64) -> LogReader<R> {
        LogReader {
            input,
            buffer: Vec::new(),
            filled: 0,
            at: 0,
            base: offset,
            is_at_end: false,
            parser: Parser::new(true),
            batch: Batch::new(),
            transaction: None,
            annotated_s: None,
        }
    }

    /// Where in the file the first record begins that was not handed out.
    pub fn offset(&self) -> u64 {
        self.base + self.transaction.unwrap_or(self.at) as u64
    }

    /// The last time that was annotated, in Unix seconds.
    pub fn annotated_s(&self) -> Option<u64> {
        self.annotated_s
    }

    /// The next commands.
    ///
    /// # Errors
    /// Where the file is damaged; whatever is whole in front of that has been handed out before.
    pub fn next_commands(&mut self) -> Result<Next<'_>, ReadError> {
        match self.gather()? {
            Some(Run { len, start, is_transaction }) => Ok(Next::Commands(Commands {
                batch: &self.batch,
                buffer: &self.buffer,
                len,
                base: self.base,
                start,
                is_transaction,
            })),
            None if self.at == self.filled && self.transaction.is_none() => Ok(Next::End),
            None => self.torn().map(Next::Torn),
        }
    }

    /// Fills the batch with the next run; `None` at the end of what is whole.
    fn gather(&mut self) -> Result<Option<Run>, ReadError> {
        self.batch.clear();
        if let Some(start) = self.transaction.take() {
            // The last call ended within it: begin again, to come to the same end.
            self.at = start;
            self.parser.rewind();
        }
        let mut start = self.at;
        loop {
            let whole = self.batch.len();
            let step = match self.step() {
                // What is whole comes first; the next call meets the error again.
                Err(_) if whole > 0 && self.transaction.is_none() => return Ok(run(whole, start)),
                step => step?,
            };
            // The window may have moved until here; with a record in it, it stays.
            if let Step::Record(begin, _) = step
                && whole == 0
            {
                start = begin;
            }
            match step {
                Step::Annotation => {}
                Step::Starved if self.transaction.is_some() => return Ok(None),
                Step::Starved => return Ok(run(whole, start)),
                Step::Record(_, Role::Command) if self.transaction.is_some() || whole + 1 < LOG_READ_COMMANDS => {}
                Step::Record(_, Role::Command) => return Ok(run(whole + 1, start)),
                Step::Record(begin, Role::Multi | Role::Exec) if whole > 0 && self.transaction.is_none() => {
                    self.at = begin;
                    return Ok(run(whole, start));
                }
                Step::Record(begin, Role::Multi) => {
                    if self.transaction.is_some() {
                        return Err(self.damage(begin, "a MULTI within a transaction: the EXEC before it is missing"));
                    }
                    self.transaction = Some(begin);
                    self.batch.clear();
                }
                Step::Record(begin, Role::Exec) => {
                    let Some(multi) = self.transaction.take() else {
                        self.at = begin;
                        return Err(self.damage(begin, "an EXEC without a MULTI before it"));
                    };
                    if whole > 0 {
                        return Ok(Some(Run { len: whole, start: multi, is_transaction: true }));
                    }
                    self.batch.clear();
                }
            }
        }
    }

    /// Reads one record or annotation.
    fn step(&mut self) -> Result<Step, ReadError> {
        loop {
            let missing = match self.buffer.get(self.at..self.filled).unwrap_or_default() {
                [] => 1,
                [b'#', rest @ ..] => match rest.iter().position(|byte| *byte == b'\n') {
                    Some(end) if end < ANNOTATION_BYTES_MAX => {
                        self.annotated_s = annotated_time(&rest[..end]).or(self.annotated_s);
                        self.at += end + 2;
                        return Ok(Step::Annotation);
                    }
                    None if rest.len() < ANNOTATION_BYTES_MAX => 1,
                    _ => return Err(self.damage(self.at, "an annotation does not end")),
                },
                [b'*'] => 1,
                [b'*', b'1'..=b'9', ..] => {
                    let commands = self.batch.len();
                    let filled = &self.buffer[..self.filled];
                    match self.parser.parse(filled, self.at, &mut self.batch, 1) {
                        Err(error) => {
                            self.parser.rewind();
                            let text = error.to_string();
                            // As an error reply it begins with its kind.
                            let reason = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
                            return Err(self.damage(self.at, reason));
                        }
                        Ok(_) if self.batch.len() > commands => {
                            let begin = std::mem::replace(&mut self.at, self.batch.end(commands));
                            return Ok(Step::Record(begin, self.role(commands)));
                        }
                        Ok(progress) => progress.reserve(self.filled - self.at, LOG_READ_BYTES),
                    }
                }
                [b'*', found, ..] => {
                    let reason = format!("the number of a record's arguments begins with '{}'", found.escape_ascii());
                    return Err(self.damage(self.at, &reason));
                }
                [found, ..] => {
                    let reason = format!("a record begins with '*', not '{}'", found.escape_ascii());
                    return Err(self.damage(self.at, &reason));
                }
            };
            // What is whole is handed out before the window moves or grows; a transaction must stay in it.
            if (!self.batch.is_empty() && self.transaction.is_none()) || !self.fill(missing)? {
                return Ok(Step::Starved);
            }
        }
    }

    /// What the command at `index` of the batch is.
    fn role(&self, index: usize) -> Role {
        let request = self.batch.request(index, &self.buffer);
        match request.name().len() {
            5 if request.name().eq_ignore_ascii_case(b"MULTI") => Role::Multi,
            4 if request.name().eq_ignore_ascii_case(b"EXEC") => Role::Exec,
            _ => Role::Command,
        }
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self, missing: usize) -> Result<bool, ReadError> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.batch.is_empty() && self.transaction.is_none() && self.at > 0 {
            self.discard();
        }
        if self.buffer.len() - self.filled < missing.min(LOG_READ_BYTES) {
            self.buffer.resize(self.filled + missing.max(LOG_READ_BYTES), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    self.filled += count;
                    self.is_at_end = count == 0;
                    return Ok(count > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(ReadError::Io { offset: self.base + self.filled as u64, source }),
            }
        }
    }

    /// Forgets what was handed out.
    fn discard(&mut self) {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.base += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        // What one big record needed is not kept for all that follow.
        if self.buffer.len() > 4 * LOG_READ_BYTES && self.filled <= LOG_READ_BYTES {
            self.buffer.truncate(2 * LOG_READ_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    /// The rest of the file, which holds no whole record or no EXEC.
    fn torn(&self) -> Result<Torn, ReadError> {
        let rest = &self.buffer[self.at..self.filled];
        if let Some((offset, reason)) = tail::damage(rest) {
            return Err(self.damage(self.at + offset, reason));
        }
        if self.transaction.is_some()
            && let Some(index) = self.batch.requests(&self.buffer).position(is_damaged_exec)
        {
            return Err(self.damage(self.batch.end(index), "the EXEC that ends here is damaged"));
        }
        let offset = self.offset();
        let bytes = self.base + self.filled as u64 - offset;
        Ok(Torn { offset, bytes, is_transaction: self.transaction.is_some() })
    }

    fn damage(&self, at: usize, reason: &str) -> ReadError {
        ReadError::Damaged { offset: self.base + at as u64, reason: reason.to_owned() }
    }
}

impl<'a> Commands<'a> {
    /// Number of commands; at least 1.
    #[allow(clippy::len_without_is_empty)] // It is never empty.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The command at `index`.
    ///
    /// # Panics
    /// When there is none.
    pub fn request(&self, index: usize) -> Request<'a> {
        assert!(index < self.len, "there are {} commands", self.len);
        self.batch.request(index, self.buffer)
    }

    /// The commands in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Request<'a>> + use<'a> {
        let Commands { batch, buffer, len, .. } = *self;
        (0..len).map(move |index| batch.request(index, buffer))
    }

    /// Whether they stood between MULTI and EXEC.
    pub fn is_transaction(&self) -> bool {
        self.is_transaction
    }

    /// Where the run begins in the file.
    pub fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Where the command at `index` ends in the file.
    pub fn end(&self, index: usize) -> u64 {
        self.base + self.batch.end(index) as u64
    }
}

impl std::fmt::Debug for Commands<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A run of commands that stand for themselves.
fn run(len: usize, start: usize) -> Option<Run> {
    (len > 0).then_some(Run { len, start, is_transaction: false })
}

/// Whether a record within an open transaction must have been its EXEC: of the commands that a log holds, only those
/// that flush consist of one word.
fn is_damaged_exec(request: Request<'_>) -> bool {
    let flushes = [b"FLUSHALL".as_slice(), b"FLUSHDB"];
    request.len() == 1 && !flushes.iter().any(|name| request.name().eq_ignore_ascii_case(name))
}

/// The time of an annotation `TS:…`, without its `#`.
fn annotated_time(annotation: &[u8]) -> Option<u64> {
    parse_u64(annotation.strip_prefix(b"TS:")?.trim_ascii_end())
}
