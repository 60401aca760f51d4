//! Typed methods for the common commands; each is named after its command, and its errors are the command's.

mod collections;
mod keys;
mod strings;

pub use collections::ListEnd;
pub use strings::SetOptions;
