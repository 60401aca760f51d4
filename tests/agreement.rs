//! What Pipkin tells about itself, against what a real redis-server tells: the documentation of commands, ACL categories,
//! the fields of INFO and CLIENT LIST, the names of CONFIG GET.
//!
//! Every difference is in one of the tables below, with its reason. Prose (summaries, complexities, names of arguments,
//! what changed in a version) is our own and not compared.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::{Client, Reply, Server};

/// Fields of the documentation that differ: (command, field, why).
const DOCUMENTED_OTHERWISE: &[(&str, &str, &str)] = &[
    ("bitop", "arguments", "the operator is a choice since 7.2; DIFF, DIFF1, ANDOR and ONE are Redis 8.2's"),
    ("bitop", "history", "see there"),
    ("client|kill", "arguments", "SKIPME is a choice since 7.2; MAXAGE is Redis 7.4's"),
    ("client|kill", "history", "see there"),
    ("client|list", "arguments", "ID is no block since 7.2"),
    ("client|list", "history", "new fields in 7.2"),
    ("command|getkeys", "arguments", "told since 7.2"),
    ("command|getkeysandflags", "arguments", "told since 7.2"),
    ("config|get", "arguments", "no block since 7.2"),
    ("debug", "arguments", "Redis does not tell them"),
    ("geohash", "arguments", "the members are optional since 7.2"),
    ("geopos", "arguments", "the members are optional since 7.2"),
    ("georadius", "arguments", "STORE and STOREDIST are a choice since 7.2"),
    ("georadiusbymember", "arguments", "STORE and STOREDIST are a choice since 7.2"),
    ("georadiusbymember", "history", "ANY is told since 7.2"),
    ("pfmerge", "arguments", "the sources are optional since 7.2"),
    ("psubscribe", "arguments", "no block since 7.2"),
    ("psetex", "doc_flags", "deprecated since 7.2"),
    ("psetex", "deprecated_since", "deprecated since 7.2"),
    ("psetex", "replaced_by", "deprecated since 7.2"),
    ("setex", "doc_flags", "deprecated since 7.2"),
    ("setex", "deprecated_since", "deprecated since 7.2"),
    ("setex", "replaced_by", "deprecated since 7.2"),
    ("setnx", "doc_flags", "deprecated since 7.2"),
    ("setnx", "deprecated_since", "deprecated since 7.2"),
    ("setnx", "replaced_by", "deprecated since 7.2"),
    ("quit", "doc_flags", "deprecated since 7.2"),
    ("quit", "deprecated_since", "deprecated since 7.2"),
    ("set", "arguments", "IFEQ, IFNE, IFDEQ and IFDNE are Redis 8.4's"),
    ("set", "history", "see there"),
    ("xinfo|consumers", "history", "inactive is 7.2's"),
    ("xinfo|stream", "arguments", "FULL is a token of its own since 7.2"),
    ("xinfo|stream", "history", "active-time is 7.2's"),
    ("zrank", "arguments", "WITHSCORE is 7.2's"),
    ("zrank", "history", "WITHSCORE is 7.2's"),
    ("zrevrank", "arguments", "WITHSCORE is 7.2's"),
    ("zrevrank", "history", "WITHSCORE is 7.2's"),
];

/// Commands of Redis that are not there: (name, or the beginning of names with `*`, why).
const ABSENT_COMMANDS: &[(&str, &str)] = &[
    ("acl|deluser", "there is one user"),
    ("acl|setuser", "there is one user"),
    ("acl|load", "there is no ACL file"),
    ("acl|save", "there is no ACL file"),
    ("acl|log", "refused logins are not kept"),
    ("module|*", "there are no modules"),
    ("failover", "there is no replication"),
    ("migrate", "nothing is moved to other servers"),
    ("restore-asking", "nothing is moved from other servers"),
    ("psync", "there is no replication"),
    ("replconf", "there is no replication"),
    ("replicaof", "there is no replication"),
    ("slaveof", "there is no replication"),
    ("sync", "there is no replication"),
    ("client|*", "not there yet"),
    ("monitor", "not there yet"),
    ("x*", "not there yet"),
    ("pfdebug", "a tool of Redis's own tests"),
    ("pfselftest", "a tool of Redis's own tests"),
];

