//! Entries between two ids.

use super::{ids, reply_entry, stream_of};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::stream::Entry;

/// `XRANGE key start end [COUNT count]`
pub fn xrange(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, start, end) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let (start, end) = (ids::start(start)?, ids::end(end)?);
    let Some(most) = next_count(&mut args)? else { return reply_nothing(ctx, key) };
    let Some(stream) = stream_of(ctx.keys.find(key))? else {
        ctx.reply.array(0);
        return Ok(());
    };
    reply_entries(&mut ctx.reply, stream.entries.from(start).take_while(|entry| entry.id <= end).take(most));
    Ok(())
}

/// `XREVRANGE key end start [COUNT count]`
pub fn xrevrange(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, end, start) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let (start, end) = (ids::start(start)?, ids::end(end)?);
    let Some(most) = next_count(&mut args)? else { return reply_nothing(ctx, key) };
    let Some(stream) = stream_of(ctx.keys.find(key))? else {
        ctx.reply.array(0);
        return Ok(());
    };
    reply_entries(&mut ctx.reply, stream.entries.down_from(end).take_while(|entry| entry.id >= start).take(most));
    Ok(())
}

/// Reads `COUNT count`, up to the end: how many entries at most, `None` for none.
fn next_count(args: &mut Args<'_>) -> CommandResult<Option<usize>> {
    let mut most = Some(usize::MAX);
    while args.remaining() > 0 {
        if !args.take_with_value("COUNT") {
            return Err(CommandError::Syntax);
        }
        let count = args.next_i64()?;
        // A negative one counts as 0; a later one wins.
        most = usize::try_from(count).ok().filter(|count| *count > 0);
    }
    Ok(most)
}

/// The reply to a COUNT of 0.
fn reply_nothing(ctx: &mut Context<'_>, key: &[u8]) -> CommandResult {
    match stream_of(ctx.keys.find(key))? {
        Some(_) => ctx.reply.null_array(),
        None => ctx.reply.array(0),
    }
    Ok(())
}

/// Replies entries as an array; returns how many there were.
pub(super) fn reply_entries<'a>(reply: &mut Reply, entries: impl Iterator<Item = Entry<'a>>) -> usize {
    let mark = reply.deferred_array();
    let mut count = 0;
    for entry in entries {
        reply_entry(reply, &entry);
        count += 1;
    }
    reply.finish_array(mark, count);
    count
}
