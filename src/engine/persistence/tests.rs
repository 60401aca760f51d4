//! Snapshots against a model: random commands, walks of overlapping snapshots in between, and each of them must come to
//! exactly what was there when it began, every key once.
//!
//! Keys are chosen so that they fall into the two shards where a walk begins, whose tables therefore grow, split, shrink and merge. What a
//! snapshot is handed it keeps as it is, and looks into only at its end: big values are shared until then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use proptest::prelude::*;

use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::engine::clients::Origin;
use crate::engine::dispatch;
use crate::engine::instance::Engine;
use crate::engine::session::Session;
use crate::persist::rdb::{Encoder, Usage};
use crate::protocol::request::OwnedRequest;
use crate::store::expiry;
use crate::store::keyspace::Keyspace;
use crate::store::record::Record;
use crate::store::snapshot::{Cursor, SnapshotReceiver};
use crate::value::table::Table;

/// Shards that the keys fall into, and how many into each: enough for several segments.
const SHARDS_USED: usize = 2;
const KEYS_PER_SHARD: usize = 900;
/// Snapshots that overlap.
const SNAPSHOTS: usize = 3;
/// Databases that the steps use.
const DATABASES: usize = 3;

/// Each key of each database, encoded.
type Content = BTreeMap<(usize, Vec<u8>), Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    /// A command; `@n` stands for the nth key.
    Run(usize, String),
    /// SET of a run of keys.
    Fill(usize, usize, usize),
    /// DEL of a run of keys.
    Clear(usize, usize, usize),
    Advance(u64),
    Sweep(usize),
    Begin(usize),
    Walk(usize, usize),
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let keys = SHARDS_USED * KEYS_PER_SHARD;
    let (database, key, small) = (0..DATABASES, 0..keys, 0..40usize);
    let one = (database.clone(), small.clone(), 0..300usize, 0..20usize, small.clone()).prop_map(one_key);
    let whole = (database.clone(), database.clone(), 0..6usize).prop_map(whole_databases);
    prop_oneof![
        12 => one,
        2 => whole,
        3 => (database.clone(), key.clone(), 1..400usize).prop_map(|(db, first, count)| Step::Fill(db, first, count)),
        3 => (database, key, 1..600usize).prop_map(|(db, first, count)| Step::Clear(db, first, count)),
        1 => (1..400u64).prop_map(Step::Advance),
        1 => (1..20usize).prop_map(Step::Sweep),
        3 => (0..SNAPSHOTS).prop_map(Step::Begin),
        12 => (0..SNAPSHOTS, 1..8usize).prop_map(|(slot, count)| Step::Walk(slot, count)),
        1 => (0..SNAPSHOTS).prop_map(Step::End),
    ]
}

fn one_key((database, key, number, kind, other): (usize, usize, usize, usize, usize)) -> Step {
    let many = |each: &dyn Fn(usize) -> String| (0..number).map(each).collect::<Vec<_>>().join(" ");
    let text = match kind {
        0 => format!("SET @{key} {}", "v".repeat(number * 9)),
        1 => format!("SET @{key} {number} PX {}", number * 3 + 1),
        2 => format!("APPEND @{key} tail{number}"),
        3 => format!("SETRANGE @{key} {} x", number * 20),
        4 => format!("HSET @h{key} f v {}", many(&|n| format!("f{n} {number}"))),
        5 => format!("HDEL @h{key} {} f{number}", many(&|n| format!("f{}", n * 3))),
        6 => format!("ZADD @z{key} 1 m {}", many(&|n| format!("{} m{n}", n * 7 % 50))),
        7 => format!("ZREM @z{key} m{number} {}", many(&|n| format!("m{}", n * 2))),
        8 => format!("RPUSH @l{key} e {}", many(&|n| format!("element:{n}:{number}"))),
        9 => format!("LTRIM @l{key} {} -{}", number / 9, number / 7 + 1),
        10 => format!("LSET @l{key} {} changed", number / 20),
        11 => format!("SADD @s{key} 1 {}", many(&|n| format!("{}", n * number))),
        12 => format!("SREM @s{key} {} {number}", many(&|n| format!("{}", n * 2))),
        13 => format!("PEXPIRE @h{key} {}", number * 4 + 1),
        14 => format!("PERSIST @h{key}"),
        15 => format!("RENAME @z{key} @z{other}"),
        16 => format!("COPY @h{key} @h{other} DB {} REPLACE", number % DATABASES),
        17 => format!("MOVE @l{key} {}", number % DATABASES),
        18 => format!("DEL @l{key} @h{other}"),
        _ => format!("ZUNIONSTORE @z{key} 2 @z{key} @z{other}"),
    };
    Step::Run(database, text)
}

