//! Handlers of the transaction commands; the mechanics are in [`crate::engine::transaction`].

pub mod spec;

use crate::command::Args;
use crate::engine::transaction::{self, Transaction};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// `MULTI`
pub fn multi(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    if call.session.transaction.is_some() {
        return Err(CommandError::NestedMulti);
    }
    call.session.transaction = Some(Transaction::default());
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `EXEC`
pub fn exec(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    transaction::execute(call)
}

/// `DISCARD`
pub fn discard(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    if call.session.transaction.take().is_none() {
        return Err(CommandError::DiscardWithoutMulti);
    }
    transaction::unwatch(call.engine, call.session, &mut call.context.keys);
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `WATCH key [key ...]`
pub fn watch(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    if call.session.transaction.is_some() {
        return Err(CommandError::WatchInMulti);
    }
    let watched = call.session.watched.get_or_insert_default();
    *call.session.client.watch_flag.lock() = std::sync::Arc::downgrade(&watched.flag);
    if !call.context.keys.is_entered() {
        // A script is at work, which may change these very keys before anybody can look.
        watched.flag.raise();
    }
    // What has changed already cannot be changed back by watching more.
    if !watched.flag.is_raised() {
        for key in args.rest() {
            if watched.add(call.context.keys.database, key) {
                call.context.keys.watch(key, watched.flag.clone());
            }
        }
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `UNWATCH`
pub fn unwatch(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    transaction::unwatch(call.engine, call.session, &mut call.context.keys);
    call.context.reply.ok();
    Ok(Outcome::Done)
}
