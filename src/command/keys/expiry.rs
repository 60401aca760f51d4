//! Deadlines of keys: EXPIRE and its kin, TTL and its kin, PERSIST.

use crate::base::number::format_u64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;

/// Under which conditions EXPIRE changes a deadline; all that are given must hold.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    fn read(mut args: Args<'_>) -> CommandResult<Conditions> {
        let mut conditions = Conditions::default();
        while let Some(option) = args.peek() {
            if args.take("NX") {
                conditions.nx = true;
            } else if args.take("XX") {
                conditions.xx = true;
            } else if args.take("GT") {
                conditions.gt = true;
            } else if args.take("LT") {
                conditions.lt = true;
            } else {
                return Err(CommandError::unsupported_option(option));
            }
        }
        if conditions.nx && (conditions.xx || conditions.gt || conditions.lt) {
            return Err(CommandError::ExpireNxWithOthers);
        }
        if conditions.gt && conditions.lt {
            return Err(CommandError::ExpireGtWithLt);
        }
        Ok(conditions)
    }

    /// Whether a deadline may replace the known one; none at all is later than any.
    fn allow(self, known: Option<u64>, wanted: i64) -> bool {
        let known = known.map(|deadline| i64::try_from(deadline).unwrap_or(i64::MAX));
        !(self.nx && known.is_some()
            || self.xx && known.is_none()
            || self.gt && known.is_none_or(|known| wanted <= known)
            || self.lt && known.is_some_and(|known| wanted >= known))
    }
}

/// Gives a key that exists a deadline, or deletes it if that is over; an absent deadline is one before 1970.
pub fn expire_at(ctx: &mut Context<'_>, key: &[u8], deadline: Option<u64>) {
    let database = ctx.keys.database;
    match deadline.filter(|deadline| *deadline > ctx.keys.now_ms) {
        Some(deadline) => {
            ctx.keys.set_deadline(key, Some(deadline));
            ctx.keys.changed(EventClass::Generic, "expire", key);
            ctx.keys.effects.log_instead(database, &[b"PEXPIREAT", key, &format_u64(deadline)]);
        }
        None => _ = ctx.keys.delete_as_such(key),
    }
}

/// Takes the deadline off a key; false if it has none.
pub fn persist_key(ctx: &mut Context<'_>, key: &[u8]) -> bool {
    let expires = ctx.keys.peek(key).is_some_and(|record| record.deadline().is_some());
    if expires {
        ctx.keys.set_deadline(key, None);
        ctx.keys.changed(EventClass::Generic, "persist", key);
        ctx.keys.effects.log_instead(ctx.keys.database, &[b"PERSIST", key]);
    }
    expires
}

/// `key number [NX | XX | GT | LT]`, the number in units of `unit_ms` from `base_ms` on.
fn expire_by(
    ctx: &mut Context<'_>,
    mut args: Args<'_>,
    unit_ms: i64,
    base_ms: u64,
    command: &'static str,
) -> CommandResult {
    let (key, mut number) = (args.next_bytes()?, args);
    args.skip(1);
    let conditions = Conditions::read(args)?;
    let number = number.next_i64()?;
    let base = i64::try_from(base_ms).unwrap_or(i64::MAX);
    let at = number.checked_mul(unit_ms).and_then(|ms| ms.checked_add(base));
    let at = at.ok_or(CommandError::InvalidExpire(command))?;
    let allowed = ctx.keys.peek(key).is_some_and(|record| conditions.allow(record.deadline(), at));
    if allowed {
        expire_at(ctx, key, u64::try_from(at).ok());
    }
    ctx.reply.integer(allowed as i64);
    Ok(())
}

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub fn expire(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire_by(ctx, args, 1000, ctx.keys.now_ms, "expire")
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub fn pexpire(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire_by(ctx, args, 1, ctx.keys.now_ms, "pexpire")
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub fn expireat(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire_by(ctx, args, 1000, 0, "expireat")
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub fn pexpireat(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    expire_by(ctx, args, 1, 0, "pexpireat")
}

/// Replies what `show` makes of a key's deadline: -1 for a key without one, -2 for no key.
fn reply_deadline(ctx: &mut Context<'_>, mut args: Args<'_>, show: impl FnOnce(u64, u64) -> u64) -> CommandResult {
    let shown = match ctx.keys.look(args.next_bytes()?).map(|record| record.deadline()) {
        // 48 bits, see the record.
        Some(Some(deadline)) => show(deadline, ctx.keys.now_ms) as i64,
        Some(None) => -1,
        None => -2,
    };
    ctx.reply.integer(shown);
    Ok(())
}

/// `EXPIRETIME key`
pub fn expiretime(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadline(ctx, args, |deadline, _| rounded_seconds(deadline))
}

/// `PEXPIRETIME key`
pub fn pexpiretime(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadline(ctx, args, |deadline, _| deadline)
}

/// `TTL key`
pub fn ttl(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadline(ctx, args, |deadline, now_ms| rounded_seconds(deadline.saturating_sub(now_ms)))
}

/// `PTTL key`
pub fn pttl(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_deadline(ctx, args, |deadline, now_ms| deadline.saturating_sub(now_ms))
}

fn rounded_seconds(ms: u64) -> u64 {
    (ms + 500) / 1000
}

/// `PERSIST key`
pub fn persist(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let changed = persist_key(ctx, key);
    ctx.reply.integer(changed as i64);
    Ok(())
}
