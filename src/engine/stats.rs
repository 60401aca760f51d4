//! Counters of an instance: striped over cache lines, so that workers do not fight over them, and added up when read.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam::utils::CachePadded;

use super::registry::REGISTRY;
use crate::store::keys::Tally;

/// Stripes; threads share them round robin.
const STRIPES: usize = 8;

/// What is counted beside commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Counter {
    Connections,
    RejectedConnections,
    Hits,
    Misses,
    Expired,
    Evicted,
    InputBytes,
    OutputBytes,
    Errors,
    ProtocolErrors,
    OutputLimitDisconnections,
    QueryLimitDisconnections,
    DeniedUnauthenticated,
    AcceptErrors,
    Published,
    ClockSteps,
}

const COUNTERS: usize = Counter::ClockSteps as usize + 1;

/// Statistics of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Calls that ran.
    pub calls: u64,
    /// Time that they took, in ns.
    pub nanoseconds: u64,
    /// Calls that a gate refused.
    pub rejected: u64,
    /// Calls that ran and failed.
    pub failed: u64,
}

#[derive(Default)]
struct CommandCounters {
    calls: AtomicU64,
    nanoseconds: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
}

struct Stripe {
    counters: [AtomicU64; COUNTERS],
    commands: Box<[CommandCounters]>,
}

/// All counters of an instance.
pub struct Stats {
    stripes: Box<[CachePadded<Stripe>]>,
}

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}
static NEXT_STRIPE: AtomicUsize = AtomicUsize::new(0);

/// The stripe of the calling thread.
#[inline]
fn stripe_index() -> usize {
    STRIPE.with(|stripe| {
        if stripe.get() == usize::MAX {
            stripe.set(NEXT_STRIPE.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get()
    })
}

impl Default for Stats {
    fn default() -> Self {
        let stripe = || {
            CachePadded::new(Stripe {
                counters: std::array::from_fn(|_| AtomicU64::new(0)),
                commands: REGISTRY.all.iter().map(|_| CommandCounters::default()).collect(),
            })
        };
        Stats { stripes: (0..STRIPES).map(|_| stripe()).collect() }
    }
}

impl Stats {
    #[inline]
    fn stripe(&self) -> &Stripe {
        &self.stripes[stripe_index()]
    }

    /// Adds to a counter.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        if n != 0 {
            self.stripe().counters[counter as usize].fetch_add(n, Ordering::Relaxed);
        }
    }

    /// A counter's value.
    pub fn get(&self, counter: Counter) -> u64 {
        self.stripes.iter().map(|s| s.counters[counter as usize].load(Ordering::Relaxed)).sum()
    }

    /// Adds what a batch counted about keys.
    #[inline]
    pub fn add_tally(&self, tally: &Tally) {
        self.add(Counter::Hits, tally.hits);
        self.add(Counter::Misses, tally.misses);
        self.add(Counter::Expired, tally.expired);
    }

    /// Notes calls of a command.
    #[inline]
    pub fn called(&self, command: usize, calls: u64, nanoseconds: u64) {
        let counters = &self.stripe().commands[command];
        counters.calls.fetch_add(calls, Ordering::Relaxed);
        if nanoseconds != 0 {
            counters.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Notes a call that a gate refused.
    pub fn rejected(&self, command: usize) {
        self.stripe().commands[command].rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a call that failed.
    pub fn failed(&self, command: usize) {
        self.stripe().commands[command].failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A command's statistics.
    pub fn command(&self, command: usize) -> CommandStats {
        let mut sum = CommandStats::default();
        for stripe in &self.stripes {
            let counters = &stripe.commands[command];
            sum.calls += counters.calls.load(Ordering::Relaxed);
            sum.nanoseconds += counters.nanoseconds.load(Ordering::Relaxed);
            sum.rejected += counters.rejected.load(Ordering::Relaxed);
            sum.failed += counters.failed.load(Ordering::Relaxed);
        }
        sum
    }

    /// Commands that ran.
    pub fn commands_processed(&self) -> u64 {
        (0..REGISTRY.all.len()).map(|id| self.command(id).calls).sum()
    }

    /// Sets everything back to zero (`CONFIG RESETSTAT`).
    pub fn reset(&self) {
        for stripe in &self.stripes {
            stripe.counters.iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
            for command in &stripe.commands {
                command.calls.store(0, Ordering::Relaxed);
                command.nanoseconds.store(0, Ordering::Relaxed);
                command.rejected.store(0, Ordering::Relaxed);
                command.failed.store(0, Ordering::Relaxed);
            }
        }
    }
}
