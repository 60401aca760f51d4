//! Libraries of functions: they are kept and exchanged, and their state is one for all threads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Client, Reply, Scratch, Server, eventually, info_number, oracle, tool};

const COUNTER: &str = "#!lua name=counter\nlocal n = 0\n\
    redis.register_function('count', function() n = n + 1 return n end)\n\
    redis.register_function('push', function(keys, args) return redis.call('rpush', keys[1], unpack(args)) end)";

/// A library that needs some room, and says so of itself.
fn long(name: &str) -> String {
    let comment = "-- nothing but room\n".repeat(500);
    format!(
        "#!lua name={name}\n{comment}redis.register_function{{function_name = '{name}_f', callback = function() return \
         '{name}' end, description = 'says its name', flags = {{'no-writes'}}}}"
    )
}

fn load(client: &mut Client, code: &str) {
    let reply = client.call(&["FUNCTION", "LOAD", "REPLACE", code]);
    assert!(!reply.is_error(), "{reply:?}");
}

/// The texts of all libraries.
fn texts(client: &mut Client) -> Vec<String> {
    let list = client.line("FUNCTION LIST WITHCODE");
    let mut texts: Vec<String> = list.items().iter().map(|library| library.items().last().unwrap().text()).collect();
    texts.sort();
    texts
}

fn start(directory: &Scratch, flags: &[&str]) -> Server {
    let server = Server::pipkin(&[&["--dir", directory.text()], flags].concat());
    wait(&server);
    server
}

fn wait(server: &Server) {
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
}

