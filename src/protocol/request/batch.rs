//! Parsed commands: spans into the connection's buffer, in lists that are used again and again.

use super::super::command;
use super::super::error::ProtocolError;
use super::is_cross_protocol;
use crate::base::words;

/// Where an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// Its length in bytes.
    pub len: u32,
}

/// Where a command's arguments are.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommandSpans {
    first: u32,
    /// Number of arguments; the highest bit says that they are in the batch's own bytes.
    count: u32,
    /// The offset in the connection's buffer behind the command.
    end: u32,
}

/// Marks a command whose arguments were copied; no count reaches it.
const COPIED: u32 = 1 << 31;

/// Commands that were parsed and not yet executed. Reusable (see [`Batch::clear`]), also for one connection after the
/// other: what is incomplete is kept by the parser.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) spans: Vec<Span>,
    commands: Vec<CommandSpans>,
    /// Words of inline commands, after unescaping.
    copied: Vec<u8>,
}

/// What stands behind each argument.
const LINE_END: &[u8] = b"\r\n";

/// What a cleared batch keeps allocated, in elements of each list.
const KEPT_MAX: usize = 4096;

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Number of commands.
    #[inline]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether no command is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Forgets all commands; what a burst allocated is given back.
    #[inline]
    pub fn clear(&mut self) {
        self.spans.clear();
        self.commands.clear();
        self.copied.clear();
        if self.spans.capacity() > KEPT_MAX || self.copied.capacity() > KEPT_MAX || self.commands.capacity() > KEPT_MAX
        {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.spans.shrink_to(KEPT_MAX);
        self.commands.shrink_to(KEPT_MAX);
        self.copied.shrink_to(KEPT_MAX);
    }

    /// The command at `index`, seen through the buffer it was parsed from.
    #[inline]
    pub fn request<'a>(&'a self, index: usize, buffer: &'a [u8]) -> Request<'a> {
        let command = self.commands[index];
        let is_framed = command.count & COPIED == 0;
        let bytes = if is_framed { buffer } else { &self.copied };
        let first = command.first as usize;
        Request { bytes, is_framed, spans: &self.spans[first..first + (command.count & !COPIED) as usize] }
    }

    /// All commands in order, seen through the buffer they were parsed from.
    pub fn requests<'a>(&'a self, buffer: &'a [u8]) -> impl ExactSizeIterator<Item = Request<'a>> {
        (0..self.len()).map(move |index| self.request(index, buffer))
    }

    /// The offset in the buffer behind the command at `index`.
    #[inline]
    pub fn end(&self, index: usize) -> usize {
        self.commands[index].end as usize
    }

    /// The spans from `first` on are a command that ends at `end`.
    #[inline]
    pub(super) fn push_array(&mut self, first: usize, end: usize) {
        let count = (self.spans.len() - first) as u32;
        self.commands.push(CommandSpans { first: first as u32, count, end: end as u32 });
    }

    /// `spans`, relative to `start`, are a command that ends at `end`.
    pub(super) fn push_moved_array(&mut self, spans: &[Span], start: usize, end: usize) {
        let first = self.spans.len();
        self.spans.extend(spans.iter().map(|span| Span { start: span.start + start as u32, len: span.len }));
        self.push_array(first, end);
    }

    /// Appends the words of an inline command; `false` when there are none.
    pub(super) fn push_inline(&mut self, line: &[u8], end: usize) -> Result<bool, ProtocolError> {
        let (first, copied) = (self.spans.len(), self.copied.len());
        if self.split_inline(line).is_none() {
            self.spans.truncate(first);
            self.copied.truncate(copied);
            return Err(ProtocolError::UnbalancedQuotes);
        }
        let Some(&name) = self.spans.get(first) else { return Ok(false) };
        let begin = name.start as usize;
        if is_cross_protocol(&self.copied[begin..begin + name.len as usize]) {
            self.spans.truncate(first);
            self.copied.truncate(copied);
            return Err(ProtocolError::CrossProtocol);
        }
        self.push_array(first, end);
        if let Some(command) = self.commands.last_mut() {
            command.count |= COPIED;
        }
        Ok(true)
    }

    /// Copies the words of a line, unescaped.
    fn split_inline(&mut self, line: &[u8]) -> Option<()> {
        let mut rest = words::unindented(line);
        while !rest.is_empty() {
            let start = self.copied.len();
            rest = words::unindented(words::take(rest, &mut self.copied)?);
            // A line has at most 64 KiB, and a batch fewer bytes than its buffer.
            self.spans.push(Span { start: start as u32, len: (self.copied.len() - start) as u32 });
        }
        Some(())
    }
}

