//! Loading the files of a manifest, and what is done about an incomplete end.
//!
//! A crash leaves at most the end of the file that was written last incomplete: the log makes a file durable before it
//! writes to the next. So a torn end is accepted where no later file holds anything; it is copied to a file of its own
//! (`NAME.truncated-OFFSET`) before it is cut off.

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{LogFile, Manifest};
use super::reader::{Commands, LogReader, Next, ReadError, Torn};
use crate::persist::atomic_file::AtomicFile;
use crate::persist::storage::Storage;

/// Takes what is loaded, in order. Texts of errors say what is wrong, without the file and the place.
pub trait Loader {
    /// A file of so many bytes begins: commands run in database 0 again.
    fn begin_file(&mut self, name: &str, bytes: u64);

    /// Reads a snapshot, and returns the bytes that were read beyond its end.
    ///
    /// # Errors
    /// When the snapshot is damaged or cannot be read.
    fn snapshot(&mut self, input: &mut dyn Read) -> Result<Vec<u8>, String>;

    /// Runs commands.
    ///
    /// # Errors
    /// The number of the command that cannot be run, and why.
    fn run(&mut self, commands: &Commands<'_>) -> Result<(), (usize, String)>;
}

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Number of files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The base's part of them.
    pub base_bytes: u64,
    /// Number of commands.
    pub commands: u64,
    /// The last annotated time, in Unix seconds.
    pub annotated_s: Option<u64>,
    /// The end that was cut off.
    pub cut: Option<Cut>,
}

/// An end that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub path: PathBuf,
    /// Its length now.
    pub offset: u64,
    /// Bytes that were cut off.
    pub bytes: u64,
    /// Whether a transaction without its EXEC was cut off.
    pub is_transaction: bool,
    /// Where these bytes are now.
    pub kept_in: PathBuf,
}

/// Why the files cannot be loaded; `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the manifest is not there.
    #[error("{} is missing, although the manifest beside it names it: put the file back", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file ends within a record, and that is not to be repaired.
    #[error(
        "{} ends within {} that begins at offset {offset}: a crash cut off its last {bytes} bytes. With \
         aof-load-truncated yes the server cuts them off, keeps them in a file beside it, and starts",
        path.display(), what(*is_transaction)
    )]
    Torn {
        /// The file.
        path: PathBuf,
        /// Where the incomplete record begins.
        offset: u64,
        /// How much there is of it.
        bytes: u64,
        /// Whether it is a transaction.
        is_transaction: bool,
    },
    /// The file ends within a record, but files behind it hold data.
    #[error(
        "{} ends within {} that begins at offset {offset}, although {next} goes on behind it: bytes are missing in \
         the middle of the log. Put back the whole file from a copy, or see what there is with: pipkin check {}",
        path.display(), what(*is_transaction), path.display()
    )]
    TornInTheMiddle {
        /// The file.
        path: PathBuf,
        /// Where the incomplete record begins.
        offset: u64,
        /// Whether it is a transaction.
        is_transaction: bool,
        /// The next file that holds anything.
        next: String,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged at offset {offset}: {reason}. Nothing was changed. See what is whole with: pipkin check \
         {path}. Put back the file from a copy; or, to give up everything behind the damage, keep a copy and cut \
         the file: truncate -s {offset} {path}", path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it is damaged.
        offset: u64,
        /// How.
        reason: String,
    },
    /// A command of the log cannot be run.
    #[error("{} holds a command that cannot be run, it ends at offset {end}: {reason}", path.display())]
    Command {
        /// The file.
        path: PathBuf,
        /// Where the command ends.
        end: u64,
        /// Why it cannot be run.
        reason: String,
    },
    /// The snapshot at the beginning of the file cannot be loaded.
    #[error("{path} cannot be loaded: {reason}. See what is whole with: pipkin check {path}", path = path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system gives an error.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn what(is_transaction: bool) -> &'static str {
    if is_transaction { "a transaction" } else { "a record" }
}

/// What to do about an error of the system.
pub(super) fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => ": give the file to the user that the server runs as (chown)",
        io::ErrorKind::StorageFull => ": make room on the disk",
        _ => "",
    }
}

/// Loads the files of `manifest`, which lie in `directory`, in order. `cut_torn` is `aof-load-truncated`.
///
/// # Errors
/// See [`LoadError`]. Files are changed only where a torn end is cut off, as the very last step.
pub fn load(
    storage: &Arc<dyn Storage>,
    directory: &Path,
    manifest: &Manifest,
    cut_torn: bool,
    loader: &mut dyn Loader,
) -> Result<Loaded, LoadError> {
    let mut files = Vec::new();
    for file in manifest.files() {
        let path = directory.join(&file.name);
        let len =
            storage.len(&path).map_err(|source| LoadError::Io { action: "look at", path: path.clone(), source })?;
        files.push((file, len.ok_or(LoadError::Missing { path })?));
    }
    let mut loaded = Loaded::default();
    let mut torn = None;
    for (index, (file, len)) in files.iter().enumerate() {
        let path = directory.join(&file.name);
        loader.begin_file(&file.name, *len);
        let found = load_file(&**storage, &path, loader, &mut loaded)?;
        loaded.files += 1;
        loaded.bytes += len;
        if manifest.base.as_ref() == Some(*file) {
            loaded.base_bytes = *len;
        }
        let Some(found) = found else { continue };
        let later: &[(&LogFile, u64)] = files.get(index + 1..).unwrap_or_default();
        if let Some((next, _)) = later.iter().find(|(_, len)| *len > 0) {
            let Torn { offset, is_transaction, .. } = found;
            return Err(LoadError::TornInTheMiddle { path, offset, is_transaction, next: next.name.clone() });
        }
        torn = Some((path, found));
    }
    if let Some((path, torn)) = torn {
        let Torn { offset, bytes, is_transaction } = torn;
        if !cut_torn {
            return Err(LoadError::Torn { path, offset, bytes, is_transaction });
        }
        loaded.bytes -= bytes;
        loaded.cut = Some(cut(storage, path, torn)?);
    }
    Ok(loaded)
}

