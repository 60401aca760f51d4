//! Time, the only source of it: nothing else in the house asks the operating system what time it is.
//!
//! Server time is the wall clock at the start plus the monotonic time since. It never runs backwards, and a step of
//! the wall clock (NTP, an operator, a suspended machine) neither expires nor immortalises a lease; the step can be
//! seen with [`Clock::wall_step_ms`] and is adopted, forwards only, on request.
//!
//! A manual clock stands still until it is advanced. `advance` moves it from one due moment to the next
//! ([`Clock::on_due`]), calls the hooks at each of them ([`Clock::on_advance`]), wakes whoever waits on it, and returns
//! when the hooks are through: tests and simulations need no sleep.
//!
//! A background thread waits with [`Clock::wait`] for a moment on this clock or for its [`Signal`], whichever is first.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};

/// Called with the time in milliseconds, see [`Clock::on_advance`].
pub type AdvanceHook = Arc<dyn Fn(u64) + Send + Sync>;

/// Tells the next moment at which something is due, in milliseconds, see [`Clock::on_due`].
pub type DueHook = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// A shared clock; clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Source>);

enum Source {
    System {
        /// Monotonic zero.
        start: Instant,
        /// Unix time at monotonic zero, plus the steps that were adopted.
        base_us: AtomicU64,
        /// Length of the adopted steps, which the monotonic reading leaves out.
        adopted_us: AtomicU64,
    },
    Manual(Manual),
}

struct Manual {
    start_us: u64,
    now_us: AtomicU64,
    /// One advance at a time, so that hooks see the moments in order.
    advancing: Mutex<()>,
    waiters: Mutex<Vec<Weak<Shared>>>,
    advance_hooks: Mutex<Vec<AdvanceHook>>,
    due_hooks: Mutex<Vec<DueHook>>,
}

impl Clock {
    /// The real time.
    pub fn system() -> Clock {
        Clock(Arc::new(Source::System {
            start: Instant::now(),
            base_us: AtomicU64::new(wall_us()),
            adopted_us: AtomicU64::new(0),
        }))
    }

    /// A clock that stands at `start_ms` (Unix time) until it is advanced.
    pub fn manual(start_ms: u64) -> Clock {
        let start_us = start_ms.saturating_mul(1000);
        Clock(Arc::new(Source::Manual(Manual {
            start_us,
            now_us: AtomicU64::new(start_us),
            advancing: Mutex::new(()),
            waiters: Mutex::default(),
            advance_hooks: Mutex::default(),
            due_hooks: Mutex::default(),
        })))
    }

    /// Whether this clock only moves by [`Clock::advance`] and [`Clock::set`].
    pub fn is_manual(&self) -> bool {
        matches!(*self.0, Source::Manual(_))
    }

    /// Unix time in microseconds.
    #[inline]
    pub fn now_us(&self) -> u64 {
        match &*self.0 {
            Source::System { start, base_us, .. } => base_us.load(Ordering::Relaxed) + elapsed_us(*start),
            Source::Manual(manual) => manual.now_us.load(Ordering::Acquire),
        }
    }

    /// Unix time in milliseconds.
    #[inline]
    pub fn now_ms(&self) -> u64 {
        self.now_us() / 1000
    }

    /// Unix time in milliseconds, and a stopwatch that starts with it: the system is asked for the time once.
    #[inline]
    pub fn start_watch(&self) -> (u64, Stopwatch) {
        let now = Instant::now();
        let now_us = match &*self.0 {
            Source::System { start, base_us, .. } => {
                base_us.load(Ordering::Relaxed) + whole_us(now.duration_since(*start))
            }
            Source::Manual(manual) => manual.now_us.load(Ordering::Acquire),
        };
        (now_us / 1000, Stopwatch(now))
    }

    /// Microseconds since the clock was made, for durations.
    #[inline]
    pub fn monotonic_us(&self) -> u64 {
        match &*self.0 {
            Source::System { start, .. } => elapsed_us(*start),
            Source::Manual(manual) => manual.now_us.load(Ordering::Acquire) - manual.start_us,
        }
    }

    /// How far the wall clock has run away from this clock, in milliseconds; always 0 for a manual clock.
    pub fn wall_step_ms(&self) -> i64 {
        if self.is_manual() {
            return 0;
        }
        let (wall, ours) = (wall_us() as i64, self.now_us() as i64);
        (wall - ours) / 1000
    }

    /// Moves server time forward to the wall clock, and returns by how many milliseconds. A wall clock that is behind
    /// is not followed, because time never runs backwards here.
    pub fn adopt_wall_step(&self) -> u64 {
        let Source::System { base_us, adopted_us, .. } = &*self.0 else { return 0 };
        let step = wall_us().saturating_sub(self.now_us());
        base_us.fetch_add(step, Ordering::Relaxed);
        adopted_us.fetch_add(step, Ordering::Relaxed);
        step / 1000
    }

    /// All wall clock steps adopted so far, in milliseconds.
    pub fn adopted_ms(&self) -> u64 {
        match &*self.0 {
            Source::System { adopted_us, .. } => adopted_us.load(Ordering::Relaxed) / 1000,
            Source::Manual(_) => 0,
        }
    }

