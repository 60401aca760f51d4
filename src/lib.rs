//! Pipkin: an embedded, Redis-protocol-compatible in-memory server.
//!
//! ```
//! use std::time::Duration;
//!
//! let server = pipkin::Server::builder().maxmemory(256 << 20).pinned_keys(["lock:*"]).open()?;
//! let mut client = server.client(); // cheap: one for each thread or task
//! client.set("greeting", "hello")?;
//! client.expire("greeting", Duration::from_secs(60))?;
//! assert_eq!(client.get("greeting")?.as_deref(), Some(&b"hello"[..]));
//! client.rpush("jobs", ["one"])?;
//! let job = client.blpop(["jobs"], None).wait()?; // or `.await`, on any runtime
//! let reply: i64 = client.call(&["ZADD", "board", "3", "ann", "5", "bob"])?; // any command
//! # assert_eq!((job.map(|(_, job)| job), reply), (Some("one".into()), 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Server`] opens without a runtime and ends when it is dropped; several live in one process. [`Client`] has the typed
//! commands, [`Client::call`], [`Client::pipeline`], [`Client::transaction`] and [`Client::get_or_compute`];
//! [`Server::subscribe`] receives messages. With the feature `server` (on by default) the host's tokio runtime serves
//! sockets (`Server::serve_tcp`) and in-memory streams for stock clients (`Server::duplex`).
//!
//! Data live in memory, and with [`Builder::dir`] on the disk, too: as snapshots, and with [`Builder::append_only`] every
//! write. A host that drops its [`Server`] finds everything again; [`Client::commit_token`] says when a write survives a
//! power loss.
//!
//! The house has floors; imports go down only (`tests/tidy.rs` holds the map):
//!
//! ```text
//! 7  main.rs, lib.rs
//! 6  server/    listeners, the connection loop, shutdown
//!    embed/     the API for Rust programs: Server, Client, subscriptions
//! 4  engine/    registry, dispatch gates, transaction, blocking, and the commands that need them
//! 3  command/   data families, one folder each: spec.rs (rows), mod.rs (handlers)
//! 2  store/     keyspace: shards, record, lock set, expiry, eviction, watch
//!    persist/   files: the data directory, RDB, the append-only file; runs no command, knows no keyspace
//! 1  value/ protocol/ pubsub/
//! 0  base/      clock, random, glob, number, limits, the configuration table
//! ```

pub mod base;
pub mod command;
pub mod embed;
pub mod engine;
pub mod persist;
pub mod protocol;
pub mod pubsub;
#[cfg(feature = "server")]
pub mod server;
pub mod store;
pub mod value;

pub use base::clock::Clock;
pub use base::config::{EvictionPolicy, Fsync};
pub use embed::{
    Builder, Client, CommandLine, CommitToken, Error, FromValue, Lag, ListEnd, Message, Pipeline, Receive, Result,
    Server, ServerStats, SetOptions, Subscription, Value, Waiting,
};
pub use protocol::error::StartupError as OpenError;

/// The README's code, compiled and run as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
