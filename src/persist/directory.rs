//! Opening a data directory: one server at a time, nothing lost that was there, and words that say what to do.
//!
//! ```text
//! pipkin.lock       locked while a server runs; holds its process id
//! pipkin.dataset    says which files hold data here, once there were any: a line `aof PATH` or `rdb PATH` for each
//! dump.rdb          the snapshot
//! appendonlydir/    the append-only files and their manifest
//! appendonly.aof    the same of Redis before 7
//! ```
//!
//! Where `pipkin.dataset` names files that are gone, the server does not start: starting empty, and then writing over
//! what is left, is how a slip with a mount point or a file name becomes a loss of data.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::atomic_file;
use super::storage::{Lock, LockError, Storage, read_bounded};

/// The setting that starts without the dataset that was there.
pub const START_EMPTY: &str = "--start-empty yes";

const LOCK_NAME: &str = "pipkin.lock";
const MARKER_NAME: &str = "pipkin.dataset";
const MARKER_BYTES_MAX: u64 = 64 << 10;

/// What to open.
#[derive(Clone, Debug)]
pub struct DirectoryOptions {
    /// The directory (`dir`).
    pub path: PathBuf,
    /// Name of the snapshot (`dbfilename`).
    pub rdb_name: String,
    /// Name of the directory of append-only files (`appenddirname`).
    pub aof_directory_name: String,
    /// First part of their names (`appendfilename`).
    pub aof_name: String,
    /// Whether the append-only files are going to be loaded (`appendonly`).
    pub aof_enabled: bool,
    /// Start even where a dataset is missing that was there ([`START_EMPTY`]).
    pub start_empty: bool,
}

/// The data of which a directory can have some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dataset {
    /// Append-only files, by their manifest.
    Aof,
    /// A snapshot.
    Rdb,
}

/// What is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// There is a manifest of append-only files.
    pub manifest: bool,
    /// There is an append-only file of Redis before 7; [`crate::persist::aof::Aof::open`] takes it over.
    pub old_aof: bool,
    /// Size of the snapshot in bytes.
    pub rdb_bytes: Option<u64>,
}

/// An open data directory; locked until it is dropped.
pub struct DataDirectory {
    storage: Arc<dyn Storage>,
    options: DirectoryOptions,
    found: Found,
    marker: Mutex<BTreeMap<Dataset, PathBuf>>,
    _lock: Lock,
}

/// Why a data directory cannot be used; `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It is not there.
    #[error("the data directory {0} does not exist: create it (mkdir -p {0}), or name another one with --dir")]
    Missing(String),
    /// The server may not use it.
    #[error(
        "no permission to {action} {path}: run the server as the user who owns the directory, give it to this user \
         (chown -R USER {directory}), or name another one with --dir"
    )]
    Permission {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The data directory.
        directory: String,
    },
    /// Another server runs in it.
    #[error(
        "the data directory {directory} is in use by {holder}: stop that one first, or give this one a directory of \
         its own with --dir"
    )]
    InUse {
        /// The data directory.
        directory: String,
        /// Who uses it.
        holder: String,
    },
    /// It cannot be locked.
    #[error(
        "cannot lock {path}: {source}. The lock keeps two servers from writing the same files; a file system without \
         locks cannot hold a data directory"
    )]
    Lock {
        /// The file to lock.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The dataset is gone that was there.
    #[error(
        "{missing} is gone, although this directory had its data there. Nothing was changed. Is the right directory \
         mounted, the right --dir, --dbfilename or --appendfilename given? Put the file back; or, to go on without \
         this data, start once with {START_EMPTY}"
    )]
    DatasetMissing {
        /// The path of what is missing.
        missing: String,
    },
    /// The file that tells what was there is damaged.
    #[error(
        "{path} is damaged: line {line} is neither 'aof PATH' nor 'rdb PATH'. It only says which data the directory \
         had: see that the data files are there, then remove it"
    )]
    Marker {
        /// The file.
        path: String,
        /// Number of the line, from 1.
        line: usize,
    },
    /// Anything else that the system refuses.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl DataDirectory {
    /// Locks the directory, looks what is in it, and removes what a crash left of unfinished files.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn open(storage: Arc<dyn Storage>, options: DirectoryOptions) -> Result<DataDirectory, DirectoryError> {
        let path = &options.path;
        if storage.len(path).map_err(|e| error("look at", path, path, e))?.is_none() {
            return Err(DirectoryError::Missing(path.display().to_string()));
        }
        let lock = lock(&*storage, path)?;
        let marker = read_marker(&*storage, path)?;
        let found = look(&*storage, &options)?;
        if let Some(missing) = missing(&marker, found, &options)
            && !options.start_empty
        {
            return Err(DirectoryError::DatasetMissing { missing: missing.display().to_string() });
        }
        for directory in [path.clone(), path.join(&options.aof_directory_name)] {
            remove_leftovers(&*storage, &directory).map_err(|e| error("clean up in", &directory, path, e))?;
        }
        Ok(DataDirectory { storage, options, found, marker: Mutex::new(marker), _lock: lock })
    }

    /// What was there when it was opened.
    pub fn found(&self) -> Found {
        self.found
    }

    /// The disk it is on.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// How it was opened.
    pub fn options(&self) -> &DirectoryOptions {
        &self.options
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// Where the snapshot is.
    pub fn rdb_path(&self) -> PathBuf {
        self.options.path.join(&self.options.rdb_name)
    }

    /// The directory of append-only files.
    pub fn aof_directory(&self) -> PathBuf {
        self.options.path.join(&self.options.aof_directory_name)
    }

    /// Remembers for all later starts that there is data of this kind. To be called when the first file of it stands:
    /// after a snapshot, and after the log was opened. Cheap when it is known already.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn mark(&self, dataset: Dataset) -> io::Result<()> {
        let path = match dataset {
            Dataset::Rdb => PathBuf::from(&self.options.rdb_name),
            Dataset::Aof => Path::new(&self.options.aof_directory_name).join(manifest_name(&self.options.aof_name)),
        };
        let mut marker = self.marker.lock();
        if marker.get(&dataset) == Some(&path) {
            return Ok(());
        }
        let mut changed = marker.clone();
        changed.insert(dataset, path);
        self.write_marker(&changed)?;
        *marker = changed;
        Ok(())
    }

    /// Forgets that there was data of this kind: the operator removed it or switched it off.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn unmark(&self, dataset: Dataset) -> io::Result<()> {
        let mut marker = self.marker.lock();
        if !marker.contains_key(&dataset) {
            return Ok(());
        }
        let mut changed = marker.clone();
        changed.remove(&dataset);
        self.write_marker(&changed)?;
        *marker = changed;
        Ok(())
    }

    fn write_marker(&self, marker: &BTreeMap<Dataset, PathBuf>) -> io::Result<()> {
        let line = |(dataset, path): (&Dataset, &PathBuf)| format!("{} {}\n", dataset.word(), path.display());
        let text: String = marker.iter().map(line).collect();
        atomic_file::write(&self.storage, &self.options.path.join(MARKER_NAME), text.as_bytes())
    }
}

