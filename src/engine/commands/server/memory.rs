//! `MEMORY`, and the figures that it shares with the memory section of INFO.

use std::fmt::Write as _;

use super::write_help;
use crate::base::process;
use crate::command::Args;
use crate::engine::instance::Engine;
use crate::engine::memory::AllocatorFigures;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};

/// What is used for what, in bytes.
pub(super) struct Figures {
    /// All that the instance counts.
    pub used: u64,
    /// The most that this ever was.
    pub peak: u64,
    /// Pages of the process in RAM.
    pub resident: u64,
    /// What an empty instance takes.
    pub startup: u64,
    /// Connections and their buffers.
    pub clients: u64,
    /// All but keys and values.
    pub overhead: u64,
    /// Keys and values.
    pub dataset: u64,
    /// What the allocator says.
    pub allocator: AllocatorFigures,
}

impl Figures {
    /// The figures of now. The running batch's own gains and losses must be settled.
    pub fn of(engine: &Engine) -> Figures {
        let used = engine.used_memory() as u64;
        let resident = process::resident_bytes();
        let startup = engine.base_bytes() as u64;
        let clients = (engine.clients.buffer_bytes() + engine.clients.connection_bytes()) as u64;
        let overhead = startup + clients + engine.memory.worker_buffers.sum() as u64;
        // Without figures of the allocator's own, what we count stands for them.
        let allocator = match *engine.memory.allocator.read() {
            Some(figures) => figures(),
            None => AllocatorFigures { name: "system", allocated: used, active: used, resident },
        };
        Figures {
            used,
            peak: engine.peak_memory() as u64,
            resident,
            startup,
            clients,
            overhead,
            dataset: used.saturating_sub(overhead),
            allocator,
        }
    }

    /// What is used beyond an empty instance's share.
    pub fn net(&self) -> u64 {
        self.used.saturating_sub(self.startup)
    }
}

/// A part of a whole, 0 where there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `MEMORY USAGE key [SAMPLES count]`
///
/// Every structure knows its size: there is nothing to sample.
pub fn memory_usage(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    /// A record's place in its table.
    const PLACE_BYTES: usize = size_of::<usize>();
    let key = args.next_bytes()?;
    while args.remaining() > 0 {
        if !args.take_with_value("SAMPLES") || args.next_i64()? < 0 {
            return Err(CommandError::Syntax);
        }
    }
    match call.context.keys.peek(key).map(|record| record.heap_bytes() + PLACE_BYTES) {
        Some(bytes) => call.context.reply.count(bytes),
        None => call.context.reply.null(),
    }
    Ok(Outcome::Done)
}

/// Keys of a database, and bytes of the tables that they are in.
#[derive(Clone, Copy, Default)]
struct TableFigures {
    keys: u64,
    bytes: u64,
}

fn tables(call: &mut Call<'_, '_>) -> Vec<TableFigures> {
    let mut figures = vec![TableFigures::default(); call.engine.keyspace.databases];
    call.context.keys.each_shard(|shard| {
        for (number, figures) in figures.iter_mut().enumerate() {
            if let Some(database) = shard.database(number) {
                figures.keys += database.table.len() as u64;
                figures.bytes += database.table.heap_bytes() as u64;
            }
        }
    });
    figures
}

/// A field of MEMORY STATS.
enum Field {
    Count(u64),
    Difference(i128),
    Ratio(f64),
}

