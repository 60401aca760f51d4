//! How uses of keys are noted in their records.

use crate::store::eviction;

/// How a use of a key is noted in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AccessPolicy {
    /// The time of the last use.
    #[default]
    Recency,
    /// How often, decaying.
    Frequency {
        /// `lfu-log-factor`.
        log_factor: u32,
        /// `lfu-decay-time`, in minutes.
        decay_minutes: u32,
    },
    /// Not at all (`CLIENT NO-TOUCH`).
    Untouched,
    /// Always this: the dataset is being loaded, by somebody who lives outside of time.
    Given(u16),
}

impl AccessPolicy {
    /// What a use at `now_ms` leaves in a record that shows `known`.
    #[inline]
    pub(super) fn after_use(self, known: u16, now_ms: u64) -> u16 {
        match self {
            AccessPolicy::Recency => eviction::recency_at(now_ms),
            AccessPolicy::Frequency { log_factor, decay_minutes } => {
                eviction::frequency_after_use(known, now_ms, log_factor, decay_minutes)
            }
            AccessPolicy::Untouched => known,
            AccessPolicy::Given(access) => access,
        }
    }

    /// What it leaves at `now_ms`, for whoever has no time of its own.
    pub fn given(self, now_ms: u64) -> AccessPolicy {
        AccessPolicy::Given(self.of_new(now_ms))
    }

    /// What a new record shows.
    #[inline]
    pub(super) fn of_new(self, now_ms: u64) -> u16 {
        match self {
            AccessPolicy::Frequency { .. } => eviction::frequency_of_new(now_ms),
            AccessPolicy::Given(access) => access,
            _ => eviction::recency_at(now_ms),
        }
    }
}
