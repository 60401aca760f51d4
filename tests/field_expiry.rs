//! Fields of hashes that expire, which the oracle of the differential test does not know.
//!
//! `field_expiry.txt` is a conversation with Redis 8.0.6, command and reply line by line, against which Pipkin is held;
//! with `PIPKIN_TEST_SERVER` it is held against any server. The payloads below were written by the servers named. Time
//! stands still, or is moved by the test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Reply, Scratch, Server, eventually};

const CONVERSATION: &str = include_str!("field_expiry.txt");

/// `a` expires at 2000000000000, `b` 700 ms later, `c` never.
const REDIS_TABLE: &[u8] = b"\x18\x00 J\xa9\xd1\x01\x00\x00\x03\x00\x01c\xc0\x03B\xbd\x01b\xc0\x02\x01\x01a\xc0\x01\x0c\x00jH\x81K\xcd\x1d\\\x16";
/// The same.
const REDIS_LISTPACK: &[u8] = b"\x19\x00 J\xa9\xd1\x01\x00\x00,,\x00\x00\x00\t\x00\x81a\x02\x01\x01\xf4\x00 J\xa9\xd1\x01\x00\x00\t\x81b\x02\x02\x01\xf4\xbc\"J\xa9\xd1\x01\x00\x00\t\x81c\x02\x03\x01\x00\x01\xff\x0c\x00\xe7U\x94\xe1\x8cs\"u";
/// `a` expires at 2000000000000, the others never.
const VALKEY: &[u8] = b"\x16\x03\x01a\xc0\x01\x00 J\xa9\xd1\x01\x00\x00\x01b\xc0\x02\xff\xff\xff\xff\xff\xff\xff\xff\x01c\xc0\x03\xff\xff\xff\xff\xff\xff\xff\xffP\x00Y\x8d\x17\x92\xfb\xc6\xc0\xb6";

fn with_manual_clock(directory: &Scratch, flags: &[&str]) -> Server {
    let server = Server::pipkin(&[&["--clock", "manual", "--dir", directory.text()], flags].concat());
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    server
}

/// The texts of a reply, joined.
fn texts(reply: &Reply) -> String {
    let text = |leaf: &Reply| if let Reply::Integer(number) = leaf { number.to_string() } else { leaf.text() };
    reply.leaves().iter().map(|leaf| text(leaf)).collect::<Vec<_>>().join(" ")
}

#[test]
fn replies_are_those_of_redis() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let mut differences = Vec::new();
    let mut lines = 0;
    for line in CONVERSATION.lines().filter(|line| !line.starts_with('#')) {
        let (command, expected) = line.split_once(" => ").expect("a command and its reply");
        lines += 1;
        let found = format!("{:?}", client.line(command));
        // A hash is in no order.
        let comparable = |reply: &str| match command.starts_with("HGETALL") {
            true => {
                let mut words: Vec<String> = reply.split(", ").map(|word| word.replace(['[', ']'], "")).collect();
                words.sort();
                words.join(" ")
            }
            false => reply.to_owned(),
        };
        if comparable(&found) != comparable(expected) {
            differences.push(format!("{command}\n  here:  {found}\n  Redis: {expected}"));
        }
    }
    assert!(lines > 140 && differences.is_empty(), "of {lines} replies differ:\n{}", differences.join("\n"));
}

/// What the sweep has left of the keys: asking removes nothing.
fn dbsize(client: &mut Client) -> i64 {
    client.line("DBSIZE").integer()
}

