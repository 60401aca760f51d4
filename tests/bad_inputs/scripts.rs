//! Scripts that want out, that want too much, or that come at a bad moment.

use std::time::Duration;

use crate::support::{Client, Server, eventually};
use crate::{Target, attack};

/// Every error that a client is told counts here.
const COUNTER: &str = "total_error_replies";
/// What the process may hold at its peak: the budget of a script, what a library makes of it, and what was there before.
const PEAK_KB: u64 = 1_400 << 10;

fn eval(client: &mut Client, script: &str) -> crate::support::Reply {
    client.call(&["EVAL", script, "0"])
}

/// Each of these is an error, and nothing else.
fn refuse(target: &Target, scripts: &[&str]) {
    let mut client = target.connect();
    for script in scripts {
        let reply = eval(&mut client, script);
        assert!(reply.is_error(), "{script}: {reply:?}");
        assert_eq!(client.line("ECHO x").text(), "x");
    }
}

fn peak_kb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn bad_input_32_scripts_that_want_out() {
    attack(&[], COUNTER, |target| {
        refuse(
            target,
            &[
                "return os.execute('true')",
                "return os.getenv('HOME')",
                "return os.exit(1)",
                "return io.open('/etc/passwd')",
                "return io.popen('true')",
                "return load(function() return 'x' end)",
                "return loadstring('return 1')()",
                "return loadfile('/etc/passwd')",
                "return dofile('/etc/passwd')",
                "return require('os')",
                "return package.path",
                "return debug.getinfo(1)",
                "return setmetatable({}, {__index = _G})",
                "return getmetatable('').__index",
                "return getfenv(1)",
                "return setfenv(1, {})",
                "return newproxy(true)",
                "return string.dump(function() end)",
                "return coroutine.create(function() end)",
                "return print('x')",
                "_G.x = 1",
                "x = 1",
                "redis.call = nil",
                "string.rep = nil",
                "KEYS = nil",
                "rawset(_G, 'x', 1)",
                "rawset(redis, 'call', 1)",
                "table.insert(string, 1)",
                "local g = _G g.y = 1",
                "for k in pairs(_G) do _G[k] = nil end",
                "\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00",
                "return redis.register_function('f', function() end)",
                "return redis.call('eval', 'return 1', 0)",
                "return redis.call('config', 'set', 'maxmemory', 1)",
                "return redis.call('shutdown', 'nosave')",
                "return redis.call('debug', 'segfault')",
                "return redis.call('subscribe', 'c')",
                "return redis.call('auth', 'x')",
                "return redis.call('multi')",
                "#!python\nreturn 1",
                "#!lua flags=all\nreturn 1",
                "#!lua name=x\nreturn 1",
                "#!lua",
            ],
        );
        // What one script did to its tables another one does not see.
        assert_eq!(
            eval(&mut target.connect(), "return type(string.rep) .. type(redis.call)").text(),
            "functionfunction"
        );
    });
}

