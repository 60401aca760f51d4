//! Why bytes are no RDB data that can be loaded, for the operator.

use std::borrow::Cow;

/// What is wrong with a structure whose offset the caller knows.
pub(super) type Fault = &'static str;

/// What a reading function returns.
pub type Result<T> = std::result::Result<T, RdbError>;

/// Why RDB data cannot be loaded; offsets are bytes from its start.
#[derive(Debug, thiserror::Error)]
pub enum RdbError {
    /// It was not written so, or not by a server that is known.
    #[error("damaged at offset {offset}: {what}")]
    Damaged {
        /// Where the wrong item starts.
        offset: u64,
        /// What is wrong.
        what: Cow<'static, str>,
    },
    /// The data ends inside an item.
    #[error("the file ends at offset {offset}, inside of what it announces")]
    Truncated {
        /// How long it is.
        offset: u64,
    },
    /// It is sound as far as is known, but cannot be represented here.
    #[error("{what} at offset {offset}, which this version cannot load")]
    Unsupported {
        /// Where it starts.
        offset: u64,
        /// What it is.
        what: Cow<'static, str>,
    },
    /// The system could not deliver it.
    #[error("the file could not be read at offset {offset}: {source}")]
    Read {
        /// How far it was read.
        offset: u64,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RdbError {
    /// Where it went wrong.
    pub fn offset(&self) -> u64 {
        match self {
            RdbError::Damaged { offset, .. }
            | RdbError::Truncated { offset }
            | RdbError::Unsupported { offset, .. }
            | RdbError::Read { offset, .. } => *offset,
        }
    }
}
