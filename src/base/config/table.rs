//! The rows of the configuration table: every directive of redis.conf 7.2, and ours.
//!
//! A row says what a directive accepts, what it is at the start, whether it may change at run time, and what it does
//! here. Adding a directive takes a row, and a field of [`super::Settings`] where it is effective.

/// One directive.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// An older name that means the same.
    pub alias: Option<&'static str>,
    /// What it accepts.
    pub kind: Kind,
    /// Its value at the start, as it would be written.
    pub default: &'static str,
    /// Who may change it, and when.
    pub access: Access,
    /// What it does here.
    pub class: Class,
    /// `CONFIG GET` shows it only when asked by its exact name.
    pub hidden: bool,
    /// Its value must not appear in logs.
    pub sensitive: bool,
}

/// What a directive accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A decimal integer.
    #[allow(missing_docs)]
    Integer { min: i64, max: i64 },
    /// Calls per second: an integer that is moved into 1 to 500.
    Frequency,
    /// File permissions in octal.
    Octal,
    /// Bytes, with an optional unit `b`, `k`, `kb`, `m`, `mb`, `g`, `gb`.
    #[allow(missing_docs)]
    Memory { min: u64, max: u64 },
    /// Bytes as above, or a percentage of `maxmemory`.
    MemoryOrPercent,
    /// `yes` or `no`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any of these words; the first stands for none.
    Choices(&'static [&'static str]),
    /// Anything, as one word.
    Text,
    /// Any number of words.
    Words,
    /// Pairs of seconds and changes.
    Save,
    /// Groups of client class, hard limit, soft limit, seconds.
    OutputLimits,
    /// Letters of event classes.
    KeyspaceEvents,
    /// Three integers from -2000 to 2000.
    OomScores,
    /// Percentiles from 0 to 100.
    Percentiles,
}

/// Who may change a directive, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Any time.
    Modifiable,
    /// Before the start only.
    Immutable,
    /// The same, but at any time to what it is; any other value is refused for this reason.
    Fixed(&'static str),
    /// Before the start only, unless `enable-protected-configs` says otherwise.
    Protected,
    /// Only in a file or on the command line, where it may be repeated; `CONFIG` does not know it.
    FileOnly,
}

/// What a directive does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What it says.
    Effective,
    /// Nothing; another value than the default is worth a warning.
    WithoutEffect,
    /// Another value than the default is an error, with what to do.
    Refused(&'static str),
}

const fn row(name: &'static str, kind: Kind, default: &'static str) -> Row {
    Row {
        name,
        alias: None,
        kind,
        default,
        access: Access::Modifiable,
        class: Class::WithoutEffect,
        hidden: false,
        sensitive: false,
    }
}

impl Row {
    const fn alias(self, alias: &'static str) -> Row {
        Row { alias: Some(alias), ..self }
    }
    const fn immutable(self) -> Row {
        Row { access: Access::Immutable, ..self }
    }
    const fn fixed(self, reason: &'static str) -> Row {
        Row { access: Access::Fixed(reason), ..self }
    }
    const fn protected(self) -> Row {
        Row { access: Access::Protected, ..self }
    }
    const fn file_only(self) -> Row {
        Row { access: Access::FileOnly, ..self }
    }
    const fn hidden(self) -> Row {
        Row { hidden: true, ..self }
    }
    const fn sensitive(self) -> Row {
        Row { sensitive: true, ..self }
    }
    const fn effective(self) -> Row {
        Row { class: Class::Effective, ..self }
    }
    const fn refused(self, what_to_do: &'static str) -> Row {
        Row { class: Class::Refused(what_to_do), ..self }
    }

    /// Whether `name` is the row's name or its alias, in either case.
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.names().any(|own| own.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The name and the alias.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.alias)
    }
}

const INT: i64 = i32::MAX as i64;
const UINT: i64 = u32::MAX as i64;
const LONG: u64 = i64::MAX as u64;
const PORT: i64 = u16::MAX as i64;
const NO_YES_LOCAL: &[&str] = &["no", "yes", "local"];
const SHUTDOWN: &[&str] = &["default", "save", "nosave", "now", "force"];

