//! How long the calls of one command took: a histogram with buckets that grow with the time, 16 to each doubling, so
//! that a percentile is at most 6% above the true one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets of each doubling, as a power of two.
const FINENESS_BITS: u32 = 4;
const FINENESS: usize = 1 << FINENESS_BITS;
/// Longer calls count as this long: about a minute, in ns.
const LONGEST_NS: u64 = (1 << 36) - 1;
const BUCKETS: usize = bucket_of(LONGEST_NS) + 1;
/// A distribution begins at 2 to the power of this, in ns.
const FIRST_POWER: u32 = 10;

/// Counts of calls by the time that they took.
pub struct Histogram {
    counts: Box<[AtomicU64; BUCKETS]>,
}

/// Below 32 ns each ns has a bucket of its own; above, the leading five bits of the time choose it.
const fn bucket_of(ns: u64) -> usize {
    if ns < 2 * FINENESS as u64 {
        return ns as usize;
    }
    let shift = ns.ilog2() - FINENESS_BITS;
    (shift as usize) * FINENESS + (ns >> shift) as usize
}

/// The longest time that falls into a bucket, in ns.
const fn longest_of(bucket: usize) -> u64 {
    if bucket < 2 * FINENESS {
        return bucket as u64;
    }
    let shift = bucket / FINENESS - 1;
    (((FINENESS + bucket % FINENESS) as u64 + 1) << shift) - 1
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: Box::new([const { AtomicU64::new(0) }; BUCKETS]) }
    }
}

impl Histogram {
    /// Memory that one takes.
    pub const BYTES: usize = BUCKETS * size_of::<AtomicU64>();

    /// Notes calls that took so long each.
    #[inline]
    pub fn add(&self, calls: u64, each_ns: u64) {
        self.counts[bucket_of(each_ns.min(LONGEST_NS))].fetch_add(calls, Relaxed);
    }

    /// The times in ns that so many percent of the calls did not exceed; `None` without any call.
    pub fn percentiles(&self, percents: &[f64]) -> Option<Vec<u64>> {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let calls: u64 = counts.iter().sum();
        let reach = |percent: f64| {
            let wanted = ((percent / 100.0 * calls as f64).ceil() as u64).clamp(1, calls);
            let mut seen = 0;
            let bucket = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            longest_of(bucket.unwrap_or(BUCKETS - 1))
        };
        (calls > 0).then(|| percents.iter().map(|percent| reach(*percent)).collect())
    }

    /// How many calls took at most so long, by powers of two from 1024 ns: pairs of us and calls, without those that say
    /// nothing new.
    pub fn distribution(&self) -> Vec<(u64, u64)> {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let calls: u64 = counts.iter().sum();
        let (mut seen, mut at, mut steps) = (0, 0, Vec::new());
        for power in FIRST_POWER.. {
            if seen == calls {
                break;
            }
            // The end of the histogram bucket of Redis that the power begins: 128 of them make a doubling.
            let longest_ns = (1u64 << power) + (1u64 << (power - 7)) - 1;
            let before = seen;
            while at < BUCKETS && (longest_of(at) <= longest_ns || at == BUCKETS - 1 && longest_ns > LONGEST_NS) {
                seen += counts[at];
                at += 1;
            }
            if seen > before {
                steps.push((longest_ns / 1000, seen));
            }
        }
        steps
    }

    /// Forgets all calls.
    pub fn reset(&self) {
        self.counts.iter().for_each(|count| count.store(0, Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_without_gap_or_overlap() {
        for bucket in 0..BUCKETS {
            assert_eq!(bucket_of(longest_of(bucket)), bucket);
            assert_eq!(bucket_of(longest_of(bucket) + 1), bucket + 1);
        }
        assert_eq!(longest_of(BUCKETS - 1), LONGEST_NS);
    }

    #[test]
    fn percentiles_are_right_within_the_fineness() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentiles(&[50.0]), None);
        (1..=1000).for_each(|us| histogram.add(1, us * 1000));
        let found = histogram.percentiles(&[0.0, 50.0, 99.0, 99.9, 100.0]).expect("there are calls");
        for (found, expected) in found.iter().zip([1_000, 500_000, 990_000, 999_000, 1_000_000]) {
            assert!((expected..=expected + expected / 16).contains(found), "{found} for {expected}");
        }
        histogram.add(1, u64::MAX);
        assert_eq!(histogram.percentiles(&[100.0]), Some(vec![LONGEST_NS]));
        histogram.reset();
        assert_eq!(histogram.percentiles(&[50.0]), None);
    }

    #[test]
    fn a_distribution_tells_each_step_once() {
        let histogram = Histogram::default();
        assert_eq!(histogram.distribution(), []);
        histogram.add(3, 500);
        histogram.add(1, 1_500);
        histogram.add(2, 100_000);
        assert_eq!(histogram.distribution(), [(1, 3), (2, 4), (132, 6)]);
        histogram.add(1, u64::MAX);
        let last = histogram.distribution().pop().expect("there are calls");
        assert_eq!(last, ((LONGEST_NS + 1 + (1 << 29) - 1) / 1000, 7));
    }
}
