//! Values that change their key or their database: RENAME, COPY, MOVE. A key has the same shard in every database.

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;

/// Moves a value with its deadline to another key; false where that exists and may not be replaced.
fn rename_key(ctx: &mut Context<'_>, key: &[u8], new_key: &[u8], replace: bool) -> CommandResult<bool> {
    if !ctx.keys.exists(key) {
        return Err(CommandError::NoSuchKey);
    }
    if key == new_key {
        return Ok(replace);
    }
    if !replace && ctx.keys.exists(new_key) {
        return Ok(false);
    }
    ctx.keys.remove(new_key);
    if let Some(record) = ctx.keys.take(key) {
        ctx.keys.insert_record(record.renamed(new_key));
    }
    ctx.keys.changed(EventClass::Generic, "rename_from", key);
    ctx.keys.changed_by(0, EventClass::Generic, "rename_to", new_key);
    Ok(true)
}

/// `RENAME key newkey`
pub fn rename(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, new_key) = (args.next_bytes()?, args.next_bytes()?);
    rename_key(ctx, key, new_key, true)?;
    ctx.reply.ok();
    Ok(())
}

/// `RENAMENX key newkey`
pub fn renamenx(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, new_key) = (args.next_bytes()?, args.next_bytes()?);
    let renamed = rename_key(ctx, key, new_key, false)?;
    ctx.reply.integer(renamed as i64);
    Ok(())
}

/// Reads the number of a database.
fn next_database(ctx: &Context<'_>, args: &mut Args<'_>) -> CommandResult<usize> {
    let number = args.next_i64()?;
    let (least, most) = (i32::MIN.into(), i32::MAX.into());
    if !(least..=most).contains(&number) {
        return Err(CommandError::NotBetween(Box::new((least, most))));
    }
    let number = usize::try_from(number).ok().filter(|number| *number < ctx.keys.keyspace().databases);
    number.ok_or(CommandError::DatabaseOutOfRange)
}

/// `COPY source destination [DB destination-db] [REPLACE]`
pub fn copy(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (source, destination) = (args.next_bytes()?, args.next_bytes()?);
    let selected = ctx.keys.database;
    let (mut database, mut replace) = (selected, false);
    while args.remaining() > 0 {
        if args.take("REPLACE") {
            replace = true;
        } else if args.take_with_value("DB") {
            database = next_database(ctx, &mut args)?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    if ctx.settings.is_clustered() && database != selected {
        return Err(CommandError::NotInCluster("Copying to another database"));
    }
    if database == selected && source == destination {
        return Err(CommandError::SameObject);
    }
    let Some(copy) = ctx.keys.find(source).map(|record| record.clone().renamed(destination)) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    ctx.keys.database = database;
    let copied = replace || !ctx.keys.exists(destination);
    if copied {
        ctx.keys.remove(destination);
        ctx.keys.insert_new(copy);
        ctx.keys.changed(EventClass::Generic, "copy_to", destination);
    }
    ctx.keys.database = selected;
    ctx.reply.integer(copied as i64);
    Ok(())
}

/// `MOVE key db`
pub fn move_(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    if ctx.settings.is_clustered() {
        return Err(CommandError::NotInCluster("MOVE"));
    }
    let key = args.next_bytes()?;
    let database = next_database(ctx, &mut args)?;
    let selected = ctx.keys.database;
    if database == selected {
        return Err(CommandError::SameObject);
    }
    let exists = ctx.keys.exists(key);
    ctx.keys.database = database;
    let moves = exists && !ctx.keys.exists(key);
    ctx.keys.database = selected;
    if moves && let Some(record) = ctx.keys.take(key) {
        ctx.keys.database = database;
        ctx.keys.insert_record(record);
        ctx.keys.database = selected;
        ctx.keys.changed(EventClass::Generic, "move_from", key);
        ctx.keys.database = database;
        ctx.keys.changed_by(0, EventClass::Generic, "move_to", key);
        ctx.keys.database = selected;
    }
    ctx.reply.integer(moves as i64);
    Ok(())
}
