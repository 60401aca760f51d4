//! The sections of INFO except the memory section.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use super::Text;
use crate::base::process;
use crate::engine::Call;
use crate::engine::commands::connection::REDIS_VERSION;
use crate::engine::instance::Hindrance;
use crate::engine::persistence::Job;
use crate::engine::registry::REGISTRY;
use crate::engine::stats::Counter;
use crate::store::eviction;

/// A setting as CONFIG GET shows it.
fn setting(call: &Call<'_, '_>, name: &str) -> String {
    let value = call.engine.config.read().text(name).unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

/// `# Server`
pub(super) fn server(text: &mut Text, call: &mut Call<'_, '_>) {
    let engine = call.engine;
    let port = engine.port.load(Relaxed);
    let uptime_s = call.context.keys.now_ms.saturating_sub(engine.started_ms) / 1000;
    let executable = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    text.field("redis_version", REDIS_VERSION);
    text.field("server_name", "pipkin");
    text.field("pipkin_version", env!("CARGO_PKG_VERSION"));
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("redis_build_id", env!("CARGO_PKG_VERSION"));
    text.field("redis_mode", engine.cluster.mode());
    text.field("os", process::system_name());
    text.field("arch_bits", usize::BITS);
    text.field("monotonic_clock", "POSIX clock_gettime");
    text.field("multiplexing_api", if cfg!(target_os = "linux") { "epoll" } else { "kqueue" });
    // What Redis shows where no GCC was at work.
    text.field("gcc_version", "0.0.0");
    text.field("process_id", std::process::id());
    text.field("process_supervised", "no");
    text.field("run_id", &engine.run_id);
    text.field("tcp_port", port);
    text.field("server_time_usec", engine.clock.now_us());
    text.field("uptime_in_seconds", uptime_s);
    text.field("uptime_in_days", uptime_s / 86_400);
    text.field("hz", setting(call, "hz"));
    text.field("configured_hz", setting(call, "hz"));
    text.field("lru_clock", eviction::recency_at(call.context.keys.now_ms));
    text.field("executable", executable);
    let config_file = engine.config_file.get().map(|path| path.display().to_string());
    text.field("config_file", config_file.unwrap_or_default());
    text.field("io_threads_active", 0);
    if port != 0 {
        let bind: String = setting(call, "bind").split(' ').map(|address| format!("bind={address},")).collect();
        text.field("listener0", format_args!("name=tcp,{bind}port={port}"));
    }
    let path = setting(call, "unixsocket");
    if !path.is_empty() {
        text.field(format_args!("listener{}", u8::from(port != 0)), format_args!("name=unix,bind={path}"));
    }
}

/// `# Clients`
pub(super) fn clients(text: &mut Text, call: &mut Call<'_, '_>) {
    let all = call.engine.clients.all();
    let largest = |bytes: fn(&crate::engine::clients::Client) -> u64| all.iter().map(|c| bytes(c)).max().unwrap_or(0);
    text.field("connected_clients", call.engine.clients.connected());
    text.field("cluster_connections", 0);
    text.field("maxclients", setting(call, "maxclients"));
    text.field("client_recent_max_input_buffer", largest(|client| client.held.query_bytes.load(Relaxed)));
    text.field("client_recent_max_output_buffer", largest(|client| client.held.output_bytes.load(Relaxed)));
    text.field("blocked_clients", all.iter().filter(|client| client.is_blocked()).count());
    text.field("tracking_clients", call.engine.tracking.trackers());
    text.field("pubsub_clients", all.iter().filter(|client| client.is_subscriber()).count());
    text.field("watching_clients", all.iter().filter(|client| client.watching.load(Relaxed) > 0).count());
    text.field("clients_in_timeout_table", call.engine.timers.len());
    text.field("total_watched_keys", all.iter().map(|client| u64::from(client.watching.load(Relaxed))).sum::<u64>());
    let waiters: Vec<_> = all.iter().filter_map(|client| client.waiting()).collect();
    let keys: HashSet<_> = waiters.iter().flat_map(|waiter| waiter.awaited()).collect();
    text.field("total_blocking_keys", keys.len());
    let on_nokey = waiters.iter().filter(|waiter| waiter.ends_without_key());
    let keys: HashSet<_> = on_nokey.flat_map(|waiter| waiter.awaited()).collect();
    text.field("total_blocking_keys_on_nokey", keys.len());
}

/// `# Persistence`
pub(super) fn persistence(text: &mut Text, call: &mut Call<'_, '_>) {
    let (engine, persistence) = (call.engine, &call.engine.persistence);
    let (state, loading) = (persistence.state(), &persistence.loading);
    let is_loading = engine.is_hindered(Hindrance::Loading);
    let now_ms = engine.clock.now_ms();
    let is = |job| u8::from(state.job() == Some(job));
    let running_s = |job| match state.running {
        // Seconds stay far below 2^63.
        Some((running, since)) if running == job => (now_ms.saturating_sub(since) / 1000) as i64,
        _ => -1,
    };
    let status = |failed: bool| if failed { "err" } else { "ok" };
    let took_s = |took_ms: Option<u64>| took_ms.map_or(-1, |ms| (ms / 1000) as i64);
    text.field("loading", u8::from(is_loading));
    text.field("async_loading", 0);
    text.fields(&["current_cow_peak", "current_cow_size", "current_cow_size_age"], 0);
    text.field("current_fork_perc", "0.00");
    let progress = &engine.persistence.progress;
    text.field("current_save_keys_processed", progress.keys.load(Relaxed));
    text.field("current_save_keys_total", progress.total.load(Relaxed));
    let changes = engine.stats.get(Counter::Changes).saturating_sub(state.saved_changes);
    text.field("rdb_changes_since_last_save", changes);
    text.field("rdb_bgsave_in_progress", is(Job::Save));
    let saved_ms = if state.saved_ms == 0 { engine.started_ms } else { state.saved_ms };
    text.field("rdb_last_save_time", saved_ms / 1000);
    text.field("rdb_last_bgsave_status", status(state.saves.has_failed));
    text.field("rdb_last_bgsave_time_sec", took_s(state.saves.took_ms));
    text.field("rdb_current_bgsave_time_sec", running_s(Job::Save));
    text.field("rdb_saves", state.saves.count);
    text.field("rdb_last_cow_size", state.saves.extra_bytes);
    text.field("rdb_last_load_keys_expired", loading.expired.load(Relaxed));
    text.field("rdb_last_load_keys_loaded", loading.keys.load(Relaxed));
    let log = persistence.log();
    text.field("aof_enabled", u8::from(log.is_some()));
    text.field("aof_rewrite_in_progress", is(Job::Rewrite));
    text.field("aof_rewrite_scheduled", u8::from(state.is_waiting(Job::Rewrite)));
    text.field("aof_last_rewrite_time_sec", took_s(state.rewrites.took_ms));
    text.field("aof_current_rewrite_time_sec", running_s(Job::Rewrite));
    text.field("aof_last_bgrewrite_status", status(state.rewrites.has_failed));
    text.field("aof_rewrites", state.rewrites.count);
    text.field("aof_rewrites_consecutive_failures", state.rewrites.failures);
    text.field("aof_last_write_status", status(log.as_ref().is_some_and(|log| log.is_failed())));
    text.field("aof_last_cow_size", state.rewrites.extra_bytes);
    text.fields(&["module_fork_in_progress", "module_fork_last_cow_size"], 0);
    if let (Some(log), Some((base_bytes, all_bytes))) = (&log, persistence.log_sizes()) {
        text.field("aof_current_size", all_bytes);
        text.field("aof_base_size", base_bytes);
        text.field("aof_pending_rewrite", u8::from(state.is_waiting(Job::Rewrite)));
        text.field("aof_buffer_length", log.backlog());
        text.field("aof_pending_bio_fsync", u8::from(log.synced() < log.written()));
        text.field("aof_delayed_fsync", log.stats().waits);
        text.field("aof_unsynced_bytes", log.end().as_u64().saturating_sub(log.synced().as_u64()));
        text.field("aof_unsynced_age_ms", log.unsynced_age_ms(now_ms));
    }
    if is_loading {
        let (total, loaded) = (loading.total_bytes.load(Relaxed), loading.loaded_bytes.load(Relaxed));
        let started_ms = loading.started_ms.load(Relaxed);
        let elapsed_s = now_ms.saturating_sub(started_ms) / 1000;
        text.field("loading_start_time", started_ms / 1000);
        text.field("loading_total_bytes", total);
        text.field("loading_rdb_used_mem", 0);
        text.field("loading_loaded_bytes", loaded);
        text.field("loading_loaded_perc", format_args!("{:.2}", loaded as f64 * 100.0 / total.max(1) as f64));
        text.field("loading_eta_seconds", elapsed_s * total.saturating_sub(loaded) / loaded.max(1));
    }
}

/// `# Stats`
pub(super) fn stats(text: &mut Text, call: &mut Call<'_, '_>) {
    let engine = call.engine;
    let rates = engine.stats.rates(engine.clock.monotonic_us());
    let get = |counter| engine.stats.get(counter);
    text.field("total_connections_received", get(Counter::Connections));
    text.field("total_commands_processed", engine.stats.commands_processed());
    text.field("instantaneous_ops_per_sec", format_args!("{:.0}", rates.commands));
    text.field("total_net_input_bytes", get(Counter::InputBytes));
    text.field("total_net_output_bytes", get(Counter::OutputBytes));
    text.fields(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"], 0);
    text.field("instantaneous_input_kbps", format_args!("{:.2}", rates.input_bytes / 1024.0));
    text.field("instantaneous_output_kbps", format_args!("{:.2}", rates.output_bytes / 1024.0));
    text.fields(&["instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps"], "0.00");
    text.field("rejected_connections", get(Counter::RejectedConnections));
    text.fields(&["sync_full", "sync_partial_ok", "sync_partial_err"], 0);
    text.field("expired_keys", get(Counter::Expired));
    text.field("expired_stale_perc", "0.00");
    text.fields(&["expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"], 0);
    text.field("evicted_keys", get(Counter::Evicted));
    text.field("evicted_clients", get(Counter::EvictedClients));
    text.fields(&["total_eviction_exceeded_time", "current_eviction_exceeded_time"], 0);
    text.field("keyspace_hits", get(Counter::Hits));
    text.field("keyspace_misses", get(Counter::Misses));
    text.field("pubsub_channels", engine.pubsub.channels.count());
    text.field("pubsub_patterns", engine.pubsub.pattern_count());
    text.field("pubsubshard_channels", engine.pubsub.shard_channels.count());
    text.fields(&["latest_fork_usec", "total_forks", "migrate_cached_sockets"], 0);
    text.fields(&["slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses"], 0);
    text.fields(&["active_defrag_key_hits", "active_defrag_key_misses"], 0);
    text.fields(&["total_active_defrag_time", "current_active_defrag_time"], 0);
    let (keys, items, prefixes) = engine.tracking.sizes();
    text.field("tracking_total_keys", keys);
    text.field("tracking_total_items", items);
    text.field("tracking_total_prefixes", prefixes);
    text.field("unexpected_error_replies", 0);
    text.field("total_error_replies", get(Counter::Errors));
    text.field("dump_payload_sanitizations", 0);
    text.field("total_reads_processed", get(Counter::Reads));
    text.field("total_writes_processed", get(Counter::Writes));
    text.fields(&["io_threaded_reads_processed", "io_threaded_writes_processed"], 0);
    text.field("client_query_buffer_limit_disconnections", get(Counter::QueryLimitDisconnections));
    text.field("client_output_buffer_limit_disconnections", get(Counter::OutputLimitDisconnections));
    text.fields(&["reply_buffer_shrinks", "reply_buffer_expands"], 0);
    text.field("acl_access_denied_auth", get(Counter::FailedLogins));
    text.fields(&["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"], 0);
    // What Redis does not count.
    text.field("protocol_errors", get(Counter::ProtocolErrors));
    text.field("unauthenticated_commands", get(Counter::DeniedUnauthenticated));
    text.field("overdue_clients", get(Counter::OverdueClients));
    text.field("killed_clients", get(Counter::KilledClients));
    text.field("accept_errors", get(Counter::AcceptErrors));
    text.field("clock_steps", get(Counter::ClockSteps));
    text.field("read_only_since_failure", u8::from(engine.is_latched()));
}

/// `# Replication`
pub(super) fn replication(text: &mut Text, call: &mut Call<'_, '_>) {
    text.field("role", "master");
    text.field("connected_slaves", 0);
    text.field("master_failover_state", "no-failover");
    text.field("master_replid", &*call.engine.replication_id.lock());
    text.field("master_replid2", "0".repeat(40));
    text.field("master_repl_offset", 0);
    text.field("second_repl_offset", -1);
    text.field("repl_backlog_active", 0);
    text.field("repl_backlog_size", setting(call, "repl-backlog-size"));
    text.fields(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"], 0);
}

/// `# CPU`
pub(super) fn cpu(text: &mut Text, _: &mut Call<'_, '_>) {
    let times = process::cpu_times();
    for (suffix, time) in [("", times.own), ("_children", times.children), ("_main_thread", times.main_thread)] {
        for (kind, us) in [("sys", time.system_us), ("user", time.user_us)] {
            let seconds = format_args!("{}.{:06}", us / 1_000_000, us % 1_000_000).to_string();
            text.field(format_args!("used_cpu_{kind}{suffix}"), seconds);
        }
    }
}

/// `# Commandstats`
pub(super) fn commandstats(text: &mut Text, call: &mut Call<'_, '_>) {
    for command in &REGISTRY.all {
        let stats = call.engine.stats.command(command.id);
        if stats.calls == 0 && stats.rejected == 0 && stats.failed == 0 {
            continue;
        }
        let usec = stats.nanoseconds / 1000;
        let per_call = if stats.calls == 0 { 0.0 } else { stats.nanoseconds as f64 / 1000.0 / stats.calls as f64 };
        text.field(
            format_args!("cmdstat_{}", command.full_name),
            format_args!(
                "calls={},usec={usec},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                stats.calls, stats.rejected, stats.failed
            ),
        );
    }
}

/// `# Latencystats`
pub(super) fn latencystats(text: &mut Text, call: &mut Call<'_, '_>) {
    let stats = &call.engine.stats;
    if !stats.tracks_latency.load(Relaxed) {
        return;
    }
    let names = setting(call, "latency-tracking-info-percentiles");
    let names: Vec<&str> = names.split_whitespace().collect();
    let percents: Vec<f64> = names.iter().filter_map(|name| name.parse().ok()).collect();
    for command in &REGISTRY.all {
        let Some(times) = stats.latency(command.id).and_then(|latency| latency.percentiles(&percents)) else {
            continue;
        };
        let shown = names.iter().zip(times).map(|(name, ns)| format!("p{name}={:.3}", ns as f64 / 1000.0));
        let shown = shown.collect::<Vec<_>>().join(",");
        text.field(format_args!("latency_percentiles_usec_{}", command.full_name), shown);
    }
}

/// `# Errorstats`
pub(super) fn errorstats(text: &mut Text, call: &mut Call<'_, '_>) {
    for (code, count) in call.engine.stats.errors() {
        text.field(format_args!("errorstat_{code}"), format_args!("count={count}"));
    }
}

/// What is known of one database.
#[derive(Clone, Copy, Default)]
struct DatabaseFigures {
    keys: usize,
    volatile: usize,
    volatile_hashes: usize,
    /// Of the sampled deadlines.
    ttl_sum_ms: u128,
    ttl_samples: u128,
}

/// Records that are looked at in each shard for the average time to live; a table's order says nothing of deadlines.
const TTL_SAMPLES_PER_SHARD: usize = 8;

/// `# Keyspace`
pub(super) fn keyspace(text: &mut Text, call: &mut Call<'_, '_>) {
    let now_ms = call.context.keys.now_ms;
    let mut figures = vec![DatabaseFigures::default(); call.engine.keyspace.databases];
    call.context.keys.each_shard(|shard| {
        for (number, figures) in figures.iter_mut().enumerate() {
            let Some(database) = shard.database(number) else { continue };
            figures.keys += database.table.len();
            figures.volatile += database.volatile;
            figures.volatile_hashes += database.volatile_hashes;
            if database.volatile == 0 {
                continue;
            }
            for deadline in database.table.iter().take(TTL_SAMPLES_PER_SHARD).filter_map(|record| record.deadline()) {
                figures.ttl_sum_ms += u128::from(deadline.saturating_sub(now_ms));
                figures.ttl_samples += 1;
            }
        }
    });
    for (number, figures) in figures.iter().enumerate().filter(|(_, figures)| figures.keys > 0) {
        let average = figures.ttl_sum_ms.checked_div(figures.ttl_samples).unwrap_or(0);
        let DatabaseFigures { keys, volatile, volatile_hashes, .. } = figures;
        // Redis 7.2 does not say the last one; it is said where there is something to say.
        let fields = if *volatile_hashes > 0 { format!(",subexpiry={volatile_hashes}") } else { String::new() };
        let line = format_args!("keys={keys},expires={volatile},avg_ttl={average}{fields}");
        text.field(format_args!("db{number}"), line);
    }
}
