//! OBJECT: how a value is stored, and what eviction knows of its use.

use crate::command::spec::help_lines;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::eviction;
use crate::store::keys::AccessPolicy;
use crate::store::record::{Record, StringRef};
use crate::value::{hash, list, set, sorted_set};

/// Longest string that calls itself `embstr`, in bytes.
const EMBSTR_BYTES_MAX: usize = 44;
/// Integers from 0 to below this are shared objects in Redis, and their reference count says so.
const SHARED_INTEGERS: i64 = 10_000;
/// The reference count of a shared object.
const SHARED_REFERENCES: i64 = i32::MAX as i64;

/// The name of a value's encoding.
pub fn encoding(record: &Record) -> &'static str {
    if let Some(string) = record.string() {
        match string {
            StringRef::Integer(_) => "int",
            StringRef::Bytes(bytes) if !record.edited() && bytes.len() <= EMBSTR_BYTES_MAX => "embstr",
            StringRef::Bytes(_) => "raw",
        }
    } else if record.stream().is_some() {
        "stream"
    } else if let Some(form) = record.list() {
        match list::List::new(form).encoding() {
            list::Encoding::Listpack => "listpack",
            list::Encoding::Quicklist => "quicklist",
        }
    } else if let Some(form) = record.set() {
        match set::Set::new(form).encoding() {
            set::Encoding::Intset => "intset",
            set::Encoding::Listpack => "listpack",
            set::Encoding::Hashtable => "hashtable",
        }
    } else if let Some(form) = record.hash() {
        match hash::Hash::new(form).encoding() {
            hash::Encoding::Listpack => "listpack",
            hash::Encoding::Hashtable => "hashtable",
        }
    } else {
        match record.sorted_set().map(|form| sorted_set::SortedSet::new(form).encoding()) {
            Some(sorted_set::Encoding::Skiplist) => "skiplist",
            _ => "listpack",
        }
    }
}

/// `OBJECT ENCODING key`
pub fn object_encoding(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    match ctx.keys.inspect(args.next_bytes()?) {
        Some(record) => ctx.reply.bulk(encoding(record).as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `OBJECT REFCOUNT key`
pub fn object_refcount(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    match ctx.keys.inspect(args.next_bytes()?).map(|record| record.string()) {
        Some(Some(StringRef::Integer(0..SHARED_INTEGERS))) => ctx.reply.integer(SHARED_REFERENCES),
        Some(_) => ctx.reply.integer(1),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// `OBJECT IDLETIME key`
pub fn object_idletime(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let Some(access) = ctx.keys.inspect(args.next_bytes()?).map(|record| record.access()) else {
        ctx.reply.null();
        return Ok(());
    };
    if let AccessPolicy::Frequency { .. } = ctx.keys.access {
        return Err(CommandError::IdleTimeNotTracked);
    }
    ctx.reply.integer((eviction::idle_ms(access, ctx.keys.now_ms) / 1000) as i64);
    Ok(())
}

/// `OBJECT FREQ key`
pub fn object_freq(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let Some(access) = ctx.keys.inspect(args.next_bytes()?).map(|record| record.access()) else {
        ctx.reply.null();
        return Ok(());
    };
    let AccessPolicy::Frequency { decay_minutes, .. } = ctx.keys.access else {
        return Err(CommandError::FrequencyNotTracked);
    };
    ctx.reply.integer(eviction::frequency_now(access, ctx.keys.now_ms, decay_minutes).into());
    Ok(())
}

/// `OBJECT HELP`
pub fn object_help(ctx: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    let container = super::spec::COMMANDS.iter().find(|row| row.name == "object");
    let lines = container.map(help_lines).unwrap_or_default();
    ctx.reply.array(lines.len());
    lines.iter().for_each(|line| ctx.reply.simple(line));
    Ok(())
}
