//! The memory section: what the keyspace counts, what the process holds, and what the allocator says where the binary
//! has told us whom to ask.

use std::sync::atomic::Ordering::Relaxed;

use super::super::memory::{Figures, ratio};
use super::Text;
use crate::base::process;
use crate::engine::Call;
use crate::engine::memory::AllocatorFigures;

/// Bytes as people read them.
fn human(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let unit = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    format!("{:.2}{}", bytes as f64 / (1u64 << (10 * unit)) as f64, UNITS[unit as usize - 1])
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", ratio(part, whole) * 100.0)
}

fn with_human(text: &mut Text, name: &str, bytes: u64) {
    text.field(name, bytes);
    text.field(format_args!("{name}_human"), human(bytes));
}

/// `# Memory`
pub(super) fn memory(text: &mut Text, call: &mut Call<'_, '_>) {
    let engine = call.engine;
    let figures = Figures::of(engine);
    let Figures { used, peak, resident, startup, clients, overhead, dataset, allocator } = figures;
    with_human(text, "used_memory", used);
    with_human(text, "used_memory_rss", resident);
    with_human(text, "used_memory_peak", peak);
    text.field("used_memory_peak_perc", percent(used, peak));
    text.field("used_memory_overhead", overhead);
    text.field("used_memory_startup", startup);
    text.field("used_memory_dataset", dataset);
    text.field("used_memory_dataset_perc", percent(dataset, used.saturating_sub(startup)));
    text.field("allocator_allocated", allocator.allocated);
    text.field("allocator_active", allocator.active);
    text.field("allocator_resident", allocator.resident);
    with_human(text, "total_system_memory", process::total_memory_bytes());
    scripts(text, engine);
    with_human(text, "maxmemory", engine.memory.limit.load(Relaxed) as u64);
    let policy = engine.config.read().text("maxmemory-policy").unwrap_or_default();
    text.field("maxmemory_policy", String::from_utf8_lossy(&policy));
    fragmentation(text, &allocator, used, resident);
    text.fields(&["mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers"], 0);
    text.field("mem_clients_slaves", 0);
    text.field("mem_clients_normal", clients);
    text.fields(&["mem_cluster_links", "mem_aof_buffer"], 0);
    text.field("mem_allocator", allocator.name);
    text.field("active_defrag_running", 0);
    text.field("lazyfree_pending_objects", engine.keyspace.reclaimer.pending());
    text.field("lazyfreed_objects", engine.keyspace.reclaimer.freed());
}

/// Scripts and functions. There is no interpreter; what the values of libraries take stands for that of functions.
fn scripts(text: &mut Text, engine: &crate::engine::instance::Engine) {
    let (scripts, functions) = (engine.scripts.figures(), engine.functions.figures());
    text.fields(&["used_memory_lua", "used_memory_vm_eval"], 0);
    text.field("used_memory_lua_human", human(0));
    text.field("used_memory_scripts_eval", scripts.bytes);
    text.field("number_of_cached_scripts", scripts.count);
    text.field("number_of_functions", functions.functions);
    text.field("number_of_libraries", functions.libraries);
    text.field("used_memory_vm_functions", functions.realm_bytes);
    with_human(text, "used_memory_vm_total", functions.realm_bytes as u64);
    text.field("used_memory_functions", functions.code_bytes);
    with_human(text, "used_memory_scripts", (scripts.bytes + functions.code_bytes) as u64);
}

/// How much more memory is held than used, on each level.
fn fragmentation(text: &mut Text, allocator: &AllocatorFigures, used: u64, resident: u64) {
    let mut level = |name: &str, unit: &str, outer: u64, inner: u64| {
        text.field(format_args!("{name}_ratio"), format_args!("{:.2}", ratio(outer, inner)));
        text.field(format_args!("{unit}_bytes"), i128::from(outer) - i128::from(inner));
    };
    level("allocator_frag", "allocator_frag", allocator.active, allocator.allocated);
    level("allocator_rss", "allocator_rss", allocator.resident, allocator.active);
    level("rss_overhead", "rss_overhead", resident, allocator.resident);
    level("mem_fragmentation", "mem_fragmentation", resident, used);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_redis_shows_them() {
        for (bytes, expected) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (916_216, "894.74K"),
            (12_242_944, "11.68M"),
            (25_276_502_016, "23.54G"),
            (1 << 40, "1.00T"),
            (1 << 60, "1024.00P"),
        ] {
            assert_eq!(human(bytes), expected);
        }
    }
}
