//! Scripts: a corpus on Pipkin and on redis-server, replies compared byte by byte; and what scripts do to others.
//!
//! The corpus stands in `tests/scripts/*.txt`: scripts, between lines of three hyphens. Comments `-- keys:` and
//! `-- args:` at a script's head give KEYS and ARGV. The scripts of a file run in order on one connection. In
//! `functions.txt` a part is a command: words, and what stands behind the first line is its last argument.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::path::Path;
use std::time::Duration;

use support::{Client, Reply, Scratch, Server, eventually, oracle};

/// The scripts of a file.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name);
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    text.trim_end().split("\n---\n").map(|script| script.as_bytes().to_vec()).collect()
}

/// The words behind a comment of this kind.
fn words(script: &[u8], kind: &str) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(script);
    let line = text.lines().find_map(|line| line.strip_prefix(kind));
    line.unwrap_or("").split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
}

fn eval(script: &[u8]) -> Vec<Vec<u8>> {
    let keys = words(script, "-- keys:");
    let mut call = vec![b"EVAL".to_vec(), script.to_vec(), keys.len().to_string().into_bytes()];
    call.extend(keys);
    call.extend(words(script, "-- args:"));
    call
}

/// What each protocol's clients of both servers are asked, one after another on an empty server.
fn over_both_protocols(test: &str, mut ask_both: impl FnMut(&mut dyn FnMut(&[Vec<u8>], &str))) {
    let Some(redis) = oracle(test) else { return };
    let pipkin = Server::pipkin(&[]);
    for protocol in ["2", "3"] {
        let (mut subject, mut reference) = (pipkin.connect(), redis.connect());
        for client in [&mut subject, &mut reference] {
            client.call(&["FLUSHALL"]);
            client.call(&["HELLO", protocol]);
        }
        ask_both(&mut |call, about| {
            assert_eq!(subject.call(call), reference.call(call), "RESP{protocol}: {about}");
        });
    }
}

fn compare(test: &str, file: &str) {
    over_both_protocols(test, |ask| {
        for script in corpus(file) {
            ask(&eval(&script), &String::from_utf8_lossy(&script));
        }
    });
}

#[test]
fn the_language_is_redis_s() {
    compare("scripts::the_language_is_redis_s", "language.txt");
}

#[test]
fn the_libraries_are_redis_s() {
    compare("scripts::the_libraries_are_redis_s", "libraries.txt");
}

#[test]
fn commands_within_scripts_are_redis_s() {
    compare("scripts::commands_within_scripts_are_redis_s", "commands.txt");
}

const CALLS: &[&str] = &[
    "EVAL",
    "EVAL 'return 1'",
    "EVAL 'return #KEYS' -1",
    "EVAL 'return #KEYS' a",
    "EVAL 'return #KEYS' 2 a",
    "EVAL 'return KEYS[2]' 2 a b",
    "EVALSHA abc 0",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db",
    "SCRIPT LOAD 'return 1'",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db x",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1",
    "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db nope",
    "EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "EVAL_RO \"return redis.call('set', 'a', 'b')\" 0",
    "EVAL_RO \"return redis.pcall('set', 'a', 'b')\" 0",
    "EVAL_RO \"return redis.call('get', 'a')\" 0",
    "EVAL_RO \"return redis.call('publish', 'a', 'b')\" 0",
    "EVAL_RO \"return redis.call('pfcount', 'a')\" 0",
    "SCRIPT FLUSH nope",
    "SCRIPT FLUSH ASYNC",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "SCRIPT FLUSH",
    "SCRIPT LOAD 'return 1 +'",
    "SCRIPT LOAD",
    "SCRIPT EXISTS",
    "SCRIPT KILL",
    "SCRIPT DEBUG x",
    "SCRIPT NOPE",
    "MULTI",
    "EVAL \"return redis.call('incr', KEYS[1])\" 1 n",
    "EVAL \"return redis.call('incr', 'n')\" 0",
    "EVAL 'return {1, 2}' 0",
    "EVAL 'return x' 0",
    "EXEC",
    "GET n",
    "MULTI",
    "EVALSHA nope 0",
    "EXEC",
];

#[test]
fn the_table_redis_is_redis_s() {
    compare("scripts::the_table_redis_is_redis_s", "api.txt");
}

