//! The libraries that scripts see: pure functions over [values](super::value).

pub mod number;
