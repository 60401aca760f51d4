//! Floor 2: files. The data directory and its lock, RDB, the append-only file, and what keeps them whole when the machine
//! or the disk fails.
//!
//! Every access to the disk goes through [`storage::Storage`], so that the tests can put a disk in its place that
//! loses, tears and refuses. Nothing here runs a command, takes a lock of the keyspace or knows it: the engine hands over
//! bytes and values ([`crate::value::ValueRef`]), and gets values and commands back.

pub mod aof;
pub mod atomic_file;
pub mod check;
pub mod directory;
pub mod rdb;
pub mod storage;