#[test]
fn state_is_one_for_all_threads() {
    let server = Server::pipkin(&["--io-threads", "4"]);
    load(&mut server.connect(), COUNTER);
    let address = server.address();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                let mut client = Client::try_connect(address).unwrap();
                let mut last = 0;
                for _ in 0..500 {
                    let n = client.line("FCALL count 0").integer();
                    assert!(n > last, "{n} behind {last}");
                    last = n;
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert_eq!(server.connect().line("FCALL count 0").integer(), 4001);
}

#[test]
fn functions_and_what_they_write_survive_a_kill() {
    let scratch = Scratch::new();
    let flags = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut server = start(&scratch, &flags);
    let mut client = server.connect();
    load(&mut client, COUNTER);
    load(&mut client, &long("gone"));
    load(&mut client, &long("stays"));
    assert_eq!(client.line("FUNCTION DELETE gone").text(), "OK");
    let payload = client.line("FUNCTION DUMP").bytes().to_vec();
    assert_eq!(client.line("FUNCTION FLUSH").text(), "OK");
    assert_eq!(client.call(&[&b"FUNCTION"[..], b"RESTORE", &payload]).text(), "OK");
    assert_eq!(client.line("FCALL push 1 list a b c").integer(), 3);
    assert_eq!(client.line("FCALL count 0").integer(), 1);
    assert!(client.line("FCALL push 1 list").is_error());
    let expected = texts(&mut client);
    assert_eq!(expected.len(), 2);
    for round in 0..2 {
        server.kill();
        server = start(&scratch, &flags);
        client = server.connect();
        assert_eq!(texts(&mut client), expected, "round {round}");
        assert_eq!(client.line("LRANGE list 0 -1").items().len(), 3);
        assert_eq!(client.line("FCALL count 0").integer(), 1, "state is not kept");
        assert_eq!(client.line("FCALL stays_f 0").text(), "stays");
        let rewrites = info_number(&mut client, "persistence", "aof_rewrites");
        client.line("BGREWRITEAOF");
        eventually("the rewrite", || {
            (info_number(&mut client, "persistence", "aof_rewrites") > rewrites).then_some(())
        });
    }
}

#[test]
fn a_snapshot_holds_them_and_a_reload_brings_them_back() {
    let scratch = Scratch::new();
    let flags = ["--save", "", "--enable-debug-command", "yes"];
    let mut server = start(&scratch, &flags);
    let mut client = server.connect();
    load(&mut client, COUNTER);
    load(&mut client, &long("one"));
    let expected = texts(&mut client);
    assert_eq!(client.line("DEBUG RELOAD").text(), "OK");
    assert_eq!(texts(&mut client), expected);
    assert!(client.line("DEBUG RELOAD NOFLUSH").is_error(), "they are there already");
    assert_eq!(client.line("DEBUG RELOAD NOFLUSH MERGE").text(), "OK");
    assert_eq!(texts(&mut client), expected);
    assert_eq!(client.line("FLUSHALL").text(), "OK");
    assert_eq!(client.line("SCRIPT FLUSH").text(), "OK");
    assert_eq!(texts(&mut client), expected);
    assert_eq!(client.line("SAVE").text(), "OK");
    server.kill();
    let report = check(&scratch.path().join("dump.rdb"));
    assert!(report.contains("libraries of functions: 2"), "{report}");
    let server = start(&scratch, &flags);
    assert_eq!(texts(&mut server.connect()), expected);
}

fn check(path: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pipkin")).arg("check").arg(path).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn files_are_exchanged_with_redis() {
    let Some(program) = tool("functions::files_are_exchanged_with_redis", "redis-server") else { return };
    let (ours, theirs) = (Scratch::new(), Scratch::new());
    let server = start(&ours, &["--save", ""]);
    let mut client = server.connect();
    load(&mut client, COUNTER);
    load(&mut client, &long("one"));
    client.line("SET key value");
    let expected = texts(&mut client);
    assert_eq!(client.line("SAVE").text(), "OK");
    fs::copy(ours.path().join("dump.rdb"), theirs.path().join("dump.rdb")).unwrap();
    let redis = Server::start(&program.path, &["--dir", theirs.text(), "--save", ""]);
    wait(&redis);
    let mut client = redis.connect();
    assert_eq!(texts(&mut client), expected);
    assert_eq!(client.line("FCALL one_f 0").text(), "one");
    load(&mut client, &long("two"));
    let expected = texts(&mut client);
    assert_eq!(client.line("SAVE").text(), "OK");
    drop(server);
    fs::copy(theirs.path().join("dump.rdb"), ours.path().join("dump.rdb")).unwrap();
    let server = start(&ours, &["--save", ""]);
    let mut client = server.connect();
    assert_eq!(texts(&mut client), expected);
    assert_eq!(client.line("GET key").text(), "value");
}

#[test]
fn payloads_are_exchanged_with_redis() {
    let Some(redis) = oracle("functions::payloads_are_exchanged_with_redis") else { return };
    let pipkin = Server::pipkin(&[]);
    let (mut ours, mut theirs) = (pipkin.connect(), redis.connect());
    for client in [&mut ours, &mut theirs] {
        load(client, &long("one"));
    }
    load(&mut ours, COUNTER);
    let payload = ours.line("FUNCTION DUMP").bytes().to_vec();
    assert_eq!(ours.line("FUNCTION DELETE counter").text(), "OK");
    let restore = |payload: &[u8], policy: &str| -> Vec<Vec<u8>> {
        vec![b"FUNCTION".to_vec(), b"RESTORE".to_vec(), payload.to_vec(), policy.as_bytes().to_vec()]
    };
    let other = "#!lua name=other\nredis.register_function('COUNT', function() return 'other' end)";
    let damaged: Vec<Vec<u8>> = (0..payload.len())
        .step_by(7)
        .map(|at| payload.iter().enumerate().map(|(index, byte)| byte ^ u8::from(index == at)).collect())
        .collect();
    for policy in ["APPEND", "append", "REPLACE", "FLUSH", "NOPE"] {
        let call = restore(&payload, policy);
        assert_eq!(ours.call(&call), theirs.call(&call), "{policy}");
        assert_eq!(texts(&mut ours), texts(&mut theirs), "{policy}");
    }
    for payload in damaged.iter().map(Vec::as_slice).chain([&b""[..], b"x", &payload[1..]]) {
        let call = restore(payload, "REPLACE");
        assert_eq!(ours.call(&call), theirs.call(&call));
    }
    // A function of another library is in the way.
    for client in [&mut ours, &mut theirs] {
        assert_eq!(client.line("FUNCTION FLUSH").text(), "OK");
        load(client, other);
    }
    for policy in ["APPEND", "REPLACE", "FLUSH"] {
        let call = restore(&payload, policy);
        assert_eq!(ours.call(&call), theirs.call(&call), "{policy}");
        assert_eq!(texts(&mut ours), texts(&mut theirs), "{policy}");
        assert_eq!(ours.line("FCALL count 0"), theirs.line("FCALL count 0"), "{policy}");
    }
    let payload = theirs.line("FUNCTION DUMP").bytes().to_vec();
    let call = restore(&payload, "FLUSH");
    assert_eq!(ours.call(&call).text(), "OK");
    assert_eq!(texts(&mut ours), texts(&mut theirs));
}

#[test]
fn figures_count_them() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let figure = |client: &mut Client, name: &str| info_number(client, "memory", name).unwrap();
    assert_eq!(figure(&mut client, "number_of_libraries"), 0);
    load(&mut client, COUNTER);
    load(&mut client, &long("one"));
    assert_eq!(figure(&mut client, "number_of_libraries"), 2);
    assert_eq!(figure(&mut client, "number_of_functions"), 3);
    assert_eq!(figure(&mut client, "used_memory_functions"), (COUNTER.len() + long("one").len()) as i64);
    assert!(figure(&mut client, "used_memory_vm_functions") > 0);
    client.line("FUNCTION FLUSH");
    assert_eq!(figure(&mut client, "number_of_libraries"), 0);
    assert_eq!(figure(&mut client, "used_memory_functions"), 0);
    assert_eq!(figure(&mut client, "used_memory_vm_functions"), 0);
}

