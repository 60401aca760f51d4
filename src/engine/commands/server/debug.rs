//! `DEBUG`: tools for tests, refused unless `enable-debug-command` allows them.
//!
//! Beside some of Redis's own subcommands there is `DEBUG CLOCK`, which moves a manual clock: what is due on the way has
//! happened when it replies.

mod digest;
mod samples;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use self::digest::Digest;
use crate::base::config::{DebugCommand, read_memory};
use crate::base::{glob, random};
use crate::command::Args;
use crate::command::keys::encoding;
use crate::engine::instance::Engine;
use crate::engine::persistence::recovery::Wanted;
use crate::engine::{Call, Outcome};
use crate::persist::rdb::dump;
use crate::protocol::error::{CommandError, CommandResult, DEBUG_NOT_ENABLED};
use crate::store::eviction;

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANGE-REPL-ID",
    "    Draw another replication id.",
    "CLOCK ADVANCE <milliseconds>|SET <unix-time-milliseconds>|NOW",
    "    Move the manual clock forward, or tell its time.",
    "DIGEST",
    "    A digest of the whole dataset, the same for the same data however it is stored.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    The digest of each value.",
    "ERROR <line>",
    "    Reply with this error.",
    "FUSE <operations>",
    "    Abort the process before the nth operation from now that changes which files there are; 0 takes it back.",
    "LOADAOF",
    "    Empty the dataset and run the append-only files.",
    "LOG <message>",
    "    Write a line to the log.",
    "OBJECT <key>",
    "    How a value is stored.",
    "PANIC",
    "    Fail inside the command, as a mistake in the server would.",
    "PAUSE-CRON <0|1>",
    "    Whether keys stay that nobody meets, and connections whose time is over.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create strings named <prefix>:<number>, `key` without a prefix, where there are none.",
    "PROTOCOL <type>",
    "    Reply with something of this type: string, integer, double, bignum, null, array, set, map, attrib, push,",
    "    verbatim, true or false.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Accepted: no element of a list has a node to itself here, whatever its size.",
    "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
    "    Save a snapshot, empty the dataset and load the snapshot; or leave out one or the other. With MERGE what is",
    "    there already is replaced.",
    "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>|RESIZING <0|1>",
    "    Accepted: a connection has a buffer for replies only while it has replies to send.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether expired keys are removed before anybody meets them.",
    "SET-DISABLE-DENY-SCRIPTS <0|1>",
    "    Whether scripts may call DEBUG PROTOCOL and DEBUG SLEEP.",
    "SLEEP <seconds>",
    "    Let the server hang, or move the manual clock by so much.",
    "STRINGMATCH-LEN <pattern> <text>",
    "    Whether a glob matches, 1 or 0.",
    "HELP",
    "    This text.",
];

