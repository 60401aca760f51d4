//! What the report says about whole, torn and damaged logs.

use std::io::Read;

use super::*;
use crate::persist::storage::faulty::FaultyDisk;
use crate::protocol::command::encode;

fn resp(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        encode(&mut out, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    }
    out
}

/// Takes ten bytes for a snapshot.
fn ten(input: &mut dyn Read) -> Result<Vec<u8>, String> {
    let mut bytes = [0; 10];
    input.read_exact(&mut bytes).map(|()| Vec::new()).map_err(|error| error.to_string())
}

fn report(files: &[(&str, &[u8])], path: &str) -> Report {
    let disk = FaultyDisk::new(&["/a"]);
    files.iter().for_each(|(name, bytes)| disk.put(Path::new("/a").join(name), bytes));
    check(&disk, &Path::new("/a").join(path), &mut ten).unwrap()
}

const MANIFEST: &[u8] = b"file b seq 1 type b\nfile i1 seq 1 type i\nfile i2 seq 2 type i\n";

#[test]
fn a_whole_log_is_counted_by_command() {
    let base = [b"REDIS00105".as_slice(), &resp(&["SET k v"])].concat();
    let first = resp(&["SET k vv", "MULTI", "del k", "DEL k", "EXEC"]);
    let second = b"#TS:1700000000\r\n".to_vec();
    let report = report(&[("m.manifest", MANIFEST), ("b", &base), ("i1", &first), ("i2", &second)], "m.manifest");
    assert!(report.is_whole() && report.is_loadable());
    let [b, i1, i2] = &report.files[..] else { panic!() };
    assert_eq!((b.snapshot_bytes, b.bytes, b.whole_bytes, b.commands), (10, base.len() as u64, base.len() as u64, 1));
    assert_eq!((i1.commands, i1.transactions), (3, 1));
    assert_eq!(i1.by_name["DEL"], Usage { count: 2, bytes: 8 });
    assert_eq!(i2.annotated_s, Some(1_700_000_000));
    let text = report.to_string();
    assert!(text.contains("/a/b: whole, 37 bytes\n  snapshot: 10 bytes\n  commands: 1, transactions: 0\n"), "{text}");
}

#[test]
fn torn_and_damaged_files_are_told_apart() {
    let torn = &resp(&["SET k v", "SET k v"])[..40];
    let last = report(&[("m.manifest", MANIFEST), ("b", b""), ("i1", torn), ("i2", b"")], "m.manifest");
    assert!(!last.is_whole() && last.is_loadable());
    assert!(
        last.to_string().contains("/a/i1: ends within a record: 13 of 40 bytes, from offset 27 on, are incomplete")
    );
    let ping = resp(&["PING"]);
    let middle = report(&[("m.manifest", MANIFEST), ("b", b""), ("i1", torn), ("i2", &ping)], "m.manifest");
    assert!(!middle.is_loadable());

    let mut damaged = resp(&["SET k v", "SET k v"]);
    damaged[30] = b'x';
    let report = report(&[("x.aof", &damaged)], "x.aof");
    assert!(!report.is_whole() && !report.is_loadable());
    assert_eq!((report.files[0].whole_bytes, report.files[0].commands), (27, 1));
    assert!(report.to_string().starts_with("/a/x.aof: damaged at offset 27 of 54: "), "{report}");
}

#[test]
fn missing_files_bad_manifests_and_bad_snapshots_are_named() {
    let missing = report(&[("m.manifest", MANIFEST), ("b", b"REDIS"), ("i2", b"")], "m.manifest");
    assert_eq!(missing.files[1].condition, Condition::Missing);
    let text = missing.to_string();
    assert!(text.contains("/a/b: the snapshot is damaged: ") && text.contains("/a/i1: missing"), "{text}");
    assert!(!missing.is_loadable());
    let bad = report(&[("m.manifest", b"nonsense")], "m.manifest");
    assert!(!bad.is_whole() && bad.to_string().starts_with("the manifest is damaged, line 1: "));
}

#[test]
fn the_number_of_names_is_bounded() {
    let lines: Vec<String> = (0..NAMES_MAX + 50).map(|number| format!("C{number}")).collect();
    let bytes = resp(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let report = report(&[("x", &bytes)], "x");
    assert_eq!(report.files[0].by_name.len(), NAMES_MAX + 1);
    assert_eq!(report.files[0].by_name["(others)"].count, 50);
}
