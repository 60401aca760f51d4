//! Waiting for elements: BLPOP and its kin.
//!
//! A command that finds nothing returns [`Wait`]; the dispatcher, which still holds the keys' shards, puts one
//! [`Waiter`] into the queue of each awaited key. A later command that brings elements serves the queues inside its own
//! critical section, in order of arrival: it claims a waiter (compare and swap, so that a timeout, a kill and a waker
//! cannot all win), runs the waiter's command again, as Redis 7.2 does, and leaves the reply in its mailbox. A claim is
//! never taken back: whoever claims has seen, within the locks, that there is something to serve ([`Wait::is_ready`]).
//!
//! Every change of an awaited key makes its waiters look again ([`Keys::changed`](crate::store::keys::Keys::changed)); a
//! command that brings elements need not know of waiting. What is waited for may be something else than keys, too: a
//! wait without keys ends with its deadline or with a future ([`Wait::until`]).
//!
//! Serving touches more shards than the waker's own (another key of BLPOP, BLMOVE's destination, and the keys of those
//! who wait for that). A writer whose keys are awaited therefore widens its lock set by everything that serving may
//! touch before it runs ([`widen`]): a lock is never taken out of order.

mod account;
mod timers;

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context as TaskContext, Waker};

use bytes::Bytes;

use parking_lot::Mutex;

pub use self::account::Account;
pub use self::timers::Timers;
use super::instance::Engine;
use crate::base::clock::Stopwatch;
use crate::command::Context;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::{Protocol, Reply};
use crate::protocol::request::OwnedRequest;
use crate::protocol::value::{BytesFrame, decode};
use crate::store::keyspace::{KeyId, Keyspace, Waiter as StoredWaiter};
use crate::store::record::{Record, ValueType};

