//! The dispatcher: from the bytes of a connection to replies.
//!
//! A batch is everything complete that a connection has read. It is run in windows of up to [`WINDOW`] commands: parse
//! them all, look all of them up, hash their keys, prefetch shards, then buckets, then records, and only then execute
//! them in order, when the memory that they touch is on its way or there. Nothing in a batch waits for anything; a
//! command that has to (BLPOP) ends it.
//!
//! Each command passes the same gates ([`gates`]), locks what it declared ([`LockPlan`]), runs, serves those who waited
//! for what it brought, hands its effects to the listeners, and lets go.

mod direct;
pub(super) mod gates;
pub(super) mod tally;

use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use smallvec::SmallVec;

pub use self::direct::run_direct;
use self::tally::BatchTally;
use super::blocking::Account;
use super::instance::{Engine, Hindrance};
use super::monitors::Source;
use super::persistence::commit::HeldBack;
use super::registry::{Command, Handler, REGISTRY};
use super::session::{ReplyMode, Session};
use super::stats::Counter;
use super::{Call, Outcome, blocking, monitors, script, transaction};
use crate::base::bytes::equal;
use crate::base::clock::Stopwatch;
use crate::command::spec::Flags;
use crate::command::spec::keys::{are_provable, key_positions};
use crate::command::{Args, Context};
use crate::persist::aof::log::Admit;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::{Mark, Reply};
use crate::protocol::request::{Batch, Parser, Request, is_cross_protocol};

/// Commands that are parsed and prefetched ahead.
const WINDOW: usize = 32;
/// Keys that are prefetched at a time: their lines have to stay in the first-level cache until they are used.
const PREFETCH_MAX: usize = 64;
/// Keys that are hashed for one window.
const HASHED_MAX: usize = 4096;
/// A batch ends when its output has grown beyond this: the rest is run when the client has taken it.
const OUTPUT_PAUSE_BYTES: usize = 256 << 10;
/// A batch ends after so many commands, so that other connections of the worker get their turn.
const COMMANDS_PAUSE: usize = 4096;

/// The locks that a command needs.
pub enum LockPlan<'a> {
    /// None.
    Nothing,
    /// The shards of these keys.
    Keys(SmallVec<[&'a [u8]; 4]>),
    /// Every shard.
    Everything,
}

/// How far a run came.
#[derive(Debug)]
pub struct Ran {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// What the parser knows to be missing, see [`crate::protocol::request::Progress::missing`].
    pub missing: usize,
    /// The replies, behind what `out` held before.
    pub out: Vec<u8>,
    /// The run paused with complete commands left: call again once the output is sent.
    pub paused: bool,
    /// The next command writes, and has to wait until the log takes more; see
    /// [`admission`](super::persistence::Persistence::admission).
    pub awaits_log: bool,
    /// What the replies, and the messages in `session.touched`, have to wait for before they leave.
    pub held_back: Option<Box<HeldBack>>,
}

impl Ran {
    /// The input is done with, and there is nothing to say.
    fn ended(consumed: usize) -> Ran {
        Ran { consumed, missing: 0, out: Vec::new(), paused: false, awaits_log: false, held_back: None }
    }
}

/// What a window's command will need, found ahead of its turn.
#[derive(Clone, Copy)]
struct Prepared {
    command: Option<&'static Command>,
    /// Where the hashes of its keys begin, and how many there are.
    first: u32,
    count: u32,
}

#[derive(Default)]
struct Scratch {
    batch: Batch,
    prepared: Vec<Prepared>,
    hashes: Vec<u64>,
}

thread_local! {
    /// Reused from batch to batch; holds nothing in between.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Runs every complete command of `input`, and appends the replies to `out`. The caller sends what was published: the
/// outboxes in `session.touched`.
///
/// A panic in a handler closes the connection and latches the instance read-only; it goes no further.
pub fn run(engine: &Engine, session: &mut Session, parser: &mut Parser, input: &[u8], out: Vec<u8>) -> Ran {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let mut scratch = SCRATCH.with(RefCell::take);
        let ran = Run::new(engine, session, out).input(&mut scratch, parser, input);
        SCRATCH.with(|slot| slot.replace(scratch));
        ran
    }));
    attempt.unwrap_or_else(|_| {
        engine.latch("a handler panicked");
        session.closing = true;
        Ran::ended(input.len())
    })
}

