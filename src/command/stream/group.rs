//! Consumer groups: XGROUP.

use super::{create_stream, ids, stream_of, stream_of_mut};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::keys::RecordMut;
use crate::value::stream::{EntryList, Group, GroupMut, StreamId};

/// Most arguments of XGROUP CREATE and of XGROUP SETID.
const ARGUMENTS_MAX: (usize, usize) = (8, 7);

/// The group of a record that is to be changed, and the entries; `None` if the stream has none of this name.
pub(super) fn group_of_mut<'r>(
    record: &'r mut RecordMut<'_>,
    name: &[u8],
) -> CommandResult<Option<(&'r EntryList, GroupMut<'r>)>> {
    Ok(stream_of_mut(record)?.group_mut(name))
}

/// The options of XGROUP CREATE and XGROUP SETID.
#[derive(Default)]
struct Options {
    makes_stream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn read(mut args: Args<'_>, creates: bool) -> CommandResult<Options> {
        let mut options = Options::default();
        while args.remaining() > 0 {
            if creates && args.take("MKSTREAM") {
                options.makes_stream = true;
            } else if args.take_with_value("ENTRIESREAD") {
                let count = args.next_i64()?;
                if count < -1 {
                    return Err(CommandError::EntriesReadNegative);
                }
                options.entries_read = u64::try_from(count).ok();
            } else {
                return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
            }
        }
        Ok(options)
    }
}

/// `XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]`
pub fn xgroup_create(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name, id) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let options = Options::read(args, true)?;
    let last_id = stream_of(ctx.keys.peek(key))?.map(|stream| stream.entries.last_id);
    if last_id.is_none() && !options.makes_stream {
        return Err(CommandError::XgroupWithoutKey);
    }
    if args.len() > ARGUMENTS_MAX.0 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let id = if id == b"$" { last_id.unwrap_or_default() } else { ids::strict(id, 0)? };
    if last_id.is_none() {
        create_stream(&mut ctx.keys, key);
        ctx.keys.touched(key);
    }
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(()) };
    let created = stream_of_mut(&mut record)?.create_group(name, Group::new(id, options.entries_read));
    drop(record);
    if !created {
        return Err(CommandError::BusyGroup);
    }
    ctx.keys.changed_aside(EventClass::Stream, "xgroup-create", key);
    ctx.reply.ok();
    Ok(())
}

/// Finds the group that a subcommand wants, and changes it.
fn change_group<R>(
    ctx: &mut Context<'_>,
    key: &[u8],
    name: &[u8],
    change: impl FnOnce(&EntryList, GroupMut<'_>) -> CommandResult<R>,
) -> CommandResult<R> {
    let Some(mut record) = ctx.keys.find_mut(key) else { return Err(CommandError::XgroupWithoutKey) };
    match group_of_mut(&mut record, name)? {
        Some((entries, group)) => change(entries, group),
        None => Err(CommandError::no_such_group(key, name)),
    }
}

/// `XGROUP SETID key group id | $ [ENTRIESREAD entries-read]`
pub fn xgroup_setid(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name, id) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let options = Options::read(args, false)?;
    change_group(ctx, key, name, |entries, mut group| {
        if args.len() > ARGUMENTS_MAX.1 {
            return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
        }
        group.last_id = if id == b"$" { entries.last_id } else { ids::lenient(id, 0)? };
        group.entries_read = options.entries_read;
        Ok(())
    })?;
    ctx.keys.changed_aside(EventClass::Stream, "xgroup-setid", key);
    ctx.reply.ok();
    Ok(())
}

/// `XGROUP DESTROY key group`
pub fn xgroup_destroy(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name) = (args.next_bytes()?, args.next_bytes()?);
    let Some(mut record) = ctx.keys.find_mut(key) else { return Err(CommandError::XgroupWithoutKey) };
    let destroyed = stream_of_mut(&mut record)?.destroy_group(name);
    drop(record);
    if destroyed {
        ctx.keys.changed_aside(EventClass::Stream, "xgroup-destroy", key);
        // Whoever waits for the group is told that it is gone.
        ctx.keys.ready(key);
    }
    ctx.reply.integer(destroyed.into());
    Ok(())
}

/// `XGROUP CREATECONSUMER key group consumer`
pub fn xgroup_createconsumer(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name, consumer) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let now_ms = ctx.keys.stored_ms();
    let created = change_group(ctx, key, name, |_, mut group| Ok(group.create_consumer(consumer, now_ms).is_some()))?;
    if created {
        ctx.keys.changed_aside(EventClass::Stream, "xgroup-createconsumer", key);
    }
    ctx.reply.integer(created.into());
    Ok(())
}

/// `XGROUP DELCONSUMER key group consumer`
pub fn xgroup_delconsumer(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, name, consumer) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let pending = change_group(ctx, key, name, |_, mut group| Ok(group.remove_consumer(consumer)))?;
    if pending.is_some() {
        ctx.keys.changed_aside(EventClass::Stream, "xgroup-delconsumer", key);
    }
    ctx.reply.count(pending.unwrap_or(0));
    Ok(())
}

/// `XGROUP HELP`
pub fn xgroup_help(ctx: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    super::reply_help(ctx, "xgroup");
    Ok(())
}

/// The number of a consumer, which is created if need be, and noted as seen; and whether it was created.
pub(super) fn seen_consumer(group: &mut Group, name: &[u8], now_ms: i64) -> (u32, bool) {
    if let Some(number) = group.find(name) {
        group.note_seen(number, now_ms);
        return (number, false);
    }
    match group.create_consumer(name, now_ms) {
        Some(number) => (number, true),
        None => unreachable!("a consumer that was not found is new"),
    }
}

/// Logs where a group stands.
pub(super) fn log_position(ctx: &mut Context<'_>, key: &[u8], name: &[u8], last_id: StreamId, read: Option<u64>) {
    let read = read.map_or_else(|| "-1".to_owned(), |read| read.to_string());
    let (database, id) = (ctx.keys.database, last_id.text());
    let words: [&[u8]; 7] = [b"XGROUP", b"SETID", key, name, &id, b"ENTRIESREAD", read.as_bytes()];
    ctx.keys.effects.log_also(database, &words);
}

/// Says that a consumer was created by a command that logs what it does one by one.
pub(super) fn consumer_created(ctx: &mut Context<'_>, key: &[u8], name: &[u8], consumer: &[u8]) {
    ctx.keys.changed_aside(EventClass::Stream, "xgroup-createconsumer", key);
    let database = ctx.keys.database;
    ctx.keys.effects.log_also(database, &[b"XGROUP", b"CREATECONSUMER", key, name, consumer]);
}
