//! Why a call in process failed.

use super::Value;
use crate::protocol::error::CommandError;

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command failed; the line is the one that a connection would read, without the `-`.
    #[error("{0}")]
    Reply(Box<str>),
    /// The reply is none of the type that was asked for.
    #[error("unexpected reply: {0:?}")]
    Unexpected(Box<Value>),
    /// The instance was shut down, or the client killed.
    #[error("the instance is shut down or has closed this client")]
    Closed,
    /// A subscription fell so far behind that messages were dropped.
    #[error("the subscription fell behind and lost messages")]
    Lagged,
    /// A transaction found its watched keys changed again and again.
    #[error("the watched keys changed during each of {0} attempts")]
    Contended(usize),
    /// The command only makes sense on a connection.
    #[error("'{0}' works on a connection's protocol: use the methods of Client, Subscription and Pipeline")]
    OnlyOnConnections(Box<str>),
    /// There is no append-only file that a write could be safe in.
    #[error("this instance keeps no append-only file: open it with Builder::dir and Builder::append_only")]
    NotLogged,
    /// Names and arguments of one call are longer than a request may be.
    #[error("the arguments of one command are too long")]
    TooLong,
}

impl Error {
    /// The first word of a failed command's line: `ERR`, `WRONGTYPE`, `OOM`, …
    pub fn code(&self) -> Option<&str> {
        match self {
            Error::Reply(line) => line.split(' ').next(),
            _ => None,
        }
    }
}

impl From<CommandError> for Error {
    #[cold]
    fn from(error: CommandError) -> Error {
        match error {
            CommandError::Ended => Error::Closed,
            error => Error::Reply(error.to_string().into()),
        }
    }
}