/// Runs one command that did not arrive as bytes; the reply is appended to `out`.
pub fn run_request(engine: &Engine, session: &mut Session, request: Request<'_>, out: Vec<u8>) -> Vec<u8> {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let mut run = Run::new(engine, session, out);
        run.command(request, REGISTRY.find(request.name()), &[]);
        run.end().0
    }));
    session.flush_touched(engine);
    attempt.unwrap_or_else(|_| {
        engine.latch("a handler panicked");
        let mut reply = Reply::new(session.protocol);
        reply.error(&engine.latched_error());
        reply.take()
    })
}

/// One batch under way.
struct Run<'e, 's> {
    engine: &'e Engine,
    session: &'s mut Session,
    context: Context<'e>,
    tally: BatchTally,
    /// Replies wait for the log.
    holds_replies: bool,
    /// Somebody watches what runs.
    is_monitored: bool,
    /// `keys.tally.written` when the last command had run.
    written: u64,
    /// Where the replies of the commands are that wrote; noted where replies wait.
    replies: Vec<Range<usize>>,
}

impl<'e, 's> Run<'e, 's> {
    fn new(engine: &'e Engine, session: &'s mut Session, out: Vec<u8>) -> Self {
        let mut context = engine.context(Reply::with_buffer(out, session.protocol));
        context.keys.database = session.database;
        context.keys.effects.by = session.client.id;
        if session.no_touch {
            context.keys.access = crate::store::keys::AccessPolicy::Untouched;
        }
        engine.keyspace.pace();
        let (now_ms, watch) = engine.clock.start_watch();
        let tally = BatchTally::begin(watch);
        if session.is_replay {
            // What expired while the log was written is in it as removed, and must not go any earlier.
            context.keys.access = context.keys.access.given(now_ms);
            context.keys.replay_ms = now_ms;
            context.keys.enter(0);
        } else {
            // Whoever waits for a script that takes long is told so, command by command.
            let _ = context.keys.enter_unless_busy(now_ms);
        }
        let holds_replies = engine.persistence.holds_replies();
        let is_monitored = engine.monitors.any();
        Run { engine, session, context, tally, holds_replies, is_monitored, written: 0, replies: Vec::new() }
    }

