//! The typed values of the directives that have an effect.

use super::value::{OutputLimit, Value};
use super::{Config, KeyspaceEvents};
use crate::base::glob::Glob;
use crate::base::limits::BULK_BYTES_MAX;

/// What the house reads: made by [`Config::settings`] after every change, then shared read-only.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The fields are the directives; the documentation of redis.conf tells about them.
pub struct Settings {
    pub bind: Vec<String>,
    pub port: u16,
    /// Path of the Unix socket; empty for none.
    pub unixsocket: String,
    /// Its permissions; 0 for those that the process's mask leaves.
    pub unixsocketperm: u32,
    pub protected_mode: bool,
    /// One node that serves all slots.
    pub cluster_enabled: bool,
    /// Empty for the address that a client has reached.
    pub cluster_announce_ip: String,
    /// 0 for the port that a client has reached.
    pub cluster_announce_port: u16,
    pub cluster_announce_bus_port: u16,
    pub cluster_announce_hostname: String,
    pub cluster_preferred_endpoint_type: &'static str,
    /// Empty for none.
    pub requirepass: Vec<u8>,
    pub databases: usize,
    pub maxclients: usize,
    /// Connections beyond them, for the operator.
    pub operator_clients: usize,
    pub timeout_s: u64,
    pub tcp_keepalive_s: u64,
    pub tcp_backlog: u32,
    /// 0 for no limit.
    pub maxmemory_bytes: u64,
    pub maxmemory_clients: MemoryShare,
    pub maxmemory_policy: EvictionPolicy,
    pub maxmemory_samples: usize,
    /// Keys that eviction leaves alone.
    pub pinned_keys: Vec<Glob>,
    pub hash_max_listpack_entries: usize,
    pub hash_max_listpack_value: usize,
    /// Positive: entries per node; -1 to -5: 4, 8, 16, 32 or 64 KiB per node.
    pub list_max_listpack_size: i64,
    pub stream_node_max_bytes: usize,
    pub stream_node_max_entries: usize,
    pub set_max_intset_entries: usize,
    pub set_max_listpack_entries: usize,
    pub set_max_listpack_value: usize,
    pub zset_max_listpack_entries: usize,
    pub zset_max_listpack_value: usize,
    pub hll_sparse_max_bytes: usize,
    /// Never above [`BULK_BYTES_MAX`].
    pub proto_max_bulk_len: usize,
    pub client_query_buffer_limit: usize,
    pub normal_output: OutputLimit,
    pub replica_output: OutputLimit,
    pub pubsub_output: OutputLimit,
    /// Negative for never.
    pub slowlog_log_slower_than_us: i64,
    pub slowlog_max_len: usize,
    pub latency_tracking: bool,
    /// 0 for off.
    pub latency_monitor_threshold_ms: u64,
    /// `busy-reply-threshold`, in ms; 0 is never.
    pub busy_reply_threshold_ms: u64,
    pub loglevel: LogLevel,
    /// Empty for standard error. A relative path begins in `dir`.
    pub logfile: String,
    pub lazyfree_lazy_eviction: bool,
    pub lazyfree_lazy_expire: bool,
    pub lazyfree_lazy_server_del: bool,
    pub lazyfree_lazy_user_del: bool,
    pub lazyfree_lazy_user_flush: bool,
    pub enable_debug_command: DebugCommand,
    pub lfu_log_factor: u32,
    pub lfu_decay_time_min: u32,
    /// Worker threads; 0 for one fewer than there are cores, at the least one.
    pub io_threads: usize,
    pub notify_keyspace_events: KeyspaceEvents,
    pub tracking_table_max_keys: usize,
    pub rdbcompression: bool,
    /// The data directory.
    pub dir: String,
    pub dbfilename: String,
    /// Pairs of seconds and changes.
    pub save_points: Vec<(u64, u64)>,
    pub stop_writes_on_bgsave_error: bool,
    pub appendonly: bool,
    pub appendfsync: Fsync,
    pub appenddirname: String,
    pub appendfilename: String,
    pub aof_load_truncated: bool,
    pub aof_timestamp_enabled: bool,
    /// 0 for never.
    pub auto_aof_rewrite_percentage: u64,
    pub auto_aof_rewrite_min_size_bytes: u64,
    /// Start although a dataset is gone that was there.
    pub start_empty: bool,
    /// Whether a source has said where or when data are to be kept: without it, an instance lives in memory.
    pub is_durable: bool,
}

/// An amount of memory; 0 for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryShare {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths of `maxmemory`.
    Percent(u64),
}

/// Which keys make room at `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EvictionPolicy {
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
    AllkeysLru,
    AllkeysLfu,
    AllkeysRandom,
    NoEviction,
}

