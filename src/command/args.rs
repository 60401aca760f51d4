//! `Args`: a cursor over a command's arguments.
//!
//! A handler takes what it knows with `next_*` and keywords with [`Args::take`], and ends with [`Args::finish`]; all of
//! that before it touches any state.

use crate::base::number::{parse_f64, parse_i64};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::request::Request;

/// The arguments of one command and how far they are read; copying it remembers a place.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    request: Request<'a>,
    next: usize,
}

impl<'a> Args<'a> {
    /// All arguments; the cursor stands behind the command's name.
    pub fn new(request: Request<'a>) -> Args<'a> {
        Args::from(request, 1)
    }

    /// All arguments; the cursor stands in front of the one at `first`: 2 behind a subcommand's name.
    #[inline]
    pub fn from(request: Request<'a>, first: usize) -> Args<'a> {
        Args { request, next: first }
    }

    /// Number of all arguments, the name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.request.len()
    }

    /// Always false: there is a name at least.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How many arguments are not read yet.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.request.len() - self.next
    }

    /// The argument at `index`, the name being 0; empty behind the last.
    #[inline]
    pub fn at(&self, index: usize) -> &'a [u8] {
        self.request.get(index).unwrap_or_default()
    }

    /// The next argument.
    ///
    /// # Errors
    /// A syntax error when there is none: what arity cannot say.
    #[inline]
    pub fn next_bytes(&mut self) -> CommandResult<&'a [u8]> {
        let Some(argument) = self.request.get(self.next) else { return Err(CommandError::Syntax) };
        self.next += 1;
        Ok(argument)
    }

    /// The next argument, left where it is.
    #[inline]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.request.get(self.next)
    }

    /// The next argument as an integer.
    ///
    /// # Errors
    /// When there is none, or it is no integer of 64 bits.
    #[inline]
    pub fn next_i64(&mut self) -> CommandResult<i64> {
        self.next_i64_or(CommandError::NotInteger)
    }

    /// The next argument as an integer; `error` where it is none.
    ///
    /// # Errors
    /// As said.
    pub fn next_i64_or(&mut self, error: CommandError) -> CommandResult<i64> {
        parse_i64(self.next_bytes()?).ok_or(error)
    }

    /// The next argument as a float.
    ///
    /// # Errors
    /// When there is none, or it is no number.
    pub fn next_f64(&mut self) -> CommandResult<f64> {
        self.next_f64_or(CommandError::NotFloat)
    }

    /// The next argument as a float; `error` where it is none.
    ///
    /// # Errors
    /// As said.
    pub fn next_f64_or(&mut self, error: CommandError) -> CommandResult<f64> {
        parse_f64(self.next_bytes()?).ok_or(error)
    }

    /// Takes the next argument if it is this keyword, in any case.
    #[inline]
    pub fn take(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|argument| argument.eq_ignore_ascii_case(keyword.as_bytes()));
        self.next += found as usize;
        found
    }

    /// Takes a keyword that wants a value behind it; a keyword without one is left, and becomes a syntax error.
    #[inline]
    pub fn take_with_value(&mut self, keyword: &str) -> bool {
        self.remaining() >= 2 && self.take(keyword)
    }

    /// All that is not read yet.
    pub fn rest(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        let (request, first) = (self.request, self.next);
        (first..request.len()).map(move |index| request.argument(index))
    }

    /// Skips `count` arguments, as far as there are.
    pub fn skip(&mut self, count: usize) {
        self.next = (self.next + count).min(self.request.len());
    }

    /// The end of parsing.
    ///
    /// # Errors
    /// A syntax error when something is left.
    #[inline]
    pub fn finish(self) -> CommandResult {
        if self.next == self.request.len() { Ok(()) } else { Err(CommandError::Syntax) }
    }

    /// The request that these arguments are of.
    pub fn request(&self) -> Request<'a> {
        self.request
    }
}