/// `DEBUG subcommand [argument [argument ...]]`
pub fn debug(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let allowed = match call.engine.config.read().settings().enable_debug_command {
        DebugCommand::Everybody => true,
        DebugCommand::LocalConnections => call.session.client.origin.is_local,
        DebugCommand::Nobody => false,
    };
    if !allowed {
        return Err(CommandError::NotEnabled(&DEBUG_NOT_ENABLED));
    }
    if args.remaining() == 2
        && let Some(switch) = switch(call.engine, &mut args)
    {
        switch.store(args.next_i64()? != 0, Relaxed);
        call.context.reply.ok();
        return Ok(Outcome::Done);
    }
    match args.remaining() {
        1 if args.take("HELP") => {
            call.context.reply.array(HELP.len());
            HELP.iter().for_each(|line| call.context.reply.simple(line));
        }
        1 if args.take("CHANGE-REPL-ID") => {
            *call.engine.replication_id.lock() = random::token(20);
            call.context.reply.ok();
        }
        1 if args.take("DIGEST") => digest_everything(call),
        1 if args.take("LOADAOF") => {
            load(call, CommandError::LoadAofFailed, |engine| engine.persistence.reload_log(engine))?;
        }
        1.. if args.take("RELOAD") => reload(call, args)?,
        2 if args.take("OBJECT") => object(call, args.next_bytes()?)?,
        2 if args.take("PROTOCOL") => samples::protocol(call, args)?,
        2..=4 if args.take("POPULATE") => {
            enter_alone(call);
            samples::populate(call, args)?;
        }
        2 if args.take("LOG") => {
            tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(args.next_bytes()?));
            call.context.reply.ok();
        }
        3 if args.take("STRINGMATCH-LEN") => {
            let matches = glob::matches(args.next_bytes()?, args.next_bytes()?);
            call.context.reply.integer(matches.into());
        }
        1 if args.take("PANIC") => panic!("DEBUG PANIC"),
        1.. if args.take("DIGEST-VALUE") => digest_values(call, args),
        2 if args.take("ERROR") => {
            let line = String::from_utf8_lossy(args.next_bytes()?).into_owned();
            return Err(CommandError::Custom(line.into()));
        }
        2 if args.take("FUSE") => {
            let operations = u64::try_from(args.next_i64()?).map_err(|_| CommandError::NotPositive)?;
            call.engine.persistence.light_fuse(operations);
            call.context.reply.ok();
        }
        2 if args.take("QUICKLIST-PACKED-THRESHOLD") => {
            let size = read_memory(args.next_bytes()?).filter(|size| *size <= (1 << 32) - (1 << 20));
            size.ok_or(CommandError::PackedThreshold)?;
            call.context.reply.ok();
        }
        3 if args.take("REPLYBUFFER") => reply_buffer(call, args)?,
        2 if args.take("SLEEP") => sleep(call, args.next_f64()?)?,
        2 | 3 if args.take("CLOCK") => clock(call, args)?,
        _ => return Err(CommandError::subcommand_syntax(args.at(0), args.at(1))),
    }
    Ok(Outcome::Done)
}

/// The switch that a subcommand names.
fn switch<'e>(engine: &'e Engine, args: &mut Args<'_>) -> Option<&'e AtomicBool> {
    let switches = [
        ("PAUSE-CRON", &engine.pauses_upkeep),
        ("SET-ACTIVE-EXPIRE", &engine.active_expiry),
        ("SET-DISABLE-DENY-SCRIPTS", &engine.scripts.may_debug),
    ];
    switches.into_iter().find(|(name, _)| args.take(name)).map(|(_, switch)| switch)
}

