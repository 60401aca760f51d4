//! The end of the log that records are appended to: a piece that is being filled, and full ones behind it.
//!
//! Pieces bound what an append may have to move when its buffer grows, and are used again.

use std::collections::VecDeque;
use std::io::Write as _;

use super::Position;
use crate::base::limits::LOG_PIECE_BYTES;
use crate::persist::storage::File;

/// What the writer does next.
pub(super) enum Piece {
    /// Bytes for the file.
    Bytes(Vec<u8>),
    /// The file ends here.
    Switch {
        /// The next one.
        file: Box<dyn File>,
        /// Where in the log that is.
        position: u64,
        /// The old file is not whole and need not become so.
        recovers: bool,
    },
}

/// Whether and how the writer sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asleep {
    /// It does not, or has been woken.
    No,
    /// There is nothing to write: the next record wakes it.
    Idle,
    /// It waits for more: a full piece wakes it.
    Gathering,
}

/// What appenders and the writer share under one mutex.
pub(super) struct Front {
    /// The piece that is being filled.
    pub(super) current: Vec<u8>,
    full: VecDeque<Piece>,
    spare: Vec<Vec<u8>>,
    /// Position behind the last record.
    pub(super) end: u64,
    /// Time of the first record that the writer has not taken; 0 for none.
    pub(super) since_ms: u64,
    /// The database that the file's last SELECT chose.
    pub(super) database: Option<u32>,
    /// The second that was annotated last.
    pub(super) annotated_s: u64,
    pub(super) asleep: Asleep,
    /// The writer is to take what there is at once.
    pub(super) hurries: bool,
    /// Everything up to here is to be synced, whatever the policy.
    pub(super) flush_to: u64,
    /// After a failure: records are dropped.
    pub(super) discards: bool,
    /// After a failure: the rotation that a rewrite began with.
    pub(super) recovering: Option<Position>,
    pub(super) closing: bool,
    /// The writer has ended.
    pub(super) closed: bool,
}

/// Pieces that are kept for use while records arrive: about what does so during a sync.
const SPARE_MAX: usize = 64;
/// Pieces that are kept while none do.
const SPARE_IDLE: usize = 4;

/// What a piece allocates: the record that fills it up should not make it move.
const PIECE_CAPACITY: usize = LOG_PIECE_BYTES + (16 << 10);

impl Front {
    pub(super) fn new() -> Front {
        Front {
            current: Vec::with_capacity(PIECE_CAPACITY),
            full: VecDeque::new(),
            spare: Vec::new(),
            end: 0,
            since_ms: 0,
            database: None,
            annotated_s: 0,
            asleep: Asleep::No,
            hurries: false,
            flush_to: 0,
            discards: false,
            recovering: None,
            closing: false,
            closed: false,
        }
    }

    /// Whether there is anything for the writer.
    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty() && self.full.is_empty()
    }

    /// Whether a piece is full, or the file is to be switched.
    pub(super) fn is_pressing(&self) -> bool {
        !self.full.is_empty()
    }

    /// Writes the time into the log if its second has changed.
    pub(super) fn annotate(&mut self, now_ms: u64) {
        let now_s = now_ms / 1000;
        if now_s <= self.annotated_s {
            return;
        }
        self.annotated_s = now_s;
        let before = self.current.len();
        // Writing to memory cannot fail.
        write!(self.current, "#TS:{now_s}\r\n").ok();
        self.end += (self.current.len() - before) as u64;
    }

    /// After an append: puts a full piece away, and tells whether the writer is to be woken.
    #[inline]
    pub(super) fn needs_wake(&mut self) -> bool {
        let is_full = self.current.len() >= LOG_PIECE_BYTES;
        if is_full {
            self.roll();
        }
        let wake = self.asleep == Asleep::Idle || (is_full && self.asleep == Asleep::Gathering);
        if wake {
            self.asleep = Asleep::No;
        }
        wake
    }

    #[cold]
    fn roll(&mut self) {
        let fresh = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(PIECE_CAPACITY));
        let piece = std::mem::replace(&mut self.current, fresh);
        self.full.push_back(Piece::Bytes(piece));
    }

    /// Appends a piece behind all records.
    pub(super) fn push(&mut self, piece: Piece) {
        if !self.current.is_empty() {
            self.roll();
        }
        self.full.push_back(piece);
    }

    /// Everything that there is, for the writer.
    pub(super) fn take(&mut self) -> VecDeque<Piece> {
        if !self.current.is_empty() {
            self.roll();
        }
        self.since_ms = 0;
        self.hurries = false;
        std::mem::take(&mut self.full)
    }

    /// Takes a written piece back for use.
    pub(super) fn give_back(&mut self, mut piece: Vec<u8>) {
        // A piece that one big record has blown up is not worth keeping.
        if self.spare.len() < SPARE_MAX && piece.capacity() <= 2 * LOG_PIECE_BYTES {
            piece.clear();
            self.spare.push(piece);
        }
    }

    /// There is nothing to do: gives back what only a burst needs.
    pub(super) fn rest(&mut self) {
        self.spare.truncate(SPARE_IDLE);
    }

    /// After a failure: forgets what is there and what will come.
    pub(super) fn drop_everything(&mut self) {
        self.current = Vec::with_capacity(PIECE_CAPACITY);
        self.full.clear();
        self.since_ms = 0;
        self.discards = true;
        self.recovering = None;
    }
}
