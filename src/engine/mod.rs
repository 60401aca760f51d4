//! Floor 4: one instance of Pipkin. The registry of commands, the gates that every command passes, transactions,
//! blocking, and the commands that need more than keys.
//!
//! Never touches a socket: a connection of any kind is a [`session::Session`] that bytes or requests are run on.

pub mod announce;
pub mod blocking;
pub mod clients;
pub mod cluster;
pub mod commands;
pub mod configure;
pub mod dispatch;
pub mod instance;
pub mod latency;
pub mod memory;
pub mod monitors;
pub mod pause;
pub mod persistence;
pub mod registry;
pub mod script;
pub mod session;
pub mod slowlog;
pub mod stats;
pub mod tracking;
pub mod transaction;
pub mod upkeep;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;
use instance::Engine;
use session::Session;

/// What an engine command runs on: a data command's context, the instance and the connection.
pub struct Call<'a, 'k> {
    /// The keys that the command declared, and its reply.
    pub context: &'a mut Context<'k>,
    /// The instance.
    pub engine: &'k Engine,
    /// The connection that called.
    pub session: &'a mut Session,
    /// The row of the command that runs.
    pub command: &'static registry::Command,
}

/// How an engine command ended.
#[derive(Debug)]
pub enum Outcome {
    /// The reply is written.
    Done,
    /// There is no reply yet: the connection waits for some keys.
    Blocked(Box<blocking::Wait>),
}

/// An engine command; what it has written when it returns an error is taken back.
pub type Handler = for<'c, 'a, 'k> fn(&'c mut Call<'a, 'k>, Args<'_>) -> CommandResult<Outcome>;
