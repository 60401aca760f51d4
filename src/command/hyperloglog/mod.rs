//! Handlers of the HyperLogLog commands: strings whose bytes are counters, see [`crate::value::hyperloglog`].

mod debug;
pub mod spec;

pub use debug::{pfdebug, pfselftest};

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, Record, StringRef};
use crate::value::hyperloglog::{self, Corrupt, Union};

impl From<Corrupt> for CommandError {
    fn from(_: Corrupt) -> Self {
        CommandError::CorruptHyperLogLog
    }
}

/// The bytes of a record that holds a HyperLogLog.
fn counters(record: &Record) -> CommandResult<&[u8]> {
    match record.string().ok_or(CommandError::WrongType)? {
        StringRef::Bytes(bytes) if hyperloglog::is_valid(bytes) => Ok(bytes),
        _ => Err(CommandError::NotHyperLogLog),
    }
}

/// A new HyperLogLog; its count is stale, as Redis leaves it.
fn create() -> Vec<u8> {
    let mut bytes = hyperloglog::create();
    hyperloglog::invalidate(&mut bytes);
    bytes
}

/// `PFADD key [element [element ...]]`
pub fn pfadd(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let sparse_max = ctx.settings.hyperloglog_sparse_bytes();
    let add_all = |bytes: &mut Vec<u8>| {
        let add = |element| hyperloglog::add(bytes, element, sparse_max);
        args.rest().map(add).try_fold(0, |changed, outcome| Ok(changed + usize::from(outcome?)))
    };
    let changed = if let Some(mut record) = ctx.keys.find_mut(key) {
        counters(&record)?;
        record.edit_string(add_all).unwrap_or(Err(Corrupt))?
    } else {
        let mut bytes = create();
        let changed = add_all(&mut bytes)?;
        ctx.keys.insert(key, NewValue::Edited(&bytes), None);
        1 + changed
    };
    if changed > 0 {
        ctx.keys.changed_by(changed, EventClass::String, "pfadd", key);
    }
    ctx.reply.count(usize::from(changed > 0));
    Ok(())
}

/// `PFCOUNT key [key ...]`
pub fn pfcount(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    if args.remaining() > 1 {
        let union = absorb_all(ctx, args)?;
        ctx.reply.count(union.count() as usize);
        return Ok(());
    }
    let key = args.next_bytes()?;
    let Some(record) = ctx.keys.find(key) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let bytes = counters(record)?;
    if let Some(count) = hyperloglog::cached_count(bytes) {
        ctx.reply.count(count as usize);
        return Ok(());
    }
    if let Some(mut record) = ctx.keys.find_mut(key) {
        let (count, _) = record.edit_string(|bytes| hyperloglog::count(bytes)).unwrap_or(Err(Corrupt))?;
        ctx.reply.count(count as usize);
    }
    // The count is kept in the value, so that who watches it sees other bytes.
    ctx.keys.touched(key);
    Ok(())
}

/// `PFMERGE destkey [sourcekey [sourcekey ...]]`
pub fn pfmerge(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let union = absorb_all(ctx, args)?;
    let key = args.at(1);
    let sparse_max = ctx.settings.hyperloglog_sparse_bytes();
    if let Some(mut record) = ctx.keys.find_mut(key) {
        record.edit_string(|bytes| union.store(bytes, sparse_max)).unwrap_or(Err(Corrupt))?;
    } else {
        let mut bytes = create();
        union.store(&mut bytes, sparse_max)?;
        ctx.keys.insert(key, NewValue::Edited(&bytes), None);
    }
    ctx.keys.changed(EventClass::String, "pfadd", key);
    ctx.reply.ok();
    Ok(())
}

/// The union of all keys that are left to read; those that do not exist count for nothing.
fn absorb_all(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult<Union> {
    let mut union = Union::new();
    for key in args.rest() {
        if let Some(record) = ctx.keys.find(key) {
            union.absorb(counters(record)?)?;
        }
    }
    Ok(union)
}
