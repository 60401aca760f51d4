//! Handlers of the commands that work on keys of every type.

pub mod spec;

/// DEL.
pub fn del() {}

/// UNLINK.
pub fn unlink() {}

/// EXISTS.
pub fn exists() {}

/// TOUCH.
pub fn touch() {}

/// EXPIRE.
pub fn expire() {}

/// PEXPIRE.
pub fn pexpire() {}

/// EXPIREAT.
pub fn expireat() {}

/// PEXPIREAT.
pub fn pexpireat() {}

/// EXPIRETIME.
pub fn expiretime() {}

/// PEXPIRETIME.
pub fn pexpiretime() {}

/// TTL.
pub fn ttl() {}

/// PTTL.
pub fn pttl() {}

/// PERSIST.
pub fn persist() {}

/// TYPE.
pub fn type_() {}

/// RENAME.
pub fn rename() {}

/// RENAMENX.
pub fn renamenx() {}

/// COPY.
pub fn copy() {}

/// MOVE.
pub fn move_() {}

/// RANDOMKEY.
pub fn randomkey() {}

/// KEYS.
pub fn keys() {}

/// SCAN.
pub fn scan() {}

/// OBJECT ENCODING.
pub fn object_encoding() {}

/// OBJECT REFCOUNT.
pub fn object_refcount() {}

/// OBJECT IDLETIME.
pub fn object_idletime() {}

/// OBJECT FREQ.
pub fn object_freq() {}

/// OBJECT HELP.
pub fn object_help() {}
