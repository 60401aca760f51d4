//! Running scripts: which locks they need, what their commands may do, and what becomes of their results.
//!
//! Before it runs, a script's locks are planned ([`plan`]): a script that provably touches its KEYS alone, and cannot
//! take long, holds their shards; any other holds everything. It may be forgotten or replaced between the two moments;
//! one that is found without the locks that it needs does not run. The commands of a script are logged themselves, in
//! the script's step: all of them or none survive a crash.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::cache::{self, Script};
use super::convert;
use super::header::Header;
use super::lib::math::Random;
use super::machine::{Failure, Machine};
use super::running::{KILLED_MESSAGE, Kind, LongCall, LongScript};
use super::value::{Inputs, ScriptError, Server, Text, Value};
use crate::base::clock::Stopwatch;
use crate::command::Args;
use crate::command::spec::Flags;
use crate::engine::cluster;
use crate::engine::dispatch::{self, LockPlan, gates};
use crate::engine::instance::Engine;
use crate::engine::registry::{Command, Handler, REGISTRY, ScriptSource};
use crate::engine::{Call, Outcome, pause};
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::{Mark, Protocol};
use crate::protocol::request::{Request, RequestBuffer};
use crate::protocol::value::hash_slot;

/// What messages call a script's text.
const NAME: &str = "user_script";
/// Where the number of keys stands, and behind it the keys.
const NUMKEYS_AT: usize = 2;

/// The keys of a call, as their places among its arguments.
pub(super) fn key_range(request: Request<'_>, not_a_number: CommandError) -> CommandResult<Range<usize>> {
    let numkeys = request.get(NUMKEYS_AT).and_then(crate::base::number::parse_i64).ok_or(not_a_number)?;
    let first = NUMKEYS_AT + 1;
    if numkeys > (request.len() - first) as i64 {
        return Err(CommandError::NumkeysTooMany);
    }
    let count = usize::try_from(numkeys).map_err(|_| CommandError::NumkeysNegative)?;
    Ok(first..first + count)
}

/// The script that a call names, if the instance knows it.
fn find(engine: &Engine, source: ScriptSource, name: &[u8]) -> CommandResult<Rc<Script>> {
    match source {
        ScriptSource::Text => cache::plan(name),
        ScriptSource::Digest => engine.scripts.of_digest(name).ok_or(CommandError::NoScript),
        ScriptSource::Function => Err(CommandError::quoted_line(scripting::NO_FUNCTION)),
    }
}

/// The locks that a call of a script needs.
pub fn plan<'a>(engine: &Engine, source: ScriptSource, request: Request<'a>) -> LockPlan<'a> {
    if source == ScriptSource::Function {
        // Its values belong to whoever holds everything.
        return LockPlan::Everything;
    }
    let Ok(keys) = key_range(request, CommandError::NotInteger) else { return LockPlan::Nothing };
    match find(engine, source, request.argument(1)) {
        Err(_) => LockPlan::Nothing,
        Ok(script) if !script.compiled.touches_only_declared => LockPlan::Everything,
        Ok(_) if keys.is_empty() => LockPlan::Nothing,
        Ok(_) => LockPlan::Keys(keys.map(|at| request.argument(at)).collect()),
    }
}

/// Runs the script that a call names.
///
/// # Errors
/// When there is none, when it may not run, and with what it raised.
pub fn run(call: &mut Call<'_, '_>, args: Args<'_>, source: ScriptSource, read_only: bool) -> CommandResult<Outcome> {
    if source == ScriptSource::Function {
        return super::functions::call(call, args, read_only);
    }
    let request = args.request();
    let name = request.argument(1);
    if source == ScriptSource::Digest && name.len() != 40 {
        return Err(CommandError::NoScript);
    }
    let keys = key_range(request, CommandError::NotInteger)?;
    let script = match source {
        ScriptSource::Text => call.engine.scripts.of_text(name, true)?,
        source => find(call.engine, source, name)?,
    };
    if !is_held(call, &script, request, keys.clone()) {
        return Err(CommandError::NoScript);
    }
    let rules = Rules { kind: Kind::Script, header: &script.header, read_only, name: &script.digest, source: NAME };
    may_begin(call, &rules)?;
    let seed = call.engine.scripts.random().state();
    let (outcome, remains) = perform(call, request, keys, &rules, |host| {
        let mut machine = Machine::new(host, NAME, seed);
        (machine.run(&script.compiled.main), machine.finish())
    });
    drop(remains);
    outcome
}

