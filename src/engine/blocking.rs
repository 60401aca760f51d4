//! Waiting for elements: BLPOP and its kin.
//!
//! A command that finds nothing returns [`Wait`]; the dispatcher, which still holds the keys' shards, appends one
//! [`Waiter`] to the queue of each key. A later command that brings elements serves the queue inside its own critical
//! section, in order of arrival: it claims a waiter (compare and swap, so that a timeout, a kill and two wakers cannot
//! all win), runs the waiter's operation, and leaves the reply in its mailbox.
//!
//! Serving may need another shard (BLMOVE's destination). A writer whose shards have waiters therefore widens its lock
//! set by everything those waiters may touch before it runs ([`widen`]): a lock is never taken out of order.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use super::instance::Engine;
use crate::base::clock::{Clock, Signal};
use crate::command::Context;
use crate::protocol::error::CommandError;
use crate::protocol::reply::{Protocol, Reply};
use crate::store::keyspace::{KeyId, Waiter as StoredWaiter};

/// The operation that waits: writes the whole reply for an element of `key` and returns true, or does nothing and
/// returns false if `key` has none after all (or is of another type).
pub type Serve = Box<dyn Fn(&mut Context<'_>, &[u8]) -> bool + Send + Sync>;

/// What a command that has to wait returns.
pub struct Wait {
    /// Keys of the selected database, each waited for.
    pub keys: Vec<Vec<u8>>,
    /// Keys that serving touches beside the one that became ready.
    pub touches: Vec<Vec<u8>>,
    /// How long, in ms; `None` for ever.
    pub timeout_ms: Option<u64>,
    /// The operation.
    pub serve: Serve,
    /// Whether a timeout replies a null array (else a null).
    pub null_array: bool,
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait").field("keys", &self.keys.len()).field("timeout_ms", &self.timeout_ms).finish()
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
    wait: Wait,
    /// When its time is over, Unix time in ms.
    pub deadline_ms: Option<u64>,
    mailbox: Mutex<Mailbox>,
}

#[derive(Default)]
struct Mailbox {
    reply: Option<Vec<u8>>,
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
        &self.wait.touches
    }
}

