//! The append-only file.

pub mod log;
pub mod manifest;
pub mod record;
