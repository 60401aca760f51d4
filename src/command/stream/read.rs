//! What XREAD and XREADGROUP do: new entries of several streams, or what a consumer has not acknowledged.
//!
//! Both may wait, which is the engine's business: it calls [`read`] at once, and [`read_again`] when one of the streams may
//! have something ([`has_something`]).

use std::borrow::Cow;

use smallvec::SmallVec;

use super::claim::log_claim;
use super::group::{consumer_created, group_of_mut, log_position, seen_consumer};
use super::range::reply_entries;
use super::{ids, reply_entry, reply_id, stream_of};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::record::Record;
use crate::value::stream::{EntryList, Group, Pending, StreamId};

/// Most ids of one logged command.
const LOGGED_IDS_MAX: usize = 512;

/// Which entries of a stream are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Those behind an id; of a group, those of the consumer's that are pending.
    Id(StreamId),
    /// Those that the group has not delivered yet (`>`).
    Delivered,
}

/// On whose behalf XREADGROUP reads.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The group.
    pub group: Cow<'a, [u8]>,
    /// The consumer, who is created if need be.
    pub consumer: Cow<'a, [u8]>,
    /// What is delivered counts as acknowledged (`NOACK`).
    pub no_ack: bool,
}

/// What is read, whatever the streams are.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// Of XREADGROUP.
    pub reader: Option<Reader<'a>>,
    /// Most entries of each stream.
    pub most: usize,
    /// For each stream what is asked for.
    pub after: SmallVec<[After; 4]>,
}

impl Reading<'_> {
    /// The same, to be kept.
    pub fn into_owned(self) -> Reading<'static> {
        let reader = self.reader.map(|reader| Reader {
            group: reader.group.into_owned().into(),
            consumer: reader.consumer.into_owned().into(),
            no_ack: reader.no_ack,
        });
        Reading { reader, most: self.most, after: self.after }
    }
}

