//! Handlers of the commands about the server.

pub mod spec;

/// INFO.
pub fn info() {}

/// CONFIG GET.
pub fn config_get() {}

/// CONFIG SET.
pub fn config_set() {}

/// CONFIG RESETSTAT.
pub fn config_resetstat() {}

/// CONFIG HELP.
pub fn config_help() {}

/// COMMAND.
pub fn command() {}

/// COMMAND COUNT.
pub fn command_count() {}

/// COMMAND INFO.
pub fn command_info() {}

/// COMMAND DOCS.
pub fn command_docs() {}

/// COMMAND GETKEYS.
pub fn command_getkeys() {}

/// COMMAND GETKEYSANDFLAGS.
pub fn command_getkeysandflags() {}

/// COMMAND LIST.
pub fn command_list() {}

/// COMMAND HELP.
pub fn command_help() {}

/// DBSIZE.
pub fn dbsize() {}

/// FLUSHALL.
pub fn flushall() {}

/// FLUSHDB.
pub fn flushdb() {}

/// SWAPDB.
pub fn swapdb() {}

/// TIME.
pub fn time() {}

/// SHUTDOWN.
pub fn shutdown() {}

/// ROLE.
pub fn role() {}

/// SLOWLOG GET.
pub fn slowlog_get() {}

/// SLOWLOG LEN.
pub fn slowlog_len() {}

/// SLOWLOG RESET.
pub fn slowlog_reset() {}

/// SLOWLOG HELP.
pub fn slowlog_help() {}

/// MEMORY USAGE.
pub fn memory_usage() {}

/// MEMORY PURGE.
pub fn memory_purge() {}

/// MEMORY HELP.
pub fn memory_help() {}

/// DEBUG.
pub fn debug() {}

/// MODULE LIST.
pub fn module_list() {}

/// MODULE HELP.
pub fn module_help() {}
