//! Handlers of the sorted-set commands that do not wait.
//!
//! Here is what concerns single members, and what the other files share: [`find`] to read a set, [`shrink`] to take
//! members out of one, [`store`] to make one the value of a key, [`reply_entries`] for members and scores. [`add`] holds
//! ZADD; [`range`] everything that has two bounds; [`pop`] what takes members from an end; [`random`] what draws them;
//! [`combine`] unions, intersections and differences.

pub mod add;
pub mod combine;
pub mod pop;
pub mod random;
pub mod range;
pub mod spec;

use super::scan::{self, ScanOptions};
use crate::base::number::{format_f64, format_f64_17};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::store::keys::Keys;
use crate::store::record::{NewValue, SortedSetHome};
use crate::value::packed::{Detached, Form, Home};
use crate::value::sorted_set::{Encoding, SortedSet, SortedSetMut, Tree};

pub use add::{zadd, zincrby};
pub use combine::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub use pop::{zmpop, zpopmax, zpopmin};
pub use random::zrandmember;
pub use range::{
    zcount, zlexcount, zrange, zrangebylex, zrangebyscore, zrangestore, zremrangebylex, zremrangebyrank,
    zremrangebyscore, zrevrange, zrevrangebylex, zrevrangebyscore,
};

/// The sorted set of a key, to be read; `None` if there is no such key.
///
/// # Errors
/// When the key holds another type.
#[inline]
pub fn find<'s>(keys: &'s mut Keys<'_>, key: &[u8]) -> CommandResult<Option<SortedSet<'s>>> {
    let Some(record) = keys.find(key) else { return Ok(None) };
    Ok(Some(SortedSet::new(record.sorted_set().ok_or(CommandError::WrongType)?)))
}

/// Lets `removal` take members out of a key's set and say how many; says so as `event`, and removes a key of which
/// nothing is left. 0 if there is no such key.
///
/// # Errors
/// When the key holds another type.
fn shrink(
    keys: &mut Keys<'_>,
    key: &[u8],
    event: &'static str,
    removal: impl FnOnce(&mut SortedSetMut<'_, SortedSetHome<'_>>) -> usize,
) -> CommandResult<usize> {
    let Some(mut record) = keys.find_mut(key) else { return Ok(0) };
    let mut home = record.sorted_set_mut().ok_or(CommandError::WrongType)?;
    let mut set = SortedSetMut::new(&mut home);
    let removed = removal(&mut set);
    let emptied = set.read().is_empty();
    drop(record);
    if removed > 0 {
        keys.changed_by(removed, EventClass::SortedSet, event, key);
    }
    if emptied {
        keys.remove_emptied(key);
    }
    Ok(removed)
}

/// Makes a set the value of a key, whatever that held, and replies how many members it has. No key holds an empty set:
/// where there is nothing to store, the key goes.
pub fn store(ctx: &mut Context<'_>, key: &[u8], set: Option<Detached<Tree>>, event: &'static str) {
    let len = set.as_ref().map_or(0, |set| SortedSet::new(set.form()).len());
    match set {
        Some(set) if len > 0 => {
            let value = match set.0 {
                Form::Packed(ref bytes) => Form::Packed(&bytes[..]),
                Form::Big(tree) => Form::Big(tree),
            };
            ctx.keys.set(key, NewValue::SortedSet(value), None);
            ctx.keys.changed(EventClass::SortedSet, event, key);
        }
        _ => _ = ctx.keys.delete(key),
    }
    ctx.reply.count(len);
}

/// Replies members in the order given: alone, or with their scores, which makes pairs of them in RESP3.
fn reply_entries<'m>(reply: &mut Reply, with_scores: bool, entries: impl ExactSizeIterator<Item = (&'m [u8], f64)>) {
    begin_entries(reply, with_scores, entries.len());
    for (member, score) in entries {
        reply_entry(reply, with_scores, member, score);
    }
}

/// Announces `count` members.
fn begin_entries(reply: &mut Reply, with_scores: bool, count: usize) {
    reply.array(if with_scores && !reply.is_resp3() { 2 * count } else { count });
}

/// Replies one of the members that were announced.
#[inline]
fn reply_entry(reply: &mut Reply, with_scores: bool, member: &[u8], score: f64) {
    if with_scores && reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(member);
    if with_scores {
        reply.double(score);
    }
}

/// `ZREM key member [member ...]`
pub fn zrem(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let members = args.rest();
    let removed =
        shrink(&mut ctx.keys, key, "zrem", |set| members.filter(|member| set.remove(member).is_some()).count())?;
    ctx.reply.count(removed);
    Ok(())
}

/// `ZCARD key`
pub fn zcard(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let len = find(&mut ctx.keys, args.next_bytes()?)?.map_or(0, |set| set.len());
    ctx.reply.count(len);
    Ok(())
}

/// A score, or null for a member that is not there.
fn reply_score(reply: &mut Reply, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

/// `ZSCORE key member`
pub fn zscore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, member) = (args.next_bytes()?, args.next_bytes()?);
    let set = find(&mut ctx.keys, key)?;
    reply_score(&mut ctx.reply, set.and_then(|set| set.score(member)));
    Ok(())
}

/// `ZMSCORE key member [member ...]`
pub fn zmscore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let set = find(&mut ctx.keys, key)?;
    let members = args.rest();
    ctx.reply.array(members.len());
    for member in members {
        reply_score(&mut ctx.reply, set.and_then(|set| set.score(member)));
    }
    Ok(())
}

/// A member's place, counted as `place` does; `command` is for the arity error.
fn reply_rank(
    ctx: &mut Context<'_>,
    mut args: Args<'_>,
    command: &str,
    place: fn(&SortedSet<'_>, &[u8]) -> Option<usize>,
) -> CommandResult {
    let (key, member) = (args.next_bytes()?, args.next_bytes()?);
    if args.remaining() > 1 {
        return Err(CommandError::wrong_arity(command));
    }
    let with_score = args.take("WITHSCORE");
    args.finish()?;
    let set = find(&mut ctx.keys, key)?;
    match set.and_then(|set| Some((place(&set, member)?, set))) {
        Some((rank, set)) if with_score => {
            ctx.reply.array(2);
            ctx.reply.count(rank);
            reply_score(&mut ctx.reply, set.score(member));
        }
        Some((rank, _)) => ctx.reply.count(rank),
        None if with_score => ctx.reply.null_array(),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `ZRANK key member [WITHSCORE]`
pub fn zrank(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_rank(ctx, args, "zrank", |set, member| set.rank(member))
}

/// `ZREVRANK key member [WITHSCORE]`
pub fn zrevrank(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_rank(ctx, args, "zrevrank", |set, member| set.reverse_rank(member))
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
///
/// Scores are bulk strings in either protocol, and those of a big set have seventeen digits, as Redis prints them here
/// and nowhere else. The options are read only where there is a set.
pub fn zscan(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let cursor = scan::read_cursor(&mut args)?;
    let Some(set) = find(&mut ctx.keys, key)? else {
        scan::reply_nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanOptions::read(args)?;
    let print = match set.encoding() {
        Encoding::Listpack => format_f64,
        Encoding::Skiplist => format_f64_17,
    };
    scan::walk_collection(&mut ctx.reply, cursor, &options, |position, page| {
        set.scan(position, |member, score| {
            if page.meets(member) {
                page.put(member);
                page.put(&print(score));
            }
        })
    });
    Ok(())
}
