//! `Input`: the bytes of RDB data as they come, with their offset and their checksum, and what is written in them
//! everywhere: numbers, lengths, strings.
//!
//! One buffer holds what was read and is not used yet. What a number in the data announces is never allocated for: the
//! buffer grows, by doubling at the most, only when what has arrived fills it.

use std::io::Read;

use super::error::{RdbError, Result};
use super::format::{encoding, length};
use super::lzf;
use crate::base::crc64::Crc64;
use crate::base::limits::{BULK_BYTES_MAX, RDB_BLOB_BYTES_MAX};
use crate::base::number::format_i64;

/// What is read at once, and the least room of the buffer.
const ROOM: usize = 256 << 10;

/// See the module's text.
pub struct Input<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bytes that are read and not used yet.
    at: usize,
    end: usize,
    /// Offset of the buffer's first byte in the data.
    base: u64,
    /// The sum of everything up to `summed` in the buffer.
    sum: Crc64,
    summed: usize,
    /// Room for a string that does not stand in the data as it is.
    text: Vec<u8>,
}

/// A length as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So much.
    Plain(u64),
    /// None: a string is written in this encoding.
    Encoded(u8),
}

/// A string as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// As the integer that it spells.
    Integer(i64),
    /// As it is; it stands in the buffer.
    Here(usize, usize),
    /// Compressed; it was expanded beside the buffer.
    Expanded,
}

impl Input<std::io::Empty> {
    /// Data that is there as a whole.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut input = Input::with_room(std::io::empty(), 0);
        input.buffer.extend_from_slice(bytes);
        input.end = bytes.len();
        input
    }
}

impl<R: Read> Input<R> {
    /// Data that comes from `source`, whose first byte has offset 0.
    pub fn new(source: R) -> Self {
        Input::with_room(source, ROOM)
    }

    fn with_room(source: R, room: usize) -> Self {
        let buffer = vec![0; room];
        Input { source, buffer, at: 0, end: 0, base: 0, sum: Crc64::default(), summed: 0, text: Vec::new() }
    }

    /// Offset of what comes next.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The checksum of all that was used so far.
    pub fn checksum(&mut self) -> u64 {
        self.sum.update(&self.buffer[self.summed..self.at]);
        self.summed = self.at;
        self.sum.value()
    }

