//! Handlers of the transaction commands.

pub mod spec;

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// MULTI.
pub fn multi(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// EXEC.
pub fn exec(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// DISCARD.
pub fn discard(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// WATCH.
pub fn watch(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// UNWATCH.
pub fn unwatch(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}
