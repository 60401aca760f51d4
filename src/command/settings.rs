//! The settings that handlers read, in the types that they need.
//!
//! Each is one atomic number, so that a worker reads the current value for the price of a load and `CONFIG SET` takes
//! effect at once; nothing depends on two of them changing together.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::Relaxed};

use crate::value::ValueLimits;
use crate::value::list::ListLimits;
use crate::value::packed::PackedLimits;
use crate::value::set::SetLimits;
use crate::value::stream::NodeLimits;

/// Thresholds and sizes of the data types; each field is the directive of the same name in redis.conf.
#[derive(Debug)]
#[allow(missing_docs)] // A field's documentation is redis.conf's.
pub struct Settings {
    pub hash_max_listpack_entries: AtomicUsize,
    pub hash_max_listpack_value: AtomicUsize,
    pub set_max_listpack_entries: AtomicUsize,
    pub set_max_listpack_value: AtomicUsize,
    pub set_max_intset_entries: AtomicUsize,
    pub zset_max_listpack_entries: AtomicUsize,
    pub zset_max_listpack_value: AtomicUsize,
    pub list_max_listpack_size: AtomicI64,
    pub stream_node_max_bytes: AtomicUsize,
    pub stream_node_max_entries: AtomicUsize,
    pub hll_sparse_max_bytes: AtomicUsize,
    pub proto_max_bulk_len: AtomicUsize,
    pub rdbcompression: AtomicBool,
    pub cluster_enabled: AtomicBool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            hash_max_listpack_entries: AtomicUsize::new(128),
            hash_max_listpack_value: AtomicUsize::new(64),
            set_max_listpack_entries: AtomicUsize::new(128),
            set_max_listpack_value: AtomicUsize::new(64),
            set_max_intset_entries: AtomicUsize::new(512),
            zset_max_listpack_entries: AtomicUsize::new(128),
            zset_max_listpack_value: AtomicUsize::new(64),
            list_max_listpack_size: AtomicI64::new(-2),
            stream_node_max_bytes: AtomicUsize::new(4096),
            stream_node_max_entries: AtomicUsize::new(100),
            hll_sparse_max_bytes: AtomicUsize::new(3000),
            proto_max_bulk_len: AtomicUsize::new(crate::base::limits::BULK_BYTES_MAX),
            rdbcompression: AtomicBool::new(true),
            cluster_enabled: AtomicBool::new(false),
        }
    }
}

impl Settings {
    /// Up to which size a hash stays packed.
    #[inline]
    pub fn hash(&self) -> PackedLimits {
        limits(&self.hash_max_listpack_entries, &self.hash_max_listpack_value)
    }
    /// Up to which sizes a set stays an intset, and packed.
    #[inline]
    pub fn set(&self) -> SetLimits {
        SetLimits {
            intset_entries: self.set_max_intset_entries.load(Relaxed),
            packed: limits(&self.set_max_listpack_entries, &self.set_max_listpack_value),
        }
    }
    /// Up to which size a sorted set stays packed.
    #[inline]
    pub fn sorted_set(&self) -> PackedLimits {
        limits(&self.zset_max_listpack_entries, &self.zset_max_listpack_value)
    }
    /// Up to which size a list calls itself a listpack.
    #[inline]
    pub fn list(&self) -> ListLimits {
        ListLimits { listpack_size: self.list_max_listpack_size.load(Relaxed) }
    }
    /// When a node of a stream is full.
    #[inline]
    pub fn stream(&self) -> NodeLimits {
        NodeLimits {
            bytes: self.stream_node_max_bytes.load(Relaxed),
            entries: self.stream_node_max_entries.load(Relaxed),
        }
    }
    /// Up to which sizes the collections stay packed, all of them.
    pub fn values(&self) -> ValueLimits {
        ValueLimits {
            hash: self.hash(),
            list: self.list(),
            set: self.set(),
            sorted_set: self.sorted_set(),
            stream: self.stream(),
        }
    }
    /// Whether long strings are compressed in files and payloads.
    pub fn compresses(&self) -> bool {
        self.rdbcompression.load(Relaxed)
    }
    /// Whether there is one database, as in a cluster.
    pub fn is_clustered(&self) -> bool {
        self.cluster_enabled.load(Relaxed)
    }
    /// Up to which size a HyperLogLog stays sparse, in bytes.
    #[inline]
    pub fn hyperloglog_sparse_bytes(&self) -> usize {
        self.hll_sparse_max_bytes.load(Relaxed)
    }
    /// Longest string, in bytes.
    #[inline]
    pub fn string_bytes(&self) -> usize {
        self.proto_max_bulk_len.load(Relaxed)
    }
}

#[inline]
fn limits(entries: &AtomicUsize, value_bytes: &AtomicUsize) -> PackedLimits {
    PackedLimits { entries: entries.load(Relaxed), value_bytes: value_bytes.load(Relaxed) }
}
