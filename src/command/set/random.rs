//! SPOP and SRANDMEMBER.

use super::{find, remove_emptied};
use crate::command::sample;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::value::set::{Encoding, SetMut};

/// Members that one logged SREM removes.
const LOGGED_MEMBERS_MAX: usize = 1024;

/// `SPOP key [count]`
pub fn spop(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        return pop_one(ctx, key);
    }
    let count = args.next_bytes()?;
    args.finish()?;
    let count = crate::base::number::parse_i64(count).and_then(|count| usize::try_from(count).ok());
    pop_many(ctx, key, count.ok_or(CommandError::NotPositive)?)
}

fn pop_one(ctx: &mut Context<'_>, key: &[u8]) -> CommandResult {
    let Some(mut record) = ctx.keys.find_mut(key) else {
        ctx.reply.null();
        return Ok(());
    };
    let mut home = record.set_mut().ok_or(CommandError::WrongType)?;
    let mut set = SetMut::new(&mut home);
    let member = set.pop_random(ctx.random.next_u64()).unwrap_or_default();
    let emptied = set.read().is_empty();
    drop(record);
    ctx.keys.changed(EventClass::Set, "spop", key);
    ctx.keys.effects.log_instead(ctx.keys.database, &[b"SREM", key, &member]);
    if emptied {
        remove_emptied(ctx, key);
    }
    ctx.reply.bulk(&member);
    Ok(())
}

fn pop_many(ctx: &mut Context<'_>, key: &[u8], count: usize) -> CommandResult {
    let (listening, database) = (ctx.keys.effects.listening, ctx.keys.database);
    let Some(mut record) = ctx.keys.find_mut(key) else {
        ctx.reply.set(0);
        return Ok(());
    };
    let mut home = record.set_mut().ok_or(CommandError::WrongType)?;
    let mut set = SetMut::new(&mut home);
    if count == 0 {
        ctx.reply.set(0);
        return Ok(());
    }
    let len = set.read().len();
    if count >= len {
        ctx.reply.set(len);
        set.read().for_each(|member| ctx.reply.bulk(member));
        drop(record);
        ctx.keys.changed(EventClass::Set, "spop", key);
        ctx.keys.effects.log_instead(database, &[b"DEL", key]);
        remove_emptied(ctx, key);
        return Ok(());
    }
    ctx.reply.set(count);
    let mut popped = Vec::new();
    for _ in 0..count {
        let member = set.pop_random(ctx.random.next_u64()).unwrap_or_default();
        ctx.reply.bulk(&member);
        if listening {
            popped.push(member);
        }
    }
    drop(record);
    ctx.keys.changed(EventClass::Set, "spop", key);
    for members in popped.chunks(LOGGED_MEMBERS_MAX) {
        let command: Vec<&[u8]> = [b"SREM", key].into_iter().chain(members.iter().map(Vec::as_slice)).collect();
        ctx.keys.effects.log_instead(database, &command);
    }
    Ok(())
}

/// `SRANDMEMBER key [count]`
pub fn srandmember(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        let member = find(&mut ctx.keys, key)?.and_then(|set| set.random(ctx.random.next_u64()));
        ctx.reply.bulk_or_null(member.as_deref());
        return Ok(());
    }
    if args.remaining() > 1 {
        return Err(CommandError::Syntax);
    }
    let count = sample::read_count(&mut args)?;
    let Some(set) = find(&mut ctx.keys, key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let Ok(count) = usize::try_from(count) else {
        let count = count.unsigned_abs();
        ctx.reply.array(count as usize);
        return sample::repeat(&mut ctx.reply, count, |reply| {
            if let Some(member) = set.random(ctx.random.next_u64()) {
                reply.bulk(&member);
            }
        });
    };
    let (len, reply) = (set.len(), &mut ctx.reply);
    let count = count.min(len);
    reply.array(count);
    if set.encoding() == Encoding::Hashtable && sample::is_sparse(count, len) {
        let draw = |number| set.random(number);
        sample::draw_distinct(count, ctx.random, draw, set.iter(), |member| reply.bulk(&member));
    } else {
        sample::choose(set.iter(), (count, len), ctx.random, |member| reply.bulk(&member));
    }
    Ok(())
}
