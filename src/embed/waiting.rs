//! Futures of commands that may have to wait for an element.
//!
//! The future registers its waker with the wait itself and with the client's outbox, which says when the instance ends.
//! Nothing is lost when it is dropped: a wait that nobody has served yet is withdrawn; an element that came in between
//! is put back to the end of the list that it was taken from.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::client::only_value;
use super::park::{block_on, block_on_for};
use super::{Client, Error, FromValue, Result, Value};

/// A command that may have to wait: await it on any runtime, or block the thread with [`Waiting::wait`].
///
/// Dropping it ends the wait and loses nothing.
#[must_use = "nothing happens before it is awaited or waited for"]
pub struct Waiting<'c, T> {
    client: &'c mut Client,
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
    pub(super) fn new(client: &'c mut Client, refused: Option<Error>) -> Waiting<'c, T> {
        Waiting { client, state: refused.map_or(State::Encoded, State::Refused), result: PhantomData }
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
                if self.client.session.blocked.is_none() {
                    return Poll::Ready(only_value(out, self.client.session.protocol));
                }
            }
        }
        let reply = self.client.poll_blocked(cx);
        if reply.is_pending() {
            self.state = State::Blocked;
        }
        reply.map(|reply| only_value(reply?, self.client.session.protocol))
    }
}

impl Client {
    /// The reply of the command that the session waits with.
    pub(super) fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>>> {
        self.session.client.outbox.register(cx.waker());
        match self.session.poll_blocked(&self.shared.engine, cx.waker()) {
            Poll::Ready(served) => Poll::Ready(Ok(served.reply)),
            Poll::Pending if self.session.client.outbox.is_closed() => {
                self.session.stop_waiting(&self.shared.engine);
                Poll::Ready(Err(Error::Closed))
            }
            Poll::Pending => Poll::Pending,
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
        self.client.session.stop_waiting(&self.client.shared.engine);
    }
}
