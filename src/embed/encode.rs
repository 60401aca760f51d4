//! Requests on their way to the dispatcher: several commands, one behind the other, as a connection would send them.
//!
//! The count of a command's arguments stands in front of them but is known at the end: room for it is left, and closed
//! by moving the header to its arguments. What is in front of a single command's header is skipped by its reader.

use crate::base::limits::{ARGUMENTS_MAX, BULK_BYTES_MAX};
use crate::base::number::format_u64;

/// Room for `*`, a count and CR LF.
const HEADER_BYTES: usize = 12;
/// Longest sequence of commands: what the parser's offsets can address, with room to spare.
const TOTAL_BYTES_MAX: usize = 2 * BULK_BYTES_MAX;

/// Commands in the protocol's bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// Complete commands.
    pub commands: usize,
    /// Where the header of the command under way may begin.
    begun: usize,
    arguments: usize,
    too_long: bool,
}

impl Encoded {
    /// Forgets everything, and keeps a small buffer.
    pub fn clear(&mut self, kept: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(kept);
        *self = Encoded { bytes: std::mem::take(&mut self.bytes), ..Encoded::default() };
    }

    /// Begins a command.
    pub fn begin(&mut self) {
        self.begun = self.bytes.len();
        self.arguments = 0;
        self.bytes.extend_from_slice(&[0; HEADER_BYTES]);
    }

    /// Appends an argument.
    pub fn argument(&mut self, bytes: &[u8]) {
        self.arguments += 1;
        self.too_long |= bytes.len() > BULK_BYTES_MAX
            || self.bytes.len() + bytes.len() > TOTAL_BYTES_MAX
            || self.arguments > ARGUMENTS_MAX;
        if self.too_long {
            return;
        }
        self.bytes.push(b'$');
        self.bytes.extend_from_slice(&format_u64(bytes.len() as u64));
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Ends the command.
    pub fn end(&mut self) {
        let count = format_u64(self.arguments as u64);
        let header_len = count.len() + 3;
        let header = &mut self.bytes[self.begun..self.begun + header_len];
        header[0] = b'*';
        header[1..=count.len()].copy_from_slice(&count);
        header[count.len() + 1..].copy_from_slice(b"\r\n");
        self.bytes.drain(self.begun + header_len..self.begun + HEADER_BYTES);
        self.commands += 1;
    }

    /// A whole command.
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        self.begin();
        arguments.iter().for_each(|argument| self.argument(argument.as_ref()));
        self.end();
    }

    /// The bytes; `None` if they are more than a request may be.
    pub fn bytes(&self) -> Option<&[u8]> {
        (!self.too_long).then_some(&self.bytes)
    }
}
