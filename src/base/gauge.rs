//! `Gauge`: a sum of parts that many hold, for figures that are asked for more often than they change.
//!
//! Each holder has a [`Share`], sets it to what it holds now, and takes it out of the sum when it is dropped: no pair of
//! calls can be forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crossbeam::utils::CachePadded;

/// The sum.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<CachePadded<AtomicUsize>>);

impl Gauge {
    /// The sum of all shares.
    #[inline]
    pub fn sum(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// A new share of 0.
    pub fn share(&self) -> Share {
        Share { gauge: self.clone(), part: AtomicUsize::new(0) }
    }
}

/// One holder's part of a [`Gauge`].
#[derive(Debug)]
pub struct Share {
    gauge: Gauge,
    part: AtomicUsize,
}

impl Share {
    /// The part.
    #[inline]
    pub fn get(&self) -> usize {
        self.part.load(Relaxed)
    }

    /// Sets the part; where it is what it was, nobody else's memory is touched.
    #[inline]
    pub fn set(&self, part: usize) {
        if self.get() == part {
            return;
        }
        let before = self.part.swap(part, Relaxed);
        // Modulo 2^64, which the sum of all parts never reaches.
        self.gauge.0.fetch_add(part.wrapping_sub(before), Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_follows_its_shares() {
        let gauge = Gauge::default();
        let (a, b) = (gauge.share(), gauge.share());
        a.set(10);
        b.set(5);
        a.set(3);
        assert_eq!((gauge.sum(), a.get(), b.get()), (8, 3, 5));
        drop(a);
        assert_eq!(gauge.sum(), 5);
        drop(b);
        assert_eq!(gauge.sum(), 0);
    }

    #[test]
    fn shares_of_many_threads_add_up() {
        let gauge = Gauge::default();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let share = gauge.share();
                scope.spawn(move || (0..1000).for_each(|round| share.set(round * number)));
            }
        });
        assert_eq!(gauge.sum(), 0);
    }
}
