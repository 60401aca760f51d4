//! Lua 5.1 patterns over bytes: classes, sets, `%b()`, `%f[set]`, anchors, captures, and the quantifiers `* + - ?`.
//!
//! A pattern has no loop but the quantifier of a single character, so one pass from left to right needs no more than one
//! choice to remember per item of the pattern. The matcher keeps these choices on a list of its own instead of the call
//! stack: what it needs grows with the pattern, never with the subject, and nothing recurses. Time is another matter,
//! `a-a-a-a-b` takes powers of the subject's length, hence every comparison is paid for
//! ([`Host::tick`]).
//!
//! Mistakes in a pattern are found when the matcher reaches them, as in Lua: `('x'):find('y[')` is no error. As there,
//! a NUL ends a pattern.

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use super::super::value::{Host, ScriptError};

/// Most captures of one pattern, as in Lua.
const CAPTURES_MAX: usize = 32;
/// The host is asked after so many comparisons.
const STEPS_PER_PAYMENT: u32 = 256;
const ESCAPE: u8 = b'%';

const ENDS_WITH_ESCAPE: &str = "malformed pattern (ends with '%')";
const MISSING_BRACKET: &str = "malformed pattern (missing ']')";
const MISSING_SET: &str = "missing '[' after '%f' in pattern";
const UNBALANCED: &str = "unbalanced pattern";
const INVALID_INDEX: &str = "invalid capture index";
const INVALID_CAPTURE: &str = "invalid pattern capture";
const TOO_MANY_CAPTURES: &str = "too many captures";
const UNFINISHED_CAPTURE: &str = "unfinished capture";

/// What a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured<'s> {
    /// The text between the parentheses, or the whole match where the pattern has none.
    Bytes(&'s [u8]),
    /// `()`: the position in the subject, counted from 1.
    Position(usize),
}

#[derive(Clone, Copy, Debug)]
struct Capture {
    start: usize,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Position,
    At(usize),
}

/// What to do when the path taken so far leads nowhere.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// A greedy quantifier took up to `at`; it may give back down to `least`, and then goes on at `next`.
    Greedy { least: usize, at: usize, next: usize },
    /// A lazy quantifier of the item `item..end` may take one more at `at`.
    Lazy { at: usize, item: usize, end: usize },
    /// Go on at `next` without the optional character.
    Optional { at: usize, next: usize },
    /// The newest capture is forgotten.
    Opened,
    /// The capture is open again.
    Closed(usize),
}

/// A match of one pattern against one subject, with the captures of the last success.
pub struct Matcher<'s, 'p> {
    subject: &'s [u8],
    pattern: &'p [u8],
    captures: SmallVec<[Capture; 4]>,
    choices: SmallVec<[Choice; 8]>,
    steps: u32,
}

/// Where the matcher stands after an item of the pattern.
enum Next {
    /// Go on with the subject and the pattern from here.
    At(usize, usize),
    /// This path leads nowhere.
    Fail,
    /// The pattern is through.
    Done(usize),
}

/// Whether `pattern` is free of the characters that have a meaning (`string.find` then searches for plain text).
pub fn is_plain(pattern: &[u8]) -> bool {
    !until_nul(pattern).iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// The pattern as far as Lua reads it.
fn until_nul(pattern: &[u8]) -> &[u8] {
    &pattern[..pattern.iter().position(|byte| *byte == 0).unwrap_or(pattern.len())]
}

/// Splits the anchor `^` off; only [`Matcher::find`]'s callers know it.
pub fn split_anchor(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    }
}

impl<'s, 'p> Matcher<'s, 'p> {
    /// A matcher of `pattern`, whose anchor has been split off, against `subject`.
    pub fn new(subject: &'s [u8], pattern: &'p [u8]) -> Matcher<'s, 'p> {
        let pattern = until_nul(pattern);
        Matcher { subject, pattern, captures: SmallVec::new(), choices: SmallVec::new(), steps: 0 }
    }

    /// The first match at or behind `from`, as start and end; only at `from` when `anchored`.
    pub fn find(
        &mut self,
        from: usize,
        anchored: bool,
        host: &mut dyn Host,
    ) -> Result<Option<(usize, usize)>, ScriptError> {
        for start in from..=self.subject.len() {
            if let Some(end) = self.match_at(start, host)? {
                return Ok(Some((start, end)));
            }
            if anchored {
                break;
            }
        }
        Ok(None)
    }

    /// Matches at `start`, which is not beyond the subject, and returns where the match ends.
    pub fn match_at(&mut self, start: usize, host: &mut dyn Host) -> Result<Option<usize>, ScriptError> {
        self.captures.clear();
        self.choices.clear();
        let (mut at, mut item) = (start, 0);
        loop {
            self.pay(1, host)?;
            match self.step(at, item, host)? {
                Next::At(next_at, next_item) => (at, item) = (next_at, next_item),
                Next::Done(end) => return Ok(Some(end)),
                Next::Fail => match self.back(host)? {
                    Some(resumed) => (at, item) = resumed,
                    None => return Ok(None),
                },
            }
        }
    }

