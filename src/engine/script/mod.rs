//! Scripts without a Lua VM: a script's text is compiled once into a [plan](plan) and run natively.

pub mod cache;
pub mod compiler;
pub mod convert;
pub mod functions;
pub mod header;
pub mod lexer;
pub mod lib;
pub mod library;
pub mod machine;
pub mod parser;
pub mod plan;
pub mod rehearsal;
pub mod run;
pub mod running;
pub mod syntax;
pub mod table;
pub mod value;
