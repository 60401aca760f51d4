//! SET and those that are SET with fixed options, and the readers that change a key on the way: GETEX, GETDEL, GETSET.

use super::{reply_value, stored};
use crate::base::number::{format_u64, parse_i64};
use crate::command::keys::expiry;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;

/// How an option gives the time at which a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    keyword: &'static str,
    ms: i64,
    /// From now on, or Unix time.
    relative: bool,
}

const EX: Unit = Unit { keyword: "EX", ms: 1000, relative: true };
const PX: Unit = Unit { keyword: "PX", ms: 1, relative: true };
const EXAT: Unit = Unit { keyword: "EXAT", ms: 1000, relative: false };
const PXAT: Unit = Unit { keyword: "PXAT", ms: 1, relative: false };

/// What the options say of a key's expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Expiry<'a> {
    /// Nothing: SET takes it off, GETEX leaves it.
    #[default]
    Unsaid,
    /// As before (`KEEPTTL`).
    Keep,
    /// Never (`PERSIST`).
    Never,
    /// In so many units; the number is not read yet.
    Given(Unit, &'a [u8]),
}

impl<'a> Expiry<'a> {
    /// Takes one of the units with its number. An option may stand twice, and the last counts; two different ones
    /// exclude each other.
    fn take(&mut self, args: &mut Args<'a>) -> CommandResult<bool> {
        for unit in [EX, PX, EXAT, PXAT] {
            let free = match self {
                Expiry::Unsaid => true,
                Expiry::Given(known, _) => *known == unit,
                Expiry::Keep | Expiry::Never => false,
            };
            if free && args.take_with_value(unit.keyword) {
                *self = Expiry::Given(unit, args.next_bytes()?);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a keyword that says `other`, unless something else is said.
    fn take_keyword(&mut self, args: &mut Args<'a>, keyword: &str, other: Expiry<'a>) -> bool {
        let taken = (*self == Expiry::Unsaid || *self == other) && args.take(keyword);
        if taken {
            *self = other;
        }
        taken
    }

    /// The deadline that is given, if any, as Unix time in ms; `command` is named in the error.
    fn deadline(self, now_ms: u64, command: &'static str) -> CommandResult<Option<u64>> {
        let Expiry::Given(unit, text) = self else { return Ok(None) };
        let number = parse_i64(text).ok_or(CommandError::NotInteger)?;
        let invalid = || CommandError::InvalidExpire(command);
        if number <= 0 {
            return Err(invalid());
        }
        let base = if unit.relative { i64::try_from(now_ms).map_err(|_| invalid())? } else { 0 };
        let at = number.checked_mul(unit.ms).and_then(|ms| ms.checked_add(base)).ok_or_else(invalid)?;
        u64::try_from(at).map(Some).map_err(|_| invalid())
    }
}

/// Whether SET writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Condition {
    #[default]
    Always,
    IfMissing,
    IfExists,
}

#[derive(Clone, Copy, Debug, Default)]
struct SetOptions {
    condition: Condition,
    /// Whether the old value is the reply.
    get: bool,
    keep_deadline: bool,
    deadline: Option<u64>,
}

impl SetOptions {
    fn read(mut args: Args<'_>, now_ms: u64) -> CommandResult<SetOptions> {
        let (mut options, mut expiry) = (SetOptions::default(), Expiry::Unsaid);
        while args.remaining() > 0 {
            if options.condition != Condition::IfExists && args.take("NX") {
                options.condition = Condition::IfMissing;
            } else if options.condition != Condition::IfMissing && args.take("XX") {
                options.condition = Condition::IfExists;
            } else if args.take("GET") {
                options.get = true;
            } else if !expiry.take_keyword(&mut args, "KEEPTTL", Expiry::Keep) && !expiry.take(&mut args)? {
                return Err(CommandError::Syntax);
            }
        }
        options.keep_deadline = expiry == Expiry::Keep;
        options.deadline = expiry.deadline(now_ms, "set")?;
        Ok(options)
    }
}

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]`
pub fn set(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    if args.remaining() == 0 {
        ctx.keys.set(key, stored(value), None);
        ctx.keys.changed(EventClass::String, "set", key);
        ctx.reply.ok();
        return Ok(());
    }
    let options = SetOptions::read(args, ctx.keys.now_ms)?;
    if options.get {
        reply_value(ctx, key)?;
    }
    match (write(ctx, key, value, &options), options.get) {
        (_, true) => {}
        (true, false) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

/// Writes under the options' condition; false if it was not met.
fn write(ctx: &mut Context<'_>, key: &[u8], value: &[u8], options: &SetOptions) -> bool {
    let mut deadline = options.deadline;
    if options.condition != Condition::Always || options.keep_deadline {
        let known = ctx.keys.peek(key);
        match options.condition {
            Condition::IfMissing if known.is_some() => return false,
            Condition::IfExists if known.is_none() => return false,
            _ => {}
        }
        if options.keep_deadline {
            deadline = known.and_then(|record| record.deadline());
        }
    }
    ctx.keys.set(key, stored(value), deadline);
    ctx.keys.changed(EventClass::String, "set", key);
    if let Some(deadline) = options.deadline {
        ctx.keys.announce(EventClass::Generic, "expire", key);
        if ctx.keys.effects.logging {
            let arguments = [&b"SET"[..], key, value, b"PXAT", &format_u64(deadline)];
            ctx.keys.effects.log_instead(ctx.keys.database, &arguments);
        }
    }
    true
}

/// `SETNX key value`
pub fn setnx(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    let written = write(ctx, key, value, &SetOptions { condition: Condition::IfMissing, ..SetOptions::default() });
    ctx.reply.integer(written as i64);
    Ok(())
}

/// `SETEX key seconds value`
pub fn setex(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    set_for(ctx, args, EX, "setex")
}

/// `PSETEX key milliseconds value`
pub fn psetex(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    set_for(ctx, args, PX, "psetex")
}

fn set_for(ctx: &mut Context<'_>, mut args: Args<'_>, unit: Unit, command: &'static str) -> CommandResult {
    let (key, number, value) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let deadline = Expiry::Given(unit, number).deadline(ctx.keys.now_ms, command)?;
    write(ctx, key, value, &SetOptions { deadline, ..SetOptions::default() });
    ctx.reply.ok();
    Ok(())
}

/// `GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST]`
pub fn getex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let mut expires = Expiry::Unsaid;
    while args.remaining() > 0 {
        if !expires.take_keyword(&mut args, "PERSIST", Expiry::Never) && !expires.take(&mut args)? {
            return Err(CommandError::Syntax);
        }
    }
    if !reply_value(ctx, key)? {
        return Ok(());
    }
    match expires.deadline(ctx.keys.now_ms, "getex")? {
        Some(deadline) => expiry::expire_at(ctx, key, Some(deadline)),
        None if expires == Expiry::Never => {
            expiry::persist_key(ctx, key);
        }
        None => {}
    }
    Ok(())
}

/// `GETDEL key`
pub fn getdel(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if reply_value(ctx, key)? {
        ctx.keys.remove(key);
        ctx.keys.changed(EventClass::Generic, "del", key);
        ctx.keys.effects.log_instead(ctx.keys.database, &[b"DEL", key]);
    }
    Ok(())
}

/// `GETSET key value`
pub fn getset(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    reply_value(ctx, key)?;
    ctx.keys.set(key, stored(value), None);
    ctx.keys.changed(EventClass::String, "set", key);
    Ok(())
}
