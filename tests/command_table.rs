//! `COMMAND` and its subcommands against a real redis-server: what clients and proxies learn about every command.
//!
//! Summaries, remarks and the names of arguments are prose and not compared; numbers, flags, categories and keys are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::collections::BTreeMap;

use support::{Reply, Server};

/// Names of the fields of `COMMAND INFO`, in its order.
const FIELDS: [&str; 9] =
    ["arity", "flags", "first key", "last key", "step", "ACL categories", "tips", "key specifications", "subcommands"];

/// What is otherwise since 7.2, which decides: (command, field).
const CHANGED: &[(&str, &str)] = &[
    ("msetnx", "tips"),
    ("randomkey", "tips"),
    ("scan", "tips"),
    ("blpop", "flags"),
    ("brpop", "flags"),
    ("blmove", "flags"),
    ("brpoplpush", "flags"),
    ("bzpopmin", "flags"),
    ("bzpopmax", "flags"),
    ("blmpop", "flags"),
    ("bzmpop", "flags"),
    ("wait", "flags"),
    ("wait", "ACL categories"),
    ("sinterstore", "key specifications"),
    ("zrank", "arity"),
    ("zrevrank", "arity"),
    ("client|setname", "tips"),
    ("config|resetstat", "tips"),
    ("config|rewrite", "tips"),
    ("command|getkeys", "arity"),
    ("command|getkeysandflags", "arity"),
];

/// Commands to extract keys from, and such that have none.
const GETKEYS: &[&str] = &[
    "GET k",
    "SET k v",
    "MSET a 1 b 2 c 3",
    "MGET a b c",
    "DEL a b",
    "COPY a b",
    "RENAME a b",
    "OBJECT ENCODING k",
    "LMOVE a b LEFT RIGHT",
    "BLPOP a b c 0",
    "LMPOP 2 a b LEFT",
    "BLMPOP 0 2 a b LEFT",
    "BZMPOP 0 2 a b MIN",
    "BZPOPMIN a b 0",
    "BRPOPLPUSH a b 0",
    "SINTERCARD 2 a b LIMIT 3",
    "SUNIONSTORE d a b",
    "ZUNION 2 a b WEIGHTS 1 2",
    "ZUNIONSTORE d 2 a b",
    "ZRANGESTORE d s 0 -1",
    "ZMPOP 1 z MIN",
    "PFMERGE d a b",
    "PFCOUNT a b",
    "LCS a b",
    "SORT k BY w_* LIMIT 0 1 GET # ALPHA STORE d",
    "SORT k STORE a STORE b",
    "SORT k",
    "SORT_RO k GET h_*->f",
    "BITFIELD k GET u8 0",
    "BITFIELD k GET u8 0 OVERFLOW SAT SET u8 0 1",
    "BITOP AND d a b",
    "GEORADIUS a 1 2 3 m COUNT 1 STORE b",
    "GEORADIUSBYMEMBER a b 3 m STOREDIST c",
    "GEOSEARCHSTORE d s FROMMEMBER a BYRADIUS 1 m",
    "SMOVE a b m",
    "ZADD z 1 a 2 b",
    "HSET h f v",
    "GETEX k EX 5",
    "WATCH a b",
    "PING",
    "NOSUCH a b",
    "GET",
    "LMPOP 3 a b LEFT",
    "LMPOP x a LEFT",
    "CONFIG GET a",
    "SUBSCRIBE c",
];