/// What a run may do, and what messages call it.
pub(super) struct Rules<'r> {
    /// What it was called as.
    pub kind: Kind,
    /// What was asked for where it was written.
    pub header: &'r Header,
    /// It was called by a command that only reads.
    pub read_only: bool,
    /// Its name.
    pub name: &'r [u8],
    /// What messages call its text.
    pub source: &'static str,
}

/// Runs a script or a function: what `act` returns becomes the reply, and what is kept until then is handed back.
pub(super) fn perform<R>(
    call: &mut Call<'_, '_>,
    request: Request<'_>,
    keys: Range<usize>,
    rules: &Rules<'_>,
    act: impl FnOnce(&mut ScriptHost<'_, '_, '_, '_>) -> (Result<Value, Failure>, R),
) -> (CommandResult<Outcome>, R) {
    let database = call.session.database;
    let may_block = std::mem::replace(&mut call.context.may_block, false);
    call.context.in_script = true;
    call.context.script_us = None;
    let protocol = call.context.reply.protocol();
    call.context.reply.set_protocol(Protocol::Resp2);
    let first_key = match call.engine.cluster.is_enabled && !keys.is_empty() {
        true => request.get(keys.start),
        false => None,
    };
    let mut host = ScriptHost {
        mark: call.context.reply.mark(),
        is_read_only: rules.read_only || rules.header.no_writes,
        allows_oom: rules.header.allow_oom || !call.engine.memory.is_limited() || !call.engine.is_over_limit(),
        call,
        request,
        keys,
        buffer: RequestBuffer::default(),
        has_written: false,
        slot: first_key.map(hash_slot),
        may_change_slot: !rules.header.is_there || rules.header.allow_cross_slot_keys,
        watch: Stopwatch::start(),
        kind: rules.kind,
        name: rules.name,
        long: None,
    };
    let (result, kept) = act(&mut host);
    host.end();
    let within = call.context.reply.protocol();
    call.context.reply.set_protocol(protocol);
    call.context.may_block = may_block;
    call.context.in_script = false;
    call.session.database = database;
    call.context.keys.database = database;
    call.context.keys.effects.log_nothing();
    let outcome = match result {
        Ok(value) => answer(call, &value, within),
        Err(failure) => Err(failed(&failure, rules)),
    };
    (outcome, kept)
}

/// What a script returned becomes the reply; an error is one of the command that runs the script.
fn answer(call: &mut Call<'_, '_>, value: &Value, within: Protocol) -> CommandResult<Outcome> {
    match convert::as_error(value) {
        Some((text, true)) => return Err(CommandError::Counted(text[..].into())),
        Some((text, false)) => return Err(CommandError::quoted_line(&text)),
        None => {}
    }
    let stats = &call.engine.stats;
    let mut has_failed = false;
    let mut on_error = |text: &[u8], is_counted: bool| {
        has_failed = true;
        if !is_counted {
            stats.error(&CommandError::quoted_line(text));
        }
    };
    let has_room = convert::write_reply(value, &mut call.context.reply, within, &mut on_error);
    if has_failed && has_room {
        stats.failed(call.command.id);
    }
    match has_room {
        true => Ok(Outcome::Done),
        false => Err(CommandError::quoted_line(scripting::REPLY_TOO_LONG)),
    }
}

