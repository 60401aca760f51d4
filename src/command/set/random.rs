//! SPOP and SRANDMEMBER.

use super::find;
use crate::base::number::parse_i64;
use crate::base::random::Random;
use crate::command::sample::{self, Chooser};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, Record};
use crate::value::packed::Detached;
use crate::value::set::{self, Encoding, Set, SetLimits, SetMut, SetTable};
use crate::value::table::Basis;

/// Members that one logged SREM removes.
const LOGGED_MEMBERS_MAX: usize = 1024;
/// Popping builds a new set when it takes this many times more members than stay.
const REBUILD_RATIO: usize = 5;

/// `SPOP key [count]`
pub fn spop(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        return pop_one(ctx, key);
    }
    let count = args.next_bytes()?;
    args.finish()?;
    let count = parse_i64(count).and_then(|count| usize::try_from(count).ok());
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
        ctx.keys.remove_emptied(key);
    }
    ctx.reply.bulk(&member);
    Ok(())
}

fn pop_many(ctx: &mut Context<'_>, key: &[u8], count: usize) -> CommandResult {
    let database = ctx.keys.database;
    let len = match ctx.keys.peek(key) {
        Some(record) => Set::new(record.set().ok_or(CommandError::WrongType)?).len(),
        None => 0,
    };
    if count == 0 || len == 0 {
        ctx.reply.set(0);
        return Ok(());
    }
    ctx.reply.set(count.min(len));
    if count >= len {
        if let Some(set) = ctx.keys.peek(key).and_then(Record::set) {
            Set::new(set).for_each(|member| ctx.reply.bulk(member));
        }
        ctx.keys.changed_by(len, EventClass::Set, "spop", key);
        ctx.keys.effects.log_instead(database, &[b"DEL", key]);
        ctx.keys.remove_emptied(key);
        return Ok(());
    }
    let mut popped = Popped { reply: &mut ctx.reply, logged: ctx.keys.effects.logging.then(Vec::new) };
    // When few members stay, they move to a new set, which is smaller in form and quicker to make.
    if len - count <= count / REBUILD_RATIO {
        let basis = ctx.keys.keyspace().basis();
        if let Some(record) = ctx.keys.peek(key)
            && let Some(set) = record.set().map(Set::new)
        {
            let deadline = record.deadline();
            let stay = keep_some(set, len - count, ctx.random, (&ctx.settings.set(), basis), &mut popped);
            stay.hand_over(|form| ctx.keys.set(key, NewValue::Set(form), deadline));
        }
    } else if let Some(mut record) = ctx.keys.find_mut(key)
        && let Some(mut home) = record.set_mut()
    {
        let mut set = SetMut::new(&mut home);
        (0..count).filter_map(|_| set.pop_random(ctx.random.next_u64())).for_each(|member| popped.add(&member));
    }
    let logged = popped.logged.unwrap_or_default();
    ctx.keys.changed_by(count, EventClass::Set, "spop", key);
    for members in logged.chunks(LOGGED_MEMBERS_MAX) {
        let command: Vec<&[u8]> = [b"SREM", key].into_iter().chain(members.iter().map(Vec::as_slice)).collect();
        ctx.keys.effects.log_instead(database, &command);
    }
    Ok(())
}

/// Where popped members go.
struct Popped<'r> {
    reply: &'r mut Reply,
    /// Kept while there is a log.
    logged: Option<Vec<Vec<u8>>>,
}

impl Popped<'_> {
    fn add(&mut self, member: &[u8]) {
        self.reply.bulk(member);
        if let Some(logged) = &mut self.logged {
            logged.push(member.to_vec());
        }
    }
}

/// Pops all members but `count`, and returns a set of those that stay.
fn keep_some(
    set: Set<'_>,
    count: usize,
    random: &Random,
    (limits, basis): (&SetLimits, &Basis),
    popped: &mut Popped<'_>,
) -> Detached<SetTable> {
    let integers = set.encoding() == Encoding::Intset;
    let mut home = set::detached(if integers { Encoding::Intset } else { Encoding::Listpack }, basis);
    let mut stay = SetMut::new(&mut home);
    let mut chooser = Chooser::new(count, set.len(), random);
    set.for_each(|member| {
        if chooser.takes_next() {
            stay.insert(member, limits, basis);
        } else {
            popped.add(member);
        }
    });
    home
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
