//! What a record knows about its use, and which keys go first when memory is short.
//!
//! The sixteen bits of a record's access field hold, under the recency policies, the time of the last use in units of
//! [`RECENCY_UNIT_MS`]; under the frequency policies, minutes in the upper byte (the last decay) and Redis's logarithmic
//! counter in the lower.

use super::keys::Keys;
use super::record::Record;
use crate::base::limits::SHARDS;

/// Resolution of the recency clock, in ms; it wraps after 18 hours.
pub const RECENCY_UNIT_MS: u64 = 1000;

/// Counter of a key that was never used, so that it is not evicted at once.
const FREQUENCY_INITIAL: u8 = 5;

/// The recency clock at a time (Unix time in ms).
#[inline]
pub fn recency_at(now_ms: u64) -> u16 {
    (now_ms / RECENCY_UNIT_MS) as u16
}

/// The recency field of a record that was used so many seconds ago, as far as the clock tells.
pub fn recency_of_idle(idle_seconds: u64, now_ms: u64) -> u16 {
    let units = idle_seconds.saturating_mul(1000) / RECENCY_UNIT_MS;
    recency_at(now_ms).wrapping_sub(u16::try_from(units).unwrap_or(u16::MAX))
}

/// How long ago, in ms, a record with this recency was used.
pub fn idle_ms(access: u16, now_ms: u64) -> u64 {
    recency_at(now_ms).wrapping_sub(access) as u64 * RECENCY_UNIT_MS
}

fn minute_of(now_ms: u64) -> u8 {
    (now_ms / 60_000) as u8
}

/// The frequency field of a new key.
pub fn frequency_of_new(now_ms: u64) -> u16 {
    frequency_of_counter(FREQUENCY_INITIAL, now_ms)
}

/// The frequency field of a record with this counter.
pub fn frequency_of_counter(counter: u8, now_ms: u64) -> u16 {
    u16::from_be_bytes([minute_of(now_ms), counter])
}

/// The counter now: one less for every `decay_minutes` since the last use.
pub fn frequency_now(access: u16, now_ms: u64, decay_minutes: u32) -> u8 {
    let [minute, counter] = access.to_be_bytes();
    let passed = minute_of(now_ms).wrapping_sub(minute) as u32;
    let periods = passed.checked_div(decay_minutes).unwrap_or(0);
    counter.saturating_sub(periods.min(255) as u8)
}

/// The frequency field after a use: the higher the counter, the less likely a use raises it.
pub fn frequency_after_use(access: u16, now_ms: u64, log_factor: u32, decay_minutes: u32) -> u16 {
    let mut counter = frequency_now(access, now_ms, decay_minutes);
    if counter < u8::MAX {
        let above = counter.saturating_sub(FREQUENCY_INITIAL) as u64;
        let odds = above * log_factor as u64 + 1;
        // A hash of time and state decides: no generator is at hand in a lookup, and none is needed.
        let draw = (now_ms ^ (access as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        if draw.is_multiple_of(odds) {
            counter += 1;
        }
    }
    u16::from_be_bytes([minute_of(now_ms), counter])
}

/// Which of the sampled keys goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that was not used for longest.
    LeastRecent,
    /// The one that is used least.
    LeastFrequent {
        /// `lfu-decay-time`.
        decay_minutes: u32,
    },
    /// The one that expires first.
    SoonestExpiry,
    /// Whichever comes.
    Any,
}

/// Shards that are looked at before giving up; half of an unlucky keyspace may hold nothing that can go.
const SHARDS_TRIED_MAX: usize = SHARDS;
/// Draws per shard for one sample.
const DRAWS_MAX: usize = 8;

/// Evicts one key: the best of `samples` that may go. False if none was found. No shard may be held, except by a
/// caller that holds everything.
pub fn evict_one(
    keys: &mut Keys<'_>,
    random: u64,
    order: Order,
    volatile_only: bool,
    samples: usize,
    is_pinned: impl Fn(&[u8]) -> bool,
) -> bool {
    let now_ms = keys.now_ms;
    let mut best: Option<(u64, usize, usize, Vec<u8>)> = None;
    let (mut found, mut draw) = (0, random | 1);
    for step in 0..SHARDS_TRIED_MAX {
        if found >= samples {
            break;
        }
        let index = (random as usize).wrapping_add(step * 389) & (SHARDS - 1);
        keys.with_shard(index, |shard| {
            for number in 0..shard.database_count() {
                let database = shard.database_mut(number);
                if database.table.is_empty() || volatile_only && database.volatile == 0 {
                    continue;
                }
                for _ in 0..DRAWS_MAX {
                    draw = draw.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_add(1);
                    let Some(record) = database.table.sample(draw) else { break };
                    if volatile_only && record.deadline().is_none() || is_pinned(record.key()) {
                        continue;
                    }
                    let rank = rank_of(record, order, now_ms);
                    if best.as_ref().is_none_or(|(known, ..)| rank > *known) {
                        best = Some((rank, index, number, record.key().to_vec()));
                    }
                    found += 1;
                    break;
                }
            }
        });
    }
    let Some((_, index, database, key)) = best else { return false };
    keys.evict(index, database, &key);
    true
}

/// The higher, the sooner it goes.
fn rank_of(record: &Record, order: Order, now_ms: u64) -> u64 {
    match order {
        Order::LeastRecent => idle_ms(record.access(), now_ms),
        Order::LeastFrequent { decay_minutes } => {
            (u8::MAX - frequency_now(record.access(), now_ms, decay_minutes)) as u64
        }
        Order::SoonestExpiry => u64::MAX - record.deadline().unwrap_or(u64::MAX),
        Order::Any => 0,
    }
}
