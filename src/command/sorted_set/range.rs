//! Everything with two bounds: ZRANGE and its older fronts, ZRANGESTORE, ZCOUNT, ZLEXCOUNT and ZREMRANGEBY*.
//!
//! There is one engine. A [`RangeQuery`] is the bounds and options of a command; a set turns it into a range of ranks,
//! in ascending order whatever the direction; and ranks are iterated, counted, stored or removed. The older commands are
//! queries of which their name has settled something.

use std::ops::Range;

use super::{find, reply_entries, shrink, store};
use crate::base::number::{parse_f64_lenient, parse_i64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::sorted_set::{LexBound, ScoreRange, SortedSet, collect};

/// What bounds mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// Two bounds, the lower one first; ranks count from the end that the direction begins at.
#[derive(Clone, Copy, Debug)]
enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(LexBound<'a>, LexBound<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the two bounds that a command was given, the lower one first.
    fn read(by: By, min: &'a [u8], max: &'a [u8]) -> CommandResult<Bounds<'a>> {
        let index = |text| parse_i64(text).ok_or(CommandError::NotInteger);
        Ok(match by {
            By::Rank => Bounds::Ranks(index(min)?, index(max)?),
            By::Score => {
                let ((min, min_exclusive), (max, max_exclusive)) = (score_bound(min)?, score_bound(max)?);
                Bounds::Scores(ScoreRange { min, max, min_exclusive, max_exclusive })
            }
            By::Lex => Bounds::Members(lex_bound(min)?, lex_bound(max)?),
        })
    }

    /// The ranks within the bounds; `Ranks` are taken from the low end.
    fn ranks(&self, set: &SortedSet<'_>) -> Range<usize> {
        match *self {
            Bounds::Ranks(start, stop) => clamp(start, stop, set.len()),
            Bounds::Scores(ref range) => set.ranks_by_score(range),
            Bounds::Members(min, max) => set.ranks_by_lex(min, max),
        }
    }
}

/// A score, and whether a `(` before it leaves it out.
fn score_bound(text: &[u8]) -> CommandResult<(f64, bool)> {
    let (text, exclusive) = match text {
        [b'(', rest @ ..] => (rest, true),
        _ => (text, false),
    };
    Ok((parse_f64_lenient(text).ok_or(CommandError::ScoreRange)?, exclusive))
}

/// `-`, `+`, `[member` or `(member`; like a C string, the first two end at a NUL.
fn lex_bound(text: &[u8]) -> CommandResult<LexBound<'_>> {
    match text {
        [b'-'] | [b'-', 0, ..] => Ok(LexBound::Min),
        [b'+'] | [b'+', 0, ..] => Ok(LexBound::Max),
        [b'[', member @ ..] => Ok(LexBound::Included(member)),
        [b'(', member @ ..] => Ok(LexBound::Excluded(member)),
        _ => Err(CommandError::LexRange),
    }
}

/// The ranks from `start` to `stop`, both included and negative from the end, that exist among `len`.
fn clamp(start: i64, stop: i64, len: usize) -> Range<usize> {
    // No length exceeds isize::MAX, and a negative index plus a length does not overflow.
    let from_front = |index: i64| if index < 0 { index + len as i64 } else { index };
    let start = usize::try_from(from_front(start)).unwrap_or(0).min(len);
    let end = usize::try_from(from_front(stop)).map_or(0, |stop| stop.saturating_add(1)).min(len);
    start..end.max(start)
}

/// What a command asks of a set.
#[derive(Clone, Copy, Debug)]
struct RangeQuery<'a> {
    bounds: Bounds<'a>,
    reverse: bool,
    /// How many are left out at the beginning; negative leaves nothing.
    offset: i64,
    /// How many are wanted at most; negative is all.
    count: i64,
    with_scores: bool,
}

/// What a command's name has settled; `None` where an option may.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    by: Option<By>,
    reverse: Option<bool>,
    /// Scores are not to be asked for: they are stored anyway.
    stores: bool,
}

impl Settled {
    const fn front(by: By, reverse: bool) -> Settled {
        Settled { by: Some(by), reverse: Some(reverse), stores: false }
    }
}

