//! Every way in which a data directory is refused says what to do, and none of them changes the data.

use super::*;
use crate::persist::storage::Disk;
use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};
use crate::persist::storage::tests::Scratch;

const DATA: &str = "/data";

fn options(path: impl Into<PathBuf>) -> DirectoryOptions {
    DirectoryOptions {
        path: path.into(),
        rdb_name: "dump.rdb".into(),
        aof_directory_name: "appendonlydir".into(),
        aof_name: "appendonly.aof".into(),
        aof_enabled: true,
        start_empty: false,
    }
}

fn open(disk: &FaultyDisk) -> Result<DataDirectory, DirectoryError> {
    DataDirectory::open(disk.storage(), options(DATA))
}

fn with_manifest(disk: &FaultyDisk) {
    disk.create_dir(Path::new("/data/appendonlydir")).unwrap();
    disk.sync_dir(Path::new(DATA)).unwrap();
    disk.put("/data/appendonlydir/appendonly.aof.manifest", b"file a seq 1 type i\n");
}

#[test]
fn what_is_there_is_found() {
    let disk = FaultyDisk::new(&[DATA]);
    assert_eq!(open(&disk).unwrap().found(), Found::default());
    with_manifest(&disk);
    disk.put("/data/dump.rdb", b"REDIS");
    disk.put("/data/appendonly.aof", b"");
    let directory = open(&disk).unwrap();
    assert_eq!(directory.found(), Found { manifest: true, old_aof: true, rdb_bytes: Some(5) });
    assert_eq!(directory.rdb_path(), Path::new("/data/dump.rdb"));
    assert_eq!(directory.aof_directory(), Path::new("/data/appendonlydir"));
}

#[test]
fn a_second_server_is_kept_out_and_told_whose_directory_it_is() {
    let scratch = Scratch::new();
    let storage: Arc<dyn Storage> = Arc::new(Disk);
    let first = DataDirectory::open(Arc::clone(&storage), options(&scratch.0)).unwrap();
    let error = DataDirectory::open(Arc::clone(&storage), options(&scratch.0)).unwrap_err();
    assert!(error.to_string().contains("this very process"), "{error}");
    drop(first);
    drop(DataDirectory::open(storage, options(&scratch.0)).unwrap());

    let disk = FaultyDisk::new(&[DATA]);
    let _other = disk.lock(Path::new("/data/pipkin.lock"), "4711\n").unwrap();
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("in use by another server, process 4711: stop that one first"), "{error}");
}

#[test]
fn a_lock_ends_with_its_process() {
    let disk = FaultyDisk::new(&[DATA]);
    let dead = open(&disk).unwrap();
    disk.crash(Crash::Process);
    let alive = open(&disk).unwrap();
    drop(dead);
    assert!(matches!(open(&disk), Err(DirectoryError::InUse { .. })), "the dead one's end frees nothing");
    drop(alive);
}

#[test]
fn a_missing_directory_is_not_created() {
    let error = open(&FaultyDisk::new(&[])).unwrap_err().to_string();
    assert!(error.contains("mkdir -p /data") && error.contains("--dir"), "{error}");
}

#[test]
fn wrong_permissions_say_what_to_do() {
    let disk = FaultyDisk::new(&[DATA]);
    disk.fail_next(Operation::Lock, FaultyDisk::EACCES);
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("no permission to write /data/pipkin.lock"), "{error}");
    assert!(error.contains("chown -R USER /data"), "{error}");
    disk.fail_next(Operation::Lock, FaultyDisk::EIO);
    assert!(open(&disk).unwrap_err().to_string().contains("cannot lock /data/pipkin.lock"));
    open(&disk).unwrap().mark(Dataset::Rdb).unwrap();
    disk.fail_next(Operation::Open, FaultyDisk::EACCES);
    assert!(open(&disk).unwrap_err().to_string().contains("no permission to read /data/pipkin.dataset"));
}

#[test]
fn a_start_without_the_dataset_that_was_there_is_refused() {
    let disk = FaultyDisk::new(&[DATA]);
    with_manifest(&disk);
    let directory = open(&disk).unwrap();
    directory.mark(Dataset::Aof).unwrap();
    directory.mark(Dataset::Aof).unwrap();
    drop(directory);
    disk.crash(Crash::LoseUnsynced);
    drop(open(&disk).unwrap());

    disk.remove(Path::new("/data/appendonlydir/appendonly.aof.manifest")).unwrap();
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.starts_with("appendonlydir/appendonly.aof.manifest is gone"), "{error}");
    assert!(error.contains("start once with --start-empty yes"), "{error}");
    disk.put("/data/dump.rdb", b"REDIS");
    assert!(open(&disk).is_err(), "an older snapshot is no replacement for the log");

    let mut empty = options(DATA);
    empty.start_empty = true;
    let directory = DataDirectory::open(disk.storage(), empty.clone()).unwrap();
    directory.unmark(Dataset::Aof).unwrap();
    drop(directory);
    drop(open(&disk).unwrap());
}

#[test]
fn which_file_has_to_be_there_depends_on_what_is_loaded() {
    let marker = |datasets: &[Dataset]| -> BTreeMap<Dataset, PathBuf> {
        datasets.iter().map(|dataset| (*dataset, PathBuf::from(dataset.word()))).collect()
    };
    let gone = |marked: &[Dataset], found: Found, aof_enabled: bool| {
        let options = DirectoryOptions { aof_enabled, ..options(DATA) };
        missing(&marker(marked), found, &options).map(|path| path.display().to_string())
    };
    let (nothing, both) = (Found::default(), [Dataset::Aof, Dataset::Rdb]);
    let manifest = Found { manifest: true, ..nothing };
    let rdb = Found { rdb_bytes: Some(1), ..nothing };
    assert_eq!(gone(&[], nothing, true), None);
    assert_eq!(gone(&both, nothing, true), Some("aof".into()));
    assert_eq!(gone(&both, nothing, false), Some("aof".into()));
    assert_eq!(gone(&both, manifest, true), None);
    assert_eq!(gone(&both, manifest, false), Some("rdb".into()));
    assert_eq!(gone(&both, rdb, false), None);
    assert_eq!(gone(&both, rdb, true), Some("aof".into()));
    assert_eq!(gone(&[Dataset::Rdb], nothing, true), Some("rdb".into()));
    assert_eq!(gone(&[Dataset::Rdb], rdb, true), None);
    assert_eq!(gone(&[Dataset::Aof], Found { old_aof: true, ..nothing }, true), None);
}

#[test]
fn a_damaged_marker_is_named() {
    let disk = FaultyDisk::new(&[DATA]);
    disk.put("/data/pipkin.dataset", b"rdb dump.rdb\nxyz\n");
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("/data/pipkin.dataset is damaged: line 2"), "{error}");
}

#[test]
fn what_a_crash_left_is_removed() {
    let disk = FaultyDisk::new(&[DATA, "/data/appendonlydir"]);
    for name in ["temp-7-1-dump.rdb", "dump.rdb", "appendonlydir/temp-7-0-appendonly.aof.manifest", "appendonlydir/x"] {
        disk.put(Path::new(DATA).join(name), b"");
    }
    drop(open(&disk).unwrap());
    assert_eq!((disk.names(DATA), disk.names("/data/appendonlydir")), (vec!["dump.rdb".into()], vec!["x".into()]));
}
