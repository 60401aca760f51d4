//! Floor 6, beside the sockets: Pipkin inside a Rust program.
//!
//! [`Server`] is one instance, [`Client`] a caller of it. Everything here is synchronous and needs no runtime: a command
//! takes about a microsecond, so that async code calls it as it is. What can wait (an element of a list, a message, a
//! computation of somebody else) is a future of its own, [`Waiting`], [`Receive`] or the one of
//! [`Client::get_or_compute`]: awaited on any runtime, or turned into a blocking call with `wait()`.

mod builder;
mod client;
mod commands;
mod commit;
mod encode;
mod error;
mod flight;
mod park;
mod pipeline;
mod server;
#[cfg(feature = "server")]
mod sockets;
mod subscription;
#[cfg(test)]
mod tests;
mod transaction;
mod value;
mod waiting;

pub use builder::Builder;
pub use client::{Client, CommandLine};
pub use commands::{ListEnd, SetOptions};
pub use commit::CommitToken;
pub use error::Error;
pub use pipeline::Pipeline;
pub use server::{Server, ServerStats};
pub use subscription::{Lag, Message, Receive, Subscription};
pub use transaction::CONFLICTS_MAX;
pub use value::{FromValue, Value};
pub use waiting::Waiting;

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