    fn input(mut self, scratch: &mut Scratch, parser: &mut Parser, input: &[u8]) -> Ran {
        let (mut consumed, mut missing, mut paused, mut commands) = (0, 0, false, 0);
        let mut awaits_log = false;
        'windows: while consumed < input.len() {
            scratch.batch.clear();
            parser.set_authenticated(self.session.authenticated);
            let parsed = parser.parse(input, consumed, &mut scratch.batch, WINDOW);
            self.prepare(scratch, input);
            let is_behind = self.engine.is_hindered(Hindrance::LogBehind);
            let is_paused = self.engine.is_hindered(Hindrance::Paused) && self.is_paused();
            self.context.keys.spares_expired = is_paused;
            let mut fetched = 0;
            for index in 0..scratch.batch.len() {
                if index == fetched {
                    fetched = self.prefetch(scratch, index);
                }
                let prepared = scratch.prepared[index];
                awaits_log = is_behind && self.has_to_wait(prepared.command);
                if awaits_log
                    || is_paused && self.waits_for_pause(scratch.batch.request(index, input), prepared.command)
                {
                    consumed = if index == 0 { consumed } else { scratch.batch.end(index - 1) };
                    paused = true;
                    parser.rewind();
                    break 'windows;
                }
                let hashes = &scratch.hashes[prepared.first as usize..][..prepared.count as usize];
                self.command(scratch.batch.request(index, input), prepared.command, hashes);
                commands += 1;
                let stops = self.session.closing || self.session.blocked.is_some();
                let full = self.context.reply.len() > OUTPUT_PAUSE_BYTES || commands >= COMMANDS_PAUSE;
                if stops || full {
                    consumed = scratch.batch.end(index);
                    paused = consumed < input.len();
                    parser.rewind();
                    break 'windows;
                }
            }
            match parsed {
                Ok(progress) => {
                    let stuck = progress.consumed == consumed;
                    (consumed, missing) = (progress.consumed, progress.missing);
                    if missing > 0 || stuck {
                        break;
                    }
                }
                Err(error) => {
                    self.engine.stats.add(Counter::ProtocolErrors, 1);
                    if error.is_silent() {
                        tracing::warn!("{error}; the connection of {} is closed", self.session.client.origin.peer);
                    }
                    self.context.reply.protocol_error(&error);
                    self.session.closing = true;
                    consumed = input.len();
                    break;
                }
            }
        }
        let (out, held_back) = self.end();
        Ran { consumed, missing, out, paused, awaits_log, held_back }
    }

    /// Whether a command is to be left for when the log has taken more.
    #[cold]
    fn has_to_wait(&self, command: Option<&'static Command>) -> bool {
        command.is_some_and(|command| gates::writes(self.session, command, may_write))
            && self.engine.persistence.admit(self.engine) == Admit::Wait
    }

    /// Whether commands of this connection are paused.
    #[cold]
    fn is_paused(&self) -> bool {
        let client = &self.session.client;
        let is_exempt = client.origin.in_process || client.monitors.load(Relaxed);
        !is_exempt && self.engine.is_paused(self.context.keys.now_ms)
    }

    /// Whether a command is to be left for when the pause is over; the connection waits for that then.
    #[cold]
    fn waits_for_pause(&mut self, request: Request<'_>, found: Option<&'static Command>) -> bool {
        // What is refused anyway is refused at once.
        let Ok(command) = identify(request, found) else { return false };
        let waiter = self.engine.wait_for_end_of_pause(&mut self.context, self.session, command);
        let waits = waiter.is_some();
        if let Some(waiter) = waiter {
            self.session.block(waiter);
        }
        waits
    }

    /// Lets go of everything and settles the counts. What was published waits in `session.touched`.
    fn end(mut self) -> (Vec<u8>, Option<Box<HeldBack>>) {
        let tally = self.context.keys.leave();
        if tally.written > 0 {
            self.session.written = tally.written;
        }
        self.session.touched.append(&mut self.context.keys.effects.touched);
        blocking::serve_gone(self.engine, &mut self.context.keys.effects.gone);
        self.engine.stats.add_tally(&tally);
        self.engine.stats.add(Counter::Changes, self.context.keys.effects.take_changes());
        self.tally.settle(self.engine, self.session, self.context.keys.now_ms);
        let held_back = match self.holds_replies {
            true => self.engine.persistence.hold_back(&tally, self.replies, self.session.protocol),
            false => None,
        };
        (self.context.reply.take(), held_back)
    }

    /// A command has written whose reply begins at `mark`.
    #[cold]
    fn note_write(&mut self, mark: Mark) {
        self.written = self.context.keys.tally.written;
        let end = self.context.reply.len();
        let len = self.context.reply.since(mark).len();
        if len > 0 {
            self.replies.push(end - len..end);
        }
    }

    /// Looks the window's commands up and hashes their keys.
    fn prepare(&self, scratch: &mut Scratch, input: &[u8]) {
        let Scratch { batch, prepared, hashes } = scratch;
        prepared.clear();
        hashes.clear();
        let basis = self.engine.keyspace.basis();
        // Pipelines mostly repeat a command.
        let (mut name, mut command): (&[u8], _) = (b"", None);
        for request in batch.requests(input) {
            if !equal(request.name(), name) {
                name = request.name();
                command = REGISTRY.find(name);
            }
            let first = hashes.len();
            if let Some(simple) = command.and_then(|command| command.simple_keys) {
                if let (true, Some(key)) = (simple.is_one(), request.get(simple.first as usize)) {
                    hashes.push(basis.hash(key));
                } else if first + request.len() <= HASHED_MAX {
                    hashes.extend(simple.positions(request.len()).map(|at| basis.hash(request.argument(at))));
                }
            }
            prepared.push(Prepared { command, first: first as u32, count: (hashes.len() - first) as u32 });
        }
    }

    /// Starts fetching what the commands from `index` on will touch; returns the first command that was left out.
    fn prefetch(&self, scratch: &Scratch, index: usize) -> usize {
        let start = scratch.prepared[index].first as usize;
        let mut end = start;
        let mut next = index;
        while next < scratch.prepared.len() && (end - start < PREFETCH_MAX || next == index) {
            end = (scratch.prepared[next].first + scratch.prepared[next].count) as usize;
            next += 1;
        }
        let hashes = &scratch.hashes[start..end];
        if hashes.len() > 1 {
            for stage in 0..3 {
                self.context.keys.prefetch(hashes, stage);
            }
        }
        next
    }

    /// Runs one command, whatever comes of it.
    fn command(&mut self, request: Request<'_>, found: Option<&'static Command>, hashes: &[u64]) {
        let mark = self.context.reply.mark();
        let before = self.session.reply_mode;
        if let Err(error) = self.attempt(request, found, hashes) {
            self.context.reply.truncate(mark);
            self.context.reply.error(&error);
            self.engine.stats.error(&error);
        }
        self.context.keys.release();
        if self.session.caching && found.is_none_or(|command| command.full_name != "client") {
            self.session.caching = self.session.transaction.is_some();
        }
        if self.session.reply_mode != ReplyMode::On || before != ReplyMode::On {
            let (next, silent) = match (before, self.session.reply_mode) {
                (ReplyMode::Skip, ReplyMode::Skip) => (ReplyMode::On, true),
                (_, ReplyMode::SkipNext) => (ReplyMode::Skip, true),
                (_, now) => (now, now != ReplyMode::On),
            };
            self.session.reply_mode = next;
            if silent && !found.is_some_and(confirms_by_push) {
                self.context.reply.truncate(mark);
            }
        }
        if self.holds_replies && self.context.keys.tally.written != self.written {
            self.note_write(mark);
        }
    }

    fn attempt(&mut self, request: Request<'_>, found: Option<&'static Command>, hashes: &[u64]) -> CommandResult {
        let command = match identify(request, found) {
            Ok(command) => command,
            Err(error) => {
                if is_cross_protocol(request.name()) {
                    tracing::warn!("{} speaks HTTP on a RESP port; closed", self.session.client.origin.peer);
                    self.session.closing = true;
                }
                return Err(self.refuse(request, error));
            }
        };
        let passed = match self.context.keys.is_entered() {
            true => gates::pass(self.engine, self.session, &mut self.context, command, request),
            false => gates::pass_busy(self.engine, self.session, &mut self.context, command, request),
        };
        if let Err(error) = passed {
            self.engine.stats.rejected(command.id);
            return Err(self.refuse(request, error));
        }
        if gates::is_queued(self.session, command) {
            transaction::queue(self.session, command, request);
            self.context.reply.simple("QUEUED");
            return Ok(());
        }
        // What runs beside a long script takes no lock.
        if self.context.keys.is_entered() {
            self.lock(command, request, hashes);
        }
        self.context.keys.effects.begin();
        let result = self.handle(command, request);
        if self.context.keys.is_exclusive() {
            let now_ms = self.context.keys.now_ms;
            self.context.keys.enter(now_ms);
        }
        result
    }

    /// A refused command spoils the transaction that it was meant for; a refused EXEC ends it.
    #[cold]
    fn refuse(&mut self, request: Request<'_>, error: CommandError) -> CommandError {
        if request.name().eq_ignore_ascii_case(b"exec") {
            self.session.transaction = None;
            transaction::unwatch(self.engine, self.session, &mut self.context.keys);
            return match error {
                CommandError::CrossSlot => error,
                other => CommandError::ExecAbortBecause(Box::new(other)),
            };
        }
        if let Some(transaction) = &mut self.session.transaction {
            transaction.aborted = true;
        }
        if matches!(error, CommandError::MaxClients) {
            self.engine.stats.add(Counter::RejectedConnections, 1);
            self.session.closing = true;
        }
        error
    }

    /// Takes the locks that a command needs.
    #[inline]
    fn lock(&mut self, command: &'static Command, request: Request<'_>, hashes: &[u64]) {
        match (command.simple_keys, hashes) {
            (Some(simple), [hash]) => {
                lock_only_key(&mut self.context, command, request.argument(simple.first as usize), *hash);
            }
            (Some(simple), [_, ..]) => {
                let keys = simple.positions(request.len()).map(|at| request.argument(at));
                self.context.keys.lock_hashed(keys.zip(hashes.iter().copied()));
                if self.context.keys.has_waiters() {
                    let keys = simple.positions(request.len()).map(|at| request.argument(at));
                    blocking::widen(&mut self.context, &keys.collect::<Vec<_>>());
                }
            }
            _ => self.lock_planned(command, request),
        }
    }

    /// Takes the locks of a command whose keys were not hashed ahead.
    fn lock_planned(&mut self, command: &'static Command, request: Request<'_>) {
        let keys = &mut self.context.keys;
        let plan = match command.is_exec {
            true => transaction::plan(self.engine, self.session),
            false => plan_command(self.engine, command, request),
        };
        match plan {
            LockPlan::Nothing => {}
            LockPlan::Everything => {
                let now_ms = keys.now_ms;
                keys.enter_exclusively(now_ms);
            }
            LockPlan::Keys(declared) => {
                keys.lock_many(declared.iter().copied());
                if keys.has_waiters() {
                    blocking::widen(&mut self.context, &declared);
                }
            }
        }
    }

    /// Calls the handler, and does what follows within the locks.
    fn handle(&mut self, command: &'static Command, request: Request<'_>) -> CommandResult {
        let timed = self.tally.start(self.engine, command);
        let is_monitored = self.is_monitored;
        let Run { engine, session, context, .. } = self;
        let mut call = Call { engine, session, context, command };
        if is_monitored && monitors::comes_first(command) {
            monitors::show(&mut call, command, request, Source::Connection);
        }
        let result = call_handler(&mut call, command, request);
        note_reads(&mut call, command, request);
        if is_monitored && !monitors::comes_first(command) {
            monitors::show(&mut call, command, request, Source::Connection);
        }
        let waits = matches!(result, Ok(Outcome::Blocked(_)));
        let took_ns = self.tally.finish(self.engine, self.session, command, request, timed, waits);
        finish_step(&mut self.context, self.engine, result.is_ok(), |out| request.encode(out));
        match result {
            Ok(Outcome::Done) => Ok(()),
            Ok(Outcome::Blocked(wait)) => {
                let silent = matches!(self.session.reply_mode, ReplyMode::Off | ReplyMode::Skip);
                let account = Account::open(self.engine, &self.session.client, command, request, took_ns);
                self.session.block(blocking::enqueue(&mut self.context, self.engine, *wait, silent, Some(account)));
                Ok(())
            }
            Err(error) => {
                self.engine.stats.failed(command.id);
                Err(error)
            }
        }
    }
}

