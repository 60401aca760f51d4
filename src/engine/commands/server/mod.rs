//! Handlers of the commands about the server.

mod command;
pub mod spec;

pub use command::{
    command, command_count, command_docs, command_getkeys, command_getkeysandflags, command_help, command_info,
    command_list, write_help,
};

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// INFO.
pub fn info(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CONFIG GET.
pub fn config_get(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CONFIG SET.
pub fn config_set(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CONFIG RESETSTAT.
pub fn config_resetstat(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CONFIG HELP.
pub fn config_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// DBSIZE.
pub fn dbsize(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// FLUSHALL.
pub fn flushall(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// FLUSHDB.
pub fn flushdb(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SWAPDB.
pub fn swapdb(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// TIME.
pub fn time(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SHUTDOWN.
pub fn shutdown(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// ROLE.
pub fn role(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SLOWLOG GET.
pub fn slowlog_get(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SLOWLOG LEN.
pub fn slowlog_len(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SLOWLOG RESET.
pub fn slowlog_reset(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SLOWLOG HELP.
pub fn slowlog_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// MEMORY USAGE.
pub fn memory_usage(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// MEMORY PURGE.
pub fn memory_purge(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// MEMORY HELP.
pub fn memory_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// DEBUG.
pub fn debug(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// MODULE LIST.
pub fn module_list(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// MODULE HELP.
pub fn module_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}
