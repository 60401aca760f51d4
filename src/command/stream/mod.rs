//! Handlers of the stream commands that do not wait. XADD and what changes entries stand here; ranges in [`range`],
//! consumer groups in [`group`], what is pending in [`pending`] and [`claim`], XINFO in [`info`]; [`read`] is what XREAD
//! and XREADGROUP do when they do not wait.
//!
//! A stream that has lost its last entry stays: it knows its ids and its groups.

pub mod claim;
pub mod group;
pub mod ids;
pub mod info;
pub mod pending;
pub mod range;
pub mod read;
pub mod spec;
mod trim;

use smallvec::SmallVec;

pub use claim::{xautoclaim, xclaim};
pub use group::{xgroup_create, xgroup_createconsumer, xgroup_delconsumer, xgroup_destroy, xgroup_help, xgroup_setid};
pub use info::{xinfo_consumers, xinfo_groups, xinfo_help, xinfo_stream};
pub use pending::{xack, xpending};
pub use range::{xrange, xrevrange};

use self::ids::Given;
use self::trim::{NewId, Options, Trim};
use crate::command::spec::help_lines;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::store::keys::{Keys, RecordMut};
use crate::store::record::{NewValue, Record};
use crate::value::stream::{Entry, NODE_BYTES_MAX, Stream, StreamId};

/// Replies an id.
fn reply_id(reply: &mut Reply, id: StreamId) {
    reply.bulk(&id.text());
}

/// Replies an entry: its id, and its fields with their values in one array.
fn reply_entry(reply: &mut Reply, entry: &Entry<'_>) {
    reply.array(2);
    reply_id(reply, entry.id);
    reply.array(2 * entry.len());
    for (field, value) in entry.pairs() {
        field.with_bytes(|field| reply.bulk(field));
        value.with_bytes(|value| reply.bulk(value));
    }
}

/// Replies HELP of a container.
fn reply_help(ctx: &mut Context<'_>, container: &str) {
    let container = spec::COMMANDS.iter().find(|row| row.name == container);
    let lines = container.map(help_lines).unwrap_or_default();
    ctx.reply.array(lines.len());
    lines.iter().for_each(|line| ctx.reply.simple(line));
}

/// The stream of a record that was found.
fn stream_of(record: Option<&Record>) -> CommandResult<Option<&Stream>> {
    record.map(|record| record.stream().ok_or(CommandError::WrongType)).transpose()
}

/// The stream of a record that is to be changed.
fn stream_of_mut<'r>(record: &'r mut RecordMut<'_>) -> CommandResult<&'r mut Stream> {
    record.stream_mut().ok_or(CommandError::WrongType)
}

/// Creates an empty stream at a key that does not exist.
fn create_stream(keys: &mut Keys<'_>, key: &[u8]) {
    keys.insert(key, NewValue::Stream(Box::default()), None);
}

/// `XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [field value ...]`
pub fn xadd(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let options = Options::of_add(ctx, &mut args)?;
    let parts: SmallVec<[&[u8]; 32]> = args.rest().collect();
    if parts.len() < 2 || !parts.len().is_multiple_of(2) {
        return Err(CommandError::wrong_arity("xadd"));
    }
    if options.id == NewId::Given(Given::Whole(StreamId::MIN)) {
        return Err(CommandError::XaddIdZero);
    }
    let Some(Added { id, removed, reached }) = add(ctx, key, &options, &parts)? else {
        ctx.reply.null();
        return Ok(());
    };
    let text = id.text();
    ctx.reply.bulk(&text);
    ctx.keys.changed(EventClass::Stream, "xadd", key);
    if removed > 0 {
        ctx.keys.announce(EventClass::Stream, "xtrim", key);
    }
    let id_at = Some(options.id_at).filter(|_| !matches!(options.id, NewId::Given(Given::Whole(_))));
    log_exactly(ctx, args, reached, id_at.map(|at| (at, &text[..])));
    Ok(())
}

/// What XADD did.
struct Added {
    id: StreamId,
    /// Entries that were trimmed.
    removed: u64,
    /// Where a trim that is not exact came to.
    reached: Option<(Trim, Vec<u8>)>,
}

/// Adds an entry, and trims; `None` where there is no stream, and none is to be created.
fn add(ctx: &mut Context<'_>, key: &[u8], options: &Options, parts: &[&[u8]]) -> CommandResult<Option<Added>> {
    let (limits, now_ms) = (ctx.settings.stream(), ctx.keys.now_ms);
    if parts.iter().map(|part| part.len()).sum::<usize>() > NODE_BYTES_MAX {
        return Err(CommandError::XaddTooLarge);
    }
    loop {
        if let Some(mut record) = ctx.keys.find_mut(key) {
            let stream = stream_of_mut(&mut record)?;
            let id = new_id(options.id, stream.entries.last_id, now_ms)?;
            stream.entries.append(id, parts, &limits);
            let removed = options.trim.map_or(0, |trim| trim.apply(stream));
            let reached = options.trim.filter(|trim| trim.approximate).map(|trim| (trim, trim.reached(stream)));
            return Ok(Some(Added { id, removed, reached }));
        }
        if options.no_stream {
            return Ok(None);
        }
        // An id that no stream can begin with creates none.
        new_id(options.id, StreamId::MIN, now_ms)?;
        create_stream(&mut ctx.keys, key);
    }
}