    /// What was read beyond what was used, and where more comes from.
    pub fn into_rest(mut self) -> (Vec<u8>, R) {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.at);
        (self.buffer, self.source)
    }

    /// Whether everything was used.
    pub fn is_at_end(&self) -> bool {
        self.at == self.end
    }

    /// An error about what stands at `offset`.
    pub fn damaged<T>(&self, offset: u64, what: &'static str) -> Result<T> {
        Err(RdbError::Damaged { offset, what: what.into() })
    }

    /// Has `count` bytes in the buffer.
    #[inline]
    fn need(&mut self, count: usize) -> Result<()> {
        if self.end - self.at >= count { Ok(()) } else { self.fill(count) }
    }

    #[cold]
    fn fill(&mut self, count: usize) -> Result<()> {
        self.checksum();
        self.buffer.copy_within(self.at..self.end, 0);
        self.base += self.at as u64;
        (self.end, self.at, self.summed) = (self.end - self.at, 0, 0);
        // After a string of megabytes the buffer goes back to its usual size.
        if self.buffer.len() > 4 * ROOM && self.end.max(count) <= ROOM {
            self.buffer.truncate(ROOM);
            self.buffer.shrink_to_fit();
        }
        while self.end < count {
            if self.end == self.buffer.len() {
                let more = self.buffer.len().max(ROOM);
                self.buffer.try_reserve_exact(more).map_err(|_| RdbError::Unsupported {
                    offset: self.base,
                    what: "a string that there is not enough memory for".into(),
                })?;
                self.buffer.resize(self.buffer.len() + more, 0);
            }
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(RdbError::Truncated { offset: self.base + self.end as u64 }),
                Ok(more) => self.end += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(RdbError::Read { offset: self.base + self.end as u64, source }),
            }
        }
        Ok(())
    }

    /// The next bytes.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&[u8]> {
        self.need(count)?;
        self.at += count;
        Ok(&self.buffer[self.at - count..self.at])
    }

    /// The next bytes, as many as the result has room for.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        self.need(1)?;
        self.at += 1;
        Ok(self.buffer[self.at - 1])
    }

    /// The next length, or what stands in its place.
    #[inline]
    pub fn length_or_encoding(&mut self) -> Result<Length> {
        let head = self.byte()?;
        Ok(match head >> 6 {
            length::SIX_BITS => Length::Plain(head.into()),
            length::FOURTEEN_BITS => Length::Plain(u64::from(head & 0x3f) << 8 | u64::from(self.byte()?)),
            length::ENCODED => Length::Encoded(head & 0x3f),
            _ => match head {
                length::LONG => Length::Plain(u32::from_be_bytes(self.array()?).into()),
                length::LONGER => Length::Plain(u64::from_be_bytes(self.array()?)),
                _ => return self.damaged(self.offset() - 1, "a length of an unknown form"),
            },
        })
    }

    /// The next length.
    pub fn length(&mut self) -> Result<u64> {
        let offset = self.offset();
        match self.length_or_encoding()? {
            Length::Plain(length) => Ok(length),
            Length::Encoded(_) => self.damaged(offset, "an encoding where a length belongs"),
        }
    }

    /// The next string, whose bytes may number `most`, wherever it is then.
    #[inline]
    fn text_within(&mut self, most: usize) -> Result<Text> {
        let offset = self.offset();
        let encoding = match self.length_or_encoding()? {
            Length::Plain(len) => {
                let len = self.within(len, most, offset)?;
                self.need(len)?;
                self.at += len;
                return Ok(Text::Here(self.at - len, self.at));
            }
            Length::Encoded(encoding) => encoding,
        };
        match encoding {
            encoding::INTEGER_8 => Ok(Text::Integer(i8::from_le_bytes(self.array()?).into())),
            encoding::INTEGER_16 => Ok(Text::Integer(i16::from_le_bytes(self.array()?).into())),
            encoding::INTEGER_32 => Ok(Text::Integer(i32::from_le_bytes(self.array()?).into())),
            encoding::LZF => self.expand(offset, most),
            _ => self.damaged(offset, "a string in an unknown encoding"),
        }
    }

    fn expand(&mut self, offset: u64, most: usize) -> Result<Text> {
        let (compressed, len) = (self.length()?, self.length()?);
        let (compressed, len) = (self.within(compressed, most, offset)?, self.within(len, most, offset)?);
        self.need(compressed)?;
        self.at += compressed;
        let bytes = &self.buffer[self.at - compressed..self.at];
        match lzf::expand(bytes, len, &mut self.text) {
            Ok(()) => Ok(Text::Expanded),
            Err(fault) => self.damaged(offset, fault),
        }
    }

    fn within(&self, len: u64, most: usize, offset: u64) -> Result<usize> {
        match usize::try_from(len) {
            Ok(len) if len <= most => Ok(len),
            _ => self.damaged(offset, "a string is longer than any may be"),
        }
    }

    /// The next string, to be looked at with [`Input::show`] until more is read.
    #[inline]
    pub fn text(&mut self) -> Result<Text> {
        self.text_within(BULK_BYTES_MAX)
    }

    /// The bytes of a string that was read last.
    #[inline]
    pub fn show(&self, text: Text) -> &[u8] {
        match text {
            Text::Here(start, end) => &self.buffer[start..end],
            Text::Expanded | Text::Integer(_) => &self.text,
        }
    }

    /// The next string; an integer is spelled out.
    #[inline]
    pub fn string(&mut self) -> Result<&[u8]> {
        let text = self.text()?;
        Ok(self.spelled(text))
    }

    /// The next string that holds a packed structure.
    pub fn blob(&mut self) -> Result<&[u8]> {
        let text = self.text_within(RDB_BLOB_BYTES_MAX)?;
        Ok(self.spelled(text))
    }

    /// The bytes of a string that was read last; an integer is spelled out.
    #[inline]
    pub fn spelled(&mut self, text: Text) -> &[u8] {
        if let Text::Integer(n) = text {
            self.text.clear();
            self.text.extend_from_slice(&format_i64(n));
        }
        self.show(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of a few.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(3);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn strings_and_lengths_of_every_form_are_read_however_they_come() {
        let long = [&[0x80, 0, 0, 0x01, 0x2c][..], &[b'x'; 300]].concat();
        let longer = [&[0x81, 0, 0, 0, 0, 0, 0, 0, 2][..], b"yz"].concat();
        let bytes =
            [b"\x03abc\x40\x02de".as_slice(), &long, &longer, &[0xc0, 0x85, 0xc1, 0, 1, 0xc2, 0, 0, 0, 0x80]].concat();
        let lzf = [0xc3, 6, 10, 0, b'a', 0xe0, 0, 0, 7].to_vec();
        let all = [bytes, lzf[..lzf.len() - 1].to_vec()].concat();
        let expected: [&[u8]; 7] = [b"abc", b"de", &[b'x'; 300], b"yz", b"-123", b"256", b"-2147483648"];
        let mut input = Input::new(Trickle(&all));
        for expected in expected {
            assert_eq!(input.string().unwrap_or_default(), expected);
        }
        assert!(input.string().is_err());
    }

    #[test]
    fn what_is_announced_is_not_allocated() {
        for bytes in [
            &[0x81, 0x10, 0, 0, 0, 0, 0, 0, 0][..],
            &[0x80, 0x1f, 0xff, 0xff, 0xff, b'a', b'b'],
            &[0xc3, 3, 0x80, 0x1f, 0xff, 0xff, 0xff, 0, b'a', 0],
            &[0xc3, 0x80, 0x1f, 0xff, 0xff, 0xff, 3, 0, b'a', 0],
            &[0xc4],
            &[0x82],
        ] {
            let mut input = Input::new(Trickle(bytes));
            assert!(input.string().is_err(), "{bytes:?}");
            assert!(input.buffer.capacity() <= 2 * ROOM && input.text.capacity() < 1 << 10);
            assert!(Input::of_bytes(bytes).string().is_err());
        }
    }

    #[test]
    fn the_checksum_is_that_of_all_that_was_used() {
        let bytes: Vec<u8> = (0..3 * ROOM).map(|i| i as u8).collect();
        let mut input = Input::new(&bytes[..]);
        let mut used = 0;
        for count in [1, 100, ROOM - 7, ROOM + 1, 5] {
            assert_eq!(input.bytes(count).unwrap_or_default(), &bytes[used..used + count]);
            used += count;
            assert_eq!(input.checksum(), crate::base::crc64::crc64(&bytes[..used]));
            assert_eq!(input.offset(), used as u64);
        }
        let (rest, source) = input.into_rest();
        assert_eq!([&rest, source].concat(), bytes[used..]);
    }
}
