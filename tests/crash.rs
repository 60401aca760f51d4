//! The crash loop: writers note what was acknowledged, the server is killed at any moment, and what comes back is what
//! was acknowledged at least and what was sent at most: acknowledged ⊆ recovered ⊆ sent.
//!
//! The kills of the loop come while the log is written, rewritten and saved at once. Two more tests take the process
//! down in front of each single operation of a rewrite and of a save that changes which files there are.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `PIPKIN_CRASH_ROUNDS` | kills of the loop (default 24) |
//! | `PIPKIN_SEED` | seed of the loop |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use support::{Client, Random, Reply, Scratch, Server, eventually, info_number};

/// Writers at a time, each with keys of its own.
const WRITERS: usize = 3;
/// Steps whose commands a writer sends at once.
const PIPELINE: usize = 4;
/// Keys that only lie there, so that saves and rewrites take their time.
const BALLAST: usize = 3_000;
/// What `everysec` may lose.
const LOSS_MAX: Duration = Duration::from_secs(2);

fn start(directory: &Scratch, flags: &[&str]) -> Server {
    let mut all = vec!["--dir", directory.text(), "--save", ""];
    all.extend(flags);
    let server = Server::pipkin(&all);
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    server
}

fn add_ballast(client: &mut Client) {
    client.line("SELECT 1");
    let set = |n: usize| vec!["SET".to_owned(), format!("ballast:{n}"), "x".repeat(n % 300)];
    client.batch(&(0..BALLAST).map(set).collect::<Vec<_>>());
    client.line("WAITAOF 1 0 0");
    client.line("SELECT 0");
}

/// What one writer knows when its server is gone.
#[derive(Clone, Debug, Default)]
struct Noted {
    sent: u64,
    acknowledged: u64,
    /// Known to be on the disk: acknowledged before a WAITAOF that was answered.
    synced: u64,
    /// When which step was acknowledged.
    history: Vec<(Instant, u64)>,
}

/// Writes step after step until the server is gone. A step is an element of a list, and a transaction on two keys.
/// Whoever does not wait for the disk by WAITAOF relies on the reply alone.
fn write(mut client: Client, name: &str, total: &AtomicU64, waits: bool) -> Noted {
    let mut noted = Noted::default();
    client.try_write(format!("XGROUP CREATE stream:{name} readers 0 MKSTREAM\r\n").as_bytes()).ok();
    if client.try_read().is_err() {
        return noted;
    }
    loop {
        let steps = noted.sent + 1..=noted.sent + PIPELINE as u64;
        let mut bytes = Vec::new();
        let mut add = |words: Vec<Vec<u8>>| support::encode(&words, &mut bytes);
        let line = |text: String| support::words(&text);
        for n in steps.clone() {
            add(line(format!("RPUSH list:{name} {n}")));
            add(line("MULTI".into()));
            add(line(format!("SET value:{name} {n}")));
            add(line(format!("HINCRBY count:{name} field 1")));
            add(line(format!("XADD stream:{name} {n}-1 n {n}")));
            add(line(format!("XCLAIM stream:{name} readers ann 0 {n}-1 FORCE JUSTID LASTID {n}-1")));
            add(["FUNCTION", "LOAD", "REPLACE", &library(name, n)].map(|word| word.as_bytes().to_vec()).to_vec());
            add(line("EXEC".into()));
        }
        if waits {
            add(line("WAITAOF 1 0 0".into()));
        }
        noted.sent = *steps.end();
        if client.try_write(&bytes).is_err() {
            return noted;
        }
        for n in steps {
            for _ in 0..8 {
                match client.try_read() {
                    Ok(reply) => assert!(!reply.is_error(), "{reply:?}"),
                    Err(_) => return noted,
                }
            }
            noted.acknowledged = n;
            noted.history.push((Instant::now(), n));
            total.fetch_add(1, Relaxed);
        }
        if !waits {
            continue;
        }
        let Ok(reply) = client.try_read() else { return noted };
        assert_eq!(reply.items().first(), Some(&Reply::Integer(1)), "{reply:?}");
        noted.synced = noted.acknowledged;
    }
}

