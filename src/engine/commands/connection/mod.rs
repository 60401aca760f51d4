//! Handlers of the commands about the connection itself.

pub mod spec;

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// AUTH.
pub fn auth(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// HELLO.
pub fn hello(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// SELECT.
pub fn select(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PING.
pub fn ping(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// ECHO.
pub fn echo(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// QUIT.
pub fn quit(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// RESET.
pub fn reset(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT ID.
pub fn client_id(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT SETNAME.
pub fn client_setname(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT GETNAME.
pub fn client_getname(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT SETINFO.
pub fn client_setinfo(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT INFO.
pub fn client_info(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT LIST.
pub fn client_list(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT KILL.
pub fn client_kill(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT NO-EVICT.
pub fn client_no_evict(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT NO-TOUCH.
pub fn client_no_touch(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT REPLY.
pub fn client_reply(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// CLIENT HELP.
pub fn client_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}
