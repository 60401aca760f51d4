//! Handlers of the set commands.

mod algebra;
mod random;
pub mod spec;
#[cfg(test)]
mod tests;

use crate::command::scan::{self, ScanOptions};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::keys::Keys;
use crate::store::record::NewValue;
use crate::value::packed::Form;
use crate::value::set::{self, Set, SetMut};
pub use algebra::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
pub use random::{spop, srandmember};

/// What a key holds before its first member.
const NEW: NewValue<'_> = NewValue::Set(Form::Packed(set::EMPTY));

/// The set of a key, to be read.
#[inline]
fn find<'a>(keys: &'a mut Keys<'_>, key: &[u8]) -> CommandResult<Option<Set<'a>>> {
    keys.find(key).map(|record| record.set().map(Set::new).ok_or(CommandError::WrongType)).transpose()
}

/// `SADD key member [member ...]`
pub fn sadd(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let (limits, basis) = (ctx.settings.set(), ctx.keys.keyspace().basis());
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let mut home = record.set_mut().ok_or(CommandError::WrongType)?;
    let mut set = SetMut::new(&mut home);
    set.prepare(args.peek().unwrap_or_default(), args.remaining(), &limits, basis);
    let added = args.rest().filter(|member| set.insert(member, &limits, basis)).count();
    drop(record);
    if added > 0 {
        ctx.keys.changed_by(added, EventClass::Set, "sadd", key);
    }
    ctx.reply.count(added);
    Ok(())
}

/// `SREM key member [member ...]`
pub fn srem(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let (mut removed, mut emptied) = (0, false);
    if let Some(mut record) = ctx.keys.find_mut(key) {
        let mut home = record.set_mut().ok_or(CommandError::WrongType)?;
        let mut set = SetMut::new(&mut home);
        removed = args.rest().filter(|member| set.remove(member)).count();
        emptied = set.read().is_empty();
    }
    if removed > 0 {
        ctx.keys.changed_by(removed, EventClass::Set, "srem", key);
    }
    if emptied {
        ctx.keys.remove_emptied(key);
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `SISMEMBER key member`
pub fn sismember(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, member) = (args.next_bytes()?, args.next_bytes()?);
    let found = find(&mut ctx.keys, key)?.is_some_and(|set| set.contains(member));
    ctx.reply.count(found as usize);
    Ok(())
}

/// `SMISMEMBER key member [member ...]`
pub fn smismember(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let set = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.array(args.remaining());
    for member in args.rest() {
        ctx.reply.count(set.is_some_and(|set| set.contains(member)) as usize);
    }
    Ok(())
}

/// `SMEMBERS key`
pub fn smembers(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let set = find(&mut ctx.keys, args.next_bytes()?)?;
    ctx.reply.set(set.map_or(0, |set| set.len()));
    if let Some(set) = set {
        set.for_each(|member| ctx.reply.bulk(member));
    }
    Ok(())
}

/// `SCARD key`
pub fn scard(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let members = find(&mut ctx.keys, args.next_bytes()?)?.map_or(0, |set| set.len());
    ctx.reply.count(members);
    Ok(())
}

/// `SMOVE source destination member`
pub fn smove(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (source, destination, member) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let Some(record) = ctx.keys.peek(source) else {
        ctx.reply.count(0);
        return Ok(());
    };
    let present = record.set().map(|form| Set::new(form).contains(member)).ok_or(CommandError::WrongType)?;
    if ctx.keys.peek(destination).is_some_and(|record| record.set().is_none()) {
        return Err(CommandError::WrongType);
    }
    if present && source != destination {
        take_out(ctx, source, member);
        put_in(ctx, destination, member);
    }
    ctx.reply.count(present as usize);
    Ok(())
}

/// Removes a member of a set that is there.
fn take_out(ctx: &mut Context<'_>, key: &[u8], member: &[u8]) {
    let mut emptied = false;
    if let Some(mut record) = ctx.keys.find_mut(key)
        && let Some(mut home) = record.set_mut()
    {
        let mut set = SetMut::new(&mut home);
        set.remove(member);
        emptied = set.read().is_empty();
    }
    ctx.keys.changed(EventClass::Set, "srem", key);
    if emptied {
        ctx.keys.remove_emptied(key);
    }
}

/// Adds a member to what is a set or absent.
fn put_in(ctx: &mut Context<'_>, key: &[u8], member: &[u8]) {
    let (limits, basis) = (ctx.settings.set(), ctx.keys.keyspace().basis());
    let mut record = ctx.keys.find_or_insert(key, NEW);
    let Some(mut home) = record.set_mut() else { return };
    let mut set = SetMut::new(&mut home);
    let added = set.insert(member, &limits, basis);
    drop(record);
    if added {
        ctx.keys.changed(EventClass::Set, "sadd", key);
    }
}

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub fn sscan(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, cursor) = (args.next_bytes()?, scan::read_cursor(&mut args)?);
    let Some(set) = find(&mut ctx.keys, key)? else {
        // As in Redis, nobody reads the options then.
        scan::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanOptions::read(args)?;
    scan::walk_collection(&mut ctx.reply, cursor, &options, |position, page| {
        set.scan(position, |member| {
            if page.meets(member) {
                page.put(member);
            }
        })
    });
    Ok(())
}
