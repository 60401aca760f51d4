//! Handlers of the transaction commands.

pub mod spec;

/// MULTI.
pub fn multi() {}

/// EXEC.
pub fn exec() {}

/// DISCARD.
pub fn discard() {}

/// WATCH.
pub fn watch() {}

/// UNWATCH.
pub fn unwatch() {}