/// Every directive, in alphabetical order; those of files only stand at the end.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    row("acl-pubsub-default", Kind::Choice(&["allchannels", "resetchannels"]), "resetchannels"),
    row("aclfile", Kind::Text, "").immutable().refused("ACL users are not there yet: remove the line and use requirepass"),
    row("acllog-max-len", Kind::Integer { min: 0, max: i64::MAX }, "128"),
    row("active-defrag-cycle-max", Kind::Integer { min: 1, max: 99 }, "25"),
    row("active-defrag-cycle-min", Kind::Integer { min: 1, max: 99 }, "1"),
    row("active-defrag-ignore-bytes", Kind::Memory { min: 1, max: LONG }, "104857600"),
    row("active-defrag-max-scan-fields", Kind::Integer { min: 1, max: i64::MAX }, "1000"),
    row("active-defrag-threshold-lower", Kind::Integer { min: 0, max: 1000 }, "10"),
    row("active-defrag-threshold-upper", Kind::Integer { min: 0, max: 1000 }, "100"),
    row("active-expire-effort", Kind::Integer { min: 1, max: 10 }, "1"),
    row("activedefrag", Kind::Flag, "no"),
    row("activerehashing", Kind::Flag, "yes"),
    row("always-show-logo", Kind::Flag, "no").immutable(),
    row("aof-disable-auto-gc", Kind::Flag, "no").hidden(),
    row("aof-load-truncated", Kind::Flag, "yes").effective(),
    row("aof_rewrite_cpulist", Kind::Text, "").alias("aof-rewrite-cpulist").immutable(),
    row("aof-rewrite-incremental-fsync", Kind::Flag, "yes"),
    row("aof-timestamp-enabled", Kind::Flag, "no").effective(),
    row("aof-use-rdb-preamble", Kind::Flag, "yes"),
    row("appenddirname", Kind::Text, "appendonlydir").immutable().effective(),
    row("appendfilename", Kind::Text, "appendonly.aof").immutable().effective(),
    row("appendfsync", Kind::Choice(&["everysec", "always", "no"]), "everysec").effective(),
    row("appendonly", Kind::Flag, "no").effective(),
    row("auto-aof-rewrite-min-size", Kind::Memory { min: 0, max: LONG }, "67108864").effective(),
    row("auto-aof-rewrite-percentage", Kind::Integer { min: 0, max: INT }, "100").effective(),
    row("bgsave_cpulist", Kind::Text, "").alias("bgsave-cpulist").immutable(),
    row("bind", Kind::Words, "127.0.0.1 -::1").fixed("Failed to bind to specified addresses.").effective(),
    row("bind-source-addr", Kind::Text, ""),
    row("bio_cpulist", Kind::Text, "").alias("bio-cpulist").immutable(),
    row("busy-reply-threshold", Kind::Integer { min: 0, max: i64::MAX }, "5000").effective().alias("lua-time-limit"),
    row("client-output-buffer-limit", Kind::OutputLimits, "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60").effective(),
    row("client-query-buffer-limit", Kind::Memory { min: 1 << 20, max: LONG }, "1073741824").effective(),
    row("cluster-allow-pubsubshard-when-down", Kind::Flag, "yes"),
    row("cluster-allow-reads-when-down", Kind::Flag, "no"),
    row("cluster-allow-replica-migration", Kind::Flag, "yes"),
    row("cluster-announce-bus-port", Kind::Integer { min: 0, max: PORT }, "0").effective(),
    row("cluster-announce-hostname", Kind::Text, "").effective(),
    row("cluster-announce-human-nodename", Kind::Text, ""),
    row("cluster-announce-ip", Kind::Text, "").effective(),
    row("cluster-announce-port", Kind::Integer { min: 0, max: PORT }, "0").effective(),
    row("cluster-announce-tls-port", Kind::Integer { min: 0, max: PORT }, "0"),
    row("cluster-config-file", Kind::Text, "nodes.conf").immutable(),
    row("cluster-enabled", Kind::Flag, "no").immutable().effective(),
    row("cluster-link-sendbuf-limit", Kind::Memory { min: 0, max: u64::MAX }, "0"),
    row("cluster-migration-barrier", Kind::Integer { min: 0, max: INT }, "1"),
    row("cluster-node-timeout", Kind::Integer { min: 0, max: i64::MAX }, "15000"),
    row("cluster-port", Kind::Integer { min: 0, max: PORT }, "0").immutable(),
    row("cluster-preferred-endpoint-type", Kind::Choice(&["ip", "hostname", "unknown-endpoint"]), "ip").effective(),
    row("cluster-replica-no-failover", Kind::Flag, "no").alias("cluster-slave-no-failover"),
    row("cluster-replica-validity-factor", Kind::Integer { min: 0, max: INT }, "10").alias("cluster-slave-validity-factor"),
    row("cluster-require-full-coverage", Kind::Flag, "yes"),
    row("crash-log-enabled", Kind::Flag, "yes"),
    row("crash-memcheck-enabled", Kind::Flag, "yes"),
    row("daemonize", Kind::Flag, "no").immutable(),
    row("databases", Kind::Integer { min: 1, max: INT }, "16").immutable().effective(),
    row("dbfilename", Kind::Text, "dump.rdb").protected().effective(),
    row("dir", Kind::Text, ".").protected().effective(),
    row("disable-thp", Kind::Flag, "yes").immutable(),
    row("dynamic-hz", Kind::Flag, "yes"),
    row("enable-debug-command", Kind::Choice(NO_YES_LOCAL), "no").immutable().effective(),
    row("enable-module-command", Kind::Choice(NO_YES_LOCAL), "no").immutable(),
    row("enable-protected-configs", Kind::Choice(NO_YES_LOCAL), "no").immutable().effective(),
    row("hash-max-listpack-entries", Kind::Integer { min: 0, max: i64::MAX }, "512").alias("hash-max-ziplist-entries").effective(),
    row("hash-max-listpack-value", Kind::Memory { min: 0, max: LONG }, "64").alias("hash-max-ziplist-value").effective(),
    row("hll-sparse-max-bytes", Kind::Memory { min: 0, max: LONG }, "3000").effective(),
    row("hz", Kind::Frequency, "10"),
    row("ignore-warnings", Kind::Text, ""),
    row("io-threads", Kind::Integer { min: 0, max: 128 }, "0").immutable().effective(),
    row("io-threads-do-reads", Kind::Flag, "no").immutable(),
    row("jemalloc-bg-thread", Kind::Flag, "yes"),
    row("key-load-delay", Kind::Integer { min: -INT - 1, max: INT }, "0").hidden(),
    row("latency-monitor-threshold", Kind::Integer { min: 0, max: i64::MAX }, "0").effective(),
    row("latency-tracking", Kind::Flag, "yes").effective(),
    row("latency-tracking-info-percentiles", Kind::Percentiles, "50 99 99.9").effective(),
    row("lazyfree-lazy-eviction", Kind::Flag, "no").effective(),
    row("lazyfree-lazy-expire", Kind::Flag, "no").effective(),
    row("lazyfree-lazy-server-del", Kind::Flag, "no").effective(),
    row("lazyfree-lazy-user-del", Kind::Flag, "no").effective(),
    row("lazyfree-lazy-user-flush", Kind::Flag, "no").effective(),
    row("lfu-decay-time", Kind::Integer { min: 0, max: INT }, "1").effective(),
    row("lfu-log-factor", Kind::Integer { min: 0, max: INT }, "10").effective(),
    row("list-compress-depth", Kind::Integer { min: 0, max: INT }, "0"),
    row("list-max-listpack-size", Kind::Integer { min: -INT - 1, max: INT }, "-2").alias("list-max-ziplist-size").effective(),
    row("locale-collate", Kind::Text, ""),
    row("logfile", Kind::Text, "").immutable().effective(),
    row("loglevel", Kind::Choice(&["debug", "verbose", "notice", "warning"]), "notice").effective(),
    row("masterauth", Kind::Text, "").sensitive(),
    row("masteruser", Kind::Text, "").sensitive(),
    row("maxclients", Kind::Integer { min: 1, max: UINT }, "10000").effective(),
    row("maxmemory", Kind::Memory { min: 0, max: u64::MAX }, "0").effective(),
    row("maxmemory-clients", Kind::MemoryOrPercent, "0").effective(),
    row("maxmemory-eviction-tenacity", Kind::Integer { min: 0, max: 100 }, "10"),
    row("maxmemory-policy", Kind::Choice(&["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"]), "noeviction").effective(),
    row("maxmemory-samples", Kind::Integer { min: 1, max: INT }, "5").effective(),
    row("min-replicas-max-lag", Kind::Integer { min: 0, max: INT }, "10").alias("min-slaves-max-lag"),
    row("min-replicas-to-write", Kind::Integer { min: 0, max: INT }, "0").alias("min-slaves-to-write"),
    row("no-appendfsync-on-rewrite", Kind::Flag, "no"),
    row("notify-keyspace-events", Kind::KeyspaceEvents, ""),
    row("oom-score-adj", Kind::Choice(&["no", "yes", "relative", "absolute"]), "no"),
    row("oom-score-adj-values", Kind::OomScores, "0 200 800"),
    row("operator-clients", Kind::Integer { min: 0, max: INT }, "4").effective(),
    row("pidfile", Kind::Text, "").immutable(),
    row("pinned-key-patterns", Kind::Words, "*lock:* job:* queue:* *session* token:*").effective(),
    row("port", Kind::Integer { min: 0, max: PORT }, "6379").fixed("Unable to listen on this port. Check server logs.").effective(),
    row("proc-title-template", Kind::Text, "{title} {listen-addr} {server-mode}"),
    row("propagation-error-behavior", Kind::Choice(&["ignore", "panic", "panic-on-replicas"]), "ignore"),
    row("protected-mode", Kind::Flag, "yes").effective(),
    row("proto-max-bulk-len", Kind::Memory { min: 1 << 20, max: LONG }, "536870912").effective(),
    row("rdb-del-sync-files", Kind::Flag, "no"),
    row("rdb-key-save-delay", Kind::Integer { min: -INT - 1, max: INT }, "0").hidden(),
    row("rdb-save-incremental-fsync", Kind::Flag, "yes"),
    row("rdbchecksum", Kind::Flag, "yes").immutable(),
    row("rdbcompression", Kind::Flag, "yes"),
    row("repl-backlog-size", Kind::Memory { min: 1, max: LONG }, "1048576"),
    row("repl-backlog-ttl", Kind::Integer { min: 0, max: i64::MAX }, "3600"),
    row("repl-disable-tcp-nodelay", Kind::Flag, "no"),
    row("repl-diskless-load", Kind::Choice(&["disabled", "on-empty-db", "swapdb"]), "disabled"),
    row("repl-diskless-sync", Kind::Flag, "yes"),
    row("repl-diskless-sync-delay", Kind::Integer { min: 0, max: INT }, "5"),
    row("repl-diskless-sync-max-replicas", Kind::Integer { min: 0, max: INT }, "0"),
    row("repl-ping-replica-period", Kind::Integer { min: 1, max: INT }, "10").alias("repl-ping-slave-period"),
    row("repl-timeout", Kind::Integer { min: 1, max: INT }, "60"),
    row("replica-announce-ip", Kind::Text, "").alias("slave-announce-ip"),
    row("replica-announce-port", Kind::Integer { min: 0, max: PORT }, "0").alias("slave-announce-port"),
    row("replica-announced", Kind::Flag, "yes"),
    row("replica-ignore-disk-write-errors", Kind::Flag, "no"),
    row("replica-ignore-maxmemory", Kind::Flag, "yes").alias("slave-ignore-maxmemory"),
    row("replica-lazy-flush", Kind::Flag, "no").alias("slave-lazy-flush"),
    row("replica-priority", Kind::Integer { min: 0, max: INT }, "100").alias("slave-priority"),
    row("replica-read-only", Kind::Flag, "yes").alias("slave-read-only"),
    row("replica-serve-stale-data", Kind::Flag, "yes").alias("slave-serve-stale-data"),
    row("replicaof", Kind::Words, "").alias("slaveof").immutable().refused("replication is not there yet: remove the line"),
    row("requirepass", Kind::Text, "").sensitive().effective(),
    row("sanitize-dump-payload", Kind::Choice(&["no", "yes", "clients"]), "no"),
    row("save", Kind::Save, "3600 1 300 100 60 10000").effective(),
    row("server_cpulist", Kind::Text, "").alias("server-cpulist").immutable(),
    row("set-max-intset-entries", Kind::Integer { min: 0, max: i64::MAX }, "512").effective(),
    row("set-max-listpack-entries", Kind::Integer { min: 0, max: i64::MAX }, "128").effective(),
    row("set-max-listpack-value", Kind::Memory { min: 0, max: LONG }, "64").effective(),
    row("set-proc-title", Kind::Flag, "yes").immutable(),
    row("shutdown-on-sigint", Kind::Choices(SHUTDOWN), "default"),
    row("shutdown-on-sigterm", Kind::Choices(SHUTDOWN), "default"),
    row("shutdown-timeout", Kind::Integer { min: 0, max: INT }, "10"),
    row("slowlog-log-slower-than", Kind::Integer { min: -1, max: i64::MAX }, "10000").effective(),
    row("slowlog-max-len", Kind::Integer { min: 0, max: i64::MAX }, "128").effective(),
    row("socket-mark-id", Kind::Integer { min: 0, max: UINT }, "0").immutable(),
    row("start-empty", Kind::Flag, "no").immutable().effective(),
    row("stop-writes-on-bgsave-error", Kind::Flag, "yes").effective(),
    row("stream-node-max-bytes", Kind::Memory { min: 0, max: LONG }, "4096").effective(),
    row("stream-node-max-entries", Kind::Integer { min: 0, max: i64::MAX }, "100").effective(),
    row("supervised", Kind::Choice(&["upstart", "systemd", "auto", "no"]), "no").immutable(),
    row("syslog-enabled", Kind::Flag, "no").immutable(),
    row("syslog-facility", Kind::Choice(&["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]), "local0").immutable(),
    row("syslog-ident", Kind::Text, "redis").immutable(),
    row("tcp-backlog", Kind::Integer { min: 0, max: INT }, "511").immutable().effective(),
    row("tcp-keepalive", Kind::Integer { min: 0, max: INT }, "300").effective(),
    row("timeout", Kind::Integer { min: 0, max: INT }, "0").effective(),
    row("tls-auth-clients", Kind::Choice(&["no", "yes", "optional"]), "yes"),
    row("tls-ca-cert-dir", Kind::Text, ""),
    row("tls-ca-cert-file", Kind::Text, ""),
    row("tls-cert-file", Kind::Text, ""),
    row("tls-ciphers", Kind::Text, ""),
    row("tls-ciphersuites", Kind::Text, ""),
    row("tls-client-cert-file", Kind::Text, ""),
    row("tls-client-key-file", Kind::Text, ""),
    row("tls-client-key-file-pass", Kind::Text, "").sensitive(),
    row("tls-cluster", Kind::Flag, "no"),
    row("tls-dh-params-file", Kind::Text, ""),
    row("tls-key-file", Kind::Text, ""),
    row("tls-key-file-pass", Kind::Text, "").sensitive(),
    row("tls-port", Kind::Integer { min: 0, max: PORT }, "0").refused("TLS is not there yet: remove the line and keep the port inside of a trusted network"),
    row("tls-prefer-server-ciphers", Kind::Flag, "no"),
    row("tls-protocols", Kind::Text, ""),
    row("tls-replication", Kind::Flag, "no"),
    row("tls-session-cache-size", Kind::Integer { min: 0, max: INT }, "20480"),
    row("tls-session-cache-timeout", Kind::Integer { min: 0, max: INT }, "300"),
    row("tls-session-caching", Kind::Flag, "yes"),
    row("tracking-table-max-keys", Kind::Integer { min: 0, max: i64::MAX }, "1000000"),
    row("unixsocket", Kind::Text, "").immutable().effective(),
    row("unixsocketperm", Kind::Octal, "0").immutable().effective(),
    row("use-exit-on-panic", Kind::Flag, "no").hidden(),
    row("watchdog-period", Kind::Integer { min: 0, max: INT }, "0").hidden(),
    row("zset-max-listpack-entries", Kind::Integer { min: 0, max: i64::MAX }, "128").alias("zset-max-ziplist-entries").effective(),
    row("zset-max-listpack-value", Kind::Memory { min: 0, max: LONG }, "64").alias("zset-max-ziplist-value").effective(),
    row("loadmodule", Kind::Words, "").file_only().refused("there are no modules: remove the line"),
    row("rename-command", Kind::Words, "").file_only().refused("commands keep their names: remove the line"),
    row("user", Kind::Words, "").file_only().refused("ACL users are not there yet: remove the line and use requirepass"),
];
