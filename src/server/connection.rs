//! The connection loop: one plain future per connection.
//!
//! Each turn reads what is there, runs **all** complete commands, writes the replies once, and only then waits. Nothing
//! is allocated for a connection that is idle: reading and writing go through two buffers of the worker's thread, and a
//! connection keeps only what could not be run or sent yet.
//!
//! A connection whose output was not taken completely reads nothing more until it is.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;

use super::round;
use super::transport::Transport;
use crate::base::gauge::Share;
use crate::base::limits::{CONNECTION_BUFFER_KEPT_BYTES, READ_BYTES, WORKER_BUFFER_KEPT_BYTES};
use crate::engine::clients::{Client, Origin, Seat};
use crate::engine::dispatch;
use crate::engine::instance::Engine;
use crate::engine::persistence::commit::HeldBack;
use crate::engine::session::Session;
use crate::engine::stats::Counter;
use crate::engine::transaction::Transaction;
use crate::persist::aof::log::Admission;
use crate::protocol::request::Parser;
use crate::store::keys::Tally;

thread_local! {
    static READ: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static WRITE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// What the two hold, in the figures of the instance that the thread first worked for.
    static KEPT: OnceCell<Share> = const { OnceCell::new() };
}

/// What the dispatcher keeps on each worker's thread from batch to batch, about.
const BATCH_BYTES: usize = 24 << 10;

/// Turns before a busy connection lets others of its worker run.
const TURNS_MAX: usize = 8;

/// A connection under way.
pub struct Connection<T: Transport> {
    engine: Arc<Engine>,
    session: Session,
    transport: T,
    parser: Parser,
    /// What has arrived and is not run yet.
    input: Vec<u8>,
    /// Bytes that the incomplete command in `input` is known to lack.
    missing: usize,
    /// Complete commands are left in `input`.
    paused: bool,
    /// What is written and not sent yet, from `sent` on.
    output: Vec<u8>,
    sent: usize,
    /// What the output has to wait for before any of it is sent.
    held_back: Option<Box<HeldBack>>,
    /// What the next command has to wait for before it runs.
    admission: Option<Admission>,
    waker: Option<Waker>,
    /// What others have been told.
    held: Held,
    /// Given back when the connection ends.
    _seat: Option<Seat>,
}

/// Bytes in use and room of the connection's buffers, and the bytes of its transaction.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    query: (usize, usize),
    output: (usize, usize),
    queued: usize,
}

/// What one step of a turn came to.
enum Step {
    /// Something was done: go on.
    Onward,
    /// Nothing more can be done until somebody wakes the task.
    Wait,
    /// The connection is over.
    End,
}

impl<T: Transport> Connection<T> {
    /// Registers a connection with the instance; `seat` is its place among `maxclients`.
    pub fn new(engine: Arc<Engine>, transport: T, origin: Origin, seat: Option<Seat>) -> Connection<T> {
        let mut session = engine.connect(origin, transport.direct_writer());
        session.reserve(seat.as_ref().is_some_and(|seat| seat.is_reserved));
        let mut parser = Parser::new(session.authenticated);
        parser.set_bulk_bytes_max(engine.settings.string_bytes());
        Connection {
            engine,
            session,
            transport,
            parser,
            input: Vec::new(),
            missing: 0,
            paused: false,
            output: Vec::new(),
            sent: 0,
            held_back: None,
            admission: None,
            waker: None,
            held: Held::default(),
            _seat: seat,
        }
    }

    /// Lets others know what the connection keeps while it rests, and has the biggest connections closed where all of
    /// them keep too much.
    #[inline]
    fn show_buffers(&mut self) {
        let held = Held {
            query: (self.input.len(), self.input.capacity()),
            output: (self.output.len() - self.sent, self.output.capacity()),
            queued: self.session.transaction.as_ref().map_or(0, Transaction::heap_bytes),
        };
        if held != self.held {
            self.session.client.held.show_buffers(held.query, held.output);
            self.held = held;
            self.engine.limit_buffers();
        }
    }

    /// What others see of the connection.
    pub fn client(&self) -> Arc<Client> {
        self.session.client.clone()
    }