/// Loads one file, and returns its incomplete end.
fn load_file(
    storage: &dyn Storage,
    path: &Path,
    loader: &mut dyn Loader,
    loaded: &mut Loaded,
) -> Result<Option<Torn>, LoadError> {
    let opened = open_commands(storage, path, &mut |input| loader.snapshot(input));
    let mut reader = opened.map_err(|error| match error {
        OpenError::Io(source) => LoadError::Io { action: "read", path: path.to_owned(), source },
        OpenError::Snapshot(reason) => LoadError::Snapshot { path: path.to_owned(), reason },
    })?;
    loop {
        let next = reader.next_commands().map_err(|error| match error {
            ReadError::Damaged { offset, reason } => LoadError::Damaged { path: path.to_owned(), offset, reason },
            ReadError::Io { source, .. } => LoadError::Io { action: "read", path: path.to_owned(), source },
        })?;
        let commands = match next {
            Next::Commands(commands) => commands,
            end => {
                let torn = if let Next::Torn(torn) = end { Some(torn) } else { None };
                loaded.annotated_s = reader.annotated_s().or(loaded.annotated_s);
                return Ok(torn);
            }
        };
        loader.run(&commands).map_err(|(index, reason)| {
            let end = commands.end(index.min(commands.len() - 1));
            LoadError::Command { path: path.to_owned(), end, reason }
        })?;
        loaded.commands += commands.len() as u64;
    }
}

/// Why the commands of a file cannot be come at.
pub(super) enum OpenError {
    Io(io::Error),
    Snapshot(String),
}

/// Reads a snapshot and returns the bytes that were read beyond its end, or says what is wrong with it.
pub type SnapshotReader<'a> = &'a mut dyn FnMut(&mut dyn Read) -> Result<Vec<u8>, String>;

/// A file behind its snapshot.
pub(super) type CommandReader = LogReader<Box<dyn Read>>;

/// Opens a file, has `snapshot` read the snapshot that it may begin with (see [`Loader::snapshot`]), and returns the
/// reader of the commands behind it, which knows where it began.
pub(super) fn open_commands(
    storage: &dyn Storage,
    path: &Path,
    snapshot: SnapshotReader<'_>,
) -> Result<CommandReader, OpenError> {
    let mut file = storage.open(path).map_err(OpenError::Io)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(MAGIC_BYTES_MAX).read_to_end(&mut head).map_err(OpenError::Io)?;
    if !MAGICS.iter().any(|magic| head.starts_with(magic)) {
        return Ok(LogReader::new(Box::new(io::Cursor::new(head).chain(file)), 0));
    }
    let mut input = Counted { input: io::Cursor::new(head).chain(file), consumed: 0 };
    let rest = snapshot(&mut input).map_err(OpenError::Snapshot)?;
    let offset = input.consumed.saturating_sub(rest.len() as u64);
    Ok(LogReader::new(Box::new(io::Cursor::new(rest).chain(input.input)), offset))
}

/// How snapshots begin: Redis's, and Valkey's from version 9 on.
const MAGICS: [&[u8]; 2] = [b"REDIS", b"VALKEY"];
const MAGIC_BYTES_MAX: u64 = 6;

/// Copies the torn end to a file beside it, then cuts it off.
fn cut(storage: &Arc<dyn Storage>, path: PathBuf, torn: Torn) -> Result<Cut, LoadError> {
    let Torn { offset, bytes, is_transaction } = torn;
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Io { action, path, source }
    };
    let kept_in = free_name(&**storage, &path, offset).map_err(io("look beside", &path))?;
    keep(storage, &path, offset, &kept_in).map_err(io("keep the cut bytes in", &kept_in))?;
    storage.truncate(&path, offset).map_err(io("cut", &path))?;
    tracing::warn!(
        "{} ended within {} at offset {offset}: its last {bytes} bytes were cut off, they are in {}",
        path.display(),
        what(is_transaction),
        kept_in.display()
    );
    Ok(Cut { path, offset, bytes, is_transaction, kept_in })
}

/// A name for the bytes of `path` from `offset` on that nothing has yet: an earlier crash may have ended there too.
fn free_name(storage: &dyn Storage, path: &Path, offset: u64) -> io::Result<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut number = 0;
    loop {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        let candidate = path.with_file_name(format!("{name}.truncated-{offset}{suffix}"));
        if storage.len(&candidate)?.is_none() {
            return Ok(candidate);
        }
        number += 1;
    }
}

fn keep(storage: &Arc<dyn Storage>, path: &Path, offset: u64, kept_in: &Path) -> io::Result<()> {
    let mut input = storage.open(path)?;
    io::copy(&mut (&mut input).take(offset), &mut io::sink())?;
    let mut output = AtomicFile::create(Arc::clone(storage), kept_in)?;
    io::copy(&mut input, &mut output)?;
    output.flush()?;
    output.commit()
}

/// Counts what is read, so that it is known where a snapshot ended.
struct Counted<R> {
    input: R,
    consumed: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.consumed += count as u64;
        Ok(count)
    }
}