/// `MEMORY STATS`
pub fn memory_stats(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.keys.settle_bytes();
    let tables = tables(call);
    let figures = Figures::of(call.engine);
    let keys: u64 = tables.iter().map(|table| table.keys).sum();
    let overhead = figures.overhead + tables.iter().map(|table| table.bytes).sum::<u64>();
    let dataset = figures.used.saturating_sub(overhead);
    use Field::{Count, Ratio};
    let front = [
        ("peak.allocated", Count(figures.peak)),
        ("total.allocated", Count(figures.used)),
        ("startup.allocated", Count(figures.startup)),
        ("replication.backlog", Count(0)),
        ("clients.slaves", Count(0)),
        ("clients.normal", Count(figures.clients)),
        ("cluster.links", Count(0)),
        ("aof.buffer", Count(call.engine.persistence.log().map_or(0, |log| log.backlog()))),
        ("lua.caches", Count(call.engine.scripts.figures().bytes as u64)),
        ("functions.caches", Count(call.engine.functions.figures().code_bytes as u64)),
    ];
    let back = [
        ("overhead.total", Count(overhead)),
        ("keys.count", Count(keys)),
        ("keys.bytes-per-key", Count(figures.net().checked_div(keys).unwrap_or(0))),
        ("dataset.bytes", Count(dataset)),
        ("dataset.percentage", Ratio(ratio(dataset, figures.net()) * 100.0)),
        ("peak.percentage", Ratio(ratio(figures.used, figures.peak) * 100.0)),
    ];
    let used: Vec<(usize, &TableFigures)> = tables.iter().enumerate().filter(|(_, table)| table.keys > 0).collect();
    let allocation = allocation(&figures);
    call.context.reply.map(front.len() + used.len() + back.len() + allocation.len());
    write_fields(call, &front);
    for (number, table) in used {
        let reply = &mut call.context.reply;
        reply.bulk(format!("db.{number}").as_bytes());
        let columns = [("main", table.bytes), ("expires", 0), ("slot-to-keys", 0)];
        reply.map(columns.len());
        for (column, bytes) in columns {
            reply.bulk(format!("overhead.hashtable.{column}").as_bytes());
            reply.integer(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
    write_fields(call, &back);
    write_fields(call, &allocation);
    Ok(Outcome::Done)
}

/// How much more is held than used, level by level.
fn allocation(figures: &Figures) -> [(&'static str, Field); 11] {
    use Field::{Count, Difference, Ratio};
    let Figures { allocator, resident, used, .. } = figures;
    let difference = |outer: u64, inner: u64| Difference(i128::from(outer) - i128::from(inner));
    [
        ("allocator.allocated", Count(allocator.allocated)),
        ("allocator.active", Count(allocator.active)),
        ("allocator.resident", Count(allocator.resident)),
        ("allocator-fragmentation.ratio", Ratio(ratio(allocator.active, allocator.allocated))),
        ("allocator-fragmentation.bytes", difference(allocator.active, allocator.allocated)),
        ("allocator-rss.ratio", Ratio(ratio(allocator.resident, allocator.active))),
        ("allocator-rss.bytes", difference(allocator.resident, allocator.active)),
        ("rss-overhead.ratio", Ratio(ratio(*resident, allocator.resident))),
        ("rss-overhead.bytes", difference(*resident, allocator.resident)),
        ("fragmentation", Ratio(ratio(*resident, *used))),
        ("fragmentation.bytes", difference(*resident, *used)),
    ]
}

fn write_fields(call: &mut Call<'_, '_>, fields: &[(&str, Field)]) {
    let reply = &mut call.context.reply;
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        match value {
            Field::Count(count) => reply.integer(i64::try_from(*count).unwrap_or(i64::MAX)),
            Field::Difference(bytes) => reply.integer(i64::try_from(*bytes).unwrap_or(i64::MAX)),
            Field::Ratio(ratio) => reply.double(*ratio),
        }
    }
}

/// `MEMORY DOCTOR`
pub fn memory_doctor(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.keys.settle_bytes();
    let limit = call.engine.memory.limit.load(std::sync::atomic::Ordering::Relaxed) as u64;
    let text = diagnosis(&Figures::of(call.engine), limit);
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// Whatever about the figures deserves a look.
fn diagnosis(figures: &Figures, limit: u64) -> String {
    /// With less in use, ratios say nothing.
    const USED_MIN: u64 = 5 << 20;
    if figures.used < USED_MIN {
        return format!("Only {} bytes are in use: too little to judge by.\n", figures.used);
    }
    let percent = |part, whole| (ratio(part, whole) * 100.0).round();
    let mut findings = String::new();
    // Writing to a string cannot fail, here and below.
    if figures.peak > figures.used / 2 * 3 {
        _ = writeln!(
            findings,
            "- The peak was {}% of what is in use now. The pages of then may still be held; MEMORY PURGE gives them back.",
            percent(figures.peak, figures.used)
        );
    }
    if figures.resident > figures.used / 5 * 7 && figures.resident - figures.used > 10 << 20 {
        _ = writeln!(
            findings,
            "- The process holds {}% of what is in use. Values of changing sizes leave gaps, and freed pages go back \
             after a while.",
            percent(figures.resident, figures.used)
        );
    }
    if figures.clients > figures.used / 4 {
        _ = writeln!(
            findings,
            "- Connections take {}% of what is in use. CLIENT LIST shows whose buffers are big (qbuf, omem, multi-mem).",
            percent(figures.clients, figures.used)
        );
    }
    if limit > 0 && figures.used > limit / 10 * 9 {
        _ = writeln!(
            findings,
            "- {}% of maxmemory is used up: eviction, or refused writes, are near.",
            percent(figures.used, limit)
        );
    }
    match findings.is_empty() {
        true => "Nothing stands out in the figures of MEMORY STATS.\n".into(),
        false => findings,
    }
}

/// `MEMORY MALLOC-STATS`
pub fn memory_malloc_stats(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let report = *call.engine.memory.allocator_report.read();
    let text = report.map_or_else(|| "Stats not supported for the current allocator".to_owned(), |report| report());
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// `MEMORY PURGE`
pub fn memory_purge(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let purge = *call.engine.memory.purge.read();
    if purge.is_some_and(|purge| !purge()) {
        return Err(CommandError::PurgeFailed);
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `MEMORY HELP`
pub fn memory_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "memory");
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(used: u64) -> Figures {
        Figures {
            used,
            peak: used,
            resident: used,
            startup: 1 << 20,
            clients: 0,
            overhead: 1 << 20,
            dataset: used.saturating_sub(1 << 20),
            allocator: AllocatorFigures::default(),
        }
    }

    #[test]
    fn each_finding_has_its_cause() {
        assert!(diagnosis(&figures(1 << 20), 0).contains("too little"));
        let used = 100 << 20;
        assert!(diagnosis(&figures(used), 0).contains("Nothing stands out"));
        for (odd, expected) in [
            (Figures { peak: 2 * used, ..figures(used) }, "peak was 200%"),
            (Figures { resident: 2 * used, ..figures(used) }, "process holds 200%"),
            (Figures { clients: used / 2, ..figures(used) }, "Connections take 50%"),
        ] {
            let said = diagnosis(&odd, 0);
            assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        }
        assert!(diagnosis(&figures(used), used).contains("100% of maxmemory"));
    }
}
