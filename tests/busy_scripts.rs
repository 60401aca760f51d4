//! Scripts that take long: others are answered, and can end them, even where the script has the only worker.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Reply, Server, eventually, oracle_with, words};

const SCRIPT_BUSY: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const ENDLESS: &str = "while true do end";
const THRESHOLD: [&str; 2] = ["--busy-reply-threshold", "20"];

/// A server with so many workers whose scripts are busy after 20 ms.
fn server(workers: &str) -> Server {
    Server::pipkin(&[&THRESHOLD[..], &["--io-threads", workers]].concat())
}

/// Has the script run, and waits until others are told.
fn run(runner: &mut Client, other: &mut Client, call: &[&str]) {
    assert_eq!(other.line("PING").text(), "PONG");
    runner.send(call);
    eventually("a script that is busy", || other.line("GET x").text().starts_with("BUSY ").then_some(()));
}

fn with_busy(workers: &str, script: &str, then: impl FnOnce(&mut Server, &mut Client, &mut Client)) {
    let mut server = server(workers);
    let (mut runner, mut other) = (server.connect(), server.connect());
    run(&mut runner, &mut other, &["EVAL", script, "0"]);
    then(&mut server, &mut runner, &mut other);
}

#[test]
fn a_script_without_end_is_killed() {
    for workers in ["1", "2", "3"] {
        with_busy(workers, ENDLESS, |_, runner, other| {
            assert_eq!(other.line("SET x 1").text(), SCRIPT_BUSY);
            assert_eq!(other.line("SCRIPT KILL").text(), "OK");
            let reply = runner.read();
            assert!(reply.text().starts_with("ERR Script killed by user with SCRIPT KILL... script: "), "{reply:?}");
            assert_eq!(other.line("SET x 1").text(), "OK");
            assert_eq!(other.line("SCRIPT KILL").text(), "NOTBUSY No scripts in execution right now.");
            assert_eq!(runner.line("GET x").text(), "1");
        });
    }
}

#[test]
fn a_function_without_end_is_shown_and_killed() {
    const BUSY: &str = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    let server = server("1");
    let (mut runner, mut other) = (server.connect(), server.connect());
    let library = "#!lua name=l\nredis.register_function('forever', function() while true do end end)";
    assert_eq!(runner.call(&["FUNCTION", "LOAD", library]).text(), "l");
    run(&mut runner, &mut other, &["FCALL", "forever", "1", "key", "argument"]);
    for refused in ["GET x", "SCRIPT KILL", "FUNCTION LIST"] {
        assert_eq!(other.line(refused).text(), BUSY, "{refused}");
    }
    let stats = format!("{:?}", other.line("FUNCTION STATS"));
    for word in ["running_script", "forever", "FCALL", "key", "argument", "duration_ms", "libraries_count"] {
        assert!(stats.contains(word), "{word} in {stats}");
    }
    assert_eq!(other.line("FUNCTION KILL").text(), "OK");
    let reply = runner.read();
    let expected = "ERR Script killed by user with SCRIPT KILL... script: forever, on @user_function:2.";
    assert_eq!(reply.text(), expected);
    assert_eq!(other.line("FUNCTION KILL").text(), "NOTBUSY No scripts in execution right now.");
    run(&mut runner, &mut other, &["EVAL", ENDLESS, "0"]);
    for refused in ["FUNCTION STATS", "FUNCTION KILL"] {
        assert_eq!(other.line(refused).text(), SCRIPT_BUSY, "{refused}");
    }
    assert_eq!(other.line("SCRIPT KILL").text(), "OK");
    assert!(runner.read().is_error());
}

