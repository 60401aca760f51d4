//! Errors after which a connection closes.

use std::io::Write as _;

use super::flatten;

/// Why bytes are no request: the client reads the line (see [`ProtocolError::write_to`]), then the connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // A variant's documentation is its text.
pub enum ProtocolError {
    #[error("ERR Protocol error: invalid multibulk length")]
    InvalidMultibulkLength,
    #[error("ERR Protocol error: unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    #[error("ERR Protocol error: too big mbulk count string")]
    MultibulkCountTooLong,
    #[error("ERR Protocol error: expected CR LF")]
    MissingLineEnd,
    #[error("ERR Protocol error: expected '$', got '{}'", char::from(*.0))]
    ExpectedDollar(u8),
    #[error("ERR Protocol error: invalid bulk length")]
    InvalidBulkLength,
    #[error("ERR Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    #[error("ERR Protocol error: too big bulk count string")]
    BulkCountTooLong,
    #[error("ERR Protocol error: too big inline request")]
    InlineTooLong,
    #[error("ERR Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// Closes without a reply, and is logged: a browser was led to this port.
    #[error("possible SECURITY ATTACK: an HTTP client speaks to the port (cross protocol scripting); closing")]
    CrossProtocol,
    /// Closes without a reply, and is logged.
    #[error("the client's unread requests exceed client-query-buffer-limit; closing")]
    QueryBufferTooLong,
}

impl ProtocolError {
    /// Whether the connection closes without a word.
    pub fn is_silent(&self) -> bool {
        matches!(self, ProtocolError::CrossProtocol | ProtocolError::QueryBufferTooLong)
    }

    /// Appends the line, without the leading `-` and the line's end.
    #[cold]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match *self {
            // The byte itself, which need not be a character.
            ProtocolError::ExpectedDollar(got) => {
                out.extend_from_slice(b"ERR Protocol error: expected '$', got '");
                out.extend_from_slice(&[got, b'\'']);
            }
            // Writing into a vector does not fail.
            text => _ = write!(out, "{text}"),
        }
        flatten(&mut out[start..]);
    }
}
