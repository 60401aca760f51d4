//! Who waits for the log: for a sync, or to be admitted; as tasks, by their wakers, or as blocked threads.
//!
//! A waiter looks at the state again under the list's lock before it joins the list, and the writer changes the state
//! before it takes that lock: no notice falls between.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};

use super::{Admit, LogError, Position, Shared};

#[derive(Default)]
pub(super) struct Waiting {
    lists: Mutex<Lists>,
    changed: Condvar,
    /// Somebody is among `admissions`.
    has_admissions: AtomicBool,
}

#[derive(Default)]
struct Lists {
    synced: Vec<(u64, Waker)>,
    admissions: Vec<Waker>,
    /// Threads that wait to be admitted.
    blocked_admissions: usize,
}

impl Waiting {
    /// Blocks this thread until `outcome` tells something.
    pub(super) fn block<T>(&self, mut outcome: impl FnMut() -> Option<T>) -> T {
        let mut lists = self.lists.lock();
        loop {
            if let Some(outcome) = outcome() {
                return outcome;
            }
            self.changed.wait(&mut lists);
        }
    }

    fn block_for_admission<T>(&self, mut outcome: impl FnMut() -> Option<T>) -> T {
        let mut lists = self.lists.lock();
        lists.blocked_admissions += 1;
        self.has_admissions.store(true, Ordering::Release);
        loop {
            if let Some(outcome) = outcome() {
                lists.blocked_admissions -= 1;
                return outcome;
            }
            self.changed.wait(&mut lists);
        }
    }

    /// Wakes those who wait for a sync up to `synced`.
    pub(super) fn wake_synced(&self, synced: u64) {
        let mut lists = self.lists.lock();
        let due: Vec<_> = lists.synced.extract_if(.., |(position, _)| *position <= synced).collect();
        self.changed.notify_all();
        drop(lists);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Whether somebody waits to be admitted.
    #[inline]
    pub(super) fn has_admissions(&self) -> bool {
        self.has_admissions.load(Ordering::Acquire)
    }

    /// Wakes those who wait to be admitted: they ask again.
    pub(super) fn wake_admissions(&self) {
        if !self.has_admissions() {
            return;
        }
        let mut lists = self.lists.lock();
        let due = std::mem::take(&mut lists.admissions);
        self.has_admissions.store(lists.blocked_admissions > 0, Ordering::Release);
        self.changed.notify_all();
        drop(lists);
        due.into_iter().for_each(Waker::wake);
    }

    /// Wakes everybody, after a failure.
    pub(super) fn wake_all(&self) {
        let synced = std::mem::take(&mut self.lists.lock().synced);
        self.changed.notify_all();
        synced.into_iter().for_each(|(_, waker)| waker.wake());
        self.wake_admissions();
    }
}

/// A place in the log that becomes synced: the token of a commit. As a future it needs no particular runtime;
/// [`Synced::wait`] needs none. Dropping it changes nothing.
pub struct Synced {
    shared: Arc<Shared>,
    position: Position,
    /// The waker that is in the list.
    registered: Option<Waker>,
}

impl Synced {
    pub(super) fn new(shared: Arc<Shared>, position: Position) -> Synced {
        Synced { shared, position, registered: None }
    }

    /// The place.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it came to, if that is known.
    pub fn outcome(&self) -> Option<Result<(), LogError>> {
        self.shared.outcome(self.position)
    }

    /// Blocks until it is synced.
    ///
    /// # Errors
    /// When the log fails before that, or has failed.
    pub fn wait(self) -> Result<(), LogError> {
        self.shared.hasten(self.position);
        self.shared.waiting.block(|| self.shared.outcome(self.position))
    }
}

impl Future for Synced {
    type Output = Result<(), LogError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        if self.registered.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        self.shared.hasten(self.position);
        let waker = context.waker().clone();
        let mut lists = self.shared.waiting.lists.lock();
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        lists.synced.push((self.position.0, waker.clone()));
        drop(lists);
        self.registered = Some(waker);
        Poll::Pending
    }
}

/// Waits until the log admits; see [`super::Log::admission`].
pub struct Admission {
    shared: Arc<Shared>,
}

impl Admission {
    pub(super) fn new(shared: Arc<Shared>) -> Admission {
        Admission { shared }
    }

    /// Blocks until the log admits.
    ///
    /// # Errors
    /// When the log fails, or the disk stays behind for too long.
    pub fn wait(self) -> Result<(), LogError> {
        self.shared.waiting.block_for_admission(|| self.outcome())
    }

    fn outcome(&self) -> Option<Result<(), LogError>> {
        let now_ms = self.shared.clock.now_ms();
        match self.shared.admit(now_ms) {
            Admit::Go => Some(Ok(())),
            Admit::Wait => None,
            Admit::Refused => Some(Err(self.shared.refusal(now_ms))),
        }
    }
}

impl Future for Admission {
    type Output = Result<(), LogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        let waiting = &self.shared.waiting;
        let mut lists = waiting.lists.lock();
        // Said before looking again: the writer looks for it after every change.
        waiting.has_admissions.store(true, Ordering::Release);
        if let Some(outcome) = self.outcome() {
            return Poll::Ready(outcome);
        }
        if !lists.admissions.iter().any(|waker| waker.will_wake(context.waker())) {
            lists.admissions.push(context.waker().clone());
        }
        Poll::Pending
    }
}
