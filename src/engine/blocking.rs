//! Waiting for elements: BLPOP and its kin.
//!
//! A command that finds nothing returns [`Wait`]; the dispatcher, which still holds the keys' shards, puts one
//! [`Waiter`] into the queue of each awaited key. A later command that brings elements serves the queues inside its own
//! critical section, in order of arrival: it claims a waiter (compare and swap, so that a timeout, a kill and a waker
//! cannot all win), runs the waiter's command again, as Redis 7.2 does, and leaves the reply in its mailbox. A claim is
//! never taken back: whoever claims has seen, within the locks, that there is something to serve.
//!
//! Serving touches more shards than the waker's own (another key of BLPOP, BLMOVE's destination, and the keys of those
//! who wait for that). A writer whose keys are awaited therefore widens its lock set by everything that serving may
//! touch before it runs ([`widen`]): a lock is never taken out of order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use super::instance::Engine;
use crate::base::clock::{Clock, Signal};
use crate::command::Context;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::{Protocol, Reply};
use crate::protocol::request::{Batch, OwnedRequest, Parser};
use crate::store::keyspace::{KeyId, Keyspace, Waiter as StoredWaiter};
use crate::store::record::ValueType;

/// The command that waits, to be run again on [`Wait::keys`]: writes its whole reply and returns true, or finds nothing
/// and returns false.
pub type Attempt = Box<dyn Fn(&mut Context<'_>, &[Vec<u8>]) -> CommandResult<bool> + Send + Sync>;

/// What a command that has to wait returns.
pub struct Wait {
    /// Every key that the command touches, in the selected database.
    pub keys: Vec<Vec<u8>>,
    /// So many of the keys, from the first on, are waited for.
    pub awaited: usize,
    /// The type that an awaited key must be of to be worth another attempt.
    pub value_type: ValueType,
    /// When to give up, Unix time in ms; `None` for never.
    pub deadline_ms: Option<u64>,
    /// The command.
    pub attempt: Attempt,
    /// The command's reply is a key and the element taken from it: this command puts the element back where the client
    /// is gone before it could read that.
    pub put_back: Option<&'static str>,
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait").field("keys", &self.keys.len()).field("deadline_ms", &self.deadline_ms).finish()
    }
}

const WAITING: u8 = 0;
const CLAIMED: u8 = 1;
const SETTLED: u8 = 2;

/// One connection that waits.
pub struct Waiter {
    state: AtomicU8,
    database: usize,
    protocol: Protocol,
    /// Its replies are off.
    silent: bool,
    wait: Wait,
    /// Its place in the order of arrival, over all keys.
    ticket: u64,
    /// Whether queues and timers may still know it.
    enlisted: AtomicBool,
    mailbox: Mutex<Mailbox>,
}

/// What a wait ended with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The reply; empty where the client wants none.
    pub reply: Vec<u8>,
    /// The log's position behind what it tells; 0 for nothing.
    pub position: u64,
}

/// Waiters whose commands have run, with their replies; see [`settle`].
pub type ServedWaiters = Vec<(Arc<dyn StoredWaiter>, Vec<u8>)>;

#[derive(Default)]
struct Mailbox {
    served: Option<Served>,
    waker: Option<Waker>,
}

