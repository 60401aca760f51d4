//! The append-only file: the layout of Redis 7, a base and increments named by a manifest.
//!
//! ```text
//! appendonlydir/appendonly.aof.manifest      which files, in which order
//! appendonlydir/appendonly.aof.2.base.rdb    the dataset at some moment
//! appendonlydir/appendonly.aof.5.incr.aof    what happened since; the last one is appended to
//! ```
//!
//! Two rules keep every moment of a rewrite safe. The manifest never names a file that is not durable under its name,
//! and a file's bytes never change meaning: no number is used twice, also not after a rewrite that failed half-way. A
//! rewrite's new increment is in the manifest before it is written to, behind the one in use; only where the log has
//! failed, and the one in use is not whole, the new one stays out of the manifest until the new base replaces the old.

pub mod check;
pub mod load;
pub mod log;
pub mod manifest;
pub mod reader;
pub mod record;
mod rewrite;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::load::{LoadError, Loaded, Loader, load};
use self::log::{Log, LogOptions};
use self::manifest::{BaseFormat, LogFile, Manifest, ManifestError};
pub use self::rewrite::Rewrite;
use super::atomic_file;
use super::directory::{DataDirectory, Dataset, START_EMPTY, manifest_name};
use super::storage::{Storage, read_bounded};
use crate::base::clock::Clock;
use crate::base::limits::MANIFEST_BYTES_MAX;

/// The append-only files of a data directory.
pub struct Aof {
    directory: Arc<DataDirectory>,
    state: Mutex<State>,
}

struct State {
    manifest: Manifest,
    /// The highest numbers that were ever used.
    base_seq: i64,
    increment_seq: i64,
    base_bytes: u64,
    /// Size of the increments in front of the one in use.
    older_bytes: u64,
}

/// Reads any bytes as a manifest and as a file of commands: what the fuzz target calls. What is read as commands is to
/// give the same commands when it is written again, and a manifest the same manifest.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    // One of comments alone is read, and never written.
    if let Some(manifest) = Manifest::parse(bytes).ok().filter(|manifest| !manifest.is_empty()) {
        let again = Manifest::parse(manifest.format().as_bytes());
        assert!(again.is_ok_and(|again| again == manifest), "a manifest that was written is the one that was read");
    }
    let (mut reader, mut offset) = (reader::LogReader::new(bytes, 0), 0);
    while let Ok(reader::Next::Commands(commands)) = reader.next_commands() {
        assert!(commands.offset() >= offset, "offsets rise");
        offset = commands.offset();
        if commands.is_transaction() {
            continue;
        }
        let mut written = Vec::new();
        commands.iter().for_each(|request| request.encode(&mut written));
        let mut again = reader::LogReader::new(&*written, 0);
        let mut count = 0;
        while let Ok(reader::Next::Commands(some)) = again.next_commands() {
            let same = some.iter().zip(commands.iter().skip(count)).all(|(a, b)| a.iter().eq(b.iter()));
            assert!(same, "commands that were written are those that were read");
            count += some.len();
        }
        assert_eq!(count, commands.len(), "all of them are read again");
    }
}

