//! Handlers of the string commands; bitmaps have a family of their own.

pub mod spec;

/// GET.
pub fn get() {}

/// SET.
pub fn set() {}

/// GETEX.
pub fn getex() {}

/// GETDEL.
pub fn getdel() {}

/// GETSET.
pub fn getset() {}

/// SETNX.
pub fn setnx() {}

/// SETEX.
pub fn setex() {}

/// PSETEX.
pub fn psetex() {}

/// SETRANGE.
pub fn setrange() {}

/// GETRANGE.
pub fn getrange() {}

/// SUBSTR.
pub fn substr() {}

/// STRLEN.
pub fn strlen() {}

/// APPEND.
pub fn append() {}

/// INCR.
pub fn incr() {}

/// DECR.
pub fn decr() {}

/// INCRBY.
pub fn incrby() {}

/// DECRBY.
pub fn decrby() {}

/// INCRBYFLOAT.
pub fn incrbyfloat() {}

/// MGET.
pub fn mget() {}

/// MSET.
pub fn mset() {}

/// MSETNX.
pub fn msetnx() {}