/// `DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER | RESET | milliseconds`, `DEBUG REPLYBUFFER RESIZING 0 | 1`
fn reply_buffer(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult {
    if args.take("PEAK-RESET-TIME") {
        if !args.take("NEVER") && !args.take("RESET") {
            args.next_i64()?;
        }
    } else if !args.take("RESIZING") {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    call.context.reply.ok();
    Ok(())
}

/// Has every shard for this command alone; behind MULTI the transaction has it already.
fn enter_alone(call: &mut Call<'_, '_>) {
    let keys = &mut call.context.keys;
    if !keys.is_exclusive() {
        let now_ms = keys.now_ms;
        keys.enter_exclusively(now_ms);
    }
}

/// `DEBUG DIGEST`
fn digest_everything(call: &mut Call<'_, '_>) {
    enter_alone(call);
    let now_ms = call.context.keys.now_ms;
    let mut databases = vec![(0, Digest::default()); call.engine.keyspace.databases];
    call.context.keys.each_shard(|shard| {
        for (number, (count, sum)) in databases.iter_mut().enumerate() {
            let Some(database) = shard.database(number) else { continue };
            let is_live = |deadline: Option<u64>| deadline.is_none_or(|deadline| deadline >= now_ms);
            for record in database.table.iter().filter(|record| is_live(record.deadline())) {
                *count += 1;
                sum.xor(Digest::of_entry(record).bytes());
            }
        }
    });
    let mut total = Digest::default();
    for (number, (_, sum)) in databases.iter().enumerate().filter(|(_, (count, _))| *count > 0) {
        total.mix(&(number as u32).to_be_bytes());
        total.merge(sum);
    }
    call.context.reply.simple(&total.to_string());
}

/// `DEBUG DIGEST-VALUE key [key ...]`
fn digest_values(call: &mut Call<'_, '_>, args: Args<'_>) {
    enter_alone(call);
    let keys = args.rest();
    call.context.reply.array(keys.len());
    for key in keys {
        let digest = call.context.keys.peek(key).map(Digest::of_value).unwrap_or_default();
        call.context.reply.simple(&digest.to_string());
    }
}

/// `DEBUG OBJECT key`
fn object(call: &mut Call<'_, '_>, key: &[u8]) -> CommandResult {
    enter_alone(call);
    let now_ms = call.context.keys.now_ms;
    let compresses = call.context.settings.compresses();
    // One that has expired is shown for as long as it lies there.
    call.context.keys.now_ms = 0;
    let line = call.context.keys.peek(key).map(|record| {
        format!(
            "Value at:{record:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
            encoding(record),
            dump::value_bytes(record.view(), compresses),
            record.access(),
            eviction::idle_ms(record.access(), now_ms) / 1000,
        )
    });
    call.context.keys.now_ms = now_ms;
    let line = line.ok_or(CommandError::NoSuchKey)?;
    call.context.reply.simple(&line);
    Ok(())
}

/// `DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]`
fn reload(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult {
    let (mut saves, mut flushes, mut wanted) = (true, true, Wanted::Live);
    while args.remaining() > 0 {
        if args.take("NOSAVE") {
            saves = false;
        } else if args.take("NOFLUSH") {
            flushes = false;
        } else if args.take("MERGE") {
            wanted = Wanted::Instead;
        } else {
            return Err(CommandError::ReloadOptions);
        }
    }
    load(call, CommandError::ReloadFailed, |engine| engine.persistence.reload(engine, saves, flushes, wanted))
}

/// Puts what files hold in the place of the dataset.
fn load(
    call: &mut Call<'_, '_>,
    refusal: CommandError,
    act: impl FnOnce(&Engine) -> Result<(), String>,
) -> CommandResult {
    let mut outcome = Ok(());
    outside(call, |engine| outcome = act(engine))?;
    if let Err(error) = outcome {
        tracing::error!("DEBUG: {error}");
        return Err(refusal);
    }
    call.context.reply.ok();
    Ok(())
}

/// `DEBUG SLEEP seconds`
fn sleep(call: &mut Call<'_, '_>, seconds: f64) -> CommandResult {
    let time = Duration::try_from_secs_f64(seconds.max(0.0)).map_err(|_| CommandError::OutOfRange)?;
    if call.context.in_script {
        // It holds what it needs.
        std::thread::sleep(time);
    } else if call.engine.clock.is_manual() {
        outside(call, |engine| engine.clock.advance(time))?;
    } else {
        enter_alone(call);
        std::thread::sleep(time);
    }
    call.context.reply.ok();
    Ok(())
}

/// `DEBUG CLOCK ADVANCE ms | SET ms | NOW`
fn clock(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult {
    if args.remaining() == 1 && args.take("NOW") {
        let now_ms = call.engine.clock.now_ms();
        // Unix time in ms stays below 2^63 for some hundred million years.
        call.context.reply.integer(now_ms as i64);
        return Ok(());
    }
    let advances = args.take("ADVANCE");
    if args.remaining() != 1 + usize::from(!advances) || (!advances && !args.take("SET")) {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let ms = u64::try_from(args.next_i64()?).map_err(|_| CommandError::NotPositive)?;
    if !call.engine.clock.is_manual() {
        return Err(CommandError::ClockNotManual);
    }
    outside(
        call,
        |engine| if advances { engine.clock.advance(Duration::from_millis(ms)) } else { engine.clock.set(ms) },
    )?;
    call.context.reply.ok();
    Ok(())
}

/// Does something outside of the keyspace, which what is due then enters by itself.
///
/// # Errors
/// Within EXEC, which nobody may leave half done.
fn outside(call: &mut Call<'_, '_>, act: impl FnOnce(&Engine)) -> CommandResult {
    if !call.context.may_block {
        return Err(CommandError::NotInTransaction);
    }
    let tally = call.context.keys.leave();
    call.engine.stats.add_tally(&tally);
    act(call.engine);
    call.context.keys.enter(call.engine.clock.now_ms());
    call.context.keys.resume(&tally);
    Ok(())
}
