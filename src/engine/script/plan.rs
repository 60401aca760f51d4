//! What a script is compiled to.

/// A compiled function.
#[derive(Debug)]
pub struct Proto {}
