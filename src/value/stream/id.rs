//! `StreamId`: the identity of an entry, and its place in the order.

use std::fmt::{Display, Formatter};
use std::ops::Deref;

use crate::base::number::{INTEGER_TEXT_MAX, format_u64};

/// A time and a number within it. Ids of a stream only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Unix time in ms, mostly.
    pub ms: u64,
    /// Number within the millisecond.
    pub seq: u64,
}

/// Longest text of an id.
const TEXT_MAX: usize = 2 * INTEGER_TEXT_MAX + 1;

/// An id as it is written: `ms-seq`.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; TEXT_MAX],
    len: u8,
}

impl Deref for IdText {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl StreamId {
    /// In front of every entry.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The last id that there can be.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// The id of a time and a number.
    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The id behind this one; `None` behind the last.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id in front of this one; `None` for the first.
    pub fn previous(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Sixteen bytes that sort as ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// The id that these bytes are.
    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        let wide = u128::from_be_bytes(bytes);
        // The upper half fits by the shift, the lower is what is asked for.
        StreamId { ms: (wide >> 64) as u64, seq: wide as u64 }
    }

    /// The id as it is written.
    #[inline]
    pub fn text(self) -> IdText {
        let (ms, seq) = (format_u64(self.ms), format_u64(self.seq));
        let mut bytes = [0; TEXT_MAX];
        let len = ms.len() + 1 + seq.len();
        bytes[..ms.len()].copy_from_slice(&ms);
        bytes[ms.len()] = b'-';
        bytes[ms.len() + 1..len].copy_from_slice(&seq);
        IdText { bytes, len: len as u8 }
    }
}

impl Display for StreamId {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}