/// One command: its name and arguments, borrowed from where they arrived.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    /// The arguments stand in `bytes` as they were sent, each behind its header. The parser takes headers in one form
    /// only, so that they are as this crate writes them.
    is_framed: bool,
}

impl<'a> Request<'a> {
    /// Number of arguments, the name included; at least 1.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // It is never empty.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The command's name as the client wrote it.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.argument(0)
    }

    /// The argument at `index`; 0 is the name.
    ///
    /// # Panics
    /// When there is none; the arity gate counts before a handler runs.
    #[inline]
    pub fn argument(&self, index: usize) -> &'a [u8] {
        self.bytes_of(self.spans[index])
    }

    /// The argument at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|&span| self.bytes_of(span))
    }

    /// The arguments in order, the name included.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| &bytes[span.start as usize..][..span.len as usize])
    }

    /// Appends the command as an array of bulk strings.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        command::header_of_command(out, self.len());
        if let (true, [name, .., last]) = (self.is_framed, self.spans) {
            let (start, end) = (name.start as usize, last.start as usize + last.len as usize + LINE_END.len());
            command::header_of_bulk(out, name.len as usize);
            out.extend_from_slice(&self.bytes[start..end]);
        } else {
            self.iter().for_each(|argument| command::bulk(out, argument));
        }
    }

    /// A copy that outlives the buffer, for commands that are queued.
    pub fn to_owned(&self) -> OwnedRequest {
        let total = self.spans.iter().map(|span| span.len as usize).sum();
        let mut bytes = Vec::with_capacity(total);
        let spans = self.iter().map(|argument| append(argument, &mut bytes)).collect();
        OwnedRequest { bytes: bytes.into(), spans }
    }

    #[inline]
    fn bytes_of(&self, span: Span) -> &'a [u8] {
        let start = span.start as usize;
        &self.bytes[start..start + span.len as usize]
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// A command with bytes of its own: two allocations, whatever its number of arguments.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnedRequest {
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedRequest {
    /// A command of these arguments, the name first; `None` for no argument, or for more bytes than spans can address.
    pub fn new<A: AsRef<[u8]>>(arguments: &[A]) -> Option<OwnedRequest> {
        let total = arguments.iter().try_fold(0u32, |sum, a| sum.checked_add(u32::try_from(a.as_ref().len()).ok()?))?;
        let mut bytes = Vec::with_capacity(total as usize);
        let spans: Box<[Span]> = arguments.iter().map(|argument| append(argument.as_ref(), &mut bytes)).collect();
        (!spans.is_empty()).then(|| OwnedRequest { bytes: bytes.into(), spans })
    }

    /// The command, as any other.
    #[inline]
    pub fn request(&self) -> Request<'_> {
        Request { bytes: &self.bytes, spans: &self.spans, is_framed: false }
    }

    /// Bytes that it holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.spans)
    }
}

/// Room for one command after the other, made of arguments that lie apart.
#[derive(Default)]
pub struct RequestBuffer {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl RequestBuffer {
    /// A command of these arguments, the name first; `None` for no argument, or for more bytes than spans can address.
    pub fn fill<'b>(&'b mut self, arguments: &[&[u8]]) -> Option<Request<'b>> {
        let total = arguments.iter().try_fold(0u32, |sum, a| sum.checked_add(u32::try_from(a.len()).ok()?))?;
        self.bytes.clear();
        self.spans.clear();
        self.bytes.reserve(total as usize);
        for argument in arguments {
            self.spans.push(append(argument, &mut self.bytes));
        }
        (!self.spans.is_empty()).then_some(Request { bytes: &self.bytes, spans: &self.spans, is_framed: false })
    }
}

impl std::fmt::Debug for OwnedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.request().fmt(f)
    }
}

/// Appends an argument and says where it is now; callers have bounded the total.
fn append(argument: &[u8], bytes: &mut Vec<u8>) -> Span {
    let start = bytes.len() as u32;
    bytes.extend_from_slice(argument);
    Span { start, len: argument.len() as u32 }
}