/// Whether a command that is no write runs others that may be.
fn may_write(command: &Command) -> bool {
    command.runs_script.is_some() && !command.flags.has(Flags::READONLY)
}

/// Locks the shard of a command's only key, and what serving those who wait there may touch.
#[inline]
fn lock_only_key(context: &mut Context<'_>, command: &Command, key: &[u8], hash: u64) {
    context.keys.lock_one(key, hash);
    if context.keys.has_waiters() && command.flags.has(Flags::WRITE) {
        blocking::widen(context, &[key]);
    }
}

/// What follows from a command within its locks: those who waited for what it brought are served, and all that has
/// changed is handed over, in order.
#[inline]
fn finish_step(context: &mut Context<'_>, engine: &Engine, succeeded: bool, encode: impl FnOnce(&mut Vec<u8>)) {
    let keys = &mut context.keys;
    if succeeded {
        keys.effects.conclude(keys.database, encode);
    }
    if keys.effects.ready.is_empty() {
        keys.commit();
    } else {
        let served = blocking::serve_ready(context, engine);
        context.keys.commit();
        // Their replies tell what is in the log only now.
        blocking::settle(served, context.keys.tally.position);
    }
}

/// Whether a command's replies are pushes, which come whatever CLIENT REPLY says.
fn confirms_by_push(command: &Command) -> bool {
    let names = ["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"];
    names.contains(&command.full_name.as_str())
}

