//! A file that appears whole or not at all: written under a temporary name, synced, renamed, directory synced.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::storage::{File, Storage};

/// What every temporary name begins with.
const PREFIX: &str = "temp-";

/// A file that is being written. Dropped without [`AtomicFile::commit`] it is removed.
pub struct AtomicFile {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    temporary: PathBuf,
    /// `None` once it is committed.
    file: Option<Box<dyn File>>,
    written: u64,
}

impl AtomicFile {
    /// Begins a file that will stand at `path`, in place of what stands there.
    ///
    /// # Errors
    /// When the temporary file, in the same directory, cannot be created.
    pub fn create(storage: Arc<dyn Storage>, path: &Path) -> io::Result<AtomicFile> {
        // Several savers of one process may be at work on the same file.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!("{PREFIX}{}-{number}-{name}", std::process::id()));
        let file = storage.create(&temporary)?;
        Ok(AtomicFile { storage, path: path.to_owned(), temporary, file: Some(file), written: 0 })
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Where it will stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it stands until it is committed.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Has what was written so far put on the disk, so that the end of a long file does not have to wait for all of it.
    ///
    /// # Errors
    /// As [`File::sync_data`]; the file must be given up then.
    pub fn sync_data(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.sync_data())
    }

    /// Puts the file in its place; when this returns it is there for good.
    ///
    /// # Errors
    /// When any of the steps fails. What stood there before still stands there, unless only the last step failed, the
    /// directory's sync: then a crash decides which of the two.
    pub fn commit(self) -> io::Result<()> {
        let path = self.path.clone();
        self.commit_as(&path)
    }

    /// As [`AtomicFile::commit`], with a name in the same directory that was not known at the beginning.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn commit_as(mut self, path: &Path) -> io::Result<()> {
        self.sync_data()?;
        self.storage.rename(&self.temporary, path)?;
        self.file = None;
        self.storage.sync_dir(directory_of(path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        let count = file.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Nobody reads it; at the next start `is_leftover` finds it.
            self.storage.remove(&self.temporary).ok();
        }
    }
}

/// Writes a whole file atomically.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write(storage: &Arc<dyn Storage>, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(Arc::clone(storage), path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Whether a file of this name is what a crash left of an [`AtomicFile`].
pub fn is_leftover(name: &str) -> bool {
    let Some((process, rest)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else { return false };
    let Some((number, of)) = rest.split_once('-') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(process) && is_number(number) && !of.is_empty()
}

/// The directory that a path is in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};

    fn path() -> &'static Path {
        Path::new("/data/dump.rdb")
    }

    fn disk_with_old() -> (FaultyDisk, Arc<dyn Storage>) {
        let disk = FaultyDisk::new(&["/data"]);
        let storage: Arc<dyn Storage> = Arc::new(disk.clone());
        write(&storage, path(), b"old").unwrap();
        (disk, storage)
    }

    #[test]
    fn a_committed_file_survives_a_crash() {
        let (disk, storage) = disk_with_old();
        write(&storage, path(), b"new").unwrap();
        disk.crash(Crash::LoseUnsynced);
        assert_eq!(disk.content(path()).unwrap(), b"new");
        assert_eq!(disk.names("/data"), ["dump.rdb"]);
    }

    #[test]
    fn until_the_commit_the_old_file_stands() {
        let (disk, storage) = disk_with_old();
        let mut file = AtomicFile::create(storage, path()).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!((file.written(), disk.content(path()).unwrap()), (4, b"old".to_vec()));
        drop(file);
        assert_eq!(disk.names("/data"), ["dump.rdb"], "a file that was given up is removed");
    }

    #[test]
    fn a_fault_at_any_step_leaves_the_old_file_or_the_new_one() {
        for operation in [Operation::Create, Operation::Write, Operation::Sync, Operation::Rename, Operation::SyncDir] {
            for errno in [FaultyDisk::EIO, FaultyDisk::ENOSPC, FaultyDisk::EACCES] {
                let (disk, storage) = disk_with_old();
                disk.fail_next(operation, errno);
                let error = write(&storage, path(), b"new").unwrap_err();
                assert_eq!(error.raw_os_error(), Some(errno), "{operation:?}");
                let now = disk.content(path()).unwrap();
                let renamed = operation == Operation::SyncDir;
                assert_eq!(now, if renamed { b"new".to_vec() } else { b"old".to_vec() }, "{operation:?}");
                assert_eq!(disk.names("/data"), ["dump.rdb"], "{operation:?} leaves nothing behind");
                disk.crash(Crash::LoseUnsynced);
                assert_eq!(disk.content(path()).unwrap(), b"old", "{operation:?}: a lost rename");
            }
        }
    }

    #[test]
    fn leftovers_are_told_from_other_files() {
        assert!(is_leftover("temp-17-0-dump.rdb") && is_leftover("temp-1-22-a-b"));
        for name in
            ["temp-17.rdb", "temp-x-0-dump.rdb", "temp-17-0-", "temp-17-dump.rdb", "dump.rdb", "temp-", "temp--0-x"]
        {
            assert!(!is_leftover(name), "{name}");
        }
    }
}
