//! Fields that expire: HEXPIRE and its kin, HTTL and its kin, HPERSIST, HGETEX, HSETEX, HGETDEL.
//!
//! Deadlines are Unix time in ms, at most [`DEADLINE_MAX`]; one that is not in the future removes the field at once. What
//! expires later is found by [`crate::store::keys`]. The log gets absolute deadlines, and removals as such.

use smallvec::SmallVec;

use super::{NEW, find};
use crate::base::number::{format_u64, parse_i64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::HashHome;
use crate::value::hash::{Hash, HashMut};

/// The latest deadline that a field may have, as in Redis.
const DEADLINE_MAX: i64 = (1 << 46) - 1;

type Fields<'a> = SmallVec<[&'a [u8]; 8]>;
/// What became of each field that a command names.
type Outcomes = SmallVec<[i64; 8]>;

/// The outcome of a field that is not there.
const NO_FIELD: i64 = -2;

/// How a number gives a deadline.
#[derive(Clone, Copy)]
struct Unit {
    ms: i64,
    relative: bool,
}

const SECONDS: Unit = Unit { ms: 1000, relative: true };
const MILLISECONDS: Unit = Unit { ms: 1, relative: true };
const UNIX_SECONDS: Unit = Unit { ms: 1000, relative: false };
const UNIX_MILLISECONDS: Unit = Unit { ms: 1, relative: false };

/// The options of HGETEX and HSETEX.
const UNITS: [(&str, Unit); 4] =
    [("EX", SECONDS), ("PX", MILLISECONDS), ("EXAT", UNIX_SECONDS), ("PXAT", UNIX_MILLISECONDS)];

impl Unit {
    /// Takes a number; the deadline that it gives.
    fn read(self, args: &mut Args<'_>, now_ms: u64, command: &'static str) -> CommandResult<u64> {
        let number = args.next_i64()?;
        if number < 0 {
            return Err(CommandError::ExpireNegative);
        }
        let base = if self.relative { i64::try_from(now_ms).unwrap_or(i64::MAX) } else { 0 };
        let deadline = number.checked_mul(self.ms).and_then(|ms| ms.checked_add(base));
        let deadline = deadline.filter(|deadline| *deadline <= DEADLINE_MAX);
        deadline.and_then(|deadline| u64::try_from(deadline).ok()).ok_or(CommandError::InvalidExpire(command))
    }

    /// What is shown of so many ms, rounded up.
    fn shown(self, ms: u64) -> i64 {
        i64::try_from(ms.div_ceil(self.ms.unsigned_abs())).unwrap_or(i64::MAX)
    }
}

/// Which present deadlines HEXPIRE replaces.
#[derive(Clone, Copy)]
enum Condition {
    Always,
    IfNone,
    IfAny,
    IfLater,
    IfEarlier,
}

impl Condition {
    fn take(args: &mut Args<'_>) -> Condition {
        let all = [
            ("NX", Condition::IfNone),
            ("XX", Condition::IfAny),
            ("GT", Condition::IfLater),
            ("LT", Condition::IfEarlier),
        ];
        all.into_iter().find(|(keyword, _)| args.take(keyword)).map_or(Condition::Always, |(_, condition)| condition)
    }

    /// No deadline is later than any.
    fn allows(self, known: Option<u64>, given: u64) -> bool {
        match self {
            Condition::Always => true,
            Condition::IfNone => known.is_none(),
            Condition::IfAny => known.is_some(),
            Condition::IfLater => known.is_some_and(|known| given > known),
            Condition::IfEarlier => known.is_none_or(|known| given < known),
        }
    }
}

/// Takes `FIELDS count field …`, the end of the arguments.
fn read_fields<'a>(args: &mut Args<'a>, bad_count: CommandError) -> CommandResult<Fields<'a>> {
    if !args.take("FIELDS") {
        return Err(CommandError::FieldsMissing);
    }
    let count = parse_i64(args.next_bytes()?).and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0).ok_or(bad_count)?;
    if count != args.remaining() {
        return Err(CommandError::FieldsMismatch);
    }
    Ok(args.rest().collect())
}

/// Fails where a key holds another type than a hash.
fn check_type(ctx: &mut Context<'_>, key: &[u8]) -> CommandResult {
    match ctx.keys.peek(key) {
        Some(record) if record.hash().is_none() => Err(CommandError::WrongType),
        _ => Ok(()),
    }
}

