//! `Fuse`: a disk whose owner can have the process aborted in front of a chosen operation, as a kill at that moment
//! would. Crash tests light it; until somebody does it costs one load for each operation.
//!
//! What counts is everything that makes, renames, removes or cuts files, or syncs a directory: the moments between
//! which a set of files goes from one state to the next.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Entry, File, Lock, LockError, Storage};

/// See the module's text.
pub struct Fuse {
    storage: Arc<dyn Storage>,
    /// Operations until the abort, the last one not included; 0 while nobody wants one.
    left: AtomicU64,
}

impl Fuse {
    /// Around this disk.
    pub fn around(storage: Arc<dyn Storage>) -> Fuse {
        Fuse { storage, left: AtomicU64::new(0) }
    }

    /// The process is to abort in front of the nth operation from now on; 0 takes that back.
    pub fn light(&self, operations: u64) {
        self.left.store(operations, Ordering::Relaxed);
    }

    fn burn(&self) {
        if self.left.load(Ordering::Relaxed) != 0 && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}

impl Storage for Fuse {
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.storage.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.burn();
        self.storage.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.storage.append(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.burn();
        self.storage.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.burn();
        self.storage.remove(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.burn();
        self.storage.create_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.burn();
        self.storage.sync_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.storage.list(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.storage.len(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.burn();
        self.storage.truncate(path, len)
    }

    fn lock(&self, path: &Path, text: &str) -> Result<Lock, LockError> {
        self.storage.lock(path, text)
    }
}
