//! Random numbers: wyrand, a counter that runs through a multiplication (Wang Yi, public domain).
//!
//! The state is nothing but a counter, so drawing is one relaxed atomic addition: the generator can be shared by all
//! threads without a lock, and a seed still gives the same sequence to a single thread. Not for secrets: [`token`]
//! asks the operating system.

use std::sync::atomic::{AtomicU64, Ordering};

/// A generator; shareable.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// A generator with a seed from the operating system.
    pub fn from_system() -> Random {
        Random::from_seed(system_seed())
    }

    /// A generator that always yields the same sequence for the same seed.
    pub const fn from_seed(seed: u64) -> Random {
        Random(AtomicU64::new(seed))
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x2d35_8dcc_aa6c_78a5;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let product = u128::from(state) * u128::from(state ^ 0x8bb8_4b93_962e_acc9);
        (product >> 64) as u64 ^ product as u64
    }

    /// A number below `limit`; 0 for a limit of 0.
    ///
    /// The upper half of a product instead of a remainder: the bias is below `limit / 2^64`.
    #[inline]
    pub fn below(&self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// An index below `len`; 0 for a length of 0.
    #[inline]
    pub fn index(&self, len: usize) -> usize {
        self.below(len as u64) as usize
    }
}

impl Default for Random {
    fn default() -> Random {
        Random::from_system()
    }
}

/// 64 bits from the operating system, or the next best when it has none (then hash collisions can be provoked, but
/// the server runs).
pub fn system_seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one("seed")
    })
}

/// `bytes` random bytes as lower-case hexadecimal, for run ids and lock tokens.
pub fn token(bytes: usize) -> String {
    use std::fmt::Write;
    let mut raw = vec![0; bytes];
    if getrandom::fill(&mut raw).is_err() {
        let random = Random::from_system();
        raw.fill_with(|| random.next_u64() as u8);
    }
    raw.iter().fold(String::with_capacity(2 * bytes), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_sequence() {
        let draw = |seed| {
            let random = Random::from_seed(seed);
            [random.next_u64(), random.next_u64(), random.next_u64()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(draw(0)[0], draw(0)[1]);
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let random = Random::from_seed(1);
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (800..1200).contains(n)), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn tokens_are_hexadecimal_and_differ() {
        let token_20 = token(20);
        assert_eq!(token_20.len(), 40);
        assert!(token_20.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        assert_ne!(token_20, token(20));
    }
}
