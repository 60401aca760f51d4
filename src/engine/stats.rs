//! Counters of an instance: striped over cache lines, so that workers do not fight over them, and added up when read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam::utils::CachePadded;
use parking_lot::{Mutex, RwLock};

use super::registry::REGISTRY;
use crate::protocol::error::CommandError;
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
    FailedLogins,
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

/// What happens per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Commands.
    pub commands: f64,
    /// Bytes received.
    pub input_bytes: f64,
    /// Bytes sent.
    pub output_bytes: f64,
}

/// Totals at one moment, and the rates that led there.
#[derive(Default)]
struct Sample {
    at_us: u64,
    commands: u64,
    input_bytes: u64,
    output_bytes: u64,
    rates: Rates,
}

/// Rates are those of at least so long a time.
const RATES_PERIOD_US: u64 = 100_000;

/// Codes of errors that are counted, each in its own place; scripts may make up any number of them.
const ERROR_CODES_MAX: usize = 128;
/// Longest code that is taken for one.
const ERROR_CODE_BYTES_MAX: usize = 64;

/// All counters of an instance.
pub struct Stats {
    stripes: Box<[CachePadded<Stripe>]>,
    /// Error replies by code (`ERR`, `WRONGTYPE`, …).
    errors: RwLock<BTreeMap<String, AtomicU64>>,
    sample: Mutex<Sample>,
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
        Stats { stripes: (0..STRIPES).map(|_| stripe()).collect(), errors: RwLock::default(), sample: Mutex::default() }
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

    /// Notes an error reply.
    #[cold]
    pub fn error(&self, error: &CommandError) {
        self.add(Counter::Errors, 1);
        let code = error.code();
        if let Some(count) = self.errors.read().get(&code) {
            count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut errors = self.errors.write();
        if errors.len() < ERROR_CODES_MAX && code.len() <= ERROR_CODE_BYTES_MAX {
            errors.entry(code).or_default().fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many error replies had which code.
    pub fn errors(&self) -> Vec<(String, u64)> {
        self.errors.read().iter().map(|(code, count)| (code.clone(), count.load(Ordering::Relaxed))).collect()
    }

    /// The rates since somebody last asked, or those of that time if it is less than a tenth of a second ago.
    pub fn rates(&self, now_us: u64) -> Rates {
        let mut sample = self.sample.lock();
        let elapsed_us = now_us.saturating_sub(sample.at_us);
        if elapsed_us < RATES_PERIOD_US {
            return sample.rates;
        }
        let (commands, input_bytes, output_bytes) =
            (self.commands_processed(), self.get(Counter::InputBytes), self.get(Counter::OutputBytes));
        // Below the last sample after a reset.
        let per_second = |now: u64, then: u64| now.saturating_sub(then) as f64 * 1e6 / elapsed_us as f64;
        let rates = Rates {
            commands: per_second(commands, sample.commands),
            input_bytes: per_second(input_bytes, sample.input_bytes),
            output_bytes: per_second(output_bytes, sample.output_bytes),
        };
        *sample = Sample { at_us: now_us, commands, input_bytes, output_bytes, rates };
        rates
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
        self.errors.write().clear();
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