impl<'a> RangeQuery<'a> {
    /// Reads the bounds and the options behind them.
    fn read(mut args: Args<'a>, settled: Settled) -> CommandResult<RangeQuery<'a>> {
        let (first, second) = (args.next_bytes()?, args.next_bytes()?);
        let Settled { mut by, mut reverse, stores } = settled;
        let (mut offset, mut count, mut with_scores) = (0, -1, false);
        while args.remaining() > 0 {
            if !stores && args.take("WITHSCORES") {
                with_scores = true;
            } else if args.remaining() > 2 && args.take("LIMIT") {
                (offset, count) = (args.next_i64()?, args.next_i64()?);
            } else if reverse.is_none() && args.take("REV") {
                reverse = Some(true);
            } else if by.is_none() && args.take("BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && args.take("BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if count != -1 && by == By::Rank {
            return Err(CommandError::ZrangeLimit);
        }
        if with_scores && by == By::Lex {
            return Err(CommandError::ZrangeScoresByLex);
        }
        // In reverse, the upper bound comes first, except for ranks.
        let (min, max) = if reverse && by != By::Rank { (second, first) } else { (first, second) };
        Ok(RangeQuery { bounds: Bounds::read(by, min, max)?, reverse, offset, count, with_scores })
    }

    /// The ranks that the answer consists of.
    fn ranks(&self, set: &SortedSet<'_>) -> Range<usize> {
        let Range { start, end } = self.bounds.ranks(set);
        if let Bounds::Ranks(..) = self.bounds {
            return if self.reverse { set.len() - end..set.len() - start } else { start..end };
        }
        let Ok(skipped) = usize::try_from(self.offset) else { return 0..0 };
        let skipped = skipped.min(end - start);
        let count = usize::try_from(self.count).unwrap_or(usize::MAX).min(end - start - skipped);
        if self.reverse { end - skipped - count..end - skipped } else { start + skipped..start + skipped + count }
    }
}

/// Replies a range of a set.
fn reply_range(ctx: &mut Context<'_>, mut args: Args<'_>, settled: Settled) -> CommandResult {
    let key = args.next_bytes()?;
    let query = RangeQuery::read(args, settled)?;
    let Some(set) = find(&mut ctx.keys, key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let entries = set.range(query.ranks(&set));
    if query.reverse {
        reply_entries(&mut ctx.reply, query.with_scores, entries.rev());
    } else {
        reply_entries(&mut ctx.reply, query.with_scores, entries);
    }
    Ok(())
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub fn zrange(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::default())
}

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub fn zrangestore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (destination, source) = (args.next_bytes()?, args.next_bytes()?);
    let query = RangeQuery::read(args, Settled { stores: true, ..Settled::default() })?;
    let (limits, basis) = (ctx.settings.sorted_set(), ctx.keys.keyspace().basis());
    let found = find(&mut ctx.keys, source)?;
    let result = found.map(|set| collect(set.range(query.ranks(&set)), &limits, basis));
    store(ctx, destination, result, "zrangestore");
    Ok(())
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub fn zrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::front(By::Score, false))
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub fn zrevrange(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::front(By::Rank, true))
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub fn zrevrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::front(By::Score, true))
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub fn zrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::front(By::Lex, false))
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub fn zrevrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_range(ctx, args, Settled::front(By::Lex, true))
}

/// Counts the members within two bounds.
fn count(ctx: &mut Context<'_>, mut args: Args<'_>, by: By) -> CommandResult {
    let (key, min, max) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let bounds = Bounds::read(by, min, max)?;
    let count = find(&mut ctx.keys, key)?.map_or(0, |set| bounds.ranks(&set).len());
    ctx.reply.count(count);
    Ok(())
}

/// `ZCOUNT key min max`
pub fn zcount(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    count(ctx, args, By::Score)
}

/// `ZLEXCOUNT key min max`
pub fn zlexcount(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    count(ctx, args, By::Lex)
}

/// Removes the members within two bounds.
fn remove(ctx: &mut Context<'_>, mut args: Args<'_>, by: By, event: &'static str) -> CommandResult {
    let (key, min, max) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let bounds = Bounds::read(by, min, max)?;
    let removed = shrink(&mut ctx.keys, key, event, |set| {
        let ranks = bounds.ranks(&set.read());
        set.remove_ranks(ranks, |_, _| {})
    })?;
    ctx.reply.count(removed);
    Ok(())
}

/// `ZREMRANGEBYRANK key start stop`
pub fn zremrangebyrank(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    remove(ctx, args, By::Rank, "zremrangebyrank")
}

/// `ZREMRANGEBYSCORE key min max`
pub fn zremrangebyscore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    remove(ctx, args, By::Score, "zremrangebyscore")
}

/// `ZREMRANGEBYLEX key min max`
pub fn zremrangebylex(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    remove(ctx, args, By::Lex, "zremrangebylex")
}
