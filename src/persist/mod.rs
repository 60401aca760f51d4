//! Floor 2: files. Sees values as [`crate::value::ValueRef`] and [`crate::value::NewValue`]; knows no keyspace, takes no
//! lock, never runs a command.

pub mod check;
pub mod rdb;
