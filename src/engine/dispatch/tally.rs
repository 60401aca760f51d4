//! What a batch costs, per command.
//!
//! Reading a clock twice around a command of 50 ns would cost as much as the command. Commands that are brief
//! ([`Command::is_brief`]) are
//! therefore not timed one by one: the batch's time, less that of the others, is divided among them. All others are
//! timed on their own, and so is everything while the slow log's threshold is below a batch's length or the latency
//! monitor is on.

use std::sync::atomic::Ordering::Relaxed;

use crate::base::clock::Stopwatch;
use crate::command::spec::Flags;
use crate::engine::instance::Engine;
use crate::engine::registry::Command;
use crate::engine::session::Session;
use crate::protocol::request::Request;

/// Different commands that one batch counts without touching shared memory.
const KINDS: usize = 6;

/// Whether slow log or latency monitor want every command to be timed.
#[inline]
pub fn times_all(engine: &Engine) -> bool {
    engine.times_all.load(Relaxed)
}

/// Whether a command is timed by itself.
#[inline]
pub fn is_timed(engine: &Engine, command: &Command) -> bool {
    times_all(engine) || !command.is_brief
}

/// Tells the slow log and the latency monitor how long a command took.
#[inline]
pub fn note_time(engine: &Engine, session: &Session, command: &Command, request: Request<'_>, took_ns: u64) {
    engine.slowlog.note(engine, session, command, request, took_ns / 1000);
    engine.latency.note(latency_event(command), &engine.clock, took_ns);
}

/// The event under which a command's time is noted.
pub fn latency_event(command: &Command) -> &'static str {
    if command.flags.has(Flags::FAST) { "fast-command" } else { "command" }
}

#[derive(Clone, Copy, Default)]
struct Kind {
    command: usize,
    calls: u64,
    nanoseconds: u64,
    fast_calls: u64,
}

/// See the module's text.
pub struct BatchTally {
    watch: Stopwatch,
    started_ns: u64,
    timed_ns: u64,
    fast_calls: u64,
    kinds: [Kind; KINDS],
    used: usize,
    last: u32,
}

impl BatchTally {
    /// A batch begins.
    pub fn begin(watch: Stopwatch) -> BatchTally {
        BatchTally {
            watch,
            started_ns: 0,
            timed_ns: 0,
            fast_calls: 0,
            kinds: [Kind::default(); KINDS],
            used: 0,
            last: u32::MAX,
        }
    }

    /// Begins to time a command, if it is one to be timed.
    #[inline]
    pub fn start(&self, engine: &Engine, command: &Command) -> Option<u64> {
        is_timed(engine, command).then(|| self.watch.elapsed_ns())
    }

    /// A command has run, or waits: that counts once its wait has ended. Returns how long it took, if it is timed.
    #[inline]
    pub fn finish(
        &mut self,
        engine: &Engine,
        session: &Session,
        command: &Command,
        request: Request<'_>,
        started: Option<u64>,
        waits: bool,
    ) -> u64 {
        self.last = command.id as u32;
        if waits {
            return self.suspend(engine, command, started);
        }
        let kind = self.kind(engine, command.id);
        kind.calls += 1;
        let Some(started) = started else {
            kind.fast_calls += 1;
            self.fast_calls += 1;
            return 0;
        };
        let took = self.watch.elapsed_ns().saturating_sub(started);
        self.kind(engine, command.id).nanoseconds += took;
        self.timed_ns += took;
        engine.stats.took(command.id, 1, took);
        note_time(engine, session, command, request, took);
        took
    }

    #[cold]
    fn suspend(&mut self, engine: &Engine, command: &Command, started: Option<u64>) -> u64 {
        let took = started.map_or(0, |started| self.watch.elapsed_ns().saturating_sub(started));
        self.timed_ns += took;
        engine.latency.note(latency_event(command), &engine.clock, took);
        took
    }

    #[inline]
    fn kind(&mut self, engine: &Engine, command: usize) -> &mut Kind {
        let at = match self.kinds[..self.used].iter().position(|kind| kind.command == command) {
            Some(at) => at,
            None => {
                if self.used == KINDS {
                    self.flush(engine);
                }
                self.kinds[self.used] = Kind { command, ..Kind::default() };
                self.used += 1;
                self.used - 1
            }
        };
        &mut self.kinds[at]
    }

    fn flush(&mut self, engine: &Engine) {
        let elapsed = self.watch.elapsed_ns().saturating_sub(self.started_ns);
        let each = elapsed.saturating_sub(self.timed_ns).checked_div(self.fast_calls).unwrap_or(0);
        for kind in &self.kinds[..self.used] {
            engine.stats.called(kind.command, kind.calls, kind.nanoseconds + each * kind.fast_calls);
            if kind.fast_calls > 0 {
                engine.stats.took(kind.command, kind.fast_calls, each);
            }
        }
        self.used = 0;
        self.fast_calls = 0;
        self.timed_ns = 0;
        self.started_ns += elapsed;
    }

    /// The batch has ended.
    pub fn settle(&mut self, engine: &Engine, session: &Session, now_ms: u64) {
        if self.last == u32::MAX {
            // What is queued behind MULTI has not run, and yet shows.
            if session.transaction.is_some() {
                session.publish_state();
            }
            return;
        }
        let calls: u64 = self.kinds[..self.used].iter().map(|kind| kind.calls).sum();
        self.flush(engine);
        session.client.last_command.store(self.last, Relaxed);
        // Nobody else writes these.
        let client = &session.client;
        client.commands.store(client.commands.load(Relaxed) + calls, Relaxed);
        client.active_ms.store(now_ms, Relaxed);
        session.publish_state();
    }
}