#[test]
fn every_command_is_described_as_redis_describes_it() {
    let Some(oracle) = support::oracle("command_table::every_command_is_described_as_redis_describes_it") else {
        return;
    };
    let subject = Server::pipkin(&[]);
    let ours = descriptions(&subject.connect().line("COMMAND"));
    let theirs = descriptions(&oracle.connect().line("COMMAND"));
    let mut differences = Vec::new();
    let mut compared = 0;
    for (name, fields) in &ours {
        // A command of our own, or one that came after the oracle.
        let Some(expected) = theirs.get(name) else { continue };
        compared += 1;
        for (at, field) in FIELDS.iter().enumerate().take(FIELDS.len() - 1) {
            if fields[at] != expected[at] && !CHANGED.contains(&(name, field)) {
                differences.push(format!("{name}, {field}:\n  Pipkin: {}\n  Redis:  {}", fields[at], expected[at]));
            }
        }
    }
    assert!(compared > 150, "only {compared} commands were compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn keys_are_found_as_redis_finds_them() {
    let Some(oracle) = support::oracle("command_table::keys_are_found_as_redis_finds_them") else { return };
    let subject = Server::pipkin(&[]);
    let (mut ours, mut theirs) = (subject.connect(), oracle.connect());
    for command in GETKEYS {
        for subcommand in ["GETKEYS", "GETKEYSANDFLAGS"] {
            let line = format!("COMMAND {subcommand} {command}");
            // Before 7.2 these demanded an argument behind the command's name.
            if command.contains(' ') {
                let (ours, theirs) = (sorted_flags(&ours.line(&line)), sorted_flags(&theirs.line(&line)));
                assert_eq!(ours, theirs, "{line}");
            }
        }
    }
}

#[test]
fn the_lists_agree_with_each_other() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let count = client.line("COMMAND COUNT").integer();
    let list = client.line("COMMAND LIST");
    // The list has the subcommands too.
    let commands = list.items().iter().filter(|name| !name.text().contains('|')).count();
    assert_eq!(commands as i64, count);
    assert_eq!(client.line("COMMAND").items().len() as i64, count);
    assert_eq!(client.line("COMMAND INFO").items().len() as i64, count);
    assert_eq!(client.line("COMMAND DOCS").items().len() as i64, 2 * count);
    let info = client.line("COMMAND INFO get nosuch SET config|get");
    assert_eq!(info.items().len(), 4);
    assert!(info.items()[1].is_nil(), "an unknown command is nothing");
    assert_eq!(info.items()[2].items()[0].text(), "set");
    assert_eq!(info.items()[3].items()[0].text(), "config|get");
    assert_eq!(client.line("COMMAND DOCS nosuch").items().len(), 0);
    let strings = client.line("COMMAND LIST FILTERBY ACLCAT string");
    assert!(strings.items().iter().any(|name| name.text() == "incrbyfloat"));
    let matching = client.line("COMMAND LIST FILTERBY PATTERN hget*");
    let mut names: Vec<String> = matching.items().iter().map(Reply::text).collect();
    names.sort();
    assert_eq!(names, ["hget", "hgetall", "hgetdel", "hgetex"]);
    assert_eq!(client.line("COMMAND LIST FILTERBY MODULE none").items().len(), 0);
    assert_eq!(client.line("COMMAND LIST FILTERBY NOSUCH x").text(), "ERR syntax error");
}

/// Every command and subcommand by name, its fields as comparable text.
fn descriptions(reply: &Reply) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for command in reply.items() {
        let [name, fields @ ..] = command.items() else { panic!("a description is expected: {command:?}") };
        assert_eq!(fields.len(), FIELDS.len(), "fields of {name:?}");
        all.extend(descriptions(&fields[8]));
        all.insert(name.text(), fields.iter().map(comparable).collect());
    }
    all
}

/// The reply as text: what is a set to Redis is sorted, remarks on key specifications are left out.
fn comparable(reply: &Reply) -> String {
    match reply {
        Reply::Integer(number) => number.to_string(),
        Reply::Array(items) | Reply::Set(items) if is_fields(items) => {
            pairs_text(items.chunks_exact(2).map(|pair| (&pair[0], &pair[1])))
        }
        Reply::Array(items) | Reply::Set(items) => {
            let mut texts: Vec<String> = items.iter().map(comparable).collect();
            if items.iter().all(|item| matches!(item, Reply::Simple(_) | Reply::Bulk(_))) {
                texts.sort();
            }
            format!("[{}]", texts.join(" "))
        }
        other => other.text(),
    }
}

/// Whether an array alternates names of fields and values, as key specifications do in RESP2.
fn is_fields(items: &[Reply]) -> bool {
    let names =
        ["notes", "flags", "begin_search", "find_keys", "type", "spec", "index", "lastkey", "keynumidx", "keyword"];
    items.len() >= 2
        && items.len().is_multiple_of(2)
        && matches!(&items[0], Reply::Bulk(name) if names.iter().any(|known| known.as_bytes() == name))
}

fn pairs_text<'a>(pairs: impl Iterator<Item = (&'a Reply, &'a Reply)>) -> String {
    let mut texts: Vec<String> = pairs
        .filter(|(name, _)| name.bytes() != b"notes")
        .map(|(name, value)| format!("{}={}", name.text(), comparable(value)))
        .collect();
    texts.sort();
    format!("{{{}}}", texts.join(" "))
}

/// Keys in order, the flags of each sorted.
fn sorted_flags(reply: &Reply) -> String {
    if reply.is_error() { reply.text() } else { reply.items().iter().map(comparable).collect::<Vec<_>>().join(", ") }
}
