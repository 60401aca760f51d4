//! Everything that a server stores, read over the wire and compared key by key.

use std::collections::BTreeMap;

use crate::compare::{doubles, pairs, sorted, stream_info};
use crate::permitted;
use crate::support::{Client, Reply};

/// The databases that the grammar uses.
const DATABASES: [u8; 4] = [0, 1, 2, 15];
/// How far deadlines may be apart, in milliseconds.
const DRIFT_MS: i64 = 60_000;
/// Longest packed list: what has more bytes is a quicklist in every version.
const PACKED_LIST_BYTES: usize = 8192;
/// Limits of a packed set in 7.2.
const PACKED_SET_MEMBERS: usize = 128;
const PACKED_MEMBER_BYTES: usize = 64;

/// What is stored under one key.
#[derive(Debug, PartialEq)]
pub struct Entry {
    kind: String,
    encoding: String,
    ttl_ms: i64,
    content: Reply,
}

/// Every key of every database.
pub type State = BTreeMap<(u8, Vec<u8>), Entry>;

/// Reads everything.
pub fn read(client: &mut Client) -> State {
    let mut state = State::new();
    for database in DATABASES {
        client.call(&["SELECT", &database.to_string()]);
        let keys: Vec<Vec<u8>> = client.line("KEYS *").leaves().iter().map(|key| key.bytes().to_vec()).collect();
        let ask = |key: &Vec<u8>| {
            [&["TYPE"] as &[&str], &["OBJECT", "ENCODING"], &["PTTL"]].map(|words| command(words, key, &[]))
        };
        let facts = client.batch(&keys.iter().flat_map(ask).collect::<Vec<_>>());
        let contents =
            keys.iter().zip(facts.chunks_exact(3)).map(|(key, facts)| content_command(key, &facts[0].text()));
        let contents = client.batch(&contents.collect::<Vec<_>>());
        for ((key, facts), content) in keys.into_iter().zip(facts.chunks_exact(3)).zip(contents) {
            let (kind, encoding) = (facts[0].text(), facts[1].text());
            let entry = Entry { content: canonical(&kind, &content), kind, encoding, ttl_ms: facts[2].integer() };
            state.insert((database, key), entry);
        }
    }
    state
}

/// What differs first, if anything.
pub fn compare(subject: &State, oracle: &State) -> Result<(), String> {
    for (place @ (database, key), expected) in oracle {
        let place_text = format!("key \"{}\" of database {database}", key.escape_ascii());
        let Some(found) = subject.get(place) else {
            return Err(format!("  {place_text} is missing in Pipkin, Redis has {expected:?}"));
        };
        if found.kind != expected.kind || found.content != expected.content {
            return Err(format!("  {place_text}\n  Pipkin: {found:?}\n  Redis:  {expected:?}"));
        }
        if !same_deadline(found.ttl_ms, expected.ttl_ms) {
            let (ours, theirs) = (found.ttl_ms, expected.ttl_ms);
            return Err(format!("  time to live of {place_text}: Pipkin {ours} ms, Redis {theirs} ms"));
        }
        if !encoding_fits(found, expected) {
            let (ours, theirs) = (&found.encoding, &expected.encoding);
            return Err(format!("  encoding of {place_text} ({}): Pipkin {ours}, Redis {theirs}", found.kind));
        }
    }
    match subject.iter().find(|(place, _)| !oracle.contains_key(*place)) {
        None => Ok(()),
        Some((place, entry)) => {
            Err(format!("  key \"{}\" of database {} is in Pipkin only: {entry:?}", place.1.escape_ascii(), place.0))
        }
    }
}

/// `DEBUG DIGEST` of both, where both have it. It hashes the text of scores, which the versions print differently.
pub fn compare_digests(state: &State, subject: &mut Client, oracle: &mut Client) -> Result<(), String> {
    if !state.values().all(|entry| entry.kind != "zset" || entry.content.items().chunks(2).all(has_plain_score)) {
        return Ok(());
    }
    let (ours, theirs) = (subject.line("DEBUG DIGEST"), oracle.line("DEBUG DIGEST"));
    if ours == theirs || ours.is_error() || theirs.is_error() {
        return Ok(());
    }
    Err(format!("  DEBUG DIGEST: Pipkin {ours:?}, Redis {theirs:?}, though every key is equal"))
}

fn same_deadline(subject: i64, oracle: i64) -> bool {
    if subject < 0 || oracle < 0 { subject == oracle } else { subject.abs_diff(oracle) <= DRIFT_MS.unsigned_abs() }
}

/// Whether the score of this pair is an integer of at most 15 digits, and not zero, whose sign may be lost.
fn has_plain_score(pair: &[Reply]) -> bool {
    let bits = pair.get(1).and_then(|score| u64::from_str_radix(&score.text(), 16).ok());
    bits.map(f64::from_bits).is_some_and(|score| score.fract() == 0.0 && score.abs() < 1e15 && score != 0.0)
}

/// The permitted names, and that a packed collection is small enough to be one.
fn encoding_fits(subject: &Entry, oracle: &Entry) -> bool {
    if subject.encoding == oracle.encoding {
        return true;
    }
    let members = subject.content.leaves();
    let fits = match subject.kind.as_str() {
        "list" => members.iter().map(|member| member.bytes().len()).sum::<usize>() <= PACKED_LIST_BYTES,
        "set" => members.len() <= PACKED_SET_MEMBERS && members.iter().all(|m| m.bytes().len() <= PACKED_MEMBER_BYTES),
        // Pairs that were given twice count for 7.2, and cannot be seen here; `protocol.rs` has the exact rule.
        "zset" => true,
        _ => false,
    };
    fits && permitted::encoding(subject.encoding.as_bytes(), oracle.encoding.as_bytes())
}

fn command(words: &[&str], key: &[u8], tail: &[&str]) -> Vec<Vec<u8>> {
    let head = words.iter().map(|word| word.as_bytes().to_vec());
    head.chain([key.to_vec()]).chain(tail.iter().map(|word| word.as_bytes().to_vec())).collect()
}

fn content_command(key: &[u8], kind: &str) -> Vec<Vec<u8>> {
    match kind {
        "hash" => command(&["HGETALL"], key, &[]),
        "stream" => command(&["XINFO", "STREAM"], key, &["FULL", "COUNT", "0"]),
        "list" => command(&["LRANGE"], key, &["0", "-1"]),
        "set" => command(&["SMEMBERS"], key, &[]),
        "zset" => command(&["ZRANGE"], key, &["0", "-1", "WITHSCORES"]),
        _ => command(&["GET"], key, &[]),
    }
}

fn canonical(kind: &str, content: &Reply) -> Reply {
    match kind {
        "hash" => Reply::Map(pairs(content).1),
        "set" => sorted(content),
        "stream" => stream_info(content),
        "zset" => doubles(content),
        _ => content.clone(),
    }
}
