//! The disk as persistence sees it: a few operations with their durability said.
//!
//! What is written is durable after [`File::sync_data`]; a name (created, renamed, removed) is durable after
//! [`Storage::sync_dir`] of its directory. [`Disk`] is the real thing; the tests have one in memory that loses
//! whatever was not synced.

#[cfg(test)]
pub(crate) mod faulty;
pub mod fuse;
#[cfg(test)]
pub(crate) mod tests;

use std::any::Any;
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// An open file. Reading and writing are unbuffered.
pub trait File: Read + Write + Send {
    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// What the system says. Afterwards nothing is known about any byte written since the last success, whatever a
    /// later call says: the system may have dropped the pages.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without its directory.
    pub name: String,
    /// Size of the file in bytes.
    pub len: u64,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Holds a lock until it is dropped.
pub struct Lock {
    _held: Box<dyn Any + Send + Sync>,
}

/// Why a file cannot be locked.
#[derive(Debug)]
pub enum LockError {
    /// Somebody else holds the lock; what they wrote into the file.
    Held(String),
    /// The file cannot be opened, locked or written.
    Io(io::Error),
}

/// A disk.
pub trait Storage: Send + Sync {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the system says, here as everywhere in this trait.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Creates a file for writing, or empties the one that is there.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file that exists for writing at its end.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn append(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file another name, in place of what has that name.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a directory; one that exists is fine.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a directory are on the disk.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// What is in a directory, sorted by name. Names that are no text are left out: they are none of ours.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Size of a file, or `None` where there is nothing.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Cuts a file to `len` bytes, and returns when that is on the disk.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Locks a file, which is created where it is missing, and puts `text` into it. The lock ends with the process.
    ///
    /// # Errors
    /// [`LockError::Held`] while another has it, this process included.
    fn lock(&self, path: &Path, text: &str) -> Result<Lock, LockError>;
}

impl Lock {
    /// A lock that lasts as long as `held`.
    pub fn new(held: impl Any + Send + Sync) -> Lock {
        Lock { _held: Box::new(held) }
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> LockError {
        LockError::Io(error)
    }
}

/// The whole of a small file.
///
/// # Errors
/// As [`Storage::open`].
pub fn read_bounded(storage: &dyn Storage, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    storage.open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let text = format!("the file is longer than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(bytes)
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl File for fs::File {
    fn sync_data(&mut self) -> io::Result<()> {
        fs::File::sync_data(self)
    }
}

impl Storage for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(fs::File::create(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            outcome => outcome,
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let about = entry.metadata()?;
            entries.push(Entry { name, len: about.len(), is_directory: about.is_dir() });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(about) => Ok(Some(about.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn lock(&self, path: &Path, text: &str) -> Result<Lock, LockError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it may be about to write its text: an empty one is no error.
                file.take(1024).read_to_string(&mut holder)?;
                return Err(LockError::Held(holder));
            }
            Err(TryLockError::Error(e)) => return Err(LockError::Io(e)),
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        Ok(Lock::new(file))
    }
}
