//! A connection's task, and the way for another thread to take a turn for it.
//!
//! A connection belongs to the runtime that it was spawned on. While a script keeps that runtime's thread, an
//! [attendant](crate::engine::script::running) takes turns in its place, past the runtime: it reads the socket itself.
//! What it leaves unfinished, the task goes on with when its thread is free again. The lock between the two, at
//! which neither ever waits, costs the task one uncontended exchange for each time it is woken.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::connection::Connection;
use super::transport::Transport;
use crate::base::lock::SpinMutex;
use crate::engine::clients::{Origin, Seat};
use crate::engine::instance::Engine;
use crate::engine::script::running::Attended;

/// The future of a connection; ready when the connection is over.
pub struct Task<T: Transport>(Arc<Shared<T>>);

struct Shared<T: Transport> {
    /// Gone when it is over.
    connection: SpinMutex<Option<Connection<T>>>,
    /// The task came while an attendant was at it.
    missed: Mutex<Option<Waker>>,
}

impl<T: Transport> Task<T> {
    /// Registers a connection with the instance; `seat` is its place among `maxclients`.
    pub fn new(engine: Arc<Engine>, transport: T, origin: Origin, seat: Option<Seat>) -> Task<T> {
        let connection = Connection::new(engine, transport, origin, seat);
        let client = connection.client();
        let shared = Arc::new(Shared { connection: SpinMutex::new(Some(connection)), missed: Mutex::default() });
        let attended: Arc<dyn Attended> = shared.clone();
        client.connection.set(Arc::downgrade(&attended)).ok();
        Task(shared)
    }
}

impl<T: Transport> Future for Task<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.connection.try_lock() {
            Some(mut slot) => slot.as_mut().map_or(Poll::Ready(()), |connection| connection.poll(cx)),
            None => self.0.poll_behind_attendant(cx),
        }
    }
}

impl<T: Transport> Shared<T> {
    #[cold]
    fn poll_behind_attendant(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.missed.lock() = Some(cx.waker().clone());
        // It may have left before it could see that.
        match self.connection.try_lock() {
            Some(mut slot) => slot.as_mut().map_or(Poll::Ready(()), |connection| connection.poll(cx)),
            None => Poll::Pending,
        }
    }
}

impl<T: Transport> Attended for Shared<T> {
    fn attend(&self) {
        let Some(mut slot) = self.connection.try_lock() else { return };
        let is_over = slot.as_mut().is_some_and(Connection::attend);
        let over = if is_over { slot.take() } else { None };
        drop(slot);
        drop(over);
        let missed = self.missed.lock().take();
        if let Some(waker) = missed {
            waker.wake();
        }
    }
}
