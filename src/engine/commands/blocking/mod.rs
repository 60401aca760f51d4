//! Handlers of the commands that wait for an element.

pub mod spec;

/// BLPOP.
pub fn blpop() {}

/// BRPOP.
pub fn brpop() {}

/// BLMOVE.
pub fn blmove() {}
