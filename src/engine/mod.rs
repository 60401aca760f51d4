//! Floor 4: registry, dispatch gates, transaction, blocking, and the commands that need them.

pub mod commands;

/// What runs a command of the engine.
pub type Handler = fn();
