//! Entering the keyspace and leaving it: beside others, or alone; and who hears of what changes meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Duration;

use crossbeam::sync::{ShardedLockReadGuard, ShardedLockWriteGuard};

use super::{Keys, Tally};
use crate::base::config::KeyspaceEvents;
use crate::store::effects::{EffectSink, Observer};
use crate::store::keyspace::{Keyspace, Listeners};

/// How far a caller has entered the keyspace.
pub(super) enum Entered<'k> {
    Not,
    Shared(ShardedLockReadGuard<'k, Listeners>),
    Exclusively(ShardedLockWriteGuard<'k, Listeners>),
}

impl Entered<'_> {
    /// Who hears of changes; nobody of those of a caller that is not inside.
    #[inline]
    pub(super) fn listeners(&self) -> Option<&Listeners> {
        match self {
            Entered::Not => None,
            Entered::Shared(guard) => Some(guard),
            Entered::Exclusively(guard) => Some(guard),
        }
    }
}

impl Keys<'_> {
    /// Enters beside others, for a batch that begins at `now_ms`; at 0 it is outside of time, and nothing expires.
    pub fn enter(&mut self, now_ms: u64) {
        self.exit();
        self.entered = Entered::Shared(read_guard(self.keyspace));
        self.begin(now_ms);
    }

    /// As [`Keys::enter`]; false, and outside, where somebody is alone inside for long ([`Keyspace::is_busy`]).
    #[inline]
    #[must_use]
    pub fn enter_unless_busy(&mut self, now_ms: u64) -> bool {
        self.exit();
        let guard = match self.keyspace.everything.try_read() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => match patient_guard(self.keyspace) {
                Some(guard) => guard,
                None => return false,
            },
        };
        self.entered = Entered::Shared(guard);
        self.begin(now_ms);
        true
    }

    /// Whether the caller is inside.
    pub fn is_entered(&self) -> bool {
        !matches!(self.entered, Entered::Not)
    }

    /// Waits until nobody else is inside, and enters alone.
    pub fn enter_exclusively(&mut self, now_ms: u64) {
        self.exit();
        self.entered = Entered::Exclusively(write_guard(self.keyspace));
        self.begin(now_ms);
    }

    /// What only changes while nobody is inside is read once.
    #[inline]
    fn begin(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        let listeners = self.entered.listeners();
        self.effects.open(listeners.is_some_and(|listeners| listeners.log.is_some()));
        self.effects.wanted = listeners.map_or(KeyspaceEvents::NONE, |listeners| listeners.wanted);
        self.effects.tracking = listeners.is_some_and(|listeners| listeners.tracking);
        self.snapshot = self.keyspace.snapshots.latest();
    }

    /// What comes next happens at `now_ms`, if that is later than what was before; outside of time nothing changes.
    pub fn go_on(&mut self, now_ms: u64) {
        if self.now_ms != 0 {
            self.now_ms = self.now_ms.max(now_ms);
        }
    }

    /// Whether the caller is alone inside.
    pub fn is_exclusive(&self) -> bool {
        matches!(self.entered, Entered::Exclusively(_))
    }

    /// Says who takes the records of all changes from now on; returns who did. The caller is alone inside, and has
    /// committed what it changed.
    ///
    /// # Panics
    /// When it is not: others would go on with the log that they met.
    pub fn set_log(&mut self, log: Option<Arc<dyn EffectSink>>) -> Option<Arc<dyn EffectSink>> {
        let Entered::Exclusively(listeners) = &mut self.entered else {
            panic!("a log was changed by who is not alone")
        };
        self.effects.logging = log.is_some();
        std::mem::replace(&mut listeners.log, log)
    }

    /// Says who hears of which events, and whether of every change, from now on. The caller is alone inside, and has
    /// committed what it changed.
    ///
    /// # Panics
    /// As [`Keys::set_log`].
    pub fn set_observer(&mut self, observer: Option<Arc<dyn Observer>>, wanted: KeyspaceEvents, tracking: bool) {
        let Entered::Exclusively(listeners) = &mut self.entered else {
            panic!("an observer was changed by who is not alone")
        };
        (listeners.observer, listeners.wanted, listeners.tracking) = (observer, wanted, tracking);
        (self.effects.wanted, self.effects.tracking) = (wanted, tracking);
    }

    /// Lets go of everything and settles the counts.
    pub fn leave(&mut self) -> Tally {
        let bytes = self.tally.bytes;
        self.exit();
        Tally { bytes, ..std::mem::take(&mut self.tally) }
    }

    /// The batch that left with `tally` has come back: what it says waits for the same position of the log.
    pub fn resume(&mut self, tally: &Tally) {
        self.tally.position = self.tally.position.max(tally.position);
        self.tally.written = self.tally.written.max(tally.written);
    }

    /// Lets go of everything; what is counted stays. What follows runs outside.
    pub fn step_out(&mut self) {
        self.exit();
    }

    /// Bytes are settled before others may enter alone: to them, what is accounted for is what is there.
    fn exit(&mut self) {
        debug_assert!(!self.effects.is_pending(), "somebody changed keys and did not commit");
        self.release();
        self.effects.close();
        self.settle_bytes();
        self.entered = Entered::Not;
    }

    /// Publishes the bytes that were gained or lost so far.
    pub fn settle_bytes(&mut self) {
        self.keyspace.account(std::mem::take(&mut self.tally.bytes));
    }
}

/// The shared side of the big lock. A panic of another holder poisons nothing here: shards have their own guards.
fn read_guard(keyspace: &Keyspace) -> ShardedLockReadGuard<'_, Listeners> {
    keyspace.everything.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the shared side, for as long as nobody says that it takes long.
#[cold]
fn patient_guard(keyspace: &Keyspace) -> Option<ShardedLockReadGuard<'_, Listeners>> {
    /// Looks before the processor is given to others between two of them.
    const SPINS: u32 = 100;
    /// Looks before it rests in between.
    const YIELDS: u32 = 1000;
    const REST: Duration = Duration::from_micros(100);
    let mut looks = 0;
    while !keyspace.is_busy.load(Ordering::Acquire) {
        match keyspace.everything.try_read() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        looks += 1;
        match looks {
            ..SPINS => std::hint::spin_loop(),
            SPINS..YIELDS => std::thread::yield_now(),
            _ => std::thread::sleep(REST),
        }
    }
    None
}

fn write_guard(keyspace: &Keyspace) -> ShardedLockWriteGuard<'_, Listeners> {
    keyspace.everything.write().unwrap_or_else(PoisonError::into_inner)
}