    /// Moves a manual clock forward by `by`; see [`Clock::set`]. Does nothing to a real clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &*self.0 {
            let _turn = manual.advancing.lock();
            let by_us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
            manual.move_to(self.now_us().saturating_add(by_us));
        }
    }

    /// Moves a manual clock forward to `now_ms`, halting at every due moment on the way, and returns after all hooks
    /// have run. A moment in the past changes nothing. Does nothing to a real clock.
    ///
    /// Hooks must not move the clock themselves.
    pub fn set(&self, now_ms: u64) {
        if let Source::Manual(manual) = &*self.0 {
            let _turn = manual.advancing.lock();
            manual.move_to(now_ms.saturating_mul(1000));
        }
    }

    /// Has `hook` called with the time, in milliseconds, whenever a manual clock has moved; hooks run in the order of
    /// their registration, on the thread that moves the clock. A real clock never calls it.
    pub fn on_advance(&self, hook: AdvanceHook) {
        if let Source::Manual(manual) = &*self.0 {
            manual.advance_hooks.lock().push(hook);
        }
    }

    /// Has a manual clock ask `hook` where to halt next while it moves: it visits each moment that is due before the
    /// end, so that what happens there sees its own time.
    pub fn on_due(&self, hook: DueHook) {
        if let Source::Manual(manual) = &*self.0 {
            manual.due_hooks.lock().push(hook);
        }
    }

    /// Waits until `deadline_ms` (Unix time on this clock; `None` is never) or until `signal` is raised, whichever is
    /// first, and lowers the signal when that was it.
    pub fn wait(&self, deadline_ms: Option<u64>, signal: &Signal) -> Woken {
        if let Source::Manual(manual) = &*self.0 {
            manual.register(signal);
        }
        let mut raised = signal.0.raised.lock();
        loop {
            if std::mem::take(&mut *raised) {
                return Woken::Signal;
            }
            // The time is read under the signal's lock: an advance after this reading has to take that lock before it
            // notifies, so its notice cannot fall between reading and waiting.
            let now_us = self.now_us();
            let left_us = deadline_ms.map(|deadline| deadline.saturating_mul(1000).saturating_sub(now_us));
            match left_us {
                Some(0) => return Woken::Deadline,
                Some(left) if !self.is_manual() => {
                    signal.0.changed.wait_for(&mut raised, Duration::from_micros(left));
                }
                _ => signal.0.changed.wait(&mut raised),
            }
        }
    }
}

impl Manual {
    /// Visits every due moment up to `end_us`, then the end itself. The caller holds `advancing`.
    fn move_to(&self, end_us: u64) {
        let due_hooks = self.due_hooks.lock().clone();
        loop {
            let now_us = self.now_us.load(Ordering::Acquire);
            if now_us >= end_us {
                return;
            }
            let due = due_hooks.iter().filter_map(|hook| hook()).map(|due_ms| due_ms.saturating_mul(1000));
            // What is due already, but still there after its hooks ran, would hold the clock for ever.
            let next_us = due.filter(|due_us| *due_us > now_us).min().unwrap_or(end_us).min(end_us);
            self.arrive(next_us);
        }
    }

    fn arrive(&self, now_us: u64) {
        self.now_us.store(now_us, Ordering::Release);
        let hooks = self.advance_hooks.lock().clone();
        for hook in hooks {
            hook(now_us / 1000);
        }
        let waiting: Vec<_> = {
            let mut waiters = self.waiters.lock();
            waiters.retain(|waiter| waiter.strong_count() > 0);
            waiters.iter().filter_map(Weak::upgrade).collect()
        };
        for shared in waiting {
            let _held = shared.raised.lock();
            shared.changed.notify_all();
        }
    }

    fn register(&self, signal: &Signal) {
        let mut waiters = self.waiters.lock();
        let known = Arc::downgrade(&signal.0);
        if !waiters.iter().any(|waiter| waiter.ptr_eq(&known)) {
            waiters.push(known);
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("manual", &self.is_manual()).field("now_us", &self.now_us()).finish()
    }
}

/// Measures how long something takes, in real time whatever the clock is.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[inline]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Nanoseconds since the start.
    #[inline]
    pub fn elapsed_ns(&self) -> u64 {
        let elapsed = self.0.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The signal was raised.
    Signal,
    /// The deadline is reached.
    Deadline,
}

/// What wakes a thread in [`Clock::wait`]; clones are the same signal. It stays raised until a wait has seen it.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// A signal that is not raised.
    pub fn new() -> Signal {
        Signal::default()
    }

    /// Wakes one thread that waits with this signal, now or when it next waits.
    pub fn raise(&self) {
        *self.0.raised.lock() = true;
        self.0.changed.notify_one();
    }
}

#[inline]
fn elapsed_us(start: Instant) -> u64 {
    whole_us(start.elapsed())
}

fn whole_us(duration: Duration) -> u64 {
    // Not as_micros(): its 128-bit arithmetic costs more than reading the clock.
    duration.as_secs() * 1_000_000 + u64::from(duration.subsec_micros())
}

fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