#[test]
fn who_comes_later_is_answered_too() {
    with_busy("1", ENDLESS, |server, runner, other| {
        for _ in 0..3 {
            let mut late = server.connect();
            assert_eq!(late.line("GET x").text(), SCRIPT_BUSY);
        }
        // Many at once, and more than one turn's worth of commands.
        let mut many: Vec<Client> = (0..50).map(|_| server.connect()).collect();
        let batch: Vec<Vec<Vec<u8>>> = (0..500).map(|_| words("INCR n")).collect();
        for client in &mut many {
            assert!(client.batch(&batch).iter().all(|reply| reply.text() == SCRIPT_BUSY));
        }
        drop(many);
        assert_eq!(server.connect().line("SCRIPT KILL").text(), "OK");
        assert!(runner.read().is_error());
        assert!(other.line("GET n").is_nil());
        assert_eq!(runner.line("PING").text(), "PONG");
    });
}

#[test]
fn pcall_does_not_catch_the_end() {
    with_busy("1", "while true do pcall(function() while true do end end) end", |_, runner, other| {
        assert_eq!(other.line("SCRIPT KILL").text(), "OK");
        assert!(runner.read().is_error());
    });
}

#[test]
fn a_script_that_has_written_is_not_killed() {
    for workers in ["1", "2"] {
        with_busy(workers, "redis.call('set', 'x', 1) while true do end", |server, _, other| {
            assert!(other.line("SCRIPT KILL").text().starts_with("UNKILLABLE Sorry the script already executed write"));
            assert_eq!(other.line("SHUTDOWN").text(), SCRIPT_BUSY);
            assert_eq!(other.line("SHUTDOWN SAVE").text(), SCRIPT_BUSY);
            other.send(&["SHUTDOWN", "NOSAVE"]);
            eventually("the end of the server", || (!server.is_running()).then_some(()));
        });
    }
}

#[test]
fn a_long_script_writes_and_goes_on() {
    let script = "local from = os.clock() repeat until os.clock() - from > 0.2 return redis.call('incr', 'x')";
    with_busy("1", script, |_, runner, other| {
        assert_eq!(runner.read().integer(), 1);
        assert_eq!(other.line("GET x").text(), "1");
    });
}

/// Each of them runs for minutes, or without end; some hold the shard of their key alone.
const LONG_CALLS: &[(&str, &str)] = &[
    ("table.insert", "table.insert({}, -2^31, KEYS[1])"),
    ("table.remove", "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.remove(t, 1) t[#t + 1] = 1 end"),
    ("a pattern", "return string.find(('a'):rep(1e5), ('a*'):rep(50) .. 'b')"),
    ("a lazy pattern", "return string.match(('a'):rep(1e6), ('.-'):rep(20) .. 'b')"),
    ("a balanced pattern", "return string.find(('('):rep(1e6), '%b()')"),
    ("gsub", "return (('a'):rep(1e5):gsub('.-b', ''))"),
    ("gmatch", "for _ in (('a'):rep(1e6)):gmatch('a-b') do end"),
    (
        "sort",
        "local t = {} for i = 1, 1e6 do t[i] = i end while true do table.sort(t, function(a, b) return a < b end) end",
    ),
    ("concat", "local t = {} for i = 1, 1e6 do t[i] = 'x' end while true do table.concat(t) end"),
    ("cjson", "local t = {} for i = 1, 1e5 do t[i] = {i} end while true do cjson.decode(cjson.encode(t)) end"),
    ("cmsgpack", "local t = {} for i = 1, 1e5 do t[i] = {i} end while true do cmsgpack.unpack(cmsgpack.pack(t)) end"),
    ("struct", "local s = ('b'):rep(7000) while true do struct.unpack(s, ('x'):rep(7000)) end"),
    ("unpack", "local t = {} for i = 1, 7000 do t[i] = i end while true do select('#', unpack(t)) end"),
    ("format", "local s = ('%99.99f'):rep(70) while true do pcall(string.format, s, unpack({}, 1, 70)) end"),
    ("long texts", "local s = ('x'):rep(5e7) while true do s = (s:upper() .. 'y'):sub(1, 5e7):reverse() end"),
    ("joining", "local s = ('x'):rep(5e7) while true do local t = s .. 'y' end"),
    ("comparing", "local s, t = ('x'):rep(1e8), ('x'):rep(1e8) while true do local same = s == t end"),
    ("ordering", "local s, t = ('x'):rep(1e8), ('x'):rep(1e8) while true do local less = s < t end"),
    ("looking up", "local s, t = ('x'):rep(1e8), {[('x'):rep(1e8)] = 1} while true do local found = t[s] end"),
    ("cutting", "local s = ('x'):rep(1e8) while true do local t = s:sub(2) end"),
    ("length of arguments", "while true do local n = #(KEYS[#KEYS] or '') end"),
];

