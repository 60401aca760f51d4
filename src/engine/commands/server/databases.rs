//! Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. They hold every shard.

use std::ops::Range;

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// `DBSIZE`
pub fn dbsize(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let count = call.context.keys.count();
    call.context.reply.count(count);
    Ok(Outcome::Done)
}

/// `[ASYNC | SYNC]`, which say the same here: what is flushed is out of sight at once and freed in the background.
fn flush(call: &mut Call<'_, '_>, mut args: Args<'_>, databases: Range<usize>) -> CommandResult<Outcome> {
    if !args.take("ASYNC") {
        args.take("SYNC");
    }
    args.finish()?;
    let keys = &mut call.context.keys;
    keys.effects.dirty += keys.flush(databases) as u64;
    keys.effects.flush();
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `FLUSHALL [ASYNC | SYNC]`
pub fn flushall(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let databases = call.engine.keyspace.databases;
    flush(call, args, 0..databases)
}

/// `FLUSHDB [ASYNC | SYNC]`
pub fn flushdb(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let selected = call.context.keys.database;
    flush(call, args, selected..selected + 1)
}

/// `SWAPDB index1 index2`
pub fn swapdb(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if call.engine.cluster.is_enabled {
        return Err(CommandError::NotInCluster("SWAPDB"));
    }
    let first = args.next_i64_or(CommandError::FirstDatabaseInvalid)?;
    let first = i32::try_from(first).map_err(|_| CommandError::FirstDatabaseInvalid)?;
    let second = args.next_i64_or(CommandError::SecondDatabaseInvalid)?;
    let second = i32::try_from(second).map_err(|_| CommandError::SecondDatabaseInvalid)?;
    let databases = call.engine.keyspace.databases;
    let known = |number| usize::try_from(number).ok().filter(|number| *number < databases);
    let (Some(first), Some(second)) = (known(first), known(second)) else {
        return Err(CommandError::DatabaseOutOfRange);
    };
    call.context.keys.swap_databases(first, second);
    call.context.keys.effects.dirty += 1;
    call.context.reply.ok();
    Ok(Outcome::Done)
}
