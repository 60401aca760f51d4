//! `cmsgpack`: MessagePack as Redis packs and unpacks it, without binary and extension types.

mod pack;
#[cfg(test)]
mod tests;
mod unpack;

use super::{Constant, Library};

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "cmsgpack",
    functions: &[
        ("pack", pack::pack),
        ("unpack", unpack::unpack),
        ("unpack_limit", unpack::unpack_limit),
        ("unpack_one", unpack::unpack_one),
    ],
    constants: &[
        ("_DESCRIPTION", Constant::Text("MessagePack C implementation for Lua")),
        ("_NAME", Constant::Text("cmsgpack")),
        ("_VERSION", Constant::Text("lua-cmsgpack 0.4.0")),
    ],
};