#[test]
fn long_calls_of_libraries_are_killed() {
    let server = server("1");
    for (name, script) in LONG_CALLS.iter().copied() {
        for keys in [&["0"][..], &["1", "k"]] {
            let (mut runner, mut other) = (server.connect(), server.connect());
            run(&mut runner, &mut other, &[&["EVAL", script], keys].concat());
            assert_eq!(other.line("SCRIPT KILL").text(), "OK", "{name}");
            assert!(runner.read().text().starts_with("ERR Script killed"), "{name}");
            assert_eq!(other.line("SET k v").text(), "OK", "{name}");
        }
    }
}

#[test]
fn a_script_that_holds_its_keys_only_is_killed_while_others_want_them() {
    for workers in ["1", "3"] {
        let server = server(workers);
        let (mut runner, mut other) = (server.connect(), server.connect());
        let mut waiting: Vec<Client> = (0..4).map(|_| server.connect()).collect();
        for client in &mut waiting {
            assert_eq!(client.line("PING").text(), "PONG");
        }
        runner.send(&["EVAL", "table.insert({}, -2^31, KEYS[1])", "1", "k"]);
        // These may be at the shard's lock before anybody knows that it takes long.
        for client in &mut waiting {
            client.send(&["INCR", "k"]);
        }
        eventually("a script that is busy", || other.line("GET x").text().starts_with("BUSY ").then_some(()));
        assert_eq!(other.line("SCRIPT KILL").text(), "OK");
        assert!(runner.read().is_error());
        for client in &mut waiting {
            let reply = client.read();
            assert!(reply.text() == SCRIPT_BUSY || reply.integer() > 0, "{reply:?}");
        }
    }
}

#[test]
fn several_long_scripts_are_all_killed() {
    let server = server("3");
    let mut runners: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    let mut other = server.connect();
    assert_eq!(other.line("PING").text(), "PONG");
    for (key, runner) in ["a", "b", "c"].into_iter().zip(&mut runners) {
        runner.send(&["EVAL", "table.insert({}, -2^31, KEYS[1])", "1", key]);
    }
    for runner in &mut runners {
        while runner.is_silent(std::time::Duration::from_millis(1)) {
            let killed = other.line("SCRIPT KILL").text();
            assert!(killed == "OK" || killed.starts_with("NOTBUSY "), "{killed}");
        }
    }
    for runner in &mut runners {
        let reply = runner.read();
        assert!(reply.text().starts_with("ERR Script killed") || reply.text() == SCRIPT_BUSY, "{reply:?}");
    }
    assert_eq!(other.line("SET x 1").text(), "OK");
}

#[test]
fn without_a_threshold_nobody_is_told() {
    let server = Server::pipkin(&["--busy-reply-threshold", "0", "--io-threads", "2"]);
    let (mut runner, mut other) = (server.connect(), server.connect());
    assert_eq!(other.line("PING").text(), "PONG");
    runner.send(&["EVAL", "for i = 1, 3e7 do end return 'done'", "0"]);
    assert_eq!(other.line("INCR x").integer(), 1);
    assert_eq!(runner.read().text(), "done");
}