#[test]
fn fields_go_when_their_time_has_come() {
    let directory = Scratch::new();
    let server = with_manual_clock(&directory, &[]);
    let mut client = server.connect();
    for size in [3, 300] {
        client.line("FLUSHALL");
        for number in 0..size {
            client.line(&format!("HSET h f{number} v{number}"));
        }
        client.line("HPEXPIRE h 1000 FIELDS 2 f0 f1");
        client.line("HPEXPIRE h 2000 FIELDS 1 f2");
        client.line("HSET gone a 1 b 2");
        client.line("HPEXPIRE gone 1000 FIELDS 2 a b");
        client.line("DEBUG CLOCK ADVANCE 1000");
        assert_eq!(texts(&client.line("HMGET h f0 f1 f2")), "v0 v1 v2", "the last moment");
        client.line("DEBUG CLOCK ADVANCE 1");
        assert!(client.line("HGET h f0").is_nil(), "at once");
        client.line("DEBUG CLOCK ADVANCE 100");
        // Nobody looked at this one.
        eventually("the key without fields to go", || (dbsize(&mut client) == 1).then_some(()));
        assert_eq!(client.line("HLEN h").integer(), size - 2);
        assert_eq!(client.line("HEXISTS h f1").integer(), 0);
        assert_eq!(client.line("HSETNX h f0 new").integer(), 1, "it is not there any more");
        assert_eq!(texts(&client.line("HTTL h FIELDS 2 f0 f2")), "-1 1");
        client.line("DEBUG CLOCK ADVANCE 900");
        assert_eq!(client.line("HLEN h").integer(), size - 2);
        assert_eq!(texts(&client.line("HTTL h FIELDS 1 f2")), "-2");
    }
}

#[test]
fn memory_of_expired_fields_comes_back() {
    let directory = Scratch::new();
    let server = with_manual_clock(&directory, &[]);
    let mut client = server.connect();
    client.line("HSET h stays 1");
    let used = |client: &mut Client| client.line("MEMORY USAGE h").integer();
    let before = used(&mut client);
    let value = "x".repeat(100);
    for number in 0..5_000 {
        client.send(&["HSETEX", "h", "PX", "500", "FIELDS", "1", &format!("field:{number}"), &value]);
    }
    (0..5_000).for_each(|_| assert_eq!(client.read().integer(), 1));
    assert!(used(&mut client) > before + 500_000);
    client.line("DEBUG CLOCK ADVANCE 601");
    eventually("memory to come back", || (used(&mut client) < before + 50_000).then_some(()));
    assert_eq!(client.line("HLEN h").integer(), 1);
}

#[test]
fn deadlines_survive_a_kill() {
    for flags in [&["--appendonly", "yes", "--appendfsync", "always", "--save", ""][..], &["--appendonly", "no"]] {
        let directory = Scratch::new();
        let mut server = with_manual_clock(&directory, flags);
        let mut client = server.connect();
        client.line("HSET h a 1 b 2 c 3 d 4");
        client.line("HPEXPIREAT h 4000000000000 FIELDS 2 a b");
        client.line("HINCRBYFLOAT h a 1.5");
        client.line("HSETEX h PX 100000 FIELDS 1 e 5");
        client.line("HSETEX h KEEPTTL FIELDS 1 b 22");
        client.line("HGETEX h PX 1000 FIELDS 1 c");
        client.line("HGETDEL h FIELDS 1 d");
        client.line("HSET big x 1");
        (0..200).for_each(|number| drop(client.line(&format!("HSETEX big PX 70000 FIELDS 1 f{number} {number}"))));
        client.line("HEXPIRE big 0 FIELDS 1 f0");
        let ask = |client: &mut Client| {
            let deadlines = texts(&client.line("HPEXPIRETIME h FIELDS 5 a b c d e"));
            let values = texts(&client.line("HMGET h a b e"));
            let big = texts(&client.line("HPEXPIRETIME big FIELDS 4 x f0 f1 f199"));
            (deadlines, values, big, client.line("DEBUG DIGEST").text())
        };
        let before = ask(&mut client);
        let now = client.line("DEBUG CLOCK NOW").integer();
        if flags.contains(&"no") {
            assert_eq!(client.line("SAVE").text(), "OK");
            let file = std::fs::read(directory.path().join("dump.rdb")).expect("a file was saved");
            assert_eq!(&file[..9], b"REDIS0012", "no older Redis can read it");
        }
        server.kill();
        let again = with_manual_clock(&directory, flags);
        let mut client = again.connect();
        let behind = (now - client.line("DEBUG CLOCK NOW").integer()).max(0);
        client.line(&format!("DEBUG CLOCK ADVANCE {behind}"));
        assert_eq!(ask(&mut client), before, "{flags:?}");
        client.line("DEBUG CLOCK ADVANCE 80000");
        assert_eq!(client.line("HLEN big").integer(), 1, "expiry goes on");
    }
}