/// What a command did to the fields of a hash.
#[derive(Default)]
struct Done<'a> {
    /// They got this deadline.
    scheduled: Fields<'a>,
    persisted: Fields<'a>,
    removed: Fields<'a>,
    /// Nothing is left of the hash.
    emptied: bool,
}

/// Says what was done, and logs it with absolute deadlines.
fn conclude(ctx: &mut Context<'_>, key: &[u8], deadline: u64, done: &Done<'_>) {
    if !done.scheduled.is_empty() {
        ctx.keys.schedule_fields(key);
        ctx.keys.changed_by(done.scheduled.len(), EventClass::Hash, "hexpire", key);
        log(ctx, &[b"HPEXPIREAT", key, &format_u64(deadline)], true, &done.scheduled);
    }
    if !done.persisted.is_empty() {
        ctx.keys.changed_by(done.persisted.len(), EventClass::Hash, "hpersist", key);
        log(ctx, &[b"HPERSIST", key], true, &done.persisted);
    }
    if !done.removed.is_empty() {
        ctx.keys.changed_by(done.removed.len(), EventClass::Hash, "hdel", key);
        log(ctx, &[b"HDEL", key], false, &done.removed);
    }
    if done.emptied {
        ctx.keys.remove_emptied(key);
    }
}

fn log(ctx: &mut Context<'_>, head: &[&[u8]], counted: bool, fields: &[&[u8]]) {
    if ctx.keys.effects.logging {
        let count = format_u64(fields.len() as u64);
        let middle: &[&[u8]] = if counted { &[b"FIELDS", &count] } else { &[] };
        ctx.keys.effects.log_instead(ctx.keys.database, &[head, middle, fields].concat());
    }
}

/// What HSET has taken off a field in the log is put on again.
pub fn log_kept_deadline(ctx: &mut Context<'_>, key: &[u8], field: &[u8]) {
    let hash = ctx.keys.peek(key).and_then(|record| record.hash()).map(Hash::new);
    if let Some(deadline) = hash.and_then(|hash| hash.deadline(field)) {
        log(ctx, &[b"HPEXPIREAT", key, &format_u64(deadline)], true, &[field]);
    }
}

/// Runs `change` on each of the fields that is there, and concludes; says each field's outcome.
fn change_fields<'a>(
    ctx: &mut Context<'_>,
    key: &[u8],
    fields: &[&'a [u8]],
    deadline: u64,
    mut change: impl FnMut(&mut HashMut<'_, HashHome<'_>>, &'a [u8], &mut Done<'a>) -> i64,
) -> CommandResult<Outcomes> {
    let mut done = Done::default();
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(fields.iter().map(|_| NO_FIELD).collect()) };
    let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
    let mut hash = HashMut::new(&mut home);
    let outcome = |field: &&'a [u8]| match hash.read().contains(field) {
        true => change(&mut hash, field, &mut done),
        false => NO_FIELD,
    };
    let outcomes = fields.iter().map(outcome).collect();
    done.emptied = hash.read().is_empty();
    drop(record);
    conclude(ctx, key, deadline, &done);
    Ok(outcomes)
}

fn reply_outcomes(ctx: &mut Context<'_>, outcomes: Outcomes) {
    ctx.reply.array(outcomes.len());
    outcomes.into_iter().for_each(|outcome| ctx.reply.integer(outcome));
}

/// Gives fields that exist a deadline (1), or removes them where that is over (2); 0 where the condition refuses.
fn schedule(
    ctx: &mut Context<'_>,
    key: &[u8],
    fields: &[&[u8]],
    deadline: u64,
    condition: Condition,
) -> CommandResult<Outcomes> {
    let (now_ms, basis) = (ctx.keys.now_ms, ctx.keys.keyspace().basis());
    change_fields(ctx, key, fields, deadline, |hash, field, done| {
        if !condition.allows(hash.read().deadline(field), deadline) {
            0
        } else if deadline <= now_ms {
            hash.remove(field);
            done.removed.push(field);
            2
        } else {
            hash.set_deadline(field, Some(deadline), basis);
            done.scheduled.push(field);
            1
        }
    })
}

