//! The append-only file.

pub mod manifest;
pub mod record;
