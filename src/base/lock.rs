//! `SpinMutex`, the lock of what every command takes (shards, the end of the log): taken with one locked instruction,
//! given back with a plain store.
//!
//! A pipeline takes a shard's lock three times for each key: twice for a moment to fetch what the command will touch,
//! and once to run it. A lock that can wake who sleeps at it has to look for sleepers when it is given back, with a
//! second locked instruction, which besides waits for every load and store before it. GET at pipeline 64 costs 9% less
//! without.
//!
//! So nobody is woken here. Who finds the lock taken looks again: at once for some hundred cycles (a command takes
//! less), then after giving the processor to others (the holder may be one of them), then after short rests that grow,
//! for a holder that is at a big value for milliseconds.
//!
//! This is one of the audited modules with `unsafe`. Its invariant: `unlock` is called by the holder alone, which
//! `lock_api`'s guard sees to; who takes the lock sees what was written under it before (acquire, release).
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::lock_api;

/// Looks in a row.
const SPINS: u32 = 100;
/// Looks, together with those, between which others run.
const YIELDS: u32 = 200;
/// The first rest between two looks, and the longest.
const RESTS: [Duration; 2] = [Duration::from_micros(20), Duration::from_micros(500)];

/// What is short to work on, behind its lock.
pub type SpinMutex<T> = lock_api::Mutex<RawLock, T>;
/// The right to it.
pub type SpinGuard<'a, T> = lock_api::MutexGuard<'a, RawLock, T>;

/// See the module's text.
#[derive(Debug)]
pub struct RawLock {
    is_taken: AtomicBool,
}

// SAFETY: of all who change `is_taken` from false to true at a time one succeeds, and it stays true until that one's
// `unlock`, which the trait allows the holder only.
unsafe impl lock_api::RawMutex for RawLock {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait's way to make a new one")]
    const INIT: RawLock = RawLock { is_taken: AtomicBool::new(false) };

    type GuardMarker = lock_api::GuardSend;

    #[inline]
    fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.is_taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.is_taken.store(false, Ordering::Release);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.is_taken.load(Ordering::Relaxed)
    }
}

impl RawLock {
    /// Looks until it is free, and takes it.
    #[cold]
    fn wait(&self) {
        use lock_api::RawMutex as _;
        let [mut rest, longest] = RESTS;
        let mut looks = 0;
        // Only who sees it free tries to take it: a look leaves the line with the holder.
        while self.is_locked() || !self.try_lock() {
            looks += 1;
            match looks {
                ..SPINS => std::hint::spin_loop(),
                SPINS..YIELDS => std::thread::yield_now(),
                _ => {
                    std::thread::sleep(rest);
                    rest = longest.min(rest * 2);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_it_and_sees_what_others_wrote() {
        const THREADS: usize = 4;
        let turns = if cfg!(miri) { 50 } else { 20_000 };
        let counts = SpinMutex::new((0, 0));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..turns {
                        let mut held = counts.lock();
                        held.0 += 1;
                        held.1 += held.0;
                    }
                });
            }
        });
        let last = THREADS * turns;
        assert_eq!(*counts.lock(), (last, last * (last + 1) / 2));
    }

    #[test]
    fn what_is_held_is_not_had_and_is_free_when_the_holder_ends() {
        let lock = SpinMutex::new(1);
        let held = lock.lock();
        assert!(lock.try_lock().is_none() && lock.is_locked());
        drop(held);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = lock.lock();
            panic!("within");
        }));
        assert!(panicked.is_err());
        assert_eq!(lock.try_lock().as_deref(), Some(&1));
    }

    #[test]
    fn who_waits_for_long_has_it_in_the_end() {
        let lock = SpinMutex::new(0);
        let held = lock.lock();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| *lock.lock() += 1);
            // Long enough for the rests to begin: they begin after so many turns of others.
            (0..2 * YIELDS).for_each(|_| std::thread::yield_now());
            drop(held);
            waiter.join().expect("the waiter ends");
        });
        assert_eq!(*lock.lock(), 1);
    }
}