impl std::fmt::Debug for DataDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataDirectory").field("path", &self.options.path).field("found", &self.found).finish()
    }
}

impl Dataset {
    fn word(self) -> &'static str {
        match self {
            Dataset::Aof => "aof",
            Dataset::Rdb => "rdb",
        }
    }
}

/// Name of the manifest of append-only files whose names begin with `aof_name`.
pub fn manifest_name(aof_name: &str) -> String {
    format!("{aof_name}.manifest")
}

fn lock(storage: &dyn Storage, directory: &Path) -> Result<Lock, DirectoryError> {
    let path = directory.join(LOCK_NAME);
    let own = std::process::id();
    storage.lock(&path, &format!("{own}\n")).map_err(|refusal| match refusal {
        LockError::Held(text) => {
            let holder = match text.trim().parse::<u32>() {
                Ok(id) if id == own => "this very process, which opened it already".to_owned(),
                Ok(id) => format!("another server, process {id}"),
                Err(_) => "another server".to_owned(),
            };
            DirectoryError::InUse { directory: directory.display().to_string(), holder }
        }
        LockError::Io(e) if is_ordinary(&e) => error("write", &path, directory, e),
        LockError::Io(source) => DirectoryError::Lock { path: path.display().to_string(), source },
    })
}

/// Errors that say nothing about locking.
fn is_ordinary(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), PermissionDenied | StorageFull | ReadOnlyFilesystem)
}

fn look(storage: &dyn Storage, options: &DirectoryOptions) -> Result<Found, DirectoryError> {
    let len = |path: PathBuf| storage.len(&path).map_err(|e| error("look at", &path, &options.path, e));
    let directory = options.path.join(&options.aof_directory_name);
    Ok(Found {
        manifest: len(directory.join(manifest_name(&options.aof_name)))?.is_some(),
        old_aof: len(options.path.join(&options.aof_name))?.is_some(),
        rdb_bytes: len(options.path.join(&options.rdb_name))?,
    })
}

/// The file that was there and would be loaded now if it still were.
fn missing<'a>(
    marker: &'a BTreeMap<Dataset, PathBuf>,
    found: Found,
    options: &DirectoryOptions,
) -> Option<&'a PathBuf> {
    let has_aof = found.manifest || found.old_aof;
    let aof = marker.get(&Dataset::Aof).filter(|_| !has_aof && (options.aof_enabled || found.rdb_bytes.is_none()));
    let rdb = marker.get(&Dataset::Rdb);
    let rdb = rdb.filter(|_| found.rdb_bytes.is_none() && !(has_aof && options.aof_enabled));
    aof.or(rdb)
}

fn read_marker(storage: &dyn Storage, directory: &Path) -> Result<BTreeMap<Dataset, PathBuf>, DirectoryError> {
    let path = directory.join(MARKER_NAME);
    let bytes = match read_bounded(storage, &path, MARKER_BYTES_MAX) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        outcome => outcome.map_err(|e| error("read", &path, directory, e))?,
    };
    let mut marker = BTreeMap::new();
    for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let (dataset, name) = match line.split_once(' ') {
            Some(("aof", name)) => (Dataset::Aof, name),
            Some(("rdb", name)) => (Dataset::Rdb, name),
            _ => return Err(DirectoryError::Marker { path: path.display().to_string(), line: index + 1 }),
        };
        marker.insert(dataset, PathBuf::from(name));
    }
    Ok(marker)
}

fn remove_leftovers(storage: &dyn Storage, directory: &Path) -> io::Result<()> {
    if storage.len(directory)?.is_none() {
        return Ok(());
    }
    for entry in storage.list(directory)? {
        if !entry.is_directory && atomic_file::is_leftover(&entry.name) {
            storage.remove(&directory.join(&entry.name))?;
        }
    }
    Ok(())
}

fn error(action: &'static str, path: &Path, directory: &Path, source: io::Error) -> DirectoryError {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            DirectoryError::Permission { action, path, directory: directory.display().to_string() }
        }
        _ => DirectoryError::Io { action, path, source },
    }
}