#[test]
fn functions_are_redis_s() {
    over_both_protocols("scripts::functions_are_redis_s", |ask| {
        ask(&[b"FUNCTION".to_vec(), b"FLUSH".to_vec()], "");
        for part in corpus("functions.txt") {
            let text = String::from_utf8(part).unwrap();
            let (line, last) = text.split_once('\n').map_or((&*text, None), |(line, last)| (line, Some(last)));
            let call: Vec<Vec<u8>> = line.split(' ').chain(last).map(|word| word.as_bytes().to_vec()).collect();
            ask(&call, &text);
        }
    });
}

#[test]
fn calls_are_answered_as_redis_does() {
    let Some(redis) = oracle("scripts::calls_are_answered_as_redis_does") else { return };
    let pipkin = Server::pipkin(&[]);
    let (mut subject, mut reference) = (pipkin.connect(), redis.connect());
    for call in CALLS {
        assert_eq!(ask(&mut subject, call), ask(&mut reference, call), "{call}");
    }
}

/// A command of a line; a word may be quoted.
fn ask(client: &mut Client, line: &str) -> Reply {
    let mut words: Vec<String> = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '"' | '\'' => rest[1..].split_once(first).unwrap(),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    client.call(&words)
}

#[test]
fn what_takes_too_much_is_refused() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    for script in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local function f() return f() + 1 end return f()",
        "local t = {} for i = 1, 1e6 do t = {t} end return #t",
        "local f = function() end for i = 1, 1e5 do local g = f f = function() return g end end error('x')",
        "return string.rep('x', 1e10)",
        "return unpack({}, 1, 1e8)",
        "local t = {} t.t = t return cjson.encode(t)",
        "local t = {('x'):rep(1e4)} for i = 1, 60 do t = {t, t} end return t",
        "local s, t = ('x'):rep(1e7), {} for i = 1, 1e6 do t[i] = s:sub(i) end",
        "local t = {} for i = 1, 1e8 do t[i] = function() return i end end",
        "local t = {} for i = 1, 1e8 do t[i] = string.gmatch('a', 'b') end",
        "local t = {} for i = 1, 1e6 do t[i] = redis.pcall('echo', ('x'):rep(1e6)) end",
        "return ('x'):rep(1e6):gsub('.', function() error('stop') end)",
        "table.sort({1, 2, 3}, function(a, b) return table.sort({1, 2, 3}, error) end)",
    ] {
        let reply = client.call(&["EVAL", script, "0"]);
        let is_small = matches!(script.as_bytes(), [b'l', ..] if script.contains("return #t"));
        assert!(reply.is_error() || is_small, "{script}: {reply:?}");
        assert_eq!(client.line("PING").text(), "PONG");
    }
    let nested = [&b"return "[..], &[b'('; 100_000], b"1", &[b')'; 100_000]].concat();
    assert!(client.call(&[&b"EVAL"[..], &nested, b"0"]).is_error());
    let chain = ["return 1", &" + 1".repeat(100_000)].concat();
    assert_eq!(client.call(&["EVAL", &chain, "0"]).integer(), 100_001);
    let deep = ["local t = {} return t", &".x".repeat(100_000)].concat();
    assert!(client.call(&["EVAL", &deep, "0"]).is_error());
}

#[test]
fn a_script_s_writes_survive_a_restart() {
    let scratch = Scratch::new();
    let flags = ["--appendonly", "yes", "--appendfsync", "always", "--dir", scratch.text()];
    let mut server = Server::pipkin(&flags);
    let mut client = server.connect();
    let script =
        "for i = 1, 10 do redis.call('rpush', 'l', i) end redis.call('set', 'k', 'v') return redis.call('incr', 'n')";
    assert_eq!(client.call(&["EVAL", script, "0"]).integer(), 1);
    assert!(client.call(&["EVAL", "redis.call('incr', 'n') error('late')", "0"]).is_error());
    assert_eq!(ask(&mut client, "EVAL \"return redis.call('incr', KEYS[1])\" 1 n").integer(), 3);
    server.kill();
    let server = Server::pipkin(&flags);
    let mut client = server.connect();
    assert_eq!(client.line("LLEN l").integer(), 10);
    assert_eq!(client.line("GET n").text(), "3");
    assert_eq!(client.line("GET k").text(), "v");
}