    /// Goes on until there is nothing to do for now; ready when the connection is over.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
            self.session.client.outbox.register(cx.waker());
        }
        for _ in 0..TURNS_MAX {
            match self.turn(cx) {
                Step::Onward => {}
                Step::Wait => {
                    self.show_buffers();
                    return Poll::Pending;
                }
                Step::End => return Poll::Ready(()),
            }
        }
        self.show_buffers();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does the same on a thread that is not the task's, past its runtime; the task is woken for what is left. True when
    /// the connection is over.
    #[cold]
    pub fn attend(&mut self) -> bool {
        // What was taken for one that waits is given back by its own thread.
        if self.session.blocked.is_some() || !self.transport.bypass(true) {
            return false;
        }
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        let (mut has_moved, mut is_over) = (false, false);
        for _ in 0..TURNS_MAX {
            match self.turn(&mut cx) {
                Step::Wait => break,
                Step::Onward => has_moved = true,
                Step::End => {
                    (has_moved, is_over) = (true, true);
                    break;
                }
            }
        }
        self.transport.bypass(false);
        if has_moved {
            self.show_buffers();
            cx.waker().wake_by_ref();
        }
        is_over && self.session.blocked.is_none()
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Step {
        if self.held_back.is_some() && self.poll_held_back(cx).is_pending() {
            return if self.session.client.outbox.is_closed() { Step::End } else { Step::Wait };
        }
        if self.sent < self.output.len() {
            match self.send(cx) {
                Step::Onward => {}
                other => return other,
            }
        }
        if self.session.closing || self.session.client.outbox.is_closed() {
            return Step::End;
        }
        if self.session.blocked.is_some() {
            return self.wait_for_keys(cx);
        }
        if self.session.client.outbox.is_open() && self.take_messages() {
            return Step::Onward;
        }
        if self.paused {
            if let Some(admission) = &mut self.admission {
                if Pin::new(admission).poll(cx).is_pending() {
                    return Step::Wait;
                }
                // Where it was refused, the gates tell the client.
                self.admission = None;
            }
            let input = std::mem::take(&mut self.input);
            self.input = self.run(input);
            return Step::Onward;
        }
        self.read(cx)
    }

    /// Writes what is left of the output.
    fn send(&mut self, cx: &mut Context<'_>) -> Step {
        while self.sent < self.output.len() {
            match self.transport.poll_write(cx, &self.output[self.sent..]) {
                Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => return Step::End,
                Poll::Ready(Ok(n)) => {
                    self.engine.stats.add(Counter::Writes, 1);
                    self.sent += n;
                }
                Poll::Pending => {
                    let left = self.output.len() - self.sent;
                    let limit = self.engine.output_limits.read()[0].hard_bytes;
                    if limit != 0 && left as u64 > limit {
                        self.engine.stats.add(Counter::OutputLimitDisconnections, 1);
                        return Step::End;
                    }
                    return if self.session.client.outbox.is_closed() { Step::End } else { Step::Wait };
                }
            }
        }
        self.engine.stats.add(Counter::OutputBytes, self.sent as u64);
        self.sent = 0;
        if self.session.client.outbox.is_open() {
            self.session.client.outbox.cork(false);
        }
        give_back(&self.engine, std::mem::take(&mut self.output));
        Step::Onward
    }

    /// Moves published messages to the output; false if there were none.
    fn take_messages(&mut self) -> bool {
        let outbox = &self.session.client.outbox;
        if !outbox.drain(&mut self.output) {
            self.engine.stats.add(Counter::OutputLimitDisconnections, 1);
            self.session.closing = true;
            return true;
        }
        if !self.output.is_empty() {
            outbox.cork(true);
        }
        !self.output.is_empty()
    }

    /// The last command waits for keys: until it is served only the end of the connection is of interest.
    fn wait_for_keys(&mut self, cx: &mut Context<'_>) -> Step {
        if let Poll::Ready(served) = self.session.poll_blocked(&self.engine, cx.waker()) {
            let start = self.output.len();
            self.output.extend_from_slice(&served.reply);
            self.paused = !self.input.is_empty();
            if self.engine.persistence.holds_replies() {
                let tally = Tally { position: served.position, written: served.position, ..Tally::default() };
                let replies = std::iter::once(start..self.output.len()).filter(|reply| !reply.is_empty()).collect();
                self.held_back = self.engine.persistence.hold_back(&tally, replies, self.session.protocol);
            }
            return Step::Onward;
        }
        // What arrives meanwhile is kept for later, up to a limit; then the kernel keeps it.
        if self.input.len() < CONNECTION_BUFFER_KEPT_BYTES {
            return match self.fill(cx, CONNECTION_BUFFER_KEPT_BYTES - self.input.len()) {
                Poll::Ready(0) => Step::End,
                Poll::Ready(_) => Step::Onward,
                Poll::Pending => Step::Wait,
            };
        }
        Step::Wait
    }

    /// Reads once for the connection's own buffer, at most `room` bytes; 0 is the end. Nothing is allocated before
    /// something has arrived.
    ///
    /// It goes by way of the worker's buffer: to be read into, the room would have to be zeroed every time, which for a
    /// big command that comes in small pieces is far more work than to copy the pieces.
    fn fill(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<usize> {
        let mut scratch = self.scratch();
        let mut buffer = ReadBuf::new(&mut scratch[..room.min(READ_BYTES)]);
        let result = self.transport.poll_read(cx, &mut buffer);
        let n = buffer.filled().len();
        self.input.extend_from_slice(&scratch[..n]);
        READ.set(scratch);
        match result {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(_)) => Poll::Ready(0),
            Poll::Ready(Ok(())) => {
                self.engine.stats.add(Counter::Reads, 1);
                self.engine.stats.add(Counter::InputBytes, n as u64);
                Poll::Ready(n)
            }
        }
    }

    /// Reads once, and runs what is complete.
    fn read(&mut self, cx: &mut Context<'_>) -> Step {
        if !self.input.is_empty() {
            return self.read_on(cx);
        }
        let mut scratch = self.scratch();
        let mut buffer = ReadBuf::new(&mut scratch);
        let result = self.transport.poll_read(cx, &mut buffer);
        let n = buffer.filled().len();
        if result.is_pending() {
            READ.set(scratch);
            return Step::Wait;
        }
        if n == 0 {
            READ.set(scratch);
            return Step::End;
        }
        self.engine.stats.add(Counter::Reads, 1);
        self.engine.stats.add(Counter::InputBytes, n as u64);
        let consumed = self.run_slice(&scratch[..n]);
        if consumed < n {
            self.input.extend_from_slice(&scratch[consumed..n]);
        }
        READ.set(scratch);
        Step::Onward
    }

    /// The worker's buffer, to be given back to `READ`.
    fn scratch(&self) -> Vec<u8> {
        let mut scratch = READ.take();
        if scratch.len() < READ_BYTES {
            scratch.resize(READ_BYTES, 0);
            show_kept(&self.engine, 0);
        }
        scratch
    }

    /// Reads more of a command that is incomplete.
    fn read_on(&mut self, cx: &mut Context<'_>) -> Step {
        // Room for what is known to be missing, but never more than has arrived already: a size that is only announced
        // allocates nothing.
        let room = self.missing.min(self.input.len()).max(READ_BYTES / 4);
        self.input.reserve(room);
        match self.fill(cx, self.input.capacity() - self.input.len()) {
            Poll::Ready(0) => return Step::End,
            Poll::Ready(_) => {}
            Poll::Pending => return Step::Wait,
        }
        let limit = self.engine.query_bytes_max.load(Ordering::Relaxed);
        if self.input.len() > limit {
            self.engine.stats.add(Counter::QueryLimitDisconnections, 1);
            tracing::warn!(
                "{} sent a request above client-query-buffer-limit; closed",
                self.session.client.origin.peer
            );
            return Step::End;
        }
        let input = std::mem::take(&mut self.input);
        self.input = self.run(input);
        Step::Onward
    }

    /// Runs what is complete in a buffer of the connection's own, and returns the rest.
    fn run(&mut self, mut input: Vec<u8>) -> Vec<u8> {
        let consumed = self.run_slice(&input);
        if consumed == input.len() && input.capacity() > CONNECTION_BUFFER_KEPT_BYTES {
            return Vec::new();
        }
        input.drain(..consumed);
        input
    }

    fn run_slice(&mut self, input: &[u8]) -> usize {
        let out = if self.output.is_empty() { WRITE.take() } else { std::mem::take(&mut self.output) };
        if self.session.client.outbox.is_open() {
            // Messages to ourselves wait behind the replies.
            self.session.client.outbox.cork(true);
        }
        let ran = dispatch::run(&self.engine, &mut self.session, &mut self.parser, input, out);
        self.output = ran.out;
        self.missing = ran.missing;
        self.paused = ran.paused;
        self.held_back = ran.held_back;
        if ran.awaits_log {
            self.admission = self.engine.persistence.admission();
        }
        if self.held_back.is_none() {
            self.let_go();
        }
        ran.consumed
    }

    /// The output waits for the log; once it may be sent, what was published with it goes out too.
    #[cold]
    fn poll_held_back(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(held_back) = &mut self.held_back {
            std::task::ready!(held_back.poll(cx, &mut self.output));
        }
        self.held_back = None;
        self.let_go();
        Poll::Ready(())
    }

    /// The batch's replies and messages may go.
    #[inline]
    fn let_go(&mut self) {
        round::post(&self.engine, &mut self.session);
        if self.output.is_empty() {
            give_back(&self.engine, std::mem::take(&mut self.output));
            if self.session.client.outbox.is_open() {
                self.session.client.outbox.cork(false);
            }
        }
    }
}

/// Keeps an output buffer for the thread's next use, unless it has grown too large.
fn give_back(engine: &Engine, mut buffer: Vec<u8>) {
    buffer.clear();
    if buffer.capacity() <= WORKER_BUFFER_KEPT_BYTES {
        show_kept(engine, buffer.capacity());
        WRITE.set(buffer);
    }
}

/// Counts what the thread keeps for reading and writing.
fn show_kept(engine: &Engine, write_bytes: usize) {
    KEPT.with(|kept| {
        kept.get_or_init(|| engine.memory.worker_buffers.share()).set(READ_BYTES + BATCH_BYTES + write_bytes)
    });
}

impl<T: Transport> Drop for Connection<T> {
    fn drop(&mut self) {
        // Messages that waited for the log: nobody else sends them.
        self.session.flush_touched(&self.engine);
        self.session.end(&self.engine);
        if self.session.shutdown {
            self.engine.stop();
        }
    }
}

#[cfg(test)]
mod tests;