/// Commands that are in a category only here: (command, category, why).
const CATEGORIZED_OTHERWISE: &[(&str, &str, &str)] = &[("wait", "blocking", "flagged as blocking since 7.2")];

/// Fields of INFO that are not there: (section, field, why).
const ABSENT_FIELDS: &[(&str, &str, &str)] =
    &[("Server", "atomicvar_api", "how a C compiler does atomic operations: there is none")];

/// Settings of Redis 7.0 that CONFIG GET does not show: (name, why).
const ABSENT_SETTINGS: &[(&str, &str)] = &[("aof-disable-auto-gc", "hidden since 7.2")];

#[test]
fn documentation_agrees() {
    let Some(oracle) = support::oracle("agreement::documentation_agrees") else { return };
    let subject = Server::pipkin(&[]);
    let ours = documentation(&subject.connect_with(3).line("COMMAND DOCS"));
    let theirs = documentation(&oracle.connect_with(3).line("COMMAND DOCS"));
    let mut differences = BTreeMap::new();
    for (name, fields) in &ours {
        let Some(expected) = theirs.get(name) else { continue };
        for (field, text) in fields.iter().filter(|(field, text)| **text != expected[*field]) {
            let texts = format!("{name}, {field}:\n  Pipkin: {text}\n  Redis:  {}", expected[field]);
            differences.insert((name.as_str(), *field), texts);
        }
    }
    let known = DOCUMENTED_OTHERWISE.iter().map(|(command, field, _)| (*command, *field));
    let gone: Vec<_> = known.filter(|known| differences.remove(known).is_none()).collect();
    assert!(differences.is_empty(), "{}", differences.into_values().collect::<Vec<_>>().join("\n"));
    assert!(gone.is_empty(), "no differences any more: {gone:?}");
}

#[test]
fn no_command_is_absent_without_a_reason() {
    let Some(oracle) = support::oracle("agreement::no_command_is_absent_without_a_reason") else { return };
    let ours = names(&Server::pipkin(&[]).connect().line("COMMAND LIST"));
    let theirs = names(&oracle.connect().line("COMMAND LIST"));
    let is_known = |name: &String| {
        let matches = |known: &str| known.strip_suffix('*').map_or(known == name, |start| name.starts_with(start));
        ABSENT_COMMANDS.iter().any(|(known, _)| matches(known))
    };
    let absent: Vec<&String> = theirs.difference(&ours).filter(|name| !is_known(name)).collect();
    assert!(absent.is_empty(), "without a reason: {absent:?}");
}

#[test]
fn categories_hold_the_same_commands() {
    let Some(oracle) = support::oracle("agreement::categories_hold_the_same_commands") else { return };
    let subject = Server::pipkin(&[]);
    let (mut ours, mut theirs) = (subject.connect(), oracle.connect());
    let shared: BTreeSet<String> =
        names(&ours.line("COMMAND LIST")).intersection(&names(&theirs.line("COMMAND LIST"))).cloned().collect();
    for category in names(&theirs.line("ACL CAT")) {
        let is_known = |name: &String| {
            CATEGORIZED_OTHERWISE.iter().any(|(command, known, _)| command == name && *known == category)
        };
        for command in [format!("COMMAND LIST FILTERBY ACLCAT {category}"), format!("ACL CAT {category}")] {
            let of = |client: &mut Client| -> BTreeSet<String> {
                let names = names(&client.line(&command));
                names.intersection(&shared).filter(|name| !is_known(name)).cloned().collect()
            };
            assert_eq!(of(&mut ours), of(&mut theirs), "{command}");
        }
    }
}