// long: the list of scripts
#[test]
fn bad_input_33_extremes_of_the_libraries() {
    attack(&[], COUNTER, |target| {
        refuse(
            target,
            &[
                "return struct.pack('i99999999999', 1)",
                "return struct.pack('!99999999', 1)",
                "return struct.unpack('i4', 'x')",
                "return struct.unpack('i4', 'abcd', 2^53)",
                "return struct.unpack('i4', 'abcd', -2^63)",
                "return struct.unpack('c99999999999', 'x')",
                "return struct.unpack('bc0', '\\255x')",
                "return struct.unpack('s', 'no end')",
                "return struct.size('s')",
                "return struct.unpack(('b'):rep(9000), ('x'):rep(9000))",
                "return cjson.decode(('['):rep(100000))",
                "return cjson.decode(('{\"a\":'):rep(100000))",
                "return cjson.decode('[1,2')",
                "return cjson.decode('\"\\\\u12')",
                "return cjson.decode('{\"a\" 1}')",
                "return cjson.decode('')",
                "local t = {} for i = 1, 5000 do t = {t} end return cjson.encode(t)",
                "local t = {} t[1] = t return cjson.encode(t)",
                "return cjson.encode({[1] = 1, [2^30] = 1})",
                "return cjson.encode(0 / 0)",
                "return cjson.encode(function() end)",
                "return cjson.encode_max_depth(0)",
                "return cjson.decode_max_depth(-1)",
                "return cjson.encode_number_precision(999)",
                "return cmsgpack.unpack('\\223\\255\\255\\255\\255')",
                "return cmsgpack.unpack('\\221\\255\\255\\255\\255')",
                "return cmsgpack.unpack('\\219\\255\\255\\255\\255')",
                "return cmsgpack.unpack('\\193')",
                "return cmsgpack.unpack(('\\145'):rep(1000000))",
                "return cmsgpack.unpack_one('x', -1)",
                "return cmsgpack.unpack_limit('x', 1, -1)",
                "return cmsgpack.pack()",
                "return bit.band()",
                "return bit.tohex({})",
                "return bit.lshift(1, 'x')",
                "return string.rep('x', 2^31 - 1)",
                "return ('x'):rep(1e9)",
                "return string.format('%999d', 1)",
                "return string.format('%.999f', 1)",
                "return string.format(('%s'):rep(100))",
                "return string.char(256)",
                "return ('x'):rep(1e6):byte(1, -1)",
                "return unpack({}, 1, 2^31)",
                "return unpack({}, -2^53, 2^53)",
                "return table.concat({}, 'x', 1, 2^30)",
                "return math.random(2, 1)",
                "return math.random(0)",
                "return tonumber('z', 99)",
                "return ('a'):find(('('):rep(40))",
                "return ('a'):gsub('a', '%9')",
                "return redis.call('set', 'attack', unpack({}, 1, 7000))",
                "return redis.call(('x'):rep(1e6))",
                "return redis.setresp(4)",
                "return redis.log(9, 'x')",
                "return redis.sha1hex()",
                "local t = {} for i = 1, 1100 do t = {t} end return redis.call(t)",
            ],
        );
        let mut client = target.connect();
        // Shifts and conversions beyond the width are those of C, and no panic.
        for script in
            ["return bit.lshift(1, 2^40)", "return bit.tobit(1e300)", "return bit.tohex(1, -2^31)", "return 1e300"]
        {
            assert!(!eval(&mut client, script).is_error(), "{script}");
        }
        // It is the reader of the reply that recurses.
        let reader = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
            let deep = eval(&mut client, "local t = {} for i = 1, 1e5 do t = {t} end return t");
            assert!(deep.leaves().iter().any(|leaf| leaf.is_error()), "a reply nests so deep and no deeper");
        });
        reader.unwrap().join().unwrap();
    });
}

/// Texts that would take a recursive compiler's stack, or more memory than they are long.
fn monstrous_texts() -> Vec<String> {
    let nested =
        |open: &str, close: &str, count: usize| format!("return {}1{}", open.repeat(count), close.repeat(count));
    vec![
        nested("(", ")", 200_000),
        nested("{", "}", 200_000),
        nested("#", "", 200_000),
        nested("not ", "", 200_000),
        nested("- ", "", 200_000),
        nested("f(", ")", 60_000),
        nested("2^", "", 200_000),
        nested("'x'..", "", 200_000),
        "do ".repeat(100_000),
        "if x then ".repeat(100_000),
        "function f() ".repeat(60_000),
        "for i = 1, 2 do ".repeat(60_000),
        "while 1 do ".repeat(60_000),
        format!("local {}", "a,".repeat(100_000)),
        format!("local a {}", "local b ".repeat(100_000)),
        format!("return function({}) end", "a,".repeat(100_000)),
        format!("return f({})", "1,".repeat(200_000)),
        format!("local t = {{{}}} return t[", "1,".repeat(200_000)),
        format!("a{} = 1", ".b".repeat(200_000)),
        format!("return '{}", "x".repeat(4_000_000)),
        format!("return [{}[", "=".repeat(4_000_000)),
        format!("--[[{}", "x".repeat(4_000_000)),
        format!("return {}", "9".repeat(200_000) + "x"),
        "\0".repeat(200_000),
        "\u{fffd}".repeat(200_000),
    ]
}

