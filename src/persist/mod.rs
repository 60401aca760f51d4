//! Floor 2: files. The data directory and its lock, the append-only file, and what keeps them whole when the machine
//! or the disk fails.
//!
//! Every access to the disk goes through [`storage::Storage`], so that the tests can put a disk in its place that
//! loses, tears and refuses. Nothing here runs a command or knows the keyspace: the engine hands over bytes and gets
//! commands back.

pub mod aof;
pub mod atomic_file;
pub mod directory;
pub mod storage;
