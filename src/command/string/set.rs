//! SET and those that are SET with fixed options, and the readers that change a key on the way: GETEX, GETDEL, GETSET.

use super::compare::Test;
use super::{reply_value, stored};
use crate::base::number::{format_u64, parse_i64};
use crate::command::keys::expiry;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::Record;

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
enum Condition<'a> {
    #[default]
    Always,
    IfMissing,
    IfExists,
    If(Test<'a>),
}

impl Condition<'_> {
    /// Whether it is met by what is there, if anything.
    fn holds(&self, record: Option<&Record>) -> CommandResult<bool> {
        match self {
            Condition::Always => Ok(true),
            Condition::IfMissing => Ok(record.is_none()),
            Condition::IfExists => Ok(record.is_some()),
            Condition::If(test) => test.holds(record),
        }
    }
}

impl<'a> Condition<'a> {
    /// Takes NX or XX, each as often as it comes, but not both.
    fn take(&mut self, args: &mut Args<'a>) -> bool {
        for (keyword, condition) in [("NX", Condition::IfMissing), ("XX", Condition::IfExists)] {
            if (*self == Condition::Always || *self == condition) && args.take(keyword) {
                *self = condition;
                return true;
            }
        }
        false
    }

    /// Takes a condition on the value, unless there is one of another kind.
    fn take_test(&mut self, args: &mut Args<'a>) -> CommandResult<bool> {
        if *self != Condition::Always {
            return Ok(false);
        }
        let test = Test::take(args)?;
        *self = test.map_or(Condition::Always, Condition::If);
        Ok(test.is_some())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct SetOptions<'a> {
    condition: Condition<'a>,
    /// Whether the old value is the reply.
    get: bool,
    keep_deadline: bool,
    deadline: Option<u64>,
}

impl<'a> SetOptions<'a> {
    fn read(mut args: Args<'a>, now_ms: u64) -> CommandResult<SetOptions<'a>> {
        let (mut options, mut expiry) = (SetOptions::default(), Expiry::Unsaid);
        while args.remaining() > 0 {
            if args.take("GET") {
                options.get = true;
                continue;
            }
            let understood = options.condition.take(&mut args)
                || options.condition.take_test(&mut args)?
                || expiry.take_keyword(&mut args, "KEEPTTL", Expiry::Keep)
                || expiry.take(&mut args)?;
            if !understood {
                return Err(CommandError::Syntax);
            }
        }
        options.keep_deadline = expiry == Expiry::Keep;
        options.deadline = expiry.deadline(now_ms, "set")?;
        Ok(options)
    }
}

/// `SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]`
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
    match (write(ctx, key, value, &options)?, options.get) {
        (_, true) => {}
        (true, false) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

/// Writes under the options' condition; false if it was not met.
fn write(ctx: &mut Context<'_>, key: &[u8], value: &[u8], options: &SetOptions<'_>) -> CommandResult<bool> {
    let mut deadline = options.deadline;
    if options.condition != Condition::Always || options.keep_deadline {
        let known = ctx.keys.peek(key);
        if !options.condition.holds(known)? {
            return Ok(false);
        }
        if options.keep_deadline {
            deadline = known.and_then(|record| record.deadline());
        }
    }
    overwrite(ctx, key, value, deadline);
    if let Some(deadline) = options.deadline {
        announce_deadline(ctx, key);
        log_set(ctx, key, value, &[b"PXAT", &format_u64(deadline)]);
    } else if let Condition::If(_) = options.condition {
        log_set(ctx, key, value, if options.keep_deadline { &[b"KEEPTTL"] } else { &[] });
    }
    Ok(true)
}

fn overwrite(ctx: &mut Context<'_>, key: &[u8], value: &[u8], deadline: Option<u64>) {
    ctx.keys.set(key, stored(value), deadline);
    ctx.keys.changed(EventClass::String, "set", key);
}

fn announce_deadline(ctx: &mut Context<'_>, key: &[u8]) {
    ctx.keys.announce(EventClass::Generic, "expire", key);
}

/// What the command wrote, as a SET without conditions.
fn log_set(ctx: &mut Context<'_>, key: &[u8], value: &[u8], options: &[&[u8]]) {
    if ctx.keys.effects.logging {
        ctx.keys.effects.log_instead(ctx.keys.database, &[&[b"SET", key, value], options].concat());
    }
}

/// `SETNX key value`
pub fn setnx(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    let written = write(ctx, key, value, &SetOptions { condition: Condition::IfMissing, ..SetOptions::default() })?;
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
    write(ctx, key, value, &SetOptions { deadline, ..SetOptions::default() })?;
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
        ctx.keys.delete_as_such(key);
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

/// `MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]`
pub fn msetex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let count = args.next_i64_or(CommandError::InvalidNumkeys)?;
    let count = i32::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::InvalidNumkeys)?;
    let words = 2 * count.unsigned_abs() as usize;
    if args.remaining() < words {
        return Err(CommandError::Syntax);
    }
    let pairs = args.rest().take(words);
    args.skip(words);
    let (mut condition, mut expiry) = (Condition::Always, Expiry::Unsaid);
    while args.remaining() > 0 {
        let understood = condition.take(&mut args)
            || expiry.take_keyword(&mut args, "KEEPTTL", Expiry::Keep)
            || expiry.take(&mut args)?;
        if !understood {
            return Err(CommandError::Syntax);
        }
    }
    let given = expiry.deadline(ctx.keys.now_ms, "msetex")?;
    for key in pairs.clone().step_by(2) {
        if !condition.holds(ctx.keys.peek(key))? {
            ctx.reply.integer(0);
            return Ok(());
        }
    }
    let mut words = pairs;
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        let is_kept = expiry == Expiry::Keep;
        let deadline = if is_kept { ctx.keys.peek(key).and_then(|record| record.deadline()) } else { given };
        overwrite(ctx, key, value, deadline);
        match given {
            Some(deadline) => {
                announce_deadline(ctx, key);
                log_set(ctx, key, value, &[b"PXAT", &format_u64(deadline)]);
            }
            None => log_set(ctx, key, value, if is_kept { &[b"KEEPTTL"] } else { &[] }),
        }
    }
    ctx.reply.integer(1);
    Ok(())
}