/// The command that a request names, with its arity checked.
#[inline(always)]
fn identify(request: Request<'_>, found: Option<&'static Command>) -> CommandResult<&'static Command> {
    let Some(mut command) = found else {
        return Err(CommandError::unknown_command(request.name(), request.iter().skip(1)));
    };
    if !command.subcommands.is_empty()
        && let Some(name) = request.get(1)
    {
        let Some(sub) = command.subcommand(name) else {
            return Err(CommandError::unknown_subcommand(request.name(), name));
        };
        command = sub;
    }
    // A container's own arity asks for a subcommand.
    if command.arity.accepts(request.len()) { Ok(command) } else { Err(CommandError::wrong_arity(&command.full_name)) }
}

/// The locks that a command needs by its own declaration.
pub fn plan_command<'a>(engine: &Engine, command: &'static Command, request: Request<'a>) -> LockPlan<'a> {
    if let Some(runs) = command.runs_script {
        return script::run::plan(engine, runs, request);
    }
    if command.needs_everything {
        return LockPlan::Everything;
    }
    if command.keys.is_empty() {
        return LockPlan::Nothing;
    }
    if let Some(simple) = command.simple_keys {
        return LockPlan::Keys(simple.positions(request.len()).map(|at| request.argument(at)).collect());
    }
    let arguments: SmallVec<[&[u8]; 16]> = request.iter().collect();
    if !are_provable(command.keys, &arguments) {
        return LockPlan::Everything;
    }
    // Arguments that contradict the declaration: the handler says what is wrong with them, and touches no key.
    match key_positions(command.keys, &arguments) {
        Ok(positions) => LockPlan::Keys(positions.iter().map(|(at, _)| request.argument(*at as usize)).collect()),
        Err(_) => LockPlan::Nothing,
    }
}