#[test]
fn bad_input_34_monstrous_texts() {
    attack(&[], COUNTER, |target| {
        let texts = monstrous_texts();
        refuse(target, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let mut client = target.connect();
        for text in
            ["return 1".to_owned() + &" + 1".repeat(200_000), format!("--{}\nreturn 200001", "x".repeat(5_000_000))]
        {
            assert_eq!(eval(&mut client, &text).integer(), 200_001);
        }
        assert_eq!(client.line("SCRIPT FLUSH").text(), "OK");
        // Whoever compiles next gives up what it kept of them.
        assert_eq!(eval(&mut client, "return 1").integer(), 1);
        assert!(peak_kb(&target.server) < PEAK_KB, "{} KB", peak_kb(&target.server));
    });
}

#[test]
fn bad_input_34_scripts_without_end() {
    attack(&["--busy-reply-threshold", "50"], COUNTER, |target| {
        for script in [
            "while true do end",
            "repeat until false",
            "for i = 1, math.huge do end",
            "local function f() return f() end f()",
            "while true do pcall(error) end",
            "for _ in function() return 1 end do end",
            "local t = {} while true do t[#t % 100 + 1] = {} end",
            "local function f(...) return f(1, ...) end return f()",
            "while true do redis.call('ping') end",
            "while true do pcall(redis.call, 'nope') end",
            "table.sort({3, 2, 1}, function() while true do end end)",
            "('x'):gsub('x', function() while true do end end)",
        ] {
            let mut runner = target.connect();
            runner.send(&["EVAL", script, "0"]);
            let mut other = target.connect();
            eventually("a script that is killed", || (other.line("SCRIPT KILL").text() == "OK").then_some(()));
            assert!(runner.read().text().starts_with("ERR Script killed by user"), "{script}");
        }
    });
}

#[test]
fn bad_input_34_scripts_that_want_too_much() {
    attack(&["--busy-reply-threshold", "100"], COUNTER, |target| {
        refuse(
            target,
            &[
                "local s = 'x' while true do s = s .. s end",
                "local t = {} for i = 1, 1e9 do t[i] = i end",
                "local t = {} for i = 1, 1e9 do t[i] = {} end",
                "local s = ('x'):rep(2e7) local t = {} for i = 1, 1e9 do t[i] = s .. i end",
                "local function f() return 1 + f() end return f()",
                "local f f = function() return (f()) end f()",
                "local function f() return ('x'):gsub('x', f) end f()",
                "local s = ('x'):rep(1e7) return s:gsub('x', s)",
                "return cjson.encode(('\\1'):rep(1e8))",
                "return ('%'):rep(1e7):gsub('%%', ('x'):rep(1e3))",
                "local t = {} for i = 1, 2e7 do t[i] = '' end return table.concat(t, ('x'):rep(1e3))",
                "local t = {('x'):rep(1e5)} for i = 1, 60 do t = {t, t} end return t",
            ],
        );
        assert!(peak_kb(&target.server) < PEAK_KB, "{} KB", peak_kb(&target.server));
    });
}

#[test]
fn bad_input_35_errors_of_several_lines() {
    attack(&[], COUNTER, |target| {
        let mut client = target.connect();
        for script in [
            "return redis.error_reply('MY one\\r\\n+OK\\r\\n$3\\r\\nabc\\r\\n')",
            "return {err = 'MY one\\r\\n:1\\r\\n'}",
            "error('one\\r\\n+OK\\r\\n')",
            "error({err = 'MY one\\n\\n+OK\\r'})",
            "return redis.status_reply('one\\r\\n-ERR two\\r\\n')",
            "return {ok = 'one\\r\\n*3\\r\\n'}",
            "return {big_number = '1\\r\\n+OK\\r\\n'}",
            "return redis.call('no\\r\\nsuch')",
            "return redis.call('set', 'attack', 'x', 'no\\r\\nsuch')",
            "return redis.pcall('config\\r\\n', 'x\\r\\n')",
            "no\r\n+OK\r\nscript",
            "#!lua flags=x\r\n+OK\r\n",
        ] {
            let reply = client.call(&["EVAL", script, "0"]);
            let text = reply.text();
            assert!(!text.contains(['\r', '\n']), "{script}: {text:?}");
            assert_eq!(client.line("ECHO next").text(), "next", "{script}");
        }
    });
}

#[test]
fn bad_input_36_scripts_at_bad_moments() {
    let scratch = crate::support::Scratch::new();
    let flags = ["--busy-reply-threshold", "20", "--appendonly", "yes", "--dir", scratch.text(), "--save", ""];
    attack(&flags, COUNTER, |target| {
        refuse(
            target,
            &[
                "return redis.call('save')",
                "return redis.call('bgsave')",
                "return redis.call('bgrewriteaof')",
                "return redis.call('shutdown')",
                "return redis.call('debug', 'reload')",
                "return redis.call('sync')",
                "return redis.call('psync', '?', -1)",
                "return redis.call('replicaof', 'no', 'one')",
            ],
        );
        let (mut runner, mut other) = (target.connect(), target.connect());
        // A snapshot and a rewrite begin, and a script writes meanwhile.
        assert!(!other.line("BGSAVE").is_error());
        let script = "for i = 1, 2000 do redis.call('incr', 'attack:n') end return redis.call('get', 'attack:n')";
        assert_eq!(eval(&mut runner, script).text(), "2000");
        eventually("the end of the snapshot", || {
            (crate::support::info_number(&mut other, "persistence", "rdb_bgsave_in_progress") == Some(0)).then_some(())
        });
        assert!(!other.line("BGREWRITEAOF").is_error());
        assert_eq!(eval(&mut runner, script).text(), "4000");
        // A script that is busy: none of them begins.
        runner.send(&["EVAL", "while true do end", "0"]);
        eventually("a script that is busy", || other.line("SAVE").text().starts_with("BUSY ").then_some(()));
        for command in
            ["BGSAVE", "BGREWRITEAOF", "SHUTDOWN", "SHUTDOWN SAVE", "DEBUG RELOAD", "FLUSHALL", "CONFIG GET save"]
        {
            assert!(other.line(command).text().starts_with("BUSY "), "{command}");
        }
        assert_eq!(other.line("SCRIPT KILL").text(), "OK");
        assert!(runner.read().is_error());
        eventually("the end of the rewrite", || {
            (crate::support::info_number(&mut other, "persistence", "aof_rewrite_in_progress") == Some(0)).then_some(())
        });
        assert!(!other.line("SAVE").is_error());
    });
    // SHUTDOWN NOSAVE ends a script that has written, and what was acknowledged before is kept.
    let mut server = Server::pipkin(&flags);
    let (mut runner, mut other) = (server.connect(), server.connect());
    assert_eq!(other.line("SET kept 1").text(), "OK");
    runner.send(&["EVAL", "redis.call('set', 'half', 1) while true do end", "0"]);
    eventually("a script that is busy", || other.line("GET kept").text().starts_with("BUSY ").then_some(()));
    assert!(other.line("SCRIPT KILL").text().starts_with("UNKILLABLE "));
    other.send(&["SHUTDOWN", "NOSAVE"]);
    eventually("the end of the server", || (!server.is_running()).then_some(()));
    let server = Server::pipkin(&flags);
    assert_eq!(server.connect().line("GET kept").text(), "1");
}

#[test]
fn bad_input_40_key_counts_that_cannot_be() {
    attack(&[], COUNTER, |target| {
        let mut client = target.connect();
        for numkeys in
            ["-1", "1", "2", "x", "", "1.5", "9223372036854775807", "-9223372036854775808", "99999999999999999999"]
        {
            for command in ["EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO"] {
                let script = "return redis.call('set', 'attack', KEYS[1])";
                let reply = client.call(&[command, script, numkeys]);
                assert!(reply.is_error(), "{command} {numkeys}: {reply:?}");
                let reply = client.call(&["COMMAND", "GETKEYS", command, script, numkeys, "a"]);
                assert!(reply.is_error() || reply.items().len() <= 1, "{command} {numkeys}: {reply:?}");
            }
            let reply = client.call(&["EVAL", "return redis.call(unpack(ARGV))", "0", "eval", "return 1", numkeys]);
            assert!(reply.is_error());
        }
        for command in [
            "COPY s:1 attack DB",
            "COPY s:1 attack DB x",
            "COPY s:1 attack DB -1",
            "COPY s:1 attack DB 9999999999",
            "COPY s:1 attack DB 0 DB",
            "SORT_RO s:1 STORE attack",
            "SORT_RO s:1 BY",
            "SORT_RO",
            "SORT s:1 STORE",
            "ZUNION 2 s:1",
            "ZINTERSTORE attack 9223372036854775807 s:1",
            "LMPOP 0 s:1 LEFT",
            "SINTERCARD -1 s:1",
        ] {
            assert!(client.line(command).is_error(), "{command}");
        }
        assert_eq!(client.line("EXISTS attack").integer(), 0);
        assert!(client.is_silent(Duration::from_millis(1)));
    });
}
