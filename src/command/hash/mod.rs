//! Handlers of the hash commands.

mod expiry;
mod random;
pub mod spec;
#[cfg(test)]
mod tests;

use crate::base::long_double::LongDouble;
use crate::base::number::{format_i64, parse_i64};
use crate::command::scan::{self, ScanOptions};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::keys::Keys;
use crate::store::record::NewValue;
use crate::value::hash::{self, Hash, HashMut};
use crate::value::packed::Form;
pub use expiry::{
    hexpire, hexpireat, hexpiretime, hgetdel, hgetex, hpersist, hpexpire, hpexpireat, hpexpiretime, hpttl, hsetex, httl,
};
pub use random::hrandfield;

/// What a key holds before its first field.
const NEW: NewValue<'_> = NewValue::Hash(Form::Packed(hash::EMPTY));

/// The hash of a key, to be read.
#[inline]
fn find<'a>(keys: &'a mut Keys<'_>, key: &[u8]) -> CommandResult<Option<Hash<'a>>> {
    keys.find(key).map(|record| record.hash().map(Hash::new).ok_or(CommandError::WrongType)).transpose()
}

/// Sets the fields of HSET and HMSET; returns how many are new.
fn set_fields(ctx: &mut Context<'_>, mut args: Args<'_>, command: &'static str) -> CommandResult<usize> {
    let key = args.next_bytes()?;
    if !args.remaining().is_multiple_of(2) {
        return Err(CommandError::wrong_arity(command));
    }
    let (limits, basis) = (ctx.settings.hash(), ctx.keys.keyspace().basis());
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
    let mut hash = HashMut::new(&mut home);
    let count = args.remaining() / 2;
    hash.prepare(count, &limits, basis);
    let mut added = 0;
    while args.remaining() > 0 {
        added += hash.insert(args.next_bytes()?, args.next_bytes()?, &limits, basis) as usize;
    }
    drop(record);
    ctx.keys.changed_by(count, EventClass::Hash, "hset", key);
    Ok(added)
}

/// `HSET key field value [field value ...]`
pub fn hset(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let added = set_fields(ctx, args, "hset")?;
    ctx.reply.count(added);
    Ok(())
}

/// `HMSET key field value [field value ...]`
pub fn hmset(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    set_fields(ctx, args, "hmset")?;
    ctx.reply.ok();
    Ok(())
}

/// `HSETNX key field value`
pub fn hsetnx(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field, value) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let (limits, basis) = (ctx.settings.hash(), ctx.keys.keyspace().basis());
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
    let if_missing = |old: Option<&[u8]>| if old.is_none() { Ok(value) } else { Err(()) };
    let added = HashMut::new(&mut home).update(field, &limits, basis, if_missing).is_ok();
    drop(record);
    if added {
        ctx.keys.changed(EventClass::Hash, "hset", key);
    }
    ctx.reply.count(added as usize);
    Ok(())
}

/// `HGET key field`
pub fn hget(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field) = (args.next_bytes()?, args.next_bytes()?);
    let value = find(&mut ctx.keys, key)?.and_then(|hash| hash.get(field));
    ctx.reply.bulk_or_null(value);
    Ok(())
}

/// `HMGET key field [field ...]`
pub fn hmget(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let hash = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.array(args.remaining());
    for field in args.rest() {
        ctx.reply.bulk_or_null(hash.and_then(|hash| hash.get(field)));
    }
    Ok(())
}

/// `HGETALL key`
pub fn hgetall(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let hash = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.map(hash.map_or(0, |hash| hash.len()));
    for (field, value) in hash.iter().flat_map(Hash::iter) {
        ctx.reply.bulk(field);
        ctx.reply.bulk(value);
    }
    Ok(())
}

/// `HKEYS key`
pub fn hkeys(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let hash = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.array(hash.map_or(0, |hash| hash.len()));
    hash.iter().flat_map(Hash::iter).for_each(|(field, _)| ctx.reply.bulk(field));
    Ok(())
}

/// `HVALS key`
pub fn hvals(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let hash = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.array(hash.map_or(0, |hash| hash.len()));
    hash.iter().flat_map(Hash::iter).for_each(|(_, value)| ctx.reply.bulk(value));
    Ok(())
}

