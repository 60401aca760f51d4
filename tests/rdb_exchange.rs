//! Files and payloads exchanged with a real redis-server, both ways, with the same digest at the end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pipkin::persist::rdb::{Auxiliary, Encoder, Item, Reader, Usage, Writer};
use pipkin::value::ValueLimits;
use pipkin::value::table::Basis;
use support::{Client, Random, Reply, Server};

/// Commands that make keys of every type, in every encoding, of many sizes.
fn fill(client: &mut Client) {
    let mut random = Random::new(20_261_120);
    let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut add = |words: Vec<String>| commands.push(words.into_iter().map(String::into_bytes).collect());
    let strings = ["", "a", "12", "-129", "70000", "-2147483649", "9223372036854775807", "007", "1.5", "12345678901"];
    for (n, text) in strings.iter().enumerate() {
        add(vec!["SET".into(), format!("s:{n}"), (*text).into()]);
    }
    for len in [20usize, 21, 44, 45, 63, 64, 300, 16_383, 16_384, 100_000] {
        add(vec!["SET".into(), format!("s:same:{len}"), "x".repeat(len)]);
        let noise = (0..len).map(|_| char::from(b' ' + random.below(90) as u8)).collect();
        add(vec!["SET".into(), format!("s:noise:{len}"), noise]);
    }
    let values = |kind: usize, count: usize| -> Vec<String> {
        (0..count)
            .map(|n| match kind {
                0 => (n * n * 7_919).to_string(),
                1 => format!("-{}", n * 1_000_003 + 1),
                2 => format!("value {n}"),
                _ => format!("{n}{}", "z".repeat(n * 37 % 200)),
            })
            .collect()
    };
    for kind in 0..4 {
        for count in [1usize, 2, 60, 129, 700] {
            let (name, all) = (format!("{kind}:{count}"), values(kind, count));
            let with = |command: &str, prefix: &str| vec![command.to_owned(), format!("{prefix}:{name}")];
            add([with("RPUSH", "l"), all.clone()].concat());
            add([with("SADD", "u"), all.clone()].concat());
            let pairs = all.iter().flat_map(|value| [value.clone(), format!("{}", value.len())]);
            add([with("HSET", "h"), pairs.collect()].concat());
            let scored = all.iter().enumerate().flat_map(|(n, value)| {
                let score = match n % 5 {
                    0 => n.to_string(),
                    1 => format!("-{}.25", n),
                    2 => "inf".into(),
                    3 => format!("{}e-7", n),
                    _ => format!("{}", 1u64 << (n % 60)),
                };
                [score, value.clone()]
            });
            add([with("ZADD", "z"), scored.collect()].concat());
        }
    }
    add(vec!["RPUSH".into(), "l:long".into(), "y".repeat(20_000), "short".into(), "y".repeat(70_000)]);
    add(vec!["SELECT".into(), "3".into()]);
    add(vec!["SET".into(), "other".into(), "database".into(), "PXAT".into(), "4102444800123".into()]);
    add(vec!["PFADD".into(), "p:1".into(), "a".into(), "b".into()]);
    add(vec!["SELECT".into(), "0".into()]);
    add_streams(&mut add);
    add(vec!["PEXPIREAT".into(), "h:2:2".into(), "4102444800000".into()]);
    add(vec!["EXPIREAT".into(), "s:1".into(), "4102444800".into()]);
    for reply in client.batch(&commands) {
        assert!(!reply.is_error(), "{reply:?}");
    }
}

