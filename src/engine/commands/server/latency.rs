//! `LATENCY`: what the latency monitor noted, and how long calls of commands took.

use std::fmt::Write as _;

use super::write_help;
use crate::base::latency_monitor::{Sample, Series};
use crate::command::Args;
use crate::engine::instance::Engine;
use crate::engine::registry::{Command, REGISTRY};
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// Seconds, ms and numbers of samples stay far below 2^63.
fn integer(reply: &mut Reply, value: u64) {
    reply.integer(i64::try_from(value).unwrap_or(i64::MAX));
}

/// `LATENCY LATEST`
pub fn latency_latest(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let events = call.engine.latency.all();
    let reply = &mut call.context.reply;
    reply.array(events.len());
    for (event, series) in &events {
        reply.array(4);
        reply.bulk(event.as_bytes());
        let latest = series.samples.back().copied().unwrap_or(Sample { at_s: 0, took_ms: 0 });
        [latest.at_s, latest.took_ms, series.longest_ms].into_iter().for_each(|number| integer(reply, number));
    }
    Ok(Outcome::Done)
}

/// `LATENCY HISTORY event`
pub fn latency_history(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let series = call.engine.latency.series(args.next_bytes()?).unwrap_or_default();
    let reply = &mut call.context.reply;
    reply.array(series.samples.len());
    for sample in &series.samples {
        reply.array(2);
        [sample.at_s, sample.took_ms].into_iter().for_each(|number| integer(reply, number));
    }
    Ok(Outcome::Done)
}

/// `LATENCY RESET [event [event ...]]`
pub fn latency_reset(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names: Vec<&[u8]> = args.rest().collect();
    let is_meant =
        |event: &str| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(event.as_bytes()));
    call.context.reply.count(call.engine.latency.reset(is_meant));
    Ok(Outcome::Done)
}

/// `LATENCY GRAPH event`
pub fn latency_graph(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let event = args.next_bytes()?;
    let series = call.engine.latency.series(event).ok_or_else(|| CommandError::no_samples(event))?;
    let now_s = call.context.keys.now_ms / 1000;
    let text = graph(&String::from_utf8_lossy(event), &series, now_s);
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// One line for each sample, the oldest first: its age, what it took, and a bar of that.
fn graph(event: &str, series: &Series, now_s: u64) -> String {
    const BAR_MAX: u64 = 60;
    let times = series.samples.iter().map(|sample| sample.took_ms);
    let (low, high) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let mut text = format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", series.longest_ms);
    for sample in &series.samples {
        let bar = "#".repeat((sample.took_ms * BAR_MAX / high.max(1)).max(1) as usize);
        let age = age(now_s.saturating_sub(sample.at_s));
        // Writing to a string cannot fail.
        _ = writeln!(text, "{age:>5} ago {:>8} ms {bar}", sample.took_ms);
    }
    text
}

/// Seconds as people read them.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `LATENCY DOCTOR`
pub fn latency_doctor(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let text = diagnosis(call.engine);
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// What to try against slow moments, by the beginning of the event's name.
const ADVICE: &[(&str, &str)] = &[
    ("command", "SLOWLOG GET names the commands. Those whose time grows with the size of a key are best split up."),
    ("fast-command", "A command of constant time was slow: look for other work on the same cores, or for swapping."),
    ("expire-cycle", "Many keys expire at the same moment. Spread their deadlines by a random part."),
    ("eviction", "Memory is at its limit. Raise maxmemory, or let keys expire sooner."),
    ("aof-fsync", "The disk is slow to make writes durable. Keep the append-only file on a disk of its own."),
    ("aof-write", "The disk is slow to take writes. Look for other programs that write to it."),
];

/// What was slow, and what to do about it.
fn diagnosis(engine: &Engine) -> String {
    let threshold_ms = engine.latency.threshold_ms();
    if threshold_ms == 0 {
        return "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n".into();
    }
    let events = engine.latency.all();
    if events.is_empty() {
        return format!("Nothing took {threshold_ms} ms or longer since the latency monitor was turned on or reset.\n");
    }
    let mut text = format!("Events that took {threshold_ms} ms or longer:\n");
    for (event, series) in &events {
        let count = series.samples.len() as u64;
        let sum: u64 = series.samples.iter().map(|sample| sample.took_ms).sum();
        let average = sum.checked_div(count).unwrap_or(0);
        // Writing to a string cannot fail.
        _ = writeln!(
            text,
            "- {event}: {count} slow seconds, {average} ms on average, {} ms at the most.",
            series.longest_ms
        );
        if let Some((_, advice)) = ADVICE.iter().find(|(name, _)| event.starts_with(name)) {
            _ = writeln!(text, "  {advice}");
        }
    }
    text
}

/// `LATENCY HISTOGRAM [command [command ...]]`
pub fn latency_histogram(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let names: Vec<&[u8]> = args.rest().collect();
    let commands: Vec<&Command> = if names.is_empty() {
        REGISTRY.all.clone()
    } else {
        let named = names.iter().filter_map(|name| REGISTRY.find_full(name));
        named.flat_map(|command| std::iter::once(command).chain(command.subcommands.iter().copied())).collect()
    };
    let stats = &call.engine.stats;
    let known = commands.iter().filter_map(|command| {
        let steps = stats.latency(command.id)?.distribution();
        (!steps.is_empty()).then_some((command, steps))
    });
    let known: Vec<_> = known.collect();
    let reply = &mut call.context.reply;
    reply.map(known.len());
    for (command, steps) in &known {
        reply.bulk(command.full_name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        integer(reply, steps.last().map_or(0, |(_, calls)| *calls));
        reply.bulk(b"histogram_usec");
        reply.map(steps.len());
        for (us, calls) in steps {
            integer(reply, *us);
            integer(reply, *calls);
        }
    }
    Ok(Outcome::Done)
}

/// `LATENCY HELP`
pub fn latency_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "latency");
    Ok(Outcome::Done)
}
