//! `Outbox`: what others send to a connection.
//!
//! A publisher appends the message's bytes, which all subscribers of one protocol share, and remembers the outbox;
//! when its own batch has ended it flushes every outbox that it touched. Where the connection is a socket with nothing
//! else under way, the publisher's thread writes to it directly, so that a message costs one system call and wakes
//! nobody; what does not fit stays queued, and the connection's own task is woken to write it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::config::OutputLimit;
use crate::base::gauge::Share;

/// Writes without waiting, from any thread.
pub trait DirectWrite: Send + Sync {
    /// Writes what fits now; an error of kind `WouldBlock` where nothing does.
    ///
    /// # Errors
    /// As `std::io::Write::write`.
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize>;
}

struct State {
    queue: VecDeque<Bytes>,
    /// Bytes of the front message that are written already.
    written: usize,
    bytes: usize,
    waker: Option<Waker>,
    writer: Option<Arc<dyn DirectWrite>>,
    /// The connection's task is writing replies: messages have to wait behind them.
    corked: bool,
    limit: OutputLimit,
    overflowed: bool,
    /// What waits here, as far as it is worth counting before somebody has tried to send it.
    waiting: Share,
}

/// Messages that are likely to be sent in a moment are counted from so many bytes on.
const UNCOUNTED_BYTES: usize = 16 << 10;

/// The messages of one connection; see the module's text.
pub struct Outbox {
    state: Mutex<State>,
    /// To be closed, or closed; read at every turn of the connection's task.
    closed: AtomicBool,
    /// Messages may come; read as often.
    open: AtomicBool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Nothing waited before it: whoever pushed it has to flush.
    First,
    /// It waits behind others, which somebody is about to flush.
    Behind,
    /// The connection is gone, or this message was one too many for it.
    Dropped,
}

/// What a flush by somebody else came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flushed {
    /// Bytes written to the socket.
    pub bytes: usize,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("bytes", &self.len()).finish()
    }
}

impl Outbox {
    /// An outbox; `writer` for sockets that may be written to from any thread, `waiting` for the bytes that they do not
    /// take at once.
    pub fn new(writer: Option<Arc<dyn DirectWrite>>, limit: OutputLimit, waiting: Share) -> Outbox {
        let state = State {
            queue: VecDeque::new(),
            written: 0,
            bytes: 0,
            waker: None,
            writer,
            corked: true,
            limit,
            overflowed: false,
            waiting,
        };
        Outbox { state: Mutex::new(state), closed: AtomicBool::new(false), open: AtomicBool::new(false) }
    }

    /// Messages may come from now on. Until the connection's task knows of it, nobody writes directly.
    pub fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Whether messages may come, or may have come: nothing is to be looked for before.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Appends a message.
    pub fn push(&self, message: &Bytes) -> Pushed {
        let mut state = self.state.lock();
        if self.is_closed() || state.overflowed {
            return Pushed::Dropped;
        }
        let first = state.queue.is_empty();
        state.bytes += message.len();
        state.queue.push_back(message.clone());
        if state.limit.hard_bytes != 0 && state.bytes as u64 > state.limit.hard_bytes {
            state.overflowed = true;
            state.queue.clear();
            state.bytes = 0;
            state.waiting.set(0);
            wake(&mut state);
            return Pushed::Dropped;
        }
        if state.bytes > state.waiting.get() + UNCOUNTED_BYTES {
            let bytes = state.bytes;
            state.waiting.set(bytes);
        }
        if first { Pushed::First } else { Pushed::Behind }
    }

    /// Appends a message, and adds the outbox to `touched` if it is to be flushed.
    pub fn send(self: &Arc<Outbox>, message: &Bytes, touched: &mut Vec<Arc<Outbox>>) {
        // Where messages wait already, somebody else is about to send them all.
        if self.push(message) == Pushed::First {
            touched.push(self.clone());
        }
    }

    /// Writes what is queued, from the thread of a publisher, or wakes the connection's task to do it.
    pub fn flush(&self) -> Flushed {
        let mut state = self.state.lock();
        let mut bytes = 0;
        if !state.corked && state.writer.is_some() {
            bytes = state.write_directly();
        }
        state.waiting.set(state.bytes);
        if !state.queue.is_empty() {
            wake(&mut state);
        }
        Flushed { bytes }
    }

    /// The connection's task is about to write replies of its own (or is done, with `false`).
    pub fn cork(&self, corked: bool) {
        self.state.lock().corked = corked;
    }

    /// Moves everything queued to `out`, for the connection's own task. False if the connection is to be closed.
    pub fn drain(&self, out: &mut Vec<u8>) -> bool {
        let mut state = self.state.lock();
        if self.is_closed() || state.overflowed {
            return false;
        }
        let skip = std::mem::take(&mut state.written);
        for (index, message) in state.queue.drain(..).enumerate() {
            out.extend_from_slice(&message[if index == 0 { skip } else { 0 }..]);
        }
        state.bytes = 0;
        state.waiting.set(0);
        true
    }

    /// Bytes queued.
    pub fn len(&self) -> usize {
        self.state.lock().bytes
    }

    /// Messages queued.
    pub fn count(&self) -> usize {
        self.state.lock().queue.len()
    }

    /// Sets another limit for what is queued from now on.
    pub fn set_limit(&self, limit: OutputLimit) {
        self.state.lock().limit = limit;
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the connection fell too far behind.
    pub fn has_overflowed(&self) -> bool {
        self.state.lock().overflowed
    }

    /// Goes on after the connection fell too far behind; false if it did not.
    pub fn recover(&self) -> bool {
        std::mem::take(&mut self.state.lock().overflowed)
    }

    /// Closes the connection from outside (`CLIENT KILL`, shutdown) or from inside.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let mut state = self.state.lock();
        state.writer = None;
        state.queue.clear();
        (state.bytes, state.written) = (0, 0);
        state.waiting.set(0);
        wake(&mut state);
    }

    /// Whether somebody closed it.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        wake(&mut self.state.lock());
    }

    /// Remembers whom to wake when there is something for the connection's task to do.
    pub fn register(&self, waker: &Waker) {
        let mut state = self.state.lock();
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
    }
}

fn wake(state: &mut State) {
    if let Some(waker) = &state.waker {
        waker.wake_by_ref();
    }
}

impl State {
    /// Writes messages, joined where several are queued, until nothing is left or nothing fits.
    fn write_directly(&mut self) -> usize {
        let Some(writer) = self.writer.clone() else { return 0 };
        let mut total = 0;
        while !self.queue.is_empty() {
            let joined: Vec<u8>;
            let bytes = if self.queue.len() == 1 {
                &self.queue[0][self.written..]
            } else {
                let mut all = Vec::with_capacity(self.bytes);
                for (index, message) in self.queue.iter().enumerate() {
                    all.extend_from_slice(&message[if index == 0 { self.written } else { 0 }..]);
                }
                joined = all;
                &joined
            };
            // An error here is the task's to find out, when it reads or writes next.
            let Ok(n) = writer.try_write(bytes) else { return total };
            total += n;
            self.consume(n);
        }
        total
    }

    fn consume(&mut self, mut n: usize) {
        self.bytes = self.bytes.saturating_sub(n);
        while let Some(front) = self.queue.front() {
            let left = front.len() - self.written;
            if n < left {
                self.written += n;
                return;
            }
            n -= left;
            self.written = 0;
            self.queue.pop_front();
        }
    }
}
