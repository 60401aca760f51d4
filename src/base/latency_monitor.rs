//! The latency monitor: when something took longer than a threshold, by the name of what it was.
//!
//! Commands, expiry, eviction and the disk note what they took; `LATENCY` shows it. Without a threshold nobody reads a
//! clock for it, and noting is one load.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::clock::{Clock, Stopwatch};

/// Samples that are kept of one event.
pub const SAMPLES_MAX: usize = 160;

/// One slow moment of an event: the slowest of its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unix time in seconds.
    pub at_s: u64,
    /// How long it took, in ms.
    pub took_ms: u64,
}

/// The slow moments of one event, the oldest first; never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// At most [`SAMPLES_MAX`].
    pub samples: VecDeque<Sample>,
    /// The longest since the last reset, in ms.
    pub longest_ms: u64,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct LatencyMonitor {
    threshold_ms: AtomicU64,
    events: Mutex<BTreeMap<&'static str, Series>>,
}

impl LatencyMonitor {
    /// Sets the threshold, in ms; 0 is off.
    pub fn configure(&self, threshold_ms: u64) {
        self.threshold_ms.store(threshold_ms, Relaxed);
    }

    /// The threshold, in ms; 0 is off.
    #[inline]
    pub fn threshold_ms(&self) -> u64 {
        self.threshold_ms.load(Relaxed)
    }

    /// A running watch, if anybody wants to know.
    #[inline]
    pub fn watch(&self) -> Option<Stopwatch> {
        (self.threshold_ms() > 0).then(Stopwatch::start)
    }

    /// Notes what a watch has measured.
    #[inline]
    pub fn note_watch(&self, event: &'static str, clock: &Clock, watch: Option<Stopwatch>) {
        if let Some(watch) = watch {
            self.note(event, clock, watch.elapsed_ns());
        }
    }

    /// Notes an event that took so long, if that is long enough.
    #[inline]
    pub fn note(&self, event: &'static str, clock: &Clock, took_ns: u64) {
        let threshold_ms = self.threshold_ms();
        if threshold_ms > 0 && took_ns / 1_000_000 >= threshold_ms {
            self.add(event, Sample { at_s: clock.now_ms() / 1000, took_ms: took_ns / 1_000_000 });
        }
    }

    #[cold]
    fn add(&self, event: &'static str, sample: Sample) {
        let mut events = self.events.lock();
        let series = events.entry(event).or_default();
        series.longest_ms = series.longest_ms.max(sample.took_ms);
        match series.samples.back_mut().filter(|last| last.at_s == sample.at_s) {
            Some(last) => last.took_ms = last.took_ms.max(sample.took_ms),
            None => {
                series.samples.push_back(sample);
                if series.samples.len() > SAMPLES_MAX {
                    series.samples.pop_front();
                }
            }
        }
    }

    /// All events that were slow, by name.
    pub fn all(&self) -> Vec<(&'static str, Series)> {
        self.events.lock().iter().map(|(event, series)| (*event, series.clone())).collect()
    }

    /// The slow moments of one event.
    pub fn series(&self, event: &[u8]) -> Option<Series> {
        let events = self.events.lock();
        events.iter().find(|(name, _)| name.as_bytes() == event).map(|(_, series)| series.clone())
    }

    /// Forgets the events of which `is_meant` holds; returns how many.
    pub fn reset(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let mut events = self.events.lock();
        let before = events.len();
        events.retain(|event, _| !is_meant(event));
        before - events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn without_a_threshold_nothing_is_noted() {
        let (monitor, clock) = (LatencyMonitor::default(), Clock::manual(5_000));
        monitor.note("command", &clock, u64::MAX);
        assert!(monitor.watch().is_none() && monitor.all().is_empty());
    }

    #[test]
    fn the_slowest_of_a_second_stands_for_it() {
        let (monitor, clock) = (LatencyMonitor::default(), Clock::manual(5_000));
        monitor.configure(10);
        for took_ms in [9, 10, 30, 20] {
            monitor.note("command", &clock, took_ms * MS);
        }
        clock.set(6_000);
        monitor.note("command", &clock, 12 * MS + 999_999);
        let series = monitor.series(b"command").expect("it was slow");
        assert_eq!(series.samples, [Sample { at_s: 5, took_ms: 30 }, Sample { at_s: 6, took_ms: 12 }]);
        assert_eq!(series.longest_ms, 30);
        assert_eq!(monitor.series(b"COMMAND"), None);
    }

    #[test]
    fn old_samples_go_and_the_longest_stays() {
        let (monitor, clock) = (LatencyMonitor::default(), Clock::manual(0));
        monitor.configure(1);
        for second in 0..1_000 {
            clock.set(second * 1000);
            monitor.note("expire-cycle", &clock, (1_000 - second) * MS);
        }
        let series = monitor.series(b"expire-cycle").expect("it was slow");
        assert_eq!((series.samples.len(), series.longest_ms), (SAMPLES_MAX, 1_000));
        assert_eq!(series.samples.front().map(|sample| sample.at_s), Some(1_000 - SAMPLES_MAX as u64));
        monitor.note("command", &clock, 5 * MS);
        assert_eq!(monitor.reset(|event| event == "nosuch"), 0);
        assert_eq!(monitor.reset(|_| true), 2);
        assert!(monitor.all().is_empty());
    }
}