impl Waiter {
    fn claim(&self) -> bool {
        self.state.compare_exchange(WAITING, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn settle(&self, reply: Vec<u8>) {
        let mut mailbox = self.mailbox.lock();
        mailbox.reply = Some(reply);
        self.state.store(SETTLED, Ordering::Release);
        if let Some(waker) = mailbox.waker.take() {
            waker.wake();
        }
    }

    /// The reply, once there is one; else `waker` is woken when it comes.
    pub fn poll(&self, waker: &Waker) -> Option<Vec<u8>> {
        let mut mailbox = self.mailbox.lock();
        if let Some(reply) = mailbox.reply.take() {
            return Some(reply);
        }
        mailbox.waker = Some(waker.clone());
        None
    }

    /// Ends the wait with the reply of a timeout; false if somebody else was faster.
    pub fn time_out(&self) -> bool {
        self.end_with(|reply| if self.wait.null_array { reply.null_array() } else { reply.null() })
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
            self.settle(reply.take());
        }
        ours
    }

    /// Ends the wait because the connection is gone.
    pub fn abandon(self: &Arc<Self>, engine: &Engine) {
        if self.claim() {
            self.settle(Vec::new());
        }
        self.withdraw(engine);
    }

    /// Ends the wait on behalf of whoever waits, and returns the reply if somebody was faster.
    pub fn cancel(&self, engine: &Engine) -> Option<Vec<u8>> {
        loop {
            if self.claim() {
                self.settle(Vec::new());
                self.withdraw(engine);
                return None;
            }
            // Somebody serves it at this moment, within the shards' locks: behind them it is settled, or waits again.
            self.withdraw(engine);
            if self.is_settled() {
                return self.mailbox.lock().reply.take();
            }
        }
    }

    /// Takes a settled waiter out of the queues it is still in.
    pub fn withdraw(&self, engine: &Engine) {
        let mut keys = engine.keys();
        keys.enter(engine.clock.now_ms());
        for key in &self.wait.keys {
            let id: KeyId = (self.database, key.as_slice().into());
            let hash = keys.hash(key);
            keys.with_shard(crate::store::keyspace::Keyspace::shard_of(hash), |shard| shard.prune_waiters(&id));
        }
        keys.leave();
    }
}

/// Puts a waiter into the queues of its keys, whose shards are held.
pub fn enqueue(context: &mut Context<'_>, engine: &Engine, wait: Wait) -> Arc<Waiter> {
    let deadline_ms = wait.timeout_ms.map(|timeout| context.keys.now_ms.saturating_add(timeout));
    let waiter = Arc::new(Waiter {
        state: AtomicU8::new(WAITING),
        database: context.keys.database,
        protocol: context.reply.protocol(),
        wait,
        deadline_ms,
        mailbox: Mutex::default(),
    });
    let mut unique: Vec<&Vec<u8>> = waiter.wait.keys.iter().collect();
    unique.sort_unstable();
    unique.dedup();
    for key in unique {
        let id: KeyId = (waiter.database, key.as_slice().into());
        let stored: Arc<dyn StoredWaiter> = waiter.clone();
        context.keys.with_shard_of(key, |shard| shard.enqueue_waiter(id, stored));
    }
    if let Some(deadline_ms) = deadline_ms {
        engine.timers.add(deadline_ms, waiter.clone());
    }
    waiter
}

/// Serves those who wait for the keys that the running command brought elements to. The shards are held.
pub fn serve_ready(context: &mut Context<'_>) {
    let selected = context.keys.database;
    let mut ready: VecDeque<(usize, Vec<u8>)> = std::mem::take(&mut context.keys.effects.ready).into_iter().collect();
    while let Some((database, key)) = ready.pop_front() {
        context.keys.database = database;
        while let Some(waiter) = next_waiter(context, database, &key) {
            let Some(waiter) = waiter.as_any().downcast_ref::<Waiter>() else { continue };
            if !waiter.claim() {
                continue;
            }
            let own = std::mem::replace(&mut context.reply, Reply::new(waiter.protocol));
            let served = (waiter.wait.serve)(context, &key);
            let reply = std::mem::replace(&mut context.reply, own);
            if !served {
                waiter.state.store(WAITING, Ordering::Release);
                break;
            }
            let mut reply = reply;
            waiter.settle(reply.take());
            let id: KeyId = (database, key.as_slice().into());
            context.keys.with_shard_of(&key, |shard| shard.prune_waiters(&id));
            // Serving may have brought elements to another key.
            ready.extend(std::mem::take(&mut context.keys.effects.ready));
        }
    }
    context.keys.database = selected;
}

/// The first waiter of a key that nobody has settled.
fn next_waiter(context: &mut Context<'_>, database: usize, key: &[u8]) -> Option<Arc<dyn StoredWaiter>> {
    let id: KeyId = (database, key.into());
    context.keys.with_shard_of(key, |shard| {
        shard.prune_waiters(&id);
        shard.waiters(database, key).and_then(|queue| queue.front().cloned())
    })
}

/// Widens the lock set of a writer by what serving the waiters of its shards may touch.
pub fn widen(context: &mut Context<'_>, declared: &[&[u8]]) {
    /// Rounds after which the writer waits for everybody instead.
    const ROUNDS_MAX: usize = 4;
    for _ in 0..ROUNDS_MAX {
        let missing = context.keys.waiters_touch();
        if missing.is_empty() {
            return;
        }
        context.keys.release();
        let all: Vec<&[u8]> = declared.iter().copied().chain(missing.iter().map(Vec::as_slice)).collect();
        context.keys.lock_many(all.into_iter());
    }
    if !context.keys.waiters_touch().is_empty() {
        let now_ms = context.keys.now_ms;
        context.keys.enter_exclusively(now_ms);
    }
}

/// The deadlines of those who wait, and the thread that ends them.
#[derive(Default)]
pub struct Timers {
    due: Mutex<BTreeMap<(u64, u64), Arc<Waiter>>>,
    sequence: std::sync::atomic::AtomicU64,
    /// Raised when an earlier deadline came in, or the thread is to end.
    pub signal: Signal,
    stopped: AtomicBool,
}

impl Timers {
    fn add(&self, deadline_ms: u64, waiter: Arc<Waiter>) {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let mut due = self.due.lock();
        let earlier = due.first_key_value().is_none_or(|((first, _), _)| deadline_ms < *first);
        due.insert((deadline_ms, sequence), waiter);
        if earlier {
            self.signal.raise();
        }
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