/// Streams of several sizes, with groups whose consumers have entries pending.
fn add_streams(add: &mut impl FnMut(Vec<String>)) {
    for count in [0usize, 1, 30, 250] {
        let key = format!("x:{count}");
        add(vec!["XGROUP".into(), "CREATE".into(), key.clone(), "read".into(), "0".into(), "MKSTREAM".into()]);
        for n in 1..=count {
            let mut entry =
                vec!["XADD".into(), key.clone(), format!("{}-{}", n / 3 + 1, n), "number".into(), n.to_string()];
            if n % 7 == 0 {
                entry.extend([format!("more:{n}"), "z".repeat(n)]);
            }
            add(entry);
        }
        for line in [
            "XREADGROUP GROUP read ann COUNT 20 STREAMS KEY >",
            "XREADGROUP GROUP read bob COUNT 5 STREAMS KEY >",
            "XGROUP CREATECONSUMER KEY read idle",
            "XDEL KEY 2-4 3-7",
            "XGROUP CREATE KEY behind 1-1",
            "XGROUP CREATE KEY counted 1-1 ENTRIESREAD 1",
        ] {
            add(line.replace("KEY", &key).split(' ').map(str::to_owned).collect());
        }
    }
}

/// Reads a file and writes everything in it to another.
fn rewrite(from: &Path, to: &Path, compresses: bool) -> usize {
    let source = fs::File::open(from).expect("the file is there");
    let mut reader = Reader::new(source, ValueLimits::default(), Basis::new(1, 0)).expect("it is an RDB file");
    let head = Auxiliary {
        redis_version: "7.2.4",
        created: 1,
        used_memory: 1,
        is_aof_base: false,
        has_field_deadlines: false,
    };
    let mut writer = Writer::new(fs::File::create(to).expect("a file"), true, head).expect("it is written");
    let mut encoder = Encoder::new(compresses);
    let (mut selected, mut keys) = (None, 0);
    while let Some(item) = reader.next().expect("the file is sound") {
        let Item::Entry(entry) = item else { continue };
        if selected != Some(entry.database) {
            writer.select(entry.database);
            selected = Some(entry.database);
        }
        writer
            .entry(&mut encoder, entry.key, entry.value.view(), entry.deadline, Usage::Unknown)
            .expect("it is written");
        keys += 1;
    }
    writer.finish().expect("it is written");
    keys
}

/// Every key of database 0 with its encoding.
fn encodings(client: &mut Client) -> Vec<(Vec<u8>, String)> {
    let mut keys: Vec<Vec<u8>> = client.line("KEYS *").leaves().iter().map(|key| key.bytes().to_vec()).collect();
    keys.sort();
    let ask = |key: &Vec<u8>| vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), key.clone()];
    let replies = client.batch(&keys.iter().map(ask).collect::<Vec<_>>());
    // The digest knows nothing of groups.
    let encoding = |(key, reply): (&Vec<u8>, &Reply)| match reply.text() {
        name if name == "stream" => {
            format!("{name} {:?} {:?}", groups(client, key), client.call(&[b"XPENDING".as_slice(), key, b"read"]))
        }
        name => name,
    };
    let encodings: Vec<String> = keys.iter().zip(&replies).map(encoding).collect();
    keys.into_iter().zip(encodings).collect()
}

/// What a server tells about a stream's groups.
fn groups(client: &mut Client, key: &[u8]) -> Reply {
    client.call(&[b"XINFO".as_slice(), b"GROUPS", key])
}

#[test]
fn a_file_of_redis_is_read_and_what_is_written_of_it_is_read_by_redis() {
    let name = "a_file_of_redis_is_read";
    let (Some(origin), Some(program)) = (support::oracle(name), support::tool(name, "redis-server")) else { return };
    let Some(checker) = support::tool(name, "redis-check-rdb") else { return };
    let mut client = origin.connect();
    fill(&mut client);
    assert_eq!(client.line("DEBUG RELOAD").text(), "OK");
    let expected = (client.line("DEBUG DIGEST"), encodings(&mut client));
    for compressed_there in ["yes", "no"] {
        client.line(&format!("CONFIG SET rdbcompression {compressed_there}"));
        assert_eq!(client.line("SAVE").text(), "OK");
        let saved = origin.directory().join("dump.rdb");
        for compresses in [true, false] {
            let rewritten = origin.directory().join(format!("again-{compresses}.rdb"));
            assert_eq!(rewrite(&saved, &rewritten, compresses), expected.1.len() + 2);
            let checked = Command::new(&checker.path).arg(&rewritten).output().expect("the program starts");
            assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
            let directory = origin.directory().to_str().expect("a path of text");
            let file = rewritten.file_name().and_then(|name| name.to_str()).expect("a name of text");
            let flags = ["--dir", directory, "--dbfilename", file, "--save", "", "--enable-debug-command", "yes"];
            let loaded = Server::start(&program.path, &flags);
            let mut reader = loaded.connect();
            assert_eq!((reader.line("DEBUG DIGEST"), encodings(&mut reader)), expected);
        }
    }
}