/// Why the append-only files cannot be used; `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AofError {
    /// The manifest is damaged.
    #[error(
        "{path} is damaged, {error}. It lists the append-only files in order, one line each: file NAME seq NUMBER type \
         b, i or h. Put it back from a copy, or write it anew from the files beside it", path = path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// There are append-only files, but no manifest.
    #[error(
        "{} is missing, although there is {file} beside it. Put it back from a copy; or, to go on without this data, \
         start once with {START_EMPTY}", path.display()
    )]
    ManifestMissing {
        /// The manifest.
        path: PathBuf,
        /// One of the files.
        file: String,
    },
    /// The system gives an error.
    #[error("cannot {action} {}: {source}{}", path.display(), load::advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Aof {
    /// Reads the manifest; takes over the single file of a Redis before 7; removes what a rewrite has replaced.
    ///
    /// # Errors
    /// See [`AofError`].
    pub fn open(directory: Arc<DataDirectory>) -> Result<Aof, AofError> {
        let storage = Arc::clone(directory.storage());
        let name = directory.options().aof_name.clone();
        let folder = directory.aof_directory();
        let path = folder.join(manifest_name(&name));
        let manifest = read_manifest(&*storage, &path)?;
        let names = list(&*storage, &folder)?;
        if manifest.is_none()
            && !directory.options().start_empty
            && let Some(file) = names.iter().find(|file| numbered(file, &name).is_some())
        {
            return Err(AofError::ManifestMissing { path, file: file.clone() });
        }
        let mut manifest = manifest.unwrap_or_default();
        take_over(&storage, &directory, &mut manifest)?;
        let highest = |is_base| {
            let seqs = names.iter().filter_map(|file| numbered(file, &name)).filter(|(_, base)| *base == is_base);
            seqs.map(|(seq, _)| seq).max().unwrap_or(0)
        };
        let in_manifest = manifest.increments.iter().chain(&manifest.history).map(|file| file.seq).max().unwrap_or(0);
        let state = State {
            base_seq: highest(true).max(manifest.base.as_ref().map_or(0, |base| base.seq)),
            increment_seq: highest(false).max(in_manifest),
            manifest,
            base_bytes: 0,
            older_bytes: 0,
        };
        let aof = Aof { directory, state: Mutex::new(state) };
        aof.measure().map_err(|source| AofError::Io { action: "look at the files in", path: folder, source })?;
        aof.remove_history();
        Ok(aof)
    }

    /// The files, as the manifest on the disk names them.
    pub fn manifest(&self) -> Manifest {
        self.state.lock().manifest.clone()
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.state.lock().manifest.is_empty()
    }

    /// Loads everything in order; `cut_torn` is `aof-load-truncated`.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, cut_torn: bool, loader: &mut dyn Loader) -> Result<Loaded, LoadError> {
        let manifest = self.manifest();
        let loaded = load(self.storage(), &self.folder(), &manifest, cut_torn, loader)?;
        if loaded.cut.is_some() {
            let folder = self.folder();
            self.measure().map_err(|source| LoadError::Io { action: "look at the files in", path: folder, source })?;
        }
        Ok(loaded)
    }

    /// Goes on with the log where it ended, or begins one. To be called after [`Aof::load`]; a log that begins here
    /// holds the whole dataset only where that is empty: otherwise begin with [`Aof::begin_rewrite`].
    ///
    /// # Errors
    /// When files cannot be created or opened.
    pub fn start_log(&self, options: LogOptions, clock: Clock) -> Result<Log, AofError> {
        let path = self.folder();
        self.try_start_log(options, clock).map_err(|source| AofError::Io { action: "open the log in", path, source })
    }

    /// Size of the base and of all files together, in bytes.
    pub fn sizes(&self, log: &Log) -> (u64, u64) {
        let state = self.state.lock();
        (state.base_bytes, state.base_bytes + state.older_bytes + log.stats().file_bytes)
    }

    fn try_start_log(&self, options: LogOptions, clock: Clock) -> io::Result<Log> {
        let last = self.state.lock().manifest.increments.last().cloned();
        let (file, bytes) = match last {
            Some(last) => {
                let path = self.folder().join(&last.name);
                let bytes = self.storage().len(&path)?.unwrap_or(0);
                (self.storage().append(&path)?, bytes)
            }
            None => {
                let (increment, file) = self.create_increment()?;
                let mut manifest = self.manifest();
                manifest.increments.push(increment);
                self.store(manifest)?;
                (file, 0)
            }
        };
        let log = Log::open(file, bytes, options, clock)?;
        self.measure()?;
        self.directory.mark(Dataset::Aof)?;
        Ok(log)
    }

    fn storage(&self) -> &Arc<dyn Storage> {
        self.directory.storage()
    }

    fn folder(&self) -> PathBuf {
        self.directory.aof_directory()
    }

    fn name(&self) -> &str {
        &self.directory.options().aof_name
    }

    /// Creates the next increment, durable under its name, and not yet in the manifest.
    fn create_increment(&self) -> io::Result<(LogFile, Box<dyn super::storage::File>)> {
        create_folder(&**self.storage(), &self.directory)?;
        let mut state = self.state.lock();
        state.increment_seq += 1;
        let seq = state.increment_seq;
        drop(state);
        let increment = LogFile { name: format!("{}.{seq}{}", self.name(), manifest::INCREMENT_SUFFIX), seq };
        let file = self.storage().create(&self.folder().join(&increment.name))?;
        self.storage().sync_dir(&self.folder())?;
        Ok((increment, file))
    }

    /// The name of the next base.
    fn next_base(&self, format: BaseFormat) -> LogFile {
        let mut state = self.state.lock();
        state.base_seq += 1;
        LogFile { name: format!("{}.{}{}", self.name(), state.base_seq, format.suffix()), seq: state.base_seq }
    }

    /// Puts a manifest in the place of the one on the disk.
    fn store(&self, manifest: Manifest) -> io::Result<()> {
        let path = self.folder().join(manifest_name(self.name()));
        atomic_file::write(self.storage(), &path, manifest.format().as_bytes())?;
        self.state.lock().manifest = manifest;
        Ok(())
    }

    /// Looks up the sizes of the files that are not written to.
    fn measure(&self) -> io::Result<()> {
        let manifest = self.manifest();
        let len = |file: &LogFile| Ok(self.storage().len(&self.folder().join(&file.name))?.unwrap_or(0));
        let base_bytes = manifest.base.as_ref().map_or(Ok(0), len)?;
        let older = manifest.increments.split_last().map_or(&[][..], |(_, older)| older);
        let older_bytes = older.iter().map(len).sum::<io::Result<u64>>()?;
        let mut state = self.state.lock();
        (state.base_bytes, state.older_bytes) = (base_bytes, older_bytes);
        Ok(())
    }

    /// Removes the files that a rewrite has replaced. What fails is left to the next start.
    fn remove_history(&self) {
        let mut manifest = self.manifest();
        if manifest.history.is_empty() {
            return;
        }
        let folder = self.folder();
        manifest.history.retain(|file| match self.storage().remove(&folder.join(&file.name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("cannot remove {}, which is no longer needed: {e}", folder.join(&file.name).display());
                true
            }
            _ => false,
        });
        if let Err(e) = self.store(manifest) {
            tracing::warn!("cannot shorten the manifest in {}: {e}", folder.display());
        }
    }
}

