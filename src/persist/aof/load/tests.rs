//! Loading whole logs: order, torn ends, and every refusal with its words.

use super::*;
use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};
use crate::protocol::command::encode;

#[derive(Default)]
struct Collector {
    lines: Vec<String>,
    refuses: Option<&'static str>,
}

impl Loader for Collector {
    fn begin_file(&mut self, name: &str, bytes: u64) {
        self.lines.push(format!("{name} {bytes}"));
    }

    fn snapshot(&mut self, input: &mut dyn Read) -> Result<Vec<u8>, String> {
        // A snapshot of this test is its magic, a length, and so many bytes. The reader reads on, as a buffered one does.
        let mut head = [0; 6];
        input.read_exact(&mut head).map_err(|e| e.to_string())?;
        let mut body = vec![0; usize::from(head[5])];
        input.read_exact(&mut body).map_err(|e| e.to_string())?;
        self.lines.push(format!("snapshot {}", String::from_utf8_lossy(&body)));
        let mut rest = Vec::new();
        input.take(7).read_to_end(&mut rest).map_err(|e| e.to_string())?;
        Ok(rest)
    }

    fn run(&mut self, commands: &Commands<'_>) -> Result<(), (usize, String)> {
        for (index, command) in commands.iter().enumerate() {
            let line = command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
            if self.refuses.is_some_and(|refused| line.starts_with(refused)) {
                return Err((index, "unknown command".into()));
            }
            self.lines.push(line);
        }
        Ok(())
    }
}

fn resp(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        encode(&mut out, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    }
    out
}

/// A log of a base and increments with these contents.
fn log(base: &[u8], increments: &[&[u8]]) -> (FaultyDisk, Arc<dyn Storage>, Manifest) {
    let disk = FaultyDisk::new(&["/a"]);
    let mut manifest = Manifest { base: Some(LogFile { name: "base".into(), seq: 1 }), ..Manifest::default() };
    disk.put("/a/base", base);
    for (index, bytes) in increments.iter().enumerate() {
        let name = format!("incr{}", index + 1);
        disk.put(format!("/a/{name}"), bytes);
        manifest.increments.push(LogFile { name, seq: index as i64 + 1 });
    }
    let storage = disk.storage();
    (disk, storage, manifest)
}

fn run(storage: &Arc<dyn Storage>, manifest: &Manifest, cut_torn: bool) -> (Vec<String>, Result<Loaded, String>) {
    let mut collector = Collector::default();
    let outcome = load(storage, Path::new("/a"), manifest, cut_torn, &mut collector);
    (collector.lines, outcome.map_err(|error| error.to_string()))
}

#[test]
fn the_files_are_loaded_in_order() {
    let base = [b"REDIS\x03abc".as_slice(), &resp(&["SET a 1"])].concat();
    let increments = [resp(&["SET b 2", "MULTI", "DEL a", "DEL b", "EXEC"]), b"#TS:77\r\n".to_vec(), resp(&["PING"])];
    let (_, storage, manifest) = log(&base, &[&increments[0], &increments[1], &increments[2]]);
    let (lines, outcome) = run(&storage, &manifest, false);
    let expected =
        ["base 36", "snapshot abc", "SET a 1", "incr1 96", "SET b 2", "DEL a", "DEL b", "incr2 8", "incr3 14", "PING"];
    assert_eq!(lines, expected);
    let loaded = outcome.unwrap();
    let all = Loaded { files: 4, bytes: 154, base_bytes: 36, commands: 5, annotated_s: Some(77), cut: None };
    assert_eq!(loaded, all);
}

#[test]
fn a_torn_end_is_kept_aside_and_cut_off() {
    let whole = resp(&["SET a 1"]);
    let record = resp(&["SET b 2"]);
    for torn in 1..record.len() {
        let bytes = [&whole[..], &record[..torn]].concat();
        let (disk, storage, manifest) = log(b"", &[b"", &bytes, b""]);
        let (lines, outcome) = run(&storage, &manifest, true);
        assert_eq!(lines, ["base 0", "incr1 0", &format!("incr2 {}", bytes.len()), "SET a 1", "incr3 0"]);
        let loaded = outcome.unwrap();
        assert_eq!((loaded.bytes, loaded.commands), (whole.len() as u64, 1));
        let cut = loaded.cut.unwrap();
        assert_eq!((cut.offset, cut.bytes, cut.is_transaction), (whole.len() as u64, torn as u64, false));
        disk.crash(Crash::LoseUnsynced);
        let kept = Path::new("/a/incr2.truncated-27");
        assert_eq!((cut.kept_in.as_path(), disk.content(kept).unwrap()), (kept, record[..torn].to_vec()));
        assert_eq!(disk.content(Path::new("/a/incr2")).unwrap(), whole);
        assert_eq!(run(&storage, &manifest, false).1.unwrap().cut, None);
    }
}