fn whole_databases((a, b, kind): (usize, usize, usize)) -> Step {
    let text = match kind {
        0 => "FLUSHALL".into(),
        1 => "FLUSHDB".into(),
        _ => format!("SWAPDB {a} {b}"),
    };
    Step::Run(a, text)
}

/// Takes what it is handed, and looks into it at the end.
#[derive(Default)]
struct Collector {
    records: Mutex<Vec<(usize, Record)>>,
    flushed: Mutex<Vec<(usize, Table<Record>, u32)>>,
}

impl SnapshotReceiver for Collector {
    fn records(&self, database: usize, records: &mut dyn Iterator<Item = &Record>) {
        self.records.lock().extend(records.map(|record| (database, record.clone())));
    }
    fn flushed(&self, database: usize, table: Table<Record>, id: u32) {
        self.flushed.lock().push((database, table, id));
    }
    fn pace(&self) {}
}

impl Collector {
    fn content(&self) -> Content {
        let mut content = Content::new();
        let mut add = |database: usize, record: &Record| {
            let known = content.insert((database, record.key().to_vec()), encoded(record));
            assert!(known.is_none(), "{database} has {} twice", record.key().escape_ascii());
        };
        self.records.lock().iter().for_each(|(database, record)| add(*database, record));
        for (database, table, id) in self.flushed.lock().iter() {
            let all = table.each_stamped_below(*id, |record| {
                add(*database, record);
                Ok::<_, ()>(())
            });
            assert!(all.is_ok());
        }
        content
    }
}

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    let outcome = Encoder::new(false).entry(record.key(), record.view(), record.deadline(), Usage::Unknown, &mut bytes);
    assert!(outcome.is_ok(), "memory takes everything");
    bytes
}

struct Snapshot {
    collector: Arc<Collector>,
    id: u32,
    cursor: Cursor,
    expected: Content,
}

struct Bench {
    engine: Arc<Engine>,
    session: Session,
    /// Names of keys, those of one shard in a row.
    names: Vec<String>,
    snapshots: [Option<Snapshot>; SNAPSHOTS],
}

