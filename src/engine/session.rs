//! `Session`: the state of one connection, whatever it comes through.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};

use super::blocking::{Served, Waiter};
use super::clients::Client;
use super::dispatch;
use super::instance::{Engine, Hindrance};
use super::tracking::Tracker;
use super::transaction::{Transaction, Watched};
use crate::protocol::reply::Protocol;
use crate::pubsub::outbox::Outbox;
use crate::pubsub::registry::Subscriptions;

/// Whether replies are sent (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    /// All.
    #[default]
    On,
    /// None.
    Off,
    /// Not that of the command that sets it, nor of the next.
    SkipNext,
    /// Not that of the command that runs.
    Skip,
}

/// The state of one connection.
pub struct Session {
    /// What others see of it.
    pub client: Arc<Client>,
    /// Selected database.
    pub database: usize,
    /// Protocol of the replies.
    pub protocol: Protocol,
    /// Whether it may run commands; a connection without a password to give is from the start.
    pub authenticated: bool,
    /// Between MULTI and EXEC.
    pub transaction: Option<Transaction>,
    /// Since WATCH.
    pub watched: Option<Watched>,
    /// What it is subscribed to.
    pub subscriptions: Subscriptions,
    /// See there.
    pub reply_mode: ReplyMode,
    /// The wait that the last command began; commands behind it stay unread until it ends.
    pub blocked: Option<Arc<Waiter>>,
    /// To be closed once what is written is sent.
    pub closing: bool,
    /// Outboxes that the running batch put messages into.
    pub touched: Vec<Arc<Outbox>>,
    /// A command asked the instance to stop.
    pub shutdown: bool,
    /// How it wants to be told of changes of what it has cached, if it does.
    pub tracker: Option<Arc<Tracker>>,
    /// CLIENT CACHING has been said for the next command.
    pub caching: bool,
    /// Uses leave no trace on keys (`CLIENT NO-TOUCH`).
    pub no_touch: bool,
    /// It runs what was logged: nothing is refused, and nothing expires while it does.
    pub is_replay: bool,
    /// It has a seat beyond `maxclients`: it may manage the instance, and nothing else.
    pub is_reserved: bool,
    /// The log's position behind its last write.
    pub written: u64,
}

impl Session {
    /// A new connection.
    pub fn new(client: Arc<Client>, authenticated: bool) -> Session {
        Session {
            client,
            database: 0,
            protocol: Protocol::Resp2,
            authenticated,
            transaction: None,
            watched: None,
            subscriptions: Subscriptions::default(),
            reply_mode: ReplyMode::On,
            blocked: None,
            closing: false,
            touched: Vec::new(),
            shutdown: false,
            tracker: None,
            caching: false,
            no_touch: false,
            is_replay: false,
            is_reserved: false,
            written: 0,
        }
    }

    /// Whether it has one of the operator's seats.
    pub fn reserve(&mut self, is_reserved: bool) {
        self.is_reserved = is_reserved;
        self.client.is_reserved.store(is_reserved, Ordering::Relaxed);
    }

    /// Subscribed to anything.
    #[inline]
    pub fn is_subscribed(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    /// Whether a command that comes now is run at once and replied to, like on a new connection.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.authenticated && self.transaction.is_none() && self.blocked.is_none() && self.reply_mode == ReplyMode::On
    }

    /// Sends what the commands before have published.
    pub fn flush_touched(&mut self, engine: &Engine) {
        engine.flush(&mut self.touched);
    }

    /// Takes the connection out of everything that knows it. To be called once, when it ends.
    pub fn end(&mut self, engine: &Engine) {
        self.client.outbox.close();
        engine.pubsub.leave(self.client.id, &mut self.subscriptions);
        self.stop_waiting(engine);
        if self.client.monitors.load(Ordering::Relaxed) {
            engine.monitors.remove(self.client.id);
        }
        if self.tracker.take().is_some() {
            engine.tracking.end(&self.client);
            match engine.is_hindered(Hindrance::Busy) {
                true => engine.scripts.running.observe_later(),
                false => engine.observe_from_outside(),
            }
        }
        super::transaction::forget_watched(engine, self);
        engine.clients.remove(self.client.id);
    }

    /// Ends the wait of the last command, if there is one, without a reply; an element that was taken for it meanwhile is
    /// put back.
    pub fn stop_waiting(&mut self, engine: &Engine) {
        let Some(waiter) = self.blocked.take() else { return };
        *self.client.waiter.lock() = Weak::new();
        if let Some(undo) = waiter.abandon(engine) {
            dispatch::run_request(engine, self, undo.request(), Vec::new());
        }
    }

    /// The command that has just run waits.
    pub fn block(&mut self, waiter: Arc<Waiter>) {
        *self.client.waiter.lock() = Arc::downgrade(&waiter);
        self.blocked = Some(waiter);
    }

    /// The reply of the command that waits, once there is one; else `waker` is woken when it comes. With the reply the
    /// wait is over, and the session runs commands again.
    pub fn poll_blocked(&mut self, engine: &Engine, waker: &Waker) -> Poll<Served> {
        let Some(waiter) = &self.blocked else { return Poll::Ready(Served::default()) };
        let Some(served) = waiter.poll(engine, waker) else { return Poll::Pending };
        waiter.withdraw(engine);
        self.blocked = None;
        *self.client.waiter.lock() = Weak::new();
        if served.position > 0 {
            self.written = served.position;
        }
        self.publish_state();
        Poll::Ready(served)
    }

    /// Shows others what `CLIENT LIST` shows.
    pub fn publish_state(&self) {
        let client = &self.client;
        client.closing.store(self.closing, Ordering::Relaxed);
        client.authenticated.store(self.authenticated, Ordering::Relaxed);
        client.database.store(self.database as u32, Ordering::Relaxed);
        let subscriptions = &self.subscriptions;
        client.channels.store(subscriptions.channels.len() as u32, Ordering::Relaxed);
        client.patterns.store(subscriptions.patterns.len() as u32, Ordering::Relaxed);
        client.shard_channels.store(subscriptions.shard_channels.len() as u32, Ordering::Relaxed);
        let queued = self.transaction.as_ref().map_or(u32::MAX, |transaction| transaction.queued.len() as u32);
        client.queued.store(queued, Ordering::Relaxed);
        client.held.queued.set(self.transaction.as_ref().map_or(0, Transaction::heap_bytes));
        client.watching.store(self.watched.as_ref().map_or(0, |watched| watched.keys.len() as u32), Ordering::Relaxed);
        client.protocol.store(if self.protocol == Protocol::Resp3 { 3 } else { 2 }, Ordering::Relaxed);
    }
}
