//! ZRANDMEMBER: members drawn by rank, with or without repetition.

use std::collections::HashSet;

use super::{begin_entries, find, reply_entries, reply_entry};
use crate::base::limits::DRAWN_REPLY_BYTES_MAX;
use crate::base::random::Random;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::sorted_set::SortedSet;

/// Fewest bytes of a member in a reply: `$0`, two line ends.
const MEMBER_BYTES_MIN: u64 = 6;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub fn zrandmember(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        let set = find(&mut ctx.keys, key)?;
        let drawn = set.and_then(|set| set.at(ctx.random.index(set.len())));
        ctx.reply.bulk_or_null(drawn.map(|(member, _)| member));
        return Ok(());
    }
    let count = args.next_i64()?;
    if count == i64::MIN {
        return Err(CommandError::NotBetween(Box::new((-i64::MAX, i64::MAX))));
    }
    let with_scores = args.take("WITHSCORES");
    args.finish()?;
    let size = count.unsigned_abs();
    if with_scores && size > i64::MAX as u64 / 2 {
        return Err(CommandError::OutOfRange);
    }
    match find(&mut ctx.keys, key)? {
        None => ctx.reply.array(0),
        Some(set) if count < 0 => draw_repeatedly(&mut ctx.reply, &set, size, with_scores, ctx.random)?,
        Some(set) => draw_distinct(&mut ctx.reply, &set, size, with_scores, ctx.random),
    }
    Ok(())
}

/// Replies `count` members, of which some may be the same.
fn draw_repeatedly(
    reply: &mut Reply,
    set: &SortedSet<'_>,
    count: u64,
    with_scores: bool,
    random: &Random,
) -> CommandResult {
    let fits = |count: &usize| (*count as u64).saturating_mul(MEMBER_BYTES_MIN) <= DRAWN_REPLY_BYTES_MAX as u64;
    let count = usize::try_from(count).ok().filter(fits).ok_or(CommandError::OutOfRange)?;
    begin_entries(reply, with_scores, count);
    for _ in 0..count {
        if let Some((member, score)) = set.at(random.index(set.len())) {
            reply_entry(reply, with_scores, member, score);
        }
        if reply.len() > DRAWN_REPLY_BYTES_MAX {
            return Err(CommandError::OutOfRange);
        }
    }
    Ok(())
}

/// Replies `count` different members, or all where there are no more, in order then.
fn draw_distinct(reply: &mut Reply, set: &SortedSet<'_>, count: u64, with_scores: bool, random: &Random) {
    let len = set.len();
    let Some(count) = usize::try_from(count).ok().filter(|count| *count < len) else {
        return reply_entries(reply, with_scores, set.iter());
    };
    begin_entries(reply, with_scores, count);
    // Robert Floyd's sampling: every choice of `count` ranks is as likely as any other, and each takes one draw.
    let mut drawn = HashSet::with_capacity(count);
    for last in len - count..len {
        let rank = random.index(last + 1);
        let rank = if drawn.insert(rank) { rank } else { last };
        drawn.insert(rank);
        if let Some((member, score)) = set.at(rank) {
            reply_entry(reply, with_scores, member, score);
        }
    }
}
