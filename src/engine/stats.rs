//! Counters of an instance: striped over cache lines, so that workers do not fight over them, and added up when read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crossbeam::utils::CachePadded;
use parking_lot::{Mutex, RwLock};

use super::latency::Histogram;
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
    Reads,
    Writes,
    /// Connections closed because all of them together held too much memory.
    EvictedClients,
    /// Connections closed because they said nothing for too long, or did not authenticate in time.
    OverdueClients,
    /// Connections that CLIENT KILL closed.
    KilledClients,
    /// Changes of keys, which CONFIG RESETSTAT does not forget.
    Changes,
}

const COUNTERS: usize = Counter::Changes as usize + 1;

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
    /// How many there were before.
    number: u64,
    at_us: u64,
    commands: u64,
    input_bytes: u64,
    output_bytes: u64,
    rates: Rates,
}

/// Rates are those of at least so long a time.
const RATES_PERIOD_US: u64 = 100_000;
/// A sample that is younger than this tells the rates of now: samples are taken once a second.
const RATES_AGE_US_MAX: u64 = 1_500_000;

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
    /// One for each command that ever ran while `latency-tracking` was on.
    latencies: Box<[OnceLock<Histogram>]>,
    latencies_made: AtomicUsize,
    /// `latency-tracking`.
    pub tracks_latency: AtomicBool,
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
        Stats {
            stripes: (0..STRIPES).map(|_| stripe()).collect(),
            errors: RwLock::default(),
            sample: Mutex::default(),
            latencies: REGISTRY.all.iter().map(|_| OnceLock::new()).collect(),
            latencies_made: AtomicUsize::new(0),
            tracks_latency: AtomicBool::new(true),
        }
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

    /// Notes how long calls of a command took, each of them.
    #[inline]
    pub fn took(&self, command: usize, calls: u64, each_ns: u64) {
        if self.tracks_latency.load(Ordering::Relaxed) {
            let histogram = self.latencies[command].get_or_init(|| {
                self.latencies_made.fetch_add(1, Ordering::Relaxed);
                Histogram::default()
            });
            histogram.add(calls, each_ns);
        }
    }

    /// Bytes of the histograms so far.
    pub fn latency_bytes(&self) -> usize {
        self.latencies_made.load(Ordering::Relaxed) * Histogram::BYTES
    }

    /// How long the calls of a command took, if it ever ran.
    pub fn latency(&self, command: usize) -> Option<&Histogram> {
        self.latencies[command].get()
    }

    /// Notes a call that a gate refused.
    pub fn rejected(&self, command: usize) {
        self.stripe().commands[command].rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a call that failed.
    pub fn failed(&self, command: usize) {
        self.stripe().commands[command].failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes an error reply, unless it has been.
    #[cold]
    pub fn error(&self, error: &CommandError) {
        if matches!(error, CommandError::Counted(_)) {
            return;
        }
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

    /// The rates of about the last second; where nobody samples, those since somebody last asked.
    pub fn rates(&self, now_us: u64) -> Rates {
        let mut sample = self.sample.lock();
        if now_us.saturating_sub(sample.at_us) > RATES_AGE_US_MAX || sample.number == 0 {
            self.sample_into(&mut sample, now_us);
        }
        sample.rates
    }

    /// Measures the rates since the last call; returns how many calls there were.
    pub fn sample(&self, now_us: u64) -> u64 {
        let mut sample = self.sample.lock();
        self.sample_into(&mut sample, now_us);
        sample.number
    }

    fn sample_into(&self, sample: &mut Sample, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(sample.at_us);
        if elapsed_us < RATES_PERIOD_US {
            return;
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
        *sample = Sample { number: sample.number + 1, at_us: now_us, commands, input_bytes, output_bytes, rates };
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
        self.latencies.iter().filter_map(OnceLock::get).for_each(Histogram::reset);
        for stripe in &self.stripes {
            let all_but_changes = &stripe.counters[..Counter::Changes as usize];
            all_but_changes.iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
            for command in &stripe.commands {
                command.calls.store(0, Ordering::Relaxed);
                command.nanoseconds.store(0, Ordering::Relaxed);
                command.rejected.store(0, Ordering::Relaxed);
                command.failed.store(0, Ordering::Relaxed);
            }
        }
    }
}
