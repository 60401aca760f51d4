//! Append-only files exchanged with the real Redis: its tools accept ours, it loads ours, and we read its.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pipkin::Clock;
use pipkin::persist::aof::Aof;
use pipkin::persist::aof::check::check;
use pipkin::persist::aof::load::{Loaded, Loader};
use pipkin::persist::aof::log::{FsyncPolicy, Log, LogOptions};
use pipkin::persist::aof::manifest::BaseFormat;
use pipkin::persist::aof::reader::Commands;
use pipkin::persist::check::Verdict;
use pipkin::persist::directory::{DataDirectory, DirectoryOptions};
use pipkin::persist::storage::Disk;
use pipkin::protocol::command::encode;
use support::{Client, Reply, Server, Tool, eventually, info_number, tool};

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pipkin-aof-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn manifest(&self) -> PathBuf {
        self.0.join("appendonlydir/appendonly.aof.manifest")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// What was loaded: strings by database and key, and the number of snapshots.
#[derive(Default)]
struct Strings {
    values: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    database: u32,
    snapshots: usize,
    transactions: usize,
}

impl Loader for Strings {
    fn begin_file(&mut self, _: &str, _: u64) {
        self.database = 0;
    }

    fn snapshot(&mut self, input: &mut dyn Read) -> Result<Vec<u8>, String> {
        self.snapshots += 1;
        skip(input)
    }

    fn run(&mut self, commands: &Commands<'_>) -> Result<(), (usize, String)> {
        self.transactions += usize::from(commands.is_transaction());
        for (index, command) in commands.iter().enumerate() {
            let words: Vec<&[u8]> = command.iter().collect();
            match (words[0].to_ascii_uppercase().as_slice(), &words[1..]) {
                (b"SELECT", [number]) => self.database = String::from_utf8_lossy(number).parse().unwrap(),
                (b"SET", [key, value, ..]) => drop(self.values.insert((self.database, key.to_vec()), value.to_vec())),
                (b"DEL", [key]) => drop(self.values.remove(&(self.database, key.to_vec()))),
                (name, _) => return Err((index, format!("{} is not expected", name.escape_ascii()))),
            }
        }
        Ok(())
    }
}

/// Reads a snapshot that nothing follows.
fn skip(input: &mut dyn Read) -> Result<Vec<u8>, String> {
    input.read_to_end(&mut Vec::new()).map(|_| Vec::new()).map_err(|error| error.to_string())
}

fn open(directory: &Path) -> Aof {
    let options = DirectoryOptions {
        path: directory.to_owned(),
        rdb_name: "dump.rdb".into(),
        aof_directory_name: "appendonlydir".into(),
        aof_name: "appendonly.aof".into(),
        aof_enabled: true,
        start_empty: false,
    };
    Aof::open(Arc::new(DataDirectory::open(Arc::new(Disk), options).unwrap())).unwrap()
}

fn start_log(aof: &Aof, timestamps: bool) -> Log {
    let options = LogOptions { policy: FsyncPolicy::Always, timestamps, ..LogOptions::default() };
    aof.start_log(options, Clock::system()).unwrap()
}

fn load(aof: &Aof) -> (Strings, Loaded) {
    let mut strings = Strings::default();
    let loaded = aof.load(false, &mut strings).unwrap();
    (strings, loaded)
}

fn set(log: &Log, database: u32, key: &str, value: &[u8]) {
    let position = log.append(database, |records| records.command(&[b"SET", key.as_bytes(), value]));
    log.wait_synced(position).unwrap();
}

fn redis(program: &Tool, directory: &Path, flags: &[&str]) -> Server {
    let mut all = vec!["--appendonly", "yes", "--save", "", "--dir", directory.to_str().unwrap()];
    all.extend(flags);
    let server = Server::start(&program.path, &all);
    let mut client = server.connect();
    // Until it has loaded its files it answers with an error.
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    server
}

fn get(client: &mut Client, database: u32, key: &str) -> Vec<u8> {
    client.line(&format!("SELECT {database}"));
    match client.line(&format!("GET {key}")) {
        Reply::Bulk(value) => value,
        other => panic!("{key}: {other:?}"),
    }
}

fn assert_accepted(checker: &Tool, manifest: &Path) {
    let output = Command::new(&checker.path).arg(manifest).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("All AOF files and manifest are valid"), "{text}");
}

#[test]
fn redis_loads_what_is_written_here() {
    let name = "redis_loads_what_is_written_here";
    let (Some(server), Some(checker)) = (tool(name, "redis-server"), tool(name, "redis-check-aof")) else { return };
    let scratch = Scratch::new();
    let binary: Vec<u8> = (0..=255).collect();
    let aof = open(&scratch.0);
    let log = start_log(&aof, true);
    set(&log, 0, "a", b"1");
    set(&log, 3, "a", &binary);
    log.append_transaction(1, |records| {
        records.command(&[b"SET", b"x", b"1"]);
        records.select(2);
        records.command(&[b"RPUSH", b"l", b"", b"e"]);
    });
    set(&log, 0, "gone", &vec![b'x'; 100_000]);
    log.append(0, |records| records.command(&[b"DEL", b"gone"]));
    log.close().unwrap();
    drop(aof);
    assert_accepted(&checker, &scratch.manifest());
    let redis_server = redis(&server, &scratch.0, &[]);
    let mut client = redis_server.connect();
    assert_eq!(
        (get(&mut client, 0, "a"), get(&mut client, 3, "a"), get(&mut client, 1, "x")),
        (b"1".to_vec(), binary, b"1".to_vec())
    );
    assert_eq!(client.line("EXISTS gone"), Reply::Integer(0));
    client.line("SELECT 2");
    assert_eq!(client.line("LLEN l"), Reply::Integer(2));
}

