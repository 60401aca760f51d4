//! Floor 1: the wire. Request parser, reply writer (RESP2 or RESP3 is decided here only), every error text.
//!
//! Absent from here: sockets, the clock, commands and their arguments' meaning.

pub mod command;
pub mod decimal;
pub mod error;
pub mod reply;
pub mod request;
pub mod value;

pub use error::{CommandError, ProtocolError, StartupError};
pub use reply::{Mark, Protocol, Reply};
pub use request::{Batch, OwnedRequest, Parser, Progress, Request, Span};
