//! HRANDFIELD.

use super::find;
use crate::command::sample;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::hash::Encoding;

/// `HRANDFIELD key [count [WITHVALUES]]`
pub fn hrandfield(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    if args.remaining() == 0 {
        let hash = find(&mut ctx.keys, key)?;
        let pair = hash.and_then(|hash| hash.random(ctx.random.next_u64()));
        ctx.reply.bulk_or_null(pair.map(|(field, _)| field));
        return Ok(());
    }
    let count = sample::read_count(&mut args)?;
    let with_values = args.take("WITHVALUES");
    args.finish()?;
    // Doubled, the number still has to be one.
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::OutOfRange);
    }
    let Some(hash) = find(&mut ctx.keys, key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let draw = |number| hash.random(number);
    let put = |reply: &mut Reply, pair| put(reply, pair, with_values);
    let Ok(count) = usize::try_from(count) else {
        let count = count.unsigned_abs();
        begin(&mut ctx.reply, count, with_values);
        return sample::repeat(&mut ctx.reply, count, |reply| {
            if let Some(pair) = draw(ctx.random.next_u64()) {
                put(reply, pair);
            }
        });
    };
    let (len, reply) = (hash.len(), &mut ctx.reply);
    let count = count.min(len);
    begin(reply, count as u64, with_values);
    if hash.encoding() == Encoding::Hashtable && sample::is_sparse(count, len) {
        sample::draw_distinct(count, ctx.random, draw, hash.iter(), |pair| put(reply, pair));
    } else {
        sample::choose(hash.iter(), (count, len), ctx.random, |pair| put(reply, pair));
    }
    Ok(())
}

/// Announces `count` fields, or fields with values: nested pairs in RESP3, a flat array in RESP2.
fn begin(reply: &mut Reply, count: u64, with_values: bool) {
    let flat = with_values && !reply.is_resp3();
    reply.array(count as usize * (1 + flat as usize));
}

fn put(reply: &mut Reply, (field, value): (&[u8], &[u8]), with_values: bool) {
    if with_values && reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(field);
    if with_values {
        reply.bulk(value);
    }
}
