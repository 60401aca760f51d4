//! Handlers of the commands about the server.

mod acl;
pub(super) mod command;
mod config;
mod control;
mod databases;
mod debug;
mod info;
mod latency;
mod lolwut;
mod memory;
mod saving;
pub mod spec;

pub use acl::{acl_cat, acl_dryrun, acl_genpass, acl_getuser, acl_help, acl_list, acl_users, acl_whoami};
pub use command::{
    command, command_count, command_docs, command_getkeys, command_getkeysandflags, command_help, command_info,
    command_list, write_help,
};
pub use config::{config_get, config_help, config_resetstat, config_rewrite, config_set};
pub use control::{
    module_help, module_list, role, shutdown, slowlog_get, slowlog_help, slowlog_len, slowlog_reset, time,
};
pub use databases::{dbsize, flushall, flushdb, swapdb};
pub use debug::debug;
pub use info::info;
pub use latency::{
    latency_doctor, latency_graph, latency_help, latency_histogram, latency_history, latency_latest, latency_reset,
};
pub use lolwut::lolwut;
pub use memory::{memory_doctor, memory_help, memory_malloc_stats, memory_purge, memory_stats, memory_usage};
pub use saving::{bgrewriteaof, bgsave, lastsave, save};