/// Calls whichever kind of handler a command has; an error takes back what was written.
fn call_handler(call: &mut Call<'_, '_>, command: &'static Command, request: Request<'_>) -> CommandResult<Outcome> {
    let args = Args::from(request, command.first_argument);
    match command.handler {
        Handler::Data(handler) => handler(call.context, args).map(|()| Outcome::Done),
        Handler::Engine(handler) => handler(call, args),
        Handler::Container => Err(CommandError::Syntax),
    }
}

/// Runs a command of a transaction, whose locks are held; its error becomes its reply. Returns how long it took, in ns,
/// if it is one to be timed.
pub fn run_queued(call: &mut Call<'_, '_>, command: &'static Command, request: Request<'_>) -> Option<u64> {
    let watch = tally::is_timed(call.engine, command).then(Stopwatch::start);
    let mark = call.context.reply.mark();
    let dirty = call.context.keys.effects.begin_queued();
    call.context.keys.database = call.session.database;
    let allowed = gates::pass_queued(call, command);
    let result = allowed.and_then(|()| call_handler(&mut Call { command, ..reborrow(call) }, command, request));
    note_reads(call, command, request);
    if call.engine.monitors.any() {
        monitors::show(call, command, request, Source::Connection);
    }
    let took_ns = watch.map(|watch| watch.elapsed_ns());
    if let Some(took_ns) = took_ns {
        tally::note_time(call.engine, call.session, command, request, took_ns);
    }
    if let Err(error) = result {
        call.context.reply.truncate(mark);
        call.context.reply.error(&error);
        call.engine.stats.failed(command.id);
        call.engine.stats.error(&error);
    }
    let database = call.context.keys.database;
    call.context.keys.effects.conclude(database, |out| request.encode(out));
    call.context.keys.effects.dirty += dirty;
    took_ns
}

/// Notes what a client that caches has read, within the locks; of a script, what its commands read.
#[inline]
fn note_reads(call: &mut Call<'_, '_>, command: &'static Command, request: Request<'_>) {
    if call.session.tracker.is_some() && command.flags.has(Flags::READONLY) && !monitors::comes_first(command) {
        note_tracked_reads(call, command, request);
    }
}

#[cold]
fn note_tracked_reads(call: &mut Call<'_, '_>, command: &'static Command, request: Request<'_>) {
    call.context.keys.tell_changes();
    let notes = call.session.tracker.as_ref().is_some_and(|tracker| tracker.notes_reads(call.session.caching));
    if notes && let LockPlan::Keys(keys) = plan_command(call.engine, command, request) {
        let touched = &mut call.context.keys.effects.touched;
        keys.iter().for_each(|key| call.engine.tracking.remember(key, call.session.client.id, touched));
    }
}

/// Runs a command of a script, whose locks are held; the reply is written, or taken back where the command fails.
pub fn run_scripted(call: &mut Call<'_, '_>, command: &'static Command, request: Request<'_>) -> CommandResult {
    let mark = call.context.reply.mark();
    let dirty = call.context.keys.effects.begin_queued();
    call.context.keys.database = call.session.database;
    let result = call_handler(&mut Call { command, ..reborrow(call) }, command, request);
    note_reads(call, command, request);
    if call.engine.monitors.any() {
        monitors::show(call, command, request, Source::Script);
    }
    call.engine.stats.called(command.id, 1, 0);
    if result.is_err() {
        call.context.reply.truncate(mark);
        call.engine.stats.failed(command.id);
    }
    let database = call.context.keys.database;
    call.context.keys.effects.conclude(database, |out| request.encode(out));
    call.context.keys.effects.dirty += dirty;
    result.map(drop)
}

fn reborrow<'b, 'k>(call: &'b mut Call<'_, 'k>) -> Call<'b, 'k> {
    Call { context: call.context, engine: call.engine, session: call.session, command: call.command }
}