#[test]
fn info_has_the_sections_and_fields_of_redis_in_its_order() {
    let flags = ["--appendonly", "yes"];
    let Some(oracle) =
        support::oracle_with("agreement::info_has_the_sections_and_fields_of_redis_in_its_order", &flags)
    else {
        return;
    };
    let subject = Server::pipkin(&flags);
    let (mut ours, mut theirs) = (subject.connect(), oracle.connect());
    for client in [&mut ours, &mut theirs] {
        client.line("SET k v EX 1000");
        client.line("GET");
    }
    for asked in ["", "default", "all", "everything", "server memory", "commandstats", "nosuch", "modules cluster"] {
        let line = format!("INFO {asked}");
        let (ours, theirs) = (sections(&ours.line(&line)), sections(&theirs.line(&line)));
        let titles = |sections: &[(String, Vec<String>)]| sections.iter().map(|(title, _)| title.clone()).collect();
        let (our_titles, their_titles): (Vec<String>, Vec<String>) = (titles(&ours), titles(&theirs));
        assert_eq!(our_titles, their_titles, "{line}");
        for ((title, ours), (_, theirs)) in ours.iter().zip(&theirs) {
            let is_absent =
                |field: &String| ABSENT_FIELDS.iter().any(|(section, known, _)| section == title && known == field);
            let expected: Vec<&String> = theirs.iter().filter(|field| !is_absent(field)).collect();
            // Fields of our own, and of later versions, stand in between.
            let found: Vec<&String> = ours.iter().filter(|field| theirs.contains(field)).collect();
            assert_eq!(found, expected, "{line}, {title}");
        }
    }
}

#[test]
fn settings_have_the_names_of_redis() {
    let Some(oracle) = support::oracle("agreement::settings_have_the_names_of_redis") else { return };
    let subject = Server::pipkin(&[]);
    let settings = |server: &Server| -> BTreeSet<String> {
        server.connect().line("CONFIG GET *").items().iter().step_by(2).map(Reply::text).collect()
    };
    let (ours, theirs) = (settings(&subject), settings(&oracle));
    let is_known = |name: &String| ABSENT_SETTINGS.iter().any(|(known, _)| known == name);
    let absent: Vec<&String> = theirs.difference(&ours).filter(|name| !is_known(name)).collect();
    assert!(absent.is_empty(), "without a reason: {absent:?}");
}

#[test]
fn client_list_has_the_fields_of_redis_in_its_order() {
    let Some(oracle) = support::oracle("agreement::client_list_has_the_fields_of_redis_in_its_order") else { return };
    let subject = Server::pipkin(&[]);
    for command in ["CLIENT LIST", "CLIENT INFO"] {
        let fields = |server: &Server| -> Vec<String> {
            let text = server.connect().line(command).text();
            let line = text.lines().next().unwrap();
            line.split_whitespace().map(|field| field.split('=').next().unwrap().to_owned()).collect()
        };
        let mut expected = fields(&oracle);
        // Since 7.2.
        expected.extend(["lib-name".to_owned(), "lib-ver".to_owned()]);
        assert_eq!(fields(&subject), expected, "{command}");
    }
}

fn names(reply: &Reply) -> BTreeSet<String> {
    reply.items().iter().map(Reply::text).collect()
}

/// Titles of INFO's sections, each with the names of its fields. Those that depend on what has run are left out.
fn sections(reply: &Reply) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in reply.text().lines() {
        if let Some(title) = line.strip_prefix("# ") {
            sections.push((title.to_owned(), Vec::new()));
        } else if let (Some((_, fields)), Some((name, _))) = (sections.last_mut(), line.split_once(':')) {
            let varies = ["cmdstat_", "latency_percentiles_", "errorstat_"].iter().any(|start| name.starts_with(start));
            fields.extend((!varies).then(|| name.to_owned()));
        }
    }
    sections
}

/// Fields that a command's documentation may lack.
const OPTIONAL: [&str; 5] = ["doc_flags", "deprecated_since", "replaced_by", "history", "arguments"];

/// The documentation of every command and subcommand, by field, as comparable text.
fn documentation(reply: &Reply) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut all = BTreeMap::new();
    for (name, fields) in entries(reply) {
        let mut texts = BTreeMap::new();
        for field in ["since", "group"] {
            texts.insert(field, get(fields, field).unwrap().text());
        }
        for field in OPTIONAL {
            let text = get(fields, field).map(|value| match field {
                "doc_flags" => sorted(value),
                "history" => value.items().iter().map(|change| change.items()[0].text() + " ").collect(),
                "arguments" => arguments(value),
                "replaced_by" => first_name(&value.text()),
                _ => value.text(),
            });
            texts.insert(field, text.unwrap_or_default());
        }
        if let Some(subcommands) = get(fields, "subcommands") {
            all.extend(documentation(subcommands));
        }
        all.insert(name.text(), texts);
    }
    all
}

