//! Futures of commands that may have to wait for an element.
//!
//! The future registers its waker with the command's [`Waiter`] and with the client's outbox, which says when the
//! instance ends. Nothing is lost when it is dropped: a wait that nobody has served yet is withdrawn; an element that
//! came in between is put back to the end of the list that it was taken from.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::client::only_value;
use super::park::{block_on, block_on_for};
use super::{Client, Error, FromValue, Result, Value};
use crate::engine::blocking::Waiter;

/// What to do with an element that nobody wants any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GiveBack {
    /// Push it to the front of its list.
    Front,
    /// Push it to the back of its list.
    Back,
    /// It is where it belongs (BLMOVE's destination).
    Nothing,
}

/// A wait under way.
pub(super) struct Pending {
    waiter: Arc<Waiter>,
    give_back: GiveBack,
}

impl Pending {
    pub fn new(waiter: Arc<Waiter>, give_back: GiveBack) -> Pending {
        Pending { waiter, give_back }
    }

    /// Ends the wait, and puts back what it brought.
    pub fn cancel(self, client: &mut Client) {
        client.session.blocked = None;
        client.session.publish_state();
        let Some(reply) = self.waiter.cancel(&client.shared.engine) else { return };
        let push: &[u8] = match self.give_back {
            GiveBack::Front => b"LPUSH",
            GiveBack::Back => b"RPUSH",
            GiveBack::Nothing => return,
        };
        let Ok(Value::Array { data, .. }) = only_value(reply, client.session.protocol) else { return };
        if let [Value::BlobString { data: key, .. }, Value::BlobString { data: element, .. }] = &data[..]
            && let Err(error) = client.run_aside(&[push, key, element])
        {
            tracing::warn!("an element could not be put back: {error}");
        }
    }
}

/// A command that may have to wait: await it on any runtime, or block the thread with [`Waiting::wait`].
///
/// Dropping it ends the wait and loses nothing.
#[must_use = "nothing happens before it is awaited or waited for"]
pub struct Waiting<'c, T> {
    client: &'c mut Client,
    give_back: GiveBack,
    state: State,
    result: PhantomData<fn() -> T>,
}

enum State {
    Refused(Error),
    Encoded,
    Blocked,
    Done,
}

impl<'c, T: FromValue> Waiting<'c, T> {
    pub(super) fn new(client: &'c mut Client, give_back: GiveBack, refused: Option<Error>) -> Waiting<'c, T> {
        Waiting { client, give_back, state: refused.map_or(State::Encoded, State::Refused), result: PhantomData }
    }

    /// Blocks the thread until there is a reply.
    ///
    /// # Errors
    /// What the command replies, or [`Error::Closed`] when the instance ends meanwhile.
    pub fn wait(self) -> Result<T> {
        block_on(self)
    }

    /// Blocks the thread for at most `patience` of real time, whatever the instance's clock says.
    ///
    /// # Errors
    /// As [`Waiting::wait`].
    pub fn wait_for(self, patience: Duration) -> Result<Option<T>> {
        block_on_for(self, patience).transpose()
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Value>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Refused(error) => return Poll::Ready(Err(error)),
            State::Done => return Poll::Ready(Err(Error::Closed)),
            State::Blocked => {}
            State::Encoded => {
                let mut out = Vec::new();
                self.client.run_encoded(0, &mut out)?;
                let Some(waiter) = self.client.session.blocked.clone() else {
                    return Poll::Ready(only_value(out, self.client.session.protocol));
                };
                self.client.pending = Some(Pending::new(waiter, self.give_back));
            }
        }
        let reply = self.client.poll_pending(cx);
        if reply.is_pending() {
            self.state = State::Blocked;
        }
        reply.map(|reply| only_value(reply?, self.client.session.protocol))
    }
}

impl Client {
    /// The reply that the pending wait brings.
    pub(super) fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>>> {
        let Some(pending) = &self.pending else { return Poll::Ready(Err(Error::Closed)) };
        let outbox = &self.session.client.outbox;
        outbox.register(cx.waker());
        match pending.waiter.poll(cx.waker()) {
            Some(reply) => {
                pending.waiter.withdraw(&self.shared.engine);
                self.pending = None;
                self.session.blocked = None;
                self.session.publish_state();
                Poll::Ready(Ok(reply))
            }
            None if outbox.is_closed() => {
                if let Some(pending) = self.pending.take() {
                    pending.cancel(self);
                }
                Poll::Ready(Err(Error::Closed))
            }
            None => Poll::Pending,
        }
    }
}

impl<T: FromValue> Future for Waiting<'_, T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.get_mut().advance(cx).map(|value| T::from_value(value?))
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        if let Some(pending) = self.client.pending.take() {
            pending.cancel(self.client);
        }
    }
}
