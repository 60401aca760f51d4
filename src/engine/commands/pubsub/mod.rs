//! Handlers of the publish/subscribe commands.

pub mod spec;

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// SUBSCRIBE.
pub fn subscribe(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// UNSUBSCRIBE.
pub fn unsubscribe(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PSUBSCRIBE.
pub fn psubscribe(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUNSUBSCRIBE.
pub fn punsubscribe(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUBLISH.
pub fn publish(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUBSUB CHANNELS.
pub fn pubsub_channels(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUBSUB NUMSUB.
pub fn pubsub_numsub(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUBSUB NUMPAT.
pub fn pubsub_numpat(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}

/// PUBSUB HELP.
pub fn pubsub_help(_: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    Ok(Outcome::Done)
}
