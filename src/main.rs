//! The `pipkin` binary: command line only.
fn main() {}
