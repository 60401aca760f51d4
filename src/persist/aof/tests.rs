//! Whole lives of a log: beginning, rewriting, failing at each step, crashing, and starting again.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::log::FsyncPolicy;
use super::reader::Commands;
use super::*;
use crate::persist::atomic_file::AtomicFile;
use crate::persist::directory::DirectoryOptions;
use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};
use crate::protocol::command::encode;

const FOLDER: &str = "/data/appendonlydir";

/// A dataset of strings: enough to see what is lost, doubled or out of order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Dataset(BTreeMap<String, String>);

impl Dataset {
    fn append(&mut self, key: &str, value: &str) {
        self.0.entry(key.into()).or_default().push_str(value);
    }

    /// As a base of commands.
    fn write(&self, base: &mut AtomicFile) -> io::Result<()> {
        let mut out = Vec::new();
        for (key, value) in &self.0 {
            encode(&mut out, &[b"APPEND", key.as_bytes(), value.as_bytes()]);
        }
        base.write_all(&out)
    }
}

impl Loader for Dataset {
    fn begin_file(&mut self, _: &str, _: u64) {}

    fn snapshot(&mut self, _: &mut dyn Read) -> Result<Vec<u8>, String> {
        Err("there is none".into())
    }

    fn run(&mut self, commands: &Commands<'_>) -> Result<(), (usize, String)> {
        for command in commands.iter() {
            let words: Vec<_> = command.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["APPEND", key, value] => self.append(key, value),
                ["SELECT", _] => {}
                _ => return Err((0, format!("{words:?}"))),
            }
        }
        Ok(())
    }
}

fn directory_options(start_empty: bool) -> DirectoryOptions {
    DirectoryOptions {
        path: "/data".into(),
        rdb_name: "dump.rdb".into(),
        aof_directory_name: "appendonlydir".into(),
        aof_name: "appendonly.aof".into(),
        aof_enabled: true,
        start_empty,
    }
}

/// A server as far as its log goes.
struct Server {
    aof: Aof,
    log: Log,
    data: Dataset,
}

fn open(disk: &FaultyDisk) -> Result<Aof, AofError> {
    let directory = DataDirectory::open(disk.storage(), directory_options(false)).unwrap();
    Aof::open(Arc::new(directory))
}

fn options() -> LogOptions {
    LogOptions { policy: FsyncPolicy::Always, ..LogOptions::default() }
}

fn start(disk: &FaultyDisk) -> Server {
    let aof = open(disk).unwrap();
    let mut data = Dataset::default();
    aof.load(true, &mut data).unwrap();
    let log = aof.start_log(options(), Clock::manual(1_000_000)).unwrap();
    Server { aof, log, data }
}

impl Server {
    /// Runs APPEND; true where it is acknowledged.
    fn append(&mut self, key: &str, value: &str) -> bool {
        if self.log.admit(0) != log::Admit::Go {
            return false;
        }
        self.data.append(key, value);
        let append =
            |records: &mut record::Records<'_>| records.command(&[b"APPEND", key.as_bytes(), value.as_bytes()]);
        let position = self.log.append(0, append);
        self.log.wait_synced(position).is_ok()
    }

    fn rewrite(&mut self) -> io::Result<bool> {
        let mut rewrite = self.aof.begin_rewrite(Some(&self.log))?;
        assert!(rewrite.rotate(&self.log));
        let snapshot = self.data.clone();
        self.append("during", "r");
        let written =
            self.aof.create_base(BaseFormat::Aof).and_then(|mut base| snapshot.write(&mut base).map(|()| base));
        match written {
            Ok(base) => self.aof.finish_rewrite(rewrite, base, &self.log),
            Err(error) => {
                self.aof.abandon_rewrite(rewrite);
                Err(error)
            }
        }
    }
}

fn names(disk: &FaultyDisk) -> Vec<String> {
    disk.names(FOLDER)
}

fn manifest_text(disk: &FaultyDisk) -> String {
    String::from_utf8(disk.content(&Path::new(FOLDER).join("appendonly.aof.manifest")).unwrap()).unwrap()
}

