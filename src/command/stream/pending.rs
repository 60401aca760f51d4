//! What was delivered and not acknowledged: XACK, XPENDING.

use super::group::group_of_mut;
use super::{ids, reply_id, stream_of};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::stream::{Group, StreamId};

/// `XACK key group id [id ...]`
pub fn xack(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name) = (args.next_bytes()?, args.next_bytes()?);
    let mut acknowledged = 0u32;
    if let Some(mut record) = ctx.keys.find_mut(key) {
        // Without a group the ids are not looked at.
        if let Some((_, mut group)) = group_of_mut(&mut record, name)? {
            for id in ids::all(args)? {
                acknowledged += u32::from(group.acknowledge(id).is_some());
            }
        }
    } else {
        // To Redis this is a read, and as such a miss.
        ctx.keys.find(key);
    }
    ctx.keys.effects.dirty += u64::from(acknowledged);
    ctx.reply.integer(acknowledged.into());
    Ok(())
}

/// The entries that XPENDING is to tell one by one.
struct Range<'a> {
    idle_ms: i64,
    start: StreamId,
    end: StreamId,
    most: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Range<'a> {
    /// Reads `[IDLE min-idle-time] start end count [consumer]`; `None` where nothing is given.
    fn read(mut args: Args<'a>) -> CommandResult<Option<Range<'a>>> {
        match args.remaining() {
            0 => return Ok(None),
            3..=6 => {}
            _ => return Err(CommandError::Syntax),
        }
        let mut idle_ms = 0;
        if args.take("IDLE") {
            idle_ms = args.next_i64()?;
            if args.remaining() < 3 {
                return Err(CommandError::Syntax);
            }
        }
        let (start, end) = (args.next_bytes()?, args.next_bytes()?);
        let most = usize::try_from(args.next_i64()?).unwrap_or(0);
        let (start, end) = (ids::start(start)?, ids::end(end)?);
        Ok(Some(Range { idle_ms, start, end, most, consumer: args.peek() }))
    }
}

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub fn xpending(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name) = (args.next_bytes()?, args.next_bytes()?);
    let range = Range::read(args)?;
    let now_ms = ctx.keys.stored_ms();
    let group = stream_of(ctx.keys.find(key))?.and_then(|stream| stream.group(name));
    let Some(group) = group else { return Err(CommandError::no_group(key, name)) };
    match range {
        Some(range) => reply_range(&mut ctx.reply, group, &range, now_ms),
        None => reply_summary(&mut ctx.reply, group),
    }
    Ok(())
}

fn reply_summary(reply: &mut Reply, group: &Group) {
    reply.array(4);
    reply.count(group.pending().len());
    let (Some((first, _)), Some((last, _))) = (group.pending().first(), group.pending().last()) else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, last);
    let mark = reply.deferred_array();
    let mut count = 0;
    for consumer in group.consumers().filter(|consumer| !consumer.pending().is_empty()) {
        reply.array(2);
        reply.bulk(&consumer.name);
        reply.bulk(consumer.pending().len().to_string().as_bytes());
        count += 1;
    }
    reply.finish_array(mark, count);
}

fn reply_range(reply: &mut Reply, group: &Group, range: &Range<'_>, now_ms: i64) {
    let consumer = match range.consumer.map(|name| group.find(name)) {
        Some(None) => return reply.array(0),
        Some(Some(number)) => group.consumer(number),
        None => None,
    };
    let mark = reply.deferred_array();
    let mut count = 0;
    let mut tell = |id: StreamId| {
        let Some(pending) = group.pending().get(id) else { return };
        let idle_ms = now_ms.saturating_sub(pending.delivered_ms);
        if count == range.most || (range.idle_ms != 0 && idle_ms < range.idle_ms) {
            return;
        }
        count += 1;
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(b"", |consumer| &consumer.name));
        reply.integer(idle_ms.max(0));
        reply.integer(i64::try_from(pending.count).unwrap_or(i64::MAX));
    };
    match consumer {
        Some(consumer) => consumer
            .pending()
            .from(range.start)
            .map(|(id, ())| id)
            .take_while(|id| *id <= range.end)
            .for_each(&mut tell),
        None => {
            group.pending().from(range.start).map(|(id, _)| id).take_while(|id| *id <= range.end).for_each(&mut tell)
        }
    }
    reply.finish_array(mark, count);
}