#[test]
fn payloads_are_exchanged_both_ways() {
    let Some(oracle) = support::oracle("payloads_are_exchanged_both_ways") else { return };
    let subject = Server::pipkin(&[]);
    let (mut redis, mut pipkin) = (oracle.connect(), subject.connect());
    fill(&mut redis);
    let digest = redis.line("DEBUG DIGEST");
    let known = groups(&mut redis, b"x:250");
    transfer(&mut redis, &mut pipkin);
    assert_eq!(pipkin.line("DEBUG DIGEST"), digest);
    assert_eq!(groups(&mut pipkin, b"x:250"), known);
    redis.line("FLUSHALL");
    transfer(&mut pipkin, &mut redis);
    assert_eq!(redis.line("DEBUG DIGEST"), digest);
    assert_eq!(groups(&mut redis, b"x:250"), known);
}

/// Moves every key of two databases by DUMP and RESTORE.
fn transfer(from: &mut Client, to: &mut Client) {
    for database in ["0", "3"] {
        for client in [&mut *from, to] {
            client.call(&["SELECT", database]);
        }
        let keys: Vec<Vec<u8>> = from.line("KEYS *").leaves().iter().map(|key| key.bytes().to_vec()).collect();
        for key in keys {
            let payload = from.call(&[b"DUMP", &key[..]]);
            let deadline = from.call(&[b"PEXPIRETIME", &key[..]]).integer().max(0).to_string();
            let command = [b"RESTORE", &key[..], deadline.as_bytes(), payload.bytes(), b"ABSTTL"];
            assert_eq!(to.call(&command).text(), "OK", "{}", key.escape_ascii());
        }
    }
    for client in [from, to] {
        client.call(&["SELECT", "0"]);
    }
}

#[test]
fn restore_answers_as_redis_does() {
    let Some(oracle) = support::oracle("restore_answers_as_redis_does") else { return };
    let subject = Server::pipkin(&[]);
    let (mut redis, mut pipkin) = (oracle.connect(), subject.connect());
    redis.line("SET v value");
    let payload = redis.line("DUMP v").bytes().to_vec();
    let mut other_sum = payload.clone();
    other_sum[2] ^= 1;
    let signed = pipkin::persist::rdb::dump::signed(b"\x10\x03abc");
    let lines = [
        "DUMP nosuch",
        "DUMP",
        "DUMP a b",
        "RESTORE",
        "RESTORE a 0",
        "RESTORE a 0 P",
        "RESTORE a 0 P",
        "RESTORE a x P",
        "RESTORE a 0 P REPLACE",
        "RESTORE a -1 P REPLACE",
        "RESTORE b -1 P",
        "RESTORE b x P",
        "RESTORE b 0 X",
        "RESTORE b 0 C",
        "RESTORE b 0 S",
        "RESTORE b -1 X",
        "RESTORE b 0 P NOSUCH",
        "RESTORE b 0 P IDLETIME",
        "RESTORE b 0 P IDLETIME -1",
        "RESTORE b 0 P IDLETIME x",
        "RESTORE b 0 P FREQ",
        "RESTORE b 0 P FREQ 256",
        "RESTORE b 0 P FREQ -1",
        "RESTORE b 0 P FREQ 1 IDLETIME 1",
        "RESTORE b 0 P IDLETIME 1 FREQ 1",
        "RESTORE b 0 P IDLETIME 7 IDLETIME 1000",
        "RESTORE c 100000 P replace absttl",
        "EXISTS c",
        "RESTORE b 1 P REPLACE ABSTTL",
        "EXISTS b",
        "RESTORE d 100000 P FREQ 9",
        "PERSIST d",
        "GET d",
        "RESTORE e 4102444800000 P ABSTTL",
        "PEXPIRETIME e",
        "RESTORE e 9223372036854775807 P REPLACE",
        "EXISTS e",
        "RESTORE e 0 X REPLACE",
        "GET e",
        "RESTORE e 9223372036854775808 P REPLACE",
    ];
    for line in lines {
        let words: Vec<Vec<u8>> = line
            .split(' ')
            .map(|word| match word {
                "P" => payload.clone(),
                "X" => b"no payload at all".to_vec(),
                "C" => other_sum.clone(),
                "S" => signed.clone(),
                word => word.as_bytes().to_vec(),
            })
            .collect();
        assert_eq!(pipkin.call(&words), redis.call(&words), "{line}");
    }
}

