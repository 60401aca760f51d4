//! Handlers of the HyperLogLog commands.

pub mod spec;

/// PFADD.
pub fn pfadd() {}

/// PFCOUNT.
pub fn pfcount() {}

/// PFMERGE.
pub fn pfmerge() {}