fn expire(ctx: &mut Context<'_>, mut args: Args<'_>, unit: Unit, command: &'static str) -> CommandResult {
    let key = args.next_bytes()?;
    check_type(ctx, key)?;
    let deadline = unit.read(&mut args, ctx.keys.now_ms, command)?;
    let condition = Condition::take(&mut args);
    let fields = read_fields(&mut args, CommandError::FieldsNotPositive)?;
    let outcomes = schedule(ctx, key, &fields, deadline, condition)?;
    reply_outcomes(ctx, outcomes);
    Ok(())
}

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub fn hexpire(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire(ctx, args, SECONDS, "hexpire")
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub fn hpexpire(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire(ctx, args, MILLISECONDS, "hpexpire")
}

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub fn hexpireat(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire(ctx, args, UNIX_SECONDS, "hexpireat")
}

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub fn hpexpireat(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire(ctx, args, UNIX_MILLISECONDS, "hpexpireat")
}

/// Replies when fields expire: -2 where there is none, -1 where it does not.
fn reply_deadlines(ctx: &mut Context<'_>, mut args: Args<'_>, unit: Unit) -> CommandResult {
    let key = args.next_bytes()?;
    let now_ms = ctx.keys.now_ms;
    let hash = find(&mut ctx.keys, key)?;
    let fields = read_fields(&mut args, CommandError::FieldsNoPositiveInteger)?;
    ctx.reply.array(fields.len());
    for field in fields {
        ctx.reply.integer(match hash.filter(|hash| hash.contains(field)).map(|hash| hash.deadline(field)) {
            None => NO_FIELD,
            Some(None) => -1,
            Some(Some(deadline)) if unit.relative => unit.shown(deadline.saturating_sub(now_ms)),
            Some(Some(deadline)) => unit.shown(deadline),
        });
    }
    Ok(())
}

/// `HTTL key FIELDS numfields field [field ...]`
pub fn httl(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadlines(ctx, args, SECONDS)
}

/// `HPTTL key FIELDS numfields field [field ...]`
pub fn hpttl(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadlines(ctx, args, MILLISECONDS)
}

/// `HEXPIRETIME key FIELDS numfields field [field ...]`
pub fn hexpiretime(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadlines(ctx, args, UNIX_SECONDS)
}

/// `HPEXPIRETIME key FIELDS numfields field [field ...]`
pub fn hpexpiretime(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadlines(ctx, args, UNIX_MILLISECONDS)
}

/// Takes the deadlines of fields away: 1, or -1 where a field has none.
fn persist(ctx: &mut Context<'_>, key: &[u8], fields: &[&[u8]]) -> CommandResult<Outcomes> {
    let basis = ctx.keys.keyspace().basis();
    change_fields(ctx, key, fields, 0, |hash, field, done| {
        if hash.read().deadline(field).is_none() {
            return -1;
        }
        hash.set_deadline(field, None, basis);
        done.persisted.push(field);
        1
    })
}

/// `HPERSIST key FIELDS numfields field [field ...]`
pub fn hpersist(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    check_type(ctx, key)?;
    let fields = read_fields(&mut args, CommandError::FieldsNoPositiveInteger)?;
    let outcomes = persist(ctx, key, &fields)?;
    reply_outcomes(ctx, outcomes);
    Ok(())
}

/// Replies the values of fields, null where there is none.
fn reply_values(ctx: &mut Context<'_>, key: &[u8], fields: &[&[u8]]) -> CommandResult {
    let hash = find(&mut ctx.keys, key)?;
    ctx.reply.array(fields.len());
    fields.iter().for_each(|field| ctx.reply.bulk_or_null(hash.and_then(|hash| hash.get(field))));
    Ok(())
}

/// `HGETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] FIELDS numfields field [field ...]`
pub fn hgetex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    check_type(ctx, key)?;
    let persists = args.take("PERSIST");
    let mut deadline = None;
    if !persists && let Some((_, unit)) = UNITS.into_iter().find(|(keyword, _)| args.take(keyword)) {
        deadline = Some(unit.read(&mut args, ctx.keys.now_ms, "hgetex")?);
    }
    let fields = read_fields(&mut args, CommandError::FieldsNoPositiveInteger)?;
    reply_values(ctx, key, &fields)?;
    match deadline {
        Some(deadline) => drop(schedule(ctx, key, &fields, deadline, Condition::Always)?),
        None if persists => drop(persist(ctx, key, &fields)?),
        None => {}
    }
    Ok(())
}

