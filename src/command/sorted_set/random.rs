//! ZRANDMEMBER: members drawn by rank.

use super::{begin_entries, find, reply_entry};
use crate::command::{Args, Context, sample};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::packed::random_index;
use crate::value::sorted_set::Encoding;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub fn zrandmember(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        let set = find(&mut ctx.keys, key)?;
        let drawn = set.and_then(|set| set.at(ctx.random.index(set.len())));
        ctx.reply.bulk_or_null(drawn.map(|(member, _)| member));
        return Ok(());
    }
    let count = sample::read_count(&mut args)?;
    let with_scores = args.take("WITHSCORES");
    args.finish()?;
    // Doubled, the number still has to be one.
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::OutOfRange);
    }
    let Some(set) = find(&mut ctx.keys, key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let len = set.len();
    let put = |reply: &mut Reply, entry: Option<(&[u8], f64)>| {
        if let Some((member, score)) = entry {
            reply_entry(reply, with_scores, member, score);
        }
    };
    let Ok(count) = usize::try_from(count) else {
        let count = count.unsigned_abs();
        // Below half of i64's range, see above; a count that cannot be written is refused right after.
        begin_entries(&mut ctx.reply, with_scores, count as usize);
        return sample::repeat(&mut ctx.reply, count, |reply| put(reply, set.at(ctx.random.index(len))));
    };
    let (count, reply) = (count.min(len), &mut ctx.reply);
    begin_entries(reply, with_scores, count);
    if set.encoding() == Encoding::Skiplist && sample::is_sparse(count, len) {
        let draw = |number| Some(random_index(number, len));
        sample::draw_distinct(count, ctx.random, draw, 0..len, |rank| put(reply, set.at(rank)));
    } else {
        sample::choose(set.iter(), (count, len), ctx.random, |entry| put(reply, Some(entry)));
    }
    Ok(())
}