/// The arguments of XREAD and XREADGROUP.
pub struct Query<'a> {
    /// The streams.
    pub keys: SmallVec<[&'a [u8]; 4]>,
    /// For each the id that was given.
    ids: SmallVec<[&'a [u8]; 4]>,
    group: Option<(&'a [u8], &'a [u8])>,
    no_ack: bool,
    most: usize,
    /// When to give up waiting, if it is to wait; `None` inside for never.
    pub deadline_ms: Option<Option<u64>>,
}

impl<'a> Query<'a> {
    /// Reads the arguments; `next_deadline` reads the time to wait, Unix time in ms.
    ///
    /// # Errors
    /// As Redis words them.
    pub fn read(
        mut args: Args<'a>,
        of_group: bool,
        next_deadline: impl Fn(&mut Args<'a>) -> CommandResult<Option<u64>>,
    ) -> CommandResult<Query<'a>> {
        let mut query = Query {
            keys: SmallVec::new(),
            ids: SmallVec::new(),
            group: None,
            no_ack: false,
            most: usize::MAX,
            deadline_ms: None,
        };
        loop {
            if args.take_with_value("BLOCK") {
                query.deadline_ms = Some(next_deadline(&mut args)?);
            } else if args.take_with_value("COUNT") {
                // Nothing and less is everything.
                query.most = usize::try_from(args.next_i64()?).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
            } else if args.take_with_value("STREAMS") {
                break;
            } else if args.remaining() >= 3 && args.take("GROUP") {
                if !of_group {
                    return Err(CommandError::OnlyForXreadgroup("GROUP"));
                }
                query.group = Some((args.next_bytes()?, args.next_bytes()?));
            } else if args.take("NOACK") {
                if !of_group {
                    return Err(CommandError::OnlyForXreadgroup("NOACK"));
                }
                query.no_ack = true;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        if !args.remaining().is_multiple_of(2) {
            let named = if of_group { &("xreadgroup", ">") } else { &("xread", "$") };
            return Err(CommandError::UnbalancedStreams(named));
        }
        if of_group && query.group.is_none() {
            return Err(CommandError::XreadgroupWithoutGroup);
        }
        let count = args.remaining() / 2;
        query.keys.extend(args.rest().take(count));
        query.ids.extend(args.rest().skip(count));
        Ok(query)
    }

    /// What is asked for, now that the streams can be looked at.
    ///
    /// # Errors
    /// When a key is no stream, lacks the group, or an id is none.
    pub fn resolve(&self, ctx: &mut Context<'_>) -> CommandResult<Reading<'a>> {
        let mut after = SmallVec::new();
        for (key, id) in self.keys.iter().zip(&self.ids) {
            let stream = stream_of(ctx.keys.find(key))?;
            if let Some((group, _)) = self.group
                && stream.is_none_or(|stream| stream.group(group).is_none())
            {
                return Err(CommandError::no_group_to_read(key, group));
            }
            after.push(match (*id, self.group) {
                (b"$", None) => After::Id(stream.map_or(StreamId::MIN, |stream| stream.entries.last_id)),
                (b"$", Some(_)) => return Err(CommandError::XreadgroupNewest),
                (b">", None) => return Err(CommandError::XreadUndelivered),
                (b">", Some(_)) => After::Delivered,
                // Redis has no other sign for `>`.
                (text, group) => match ids::strict(text, 0)? {
                    StreamId::MAX if group.is_some() => After::Delivered,
                    id => After::Id(id),
                },
            });
        }
        let reader = self.group.map(|(group, consumer)| Reader {
            group: group.into(),
            consumer: consumer.into(),
            no_ack: self.no_ack,
        });
        Ok(Reading { reader, most: self.most, after })
    }
}

/// Whether whoever waits for this at a key has to be answered, be it with an error.
pub fn has_something(reader: Option<&Reader<'_>>, after: After, record: Option<&Record>) -> bool {
    let stream = record.and_then(Record::stream);
    match (reader, stream) {
        (None, Some(stream)) => has_new(&stream.entries, after, None),
        (None, None) => false,
        (Some(reader), Some(stream)) => match stream.group(&reader.group) {
            Some(group) => has_new(&stream.entries, after, Some(group)),
            None => true,
        },
        // The key is gone, or is something else now.
        (Some(_), None) => true,
    }
}

/// Whether there is something to reply at once.
fn has_new(entries: &EntryList, after: After, group: Option<&Group>) -> bool {
    let behind = |id: StreamId| !entries.is_empty() && entries.last_entry_id() > id;
    match (after, group) {
        (After::Id(_), Some(_)) => true,
        (After::Id(id), None) => behind(id),
        (After::Delivered, Some(group)) => behind(group.last_id),
        (After::Delivered, None) => false,
    }
}

/// As [`read`], of streams that may have changed since what is asked for was resolved.
///
/// # Errors
/// When a key is no stream, or lacks the group.
pub fn read_again(ctx: &mut Context<'_>, keys: &[Vec<u8>], reading: &Reading<'_>) -> CommandResult<bool> {
    for key in keys {
        let stream = stream_of(ctx.keys.peek(key))?;
        if let Some(reader) = &reading.reader
            && stream.is_none_or(|stream| stream.group(&reader.group).is_none())
        {
            return Err(CommandError::no_group_to_read(key, &reader.group));
        }
    }
    read(ctx, keys, reading)
}

/// Replies what there is; false, without a reply, if there is nothing.
///
/// # Errors
/// When a key is no stream.
pub fn read<K: AsRef<[u8]>>(ctx: &mut Context<'_>, keys: &[K], reading: &Reading<'_>) -> CommandResult<bool> {
    let mark = ctx.reply.deferred_array();
    let mut count = 0;
    if reading.reader.is_some() {
        ctx.keys.effects.log_nothing();
    }
    for (key, after) in keys.iter().zip(&reading.after) {
        let replied = match &reading.reader {
            Some(reader) => read_for_group(ctx, key.as_ref(), reader, *after, reading.most)?,
            None => read_behind(ctx, key.as_ref(), *after, reading.most)?,
        };
        count += usize::from(replied);
    }
    match count {
        0 => ctx.reply.truncate(mark),
        _ if ctx.reply.is_resp3() => ctx.reply.finish_map(mark, count),
        _ => ctx.reply.finish_array(mark, count),
    }
    Ok(count > 0)
}

/// Begins the reply of one stream.
fn begin_stream(reply: &mut Reply, key: &[u8]) {
    if !reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(key);
}

fn read_behind(ctx: &mut Context<'_>, key: &[u8], after: After, most: usize) -> CommandResult<bool> {
    let Some(stream) = stream_of(ctx.keys.find(key))?.filter(|stream| has_new(&stream.entries, after, None)) else {
        return Ok(false);
    };
    let After::Id(id) = after else { return Ok(false) };
    begin_stream(&mut ctx.reply, key);
    // There is something behind it.
    let start = id.next().unwrap_or(StreamId::MAX);
    reply_entries(&mut ctx.reply, stream.entries.from(start).take(most));
    Ok(true)
}

/// What a delivery changed, to be logged.
#[derive(Default)]
struct Delivery {
    /// Entries with what is known of them now.
    pending: Vec<(StreamId, Pending)>,
    /// The group stands elsewhere now.
    moved: bool,
}

fn read_for_group(
    ctx: &mut Context<'_>,
    key: &[u8],
    reader: &Reader<'_>,
    after: After,
    most: usize,
) -> CommandResult<bool> {
    let now_ms = ctx.keys.stored_ms();
    let logging = ctx.keys.effects.logging;
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(false) };
    let Some((entries, mut group)) = group_of_mut(&mut record, &reader.group)? else { return Ok(false) };
    let is_due = has_new(entries, after, Some(&group));
    let (number, created) = seen_consumer(&mut group, &reader.consumer, now_ms);
    let mut delivery = Delivery::default();
    if is_due {
        begin_stream(&mut ctx.reply, key);
        match after {
            After::Id(id) => {
                reply_pending(&mut ctx.reply, entries, &mut group, number, (id, most, now_ms), &mut delivery)
            }
            After::Delivered => {
                let pending = Pending { consumer: number, delivered_ms: now_ms, count: 1 };
                deliver(&mut ctx.reply, entries, &mut group, (!reader.no_ack).then_some(pending), most, &mut delivery);
            }
        }
    }
    let (last_id, read) = (group.last_id, group.entries_read);
    drop(group);
    drop(record);
    if created {
        consumer_created(ctx, key, &reader.group, &reader.consumer);
    }
    ctx.keys.effects.dirty += u64::from(is_due);
    if logging {
        let alike = |a: &(StreamId, Pending), b: &(StreamId, Pending)| a.1 == b.1;
        for run in delivery.pending.chunk_by(alike).flat_map(|run| run.chunks(LOGGED_IDS_MAX)) {
            let ids: Vec<StreamId> = run.iter().map(|(id, _)| *id).collect();
            log_claim(ctx, key, &reader.group, &reader.consumer, &ids, &run[0].1, last_id);
        }
        if delivery.moved {
            log_position(ctx, key, &reader.group, last_id, read);
        }
    }
    Ok(is_due)
}

/// Replies what the group has not delivered yet, and delivers it; entries become pending as is said.
fn deliver(
    reply: &mut Reply,
    entries: &EntryList,
    group: &mut Group,
    pending: Option<Pending>,
    most: usize,
    delivery: &mut Delivery,
) {
    let start = group.last_id.next().unwrap_or(StreamId::MAX);
    let mark = reply.deferred_array();
    let mut count = 0;
    for entry in entries.from(start).take(most) {
        reply_entry(reply, &entry);
        group.entries_read = match group.entries_read {
            Some(read) if !entries.has_gaps_from(entry.id) => Some(read.wrapping_add(1)),
            _ if entries.entries_added > 0 => entries.added_up_to(entry.id),
            known => known,
        };
        group.last_id = entry.id;
        if let Some(pending) = pending {
            group.assign(entry.id, pending);
            delivery.pending.push((entry.id, pending));
        }
        count += 1;
    }
    if let Some(pending) = pending.filter(|_| count > 0) {
        group.note_active(pending.consumer, Some(pending.delivered_ms));
    }
    delivery.moved = count > 0;
    reply.finish_array(mark, count);
}

/// Replies what is pending for a consumer behind an id, at most so much, and counts that as another delivery.
fn reply_pending(
    reply: &mut Reply,
    entries: &EntryList,
    group: &mut Group,
    number: u32,
    (id, most, now_ms): (StreamId, usize, i64),
    delivery: &mut Delivery,
) {
    let own = group.consumer(number).zip(id.next());
    let ids: Vec<StreamId> = own
        .map(|(consumer, start)| consumer.pending().from(start).map(|(id, ())| id).take(most).collect())
        .unwrap_or_default();
    reply.array(ids.len());
    for id in ids {
        let Some(entry) = entries.get(id) else {
            reply.array(2);
            reply_id(reply, id);
            reply.null_array();
            continue;
        };
        reply_entry(reply, &entry);
        if let Some(known) = group.pending().get(id).copied() {
            let pending = Pending { delivered_ms: now_ms, count: known.count.wrapping_add(1), ..known };
            group.assign(id, pending);
            delivery.pending.push((id, pending));
        }
    }
}
