//! Handlers of the commands that wait for an element.

pub mod spec;

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// BLPOP.
pub fn blpop(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// BRPOP.
pub fn brpop(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// BLMOVE.
pub fn blmove(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}