impl EvictionPolicy {
    /// Whether the policy counts how often keys are used.
    pub const fn is_lfu(self) -> bool {
        matches!(self, EvictionPolicy::VolatileLfu | EvictionPolicy::AllkeysLfu)
    }

    /// Whether only keys with a deadline make room.
    pub const fn is_volatile(self) -> bool {
        use EvictionPolicy::{VolatileLfu, VolatileLru, VolatileRandom, VolatileTtl};
        matches!(self, VolatileLru | VolatileLfu | VolatileRandom | VolatileTtl)
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
}

/// Who may use `DEBUG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DebugCommand {
    Nobody,
    Everybody,
    LocalConnections,
}

impl Settings {
    // long: one line for each setting
    pub(super) fn of(config: &Config) -> Settings {
        let [normal_output, replica_output, pubsub_output] = match config.value("client-output-buffer-limit") {
            Some(Value::OutputLimits(limits)) => *limits,
            other => mistyped("client-output-buffer-limit", other),
        };
        Settings {
            bind: words(config, "bind").iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect(),
            port: number(config, "port"),
            unixsocket: string(config, "unixsocket"),
            unixsocketperm: number(config, "unixsocketperm"),
            protected_mode: flag(config, "protected-mode"),
            cluster_enabled: flag(config, "cluster-enabled"),
            cluster_announce_ip: string(config, "cluster-announce-ip"),
            cluster_announce_port: number(config, "cluster-announce-port"),
            cluster_announce_bus_port: number(config, "cluster-announce-bus-port"),
            cluster_announce_hostname: string(config, "cluster-announce-hostname"),
            cluster_preferred_endpoint_type: choice(config, "cluster-preferred-endpoint-type"),
            requirepass: text(config, "requirepass").to_vec(),
            databases: number(config, "databases"),
            maxclients: number(config, "maxclients"),
            operator_clients: number(config, "operator-clients"),
            timeout_s: number(config, "timeout"),
            tcp_keepalive_s: number(config, "tcp-keepalive"),
            tcp_backlog: number(config, "tcp-backlog"),
            maxmemory_bytes: number(config, "maxmemory"),
            maxmemory_clients: match config.value("maxmemory-clients") {
                Some(Value::Memory(bytes)) => MemoryShare::Bytes(*bytes),
                Some(Value::Percent(percent)) => MemoryShare::Percent(*percent),
                other => mistyped("maxmemory-clients", other),
            },
            maxmemory_policy: policy(config),
            maxmemory_samples: number(config, "maxmemory-samples"),
            pinned_keys: words(config, "pinned-key-patterns").iter().map(|pattern| Glob::new(pattern)).collect(),
            hash_max_listpack_entries: number(config, "hash-max-listpack-entries"),
            hash_max_listpack_value: number(config, "hash-max-listpack-value"),
            list_max_listpack_size: number(config, "list-max-listpack-size"),
            stream_node_max_bytes: number(config, "stream-node-max-bytes"),
            stream_node_max_entries: number(config, "stream-node-max-entries"),
            set_max_intset_entries: number(config, "set-max-intset-entries"),
            set_max_listpack_entries: number(config, "set-max-listpack-entries"),
            set_max_listpack_value: number(config, "set-max-listpack-value"),
            zset_max_listpack_entries: number(config, "zset-max-listpack-entries"),
            zset_max_listpack_value: number(config, "zset-max-listpack-value"),
            hll_sparse_max_bytes: number(config, "hll-sparse-max-bytes"),
            proto_max_bulk_len: number::<usize>(config, "proto-max-bulk-len").min(BULK_BYTES_MAX),
            client_query_buffer_limit: number(config, "client-query-buffer-limit"),
            normal_output,
            replica_output,
            pubsub_output,
            slowlog_log_slower_than_us: number(config, "slowlog-log-slower-than"),
            slowlog_max_len: number(config, "slowlog-max-len"),
            latency_monitor_threshold_ms: number(config, "latency-monitor-threshold"),
            busy_reply_threshold_ms: number(config, "busy-reply-threshold"),
            latency_tracking: flag(config, "latency-tracking"),
            loglevel: log_level(config),
            logfile: String::from_utf8_lossy(text(config, "logfile")).into_owned(),
            lazyfree_lazy_eviction: flag(config, "lazyfree-lazy-eviction"),
            lazyfree_lazy_expire: flag(config, "lazyfree-lazy-expire"),
            lazyfree_lazy_server_del: flag(config, "lazyfree-lazy-server-del"),
            lazyfree_lazy_user_del: flag(config, "lazyfree-lazy-user-del"),
            lazyfree_lazy_user_flush: flag(config, "lazyfree-lazy-user-flush"),
            enable_debug_command: match choice(config, "enable-debug-command") {
                "yes" => DebugCommand::Everybody,
                "local" => DebugCommand::LocalConnections,
                _ => DebugCommand::Nobody,
            },
            lfu_log_factor: number(config, "lfu-log-factor"),
            lfu_decay_time_min: number(config, "lfu-decay-time"),
            io_threads: number(config, "io-threads"),
            tracking_table_max_keys: number(config, "tracking-table-max-keys"),
            notify_keyspace_events: match config.value("notify-keyspace-events") {
                Some(Value::KeyspaceEvents(events)) => *events,
                other => mistyped("notify-keyspace-events", other),
            },
            rdbcompression: flag(config, "rdbcompression"),
            dir: string(config, "dir"),
            dbfilename: string(config, "dbfilename"),
            save_points: match config.value("save") {
                Some(Value::Save(points)) => points.clone(),
                other => mistyped("save", other),
            },
            stop_writes_on_bgsave_error: flag(config, "stop-writes-on-bgsave-error"),
            appendonly: flag(config, "appendonly"),
            appendfsync: match choice(config, "appendfsync") {
                "always" => Fsync::Always,
                "no" => Fsync::No,
                _ => Fsync::EverySecond,
            },
            appenddirname: string(config, "appenddirname"),
            appendfilename: string(config, "appendfilename"),
            aof_load_truncated: flag(config, "aof-load-truncated"),
            aof_timestamp_enabled: flag(config, "aof-timestamp-enabled"),
            auto_aof_rewrite_percentage: number(config, "auto-aof-rewrite-percentage"),
            auto_aof_rewrite_min_size_bytes: number(config, "auto-aof-rewrite-min-size"),
            start_empty: flag(config, "start-empty"),
            is_durable: config.is_durable(),
        }
    }
}

