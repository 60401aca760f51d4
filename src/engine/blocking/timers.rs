//! The deadlines of those who wait, and the thread that ends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Waiter;
use crate::base::clock::Signal;
use crate::engine::instance::Engine;

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
    pub(super) fn draw_ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn add(&self, waiter: &Arc<Waiter>) {
        let Some(deadline_ms) = waiter.wait.deadline_ms else { return };
        let mut due = self.due.lock();
        let earlier = due.first_key_value().is_none_or(|((first, _), _)| deadline_ms < *first);
        due.insert((deadline_ms, waiter.ticket), waiter.clone());
        drop(due);
        if earlier {
            self.signal.raise();
        }
    }

    pub(super) fn remove(&self, waiter: &Waiter) {
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
    pub fn fire(&self, engine: &Engine, now_ms: u64) {
        loop {
            let mut due = self.due.lock();
            let Some(entry) = due.first_entry() else { return };
            if entry.key().0 > now_ms {
                return;
            }
            let waiter = entry.remove();
            drop(due);
            waiter.time_out(engine);
        }
    }

    /// The thread's work, until [`Timers::stop`].
    pub fn run(&self, engine: &Engine) {
        while !self.stopped.load(Ordering::Acquire) {
            self.fire(engine, engine.clock.now_ms());
            engine.clock.wait(self.next(), &self.signal);
        }
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.signal.raise();
    }
}
