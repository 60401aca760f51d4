//! How the configuration takes effect: from the table's values to the places that read them.

use std::sync::atomic::Ordering::Relaxed;

use super::instance::Engine;
use crate::base::config::{ConfigError, MemoryShare, Settings};
use crate::base::process;

/// With a threshold of the slow log below this, every command is timed, in us.
const TIME_ALL_BELOW_US: i64 = 2_000;

impl Engine {
    /// Puts the settings into effect.
    pub fn apply_config(&self, settings: &Settings) {
        let ours = &self.settings;
        ours.hash_max_listpack_entries.store(settings.hash_max_listpack_entries, Relaxed);
        ours.hash_max_listpack_value.store(settings.hash_max_listpack_value, Relaxed);
        ours.set_max_listpack_entries.store(settings.set_max_listpack_entries, Relaxed);
        ours.set_max_listpack_value.store(settings.set_max_listpack_value, Relaxed);
        ours.set_max_intset_entries.store(settings.set_max_intset_entries, Relaxed);
        ours.zset_max_listpack_entries.store(settings.zset_max_listpack_entries, Relaxed);
        ours.zset_max_listpack_value.store(settings.zset_max_listpack_value, Relaxed);
        ours.list_max_listpack_size.store(settings.list_max_listpack_size, Relaxed);
        ours.stream_node_max_bytes.store(settings.stream_node_max_bytes, Relaxed);
        ours.stream_node_max_entries.store(settings.stream_node_max_entries, Relaxed);
        ours.hll_sparse_max_bytes.store(settings.hll_sparse_max_bytes, Relaxed);
        ours.proto_max_bulk_len.store(settings.proto_max_bulk_len, Relaxed);
        ours.cluster_enabled.store(settings.cluster_enabled, Relaxed);
        ours.rdbcompression.store(settings.rdbcompression, Relaxed);
        let memory = &self.memory;
        memory.limit.store(usize::try_from(settings.maxmemory_bytes).unwrap_or(usize::MAX), Relaxed);
        let clients_limit = match settings.maxmemory_clients {
            MemoryShare::Bytes(0) => process::total_memory_bytes() / 2,
            MemoryShare::Bytes(bytes) => bytes,
            MemoryShare::Percent(percent) => settings.maxmemory_bytes.saturating_mul(percent) / 100,
        };
        memory.clients_limit.store(usize::try_from(clients_limit).unwrap_or(usize::MAX), Relaxed);
        memory.samples.store(settings.maxmemory_samples, Relaxed);
        memory.log_factor.store(settings.lfu_log_factor, Relaxed);
        memory.decay_minutes.store(settings.lfu_decay_time_min, Relaxed);
        memory.set_policy(settings.maxmemory_policy);
        *memory.pinned.write() = settings.pinned_keys.clone();
        self.slowlog.configure(settings.slowlog_log_slower_than_us, settings.slowlog_max_len);
        self.latency.configure(settings.latency_monitor_threshold_ms);
        self.scripts.running.set_threshold_ms(settings.busy_reply_threshold_ms);
        let is_slowlog_keen = (0..TIME_ALL_BELOW_US).contains(&settings.slowlog_log_slower_than_us);
        self.times_all.store(is_slowlog_keen || settings.latency_monitor_threshold_ms > 0, Relaxed);
        *self.output_limits.write() = [settings.normal_output, settings.replica_output, settings.pubsub_output];
        self.clients.all().iter().for_each(|client| client.outbox.set_limit(settings.pubsub_output));
        self.stats.tracks_latency.store(settings.latency_tracking, Relaxed);
        self.set_password(Some(&settings.requirepass));
        self.query_bytes_max.store(settings.client_query_buffer_limit, Relaxed);
        let network = &self.network;
        network.clients_max.store(settings.maxclients, Relaxed);
        network.operator_clients.store(settings.operator_clients, Relaxed);
        network.idle_seconds_max.store(usize::try_from(settings.timeout_s).unwrap_or(usize::MAX), Relaxed);
        network.keepalive_seconds.store(usize::try_from(settings.tcp_keepalive_s).unwrap_or(0), Relaxed);
        network.protected.store(settings.protected_mode, Relaxed);
    }

    /// Changes directives at run time, all or none of them, and puts them into effect.
    ///
    /// # Errors
    /// What `CONFIG SET` replies.
    pub fn set_config(&self, pairs: &[(&[u8], &[u8])]) -> Result<(), ConfigError> {
        let mut config = self.config.write();
        let changed = config.set_many(pairs)?;
        let settings = config.settings();
        drop(config);
        self.apply_config(&settings);
        self.persistence.configure(&settings);
        if let Some(follow) = &*self.log_level.read()
            && changed.iter().any(|row| row.name == "loglevel")
        {
            follow(settings.loglevel);
        }
        Ok(())
    }
}