#[test]
fn restore_keeps_what_is_said_of_the_last_use() {
    let Some(oracle) = support::oracle("restore_keeps_what_is_said_of_the_last_use") else { return };
    let subject = Server::pipkin(&[]);
    let (mut redis, mut pipkin) = (oracle.connect(), subject.connect());
    redis.line("SET v value");
    let payload = redis.line("DUMP v").bytes().to_vec();
    for client in [&mut pipkin, &mut redis] {
        let command: [&[u8]; 6] = [b"RESTORE", b"idle", b"0", &payload, b"IDLETIME", b"1000"];
        assert_eq!(client.call(&command).text(), "OK");
        let idle = client.line("OBJECT IDLETIME idle").integer();
        assert!((1000..1060).contains(&idle), "{idle}");
        client.line("CONFIG SET maxmemory-policy allkeys-lfu");
        let command: [&[u8]; 6] = [b"RESTORE", b"used", b"0", &payload, b"FREQ", b"77"];
        assert_eq!(client.call(&command).text(), "OK");
        assert_eq!(client.line("OBJECT FREQ used").integer(), 77);
    }
}

fn check(arguments: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipkin"));
    command.arg("check").args(arguments).output().expect("the program starts")
}

#[test]
fn the_check_counts_what_is_sound_and_names_the_offset_of_what_is_not() {
    let Some(origin) = support::oracle("the_check_counts_what_is_sound") else { return };
    let mut client = origin.connect();
    fill(&mut client);
    assert_eq!(client.line("SAVE").text(), "OK");
    let saved = origin.directory().join("dump.rdb");
    let sound = check(&[&saved]);
    let report = String::from_utf8_lossy(&sound.stdout).into_owned();
    assert!(sound.status.success(), "{report}");
    assert!(report.contains("version 10") && report.contains("sound"), "{report}");
    assert!(report.contains("database 3: 2 keys, 1 of them with a deadline"), "{report}");
    for kind in ["string", "list", "set", "zset", "hash"] {
        assert!(report.lines().any(|line| line.trim_start().starts_with(kind)), "{report}");
    }
    let bytes = fs::read(&saved).expect("the file is there");
    let damaged = origin.directory().join("damaged.rdb");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 0x10;
    for (content, offset) in
        [(&bytes[..1000], Some(1000)), (&flipped, None), (b"something else", Some(0)), (b"", Some(0))]
    {
        fs::write(&damaged, content).expect("a file");
        let refused = check(&[&saved, &damaged]);
        let report = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{report}");
        assert!(offset.is_none_or(|offset| report.contains(&format!("at offset {offset}"))), "{report}");
        assert!(report.contains("offset "), "{report}");
    }
    assert_eq!(check(&[Path::new("/nonexistent/file.rdb")]).status.code(), Some(1));
}