#[test]
fn a_log_begins_goes_on_and_is_rewritten() {
    let disk = FaultyDisk::new(&["/data"]);
    let mut server = start(&disk);
    assert!(server.aof.manifest().base.is_none() && !server.aof.is_empty());
    assert!(server.append("a", "1"));
    disk.crash(Crash::LoseUnsynced);
    let mut server = start(&disk);
    assert_eq!(server.data.0["a"], "1");
    assert_eq!(manifest_text(&disk), "file appendonly.aof.1.incr.aof seq 1 type i\n");
    assert!(server.append("a", "2"));
    assert!(server.rewrite().unwrap());
    assert_eq!(
        manifest_text(&disk),
        "file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(names(&disk), ["appendonly.aof.1.base.aof", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]);
    assert!(server.append("a", "3") && server.rewrite().unwrap() && server.append("b", "4"));
    let expected = server.data.clone();
    let (base, all) = server.aof.sizes(&server.log);
    disk.crash(Crash::LoseUnsynced);
    let on_disk: u64 =
        names(&disk).iter().map(|name| disk.content(&Path::new(FOLDER).join(name)).unwrap().len() as u64).sum();
    assert_eq!(all, on_disk - manifest_text(&disk).len() as u64);
    let server = start(&disk);
    assert_eq!(server.data, expected);
    assert_eq!(server.aof.sizes(&server.log), (base, all));
}

#[test]
fn a_rewrite_that_fails_at_any_step_loses_nothing_then_or_later() {
    use Operation::{Create, Remove, Rename, Sync, SyncDir, Write};
    for operation in [Create, Write, Sync, SyncDir, Rename, Remove] {
        for after in 0..6 {
            for crash in [Crash::Process, Crash::LoseUnsynced, Crash::Torn(9)] {
                let disk = FaultyDisk::new(&["/data"]);
                let mut server = start(&disk);
                assert!(server.append("a", "1"));
                disk.fail_after(operation, after, FaultyDisk::ENOSPC);
                let outcome = server.rewrite();
                disk.heal();
                // Where the log itself was hit, another rewrite heals it.
                if server.log.is_failed() {
                    assert!(!server.append("a", "refused"));
                    server.rewrite().unwrap();
                }
                let healthy = !server.log.is_failed();
                assert_eq!(server.append("b", "2"), healthy, "{operation:?} {after}: {outcome:?}");
                // A later rewrite must not build on what the failed one left.
                server.rewrite().unwrap();
                assert!(server.append("c", "3"), "{operation:?} {after}");
                let expected = server.data.clone();
                disk.crash(crash);
                let server = start(&disk);
                assert_eq!(server.data, expected, "{operation:?} {after} {crash:?}");
            }
        }
    }
}

#[test]
fn a_crash_at_any_step_of_a_rewrite_loses_nothing() {
    use Operation::{Create, Remove, Rename, Sync, SyncDir, Write};
    for operation in [Create, Write, Sync, SyncDir, Rename, Remove] {
        for after in 0..6 {
            for crash in [Crash::Process, Crash::LoseUnsynced, Crash::Torn(9)] {
                let disk = FaultyDisk::new(&["/data"]);
                let mut server = start(&disk);
                assert!(server.append("a", "1") && server.rewrite().unwrap() && server.append("a", "2"));
                let acknowledged = server.data.clone();
                disk.fail_after(operation, after, FaultyDisk::EIO);
                server.rewrite().ok();
                disk.crash(crash);
                disk.heal();
                let server = start(&disk);
                let mut without_sent = server.data.clone();
                without_sent.0.insert("during".into(), acknowledged.0["during"].clone());
                assert_eq!(without_sent, acknowledged, "{operation:?} {after} {crash:?}");
                assert!(server.data.0["during"].starts_with('r'));
            }
        }
    }
}

#[test]
fn a_failed_log_is_healed_by_a_rewrite_whose_increment_stays_out_of_the_manifest() {
    let disk = FaultyDisk::new(&["/data"]);
    let mut server = start(&disk);
    assert!(server.append("a", "1"));
    disk.set_capacity(Some(disk.used() + 9));
    assert!(!server.append("a", "2"), "the disk is full");
    assert!(!server.append("a", "3"), "the log is latched");
    disk.set_capacity(None);
    let before = manifest_text(&disk);
    let mut rewrite = server.aof.begin_rewrite(Some(&server.log)).unwrap();
    assert!(rewrite.rotate(&server.log) && rewrite.rotation().unwrap().recovers);
    assert_eq!(manifest_text(&disk), before, "a torn increment may be the last one only");
    server.aof.abandon_rewrite(rewrite);
    assert_eq!(names(&disk).len(), 2);
    assert!(server.rewrite().unwrap());
    assert!(server.append("a", "4"));
    let expected = server.data.clone();
    disk.crash(Crash::LoseUnsynced);
    let server = start(&disk);
    assert_eq!(server.data, expected);
    assert_eq!(server.data.0["a"], "124", "what was refused was not run");
}

#[test]
fn a_log_that_fails_between_the_beginning_and_the_rotation_makes_the_rewrite_begin_again() {
    let disk = FaultyDisk::new(&["/data"]);
    let mut server = start(&disk);
    let mut rewrite = server.aof.begin_rewrite(Some(&server.log)).unwrap();
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert!(!server.append("a", "1"));
    assert!(!rewrite.rotate(&server.log));
    let base = server.aof.create_base(BaseFormat::Aof).unwrap();
    assert!(server.aof.finish_rewrite(rewrite, base, &server.log).is_err());
    assert!(server.rewrite().unwrap() && server.append("a", "2"));
    drop(server);
    assert_eq!(start(&disk).data.0["a"], "12");
}

#[test]
fn a_dataset_that_is_there_gets_its_log_by_a_rewrite() {
    let disk = FaultyDisk::new(&["/data"]);
    let aof = open(&disk).unwrap();
    let mut data = Dataset::default();
    data.append("from dump.rdb", "x");
    let mut rewrite = aof.begin_rewrite(None).unwrap();
    let log = rewrite.open_log(options(), Clock::manual(1)).unwrap();
    assert!(rewrite.open_log(options(), Clock::manual(1)).is_err());
    assert_eq!(names(&disk), ["appendonly.aof.1.incr.aof"], "a crash now leaves the data where it was");
    let mut server = Server { aof, log, data };
    server.append("a", "1");
    let mut base = server.aof.create_base(BaseFormat::Rdb).unwrap();
    assert!(base.path().ends_with("appendonly.aof.1.base.rdb"));
    server.data.0.remove("a");
    server.data.write(&mut base).unwrap();
    assert!(server.aof.finish_rewrite(rewrite, base, &server.log).unwrap());
    server.data.append("a", "1");
    let expected = server.data.clone();
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(start(&disk).data, expected);
}

#[test]
fn the_single_file_of_an_old_redis_becomes_the_base() {
    let mut old = Vec::new();
    encode(&mut old, &[b"APPEND", b"a", b"1"]);
    for operation in [Operation::Create, Operation::Sync, Operation::Rename, Operation::SyncDir] {
        for after in 0..4 {
            let disk = FaultyDisk::new(&["/data"]);
            disk.put("/data/appendonly.aof", &old);
            disk.fail_after(operation, after, FaultyDisk::EIO);
            // The fault may come, or not any more; a crash follows either way.
            open(&disk).ok();
            disk.crash(Crash::LoseUnsynced);
            disk.heal();
            let mut server = start(&disk);
            assert_eq!(server.data.0["a"], "1", "{operation:?} {after}");
            assert!(manifest_text(&disk).starts_with("file appendonly.aof seq 1 type b\n"));
            // A crash between the syncs of the two directories leaves both names.
            let both = (operation, after) == (Operation::SyncDir, 3);
            assert_eq!(disk.content(Path::new("/data/appendonly.aof")).is_some(), both);
            assert!(server.append("a", "2") && server.rewrite().unwrap());
            let left = ["appendonly.aof.2.base.aof", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"];
            assert_eq!(names(&disk), left);
        }
    }
}

#[test]
fn history_is_removed_at_the_next_start() {
    let disk = FaultyDisk::new(&["/data"]);
    let mut server = start(&disk);
    assert!(server.append("a", "1"));
    disk.fail_next(Operation::Remove, FaultyDisk::EACCES);
    assert!(server.rewrite().unwrap());
    assert!(manifest_text(&disk).contains("file appendonly.aof.1.incr.aof seq 1 type h\n"));
    drop(server);
    let server = start(&disk);
    assert_eq!((server.data.0["a"].as_str(), names(&disk).len()), ("1", 3));
    assert!(!manifest_text(&disk).contains("type h"));
}

#[test]
fn what_is_wrong_with_the_manifest_is_said() {
    let disk = FaultyDisk::new(&["/data", FOLDER]);
    let path = Path::new(FOLDER).join("appendonly.aof.manifest");
    disk.put(&path, b"file a seq 1 type i\nrubbish\n");
    let error = open(&disk).unwrap_err().to_string();
    assert!(
        error.starts_with("/data/appendonlydir/appendonly.aof.manifest is damaged, line 2: expected: file"),
        "{error}"
    );
    // The directory's marker is looked for first.
    disk.fail_after(Operation::Open, 1, FaultyDisk::EACCES);
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("cannot read /data/appendonlydir") && error.contains("chown"), "{error}");
}

#[test]
fn files_without_their_manifest_are_not_written_over() {
    let disk = FaultyDisk::new(&["/data", FOLDER]);
    disk.put(Path::new(FOLDER).join("appendonly.aof.3.incr.aof"), b"data");
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("is missing, although there is appendonly.aof.3.incr.aof beside it"), "{error}");
    let directory = DataDirectory::open(disk.storage(), directory_options(true)).unwrap();
    let aof = Aof::open(Arc::new(directory)).unwrap();
    drop(aof.start_log(options(), Clock::manual(1)).unwrap());
    assert_eq!(manifest_text(&disk), "file appendonly.aof.4.incr.aof seq 4 type i\n");
    assert_eq!(disk.content(&Path::new(FOLDER).join("appendonly.aof.3.incr.aof")).unwrap(), b"data");
}

#[test]
fn a_torn_end_is_cut_and_the_log_goes_on_behind_it() {
    let disk = FaultyDisk::new(&["/data"]);
    let mut server = start(&disk);
    assert!(server.append("a", "1"));
    let position = server.log.append(0, |records| records.command(&[b"APPEND", b"a", b"lost"]));
    server.log.wait_synced(position).unwrap();
    drop(server);
    let path = Path::new(FOLDER).join("appendonly.aof.1.incr.aof");
    let bytes = disk.content(&path).unwrap();
    disk.put(&path, &bytes[..bytes.len() - 3]);
    let mut server = start(&disk);
    assert_eq!(server.aof.sizes(&server.log).1, disk.content(&path).unwrap().len() as u64);
    assert!(server.append("a", "2"));
    drop(server);
    assert_eq!(start(&disk).data.0["a"], "12");
}
