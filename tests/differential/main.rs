//! Random command sequences on Pipkin and on a real redis-server: every reply and every state must be equal.
//!
//! A *round* starts both servers empty, draws some thousand commands from one family's grammar (`grammar.rs`), some of
//! them damaged on purpose, pipelines them over two connections per server, compares reply by reply under the
//! command's rule (`compare.rs`), and compares everything that is stored after every few hundred commands
//! (`state.rs`). What may differ, and why, is the table in `permitted.rs`. A failing round is shrunk to the few
//! commands that still differ (`shrink.rs`).
//!
//! | Variable | Meaning |
//! |---|---|
//! | `PIPKIN_COMMANDS` | commands in all, over all families (default 240,000) |
//! | `PIPKIN_SEED` | replays the one round of that seed |
//! | `PIPKIN_FAILURES` | goes on after a difference until so many commands have shown one (default 1) |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod blocking;
mod compare;
mod events;
mod grammar;
mod messages;
mod pair;
mod permitted;
mod shrink;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod tracking;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use grammar::{Family, Generator};
use pair::{Failure, Pair};

/// Commands of one round: the longest history that a failure has to be found in.
const ROUND_COMMANDS: usize = 4_000;
/// Commands between two comparisons of the state.
const STATE_EVERY: usize = 400;
/// Commands in all, unless `PIPKIN_COMMANDS` says more.
const COMMANDS_DEFAULT: usize = 240_000;
/// Number of tests below, which share the commands.
const TESTS: usize = 12;

#[test]
fn strings() {
    run("strings", &[Family::Strings, Family::Keys]);
}

#[test]
fn keys() {
    run("keys", &[Family::Keys, Family::Strings, Family::Lists, Family::Sets, Family::Hashes, Family::SortedSets]);
}

#[test]
fn hashes() {
    run("hashes", &[Family::Hashes, Family::Hashes, Family::Hashes, Family::Keys]);
}

#[test]
fn lists() {
    run("lists", &[Family::Lists, Family::Lists, Family::Lists, Family::Keys]);
}

#[test]
fn sets() {
    run("sets", &[Family::Sets, Family::Sets, Family::Sets, Family::Keys]);
}

#[test]
fn sorted_sets() {
    run("sorted_sets", &[Family::SortedSets, Family::SortedSets, Family::SortedSets, Family::Sets, Family::Keys]);
}

#[test]
fn hyperloglog() {
    run("hyperloglog", &[Family::HyperLogLog, Family::HyperLogLog, Family::HyperLogLog, Family::Keys]);
}

#[test]
fn bitmaps() {
    run("bitmaps", &[Family::Bitmaps, Family::Bitmaps, Family::Bitmaps, Family::Keys]);
}

#[test]
fn streams() {
    run("streams", &[Family::Streams, Family::Streams, Family::Streams, Family::Keys]);
}

#[test]
fn geo() {
    run("geo", &[Family::Geo, Family::Geo, Family::Geo, Family::SortedSets, Family::Keys]);
}

#[test]
fn sorting() {
    let families = [Family::Sorting, Family::Sorting, Family::Lists, Family::Sets, Family::SortedSets, Family::Hashes];
    run("sorting", &[&families[..], &[Family::Strings]].concat());
}

#[test]
fn everything_together() {
    run("everything_together", &[Family::OF_DATA, &[Family::Transactions, Family::Connection]].concat());
}

/// The categories whose commands must all have a row.
const CATEGORIES: [&str; 11] =
    ["keyspace", "string", "hash", "list", "set", "sortedset", "hyperloglog", "bitmap", "geo", "stream", "transaction"];

/// Commands that came after the oracle, or keep it busy for a second: their families' own tests have their replies.
const NEWER: [&str; 17] = [
    "delex",
    "delifeq",
    "digest",
    "hexpire",
    "hexpireat",
    "hexpiretime",
    "hgetdel",
    "hgetex",
    "hpersist",
    "hpexpire",
    "hpexpireat",
    "hpexpiretime",
    "hpttl",
    "hsetex",
    "httl",
    "msetex",
    "pfselftest",
];

#[test]
fn every_data_command_has_a_row() {
    let server = support::Server::pipkin(&[]);
    let mut client = server.connect();
    if !client.line("INFO server").text().contains("server_name:pipkin") {
        return;
    }
    let rows = grammar::commands();
    let mut missing = BTreeSet::new();
    for category in CATEGORIES {
        let names = client.line(&format!("COMMAND LIST FILTERBY ACLCAT {category}"));
        assert!(!names.items().is_empty(), "there are commands in {category}");
        let names = names.items().iter().map(|name| name.text()).filter(|name| !name.contains('|'));
        missing.extend(names.filter(|name| !rows.contains(name) && !NEWER.contains(&name.as_str())));
    }
    assert!(missing.is_empty(), "commands without a row in grammar.rs: {missing:?}");
}

/// Runs rounds of these families until the test's share of the commands is done.
fn run(test: &str, families: &[Family]) {
    let Some(oracle) = support::oracle(&format!("differential::{test}")) else { return };
    let subject = support::Server::pipkin(&[]);
    let mut pair = Pair::new(&subject, &oracle);
    let failures_max = number("PIPKIN_FAILURES").unwrap_or(1) as usize;
    let mut reports = BTreeMap::new();
    for seed in seeds(TESTS * ROUND_COMMANDS) {
        let steps = Generator::new(seed, families).round(ROUND_COMMANDS, STATE_EVERY);
        let Err(failure) = pair.run(&steps) else { continue };
        let culprit = failure.culprit(&steps);
        if reports.contains_key(&culprit) {
            continue;
        }
        let (steps, failure) = shrink::shrink(&mut pair, &steps, failure);
        reports.insert(culprit, report(test, seed, &steps, &failure));
        if reports.len() >= failures_max {
            break;
        }
    }
    let all = reports.into_values().collect::<Vec<_>>().join("\n");
    assert!(all.is_empty(), "Pipkin and Redis differ:\n{all}");
}

fn report(test: &str, seed: u64, steps: &[grammar::Step], failure: &Failure) -> String {
    let commands: String = steps.iter().map(|step| format!("    {step}\n")).collect();
    format!("{failure}\n{commands}  again with: PIPKIN_SEED={seed} cargo test --test differential {test}\n")
}

/// The seeds of a test's rounds: one for every so many of all commands, or the one that is asked for.
fn seeds(commands_per_round: usize) -> impl Iterator<Item = u64> {
    let commands = number("PIPKIN_COMMANDS").map_or(COMMANDS_DEFAULT, |n| n as usize);
    let (first, rounds) = match number("PIPKIN_SEED") {
        Some(seed) => (seed, 1),
        None => (seed_of_now(), commands.div_ceil(commands_per_round)),
    };
    (0..rounds as u64).map(move |round| first.wrapping_add(round))
}

fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("past 1970").as_micros() as u64
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}
