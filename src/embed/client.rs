//! `Client`: a caller in this process.
//!
//! Two ways lead to the keyspace. The hot calls on one string run directly: no request is built, no reply decoded, and
//! no cache line is written that another thread's client writes too, but for the key's own shard. Everything else is
//! encoded as a connection would send it, run as a batch, and its RESP3 replies become [`Value`]s that share the
//! reply's memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::encode::Encoded;
use super::server::Shared;
use super::{Error, FromValue, Result, Value, Waiting};
use crate::base::number::{format_f64, format_i64};
use crate::command::string::stored;
use crate::engine::clients::Origin;
use crate::engine::dispatch::{self, run_direct};
use crate::engine::registry::{Command, REGISTRY};
use crate::engine::session::Session;
use crate::protocol::error::CommandError;
use crate::protocol::reply::Protocol;
use crate::protocol::request::Parser;
use crate::protocol::value::decode;
use crate::store::effects::EventClass;
use crate::store::record::StringRef;

/// Commands that change how a connection is read or written: here that is not the caller's to change.
const OF_CONNECTIONS: [&str; 12] = [
    "client|tracking",
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "sunsubscribe",
    "hello",
    "quit",
    "reset",
    "monitor",
    "client|reply",
];

/// What a buffer keeps allocated between two calls, in bytes.
const BUFFER_KEPT_BYTES: usize = 16 << 10;

/// The commands that have a direct way, looked up once.
pub(super) struct Direct {
    get: &'static Command,
    set: &'static Command,
    exists: &'static Command,
}

impl Direct {
    pub(super) fn new() -> Direct {
        let find = |name: &str| match REGISTRY.find(name.as_bytes()) {
            Some(command) => command,
            None => unreachable!("{name} has a row"),
        };
        Direct { get: find("get"), set: find("set"), exists: find("exists") }
    }
}