#[test]
fn nobody_sees_half_of_a_script() {
    let server = Server::pipkin(&[]);
    let address = server.address();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(move || {
                let mut client = Client::try_connect(address).unwrap();
                for _ in 0..500 {
                    ask(&mut client, "EVAL \"redis.call('incr', KEYS[1]) redis.call('incr', KEYS[2])\" 2 a b");
                    ask(&mut client, "EVAL \"redis.call('incr', 'a') redis.call('incr', 'b')\" 0");
                    let both = ask(
                        &mut client,
                        "EVAL \"return {redis.call('get', KEYS[1]), redis.call('get', KEYS[2])}\" 2 a b",
                    );
                    assert_eq!(both.items()[0], both.items()[1]);
                    let both = client.line("MGET a b");
                    assert_eq!(both.items()[0], both.items()[1]);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(server.connect().line("GET a").text(), "4000");
}

#[test]
fn a_script_wakes_who_waits_for_its_list() {
    let server = Server::pipkin(&[]);
    let mut waiting = server.connect();
    waiting.send(&["BLPOP", "jobs", "0"]);
    let mut client = server.connect();
    eventually("a client that waits", || {
        client.line("INFO clients").text().contains("blocked_clients:1").then_some(())
    });
    ask(&mut client, "EVAL \"redis.call('rpush', KEYS[1], 'one') return redis.call('llen', KEYS[1])\" 1 jobs");
    assert_eq!(waiting.read().items()[1].text(), "one");
    assert!(waiting.is_silent(Duration::from_millis(1)));
}

#[test]
fn time_stands_still_for_a_script() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let script = "local a = redis.call('time') for i = 1, 1e6 do end local b = redis.call('time') \
        return a[1] == b[1] and a[2] == b[2]";
    assert_eq!(client.call(&["EVAL", script, "0"]).integer(), 1);
    let of = |reply: Reply| reply.items().iter().map(Reply::text).collect::<Vec<_>>();
    let before = of(client.call(&["EVAL", "return redis.call('time')", "0"]));
    assert_ne!(of(client.call(&["EVAL", "return redis.call('time')", "0"])), before);
}

/// Scripts that fail in all ways, and what INFO counts of them.
const FAILING: &[&str] = &[
    "return redis.call('lpush', 'text', 'x')",
    "return redis.pcall('lpush', 'text', 'x')",
    "return {redis.pcall('lpush', 'text', 'x')}",
    "return redis.pcall('lpush', 'text', 'x').err",
    "return {1, {err = 'MINE own'}}",
    "return {err = 'MINE own'}",
    "return {err = 'alone'}",
    "return {err = ''}",
    "return redis.error_reply('MINE own')",
    "return redis.error_reply('')",
    "error('text')",
    "error({err = 'MINE own'})",
    "local ok, e = pcall(redis.call, 'lpush', 'text', 'x') return e",
    "local ok, e = pcall(redis.call, 'lpush', 'text', 'x') error(e)",
    "return nothing",
    "redis.call('get')",
    "redis.call('get', 'a', 'b')",
    "redis.pcall('nope')",
    "redis.call('nope')",
    "redis.call('multi')",
    "return redis.pcall('multi')",
    "redis.call()",
    "return redis.pcall()",
    "redis.call('select', 99)",
    "redis.call('config', 'nope')",
    "return redis.status_reply({})",
    "this is no script",
];

/// Errors in all, by their codes, and by commands.
fn counts(client: &mut Client) -> Vec<String> {
    let mut counts = Vec::new();
    for (section, wanted) in
        [("stats", "total_error_replies"), ("errorstats", "errorstat_"), ("commandstats", "cmdstat_")]
    {
        let text = client.call(&["INFO", section]).text();
        let lines = text.lines().filter(|line| line.starts_with(wanted) && !line.starts_with("cmdstat_info"));
        counts.extend(lines.map(|line| {
            let parts = line.split(',').filter(|part| !part.starts_with("usec"));
            parts.collect::<Vec<_>>().join(",")
        }));
    }
    counts.sort();
    counts
}

#[test]
fn errors_are_counted_as_redis_does() {
    let Some(redis) = oracle("scripts::errors_are_counted_as_redis_does") else { return };
    let pipkin = Server::pipkin(&[]);
    let (mut subject, mut reference) = (pipkin.connect(), redis.connect());
    for script in FAILING {
        let run = |client: &mut Client| {
            client.line("SET text x");
            client.line("CONFIG RESETSTAT");
            (client.call(&["EVAL", script, "0"]), counts(client))
        };
        assert_eq!(run(&mut subject), run(&mut reference), "{script}");
    }
}