fn entries(reply: &Reply) -> &[(Reply, Reply)] {
    let Reply::Map(entries) = reply else { panic!("a map is expected: {reply:?}") };
    entries
}

fn get<'a>(fields: &'a Reply, name: &str) -> Option<&'a Reply> {
    entries(fields).iter().find(|(field, _)| field.text() == name).map(|(_, value)| value)
}

fn sorted(reply: &Reply) -> String {
    names(reply).into_iter().collect::<Vec<_>>().join(" ")
}

/// The command that a deprecated one gives way to; the rest is prose.
fn first_name(text: &str) -> String {
    text.split('`').nth(1).unwrap_or_default().to_owned()
}

/// The argument tree without the names of its nodes.
fn arguments(reply: &Reply) -> String {
    let nodes = reply.items().iter().map(|node| {
        let told = ["type", "token", "since", "deprecated_since", "key_spec_index"];
        let mut text: String =
            told.iter().filter_map(|field| Some(format!("{field}={:?} ", get(node, field)?))).collect();
        text += &get(node, "flags").map(sorted).unwrap_or_default();
        text + &get(node, "arguments").map(arguments).unwrap_or_default()
    });
    format!("[{}]", nodes.collect::<Vec<_>>().join(", "))
}

#[test]
fn changes_are_counted_alike() {
    let Some(oracle) = support::oracle("agreement::changes_are_counted_alike") else { return };
    let subject = Server::pipkin(&[]);
    let counts = [&oracle, &subject].map(|server| {
        let mut client = server.connect();
        client.line("FLUSHALL");
        let mut before = changes(&mut client);
        CHANGING.map(|line| {
            client.line(line);
            let now = changes(&mut client);
            (line, now - std::mem::replace(&mut before, now))
        })
    });
    assert_eq!(counts[0], counts[1], "what save points count");
}

/// Commands that change several elements, or none.
const CHANGING: [&str; 38] = [
    "HSET g a 1 b 2 c 3",
    "HMSET g a 1 d 2",
    "HDEL g a b x",
    "SADD s a b c d e f",
    "SADD s a g",
    "SREM s a b x",
    "SPOP s 2",
    "SMOVE s t nothing",
    "LPUSH l 1 2 3 4 5 6 7 8",
    "LTRIM l 0 5",
    "LTRIM l 0 -1",
    "LREM l 0 8",
    "LPOP l 2",
    "LMPOP 1 l LEFT COUNT 2",
    "SORT l ALPHA STORE m",
    "RPUSHX m a b",
    "DEL l m",
    "ZADD z 1 a 2 b 3 c 4 d",
    "ZADD z 1 a 3 b 4 e",
    "ZREM z a b x",
    "ZPOPMIN z 2",
    "ZREMRANGEBYRANK z 0 -1",
    "PFADD h a b",
    "PFADD h a",
    "MSET a 1 b 2 c 3",
    "RENAME a d",
    "MOVE b 1",
    "COPY c e",
    "UNLINK c d e nothing",
    "RPUSH l 1 2 3 4",
    "LMOVE l m LEFT RIGHT",
    "LMOVE l l LEFT RIGHT",
    "RPOPLPUSH l m",
    "BLMOVE l m LEFT RIGHT 0",
    "BITFIELD bits SET u8 0 255 INCRBY u8 8 1 GET u8 0",
    "GEOADD geo 13 38 a 15 37 b",
    "GEOSEARCHSTORE near geo FROMLONLAT 13 38 BYRADIUS 500 km",
    "GEORADIUS geo 13 38 500 km STORE near",
];

/// Changes since the last save.
fn changes(client: &mut support::Client) -> i64 {
    let info = client.line("INFO persistence").text();
    let line = info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
    line.and_then(|count| count.trim().parse().ok()).expect("INFO tells how many changes there were")
}