/// A caller of an instance; made by [`super::Server::client`]. Clones are callers of their own, with the same database.
///
/// One client makes one call at a time; each thread or task has its own.
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
    parser: Parser,
    pub(super) encoded: Encoded,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Client {
        let mut session = shared.engine.connect(Origin::in_process(), None);
        session.protocol = Protocol::Resp3;
        session.publish_state();
        Client { shared, session, parser: Parser::new(true), encoded: Encoded::default() }
    }

    /// The connection's id, as `CLIENT LIST` shows it.
    pub fn id(&self) -> u64 {
        self.session.client.id
    }

    /// Whether the instance is there and has not closed this client.
    #[inline]
    fn is_open(&self) -> bool {
        !self.session.client.outbox.is_closed() && !self.shared.engine.stopping.is_wished()
    }

    /// Whether a typed call may take the direct way.
    #[inline]
    fn goes_directly(&self) -> Result<bool> {
        if !self.is_open() {
            return Err(Error::Closed);
        }
        Ok(self.session.is_plain())
    }

    /// `GET`: the value, or `None` where there is no key.
    ///
    /// ```
    /// let server = pipkin::Server::open()?;
    /// let mut client = server.client();
    /// client.set("greeting", "hello")?;
    /// assert_eq!(client.get("greeting")?.as_deref(), Some(&b"hello"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `WRONGTYPE` where the key holds no string.
    #[inline]
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Result<Option<Bytes>> {
        self.read(key.as_ref(), |value| match value {
            StringRef::Bytes(bytes) => Bytes::copy_from_slice(bytes),
            StringRef::Integer(n) => Bytes::copy_from_slice(&format_i64(n)),
        })
    }

    /// `GET` into a buffer that is used again: appends the value to `out`; false where there is no key.
    ///
    /// # Errors
    /// `WRONGTYPE` where the key holds no string.
    #[inline]
    pub fn get_into(&mut self, key: impl AsRef<[u8]>, out: &mut Vec<u8>) -> Result<bool> {
        let found = self.read(key.as_ref(), |value| match value {
            StringRef::Bytes(bytes) => out.extend_from_slice(bytes),
            StringRef::Integer(n) => out.extend_from_slice(&format_i64(n)),
        })?;
        Ok(found.is_some())
    }

    #[inline]
    fn read<R>(&mut self, key: &[u8], take: impl FnOnce(StringRef<'_>) -> R) -> Result<Option<R>> {
        if !self.goes_directly()? {
            let value: Option<Bytes> = self.call(&[b"GET", key])?;
            return Ok(value.map(|bytes| take(StringRef::Bytes(&bytes))));
        }
        let found = run_direct(&self.shared.engine, &mut self.session, self.shared.direct.get, &[b"GET", key], |ctx| {
            let Some(record) = ctx.keys.find(key) else { return Ok(None) };
            Ok(Some(take(record.string().ok_or(CommandError::WrongType)?)))
        });
        Ok(found?)
    }

    /// `SET` without options: whatever the key held is replaced, a deadline removed.
    ///
    /// # Errors
    /// `OOM` where there is no room.
    #[inline]
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (key, value) = (key.as_ref(), value.as_ref());
        let longest = self.shared.engine.settings.string_bytes();
        if !self.goes_directly()? || key.len() > longest || value.len() > longest {
            return self.call(&[b"SET", key, value]);
        }
        let arguments: [&[u8]; 3] = [b"SET", key, value];
        let done = run_direct(&self.shared.engine, &mut self.session, self.shared.direct.set, &arguments, |ctx| {
            ctx.keys.set(key, stored(value), None);
            ctx.keys.changed(EventClass::String, "set", key);
            Ok(())
        });
        Ok(done?)
    }

    /// `EXISTS` of one key.
    ///
    /// # Errors
    /// [`Error::Closed`].
    #[inline]
    pub fn exists(&mut self, key: impl AsRef<[u8]>) -> Result<bool> {
        let key = key.as_ref();
        if !self.goes_directly()? {
            return self.call(&[b"EXISTS", key]);
        }
        let arguments: [&[u8]; 2] = [b"EXISTS", key];
        let found = run_direct(&self.shared.engine, &mut self.session, self.shared.direct.exists, &arguments, |ctx| {
            Ok(ctx.keys.find(key).is_some())
        });
        Ok(found?)
    }

    /// Any command, its name first; one that has to wait parks the thread.
    ///
    /// ```
    /// # let server = pipkin::Server::open()?;
    /// # let mut client = server.client();
    /// let length: i64 = client.call(&["APPEND", "log", "line"])?;
    /// let reply: pipkin::Value = client.call(&["GET", "log"])?;
    /// # assert_eq!(length, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What the command replies, or a reply that is none of `T`.
    pub fn call<T: FromValue, A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<T> {
        let [name, rest @ ..] = arguments else { return Err(CommandError::Syntax.into()) };
        self.command(name).args(rest).run()
    }

    /// Begins a command whose arguments are given one by one.
    ///
    /// ```
    /// # let server = pipkin::Server::open()?;
    /// # let mut client = server.client();
    /// let added: i64 = client.command("SADD").arg("colours").args(["red", "blue"]).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn command(&mut self, name: impl AsRef<[u8]>) -> CommandLine<'_> {
        self.encoded.clear(BUFFER_KEPT_BYTES);
        self.encoded.begin();
        let mut line = CommandLine { client: self, refused: None, name: None };
        line.push(name.as_ref());
        line
    }

    /// Runs what is encoded from `from` on, up to its end or a command that has to wait. Returns how far it came.
    pub(super) fn run_encoded(&mut self, from: usize, out: &mut Vec<u8>) -> Result<usize> {
        if !self.is_open() {
            return Err(Error::Closed);
        }
        // A wait whose future was forgotten instead of dropped.
        self.session.stop_waiting(&self.shared.engine);
        let input = self.encoded.bytes().ok_or(Error::TooLong)?;
        let mut at = from;
        while at < input.len() && self.session.blocked.is_none() {
            let written = std::mem::take(out);
            let engine = &self.shared.engine;
            let ran = dispatch::run(engine, &mut self.session, &mut self.parser, &input[at..], written);
            *out = ran.out;
            at += ran.consumed;
            self.session.flush_touched(&self.shared.engine);
            if ran.awaits_log {
                self.shared.engine.persistence.wait_for_admission();
            } else if self.session.closing || ran.consumed == 0 {
                return Err(Error::Closed);
            }
        }
        if self.session.shutdown {
            self.shared.engine.stop();
        }
        Ok(at)
    }

    /// Runs one command by itself, which must not wait; for our own use between the caller's.
    pub(super) fn run_aside(&mut self, arguments: &[&[u8]]) -> Result<Value> {
        let kept = std::mem::take(&mut self.encoded);
        self.encoded.command(arguments);
        let mut out = Vec::new();
        let ran = self.run_encoded(0, &mut out);
        self.encoded = kept;
        ran.and_then(|_| only_value(out, self.session.protocol))
    }
}