/// A library whose function says so.
fn library(name: &str, n: u64) -> String {
    let name = name.replace(':', "_");
    format!("#!lua name=lib_{name}\nredis.register_function('step_{name}', function() return {n} end)")
}

/// Saves and rewrites without a pause until the server is gone.
fn disturb(mut client: Client, is_over: &AtomicBool) {
    for line in ["BGREWRITEAOF", "BGSAVE", "BGREWRITEAOF"].iter().cycle() {
        client.send(&[line]);
        if is_over.load(Relaxed) || client.try_read().is_err() {
            return;
        }
    }
}

/// Lets writers run until they have had `steps` steps acknowledged, and kills the server.
fn run_and_kill(mut server: Server, round: u64, steps: u64, waits: bool) -> (Vec<Noted>, Instant) {
    let (total, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let clients: Vec<Client> = (0..WRITERS).map(|_| server.connect()).collect();
    let disturber = server.connect();
    std::thread::scope(|scope| {
        let (total, is_over) = (&total, &is_over);
        let writers: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, client)| scope.spawn(move || write(client, &format!("{round}:{number}"), total, waits)))
            .collect();
        scope.spawn(move || disturb(disturber, is_over));
        eventually("enough acknowledgements", || (total.load(Relaxed) >= steps || !server.is_running()).then_some(()));
        let killed = Instant::now();
        server.kill();
        is_over.store(true, Relaxed);
        (writers.into_iter().map(|writer| writer.join().expect("a writer does not panic")).collect(), killed)
    })
}

/// Compares what came back with what a writer knows.
fn assert_recovered(client: &mut Client, name: &str, noted: &Noted, at_least: u64, what: &str) {
    let list = client.line(&format!("LRANGE list:{name} 0 -1"));
    let list: Vec<u64> = list.items().iter().map(|n| n.text().parse().expect("a number")).collect();
    let recovered = list.len() as u64;
    assert!(list.iter().copied().eq(1..=recovered), "{what}: the list of {name} has gaps: {list:?}");
    let number = |reply: Reply| if reply.is_nil() { 0 } else { reply.text().parse::<u64>().expect("a number") };
    let value = number(client.line(&format!("GET value:{name}")));
    let count = number(client.line(&format!("HGET count:{name} field")));
    assert_eq!(value, count, "{what}: half a transaction of {name}");
    let entries = client.line(&format!("XLEN stream:{name}")).integer() as u64;
    let pending = client.line(&format!("XPENDING stream:{name} readers"));
    let pending = pending.items().first().map_or(0, Reply::integer) as u64;
    assert_eq!((entries, pending), (value, value), "{what}: entries, and those pending, of {name}");
    let step = client.line(&format!("FCALL step_{} 0", name.replace(':', "_")));
    let step = if step.is_error() { 0 } else { step.integer() as u64 };
    assert_eq!(step, value, "{what}: the library of {name}");
    assert!(value == recovered || value + 1 == recovered, "{what}: {name} lost its order: {value}, {recovered}");
    let (sent, last) = (noted.sent, noted.acknowledged);
    assert!(
        value >= at_least && recovered <= sent,
        "{what}: {name} has {value} of {last} acknowledged, {sent} sent, {at_least} promised"
    );
}