#[test]
fn what_is_dropped_is_freed() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let code = "#!lua name=circles\nlocal kept = {}\n\
        redis.register_function('circle', function() local a, b = {}, {} a.b = b b.a = a \
        local function f() return f, a end a.f = f return #kept end)\n\
        redis.register_function('keep', function(keys, args) kept[#kept + 1] = string.rep('x', 1000) return #kept end)";
    load(&mut client, code);
    let before = info_number(&mut client, "memory", "used_memory_vm_functions").unwrap();
    let calls = vec![support::words("FCALL circle 0"); 20_000];
    client.batch(&calls);
    let after = info_number(&mut client, "memory", "used_memory_vm_functions").unwrap();
    assert!(after < before + (4 << 20), "{before} bytes became {after}");
    client.batch(&vec![support::words("FCALL keep 0"); 1000]);
    assert_eq!(client.line("FCALL keep 0").integer(), 1001);
    let kept = info_number(&mut client, "memory", "used_memory_vm_functions").unwrap();
    assert!(kept > 1_000_000, "{kept}");
    let used = info_number(&mut client, "memory", "used_memory").unwrap();
    load(&mut client, code);
    assert_eq!(client.line("FCALL keep 0").integer(), 1);
    let replaced = info_number(&mut client, "memory", "used_memory_vm_functions").unwrap();
    assert!(replaced < 1_000_000, "{replaced}");
    let left = info_number(&mut client, "memory", "used_memory").unwrap();
    assert!(used - left > 900_000, "{used} bytes became {left}");
}