/// Whether the locks that are held are those that the script needs.
fn is_held(call: &mut Call<'_, '_>, script: &Script, request: Request<'_>, mut keys: Range<usize>) -> bool {
    let held = &mut call.context.keys;
    held.is_exclusive() || (script.compiled.touches_only_declared && keys.all(|at| held.holds(request.argument(at))))
}

/// What is refused before a script begins; scripts without a header are refused when they do it.
pub(super) fn may_begin(call: &mut Call<'_, '_>, rules: &Rules<'_>) -> CommandResult {
    let Rules { header, read_only, .. } = *rules;
    if !header.is_there {
        return Ok(());
    }
    if read_only && !header.no_writes {
        return Err(CommandError::quoted_line(scripting::WRITES_IN_RO));
    }
    if header.no_cluster && call.engine.cluster.is_enabled {
        return Err(CommandError::quoted_line(scripting::NO_CLUSTER));
    }
    if !header.no_writes {
        if !header.allow_oom && call.engine.memory.is_limited() && call.engine.is_over_limit() {
            return Err(CommandError::quoted_line(
                b"OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
            ));
        }
        gates::pass_script(call, true)?;
    }
    Ok(())
}

/// The error reply of a script that failed: what it raised, its name, and the line.
fn failed(failure: &Failure, rules: &Rules<'_>) -> CommandError {
    let mut text = failure.text();
    if let Some(line) = failure.line {
        text.extend_from_slice(b" script: ");
        text.extend_from_slice(rules.name);
        text.extend_from_slice(format!(", on @{}:{line}.", rules.source).as_bytes());
    }
    let is_counted = match &failure.error {
        ScriptError::Raised(value) => convert::as_error(value).is_some_and(|(_, is_counted)| is_counted),
        _ => false,
    };
    if is_counted { CommandError::Counted(text.into()) } else { CommandError::quoted_line(&text) }
}

/// `redis.log`
pub(super) fn log(level: i64, message: &[u8]) {
    let message = String::from_utf8_lossy(message);
    match level {
        0 => tracing::debug!("{message}"),
        1 => tracing::debug!("{message}"),
        2 => tracing::info!("{message}"),
        _ => tracing::warn!("{message}"),
    }
}

/// What the machine sees of the server.
pub(super) struct ScriptHost<'c, 'a, 'k, 'r> {
    call: &'c mut Call<'a, 'k>,
    request: Request<'r>,
    keys: Range<usize>,
    buffer: RequestBuffer,
    /// Behind it stands the reply of the last command.
    mark: Mark,
    is_read_only: bool,
    allows_oom: bool,
    has_written: bool,
    /// In a cluster, the slot of its keys so far,
    slot: Option<u16>,
    /// and whether it may leave that.
    may_change_slot: bool,
    watch: Stopwatch,
    kind: Kind,
    name: &'r [u8],
    /// Since it has been running for long.
    long: Option<Arc<LongScript>>,
}

