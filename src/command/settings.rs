//! The settings that handlers read: a copy of the configuration in the types that they need.

use crate::value::list::ListLimits;
use crate::value::packed::PackedLimits;

/// Thresholds and sizes of the data types; see redis.conf for each name.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `hash-max-listpack-entries`, `hash-max-listpack-value`.
    pub hash: PackedLimits,
    /// `set-max-listpack-entries`, `set-max-listpack-value`.
    pub set: PackedLimits,
    /// `zset-max-listpack-entries`, `zset-max-listpack-value`.
    pub sorted_set: PackedLimits,
    /// `list-max-listpack-size`.
    pub list: ListLimits,
    /// `set-max-intset-entries`.
    pub set_integers: usize,
    /// `hll-sparse-max-bytes`.
    pub hyperloglog_sparse_bytes: usize,
    /// `proto-max-bulk-len`.
    pub bulk_bytes: usize,
}