/// `HLEN key`
pub fn hlen(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let fields = find(&mut ctx.keys, args.next_bytes()?)?.map_or(0, |hash| hash.len());
    ctx.reply.count(fields);
    Ok(())
}

/// `HSTRLEN key field`
pub fn hstrlen(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field) = (args.next_bytes()?, args.next_bytes()?);
    let bytes = find(&mut ctx.keys, key)?.map_or(0, |hash| hash.value_len(field));
    ctx.reply.count(bytes);
    Ok(())
}

/// `HEXISTS key field`
pub fn hexists(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field) = (args.next_bytes()?, args.next_bytes()?);
    let found = find(&mut ctx.keys, key)?.is_some_and(|hash| hash.contains(field));
    ctx.reply.count(found as usize);
    Ok(())
}

/// `HDEL key field [field ...]`
pub fn hdel(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let (mut removed, mut emptied) = (0, false);
    if let Some(mut record) = ctx.keys.find_mut(key) {
        let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
        let mut hash = HashMut::new(&mut home);
        removed = args.rest().filter(|field| hash.remove(field)).count();
        emptied = hash.read().is_empty();
    }
    if removed > 0 {
        ctx.keys.changed_by(removed, EventClass::Hash, "hdel", key);
    }
    if emptied {
        ctx.keys.remove_emptied(key);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// Sets a field to what `add` makes of its present value. A field that is missing never makes `add` fail, so that no
/// hash is left without fields.
fn increment<V: AsRef<[u8]>>(
    ctx: &mut Context<'_>,
    (key, field): (&[u8], &[u8]),
    event: &'static str,
    add: impl FnOnce(Option<&[u8]>) -> CommandResult<V>,
) -> CommandResult {
    let (limits, basis) = (ctx.settings.hash(), ctx.keys.keyspace().basis());
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let mut home = record.hash_mut().ok_or(CommandError::WrongType)?;
    HashMut::new(&mut home).update(field, &limits, basis, add)?;
    drop(record);
    ctx.keys.changed(EventClass::Hash, event, key);
    Ok(())
}

/// `HINCRBY key field increment`
pub fn hincrby(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field, by) = (args.next_bytes()?, args.next_bytes()?, args.next_i64()?);
    let mut sum = by;
    increment(ctx, (key, field), "hincrby", |old| {
        if let Some(old) = old {
            let old = parse_i64(old).ok_or(CommandError::HashNotInteger)?;
            sum = old.checked_add(by).ok_or(CommandError::IncrementOverflow)?;
        }
        Ok(format_i64(sum))
    })?;
    ctx.reply.integer(sum);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`
pub fn hincrbyfloat(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, field, by) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let by = LongDouble::parse(by).ok_or(CommandError::NotFloat)?;
    if !by.is_finite() {
        return Err(CommandError::NotFinite);
    }
    let mut text = String::new();
    increment(ctx, (key, field), "hincrbyfloat", |old| {
        let old = old.map_or(Some(LongDouble::from(0)), LongDouble::parse).ok_or(CommandError::HashNotFloat)?;
        let sum = old + by;
        if !sum.is_finite() {
            return Err(CommandError::IncrementNotFinite);
        }
        text = sum.to_text();
        Ok(&text)
    })?;
    ctx.keys.effects.log_instead(ctx.keys.database, &[b"HSET", key, field, text.as_bytes()]);
    if ctx.keys.effects.logging {
        expiry::log_kept_deadline(ctx, key, field);
    }
    ctx.reply.bulk(text.as_bytes());
    Ok(())
}

/// `HSCAN key cursor [MATCH pattern] [COUNT count]`
pub fn hscan(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, cursor) = (args.next_bytes()?, scan::read_cursor(&mut args)?);
    let Some(hash) = find(&mut ctx.keys, key)? else {
        // As in Redis, nobody reads the options then.
        scan::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanOptions::read(args)?;
    scan::walk_collection(&mut ctx.reply, cursor, &options, |position, page| {
        hash.scan(position, |field, value| {
            if page.meets(field) {
                page.put(field);
                page.put(value);
            }
        })
    });
    Ok(())
}
