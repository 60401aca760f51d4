//! What the integration tests share: server processes, a small blocking client, the oracle, a seeded generator.
//!
//! The oracle is Debian's `redis-server` (7.0). A test that needs it, or one of the Redis tools, says by name what it
//! skips when the program is missing; under `CI` a missing program is a failure.

#![allow(dead_code, unused_imports, reason = "every test binary compiles this module and uses its own part of it")]

mod client;
mod process;
mod random;
mod reply;

pub use client::Client;
pub use process::{Scratch, Server, Tool, oracle, oracle_with, tool};
pub use random::Random;
pub use reply::Reply;

use std::time::{Duration, Instant};

/// How long a condition may take to come true before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` yields something, looking again every millisecond, and fails the test after [`PATIENCE`].
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not happen within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Splits a line into arguments at blanks: for the commands of a test that need no quoting.
pub fn words(line: &str) -> Vec<Vec<u8>> {
    line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
}

/// A command as RESP: an array of bulk strings.
pub fn encode<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        let argument = argument.as_ref();
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// One figure of `INFO`.
pub fn info_number(client: &mut Client, section: &str, field: &str) -> Option<i64> {
    let reply = client.call(&["INFO", section]);
    let text = String::from_utf8_lossy(reply.bytes()).into_owned();
    text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse().ok())
}