#[test]
fn what_was_acknowledged_survives_any_kill() {
    let rounds = number("PIPKIN_CRASH_ROUNDS").unwrap_or(24);
    let seed = number("PIPKIN_SEED").unwrap_or_else(seed_of_now);
    let mut random = Random::new(seed);
    let directory = Scratch::new();
    let flags = |policy| ["--appendonly", "yes", "--appendfsync", policy];
    add_ballast(&mut start(&directory, &flags("always")).connect());
    for round in 0..rounds {
        // Changed at run time, so that the log of one policy is gone on with by the other.
        let policy = if random.chance(70) { "always" } else { "everysec" };
        let what = format!("PIPKIN_SEED={seed}, round {round}, {policy}");
        let server = start(&directory, &flags(policy));
        let mut client = server.connect();
        if random.chance(40) {
            client.line(&format!("DEBUG FUSE {}", 1 + random.below(40)));
        }
        let steps = 1 + random.below(400) as u64;
        let (noted, killed) = run_and_kill(server, round, steps, policy != "always");
        let server = start(&directory, &flags(policy));
        let mut client = server.connect();
        for (number, noted) in noted.iter().enumerate() {
            let old_enough = noted.history.iter().rev().find(|(at, _)| killed - *at > LOSS_MAX).map_or(0, |(_, n)| *n);
            let at_least = if policy == "always" { noted.acknowledged } else { noted.synced.max(old_enough) };
            assert_recovered(&mut client, &format!("{round}:{number}"), noted, at_least, &what);
            for kind in ["list", "value", "count", "stream"] {
                client.line(&format!("DEL {kind}:{round}:{number}"));
            }
        }
        client.line("FUNCTION FLUSH");
        client.line("SELECT 1");
        assert_eq!(client.line("DBSIZE"), Reply::Integer(BALLAST as i64), "{what}");
    }
}

/// Runs a job on a server that aborts in front of the nth operation, for each n until the job gets through; what the
/// server said before the job must be there again each time.
fn at_every_operation(flags: &[&str], job: &str, finished: &str, prepare: &str) {
    for operation in 1.. {
        assert!(operation < 100, "{job} has no end");
        let directory = Scratch::new();
        let mut server = start(&directory, flags);
        let mut client = server.connect();
        for line in ["SET a 1", "RPUSH l a b c", prepare, "HSET h f v", "SET a 2"] {
            assert!(!client.line(line).is_error(), "{line}");
            if line == job {
                eventually("the job before", || {
                    (info_number(&mut client, "persistence", finished) > Some(0)).then_some(())
                });
            }
        }
        if job == "BGREWRITEAOF" {
            client.line("WAITAOF 1 0 0");
        } else {
            client.line("SAVE");
        }
        let digest = client.line("DEBUG DIGEST");
        client.line(&format!("DEBUG FUSE {operation}"));
        let count = info_number(&mut client, "persistence", finished);
        client.send(&[job]);
        let is_through = eventually("the end of the job or of the server", || {
            if !server.is_running() {
                return Some(false);
            }
            let mut observer = Client::try_connect(server.address()).ok()?;
            observer.try_write(b"INFO persistence\r\n").ok()?;
            let text = observer.try_read().ok()?.text();
            let now = text.lines().find_map(|line| line.strip_prefix(finished)?.strip_prefix(':')?.trim().parse().ok());
            (now > count).then_some(true)
        });
        drop((client, server));
        let again = start(&directory, flags);
        assert_eq!(again.connect().line("DEBUG DIGEST"), digest, "{job} cut before operation {operation}");
        let mut client = again.connect();
        client.line("SET more v");
        assert!(!client.line(job).is_error());
        eventually("the job at another time", || {
            (info_number(&mut client, "persistence", finished) > Some(0)).then_some(())
        });
        if is_through {
            assert!(operation > 3, "{job} is made of a few operations");
            return;
        }
    }
}

#[test]
fn a_rewrite_may_end_anywhere() {
    at_every_operation(&["--appendonly", "yes"], "BGREWRITEAOF", "aof_rewrites", "INCR n");
    at_every_operation(&["--appendonly", "yes"], "BGREWRITEAOF", "aof_rewrites", "BGREWRITEAOF");
}

#[test]
fn a_save_may_end_anywhere() {
    at_every_operation(&[], "BGSAVE", "rdb_saves", "INCR n");
}

fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("past 1970").as_micros() as u64
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}
