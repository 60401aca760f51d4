//! The log replayed: random commands of all families, a kill, and the dataset must be there again, deadlines included;
//! the real Redis, started on a copy of the directory, must come to the same.
//!
//! Time is a manual clock, so that what expires does so between two known commands. Between the commands of the
//! grammar stand scenes that it does not have: clients that block and are served, moves of the clock, rewrites, saves.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `PIPKIN_COMMANDS` | commands of a round (default 2,500) |
//! | `PIPKIN_ROUNDS` | rounds (default 4) |
//! | `PIPKIN_SEED` | seed of the first round |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]
#![allow(dead_code, reason = "the grammar is shared with the differential test, which uses all of it")]

#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/grammar.rs"]
mod grammar;
mod support;

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use grammar::{Family, Generator, Step};
use support::{Client, Random, Reply, Scratch, Server, eventually, info_number, tool};

/// Moves the clock over every short deadline of the grammar.
const LONG_MS: u64 = 3_600_000;

/// What is to be there again: the digest, every key's deadline, what else there is about streams, and the libraries.
type State = (Reply, Vec<(usize, Vec<u8>, i64)>, Vec<(usize, Vec<u8>, Reply)>, Vec<String>);

fn state(server: &Server) -> State {
    let mut client = server.connect();
    let (mut deadlines, mut streams) = (Vec::new(), Vec::new());
    for database in 0..16 {
        client.line(&format!("SELECT {database}"));
        let keys: Vec<Vec<u8>> = client.line("KEYS *").leaves().iter().map(|key| key.bytes().to_vec()).collect();
        for key in keys {
            let deadline = client.call(&[b"PEXPIRETIME", &key[..]]).integer();
            let info = client.call(&[b"XINFO".as_slice(), b"STREAM", &key, b"FULL", b"COUNT", b"0"]);
            if !info.is_error() {
                streams.push((database, key.clone(), known_of_stream(&info)));
            }
            deadlines.push((database, key, deadline));
        }
    }
    deadlines.sort();
    streams.sort();
    let libraries = client.line("FUNCTION LIST WITHCODE");
    // Each ends with its text, from which everything else follows.
    let mut libraries: Vec<String> =
        libraries.items().iter().filter_map(|library| library.items().last()).map(Reply::text).collect();
    libraries.sort();
    (client.line("DEBUG DIGEST"), deadlines, streams, libraries)
}

/// What XINFO tells of a stream, without times, and without how many nodes it has: those without entries go.
fn known_of_stream(info: &Reply) -> Reply {
    match compare::stream_info(info) {
        Reply::Array(mut fields) => {
            assert_eq!(fields.drain(2..4).next().map(|name| name.text()).as_deref(), Some("radix-tree-keys"));
            Reply::Array(fields)
        }
        other => other,
    }
}

fn assert_same(found: &State, expected: &State, what: &str) {
    let missing: Vec<_> = expected.1.iter().filter(|key| !found.1.contains(key)).take(5).collect();
    let more: Vec<_> = found.1.iter().filter(|key| !expected.1.contains(key)).take(5).collect();
    assert!(missing.is_empty() && more.is_empty(), "{what}: missing {missing:?}, instead {more:?}");
    let other = found.2.iter().zip(&expected.2).find(|(found, expected)| found != expected);
    assert!(other.is_none(), "{what}: a stream is {:?}", other);
    assert_eq!(found.3, expected.3, "{what}: the libraries");
    assert_eq!(found.0, expected.0, "{what}: the keys and deadlines are equal, the values are not");
}

fn pipkin(directory: &Scratch, flags: &[&str]) -> Server {
    let mut all = vec!["--dir", directory.text(), "--appendonly", "yes", "--save", ""];
    all.extend(flags);
    let server = Server::pipkin(&all);
    loaded(&server);
    server
}

fn loaded(server: &Server) {
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
}

/// What the real Redis and its checker make of a copy of the directory.
fn assert_redis_agrees(test: &str, directory: &Scratch, expected: &State, what: &str) {
    let (Some(server), Some(checker)) = (tool(test, "redis-server"), tool(test, "redis-check-aof")) else { return };
    let copy = directory.copy();
    let manifest = copy.path().join("appendonlydir/appendonly.aof.manifest");
    let output = Command::new(&checker.path).arg(manifest).output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("All AOF files and manifest are valid"), "{what}: {text}");
    let flags = ["--dir", copy.text(), "--appendonly", "yes", "--save", "", "--enable-debug-command", "yes"];
    let redis = Server::start(&server.path, &flags);
    loaded(&redis);
    assert_same(&state(&redis), expected, &format!("{what}, loaded by Redis"));
}

/// Two clients, as the grammar wants, one to steer, and those that block.
struct Players {
    clients: [Client; 2],
    director: Client,
    blocked: Vec<Client>,
    random: Random,
}

