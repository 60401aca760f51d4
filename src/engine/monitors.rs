//! MONITOR: connections that are shown every command as it runs.
//!
//! A line is made within the locks of the command, so that the lines are in the order of execution. While nobody watches,
//! a batch looks once at a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use parking_lot::RwLock;

use super::Call;
use super::clients::Origin;
use super::registry::Command;
use super::slowlog::is_secret;
use crate::base::words;
use crate::command::spec::Flags;
use crate::protocol::request::Request;
use crate::pubsub::outbox::Outbox;

/// Those who watch.
#[derive(Default)]
pub struct Monitors {
    all: RwLock<Vec<(u64, Arc<Outbox>)>>,
    any: AtomicBool,
}

/// In the place of a password.
const REDACTED: &[u8] = b"(redacted)";

impl Monitors {
    /// Whether somebody watches.
    #[inline]
    pub fn any(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// A connection watches from now on.
    pub fn add(&self, id: u64, outbox: Arc<Outbox>) {
        let mut all = self.all.write();
        if !all.iter().any(|(known, _)| *known == id) {
            all.push((id, outbox));
        }
        self.any.store(true, Relaxed);
    }

    /// It does not any more.
    pub fn remove(&self, id: u64) {
        let mut all = self.all.write();
        all.retain(|(known, _)| *known != id);
        self.any.store(!all.is_empty(), Relaxed);
    }
}

/// Where a command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The connection.
    Connection,
    /// A script that it runs.
    Script,
}

/// Whether a command is shown before it runs, so that it stands in front of those that it runs itself (EVAL).
pub fn comes_first(command: &Command) -> bool {
    command.flags.has(Flags::SKIP_MONITOR)
}

/// Shows a command to those who watch; commands for administrators are not shown.
#[cold]
pub fn show(call: &mut Call<'_, '_>, command: &Command, request: Request<'_>, source: Source) {
    if command.flags.has(Flags::ADMIN) {
        return;
    }
    let address = match source {
        Source::Connection => address(&call.session.client.origin),
        Source::Script => "lua".into(),
    };
    let line = line(call.engine.clock.now_us(), call.session.database, &address, command, request);
    let touched = &mut call.context.keys.effects.touched;
    call.engine.monitors.all.read().iter().for_each(|(_, outbox)| outbox.send(&line, touched));
}

fn address(origin: &Origin) -> String {
    match origin.peer.strip_suffix(":0") {
        Some(path) if path.starts_with('/') => format!("unix:{path}"),
        _ => origin.peer.clone(),
    }
}

/// `+seconds.microseconds [database address] "name" "argument" ...`
fn line(now_us: u64, database: usize, address: &str, command: &Command, request: Request<'_>) -> Bytes {
    let (seconds, us) = (now_us / 1_000_000, now_us % 1_000_000);
    let mut out = format!("+{seconds}.{us:06} [{database} {address}]").into_bytes();
    for (at, argument) in request.iter().enumerate() {
        out.push(b' ');
        words::quote(if is_secret(command, request, at) { REDACTED } else { argument }, &mut out);
    }
    out.extend_from_slice(b"\r\n");
    out.into()
}

#[cfg(test)]
mod tests;