#[test]
fn redis_loads_a_rewritten_log_with_a_base_of_commands() {
    let name = "redis_loads_a_rewritten_log_with_a_base_of_commands";
    let (Some(server), Some(checker)) = (tool(name, "redis-server"), tool(name, "redis-check-aof")) else { return };
    let scratch = Scratch::new();
    let aof = open(&scratch.0);
    let log = start_log(&aof, false);
    set(&log, 0, "a", b"1");
    let mut rewrite = aof.begin_rewrite(Some(&log)).unwrap();
    assert!(rewrite.rotate(&log));
    set(&log, 0, "b", b"2");
    let mut base = aof.create_base(BaseFormat::Aof).unwrap();
    let mut bytes = Vec::new();
    encode(&mut bytes, &[b"SELECT", b"0"]);
    encode(&mut bytes, &[b"SET", b"a", b"rewritten"]);
    base.write_all(&bytes).unwrap();
    assert!(aof.finish_rewrite(rewrite, base, &log).unwrap());
    set(&log, 0, "c", b"3");
    drop((log, aof));
    assert_accepted(&checker, &scratch.manifest());
    let redis_server = redis(&server, &scratch.0, &[]);
    let mut client = redis_server.connect();
    let values = ["a", "b", "c"].map(|key| get(&mut client, 0, key));
    assert_eq!(values, [b"rewritten".to_vec(), b"2".to_vec(), b"3".to_vec()]);
}

#[test]
fn what_redis_writes_is_read_and_gone_on_with() {
    let name = "what_redis_writes_is_read_and_gone_on_with";
    let Some(server) = tool(name, "redis-server") else { return };
    for preamble in ["no", "yes"] {
        let scratch = Scratch::new();
        let flags = ["--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes", "--appendfsync", "always"];
        let redis_server = redis(&server, &scratch.0, &flags);
        let mut client = redis_server.connect();
        for line in ["SET a 1", "SELECT 5", "SET b 2", "BGREWRITEAOF"] {
            client.line(line);
        }
        eventually("the rewrite", || {
            let running = ["aof_rewrite_in_progress", "aof_rewrite_scheduled"];
            let quiet = running.iter().all(|field| info_number(&mut client, "persistence", field) == Some(0));
            (quiet && fs::read_to_string(scratch.manifest()).unwrap().contains("seq 2 type b")).then_some(())
        });
        for line in ["MULTI", "SET c 3", "SET d 4", "EXEC", "SELECT 0", "SET e 5", "DEL d"] {
            client.line(line);
        }
        drop(redis_server);

        let report = check(&Disk, &scratch.manifest(), &mut |input| skip(input));
        assert!(report.unwrap().is_whole());
        let mut text = Vec::new();
        assert_eq!(pipkin::persist::check::check(&scratch.manifest(), &mut text).unwrap(), Verdict::Sound);
        assert!(String::from_utf8(text).unwrap().contains("commands: 5, transactions: 1"));
        let aof = open(&scratch.0);
        let (strings, loaded) = load(&aof);
        let has = |database, key: &str| strings.values.get(&(database, key.as_bytes().to_vec())).cloned();
        assert_eq!(
            (has(5, "c"), has(5, "d"), has(0, "e")),
            (Some(b"3".to_vec()), Some(b"4".to_vec()), Some(b"5".to_vec()))
        );
        assert_eq!((strings.snapshots, strings.transactions), (usize::from(preamble == "yes"), 1));
        if preamble == "no" {
            assert_eq!((has(0, "a"), has(5, "b")), (Some(b"1".to_vec()), Some(b"2".to_vec())));
        }
        assert!(loaded.cut.is_none() && loaded.files == 2);

        let log = start_log(&aof, false);
        set(&log, 5, "f", b"6");
        drop((log, aof));
        let redis_server = redis(&server, &scratch.0, &[]);
        let mut client = redis_server.connect();
        let keys = [(0, "a"), (5, "b"), (5, "c"), (5, "d"), (0, "e"), (5, "f")];
        assert_eq!(
            keys.map(|(database, key)| get(&mut client, database, key)),
            [b"1", b"2", b"3", b"4", b"5", b"6"].map(|v| v.to_vec())
        );
    }
}

#[test]
fn an_end_that_is_cut_here_is_whole_for_redis() {
    let name = "an_end_that_is_cut_here_is_whole_for_redis";
    let Some(checker) = tool(name, "redis-check-aof") else { return };
    let scratch = Scratch::new();
    let aof = open(&scratch.0);
    let log = start_log(&aof, false);
    set(&log, 0, "a", b"1");
    log.append_transaction(0, |records| (0..2).for_each(|_| records.command(&[b"SET", b"b", b"2"])));
    drop((log, aof));
    let file = scratch.0.join("appendonlydir/appendonly.aof.1.incr.aof");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 20]).unwrap();
    let aof = open(&scratch.0);
    let mut strings = Strings::default();
    let cut = aof.load(true, &mut strings).unwrap().cut.unwrap();
    assert!(cut.is_transaction && strings.values.len() == 1);
    assert_eq!(fs::read(&cut.kept_in).unwrap(), bytes[cut.offset as usize..bytes.len() - 20]);
    assert_accepted(&checker, &scratch.manifest());
}
