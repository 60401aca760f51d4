//! MULTI, EXEC and WATCH: what a session remembers, and how a whole transaction is locked and run.
//!
//! EXEC holds the union of the shards of all its commands and of the watched keys, so that nobody sees half of it; where
//! a queued command's keys cannot be known, it holds everything.

use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::dispatch::{self, LockPlan};
use super::instance::{Engine, Hindrance};
use super::registry::Command;
use super::session::Session;
use super::{Call, Outcome};
use crate::base::clock::Stopwatch;
use crate::command::spec::{Flags, Group};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::request::{OwnedRequest, Request};
use crate::store::keys::Keys;
use crate::store::keyspace::{KeyId, Keyspace, WatchFlag};

/// Commands between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    /// In order.
    pub queued: Vec<(&'static Command, OwnedRequest)>,
    /// A command was refused while queueing: EXEC will discard everything.
    pub aborted: bool,
    /// What the queued commands hold outside of the list.
    arguments_bytes: usize,
}

/// What the allocator adds to a command's two allocations, on the average.
const ROUNDING_BYTES: usize = 16;

impl Transaction {
    /// Bytes that it holds.
    pub fn heap_bytes(&self) -> usize {
        self.arguments_bytes + self.queued.capacity() * size_of::<(&Command, OwnedRequest)>()
    }
}

/// Keys watched since the first WATCH.
#[derive(Default)]
pub struct Watched {
    /// Raised by whoever changes one of them.
    pub flag: Arc<WatchFlag>,
    /// Database and key.
    pub keys: HashSet<KeyId>,
    /// Bytes of their names.
    names_bytes: usize,
}

/// What one watched key takes here and in its shard, beside its name in both places.
const WATCHED_BYTES: usize = 180;

impl Watched {
    /// Watches a key; false if it is watched.
    pub fn add(&mut self, database: usize, key: &[u8]) -> bool {
        let added = self.keys.insert((database, key.into()));
        if added {
            self.names_bytes += key.len();
        }
        added
    }

    /// Bytes that it holds.
    pub fn heap_bytes(&self) -> usize {
        self.keys.len() * WATCHED_BYTES + 2 * self.names_bytes
    }
}

/// The locks that EXEC needs for what is queued and watched.
pub fn plan<'a>(engine: &Engine, session: &'a Session) -> LockPlan<'a> {
    let mut keys: SmallVec<[&[u8]; 4]> = SmallVec::new();
    if let Some(transaction) = &session.transaction {
        for (command, request) in &transaction.queued {
            match dispatch::plan_command(engine, command, request.request()) {
                LockPlan::Keys(more) => keys.extend(more),
                LockPlan::Everything => return LockPlan::Everything,
                LockPlan::Nothing if touches_nothing(command) => {}
                LockPlan::Nothing => return LockPlan::Everything,
            }
        }
    }
    if let Some(watched) = &session.watched {
        keys.extend(watched.keys.iter().map(|(_, key)| &**key));
    }
    if keys.is_empty() { LockPlan::Nothing } else { LockPlan::Keys(keys) }
}

/// Whether a command without keys may run while others' shards are held: it never looks at a shard.
fn touches_nothing(command: &Command) -> bool {
    // Who begins to track has to be alone.
    let is_apart = matches!(command.group, Group::PubSub | Group::Connection | Group::Transactions);
    is_apart && !command.flags.has(Flags::ADMIN) && command.full_name != "client|tracking"
}

/// Stops watching, when a connection ends. The caller is not inside the keyspace.
pub fn forget_watched(engine: &Engine, session: &mut Session) {
    let Some(watched) = session.watched.take() else { return };
    match engine.is_hindered(Hindrance::Busy) {
        true => engine.scripts.running.withdraw_later(watched),
        false => withdraw_from_outside(engine, &watched),
    }
}

