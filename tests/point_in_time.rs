//! A snapshot is one moment: while writers move things around that together stay the same, saves and rewrites are made
//! again and again, and in each file the sums must be right.
//!
//! What is moved: amounts between string keys, within one big hash, within one big sorted set; elements between big
//! lists and big sets; whole databases by SWAPDB; a database that is flushed and filled in one transaction. Keys that
//! expire at once come in between.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use support::{Client, Random, Reply, Scratch, Server, eventually, info_number};

/// Saves, and as many rewrites.
const ROUNDS: usize = 6;
const ACCOUNTS: usize = 600;
const FIELDS: usize = 2_000;
const BALANCE: usize = 100;
/// Keys of the database that is flushed and filled.
const FLUSHED: usize = 50;
/// Commands of writers between two snapshots, so that each finds something new.
const COMMANDS_BETWEEN: u64 = 300;

type Commands = Vec<Vec<String>>;

fn command(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn fill(client: &mut Client) {
    let join = |each: &dyn Fn(usize) -> String, count: usize| (0..count).map(each).collect::<Vec<_>>().join(" ");
    let mut commands: Commands = Vec::new();
    let mut add = |line: String| commands.push(command(&line));
    add(format!("MSET {}", join(&|n| format!("account:{n} {BALANCE}"), ACCOUNTS)));
    add(format!("HSET bank {}", join(&|n| format!("field:{n} {BALANCE}"), FIELDS)));
    add(format!("ZADD ranks {}", join(&|n| format!("{BALANCE} member:{n}"), FIELDS)));
    add(format!("RPUSH list:a {}", join(&|n| format!("element:{n}"), FIELDS)));
    add(format!("SADD set:a {}", join(&|n| format!("member:{n}"), FIELDS)));
    for (database, side) in [(2, "left"), (3, "right")] {
        add(format!("SELECT {database}"));
        add(format!("MSET {}", join(&|n| format!("key:{n} {side}"), ACCOUNTS)));
    }
    for reply in client.batch(&commands) {
        assert!(!reply.is_error(), "{reply:?}");
    }
    client.batch(&refill(0));
}

fn refill(round: usize) -> Commands {
    let pairs: Vec<String> = (0..FLUSHED).map(|n| format!("key:{n} {round}")).collect();
    ["SELECT 4", "MULTI", "FLUSHDB", &format!("MSET {}", pairs.join(" ")), "EXEC", "SELECT 0"].map(command).to_vec()
}

fn transfer(random: &mut Random) -> Commands {
    let (a, b, amount) = (random.below(ACCOUNTS), random.below(ACCOUNTS), random.below(10));
    let (f, g) = (random.below(FIELDS), random.below(FIELDS));
    let inside = [
        [format!("DECRBY account:{a} {amount}"), format!("INCRBY account:{b} {amount}")],
        [format!("HINCRBY bank field:{f} -{amount}"), format!("HINCRBY bank field:{g} {amount}")],
        [format!("ZINCRBY ranks -{amount} member:{f}"), format!("ZINCRBY ranks {amount} member:{g}")],
    ];
    let lines = &inside[random.below(3)];
    ["MULTI", &lines[0], &lines[1], "EXEC"].map(command).to_vec()
}

fn motion(random: &mut Random, round: usize) -> Commands {
    let sides = [["list:a", "list:b", "set:a", "set:b"], ["list:b", "list:a", "set:b", "set:a"]];
    let [from, to, set_from, set_to] = sides[random.below(2)];
    match random.below(12) {
        0 => vec![command("SWAPDB 2 3")],
        1 => refill(round),
        2..=4 => vec![command(&format!("SET brief:{} x PX {}", random.below(500), 1 + random.below(30)))],
        5..=7 => vec![command(&format!("SMOVE {set_from} {set_to} member:{}", random.below(FIELDS)))],
        _ => vec![command(&format!(
            "LMOVE {from} {to} {} {}",
            random.pick(&["LEFT", "RIGHT"]),
            random.pick(&["LEFT", "RIGHT"])
        ))],
    }
}

/// Sends what `next` gives until the end.
fn work(mut client: Client, is_over: &AtomicBool, count: &AtomicU64, mut next: impl FnMut(usize) -> Commands) {
    for round in 1.. {
        if is_over.load(Relaxed) {
            return;
        }
        let commands = next(round);
        for reply in client.batch(&commands) {
            assert!(!reply.is_error(), "{reply:?} to {commands:?}");
        }
        count.fetch_add(1, Relaxed);
    }
}

fn sum(values: impl Iterator<Item = Reply>) -> f64 {
    values.map(|value| value.text().parse::<f64>().expect("a number")).sum()
}

/// What every file must hold.
fn assert_is_one_moment(server: &Server, what: &str) {
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    let names: Vec<String> = (0..ACCOUNTS).map(|n| format!("account:{n}")).collect();
    let balances = client.line(&format!("MGET {}", names.join(" ")));
    assert_eq!(sum(balances.items().iter().cloned()), (ACCOUNTS * BALANCE) as f64, "{what}: accounts");
    let fields = client.line("HVALS bank");
    assert_eq!(fields.items().len(), FIELDS, "{what}: fields");
    assert_eq!(sum(fields.items().iter().cloned()), (FIELDS * BALANCE) as f64, "{what}: the hash");
    let ranks = client.line("ZRANGE ranks 0 -1 WITHSCORES");
    assert_eq!(ranks.items().len(), 2 * FIELDS, "{what}: members");
    let scores = ranks.items().iter().skip(1).step_by(2).cloned();
    assert_eq!(sum(scores), (FIELDS * BALANCE) as f64, "{what}: the sorted set");
    for (command, keys) in [("LRANGE", ["list:a 0 -1", "list:b 0 -1"]), ("SMEMBERS", ["set:a", "set:b"])] {
        let mut all: Vec<Reply> = Vec::new();
        keys.iter().for_each(|key| all.extend_from_slice(client.line(&format!("{command} {key}")).items()));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), FIELDS, "{what}: {command}");
    }
    let values = |client: &mut Client, database: usize, count: usize| {
        client.line(&format!("SELECT {database}"));
        assert_eq!(client.line("DBSIZE"), Reply::Integer(count as i64), "{what}: database {database}");
        let names: Vec<String> = (0..count).map(|n| format!("key:{n}")).collect();
        let mut values: Vec<String> =
            client.line(&format!("MGET {}", names.join(" "))).items().iter().map(Reply::text).collect();
        values.dedup();
        assert_eq!(values.len(), 1, "{what}: two moments of database {database}");
        values.remove(0)
    };
    let mut sides = [values(&mut client, 2, ACCOUNTS), values(&mut client, 3, ACCOUNTS)];
    sides.sort();
    assert_eq!(sides, ["left", "right"], "{what}");
    values(&mut client, 4, FLUSHED);
}