    /// How many values a match returns: its captures, or itself when the pattern has none.
    pub fn capture_count(&self) -> usize {
        self.captures.len().max(1)
    }

    /// How many captures the pattern has.
    pub fn own_captures(&self) -> usize {
        self.captures.len()
    }

    /// The match `start..end` itself.
    pub fn whole(&self, start: usize, end: usize) -> Captured<'s> {
        Captured::Bytes(&self.subject[start..end])
    }

    /// The capture with this index, counted from 0, of the match `start..end`.
    pub fn capture(&self, index: usize, start: usize, end: usize) -> Result<Captured<'s>, ScriptError> {
        match self.captures.get(index) {
            None if index == 0 => Ok(Captured::Bytes(&self.subject[start..end])),
            None => Err(ScriptError::message(INVALID_INDEX)),
            Some(Capture { end: End::Open, .. }) => Err(ScriptError::message(UNFINISHED_CAPTURE)),
            Some(Capture { start, end: End::Position }) => Ok(Captured::Position(start + 1)),
            Some(Capture { start, end: End::At(end) }) => Ok(Captured::Bytes(&self.subject[*start..*end])),
        }
    }

    fn pay(&mut self, steps: usize, host: &mut dyn Host) -> Result<(), ScriptError> {
        self.steps = self.steps.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        if self.steps >= STEPS_PER_PAYMENT {
            let due = std::mem::take(&mut self.steps);
            host.tick(u64::from(due))?;
        }
        Ok(())
    }

    /// The byte of the pattern, 0 behind its end.
    fn pattern_byte(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// The byte of the subject, 0 behind its end.
    fn subject_byte(&self, at: usize) -> u8 {
        self.subject.get(at).copied().unwrap_or(0)
    }

    /// Takes the item of the pattern at `item` to the subject at `at`.
    fn step(&mut self, at: usize, item: usize, host: &mut dyn Host) -> Result<Next, ScriptError> {
        let second = self.pattern_byte(item + 1);
        match self.pattern_byte(item) {
            0 => Ok(Next::Done(at)),
            b'(' if second == b')' => self.open(at, End::Position, item + 2),
            b'(' => self.open(at, End::Open, item + 1),
            b')' => self.close(at, item + 1),
            b'$' if item + 1 == self.pattern.len() => {
                Ok(if at == self.subject.len() { Next::Done(at) } else { Next::Fail })
            }
            ESCAPE if second == b'b' => self.balanced(at, item + 2, host),
            ESCAPE if second == b'f' => self.frontier(at, item + 2),
            ESCAPE if second.is_ascii_digit() => self.captured_again(at, second, item + 2, host),
            _ => self.single(at, item, host),
        }
    }

    /// A single character with the quantifier behind it.
    fn single(&mut self, at: usize, item: usize, host: &mut dyn Host) -> Result<Next, ScriptError> {
        let end = self.item_end(item).map_err(ScriptError::message)?;
        let fits = self.fits(at, item, end);
        match self.pattern_byte(end) {
            b'?' => {
                if !fits {
                    return Ok(Next::At(at, end + 1));
                }
                self.choices.push(Choice::Optional { at, next: end + 1 });
                Ok(Next::At(at + 1, end + 1))
            }
            b'-' => {
                self.choices.push(Choice::Lazy { at, item, end });
                Ok(Next::At(at, end + 1))
            }
            quantifier @ (b'*' | b'+') => {
                let least = at + usize::from(quantifier == b'+');
                if quantifier == b'+' && !fits {
                    return Ok(Next::Fail);
                }
                let mut most = least;
                while self.fits(most, item, end) {
                    most += 1;
                    self.pay(1, host)?;
                }
                if most > least {
                    self.choices.push(Choice::Greedy { least, at: most, next: end + 1 });
                }
                Ok(Next::At(most, end + 1))
            }
            _ if fits => Ok(Next::At(at + 1, end)),
            _ => Ok(Next::Fail),
        }
    }

    /// Returns to the newest choice that is left.
    fn back(&mut self, host: &mut dyn Host) -> Result<Option<(usize, usize)>, ScriptError> {
        while let Some(choice) = self.choices.pop() {
            self.pay(1, host)?;
            match choice {
                Choice::Opened => {
                    self.captures.pop();
                }
                Choice::Closed(index) => self.captures[index].end = End::Open,
                Choice::Optional { at, next } => return Ok(Some((at, next))),
                Choice::Greedy { least, at, next } => {
                    if at - 1 > least {
                        self.choices.push(Choice::Greedy { least, at: at - 1, next });
                    }
                    return Ok(Some((at - 1, next)));
                }
                Choice::Lazy { at, item, end } if self.fits(at, item, end) => {
                    self.choices.push(Choice::Lazy { at: at + 1, item, end });
                    return Ok(Some((at + 1, end + 1)));
                }
                Choice::Lazy { .. } => {}
            }
        }
        Ok(None)
    }

    fn open(&mut self, start: usize, end: End, next: usize) -> Result<Next, ScriptError> {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(ScriptError::message(TOO_MANY_CAPTURES));
        }
        self.captures.push(Capture { start, end });
        self.choices.push(Choice::Opened);
        Ok(Next::At(start, next))
    }

    fn close(&mut self, at: usize, next: usize) -> Result<Next, ScriptError> {
        let index = self.captures.iter().rposition(|capture| capture.end == End::Open);
        let index = index.ok_or_else(|| ScriptError::message(INVALID_CAPTURE))?;
        self.captures[index].end = End::At(at);
        self.choices.push(Choice::Closed(index));
        Ok(Next::At(at, next))
    }

    /// `%bxy`: from an `x` to the `y` that balances it.
    fn balanced(&mut self, at: usize, pair: usize, host: &mut dyn Host) -> Result<Next, ScriptError> {
        let (open, close) = (self.pattern_byte(pair), self.pattern_byte(pair + 1));
        if open == 0 || close == 0 {
            return Err(ScriptError::message(UNBALANCED));
        }
        if self.subject.get(at) != Some(&open) {
            return Ok(Next::Fail);
        }
        let mut depth = 1usize;
        let mut found = None;
        for (index, byte) in self.subject.iter().enumerate().skip(at + 1) {
            if *byte == close {
                depth -= 1;
                if depth == 0 {
                    found = Some(index);
                    break;
                }
            } else if *byte == open {
                depth += 1;
            }
        }
        self.pay(found.unwrap_or(self.subject.len()) - at, host)?;
        Ok(found.map_or(Next::Fail, |index| Next::At(index + 1, pair + 2)))
    }

    /// `%f[set]`: the byte before is not in the set, the one here is; both ends of the subject count as NUL.
    fn frontier(&mut self, at: usize, set: usize) -> Result<Next, ScriptError> {
        if self.pattern_byte(set) != b'[' {
            return Err(ScriptError::message(MISSING_SET));
        }
        let end = self.item_end(set).map_err(ScriptError::message)?;
        let before = at.checked_sub(1).map_or(0, |before| self.subject[before]);
        let crossed = !self.in_set(before, set, end) && self.in_set(self.subject_byte(at), set, end);
        Ok(if crossed { Next::At(at, end) } else { Next::Fail })
    }

    /// `%1`: the text of an earlier capture again.
    fn captured_again(&mut self, at: usize, digit: u8, next: usize, host: &mut dyn Host) -> Result<Next, ScriptError> {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        match index.and_then(|index| self.captures.get(index)) {
            None | Some(Capture { end: End::Open, .. }) => Err(ScriptError::message(INVALID_INDEX)),
            Some(Capture { end: End::Position, .. }) => Ok(Next::Fail),
            Some(&Capture { start, end: End::At(end) }) => {
                self.pay(end - start, host)?;
                let again = self.subject[at..].starts_with(&self.subject[start..end]);
                Ok(if again { Next::At(at + (end - start), next) } else { Next::Fail })
            }
        }
    }

    /// Where the single-character item that begins at `item` ends.
    fn item_end(&self, item: usize) -> Result<usize, &'static str> {
        match self.pattern_byte(item) {
            ESCAPE if item + 1 >= self.pattern.len() => Err(ENDS_WITH_ESCAPE),
            ESCAPE => Ok(item + 2),
            b'[' => {
                let mut at = item + 1 + usize::from(self.pattern_byte(item + 1) == b'^');
                // A bracket right behind the opening one is an ordinary character.
                loop {
                    let byte = self.pattern.get(at).ok_or(MISSING_BRACKET)?;
                    at += if *byte == ESCAPE && at + 1 < self.pattern.len() { 2 } else { 1 };
                    if self.pattern_byte(at) == b']' {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(item + 1),
        }
    }

    /// Whether the subject's byte at `at` is one of those that the item `item..end` stands for.
    #[inline]
    fn fits(&self, at: usize, item: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(at) else { return false };
        match self.pattern_byte(item) {
            b'.' => true,
            ESCAPE => in_class(byte, self.pattern_byte(item + 1)),
            b'[' => self.in_set(byte, item, end),
            literal => literal == byte,
        }
    }

    /// Whether `byte` is in the set whose brackets are the first and the last byte of `set..end`.
    fn in_set(&self, byte: u8, set: usize, end: usize) -> bool {
        let last = end - 1;
        let complement = self.pattern_byte(set + 1) == b'^';
        let mut at = set + 1 + usize::from(complement);
        while at < last {
            let first = self.pattern_byte(at);
            let found = if first == ESCAPE {
                at += 1;
                in_class(byte, self.pattern_byte(at))
            } else if self.pattern_byte(at + 1) == b'-' && at + 2 < last {
                at += 2;
                (first..=self.pattern_byte(at)).contains(&byte)
            } else {
                first == byte
            };
            if found {
                return !complement;
            }
            at += 1;
        }
        complement
    }
}

/// Whether `byte` is in the class that `%class` names; an upper-case name is the complement, and what names no class
/// stands for itself.
fn in_class(byte: u8, class: u8) -> bool {
    let member = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => is_space(byte),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    member != class.is_ascii_uppercase()
}

/// White space as C's `isspace` has it, vertical tab included.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
