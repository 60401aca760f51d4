//! Gives the memory of expired keys back, soon after their deadline and without sampling.
//!
//! Every table knows the earliest tick of each segment and bucket ([`crate::value::table`]), so that a sweep reads only
//! buckets in which something is due. It goes through the shards one by one, and holds each for at most [`SLICE`] keys
//! at a time; others run in between.

use super::keys::{Keys, Tally};
use crate::base::limits::SHARDS;

/// Keys that are removed while a shard is held.
pub const SLICE: usize = 64;
/// A sweep begins at the latest so many ms after the one before.
const PERIOD_MS: u64 = 50;

/// Removes what is due at `now_ms`; returns what was counted and when to sweep again, Unix time in ms.
pub fn sweep(keys: &mut Keys<'_>, now_ms: u64, slice: usize) -> (Tally, u64) {
    let tick = keys.keyspace().basis().tick_at(now_ms);
    let mut total = Tally::default();
    let mut volatile = false;
    for index in 0..SHARDS {
        loop {
            keys.enter(now_ms);
            let swept = keys.expire_due(index, tick, slice);
            volatile |= swept.volatile;
            total.expired += keys.leave().expired;
            if swept.removed < slice {
                break;
            }
        }
    }
    // Without a deadline anywhere the next sweep may be late: whoever reads an expired key removes it anyway.
    (total, now_ms + if volatile { PERIOD_MS } else { 2 * PERIOD_MS })
}
