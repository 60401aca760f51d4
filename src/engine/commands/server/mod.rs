//! Handlers of the commands about the server.

mod command;
mod config;
mod control;
mod databases;
mod debug;
mod info;
mod saving;
pub mod spec;

pub use command::{
    command, command_count, command_docs, command_getkeys, command_getkeysandflags, command_help, command_info,
    command_list, write_help,
};
pub use config::{config_get, config_help, config_resetstat, config_set};
pub use control::{
    memory_help, memory_purge, memory_usage, module_help, module_list, role, shutdown, slowlog_get, slowlog_help,
    slowlog_len, slowlog_reset, time,
};
pub use databases::{dbsize, flushall, flushdb, swapdb};
pub use debug::debug;
pub use info::info;
pub use saving::{bgrewriteaof, bgsave, lastsave, save};
