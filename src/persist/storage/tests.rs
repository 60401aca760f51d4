//! The real disk and the faulty one behave alike where nothing fails.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::faulty::{Crash, FaultyDisk, Operation};
use super::*;

/// A directory on the real disk that is removed at the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pipkin-unit-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn exercise(storage: &Arc<dyn Storage>, directory: &Path) {
    let (a, b) = (directory.join("a"), directory.join("b"));
    assert_eq!(storage.len(&a).unwrap(), None);
    for result in [storage.open(&a), storage.append(&a)] {
        assert_eq!(result.err().unwrap().kind(), io::ErrorKind::NotFound);
    }
    let mut file = storage.create(&a).unwrap();
    file.write_all(b"hello").unwrap();
    file.sync_data().unwrap();
    storage.append(&a).unwrap().write_all(b" world").unwrap();
    storage.rename(&a, &b).unwrap();
    storage.sync_dir(directory).unwrap();
    assert_eq!(read_bounded(&**storage, &b, 11).unwrap(), b"hello world");
    assert_eq!(read_bounded(&**storage, &b, 10).unwrap_err().kind(), io::ErrorKind::InvalidData);
    storage.truncate(&b, 5).unwrap();
    assert_eq!((storage.len(&a).unwrap(), storage.len(&b).unwrap()), (None, Some(5)));
    storage.create_dir(&directory.join("c")).unwrap();
    storage.create_dir(&directory.join("c")).unwrap();
    let names = |entries: Vec<Entry>| entries.into_iter().map(|e| (e.name, e.is_directory)).collect::<Vec<_>>();
    assert_eq!(names(storage.list(directory).unwrap()), [("b".into(), false), ("c".into(), true)]);
    storage.remove(&b).unwrap();
    assert_eq!(storage.len(&b).unwrap(), None);
    let lock = storage.lock(&a, "me").unwrap();
    assert!(matches!(storage.lock(&a, "you"), Err(LockError::Held(holder)) if holder == "me"));
    drop(lock);
    drop(storage.lock(&a, "you").unwrap());
}

#[test]
fn the_real_disk() {
    let scratch = Scratch::new();
    let storage: Arc<dyn Storage> = Arc::new(Disk);
    exercise(&storage, &scratch.0);
}

#[test]
fn the_faulty_disk_without_faults() {
    exercise(&FaultyDisk::new(&["/d"]).storage(), Path::new("/d"));
}

#[test]
fn the_faulty_disk_loses_what_was_not_synced() {
    let disk = FaultyDisk::new(&["/d"]);
    let path = Path::new("/d/a");
    let mut file = disk.create(path).unwrap();
    file.write_all(b"one").unwrap();
    file.sync_data().unwrap();
    file.write_all(b"two").unwrap();
    assert_eq!(disk.durable(path), None, "the name is not durable");
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.crash(Crash::Torn(2));
    assert_eq!(disk.content(path).unwrap(), b"onetw");
    assert!(file.write_all(b"x").is_err(), "the handle is dead");

    let mut file = disk.append(path).unwrap();
    file.write_all(b"lost").unwrap();
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(disk.content(path).unwrap(), b"onetw", "a sync after a failed one proves nothing");
}