impl Bench {
    fn new() -> Bench {
        let engine = Engine::new(Config::new(), Clock::manual(1_000_000)).expect("an instance");
        let session = engine.connect(Origin::in_process(), None);
        let basis = engine.keyspace.basis();
        let of_shard = |shard: usize| {
            let names = (0..).map(|number: u64| format!("key:{number}"));
            names.filter(move |name| Keyspace::shard_of(basis.hash(name.as_bytes())) == shard).take(KEYS_PER_SHARD)
        };
        let names = (0..SHARDS_USED).flat_map(|shard| of_shard(shard)).collect();
        Bench { session, names, engine, snapshots: Default::default() }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Run(database, text) => self.command(*database, text),
            Step::Fill(database, first, count) => {
                let pairs: Vec<String> = self.range(*first, *count).map(|key| format!("@{key} {count}")).collect();
                self.command(*database, &format!("MSET {}", pairs.join(" ")));
            }
            Step::Clear(database, first, count) => {
                let keys: Vec<String> = self.range(*first, *count).map(|key| format!("@{key}")).collect();
                self.command(*database, &format!("DEL {}", keys.join(" ")));
            }
            Step::Advance(ms) => self.engine.clock.advance(Duration::from_millis(*ms)),
            Step::Sweep(slice) => {
                let engine = &self.engine;
                expiry::sweep(&mut engine.keys(), engine.clock.now_ms(), *slice);
            }
            Step::Begin(slot) if self.snapshots[*slot].is_none() => self.begin(*slot),
            Step::Begin(_) => {}
            Step::Walk(slot, count) => self.walk(*slot, *count),
            Step::End(slot) => self.end(*slot),
        }
    }

    fn range(&self, first: usize, count: usize) -> std::ops::Range<usize> {
        first..(first + count).min(self.names.len())
    }

    fn command(&mut self, database: usize, text: &str) {
        self.session.database = database;
        let words: Vec<Vec<u8>> = text.split_whitespace().map(|word| self.word(word)).collect();
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let request = OwnedRequest::new(&words).expect("a command has a name");
        dispatch::run_request(&self.engine, &mut self.session, request.request(), Vec::new());
    }

    /// `@h12`: the key number 12 of those that hold hashes.
    fn word(&self, word: &str) -> Vec<u8> {
        let Some(key) = word.strip_prefix('@') else { return word.into() };
        let kind = key.chars().next().filter(char::is_ascii_alphabetic);
        let number: usize = key.trim_start_matches(char::is_alphabetic).parse().expect("a number");
        let base = kind.map_or(0, |kind| 100 * (1 + "hzls".find(kind).expect("a kind")));
        self.names[base + number].clone().into_bytes()
    }

    fn begin(&mut self, slot: usize) {
        let mut keys = self.engine.keys();
        keys.enter_exclusively(self.engine.clock.now_ms());
        let mut expected = Content::new();
        keys.each_shard(|shard| {
            for number in 0..shard.database_count() {
                let records = shard.database(number).into_iter().flat_map(|database| database.table.iter());
                expected.extend(records.map(|record| ((number, record.key().to_vec()), encoded(record))));
            }
        });
        let collector = Arc::<Collector>::default();
        let id = keys.begin_snapshot(collector.clone());
        keys.leave();
        self.snapshots[slot] = Some(Snapshot { collector, id, cursor: Cursor::default(), expected });
    }

    fn walk(&mut self, slot: usize, count: usize) {
        let Some(snapshot) = &mut self.snapshots[slot] else { return };
        let mut keys = self.engine.keys();
        for _ in 0..count {
            keys.enter(self.engine.clock.now_ms());
            let more = keys.walk_snapshot(&mut snapshot.cursor);
            keys.leave();
            if !more {
                return;
            }
        }
    }

    fn end(&mut self, slot: usize) {
        self.walk(slot, usize::MAX);
        let Some(snapshot) = self.snapshots[slot].take() else { return };
        self.engine.keyspace.snapshots.end(snapshot.id);
        let got = snapshot.collector.content();
        let name = |place: &(usize, Vec<u8>)| format!("{} of database {}", place.1.escape_ascii(), place.0);
        for (place, value) in &snapshot.expected {
            assert_eq!(got.get(place), Some(value), "snapshot {}: {}", snapshot.id, name(place));
        }
        let more = got.keys().find(|place| !snapshot.expected.contains_key(*place));
        assert!(more.is_none(), "snapshot {}: {} came later", snapshot.id, name(more.expect("it was found")));
    }
}

#[test]
fn every_snapshot_is_what_was_there_when_it_began() {
    let bench = std::cell::RefCell::new(Bench::new());
    let cases = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(cases, |(steps in proptest::collection::vec(step(), 1..120))| {
        let bench = &mut *bench.borrow_mut();
        // A case that failed leaves its snapshots behind.
        for snapshot in bench.snapshots.iter_mut().filter_map(Option::take) {
            bench.engine.keyspace.snapshots.end(snapshot.id);
        }
        bench.command(0, "FLUSHALL");
        steps.iter().for_each(|step| bench.run(step));
        (0..SNAPSHOTS).for_each(|slot| bench.end(slot));
    });
    let Bench { mut session, engine, .. } = bench.into_inner();
    session.end(&engine);
}