/// Takes a watcher out of its keys' shards. The caller is not inside the keyspace.
pub fn withdraw_from_outside(engine: &Engine, watched: &Watched) {
    let mut keys = engine.keys();
    keys.enter(engine.clock.now_ms());
    withdraw(&mut keys, watched);
    keys.leave();
}

/// Stops watching, for UNWATCH, DISCARD, RESET and a refused EXEC: inside the keyspace, holding no shard, or outside
/// beside a script. Within EXEC nothing is watched any more, so that it takes no lock there.
pub fn unwatch(engine: &Engine, session: &mut Session, keys: &mut Keys<'_>) {
    match session.watched.take() {
        None => {}
        Some(watched) if keys.is_entered() => withdraw(keys, &watched),
        Some(watched) => engine.scripts.running.withdraw_later(watched),
    }
}

/// Takes the watcher out of its keys' shards, one shard at a time.
fn withdraw(keys: &mut Keys<'_>, watched: &Watched) {
    for id in &watched.keys {
        let index = Keyspace::shard_of(keys.hash(&id.1));
        keys.with_shard(index, |shard| shard.unwatch(id, &watched.flag));
    }
}

/// Queues a command behind MULTI.
pub fn queue(session: &mut Session, command: &'static Command, request: Request<'_>) {
    if let Some(transaction) = &mut session.transaction {
        let request = request.to_owned();
        transaction.arguments_bytes += request.heap_bytes() + ROUNDING_BYTES;
        transaction.queued.push((command, request));
    }
}

/// Runs what is queued; the shards of [`plan`] are held.
///
/// # Errors
/// When a command was refused while queueing.
pub fn execute(call: &mut Call<'_, '_>) -> CommandResult<Outcome> {
    let Some(transaction) = call.session.transaction.take() else { return Err(CommandError::ExecWithoutMulti) };
    let changed = release_watched(call);
    if transaction.aborted {
        return Err(CommandError::ExecAbort);
    }
    if changed {
        call.context.reply.null_array();
        return Ok(Outcome::Done);
    }
    call.context.reply.array(transaction.queued.len());
    let may_block = std::mem::replace(&mut call.context.may_block, false);
    let watch = Stopwatch::start();
    let mut took_ns: SmallVec<[Option<u64>; 16]> = SmallVec::new();
    for (command, request) in &transaction.queued {
        took_ns.push(dispatch::run_queued(call, command, request.request()));
    }
    call.context.may_block = may_block;
    call.context.keys.effects.log_nothing();
    count_calls(call.engine, &transaction, &took_ns, watch.elapsed_ns());
    Ok(Outcome::Done)
}

/// Counts the commands that ran; the brief ones, which are not timed, share what the others leave of the whole time.
fn count_calls(engine: &Engine, transaction: &Transaction, took_ns: &[Option<u64>], whole_ns: u64) {
    let timed_ns: u64 = took_ns.iter().flatten().sum();
    let untimed = took_ns.iter().filter(|took| took.is_none()).count() as u64;
    let share_ns = whole_ns.saturating_sub(timed_ns).checked_div(untimed).unwrap_or(0);
    for ((command, _), took_ns) in transaction.queued.iter().zip(took_ns) {
        let took_ns = took_ns.unwrap_or(share_ns);
        engine.stats.called(command.id, 1, took_ns);
        engine.stats.took(command.id, 1, took_ns);
    }
}

/// Ends watching within the locks of EXEC; true if a watched key changed or has expired since.
pub fn release_watched(call: &mut Call<'_, '_>) -> bool {
    let Some(watched) = call.session.watched.take() else { return false };
    let keys = &mut call.context.keys;
    let selected = keys.database;
    for id in &watched.keys {
        keys.database = id.0;
        // Meeting an expired key removes it, which raises the flag.
        keys.exists(&id.1);
        keys.with_shard_of(&id.1, |shard| shard.unwatch(id, &watched.flag));
    }
    keys.database = selected;
    watched.flag.is_raised()
}