/// When the append-only file is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before a reply is sent.
    Always,
    /// Once a second.
    EverySecond,
    /// When the system does it.
    No,
}

fn string(config: &Config, name: &str) -> String {
    String::from_utf8_lossy(text(config, name)).into_owned()
}

fn policy(config: &Config) -> EvictionPolicy {
    match choice(config, "maxmemory-policy") {
        "volatile-lru" => EvictionPolicy::VolatileLru,
        "volatile-lfu" => EvictionPolicy::VolatileLfu,
        "volatile-random" => EvictionPolicy::VolatileRandom,
        "volatile-ttl" => EvictionPolicy::VolatileTtl,
        "allkeys-lru" => EvictionPolicy::AllkeysLru,
        "allkeys-lfu" => EvictionPolicy::AllkeysLfu,
        "allkeys-random" => EvictionPolicy::AllkeysRandom,
        _ => EvictionPolicy::NoEviction,
    }
}

fn log_level(config: &Config) -> LogLevel {
    match choice(config, "loglevel") {
        "debug" => LogLevel::Debug,
        "verbose" => LogLevel::Verbose,
        "warning" => LogLevel::Warning,
        _ => LogLevel::Notice,
    }
}

/// The table and this file disagree: a mistake in the house that every test finds, not something from outside.
fn mistyped(name: &str, value: Option<&Value>) -> ! {
    unreachable!("the directive {name} is {value:?}")
}

/// A number in the width that its reader wants; the rows' bounds keep it in range, and a larger one saturates.
fn number<N: TryFrom<i128> + Saturating>(config: &Config, name: &str) -> N {
    let value = match config.value(name) {
        Some(Value::Integer(value)) => i128::from(*value),
        Some(Value::Memory(bytes)) => i128::from(*bytes),
        Some(Value::Octal(mode)) => i128::from(*mode),
        other => mistyped(name, other),
    };
    N::try_from(value).unwrap_or(N::LARGEST)
}

trait Saturating {
    const LARGEST: Self;
}

macro_rules! saturating {
    ($($int:ty)*) => { $(impl Saturating for $int { const LARGEST: $int = <$int>::MAX; })* };
}
saturating!(u16 u32 u64 usize i64);

fn flag(config: &Config, name: &str) -> bool {
    match config.value(name) {
        Some(Value::Flag(on)) => *on,
        other => mistyped(name, other),
    }
}

fn choice(config: &Config, name: &str) -> &'static str {
    match config.value(name) {
        Some(Value::Choice(word)) => word,
        other => mistyped(name, other),
    }
}

fn text<'a>(config: &'a Config, name: &str) -> &'a [u8] {
    match config.value(name) {
        Some(Value::Text(text)) => text,
        other => mistyped(name, other),
    }
}

fn words<'a>(config: &'a Config, name: &str) -> &'a [Vec<u8>] {
    match config.value(name) {
        Some(Value::Words(words)) => words,
        other => mistyped(name, other),
    }
}
