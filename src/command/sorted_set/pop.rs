//! ZPOPMIN, ZPOPMAX and ZMPOP: members taken from either end; [`try_pop`] is for the waiting commands too.

use crate::base::number::{format_u64, parse_i64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::keys::Keys;

/// The end of a set at which members are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Lowest scores first.
    Min,
    /// Highest scores first.
    Max,
}

impl End {
    const fn event(self) -> &'static str {
        match self {
            End::Min => "zpopmin",
            End::Max => "zpopmax",
        }
    }

    /// The command that takes members of one key from this end, for the log.
    const fn command(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }
}

/// How a reply shows what was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `member score ...`
    Flat,
    /// `[member score] ...`
    Pairs,
    /// `key member score ...`: BZPOPMIN, BZPOPMAX.
    KeyAndFlat,
    /// `key [[member score] ...]`: ZMPOP, BZMPOP.
    KeyAndPairs,
}

impl Shape {
    /// Announces `count` members of `key`.
    fn begin(self, reply: &mut Reply, key: &[u8], count: usize) {
        match self {
            Shape::Flat => reply.array(2 * count),
            Shape::Pairs => reply.array(count),
            Shape::KeyAndFlat => {
                reply.array(2 * count + 1);
                reply.bulk(key);
            }
            Shape::KeyAndPairs => {
                reply.array(2);
                reply.bulk(key);
                reply.array(count);
            }
        }
    }

    fn is_nested(self) -> bool {
        matches!(self, Shape::Pairs | Shape::KeyAndPairs)
    }
}

/// Takes up to `count` members of a key from an end, and replies them; false, and no reply, if there is no such key.
///
/// # Errors
/// When the key holds another type.
fn pop(
    keys: &mut Keys<'_>,
    reply: &mut Reply,
    key: &[u8],
    end: End,
    count: usize,
    shape: Shape,
) -> CommandResult<bool> {
    let mut exists = false;
    super::shrink(keys, key, end.event(), |set| {
        exists = true;
        shape.begin(reply, key, count.min(set.read().len()));
        let show = |member: &[u8], score: f64| {
            if shape.is_nested() {
                reply.array(2);
            }
            reply.bulk(member);
            reply.double(score);
        };
        match end {
            End::Min => set.pop_min(count, show),
            End::Max => set.pop_max(count, show),
        }
    })?;
    Ok(exists)
}

/// Lets the log show that members of this key were taken, in place of the command that chose the key.
fn log_pop(keys: &mut Keys<'_>, key: &[u8], end: End, count: usize) {
    let database = keys.database;
    keys.effects.log_instead(database, &[end.command(), key, &format_u64(count as u64)]);
}

/// A number that is at least `least`; else `error`.
fn read_count(text: &[u8], least: usize, error: CommandError) -> CommandResult<usize> {
    let count = parse_i64(text).and_then(|count| usize::try_from(count).ok());
    count.filter(|count| *count >= least).ok_or(error)
}

/// `key [count]`
fn pop_one_key(ctx: &mut Context<'_>, mut args: Args<'_>, end: End) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() > 1 {
        return Err(CommandError::Syntax);
    }
    let count = args.peek().map(|text| read_count(text, 0, CommandError::NotPositive)).transpose()?;
    let nested = count.is_some() && ctx.reply.is_resp3();
    let shape = if nested { Shape::Pairs } else { Shape::Flat };
    if !pop(&mut ctx.keys, &mut ctx.reply, key, end, count.unwrap_or(1), shape)? {
        ctx.reply.array(0);
    }
    Ok(())
}

/// `ZPOPMIN key [count]`
pub fn zpopmin(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    pop_one_key(ctx, args, End::Min)
}

/// `ZPOPMAX key [count]`
pub fn zpopmax(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    pop_one_key(ctx, args, End::Max)
}

/// Reads `numkeys key [key ...] <MIN | MAX> [COUNT count]` to the end: the keys, the end and the count of ZMPOP and
/// BZMPOP.
///
/// # Errors
/// When the numbers are not positive, or the rest does not follow this grammar.
pub fn read_pop<'a>(
    mut args: Args<'a>,
) -> CommandResult<(impl ExactSizeIterator<Item = &'a [u8]> + Clone, End, usize)> {
    let numkeys = read_count(args.next_bytes()?, 1, CommandError::NumkeysNotPositive)?;
    if numkeys >= args.remaining() {
        return Err(CommandError::Syntax);
    }
    let keys = args.rest().take(numkeys);
    args.skip(numkeys);
    let end = if args.take("MIN") {
        End::Min
    } else if args.take("MAX") {
        End::Max
    } else {
        return Err(CommandError::Syntax);
    };
    let mut count = 1;
    if args.take_with_value("COUNT") {
        count = read_count(args.next_bytes()?, 1, CommandError::CountNotPositive)?;
    }
    args.finish()?;
    Ok((keys, end, count))
}

/// `ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]`
pub fn zmpop(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let (keys, end, count) = read_pop(args)?;
    if !try_pop(ctx, keys, end, count, Shape::KeyAndPairs)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// ZMPOP and the waiting commands without the waiting, logged as ZPOPMIN and ZPOPMAX: takes up to `count` members of the
/// first key that exists, and replies them; false, without a reply, if none does.
///
/// # Errors
/// When a key in front of the first sorted set is of another type.
pub fn try_pop(
    ctx: &mut Context<'_>,
    keys: impl IntoIterator<Item = impl AsRef<[u8]>>,
    end: End,
    count: usize,
    shape: Shape,
) -> CommandResult<bool> {
    for key in keys {
        let key = key.as_ref();
        if pop(&mut ctx.keys, &mut ctx.reply, key, end, count, shape)? {
            log_pop(&mut ctx.keys, key, end, count);
            return Ok(true);
        }
    }
    Ok(false)
}
