//! Pending entries that change hands: XCLAIM, XAUTOCLAIM.
//!
//! What is claimed is logged one by one, as XCLAIM with the time of delivery, so that a replay depends on no clock.

use smallvec::SmallVec;

use super::group::{consumer_created, group_of_mut, log_position, seen_consumer};
use super::{ids, reply_entry, reply_id};
use crate::base::number::format_i64;
use crate::command::{Args, Context};
use crate::protocol::Reply;
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::stream::{Entry, EntryList, Group, Pending, StreamId};

/// What XAUTOCLAIM looks at, for each entry that it may claim.
const ATTEMPTS: usize = 10;
/// Most entries that one XAUTOCLAIM may claim.
const COUNT_MAX: i64 = i64::MAX / 16;

/// How entries are claimed.
struct Claim<'a> {
    key: &'a [u8],
    group: &'a [u8],
    consumer: &'a [u8],
    /// Entries that were delivered more recently are left.
    idle_ms: i64,
    /// The time of delivery that they get.
    delivered_ms: i64,
    /// The number of deliveries that they get; else one more than they had.
    deliveries: Option<u64>,
    /// Entries that are not pending become so.
    force: bool,
    /// The reply has ids only, and a delivery is not counted.
    just_id: bool,
}

/// A change of a pending entry, to be logged: the entry, its consumer's name.
type Change = (StreamId, Pending, Box<[u8]>);

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count]
/// [FORCE] [JUSTID] [LASTID last-id]`
pub fn xclaim(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, group, consumer) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    // A stream of this name and a group come before all that may be wrong behind them.
    let now_ms = ctx.keys.stored_ms();
    let found = super::stream_of(ctx.keys.find(key))?.and_then(|stream| stream.group(group)).is_some();
    if !found {
        return Err(CommandError::no_group(key, group));
    }
    let idle_ms = args.next_i64_or(CommandError::ClaimArgument(&("min-idle-time", "XCLAIM")))?.max(0);
    let mut ids: SmallVec<[StreamId; 8]> = SmallVec::new();
    while let Some(id) = args.peek().and_then(|text| ids::strict(text, 0).ok()) {
        ids.push(id);
        args.skip(1);
    }
    let mut claim =
        Claim { key, group, consumer, idle_ms, delivered_ms: now_ms, deliveries: None, force: false, just_id: false };
    let last_id = claim.read_options(args, now_ms, ctx.keys.now_ms == 0)?;
    let mut changes = Vec::new();
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(()) };
    let Some((entries, mut group)) = group_of_mut(&mut record, group)? else { return Ok(()) };
    let moves = last_id > group.last_id;
    if moves {
        group.last_id = last_id;
    }
    let (number, created) = seen_consumer(&mut group, consumer, now_ms);
    let mark = ctx.reply.deferred_array();
    let mut count = 0;
    for id in ids {
        let known = group.pending().get(id).copied();
        let Some(entry) = entries.get(id) else {
            forget(&mut group, id, &mut changes);
            continue;
        };
        // What is forced has been delivered once, now, to nobody.
        let fresh = Pending { consumer: number, delivered_ms: now_ms, count: 1 };
        let Some(pending) = known.or(claim.force.then_some(fresh)) else { continue };
        if known.is_some() && claim.spares(&pending, now_ms) {
            continue;
        }
        claim.take(&mut group, number, id, pending, now_ms, &mut changes);
        claim.reply(&mut ctx.reply, &entry);
        count += 1;
    }
    ctx.reply.finish_array(mark, count);
    let position = (group.last_id, group.entries_read);
    drop(group);
    drop(record);
    claim.log(ctx, created, &changes, position.0);
    if moves && changes.is_empty() {
        ctx.keys.effects.dirty += 1;
        log_position(ctx, key, claim.group, position.0, position.1);
    }
    Ok(())
}

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub fn xautoclaim(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, group, consumer) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let now_ms = ctx.keys.stored_ms();
    // A miss comes before all that may be wrong with the options.
    ctx.keys.find(key);
    let idle_ms = args.next_i64_or(CommandError::ClaimArgument(&("min-idle-time", "XAUTOCLAIM")))?.max(0);
    let start = ids::start(args.next_bytes()?)?;
    let mut claim =
        Claim { key, group, consumer, idle_ms, delivered_ms: now_ms, deliveries: None, force: false, just_id: false };
    let mut most = 100;
    while args.remaining() > 0 {
        if args.take_with_value("COUNT") {
            let count = args.next_i64_or(CommandError::ClaimCount)?;
            let count = usize::try_from(count).ok().filter(|count| (1..=COUNT_MAX as usize).contains(count));
            most = count.ok_or(CommandError::ClaimCount)?;
        } else if args.take("JUSTID") {
            claim.just_id = true;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    let no_group = || CommandError::no_group(key, claim.group);
    let mut record = ctx.keys.find_mut(key).ok_or_else(no_group)?;
    let (entries, mut group) = group_of_mut(&mut record, group)?.ok_or_else(no_group)?;
    let (number, created) = seen_consumer(&mut group, consumer, now_ms);
    let (ids, next) = claim.candidates(&group, entries, start, most, now_ms);
    let (mut changes, mut deleted) = (Vec::new(), Vec::new());
    ctx.reply.array(3);
    reply_id(&mut ctx.reply, next.unwrap_or(StreamId::MIN));
    let mark = ctx.reply.deferred_array();
    let mut count = 0;
    for id in ids {
        let (Some(entry), Some(pending)) = (entries.get(id), group.pending().get(id).copied()) else {
            forget(&mut group, id, &mut changes);
            deleted.push(id);
            continue;
        };
        claim.take(&mut group, number, id, pending, now_ms, &mut changes);
        claim.reply(&mut ctx.reply, &entry);
        count += 1;
    }
    ctx.reply.finish_array(mark, count);
    ctx.reply.array(deleted.len());
    deleted.into_iter().for_each(|id| reply_id(&mut ctx.reply, id));
    let last_id = group.last_id;
    drop(group);
    drop(record);
    claim.log(ctx, created, &changes, last_id);
    Ok(())
}

/// An entry is pending and does not exist any more: it is as good as acknowledged.
fn forget(group: &mut Group, id: StreamId, changes: &mut Vec<Change>) {
    if let Some(pending) = group.acknowledge(id) {
        changes.push((id, pending, name_of(group, pending.consumer)));
    }
}

fn name_of(group: &Group, number: u32) -> Box<[u8]> {
    group.consumer(number).map(|consumer| consumer.name.clone()).unwrap_or_default()
}

impl Claim<'_> {
    /// Reads the options of XCLAIM; returns the last id that they name.
    fn read_options(&mut self, mut args: Args<'_>, now_ms: i64, is_replay: bool) -> CommandResult<StreamId> {
        let (mut delivered_ms, mut last_id) = (-1, StreamId::MIN);
        let mut deliveries = -1;
        while args.remaining() > 0 {
            if args.take("FORCE") {
                self.force = true;
            } else if args.take("JUSTID") {
                self.just_id = true;
            } else if args.take_with_value("IDLE") {
                let idle = args.next_i64_or(CommandError::ClaimArgument(&("IDLE option", "XCLAIM")))?;
                delivered_ms = now_ms.wrapping_sub(idle);
            } else if args.take_with_value("TIME") {
                delivered_ms = args.next_i64_or(CommandError::ClaimArgument(&("TIME option", "XCLAIM")))?;
            } else if args.take_with_value("RETRYCOUNT") {
                deliveries = args.next_i64_or(CommandError::ClaimArgument(&("RETRYCOUNT option", "XCLAIM")))?;
            } else if args.take_with_value("LASTID") {
                last_id = ids::strict(args.next_bytes()?, 0)?;
            } else {
                return Err(CommandError::unrecognized_claim_option(args.next_bytes()?));
            }
        }
        self.deliveries = u64::try_from(deliveries).ok();
        // A time that cannot be is now; a log that is replayed knows better than the clock.
        let last_ms = if is_replay { i64::MAX } else { now_ms };
        self.delivered_ms = if (0..=last_ms).contains(&delivered_ms) { delivered_ms } else { now_ms };
        Ok(last_id)
    }

    /// Whether an entry was delivered too recently to be claimed.
    fn spares(&self, pending: &Pending, now_ms: i64) -> bool {
        self.idle_ms != 0 && now_ms.saturating_sub(pending.delivered_ms) < self.idle_ms
    }

    /// The entries that XAUTOCLAIM is to claim or to forget, and where it is to go on.
    fn candidates(
        &self,
        group: &Group,
        entries: &EntryList,
        start: StreamId,
        most: usize,
        now_ms: i64,
    ) -> (Vec<StreamId>, Option<StreamId>) {
        let mut pending = group.pending().from(start);
        let mut ids = Vec::new();
        let mut attempts = most.saturating_mul(ATTEMPTS);
        while attempts > 0 && ids.len() < most {
            let Some((id, known)) = pending.next() else { break };
            attempts -= 1;
            if !self.spares(known, now_ms) || entries.get(id).is_none() {
                ids.push(id);
            }
        }
        (ids, pending.next().map(|(id, _)| id))
    }

    /// Makes an entry pending for the consumer.
    fn take(
        &self,
        group: &mut Group,
        number: u32,
        id: StreamId,
        before: Pending,
        now_ms: i64,
        changes: &mut Vec<Change>,
    ) {
        let one_more = before.count.wrapping_add(u64::from(!self.just_id));
        let count = self.deliveries.unwrap_or(one_more);
        let pending = Pending { consumer: number, delivered_ms: self.delivered_ms, count };
        group.assign(id, pending);
        group.note_active(number, Some(now_ms));
        changes.push((id, pending, self.consumer.into()));
    }

    /// Replies an entry that was claimed, or its id.
    fn reply(&self, reply: &mut Reply, entry: &Entry<'_>) {
        match self.just_id {
            true => reply_id(reply, entry.id),
            false => reply_entry(reply, entry),
        }
    }

    /// Logs what was changed; nothing else of the command is.
    fn log(&self, ctx: &mut Context<'_>, created: bool, changes: &[Change], last_id: StreamId) {
        ctx.keys.effects.log_nothing();
        ctx.keys.effects.dirty += changes.len() as u64;
        if created {
            consumer_created(ctx, self.key, self.group, self.consumer);
        }
        for (id, pending, consumer) in changes {
            log_claim(ctx, self.key, self.group, consumer, &[*id], pending, last_id);
        }
    }
}

/// Logs that entries are pending for a consumer, all delivered alike.
pub(super) fn log_claim(
    ctx: &mut Context<'_>,
    key: &[u8],
    group: &[u8],
    consumer: &[u8],
    ids: &[StreamId],
    pending: &Pending,
    last_id: StreamId,
) {
    if !ctx.keys.effects.logging {
        return;
    }
    let (time, count) = (format_i64(pending.delivered_ms), pending.count.to_string());
    let (texts, last_id) = (ids.iter().map(|id| id.text()).collect::<Vec<_>>(), last_id.text());
    let mut words: Vec<&[u8]> = vec![b"XCLAIM", key, group, consumer, b"0"];
    words.extend(texts.iter().map(|text| &text[..]));
    words.extend([&b"TIME"[..], &time, b"RETRYCOUNT", count.as_bytes(), b"FORCE", b"JUSTID", b"LASTID", &last_id]);
    let database = ctx.keys.database;
    ctx.keys.effects.log_also(database, &words);
}
