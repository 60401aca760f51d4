//! What statistics and the slow log say of a command that waits: it counts once, when its wait has ended.

use std::sync::Arc;

use crate::engine::clients::Client;
use crate::engine::dispatch::tally;
use crate::engine::instance::Engine;
use crate::engine::registry::Command;
use crate::engine::slowlog;
use crate::protocol::request::Request;

/// A command whose wait is not over.
pub struct Account {
    command: &'static Command,
    client: Arc<Client>,
    /// What it took until it waited.
    took_ns: u64,
    /// As the slow log shows it; `None` while nothing is slow.
    arguments: Option<Vec<Vec<u8>>>,
}

impl Account {
    /// A command begins to wait that has taken so long.
    pub fn open(
        engine: &Engine,
        client: &Arc<Client>,
        command: &'static Command,
        request: Request<'_>,
        took_ns: u64,
    ) -> Account {
        let arguments = engine.slowlog.may_note().then(|| slowlog::shortened(command, request));
        Account { command, client: client.clone(), took_ns, arguments }
    }

    /// Its wait has ended, which took so long again.
    pub fn close(&self, engine: &Engine, more_ns: u64, failed: bool) {
        let (id, took_ns) = (self.command.id, self.took_ns + more_ns);
        engine.stats.called(id, 1, took_ns);
        engine.stats.took(id, 1, took_ns);
        if failed {
            engine.stats.failed(id);
        }
        if let Some(arguments) = &self.arguments {
            engine.slowlog.note_arguments(engine, &self.client, self.command, took_ns / 1000, || arguments.clone());
        }
        if more_ns > 0 {
            engine.latency.note(tally::latency_event(self.command), &engine.clock, more_ns);
        }
    }
}
