//! Scripts without a Lua VM: a script's text is compiled once into a [plan](plan) and run natively.

pub mod lib;
pub mod plan;
pub mod table;
pub mod value;
