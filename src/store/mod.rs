//! Floor 2: the keyspace. Shards behind locks, records, expiry, eviction, watched keys.
//!
//! Knows no command and writes no reply. Everything here happens while somebody holds the shards concerned; who may
//! hold what is decided by [`keys::Keys`], the lock set that a command runs on.

pub mod effects;
pub mod eviction;
pub mod expiry;
pub mod filler;
pub mod keys;
pub mod keyspace;
pub mod reclaim;
pub mod record;
pub mod snapshot;