#[test]
fn files_are_old_again_without_deadlines() {
    let directory = Scratch::new();
    let server = with_manual_clock(&directory, &[]);
    let mut client = server.connect();
    client.line("HSET h a 1 b 2");
    client.line("HPEXPIRE h 1000 FIELDS 1 a");
    let version = |client: &mut Client| {
        client.line("SAVE");
        let file = std::fs::read(directory.path().join("dump.rdb")).expect("a file was saved");
        String::from_utf8_lossy(&file[5..9]).into_owned()
    };
    assert_eq!(version(&mut client), "0012");
    client.line("HPERSIST h FIELDS 1 a");
    assert_eq!(version(&mut client), "0010");
    client.line("HPEXPIRE h 1000 FIELDS 1 a");
    client.line("RENAME h g");
    client.line("COPY g f");
    assert_eq!(version(&mut client), "0012");
    client.line("HSET f a 1");
    client.line("HDEL g a");
    assert_eq!(version(&mut client), "0010");
    client.line("HPEXPIRE g 1000 FIELDS 1 b");
    client.line("FLUSHALL");
    assert_eq!(version(&mut client), "0010");
}

#[test]
fn payloads_of_others_are_restored() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    for (name, payload, expected) in [
        ("table", REDIS_TABLE, "2000000000000 2000000000700 -1"),
        ("listpack", REDIS_LISTPACK, "2000000000000 2000000000700 -1"),
        ("valkey", VALKEY, "2000000000000 -1 -1"),
    ] {
        let reply = client.call(&[b"RESTORE", name.as_bytes(), b"0", payload]);
        assert_eq!(reply.text(), "OK", "{name}");
        assert_eq!(texts(&client.line(&format!("HPEXPIRETIME {name} FIELDS 3 a b c"))), expected, "{name}");
        assert_eq!(texts(&client.line(&format!("HMGET {name} a b c"))), "1 2 3", "{name}");
    }
    let dumped = client.line("DUMP listpack");
    let bytes = dumped.bytes();
    assert_eq!((bytes[0], bytes[bytes.len() - 10]), (24, 12), "type and version");
    assert_eq!(client.call(&[b"RESTORE", &b"again"[..], b"0", bytes]).text(), "OK");
    assert_eq!(texts(&client.line("HPEXPIRETIME again FIELDS 3 a b c")), "2000000000000 2000000000700 -1");
    client.line("HPERSIST again FIELDS 2 a b");
    let dumped = client.line("DUMP again");
    assert_eq!(dumped.bytes()[dumped.bytes().len() - 10], 10, "any Redis reads it");
    let mut damaged = REDIS_TABLE.to_vec();
    damaged[3] ^= 1;
    assert!(client.call(&[b"RESTORE", &b"damaged"[..], b"0", &damaged]).is_error());
}

#[test]
fn what_happens_to_fields_is_announced() {
    let directory = Scratch::new();
    let server = with_manual_clock(&directory, &["--notify-keyspace-events", "KEA"]);
    let (mut listener, mut client) = (server.connect(), server.connect());
    listener.line("PSUBSCRIBE __keyevent@0__:*");
    client.line("HSET h a 1 b 2 c 3");
    client.line("HPEXPIRE h 1000 FIELDS 2 a b");
    client.line("HPERSIST h FIELDS 1 b");
    client.line("HGETDEL h FIELDS 1 b");
    client.line("HEXPIRE h 0 FIELDS 1 c");
    client.line("DEBUG CLOCK ADVANCE 1101");
    for event in ["hset", "hexpire", "hpersist", "hdel", "hdel", "hexpired", "del"] {
        let message = listener.read();
        assert_eq!(message.items()[2].text(), format!("__keyevent@0__:{event}"));
    }
}
