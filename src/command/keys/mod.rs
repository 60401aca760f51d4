//! Handlers of the commands that work on keys of every type.

mod dump;
pub(in crate::command) mod expiry;
mod object;
mod sort;
pub mod spec;
mod transfer;
mod walk;

pub use dump::{dump, restore};
pub use expiry::{expire, expireat, expiretime, persist, pexpire, pexpireat, pexpiretime, pttl, ttl};
pub use object::{encoding, object_encoding, object_freq, object_help, object_idletime, object_refcount};
pub use sort::{sort, sort_ro};
pub use transfer::{copy, move_, rename, renamenx};
pub use walk::{keys, randomkey, scan};

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// `DEL key [key ...]`
pub fn del(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let removed = args.rest().filter(|key| ctx.keys.delete(key)).count();
    ctx.reply.count(removed);
    Ok(())
}

/// `UNLINK key [key ...]`
pub fn unlink(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    // DEL frees big values in the background as it is.
    del(ctx, args)
}

/// `EXISTS key [key ...]`
pub fn exists(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let found = args.rest().filter(|key| ctx.keys.look(key).is_some()).count();
    ctx.reply.count(found);
    Ok(())
}

/// `TOUCH key [key ...]`
pub fn touch(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let found = args.rest().filter(|key| ctx.keys.find(key).is_some()).count();
    ctx.reply.count(found);
    Ok(())
}

/// `TYPE key`
pub fn type_(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let name = ctx.keys.look(args.next_bytes()?).map_or("none", |record| record.value_type().name());
    ctx.reply.simple(name);
    Ok(())
}