/// Loads an RDB file, a base of append-only files for example, by itself.
fn assert_file_is_one_moment(path: &Path, what: &str) {
    let directory = Scratch::new();
    fs::copy(path, directory.path().join("dump.rdb")).expect("the file can be copied");
    let server = Server::pipkin(&["--dir", directory.text(), "--save", ""]);
    assert_is_one_moment(&server, what);
}

/// Has a job done, and waits until it is.
fn job(client: &mut Client, line: &str, finished: &str) {
    let count = info_number(client, "persistence", finished);
    assert!(!client.line(line).is_error());
    eventually(line, || (info_number(client, "persistence", finished) > count).then_some(()));
}

fn base(directory: &Scratch) -> std::path::PathBuf {
    let folder = directory.path().join("appendonlydir");
    let names = fs::read_dir(&folder).expect("it is there").map(|entry| entry.expect("an entry").path());
    // A base that was just replaced may still be there.
    names.filter(|path| path.to_string_lossy().ends_with(".base.rdb")).max().expect("there is a base")
}

#[test]
fn every_file_is_one_moment() {
    let seed = std::env::var("PIPKIN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
    let directory = Scratch::new();
    let flags = ["--dir", directory.text(), "--appendonly", "yes", "--save", "", "--io-threads", "2"];
    let server = Server::pipkin(&flags);
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    fill(&mut client);
    let (is_over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (is_over, count) = (&is_over, &count);
        for number in 0..3 {
            let (worker, mut random) = (server.connect(), Random::new(seed + number));
            match number {
                0 => scope.spawn(move || work(worker, is_over, count, |round| motion(&mut random, round))),
                _ => scope.spawn(move || work(worker, is_over, count, |_| transfer(&mut random))),
            };
        }
        // Whatever fails here, the writers are told to end.
        let end = End(is_over);
        for round in 0..ROUNDS {
            let target = count.load(Relaxed) + COMMANDS_BETWEEN;
            eventually("some writing", || (count.load(Relaxed) >= target).then_some(()));
            job(&mut client, "BGSAVE", "rdb_saves");
            assert_file_is_one_moment(&directory.path().join("dump.rdb"), &format!("save {round} of seed {seed}"));
            job(&mut client, "BGREWRITEAOF", "aof_rewrites");
            assert_file_is_one_moment(&base(&directory), &format!("base {round} of seed {seed}"));
        }
        drop(end);
    });
    assert_is_one_moment(&server, "at the end");
    client.line("WAITAOF 1 0 0");
    drop((client, server));
    assert_is_one_moment(&Server::pipkin(&flags), "base and increment");
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