#[test]
fn a_library_that_takes_too_long_is_refused() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    for body in ["while true do end", "local function f() return f() end f()", "for i = 1, 1e18 do end"] {
        let reply = client.call(&["FUNCTION", "LOAD", &format!("#!lua name=slow\n{body}")]);
        assert_eq!(reply.text(), "ERR Error registering functions: ERR FUNCTION LOAD timeout", "{body}");
    }
    for body in ["local t = {} while true do t = {t} end", "local s = 'x' while true do s = s .. s end"] {
        let reply = client.call(&["FUNCTION", "LOAD", &format!("#!lua name=big\n{body}")]);
        assert!(reply.text().starts_with("ERR Error registering functions: ERR "), "{reply:?}");
    }
    assert_eq!(client.line("PING").text(), "PONG");
}

/// Has a function run that does this after 20 ms, and waits until others are told. One thread serves all.
fn with_busy(body: &str, then: impl FnOnce(&mut Server, &mut Client, &mut Client)) {
    let mut server = Server::pipkin(&["--busy-reply-threshold", "20", "--io-threads", "1"]);
    let (mut runner, mut other) = (server.connect(), server.connect());
    load(&mut other, &format!("#!lua name=long\nredis.register_function('Long', function(keys, args) {body} end)"));
    load(&mut other, COUNTER);
    runner.send(&["FCALL", "long", "1", "key", "word"]);
    eventually("a function that is busy", || other.line("GET x").text().starts_with("BUSY ").then_some(()));
    then(&mut server, &mut runner, &mut other);
}

const FUNCTION_BUSY: &str = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

#[test]
fn a_function_without_end_is_killed() {
    with_busy("while true do end", |_, runner, other| {
        for line in ["GET x", "FCALL count 0", "SCRIPT KILL", "FUNCTION LIST", "FUNCTION DUMP", "EVAL x 0"] {
            assert_eq!(other.line(line).text(), FUNCTION_BUSY, "{line}");
        }
        let stats = other.line("FUNCTION STATS");
        let running = stats.items()[1].items();
        let texts = |items: &[Reply]| items.iter().map(Reply::text).collect::<Vec<_>>();
        assert_eq!(texts(&[running[0].clone(), running[1].clone(), running[2].clone()]), ["name", "Long", "command"]);
        assert_eq!(texts(running[3].items()), ["FCALL", "long", "1", "key", "word"]);
        assert!(running[4].text() == "duration_ms" && running[5].integer() >= 20);
        assert_eq!(other.line("FUNCTION KILL").text(), "OK");
        let reply = runner.read();
        assert!(
            reply.text().starts_with("ERR Script killed by user with SCRIPT KILL... script: Long, on @"),
            "{reply:?}"
        );
        assert_eq!(other.line("FUNCTION KILL").text(), "NOTBUSY No scripts in execution right now.");
        assert!(other.line("FUNCTION STATS").items()[1].is_nil());
        assert_eq!(runner.line("FCALL count 0").integer(), 1);
    });
}

#[test]
fn a_function_that_has_written_is_not_killed() {
    with_busy("redis.call('set', keys[1], 1) while true do end", |server, _, other| {
        assert!(other.line("FUNCTION KILL").text().starts_with("UNKILLABLE Sorry the script already executed write"));
        other.send(&["SHUTDOWN", "NOSAVE"]);
        eventually("the end of the server", || (!server.is_running()).then_some(()));
    });
}

#[test]
fn a_script_is_not_killed_as_a_function() {
    let server = Server::pipkin(&["--busy-reply-threshold", "20", "--io-threads", "1"]);
    let (mut runner, mut other) = (server.connect(), server.connect());
    assert_eq!(other.line("PING").text(), "PONG");
    runner.send(&["EVAL", "while true do end", "0"]);
    eventually("a script that is busy", || other.line("GET x").text().starts_with("BUSY ").then_some(()));
    for line in ["FUNCTION KILL", "FUNCTION STATS"] {
        let expected = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
        assert_eq!(other.line(line).text(), expected, "{line}");
    }
    assert_eq!(other.line("SCRIPT KILL").text(), "OK");
    assert!(runner.read().is_error());
}