/// The id of a new entry behind `last`.
fn new_id(asked: NewId, last: StreamId, now_ms: u64) -> CommandResult<StreamId> {
    let behind = last.next().ok_or(CommandError::XaddExhausted)?;
    let id = match asked {
        NewId::Next if now_ms > last.ms => StreamId::new(now_ms, 0),
        NewId::Next => behind,
        NewId::Given(Given::Time(ms)) if ms == last.ms && last.seq < u64::MAX => behind,
        NewId::Given(Given::Time(ms)) => StreamId::new(ms, 0),
        NewId::Given(Given::Whole(id)) => id,
    };
    if id <= last { Err(CommandError::XaddIdNotAbove) } else { Ok(id) }
}

/// Logs the command with what it came to: the id that was given, and the threshold that was reached.
fn log_exactly(ctx: &mut Context<'_>, args: Args<'_>, reached: Option<(Trim, Vec<u8>)>, id: Option<(usize, &[u8])>) {
    if !ctx.keys.effects.logging || (reached.is_none() && id.is_none()) {
        return;
    }
    let mut words: SmallVec<[&[u8]; 32]> = args.request().iter().collect();
    if let Some((at, id)) = id {
        words[at] = id;
    }
    if let Some((trim, threshold)) = &reached {
        (words[trim.at - 1], words[trim.at]) = (b"=", threshold);
        // What was limited is exact now.
        if let Some(limit) = words[..].iter().position(|word| word.eq_ignore_ascii_case(b"LIMIT"))
            && limit == trim.at + 1
        {
            words.drain(limit..limit + 2);
        }
    }
    let database = ctx.keys.database;
    ctx.keys.effects.log_instead(database, &words);
}

/// Says that entries were removed. Nobody waits for that, even where a group was set back meanwhile.
fn entries_removed(ctx: &mut Context<'_>, key: &[u8], count: u64, event: &'static str) {
    ctx.keys.touched(key);
    ctx.keys.effects.dirty += count - 1;
    ctx.keys.announce(EventClass::Stream, event, key);
}

/// `XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]`
pub fn xtrim(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let trim = Options::of_trim(ctx, args)?;
    let Some(mut record) = ctx.keys.find_mut(key) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let stream = stream_of_mut(&mut record)?;
    let removed = trim.apply(stream);
    let reached = trim.reached(stream);
    drop(record);
    if removed > 0 {
        entries_removed(ctx, key, removed, "xtrim");
        log_exactly(ctx, args, trim.approximate.then_some((trim, reached)), None);
    }
    ctx.reply.integer(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(())
}

/// `XDEL key id [id ...]`
pub fn xdel(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let Some(mut record) = ctx.keys.find_mut(key) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let stream = stream_of_mut(&mut record)?;
    let ids = ids::all(args)?;
    let removed = ids.into_iter().filter(|id| stream.entries.remove(*id)).count();
    drop(record);
    if removed > 0 {
        entries_removed(ctx, key, removed as u64, "xdel");
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `XLEN key`
pub fn xlen(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let stream = stream_of(ctx.keys.find(args.next_bytes()?))?;
    let len = stream.map_or(0, |stream| stream.entries.len());
    ctx.reply.integer(i64::try_from(len).unwrap_or(i64::MAX));
    Ok(())
}

/// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`
pub fn xsetid(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let id = ids::strict(args.next_bytes()?, 0)?;
    let (mut added, mut deleted) = (None, StreamId::MIN);
    while args.remaining() > 0 {
        if args.take_with_value("ENTRIESADDED") {
            added = Some(u64::try_from(args.next_i64()?).map_err(|_| CommandError::EntriesAddedNegative)?);
        } else if args.take_with_value("MAXDELETEDID") {
            deleted = ids::strict(args.next_bytes()?, 0)?;
            if id < deleted {
                return Err(CommandError::XsetidBelowGivenDeleted);
            }
        } else {
            return Err(CommandError::Syntax);
        }
    }
    let Some(mut record) = ctx.keys.find_mut(key) else { return Err(CommandError::NoSuchKey) };
    let entries = &mut stream_of_mut(&mut record)?.entries;
    if id < entries.max_deleted_id {
        return Err(CommandError::XsetidBelowDeleted);
    }
    if !entries.is_empty() && id < entries.last_entry_id() {
        return Err(CommandError::XsetidBelowTop);
    }
    if !entries.is_empty() && added.is_some_and(|added| added < entries.len()) {
        return Err(CommandError::XsetidAddedTooFew);
    }
    entries.last_id = id;
    entries.entries_added = added.unwrap_or(entries.entries_added);
    if deleted != StreamId::MIN {
        entries.max_deleted_id = deleted;
    }
    drop(record);
    ctx.keys.changed_aside(EventClass::Stream, "xsetid", key);
    ctx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
