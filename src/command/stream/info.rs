//! XINFO: what a stream, its groups and their consumers look like.

use super::range::reply_entries;
use super::{reply_entry, reply_id, stream_of};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::stream::{Consumer, Entry, Group, Stream, StreamId};

/// Entries and pending entries that XINFO STREAM FULL shows, unless it is told otherwise.
const COUNT: i64 = 10;

/// Replies a number that has no sign.
fn reply_number(reply: &mut Reply, number: u64) {
    reply.integer(i64::try_from(number).unwrap_or(i64::MAX));
}

/// Replies a number, or null.
fn reply_known(reply: &mut Reply, number: Option<i64>) {
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

/// What is read of a group.
fn reply_progress(reply: &mut Reply, stream: &Stream, group: &Group) {
    reply.bulk(b"entries-read");
    reply_known(reply, group.entries_read.map(|read| i64::try_from(read).unwrap_or(i64::MAX)));
    reply.bulk(b"lag");
    reply_known(reply, stream.lag(group));
}

/// `XINFO STREAM key [FULL [COUNT count]]`
pub fn xinfo_stream(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let stream = stream_of(ctx.keys.find(key))?.ok_or(CommandError::NoSuchKey)?;
    let Some(most) = next_full(args)? else {
        reply_stream(&mut ctx.reply, stream);
        return Ok(());
    };
    reply_full(&mut ctx.reply, stream, most);
    Ok(())
}

/// Reads `FULL [COUNT count]`: the most of what is to be shown, `None` where nothing is said.
fn next_full(mut args: Args<'_>) -> CommandResult<Option<usize>> {
    let syntax = CommandError::subcommand_syntax(args.at(0), args.at(1));
    match args.remaining() {
        0 => return Ok(None),
        1 | 3 if args.take("FULL") => {}
        _ => return Err(syntax),
    }
    if args.remaining() == 0 {
        return Ok(Some(COUNT as usize));
    }
    if !args.take("COUNT") {
        return Err(syntax);
    }
    let count = args.next_i64()?;
    let count = if count < 0 { COUNT } else { count };
    // 0 is all.
    Ok(Some(usize::try_from(count).ok().filter(|count| *count > 0).unwrap_or(usize::MAX)))
}

/// What both forms begin with.
fn reply_head(reply: &mut Reply, stream: &Stream) {
    let entries = &stream.entries;
    reply.bulk(b"length");
    reply_number(reply, entries.len());
    reply.bulk(b"radix-tree-keys");
    reply.count(entries.node_count());
    // There is no radix tree here; of one key it has two nodes.
    reply.bulk(b"radix-tree-nodes");
    reply.count(entries.node_count() + 1);
    reply.bulk(b"last-generated-id");
    reply_id(reply, entries.last_id);
    reply.bulk(b"max-deleted-entry-id");
    reply_id(reply, entries.max_deleted_id);
    reply.bulk(b"entries-added");
    reply_number(reply, entries.entries_added);
    reply.bulk(b"recorded-first-entry-id");
    reply_id(reply, entries.first_id());
}

fn reply_stream(reply: &mut Reply, stream: &Stream) {
    let reply_entry_or_null = |reply: &mut Reply, entry: Option<Entry<'_>>| match entry {
        Some(entry) => reply_entry(reply, &entry),
        None => reply.null(),
    };
    reply.map(10);
    reply_head(reply, stream);
    reply.bulk(b"groups");
    reply.count(stream.group_count());
    reply.bulk(b"first-entry");
    reply_entry_or_null(reply, stream.entries.from(StreamId::MIN).next());
    reply.bulk(b"last-entry");
    reply_entry_or_null(reply, stream.entries.down_from(StreamId::MAX).next());
}

fn reply_full(reply: &mut Reply, stream: &Stream, most: usize) {
    reply.map(9);
    reply_head(reply, stream);
    reply.bulk(b"entries");
    reply_entries(reply, stream.entries.from(StreamId::MIN).take(most));
    reply.bulk(b"groups");
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(7);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"last-delivered-id");
        reply_id(reply, group.last_id);
        reply_progress(reply, stream, group);
        reply.bulk(b"pel-count");
        reply.count(group.pending().len());
        reply.bulk(b"pending");
        reply.array(group.pending().len().min(most));
        for (id, pending) in group.pending().iter().take(most) {
            reply.array(4);
            reply_id(reply, id);
            reply.bulk(group.consumer(pending.consumer).map_or(b"", |consumer| &consumer.name));
            reply.integer(pending.delivered_ms);
            reply_number(reply, pending.count);
        }
        reply.bulk(b"consumers");
        reply.array(group.consumer_count());
        group.consumers().for_each(|consumer| reply_full_consumer(reply, group, consumer, most));
    }
}

fn reply_full_consumer(reply: &mut Reply, group: &Group, consumer: &Consumer, most: usize) {
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(&consumer.name);
    reply.bulk(b"seen-time");
    reply.integer(consumer.seen_ms);
    reply.bulk(b"active-time");
    reply.integer(consumer.active_ms.unwrap_or(-1));
    reply.bulk(b"pel-count");
    reply.count(consumer.pending().len());
    reply.bulk(b"pending");
    reply.array(consumer.pending().len().min(most));
    for (id, ()) in consumer.pending().iter().take(most) {
        let known = group.pending().get(id);
        reply.array(3);
        reply_id(reply, id);
        reply.integer(known.map_or(0, |pending| pending.delivered_ms));
        reply_number(reply, known.map_or(0, |pending| pending.count));
    }
}

/// `XINFO GROUPS key`
pub fn xinfo_groups(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let stream = stream_of(ctx.keys.find(args.next_bytes()?))?.ok_or(CommandError::NoSuchKey)?;
    let reply = &mut ctx.reply;
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"consumers");
        reply.count(group.consumer_count());
        reply.bulk(b"pending");
        reply.count(group.pending().len());
        reply.bulk(b"last-delivered-id");
        reply_id(reply, group.last_id);
        reply_progress(reply, stream, group);
    }
    Ok(())
}

/// `XINFO CONSUMERS key group`
pub fn xinfo_consumers(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name) = (args.next_bytes()?, args.next_bytes()?);
    let now_ms = ctx.keys.stored_ms();
    let stream = stream_of(ctx.keys.find(key))?.ok_or(CommandError::NoSuchKey)?;
    let group = stream.group(name).ok_or_else(|| CommandError::no_such_group(key, name))?;
    let reply = &mut ctx.reply;
    reply.array(group.consumer_count());
    for consumer in group.consumers() {
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(&consumer.name);
        reply.bulk(b"pending");
        reply.count(consumer.pending().len());
        reply.bulk(b"idle");
        reply.integer(now_ms.saturating_sub(consumer.seen_ms).max(0));
        reply.bulk(b"inactive");
        reply.integer(consumer.active_ms.map_or(-1, |active_ms| now_ms.saturating_sub(active_ms)));
    }
    Ok(())
}

/// `XINFO HELP`
pub fn xinfo_help(ctx: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    super::reply_help(ctx, "xinfo");
    Ok(())
}
