//! The number of elements from the histogram of ranks: Otmar Ertl, "New cardinality estimation algorithms for
//! HyperLogLog sketches" (arXiv:1702.01284), algorithm 6, with its functions sigma and tau.

use super::{INDEX_BITS, REGISTERS};

/// One divided by twice the natural logarithm of 2.
const ALPHA: f64 = 0.721_347_520_444_481_7;
/// Bits of the hash behind the register's index: the highest rank is one more.
const TAIL_BITS: usize = 64 - INDEX_BITS as usize;

/// The estimate for a histogram of all registers.
pub(super) fn count(histogram: &[u32; 64]) -> u64 {
    let registers = REGISTERS as f64;
    let mut z = registers * tau((registers - f64::from(histogram[TAIL_BITS + 1])) / registers);
    for &count in histogram[1..=TAIL_BITS].iter().rev() {
        z = (z + f64::from(count)) * 0.5;
    }
    z += registers * sigma(f64::from(histogram[0]) / registers);
    (ALPHA * registers * registers / z).round() as u64
}

/// Corrects for registers that are still zero; `x` is their share.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Corrects for registers at the highest rank; `x` is the share of the others.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