impl ScriptHost<'_, '_, '_, '_> {
    /// The command of a call, if a script may run it now; what is refused is counted.
    fn admit(&mut self, arguments: &[&[u8]]) -> CommandResult<&'static Command> {
        let unknown = || CommandError::quoted_line(scripting::UNKNOWN_COMMAND);
        let command = REGISTRY.find_call(arguments);
        let allowed = command.ok_or_else(unknown).and_then(|command| self.allow(command, arguments));
        if let Err(error) = &allowed {
            self.call.engine.stats.error(error);
            if let Some(command) = command {
                self.call.engine.stats.rejected(command.id);
            }
        }
        allowed
    }

    fn allow(&mut self, command: &'static Command, arguments: &[&[u8]]) -> CommandResult<&'static Command> {
        let refused = |text: &[u8]| Err(CommandError::quoted_line(text));
        if !command.arity.accepts(arguments.len()) || matches!(command.handler, Handler::Container) {
            return refused(scripting::WRONG_ARITY);
        }
        let is_spared = || command.full_name == "debug" && self.call.engine.scripts.may_debug(arguments);
        if command.flags.has(Flags::NOSCRIPT) && !is_spared() {
            return refused(scripting::NOT_ALLOWED);
        }
        let writes = command.flags.has(Flags::WRITE);
        if self.is_read_only && pause::replicates(command) {
            return refused(scripting::READ_ONLY);
        }
        if command.flags.has(Flags::DENYOOM) && !self.allows_oom && !self.has_written {
            return Err(CommandError::OutOfMemory);
        }
        if writes && !self.has_written {
            gates::pass_script(self.call, true)?;
            if self.long.as_ref().is_some_and(|script| !script.note_write()) {
                return refused(scripting::KILLED);
            }
            self.has_written = true;
        }
        Ok(command)
    }

    /// The script has ended: others go on.
    fn end(&mut self) {
        self.call.context.reply.truncate(self.mark);
        if let Some(script) = self.long.take() {
            self.call.engine.end_long_script(&script);
        }
    }
}

impl Server for ScriptHost<'_, '_, '_, '_> {
    fn command(&mut self, arguments: &[&[u8]]) -> Result<&[u8], CommandError> {
        let command = self.admit(arguments)?;
        let Some(request) = self.buffer.fill(arguments) else {
            return Err(CommandError::quoted_line(scripting::WRONG_ARITY));
        };
        let engine = self.call.engine;
        if engine.cluster.is_enabled
            && let Err(error) = cluster::one_slot_of_script(command, request, &mut self.slot, self.may_change_slot)
        {
            engine.stats.error(&error);
            engine.stats.rejected(command.id);
            return Err(error);
        }
        let result = dispatch::run_scripted(self.call, command, request);
        if let Err(error) = &result {
            self.call.engine.stats.error(error);
        }
        result?;
        Ok(self.call.context.reply.since(self.mark))
    }

    fn done(&mut self) {
        self.call.context.reply.truncate(self.mark);
    }

    fn set_protocol(&mut self, version: u8) {
        let protocol = Protocol::from_version(i64::from(version)).unwrap_or_default();
        self.call.context.reply.set_protocol(protocol);
    }

    fn log(&mut self, level: i64, message: &[u8]) {
        log(level, message);
    }

    /// There is one user, who may do everything.
    fn may_run(&mut self, arguments: &[Text]) -> Option<bool> {
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| &argument[..]).collect();
        REGISTRY.find_call(&arguments).map(|_| true)
    }

    fn register_function(&mut self, _: &[Value]) -> Result<(), String> {
        Err("redis.register_function can only be called on FUNCTION LOAD command".to_owned())
    }

    fn check(&mut self) -> Result<(), ScriptError> {
        let engine = self.call.engine;
        if self.long.is_none() && self.watch.elapsed_ns() / 1_000_000 >= engine.scripts.running.threshold_ms() {
            let words = self.request.iter().map(<[u8]>::to_vec).collect();
            let (kind, watch, has_written) = (self.kind, self.watch, self.has_written);
            self.long = Some(engine.begin_long_script(LongCall { kind, name: self.name, words, watch, has_written }));
        }
        match &self.long {
            Some(script) if script.is_killed() => Err(ScriptError::Ended(KILLED_MESSAGE)),
            _ => Ok(()),
        }
    }

    fn leave_random(&mut self, random: Random) {
        self.call.engine.scripts.leave_random(random);
    }

    fn input_len(&self, which: Inputs) -> usize {
        match which {
            Inputs::Keys => self.keys.len(),
            Inputs::Arguments => self.request.len() - self.keys.end,
        }
    }

    fn input(&self, which: Inputs, index: usize) -> &[u8] {
        let first = match which {
            Inputs::Keys => self.keys.start,
            Inputs::Arguments => self.keys.end,
        };
        self.request.argument(first + index)
    }
}