impl StoredWaiter for Waiter {
    fn is_settled(&self) -> bool {
        self.state.load(Ordering::Acquire) == SETTLED
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn touches(&self) -> &[Vec<u8>] {
        &self.wait.keys
    }
}

impl Waiter {
    fn claim(&self) -> bool {
        self.state.compare_exchange(WAITING, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn settle(&self, reply: Vec<u8>, position: u64) {
        let mut mailbox = self.mailbox.lock();
        mailbox.served = Some(Served { reply: if self.silent { Vec::new() } else { reply }, position });
        self.state.store(SETTLED, Ordering::Release);
        let waker = mailbox.waker.take();
        drop(mailbox);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The reply, once there is one; else `waker` is woken when it comes.
    /// [`Session::poll_blocked`](super::session::Session::poll_blocked) is the way to it.
    pub fn poll(&self, waker: &Waker) -> Option<Served> {
        let mut mailbox = self.mailbox.lock();
        if let Some(served) = mailbox.served.take() {
            return Some(served);
        }
        mailbox.waker = Some(waker.clone());
        None
    }

    /// Ends the wait with the reply of a timeout, a null array whatever the command; false if somebody else was faster.
    pub fn time_out(&self) -> bool {
        self.end_with(|reply| reply.null_array())
    }

    /// Ends the wait with an error; false if somebody else was faster.
    pub fn fail(&self, error: &CommandError) -> bool {
        self.end_with(|reply| reply.error(error))
    }

    fn end_with(&self, write: impl FnOnce(&mut Reply)) -> bool {
        let ours = self.claim();
        if ours {
            let mut reply = Reply::new(self.protocol);
            write(&mut reply);
            self.settle(reply.take(), 0);
        }
        ours
    }

    /// Ends the wait because the connection is gone. Where an element was taken for it that it never read, the command
    /// that puts it back is returned.
    pub fn abandon(&self, engine: &Engine) -> Option<OwnedRequest> {
        if self.claim() {
            self.settle(Vec::new(), 0);
        }
        self.withdraw(engine);
        let reply = self.mailbox.lock().served.take()?.reply;
        let put_back = self.wait.put_back.filter(|_| reply.starts_with(b"*2"))?;
        // A reply of bulk strings is spelled as a request is.
        let mut taken = Batch::default();
        Parser::default().parse(&reply, 0, &mut taken, 1).ok()?;
        let taken = taken.requests(&reply).next()?;
        OwnedRequest::new(&[put_back.as_bytes(), taken.get(0)?, taken.get(1)?])
    }

    /// Takes a settled waiter out of the queues and timers that may still know it. The caller is not inside the keyspace.
    pub fn withdraw(&self, engine: &Engine) {
        if !self.enlisted.load(Ordering::Acquire) {
            return;
        }
        let mut keys = engine.keys();
        keys.enter(engine.clock.now_ms());
        for id in self.awaited() {
            let hash = keys.hash(&id.1);
            keys.with_shard(Keyspace::shard_of(hash), |shard| shard.remove_waiter(&id, self.ticket));
        }
        keys.leave();
        engine.timers.remove(self);
        self.enlisted.store(false, Ordering::Release);
    }

    /// The keys that it waits for; one that was named twice comes twice.
    fn awaited(&self) -> impl Iterator<Item = KeyId> {
        self.wait.keys.iter().take(self.wait.awaited).map(|key| (self.database, key.as_slice().into()))
    }

    /// Runs the command again, and returns the reply; the shards of all its keys are held.
    fn serve(&self, context: &mut Context<'_>, engine: &Engine) -> Vec<u8> {
        let own = std::mem::replace(&mut context.reply, Reply::new(self.protocol));
        let start = context.reply.mark();
        let outcome = (self.wait.attempt)(context, &self.wait.keys);
        debug_assert!(!matches!(outcome, Ok(false)), "an awaited key was ready, and there was nothing");
        match outcome {
            Ok(true) => {}
            Ok(false) => context.reply.null_array(),
            Err(error) => {
                context.reply.truncate(start);
                context.reply.error(&error);
                engine.stats.error(&error);
            }
        }
        let mut reply = std::mem::replace(&mut context.reply, own);
        for id in self.awaited() {
            context.keys.with_shard_of(&id.1, |shard| shard.remove_waiter(&id, self.ticket));
        }
        engine.timers.remove(self);
        reply.take()
    }
}

/// Hands those their replies who were served, and tells how far the log has to be for them. The shards are still held.
pub fn settle(served: ServedWaiters, position: u64) {
    for (stored, reply) in served {
        if let Some(waiter) = stored.as_any().downcast_ref::<Waiter>() {
            waiter.settle(reply, position);
            // Last: who sees it settled in between still has to wait for these locks.
            waiter.enlisted.store(false, Ordering::Release);
        }
    }
}

/// Puts a waiter into the queues of its keys, whose shards are held; `silent` if the client wants no reply.
pub fn enqueue(context: &mut Context<'_>, engine: &Engine, wait: Wait, silent: bool) -> Arc<Waiter> {
    let waiter = Arc::new(Waiter {
        state: AtomicU8::new(WAITING),
        database: context.keys.database,
        protocol: context.reply.protocol(),
        silent,
        wait,
        // Drawn within the locks, so that tickets are in order of arrival for each key.
        ticket: engine.timers.draw_ticket(),
        enlisted: AtomicBool::new(true),
        mailbox: Mutex::default(),
    });
    for id in waiter.awaited() {
        let stored: Arc<dyn StoredWaiter> = waiter.clone();
        let key = id.1.clone();
        context.keys.with_shard_of(&key, |shard| shard.enqueue_waiter(id, waiter.ticket, stored));
    }
    engine.timers.add(&waiter);
    waiter
}

/// Serves those who wait for the keys that the running command brought elements to. The shards are held. Whoever was
/// served is to be settled once the changes are handed over.
#[must_use]
pub fn serve_ready(context: &mut Context<'_>, engine: &Engine) -> ServedWaiters {
    let mut served = ServedWaiters::new();
    let selected = context.keys.database;
    let mut ready: VecDeque<(usize, Vec<u8>)> = std::mem::take(&mut context.keys.effects.ready).into_iter().collect();
    while let Some((database, key)) = ready.pop_front() {
        context.keys.database = database;
        let id: KeyId = (database, key.into());
        while let Some(stored) = next_waiter(context, &id) {
            let Some(waiter) = stored.as_any().downcast_ref::<Waiter>() else { break };
            if !waiter.claim() {
                // Timed out or killed this moment.
                context.keys.with_shard_of(&id.1, |shard| shard.remove_waiter(&id, waiter.ticket));
                continue;
            }
            context.keys.effects.begin();
            // It says itself what to log: nobody else would understand the command that waited.
            let reply = waiter.serve(context, engine);
            served.push((stored, reply));
            // Serving may have brought elements to another key.
            ready.extend(std::mem::take(&mut context.keys.effects.ready));
        }
    }
    context.keys.database = selected;
    served
}

/// Whoever has waited longest for a key and is served by what it holds now.
fn next_waiter(context: &mut Context<'_>, id: &KeyId) -> Option<Arc<dyn StoredWaiter>> {
    let held = context.keys.peek(&id.1)?.value_type();
    let is_served = |waiter: &&Arc<dyn StoredWaiter>| {
        let wanted = waiter.as_any().downcast_ref::<Waiter>().map(|waiter| waiter.wait.value_type);
        !waiter.is_settled() && wanted == Some(held)
    };
    context.keys.with_shard_of(&id.1, |shard| shard.waiters(id).find(is_served).cloned())
}

/// Widens the lock set of a writer by what serving those who wait for its keys may touch.
pub fn widen(context: &mut Context<'_>, declared: &[&[u8]]) {
    /// Rounds after which the writer waits for everybody instead: others begin to wait meanwhile.
    const ROUNDS_MAX: usize = 4;
    let mut more = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        if context.keys.holds_what_waiters_touch(declared, &mut more) {
            return;
        }
        context.keys.release();
        context.keys.lock_many(declared.iter().copied().chain(more.iter().map(Vec::as_slice)));
    }
    if !context.keys.holds_what_waiters_touch(declared, &mut more) {
        let now_ms = context.keys.now_ms;
        context.keys.enter_exclusively(now_ms);
    }
}

/// The deadlines of those who wait, and the thread that ends them.
#[derive(Default)]
pub struct Timers {
    /// By deadline and ticket.
    due: Mutex<BTreeMap<(u64, u64), Arc<Waiter>>>,
    tickets: AtomicU64,
    /// Raised when an earlier deadline came in, or the thread is to end.
    pub signal: Signal,
    stopped: AtomicBool,
}

impl Timers {
    fn draw_ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    fn add(&self, waiter: &Arc<Waiter>) {
        let Some(deadline_ms) = waiter.wait.deadline_ms else { return };
        let mut due = self.due.lock();
        let earlier = due.first_key_value().is_none_or(|((first, _), _)| deadline_ms < *first);
        due.insert((deadline_ms, waiter.ticket), waiter.clone());
        drop(due);
        if earlier {
            self.signal.raise();
        }
    }

    fn remove(&self, waiter: &Waiter) {
        if let Some(deadline_ms) = waiter.wait.deadline_ms {
            self.due.lock().remove(&(deadline_ms, waiter.ticket));
        }
    }

    /// How many wait with a deadline.
    pub fn len(&self) -> usize {
        self.due.lock().len()
    }

    /// Whether nobody waits with a deadline.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The earliest deadline, Unix time in ms.
    pub fn next(&self) -> Option<u64> {
        self.due.lock().first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Ends every wait whose time is over.
    pub fn fire(&self, now_ms: u64) {
        loop {
            let mut due = self.due.lock();
            let Some(entry) = due.first_entry() else { return };
            if entry.key().0 > now_ms {
                return;
            }
            let waiter = entry.remove();
            drop(due);
            waiter.time_out();
        }
    }

    /// The thread's work, until [`Timers::stop`].
    pub fn run(&self, clock: &Clock) {
        while !self.stopped.load(Ordering::Acquire) {
            self.fire(clock.now_ms());
            clock.wait(self.next(), &self.signal);
        }
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.signal.raise();
    }
}

#[cfg(test)]
mod tests;