/// `HGETDEL key FIELDS numfields field [field ...]`
pub fn hgetdel(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    check_type(ctx, key)?;
    let fields = read_fields(&mut args, CommandError::FieldsNoPositiveInteger)?;
    // A field that is named twice is gone the second time.
    ctx.reply.array(fields.len());
    let mut done = Done::default();
    if let Some(mut record) = ctx.keys.find_mut(key) {
        let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
        let mut hash = HashMut::new(&mut home);
        for field in fields {
            ctx.reply.bulk_or_null(hash.read().get(field));
            if hash.remove(field) {
                done.removed.push(field);
            }
        }
        done.emptied = hash.read().is_empty();
    } else {
        fields.iter().for_each(|_| ctx.reply.null());
    }
    conclude(ctx, key, 0, &done);
    Ok(())
}

/// What HSETEX is asked for.
#[derive(Default)]
struct SetRequest<'a> {
    /// All fields must exist, or none of them.
    existing: Option<bool>,
    deadline: Option<u64>,
    keeps: bool,
    /// Fields and values by turns.
    pairs: Fields<'a>,
}

impl<'a> SetRequest<'a> {
    fn read(mut args: Args<'a>, now_ms: u64) -> CommandResult<SetRequest<'a>> {
        let mut request = SetRequest::default();
        while !args.take("FIELDS") {
            let condition = [("FNX", false), ("FXX", true)].into_iter().find(|(keyword, _)| args.take(keyword));
            if let Some((_, existing)) = condition {
                if request.existing.replace(existing).is_some() {
                    return Err(CommandError::SeveralFieldConditions);
                }
                continue;
            }
            let unit = UNITS.into_iter().find(|(keyword, _)| args.take(keyword));
            let keeps = unit.is_none() && args.take("KEEPTTL");
            if unit.is_none() && !keeps {
                return Err(match args.peek() {
                    Some(word) => CommandError::unknown_argument(word),
                    None => CommandError::wrong_arity("hsetex"),
                });
            }
            if request.keeps || request.deadline.is_some() {
                return Err(CommandError::SeveralFieldExpiries);
            }
            request.keeps = keeps;
            if let Some((_, unit)) = unit {
                request.deadline = Some(unit.read(&mut args, now_ms, "hsetex")?);
            }
        }
        let count = parse_i64(args.peek().unwrap_or_default()).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count > 0).ok_or(CommandError::FieldsInvalid)?;
        args.skip(1);
        if count.checked_mul(2) != Some(args.remaining()) {
            return Err(CommandError::wrong_arity("hsetex"));
        }
        request.pairs = args.rest().collect();
        Ok(request)
    }

    /// Whether the fields exist, or do not, as asked for.
    fn is_allowed(&self, hash: Option<Hash<'_>>) -> bool {
        let exists = |field: &&[u8]| hash.is_some_and(|hash| hash.contains(field));
        self.existing.is_none_or(|existing| self.pairs.iter().step_by(2).all(|field| exists(field) == existing))
    }
}

/// `HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] FIELDS numfields field value [field value ...]`
pub fn hsetex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let request = SetRequest::read(args, ctx.keys.now_ms)?;
    let known = ctx.keys.peek(key).map(|record| record.hash().map(Hash::new).ok_or(CommandError::WrongType));
    if !request.is_allowed(known.transpose()?) {
        ctx.reply.integer(0);
        return Ok(());
    }
    let (limits, basis) = (ctx.settings.hash(), ctx.keys.keyspace().basis());
    let mut kept: SmallVec<[(&[u8], u64); 4]> = SmallVec::new();
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
    let mut hash = HashMut::new(&mut home);
    hash.prepare(request.pairs.len() / 2, &limits, basis);
    for pair in request.pairs.chunks_exact(2) {
        let deadline = hash.read().deadline(pair[0]).filter(|_| request.keeps);
        hash.insert(pair[0], pair[1], &limits, basis);
        if let Some(deadline) = deadline {
            hash.set_deadline(pair[0], Some(deadline), basis);
            kept.push((pair[0], deadline));
        }
    }
    drop(record);
    ctx.keys.changed(EventClass::Hash, "hset", key);
    log(ctx, &[b"HSET", key], false, &request.pairs);
    for (field, deadline) in kept {
        log(ctx, &[b"HPEXPIREAT", key, &format_u64(deadline)], true, &[field]);
    }
    if let Some(deadline) = request.deadline {
        let fields: Fields<'_> = request.pairs.iter().copied().step_by(2).collect();
        schedule(ctx, key, &fields, deadline, Condition::Always)?;
    }
    ctx.reply.integer(1);
    Ok(())
}