impl Players {
    fn run(&mut self, server: &Server, steps: &[Step]) {
        for step in steps.iter().filter(|step| may_run(step)) {
            self.clients[step.connection].call(&step.arguments);
            if self.random.chance(3) {
                self.scene(server);
            }
        }
        for client in self.clients.iter_mut() {
            client.line("DISCARD");
        }
        self.director.line(&format!("DEBUG CLOCK ADVANCE {LONG_MS}"));
        self.blocked.clear();
        assert_eq!(self.director.line("WAITAOF 1 0 0").items().first(), Some(&Reply::Integer(1)));
    }

    fn scene(&mut self, server: &Server) {
        let number = self.random.below(4);
        match self.random.below(13) {
            0..=2 => {
                let ms = [1, 20, 700, 30_000, 200_000][self.random.below(5)];
                self.director.line(&format!("DEBUG CLOCK ADVANCE {ms}"));
            }
            3..=6 => self.block_and_serve(server),
            7 => drop(self.director.line("BGREWRITEAOF")),
            8 => drop(self.director.line("BGSAVE")),
            9..=11 => self.functions(number),
            _ => {
                let line = ["SPOP many 3", "SPOP many", "SPOP many 60", "INCRBYFLOAT float 0.1"][number];
                let members: Vec<String> = (0..100).map(|n| format!("member{n}")).collect();
                self.director.line(&format!("SADD many {}", members.join(" ")));
                self.director.line(line);
            }
        }
    }

    /// Libraries come and go, and their functions write.
    fn functions(&mut self, number: usize) {
        let body = format!("return redis.call('rpush', keys[1], math.random(), {})", self.random.below(100));
        let code =
            format!("#!lua name=lib{number}\nredis.register_function('push{number}', function(keys) {body} end)");
        match self.random.below(8) {
            0 => drop(self.director.line(&format!("FUNCTION DELETE lib{number}"))),
            1 => drop(self.director.line("FUNCTION FLUSH")),
            2 => {
                let payload = self.director.line("FUNCTION DUMP").bytes().to_vec();
                self.director.line(&format!("FUNCTION DELETE lib{number}"));
                self.director.call(&[&b"FUNCTION"[..], b"RESTORE", &payload, b"REPLACE"]);
            }
            3..=5 => drop(self.director.call(&["FUNCTION", "LOAD", "REPLACE", &code])),
            _ => drop(self.director.line(&format!("FCALL push{number} 1 pushed"))),
        }
    }

    /// A client waits for a list, and somebody pushes, perhaps within a transaction; or the list comes another way.
    fn block_and_serve(&mut self, server: &Server) {
        let lines = [
            "BLPOP block 0",
            "BRPOP other block 0",
            "BLMOVE block moved LEFT RIGHT 0",
            "BLMOVE block block LEFT RIGHT 0",
            "BRPOPLPUSH block moved 0",
            "BLMPOP 0 2 other block RIGHT COUNT 2",
            "XREADGROUP GROUP g ann BLOCK 0 STREAMS feed >",
            "XREADGROUP GROUP g bob BLOCK 0 NOACK STREAMS feed >",
        ];
        self.director.line("XGROUP CREATE feed g $ MKSTREAM");
        self.director.line("XGROUP SETID feed g $");
        let line = lines[self.random.below(lines.len())];
        let must_wait = line.starts_with('X') || self.director.line("EXISTS block other") == Reply::Integer(0);
        let mut client = server.connect();
        let Reply::Integer(id) = client.line("CLIENT ID") else { panic!("a connection has a number") };
        client.send(&support::words(line));
        self.blocked.push(client);
        if must_wait {
            eventually("a client that waits", || {
                let line = self.director.line(&format!("CLIENT LIST ID {id}"));
                line.text().contains(" flags=b ").then_some(())
            });
        }
        let lines: &[&str] = match self.random.below(4) {
            0 => &["RPUSH block a b c d e"],
            1 => &["MULTI", "RPUSH block a b c", "INCR after", "LPUSH block d", "EXEC"],
            2 => &["RPUSH made x y z", "RENAME made block"],
            _ => &["SELECT 1", "RPUSH block x y z", "SWAPDB 0 1", "SELECT 0"],
        };
        for line in ["XADD feed * n 1", "XADD feed * n 2", "XCLAIM feed g cid 0 1-1 FORCE LASTID 5-5"] {
            self.director.line(line);
        }
        for line in lines {
            self.director.line(line);
        }
        if self.random.chance(30) {
            self.director.line("DEL block");
        }
    }
}