/// The command that waits, to be run again on [`Wait::keys`]: writes its whole reply and returns true, or finds nothing
/// and returns false.
pub type Attempt = Box<dyn Fn(&mut Context<'_>, &[Vec<u8>]) -> CommandResult<bool> + Send + Sync>;

/// Whether an awaited key, with the record that it has now, is worth another attempt: exactly when the attempt would find
/// something (or fail).
pub type Ready = Box<dyn Fn(&[u8], Option<&Record>) -> bool + Send + Sync>;

/// Writes the reply of a wait that nobody serves.
pub type Unserved = Box<dyn Fn(&mut Reply) + Send + Sync>;

/// What a wait may end with beside keys.
pub type Until = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The command that undoes what the reply, which nobody has read, tells.
pub type PutBack = fn(BytesFrame) -> Option<OwnedRequest>;

/// What a command that has to wait returns.
pub struct Wait {
    /// Every key that the command touches, in the selected database.
    pub keys: Vec<Vec<u8>>,
    /// So many of the keys, from the first on, are waited for.
    pub awaited: usize,
    /// See there.
    pub is_ready: Ready,
    /// When to give up, Unix time in ms; `None` for never.
    pub deadline_ms: Option<u64>,
    /// The command.
    pub attempt: Attempt,
    /// What to reply at the deadline; a null array if it says nothing.
    pub unserved: Option<Unserved>,
    /// The wait ends as at its deadline when this does.
    pub until: Option<Until>,
    /// Nobody may end it (CLIENT UNBLOCK).
    pub is_held: bool,
    /// The command takes something that its reply tells, and that is put back where the client is gone before it could
    /// read that.
    pub put_back: Option<PutBack>,
}

impl Wait {
    /// Waits for any of `keys` to be of a type.
    pub fn for_type(
        value_type: ValueType,
        keys: impl IntoIterator<Item = impl AsRef<[u8]>>,
        deadline_ms: Option<u64>,
        attempt: Attempt,
    ) -> Wait {
        let keys: Vec<_> = keys.into_iter().map(|key| key.as_ref().to_vec()).collect();
        let is_ready =
            Box::new(move |_: &[u8], held: Option<&Record>| held.is_some_and(|held| held.value_type() == value_type));
        Wait {
            awaited: keys.len(),
            keys,
            is_ready,
            deadline_ms,
            attempt,
            unserved: None,
            until: None,
            is_held: false,
            put_back: None,
        }
    }

    /// Waits for no key, but for the deadline or `until`; the reply then is `unserved`.
    pub fn for_nothing(deadline_ms: Option<u64>, unserved: Unserved) -> Wait {
        Wait {
            keys: Vec::new(),
            awaited: 0,
            is_ready: Box::new(|_, _| false),
            deadline_ms,
            attempt: Box::new(|_, _| Ok(false)),
            unserved: Some(unserved),
            until: None,
            is_held: false,
            put_back: None,
        }
    }
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
    /// The command's; what is only put off has none.
    account: Option<Account>,
    /// [`Wait::until`], while it is not over.
    until: Mutex<Option<Until>>,
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
    pub fn poll(&self, engine: &Engine, waker: &Waker) -> Option<Served> {
        if self.is_over(waker) {
            self.time_out(engine);
        }
        let mut mailbox = self.mailbox.lock();
        if let Some(served) = mailbox.served.take() {
            return Some(served);
        }
        mailbox.waker = Some(waker.clone());
        None
    }

    /// Whether what it waits for beside keys has come.
    fn is_over(&self, waker: &Waker) -> bool {
        let mut until = self.until.lock();
        let is_over =
            until.as_mut().is_some_and(|future| future.as_mut().poll(&mut TaskContext::from_waker(waker)).is_ready());
        if is_over {
            *until = None;
        }
        is_over
    }

    /// Ends the wait with the reply of a timeout; false if somebody else was faster.
    pub fn time_out(&self, engine: &Engine) -> bool {
        self.end_with(engine, None, |reply| match &self.wait.unserved {
            Some(unserved) => unserved(reply),
            None => reply.null_array(),
        })
    }

    /// Ends the wait with an error; false if somebody else was faster.
    pub fn fail(&self, engine: &Engine, error: &CommandError) -> bool {
        self.end_with(engine, Some(error), |reply| reply.error(error))
    }

    fn end_with(&self, engine: &Engine, error: Option<&CommandError>, write: impl FnOnce(&mut Reply)) -> bool {
        let ours = self.claim();
        if ours {
            let mut reply = Reply::new(self.protocol);
            write(&mut reply);
            self.close_account(engine, 0, error);
            self.settle(reply.take(), 0);
        }
        ours
    }

    /// The command counts now.
    fn close_account(&self, engine: &Engine, took_ns: u64, error: Option<&CommandError>) {
        if let Some(error) = error {
            engine.stats.error(error);
        }
        if let Some(account) = &self.account {
            account.close(engine, took_ns, error.is_some());
        }
    }

    /// Ends the wait because the connection is gone. Where something was taken for it that it never read, the command
    /// that puts it back is returned.
    pub fn abandon(&self, engine: &Engine) -> Option<OwnedRequest> {
        if self.claim() {
            self.settle(Vec::new(), 0);
        }
        self.withdraw(engine);
        let put_back = self.wait.put_back?;
        let reply = Bytes::from(self.mailbox.lock().served.take()?.reply);
        put_back(decode(&reply, self.protocol)?.0)
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

    /// Whether the change of an awaited key to `held` makes it worth another attempt.
    fn is_ready(&self, key: &[u8], held: Option<&Record>) -> bool {
        (self.wait.is_ready)(key, held)
    }

    /// Whether somebody else may end it.
    pub fn may_be_ended(&self) -> bool {
        !self.wait.is_held
    }

    /// Whether it also ends when a key that it waits for is gone.
    pub fn ends_without_key(&self) -> bool {
        self.wait.keys.first().is_some_and(|key| self.is_ready(key, None))
    }

    /// The keys that it waits for; one that was named twice comes twice.
    pub fn awaited(&self) -> impl Iterator<Item = KeyId> {
        self.wait.keys.iter().take(self.wait.awaited).map(|key| (self.database, key.as_slice().into()))
    }

    /// Runs the command again, and returns the reply; the shards of all its keys are held.
    fn serve(&self, context: &mut Context<'_>, engine: &Engine) -> Vec<u8> {
        let own = std::mem::replace(&mut context.reply, Reply::new(self.protocol));
        let start = context.reply.mark();
        let watch = Stopwatch::start();
        let outcome = (self.wait.attempt)(context, &self.wait.keys);
        let took_ns = watch.elapsed_ns();
        debug_assert!(!matches!(outcome, Ok(false)), "an awaited key was ready, and there was nothing");
        match &outcome {
            Ok(true) => {}
            Ok(false) => context.reply.null_array(),
            Err(error) => {
                context.reply.truncate(start);
                context.reply.error(error);
            }
        }
        self.close_account(engine, took_ns, outcome.as_ref().err());
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

/// Puts a waiter into the queues of its keys, whose shards are held; `silent` if the client wants no reply. The command
/// counts by its account, once the wait has ended.
pub fn enqueue(
    context: &mut Context<'_>,
    engine: &Engine,
    mut wait: Wait,
    silent: bool,
    account: Option<Account>,
) -> Arc<Waiter> {
    let until = Mutex::new(wait.until.take());
    let waiter = Arc::new(Waiter {
        state: AtomicU8::new(WAITING),
        database: context.keys.database,
        protocol: context.reply.protocol(),
        silent,
        wait,
        account,
        until,
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
    // Whoever is served runs a command of its own.
    context.keys.go_on(engine.clock.now_ms());
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

/// Tells those who wait for keys that went without a command. The caller holds nothing, and is not inside the keyspace.
pub fn serve_gone(engine: &Engine, gone: &mut Vec<(usize, Vec<u8>)>) {
    for (database, key) in std::mem::take(gone) {
        let mut context = engine.context(Reply::default());
        context.keys.enter(engine.clock.now_ms());
        context.keys.database = database;
        context.keys.lock_many(std::iter::once(&key[..]));
        widen(&mut context, &[&key]);
        context.keys.effects.ready.push((database, key));
        let served = serve_ready(&mut context, engine);
        context.keys.commit();
        settle(served, context.keys.tally.position);
        let tally = context.keys.leave();
        engine.flush(&mut context.keys.effects.touched);
        engine.stats.add_tally(&tally);
    }
}

/// Whoever has waited longest for a key and is served by what it holds now.
fn next_waiter(context: &mut Context<'_>, id: &KeyId) -> Option<Arc<dyn StoredWaiter>> {
    context.keys.first_waiter(id, |waiter, held| {
        let waiter = waiter.as_any().downcast_ref::<Waiter>();
        waiter.is_some_and(|waiter| !waiter.is_settled() && waiter.is_ready(&id.1, held))
    })
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

#[cfg(test)]
mod tests;