impl std::fmt::Debug for Aof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aof").field("manifest", &self.state.lock().manifest).finish()
    }
}

/// Reads a manifest, if there is one.
fn read_manifest(storage: &dyn Storage, path: &Path) -> Result<Option<Manifest>, AofError> {
    let bytes = match read_bounded(storage, path, MANIFEST_BYTES_MAX) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(|source| AofError::Io { action: "read", path: path.to_owned(), source })?,
    };
    let manifest = Manifest::parse(&bytes).map_err(|error| AofError::Manifest { path: path.to_owned(), error })?;
    Ok(Some(manifest))
}

/// The names of the files in the directory, if it is there.
fn list(storage: &dyn Storage, folder: &Path) -> Result<Vec<String>, AofError> {
    let io = |source| AofError::Io { action: "list", path: folder.to_owned(), source };
    if storage.len(folder).map_err(io)?.is_none() {
        return Ok(Vec::new());
    }
    let entries = storage.list(folder).map_err(io)?;
    Ok(entries.into_iter().filter(|entry| !entry.is_directory).map(|entry| entry.name).collect())
}

/// The number in a file's name, and whether it is a base; `None` for any other file.
fn numbered(file: &str, aof_name: &str) -> Option<(i64, bool)> {
    let rest = file.strip_prefix(aof_name)?.strip_prefix('.')?;
    let (seq, kind) = rest.split_once('.')?;
    let is_base = match kind {
        "base.rdb" | "base.aof" => true,
        "incr.aof" => false,
        _ => return None,
    };
    Some((seq.parse().ok().filter(|seq| *seq > 0)?, is_base))
}

/// Makes the single append-only file of a Redis before 7 the base of a log: first the manifest says so, then the file
/// moves beside it. A crash in between is made good here, too.
fn take_over(storage: &Arc<dyn Storage>, directory: &DataDirectory, manifest: &mut Manifest) -> Result<(), AofError> {
    let name = &directory.options().aof_name;
    let (old, folder) = (directory.path().join(name), directory.aof_directory());
    let new = folder.join(name);
    let as_base = Manifest { base: Some(LogFile { name: name.clone(), seq: 1 }), ..Manifest::default() };
    let moves = || -> io::Result<bool> {
        let is_new = manifest.is_empty() && manifest.history.is_empty();
        if storage.len(&old)?.is_none() || storage.len(&new)?.is_some() || (!is_new && *manifest != as_base) {
            return Ok(false);
        }
        create_folder(&**storage, directory)?;
        atomic_file::write(storage, &folder.join(manifest_name(name)), as_base.format().as_bytes())?;
        storage.rename(&old, &new)?;
        storage.sync_dir(&folder)?;
        storage.sync_dir(directory.path())?;
        Ok(true)
    };
    if moves().map_err(|source| AofError::Io { action: "move to appendonlydir the file", path: old.clone(), source })? {
        tracing::info!("{} is now the base of the log in {}", old.display(), folder.display());
        *manifest = as_base;
    }
    Ok(())
}

/// Creates the directory of append-only files, durably.
fn create_folder(storage: &dyn Storage, directory: &DataDirectory) -> io::Result<()> {
    if storage.len(&directory.aof_directory())?.is_none() {
        storage.create_dir(&directory.aof_directory())?;
        storage.sync_dir(directory.path())?;
    }
    Ok(())
}
