//! Subscriptions in process: the messages of a connection of its own, decoded.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::park::{block_on, block_on_for};
use super::server::Shared;
use super::{Client, Error, FromValue, Result, Value};
use crate::protocol::reply::Protocol;
use crate::protocol::value::decode;

/// What happens to a subscription whose unread messages exceed the instance's `client-output-buffer-limit pubsub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lag {
    /// It ends, as a connection would be closed: [`Error::Lagged`], then [`Error::Closed`].
    #[default]
    End,
    /// What was unread is dropped, which one [`Error::Lagged`] tells, and it goes on.
    Skip,
}

/// A published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub channel: Bytes,
    /// The pattern that brought it here, where the channel itself is not subscribed to.
    pub pattern: Option<Bytes>,
    /// What was published.
    pub payload: Bytes,
}

/// Channels and patterns, and their messages: as futures ([`Subscription::receive`]), or as a blocking iterator, which
/// ends with the instance.
///
/// ```
/// let server = pipkin::Server::open()?;
/// let mut news = server.subscribe(["news"], ["log:*"], pipkin::Lag::Skip)?;
/// server.client().publish("log:7", "hello")?;
/// let message = news.receive().wait()?;
/// assert_eq!(message.payload, "hello");
/// assert_eq!(message.pattern.as_deref(), Some(&b"log:*"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    lag: Lag,
    /// Decoded and not yet received.
    messages: VecDeque<Message>,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, lag: Lag) -> Subscription {
        Subscription { client: Client::new(shared), lag, messages: VecDeque::new() }
    }

    /// Subscribes to more channels.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn subscribe<C: AsRef<[u8]>>(&mut self, channels: impl IntoIterator<Item = C>) -> Result<()> {
        self.change(b"SUBSCRIBE", channels)
    }

    /// Subscribes to more patterns.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn subscribe_patterns<P: AsRef<[u8]>>(&mut self, patterns: impl IntoIterator<Item = P>) -> Result<()> {
        self.change(b"PSUBSCRIBE", patterns)
    }

    /// Ends subscriptions to channels.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn unsubscribe<C: AsRef<[u8]>>(&mut self, channels: impl IntoIterator<Item = C>) -> Result<()> {
        self.change(b"UNSUBSCRIBE", channels)
    }

    /// Ends subscriptions to patterns.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn unsubscribe_patterns<P: AsRef<[u8]>>(&mut self, patterns: impl IntoIterator<Item = P>) -> Result<()> {
        self.change(b"PUNSUBSCRIBE", patterns)
    }

    fn change<N: AsRef<[u8]>>(&mut self, command: &[u8], names: impl IntoIterator<Item = N>) -> Result<()> {
        let names: Vec<N> = names.into_iter().collect();
        if names.is_empty() {
            return Ok(());
        }
        let arguments: Vec<&[u8]> = std::iter::once(command).chain(names.iter().map(AsRef::as_ref)).collect();
        self.client.run_aside(&arguments).and_then(Value::from_value).map(drop)
    }

    /// The next message, as a future; [`Receive::wait`] blocks the thread for it.
    pub fn receive(&mut self) -> Receive<'_> {
        Receive { subscription: self }
    }

    /// A message that is here already.
    ///
    /// # Errors
    /// As [`Receive`].
    pub fn try_receive(&mut self) -> Result<Option<Message>> {
        if self.messages.is_empty() {
            self.fetch()?;
        }
        Ok(self.messages.pop_front())
    }

    /// Takes over what is in the outbox.
    fn fetch(&mut self) -> Result<()> {
        let outbox = &self.client.session.client.outbox;
        let mut out = Vec::new();
        if !outbox.drain(&mut out) {
            if outbox.is_closed() {
                return Err(Error::Closed);
            }
            match self.lag {
                Lag::Skip => _ = outbox.recover(),
                Lag::End => outbox.close(),
            }
            return Err(Error::Lagged);
        }
        let mut rest = Bytes::from(out);
        while let Some((value, len)) = decode(&rest, Protocol::Resp3) {
            self.messages.extend(message(value));
            rest = rest.split_off(len);
        }
        Ok(())
    }
}

/// The message in a push; confirmations are none.
fn message(value: Value) -> Option<Message> {
    let Value::Push { data, .. } = value else { return None };
    let parts: Vec<Bytes> = data.into_iter().map(Bytes::from_value).collect::<Result<_>>().ok()?;
    match &parts[..] {
        [kind, channel, payload] if kind == "message" => {
            Some(Message { channel: channel.clone(), pattern: None, payload: payload.clone() })
        }
        [kind, pattern, channel, payload] if kind == "pmessage" => {
            Some(Message { channel: channel.clone(), pattern: Some(pattern.clone()), payload: payload.clone() })
        }
        _ => None,
    }
}

/// The next message of a [`Subscription`]: await it, or block the thread with [`Receive::wait`]. Dropping it loses
/// nothing.
///
/// Fails with [`Error::Lagged`] when messages were lost (see [`Lag`]), with [`Error::Closed`] when the instance ended.
#[must_use = "nothing happens before it is awaited or waited for"]
#[derive(Debug)]
pub struct Receive<'s> {
    subscription: &'s mut Subscription,
}

impl Receive<'_> {
    /// Blocks the thread until a message comes.
    ///
    /// # Errors
    /// As the future.
    pub fn wait(self) -> Result<Message> {
        block_on(self)
    }

    /// Blocks the thread for at most `patience` of real time.
    ///
    /// # Errors
    /// As the future.
    pub fn wait_for(self, patience: Duration) -> Result<Option<Message>> {
        block_on_for(self, patience).transpose()
    }
}

impl Future for Receive<'_> {
    type Output = Result<Message>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Message>> {
        let subscription = &mut *self.get_mut().subscription;
        // Before looking, so that nothing can come in between unnoticed.
        subscription.client.session.client.outbox.register(cx.waker());
        match subscription.try_receive() {
            Ok(Some(message)) => Poll::Ready(Ok(message)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Iterator for Subscription {
    type Item = Result<Message>;

    fn next(&mut self) -> Option<Result<Message>> {
        match self.receive().wait() {
            Err(Error::Closed) => None,
            other => Some(other),
        }
    }
}