/// Blocking for a time would be for ever while the clock stands still; and the clock is moved by the test alone.
fn may_run(step: &Step) -> bool {
    let name = step.name();
    let reads_stream = name.starts_with(b"XREAD") && !step.arguments.iter().any(|a| a.eq_ignore_ascii_case(b"BLOCK"));
    !step.arguments.is_empty() && (reads_stream || !grammar::waits(&name)) && name != b"DEBUG"
}

#[test]
fn what_ran_before_the_kill_is_there_behind_it() {
    let commands = number("PIPKIN_COMMANDS").unwrap_or(2_500) as usize;
    let rounds = number("PIPKIN_ROUNDS").unwrap_or(4);
    let first = number("PIPKIN_SEED").unwrap_or_else(seed_of_now);
    for seed in (0..rounds).map(|round| first.wrapping_add(round)) {
        let what = format!("PIPKIN_SEED={seed}");
        let directory = Scratch::new();
        let server = pipkin(&directory, &["--clock", "manual"]);
        let steps = Generator::new(seed, Family::OF_DATA).round(commands, commands);
        let mut players = Players {
            clients: [server.connect(), server.connect()],
            director: server.connect(),
            blocked: Vec::new(),
            random: Random::new(seed ^ 0x5eed),
        };
        players.run(&server, &steps);
        let expected = state(&server);
        drop((players, server));
        assert_redis_agrees("what_ran_before_the_kill_is_there_behind_it", &directory, &expected, &what);
        let again = pipkin(&directory, &["--clock", "manual"]);
        assert_same(&state(&again), &expected, &what);
        rewrite(&mut again.connect());
        drop(again);
        assert_redis_agrees("what_ran_before_the_kill_is_there_behind_it", &directory, &expected, &what);
        let last = pipkin(&directory, &[]);
        assert_same(&state(&last), &expected, &format!("{what}, rewritten"));
    }
}

/// Rewrites the append-only files, and waits until that is done.
fn rewrite(client: &mut Client) {
    let done = |client: &mut Client| info_number(client, "persistence", "aof_rewrites");
    let before = done(client);
    client.line("BGREWRITEAOF");
    eventually("the rewrite", || (done(client) > before).then_some(()));
}

#[test]
fn a_key_that_was_made_to_stay_in_time_is_there_after_its_deadline() {
    let directory = Scratch::new();
    let server = pipkin(&directory, &["--clock", "manual"]);
    let mut client = server.connect();
    let deadline = client.line("DEBUG CLOCK NOW").integer() + 1;
    for key in ["in-base", "in-log", "gone", "extended"] {
        if key == "in-log" {
            client.line(&format!("SET in-base v PXAT {deadline}"));
            rewrite(&mut client);
        }
        client.line(&format!("SET {key} v PXAT {deadline}"));
    }
    client.line("PERSIST in-base");
    client.line("APPEND in-log more");
    client.line("PERSIST in-log");
    client.line("EXPIRE extended 1000");
    client.line("WAITAOF 1 0 0");
    drop(server);
    // By now the real time is past the deadline.
    let again = pipkin(&directory, &[]);
    let mut client = again.connect();
    assert_eq!(client.line("GET in-base").text(), "v");
    assert_eq!(client.line("GET in-log").text(), "vmore");
    assert_eq!(client.line("GET extended").text(), "v");
    assert_eq!(client.line("EXISTS gone"), Reply::Integer(0));
    assert!((0..100).contains(&client.line("OBJECT IDLETIME in-log").integer()));
}

#[test]
fn what_was_evicted_stays_away_and_nothing_else_does() {
    let directory = Scratch::new();
    let limits = ["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random"];
    let server = pipkin(&directory, &limits);
    let mut client = server.connect();
    let value = "v".repeat(200);
    for round in 0..40 {
        let set = |n: usize| vec!["SET".to_owned(), format!("key:{round}:{n}"), value.clone()];
        client.batch(&(0..500).map(set).collect::<Vec<_>>());
        client.line(&format!("RPUSH list {round}"));
    }
    assert!(info_number(&mut client, "stats", "evicted_keys") > Some(1000));
    // From here on nothing is to change any more, not even for the buffers of those who look.
    client.line("CONFIG SET maxmemory 0");
    client.line("WAITAOF 1 0 0");
    let expected = state(&server);
    drop((client, server));
    assert_redis_agrees("what_was_evicted_stays_away_and_nothing_else_does", &directory, &expected, "evictions");
    let again = pipkin(&directory, &[]);
    assert_same(&state(&again), &expected, "evictions");
    drop(again);
    let limited = pipkin(&directory, &["--maxmemory", "1mb"]);
    assert_same(&state(&limited), &expected, "more than fits is loaded, and only then nothing is added");
    let refused = limited.connect().line("SET more v");
    assert!(refused.text().starts_with("OOM "), "{refused:?}");
}

fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("past 1970").as_micros() as u64
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}