/// Commands beside a busy script: what is answered, what is refused, and what becomes of a transaction.
const BESIDE: &[&str] = &[
    "GET x",
    "PING",
    "INFO",
    "CLIENT ID",
    "COMMAND COUNT",
    "CONFIG GET maxmemory",
    "SUBSCRIBE c",
    "EVAL return 0",
    "EVALSHA x 0",
    "SCRIPT FLUSH",
    "SCRIPT EXISTS x",
    "SELECT 1",
    "AUTH secret",
    "AUTH default secret",
    "HELLO 2 AUTH default secret",
    "MULTI",
    "MULTI",
    "SET x 2",
    "EXEC",
    "MULTI",
    "SCRIPT KILL x",
    "DISCARD",
    "MULTI",
    "WATCH x",
    "DISCARD",
    "DISCARD",
    "EXEC",
    "WATCH x y",
    "UNWATCH",
    "WATCH x",
    "WATCH",
    "MULTI",
    "EXEC",
    "NOPE",
    "SHUTDOWN",
    "SHUTDOWN SAVE",
    "SHUTDOWN NOW",
    "SHUTDOWN ABORT",
    "SHUTDOWN NOPE",
    "SHUTDOWN SAVE NOSAVE",
    "RESET",
    "GET x",
    "QUIT",
];

#[test]
fn what_runs_beside_is_what_redis_runs() {
    let Some(redis) = oracle_with("busy_scripts::what_runs_beside_is_what_redis_runs", &THRESHOLD) else { return };
    let mut replies = Vec::new();
    for server in [redis, server("1"), server("2")] {
        let (mut runner, mut other) = (server.connect(), server.connect());
        run(&mut runner, &mut other, &["EVAL", ENDLESS, "0"]);
        let found: Vec<(&str, Reply)> = BESIDE.iter().map(|line| (*line, other.line(line))).collect();
        assert_eq!(server.connect().line("SCRIPT KILL").text(), "OK");
        assert!(runner.read().is_error());
        replies.push(found);
    }
    let expected = replies.remove(0);
    for found in replies {
        for (found, expected) in found.into_iter().zip(&expected) {
            let hello = found.0.starts_with("HELLO") && !found.1.is_error();
            assert!(hello || found == *expected, "{found:?} is {expected:?}");
        }
    }
}

#[test]
fn what_was_watched_beside_a_script_is_given_back() {
    let server = server("1");
    let (mut runner, mut watching, mut early) = (server.connect(), server.connect(), server.connect());
    assert_eq!(early.line("WATCH k").text(), "OK");
    run(&mut runner, &mut watching, &["EVAL", ENDLESS, "0"]);
    assert_eq!(watching.line("WATCH k").text(), "OK");
    assert_eq!(watching.line("MULTI").text(), "OK");
    // Whoever watched before and lets go now does so for good.
    assert_eq!(early.line("UNWATCH").text(), "OK");
    assert_eq!(server.connect().line("SCRIPT KILL").text(), "OK");
    assert!(runner.read().is_error());
    assert_eq!(watching.line("INCR k").text(), "QUEUED");
    assert!(watching.line("EXEC").is_nil(), "the script could have changed the key");
    assert_eq!(watching.line("WATCH k").text(), "OK");
    assert_eq!(watching.line("MULTI").text(), "OK");
    assert_eq!(watching.line("INCR k").text(), "QUEUED");
    assert_eq!(watching.line("EXEC").items()[0].integer(), 1);
    assert_eq!(early.line("MULTI").text(), "OK");
    assert_eq!(early.line("INCR k").text(), "QUEUED");
    assert_eq!(early.line("EXEC").items()[0].integer(), 2);
}

#[test]
fn a_watcher_that_leaves_meanwhile_leaves_nothing_behind() {
    let server = server("1");
    let (mut runner, mut other) = (server.connect(), server.connect());
    let mut gone = server.connect();
    assert_eq!(gone.line("WATCH k").text(), "OK");
    run(&mut runner, &mut other, &["EVAL", ENDLESS, "0"]);
    assert_eq!(gone.line("QUIT").text(), "OK");
    assert!(gone.read_to_close().is_empty());
    assert_eq!(other.line("SCRIPT KILL").text(), "OK");
    assert!(runner.read().is_error());
    assert_eq!(other.line("SET k 1").text(), "OK");
    eventually("one client less", || (!other.line("CLIENT LIST").text().contains("watch=1")).then_some(()));
}