/// The name of a command that is refused here, if these arguments are one.
pub(super) fn is_of_connections(arguments: &[&[u8]]) -> Option<&'static str> {
    let [name, rest @ ..] = arguments else { return None };
    let command = REGISTRY.find(name)?;
    let command = rest.first().and_then(|second| command.subcommand(second)).unwrap_or(command);
    OF_CONNECTIONS.iter().copied().find(|name| *name == command.full_name)
}

/// Decodes a reply that is one value.
pub(super) fn only_value(out: Vec<u8>, protocol: Protocol) -> Result<Value> {
    decode(&Bytes::from(out), protocol).map(|(value, _)| value).ok_or(Error::Closed)
}

impl Clone for Client {
    fn clone(&self) -> Client {
        let mut client = Client::new(self.shared.clone());
        client.session.database = self.session.database;
        client.session.publish_state();
        client
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.session.end(&self.shared.engine);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id()).field("database", &self.session.database).finish()
    }
}

/// A command under construction; nothing happens before [`CommandLine::run`] or [`CommandLine::start`].
#[must_use = "the command runs with `run` or `start`"]
pub struct CommandLine<'c> {
    client: &'c mut Client,
    name: Option<&'static Command>,
    refused: Option<Error>,
}

impl<'c> CommandLine<'c> {
    fn push(&mut self, argument: &[u8]) {
        self.client.encoded.argument(argument);
        let command = match self.name {
            None => REGISTRY.find(argument),
            Some(container) => container.subcommand(argument),
        };
        let Some(command) = command else { return };
        self.name = Some(command);
        if OF_CONNECTIONS.contains(&command.full_name.as_str()) {
            self.refused = Some(Error::OnlyOnConnections(command.full_name.as_str().into()));
        }
    }

    /// An argument.
    pub fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        // Only containers have something to be found under the second word.
        if self.name.is_some_and(|command| !command.subcommands.is_empty()) {
            self.push(argument.as_ref());
        } else {
            self.client.encoded.argument(argument.as_ref());
        }
        self
    }

    /// Arguments in a row.
    pub fn args<A: AsRef<[u8]>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, |line, argument| line.arg(argument))
    }

    /// An integer.
    pub fn integer(self, number: i64) -> Self {
        self.arg(&*format_i64(number))
    }

    /// A floating point number.
    pub fn float(self, number: f64) -> Self {
        self.arg(&*format_f64(number))
    }

    /// A duration in ms, at least one of them.
    pub fn milliseconds(self, duration: Duration) -> Self {
        self.integer(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1))
    }

    /// Runs it; parks the thread if it has to wait.
    ///
    /// # Errors
    /// What the command replies, or a reply that is none of `T`.
    pub fn run<T: FromValue>(self) -> Result<T> {
        self.start().wait()
    }

    /// Runs it when the future is first polled; one that has to wait does so without a thread.
    pub fn start<T: FromValue>(self) -> Waiting<'c, T> {
        self.client.encoded.end();
        Waiting::new(self.client, self.refused)
    }
}