#[test]
fn an_earlier_cut_is_not_overwritten() {
    let (disk, storage, manifest) = log(b"", &[b"*1\r\n$4\r\nPI"]);
    disk.put("/a/incr1.truncated-0", b"earlier");
    let cut = run(&storage, &manifest, true).1.unwrap().cut.unwrap();
    assert_eq!(cut.kept_in, Path::new("/a/incr1.truncated-0.1"));
    assert_eq!(disk.content(Path::new("/a/incr1.truncated-0")).unwrap(), b"earlier");
}

#[test]
fn a_torn_transaction_is_cut_as_a_whole() {
    let bytes = resp(&["SET a 1", "MULTI", "SET b 2", "SET c 3"]);
    let (_, storage, manifest) = log(b"", &[&bytes]);
    let (lines, outcome) = run(&storage, &manifest, true);
    assert_eq!(lines.last().unwrap(), "SET a 1");
    let cut = outcome.unwrap().cut.unwrap();
    assert_eq!((cut.offset, cut.is_transaction), (27, true));
}

#[test]
fn aof_load_truncated_no_refuses_and_changes_nothing() {
    let bytes = resp(&["SET a 1", "SET b 2"]);
    let bytes = &bytes[..40];
    let (disk, storage, manifest) = log(b"", &[bytes]);
    let error = run(&storage, &manifest, false).1.unwrap_err();
    let start = "/a/incr1 ends within a record that begins at offset 27: a crash cut off its last 13 bytes";
    assert!(error.starts_with(start) && error.contains("aof-load-truncated yes"), "{error}");
    assert_eq!(disk.content(Path::new("/a/incr1")).unwrap(), bytes);
    assert_eq!(disk.names("/a"), ["base", "incr1"]);
}

#[test]
fn a_torn_end_in_front_of_data_is_refused() {
    let (disk, storage, manifest) = log(b"", &[b"*1\r\n$4\r\nPI", b"", &resp(&["PING"])]);
    let error = run(&storage, &manifest, true).1.unwrap_err();
    assert!(error.contains("/a/incr1 ends within a record that begins at offset 0, although incr3 goes on"), "{error}");
    assert!(error.contains("pipkin check /a/incr1"), "{error}");
    assert_eq!(disk.names("/a"), ["base", "incr1", "incr2", "incr3"]);
}

#[test]
fn damage_names_file_offset_and_what_to_do() {
    let mut bytes = resp(&["SET a 1", "SET b 2", "SET c 3"]);
    bytes[27] = b'!';
    let (disk, storage, manifest) = log(b"", &[&bytes]);
    let error = run(&storage, &manifest, true).1.unwrap_err();
    assert!(error.starts_with("/a/incr1 is damaged at offset 27: a record begins with"), "{error}");
    assert!(error.contains("pipkin check /a/incr1") && error.contains("truncate -s 27 /a/incr1"), "{error}");
    assert_eq!(disk.content(Path::new("/a/incr1")).unwrap(), bytes);
}

#[test]
fn what_else_goes_wrong_names_the_file() {
    let (disk, storage, manifest) = log(b"REDIS\x09ab", &[&resp(&["PING", "NOSUCH x"])]);
    let error = run(&storage, &manifest, true).1.unwrap_err();
    assert!(error.starts_with("/a/base cannot be loaded: ") && error.contains("pipkin check /a/base"), "{error}");

    disk.put("/a/base", b"");
    let mut collector = Collector { refuses: Some("NOSUCH"), ..Collector::default() };
    let error = load(&storage, Path::new("/a"), &manifest, true, &mut collector).unwrap_err().to_string();
    assert_eq!(error, "/a/incr1 holds a command that cannot be run, it ends at offset 37: unknown command");

    disk.fail_next(Operation::Open, FaultyDisk::EACCES);
    let error = run(&storage, &manifest, true).1.unwrap_err();
    assert!(error.starts_with("cannot read /a/base: ") && error.contains("chown"), "{error}");
    disk.fail_next(Operation::Read, FaultyDisk::EIO);
    assert!(run(&storage, &manifest, true).1.unwrap_err().starts_with("cannot read /a/base: "));

    disk.remove(Path::new("/a/incr1")).unwrap();
    let error = run(&storage, &manifest, true).1.unwrap_err();
    assert!(error.starts_with("/a/incr1 is missing, although the manifest"), "{error}");
}

#[test]
fn a_cut_that_fails_leaves_the_file_as_it_was() {
    let torn = b"*1\r\n$4\r\nPI";
    for operation in [Operation::Create, Operation::Write, Operation::Sync, Operation::SyncDir, Operation::Truncate] {
        let (disk, storage, manifest) = log(b"", &[torn]);
        disk.fail_next(operation, FaultyDisk::ENOSPC);
        let error = run(&storage, &manifest, true).1.unwrap_err();
        assert!(error.contains("No space left") && error.contains("make room"), "{operation:?}: {error}");
        disk.crash(Crash::LoseUnsynced);
        assert_eq!(disk.content(Path::new("/a/incr1")).unwrap(), torn, "{operation:?}");
        assert!(run(&storage, &manifest, true).1.unwrap().cut.is_some());
    }
}
