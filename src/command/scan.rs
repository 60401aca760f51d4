//! Cursors and options of SCAN, HSCAN, SSCAN and ZSCAN, and the loop and the reply that they share.
//!
//! A cursor is what a client brings back to go on. Within one structure it is the 40 bits that tell positions of
//! [`crate::value::table::Table::scan`] apart; SCAN keeps 36 of them and puts the shard's number above. So a cursor has
//! fourteen digits at most: doubles hold it, which some clients keep it in, and scripts that make a number of it and a
//! text of that keep it whole. 0 begins and ends a walk.

use crate::base::glob::Glob;
use crate::base::number::format_u64;
use crate::command::Args;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// Bits of a cursor that say where in a structure a walk stands.
const POSITION_BITS: u32 = 40;
/// What a table's positions are multiples of, as a power of two.
const POSITION_SHIFT: u32 = 64 - POSITION_BITS;
/// Elements that a call looks at unless COUNT says otherwise.
const COUNT_DEFAULT: usize = 10;
/// Steps per wanted element after which a call ends even if it has found fewer.
const STEPS_PER_ELEMENT: usize = 10;

/// The options behind the cursor.
#[derive(Debug)]
pub struct ScanOptions<'a> {
    /// `None` where every name matches.
    pattern: Option<Glob>,
    count: usize,
    /// What `TYPE` asks for, as the client wrote it.
    pub type_name: Option<&'a [u8]>,
}

/// Reads the cursor, the way `strtoul` reads one: a sign is allowed, a negative number wraps, nothing at all is 0.
///
/// # Errors
/// When it is no number, or none of 64 bits.
pub fn read_cursor(args: &mut Args<'_>) -> CommandResult<u64> {
    parse_cursor(args.next_bytes()?).ok_or(CommandError::InvalidCursor)
}

fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add((digit - b'0').into()))?;
    Some(if negative { number.wrapping_neg() } else { number })
}

impl<'a> ScanOptions<'a> {
    /// Reads `[MATCH pattern] [COUNT count]` to the end of the arguments.
    ///
    /// # Errors
    /// For anything else, and for a count that is no positive integer.
    pub fn read(args: Args<'a>) -> CommandResult<Self> {
        Self::parse(args, false)
    }

    /// Reads `[MATCH pattern] [COUNT count] [TYPE type]` to the end of the arguments.
    ///
    /// # Errors
    /// As [`ScanOptions::read`].
    pub fn read_with_type(args: Args<'a>) -> CommandResult<Self> {
        Self::parse(args, true)
    }

    fn parse(mut args: Args<'a>, with_type: bool) -> CommandResult<Self> {
        let mut options = ScanOptions { pattern: None, count: COUNT_DEFAULT, type_name: None };
        while args.remaining() > 0 {
            if args.take_with_value("COUNT") {
                let count = args.next_i64()?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::Syntax)?;
            } else if args.take_with_value("MATCH") {
                let glob = Glob::new(args.next_bytes()?);
                options.pattern = (!glob.is_everything()).then_some(glob);
            } else if with_type && args.take_with_value("TYPE") {
                options.type_name = Some(args.next_bytes()?);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }
}

/// The elements that one call replies.
pub struct Page<'o> {
    pattern: Option<&'o Glob>,
    elements: Reply,
    visited: usize,
    written: usize,
}

impl Page<'_> {
    /// Counts an element that was met, and says whether its name matches: then it is to be [`Page::put`].
    #[inline]
    pub fn meets(&mut self, name: &[u8]) -> bool {
        self.visited += 1;
        self.pattern.is_none_or(|pattern| pattern.matches(name))
    }

    /// Appends a bulk string to the reply: a name, or a value behind its name.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.elements.bulk(bytes);
        self.written += 1;
    }
}

/// Walks from `cursor` on in steps, until enough elements were met, and writes the reply. A step takes a cursor, offers
/// what it finds there to the page, and returns the next cursor, or `None` at the end.
pub fn walk(
    reply: &mut Reply,
    cursor: u64,
    options: &ScanOptions<'_>,
    mut step: impl FnMut(u64, &mut Page<'_>) -> Option<u64>,
) {
    let elements = Reply::new(reply.protocol());
    let mut page = Page { pattern: options.pattern.as_ref(), elements, visited: 0, written: 0 };
    let mut next = Some(cursor);
    for _ in 0..=options.count.saturating_mul(STEPS_PER_ELEMENT) {
        let Some(cursor) = next.filter(|_| page.visited < options.count) else { break };
        next = step(cursor, &mut page);
    }
    reply.array(2);
    reply.bulk(&format_u64(next.unwrap_or(0)));
    reply.array(page.written);
    reply.raw(page.elements.bytes());
}

/// [`walk`] over one structure; its step takes and returns positions.
pub fn walk_collection(
    reply: &mut Reply,
    cursor: u64,
    options: &ScanOptions<'_>,
    mut step: impl FnMut(u64, &mut Page<'_>) -> Option<u64>,
) {
    walk(reply, cursor, options, |cursor, page| {
        // A cursor beyond all positions is one that nobody was given: the walk is over.
        if cursor >> POSITION_BITS != 0 {
            return None;
        }
        step(cursor << POSITION_SHIFT, page).map(|position| position >> POSITION_SHIFT)
    });
}

/// The reply for a key that does not exist.
pub fn reply_nothing(reply: &mut Reply) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_strtoul_does() {
        for (text, cursor) in [
            (&b"0"[..], Some(0)),
            (b"", Some(0)),
            (b"+17", Some(17)),
            (b"-1", Some(u64::MAX)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b"5\0x", Some(5)),
            (b"-", None),
            (b" 1", None),
            (b"1 ", None),
            (b"1x", None),
        ] {
            assert_eq!(parse_cursor(text), cursor, "{text:?}");
        }
    }

    #[test]
    fn a_walk_ends_after_enough_elements_or_steps() {
        let options = ScanOptions { pattern: Some(Glob::new(b"b*")), count: 3, type_name: None };
        let mut reply = Reply::default();
        walk(&mut reply, 5, &options, |cursor, page| {
            if page.meets(b"b") {
                page.put(b"b");
            }
            assert!(!page.meets(b"a"));
            Some(cursor + 1)
        });
        assert_eq!(reply.bytes(), b"*2\r\n$1\r\n7\r\n*2\r\n$1\r\nb\r\n$1\r\nb\r\n");
        let (mut reply, mut steps) = (Reply::default(), 0);
        walk(&mut reply, 0, &options, |cursor, _| {
            steps += 1;
            Some(cursor + 1)
        });
        assert_eq!(steps, 31);
        assert_eq!(reply.bytes(), b"*2\r\n$2\r\n31\r\n*0\r\n");
    }

    #[test]
    fn a_cursor_beyond_all_positions_ends_a_walk() {
        let options = ScanOptions { pattern: None, count: 10, type_name: None };
        let mut reply = Reply::default();
        walk_collection(&mut reply, 1 << POSITION_BITS, &options, |_, _| unreachable!("nothing is there"));
        assert_eq!(reply.bytes(), b"*2\r\n$1\r\n0\r\n*0\r\n");
    }
}
