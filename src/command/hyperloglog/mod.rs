//! Handlers of the HyperLogLog commands.

pub mod spec;

use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// PFADD.
pub fn pfadd(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PFCOUNT.
pub fn pfcount(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}

/// PFMERGE.
pub fn pfmerge(_: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    Ok(())
}
