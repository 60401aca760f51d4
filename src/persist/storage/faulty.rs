//! A disk in memory that fails on demand, for tests.
//!
//! It keeps two states: what programs see, and what survives a crash. A file's bytes pass over with `sync_data`, names
//! with `sync_dir`. A failed sync drops the dirty pages as Linux does: later syncs succeed and save nothing of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{Entry, File, Lock, LockError, Storage};

/// How long a test waits for an operation.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can fail, be held up and be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Open,
    Create,
    Append,
    Read,
    Write,
    Sync,
    SyncDir,
    Rename,
    Remove,
    Truncate,
    CreateDir,
    Lock,
}

/// What a crash leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crash {
    /// The process dies, the system lives: everything written is there.
    Process,
    /// Power loss: only what was synced.
    LoseUnsynced,
    /// Power loss, but of each file so many more bytes had reached the disk.
    Torn(usize),
}

#[derive(Default)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    /// A sync failed: up to here nothing will be saved any more.
    dropped: bool,
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    directories: BTreeSet<PathBuf>,
    durable_directories: BTreeSet<PathBuf>,
    locks: BTreeMap<PathBuf, String>,
    faults: BTreeMap<Operation, VecDeque<(u64, i32)>>,
    counts: BTreeMap<Operation, u64>,
    held: BTreeSet<Operation>,
    blocked: BTreeMap<Operation, u64>,
    /// Bytes that all files may take.
    capacity: Option<usize>,
    /// Handles of an earlier life are dead.
    life: u64,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The disk; clones are the same one.
#[derive(Clone)]
pub(crate) struct FaultyDisk(Arc<Shared>);

struct Handle {
    disk: FaultyDisk,
    inode: usize,
    life: u64,
    position: usize,
}

struct Unlock {
    disk: FaultyDisk,
    path: PathBuf,
    life: u64,
}

impl FaultyDisk {
    pub(crate) const EIO: i32 = 5;
    pub(crate) const EACCES: i32 = 13;
    pub(crate) const ENOSPC: i32 = 28;

    /// An empty disk with these directories.
    pub(crate) fn new(directories: &[&str]) -> FaultyDisk {
        let directories: BTreeSet<PathBuf> = directories.iter().map(PathBuf::from).collect();
        let state = State { durable_directories: directories.clone(), directories, ..State::default() };
        FaultyDisk(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// The same disk as a trait object.
    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }

    /// The next operation of this kind fails.
    pub(crate) fn fail_next(&self, operation: Operation, errno: i32) {
        self.fail_after(operation, 0, errno);
    }

    /// The operation of this kind after `count` others fails.
    pub(crate) fn fail_after(&self, operation: Operation, count: u64, errno: i32) {
        let mut state = self.0.state.lock();
        let at = state.counts.get(&operation).copied().unwrap_or(0) + count + 1;
        state.faults.entry(operation).or_default().push_back((at, errno));
    }

    /// Forgets the faults that have not come.
    pub(crate) fn heal(&self) {
        self.0.state.lock().faults.clear();
    }

    /// From now on so many bytes fit on the disk.
    pub(crate) fn set_capacity(&self, bytes: Option<usize>) {
        self.0.state.lock().capacity = bytes;
    }

    /// Bytes that all files take.
    pub(crate) fn used(&self) -> usize {
        self.0.state.lock().used()
    }

    /// Operations of this kind wait from now on.
    pub(crate) fn hold(&self, operation: Operation) {
        self.0.state.lock().held.insert(operation);
    }

    /// They go on.
    pub(crate) fn release(&self, operation: Operation) {
        self.0.state.lock().held.remove(&operation);
        self.0.changed.notify_all();
    }

    /// Waits until an operation of this kind is held up.
    pub(crate) fn wait_blocked(&self, operation: Operation) {
        self.wait_until(|state| state.blocked.get(&operation).copied().unwrap_or(0) > 0);
    }

    /// How many operations of this kind there were.
    pub(crate) fn count(&self, operation: Operation) -> u64 {
        self.0.state.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// Waits until there were so many.
    pub(crate) fn wait_count(&self, operation: Operation, count: u64) {
        self.wait_until(|state| state.counts.get(&operation).copied().unwrap_or(0) >= count);
    }

    /// Fails the test rather than to let it hang.
    fn wait_until(&self, mut condition: impl FnMut(&mut State) -> bool) {
        let timeout = self.0.changed.wait_while_for(&mut self.0.state.lock(), |state| !condition(state), PATIENCE);
        assert!(!timeout.timed_out(), "the disk waits in vain");
    }

    /// Crashes: open files are dead, locks are free, and the disk holds what survives.
    pub(crate) fn crash(&self, crash: Crash) {
        let mut state = self.0.state.lock();
        state.life += 1;
        state.locks.clear();
        let torn = match crash {
            Crash::Process => return,
            Crash::LoseUnsynced => 0,
            Crash::Torn(bytes) => bytes,
        };
        for inode in &mut state.inodes {
            let more = inode.content.strip_prefix(&inode.durable[..]).unwrap_or_default();
            let more = more[..torn.min(more.len())].to_vec();
            inode.durable.extend(more);
            inode.content = inode.durable.clone();
            inode.dropped = false;
        }
        state.names = state.durable_names.clone();
        state.directories = state.durable_directories.clone();
    }

    /// A file's bytes as programs see them.
    pub(crate) fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.state.lock();
        state.names.get(path).map(|inode| state.inodes[*inode].content.clone())
    }

    /// A file's bytes that are safe.
    pub(crate) fn durable(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.state.lock();
        state.durable_names.get(path).map(|inode| state.inodes[*inode].durable.clone())
    }

    /// Puts a durable file there.
    pub(crate) fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let mut state = self.0.state.lock();
        state.inodes.push(Inode { content: bytes.to_vec(), durable: bytes.to_vec(), dropped: false });
        let inode = state.inodes.len() - 1;
        state.names.insert(path.as_ref().to_owned(), inode);
        state.durable_names.insert(path.as_ref().to_owned(), inode);
    }

    /// The names of the files in a directory.
    pub(crate) fn names(&self, directory: impl AsRef<Path>) -> Vec<String> {
        let entries = self.list(directory.as_ref()).unwrap();
        entries.into_iter().filter(|entry| !entry.is_directory).map(|entry| entry.name).collect()
    }

    /// Counts, holds up and fails an operation.
    fn begin(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.0.state.lock();
        let count = state.counts.entry(operation).or_default();
        *count += 1;
        let count = *count;
        self.0.changed.notify_all();
        while state.held.contains(&operation) {
            *state.blocked.entry(operation).or_default() += 1;
            self.0.changed.notify_all();
            self.0.changed.wait(&mut state);
            *state.blocked.entry(operation).or_default() -= 1;
        }
        let faults = state.faults.entry(operation).or_default();
        let Some(at) = faults.iter().position(|(at, _)| *at <= count) else { return Ok(()) };
        let errno = faults.remove(at).map_or(Self::EIO, |(_, errno)| errno);
        Err(io::Error::from_raw_os_error(errno))
    }

    fn handle(&self, inode: usize, state: &State) -> Box<dyn File> {
        Box::new(Handle { disk: self.clone(), inode, life: state.life, position: 0 })
    }
}

impl State {
    fn used(&self) -> usize {
        let reachable: BTreeSet<usize> = self.names.values().copied().collect();
        reachable.into_iter().map(|inode| self.inodes[inode].content.len()).sum()
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn require_directory(&self, path: &Path) -> io::Result<()> {
        if self.directories.contains(path) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

impl Handle {
    fn check(&self, state: &State) -> io::Result<()> {
        if self.life == state.life { Ok(()) } else { Err(io::Error::other("the process that opened this is gone")) }
    }
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.disk.begin(Operation::Read)?;
        let state = self.disk.0.state.lock();
        self.check(&state)?;
        let content = state.inodes[self.inode].content.get(self.position..).unwrap_or_default();
        let count = content.len().min(buffer.len());
        buffer[..count].copy_from_slice(&content[..count]);
        self.position += count;
        Ok(count)
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.begin(Operation::Write)?;
        let mut state = self.disk.0.state.lock();
        self.check(&state)?;
        let room = state.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(state.used()));
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::from_raw_os_error(FaultyDisk::ENOSPC));
        }
        let count = bytes.len().min(room);
        state.inodes[self.inode].content.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File for Handle {
    fn sync_data(&mut self) -> io::Result<()> {
        let outcome = self.disk.begin(Operation::Sync);
        let mut state = self.disk.0.state.lock();
        self.check(&state)?;
        let inode = &mut state.inodes[self.inode];
        match outcome {
            Ok(()) if !inode.dropped => inode.durable = inode.content.clone(),
            Ok(()) => {}
            Err(_) => inode.dropped = true,
        }
        outcome
    }
}

impl Drop for Unlock {
    fn drop(&mut self) {
        let mut state = self.disk.0.state.lock();
        if state.life == self.life {
            state.locks.remove(&self.path);
        }
    }
}

impl Storage for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.begin(Operation::Open)?;
        let state = self.0.state.lock();
        Ok(self.handle(state.find(path)?, &state))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.begin(Operation::Create)?;
        let mut state = self.0.state.lock();
        state.require_directory(path.parent().unwrap())?;
        let inode = match state.names.get(path) {
            Some(inode) => *inode,
            None => {
                state.inodes.push(Inode::default());
                state.inodes.len() - 1
            }
        };
        state.inodes[inode].content.clear();
        state.names.insert(path.to_owned(), inode);
        Ok(self.handle(inode, &state))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.begin(Operation::Append)?;
        let state = self.0.state.lock();
        Ok(self.handle(state.find(path)?, &state))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(Operation::Rename)?;
        let mut state = self.0.state.lock();
        let inode = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Remove)?;
        let mut state = self.0.state.lock();
        state.find(path)?;
        state.names.remove(path);
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::CreateDir)?;
        let mut state = self.0.state.lock();
        state.require_directory(path.parent().unwrap())?;
        state.directories.insert(path.to_owned());
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::SyncDir)?;
        let mut state = self.0.state.lock();
        state.require_directory(path)?;
        let inside = |name: &PathBuf| name.parent() == Some(path);
        let names: Vec<_> = state.names.iter().filter(|(name, _)| inside(name)).map(|(n, i)| (n.clone(), *i)).collect();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(names);
        let directories: Vec<_> = state.directories.iter().filter(|name| inside(name)).cloned().collect();
        state.durable_directories.extend(directories);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let state = self.0.state.lock();
        state.require_directory(path)?;
        let name_of = |name: &Path| {
            (name.parent() == Some(path)).then(|| name.file_name().unwrap().to_string_lossy().into_owned())
        };
        let files = state.names.iter().filter_map(|(name, inode)| {
            let len = state.inodes[*inode].content.len() as u64;
            Some(Entry { name: name_of(name)?, len, is_directory: false })
        });
        let directories = state.directories.iter();
        let directories =
            directories.filter_map(|name| Some(Entry { name: name_of(name)?, len: 0, is_directory: true }));
        let mut entries: Vec<Entry> = files.chain(directories).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        let state = self.0.state.lock();
        if state.directories.contains(path) {
            return Ok(Some(0));
        }
        Ok(state.names.get(path).map(|inode| state.inodes[*inode].content.len() as u64))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.begin(Operation::Truncate)?;
        let mut state = self.0.state.lock();
        let inode = state.find(path)?;
        state.inodes[inode].content.truncate(len as usize);
        state.inodes[inode].durable = state.inodes[inode].content.clone();
        Ok(())
    }

    fn lock(&self, path: &Path, text: &str) -> Result<Lock, LockError> {
        self.begin(Operation::Lock)?;
        let mut state = self.0.state.lock();
        state.require_directory(path.parent().unwrap())?;
        if let Some(holder) = state.locks.get(path) {
            return Err(LockError::Held(holder.clone()));
        }
        state.locks.insert(path.to_owned(), text.to_owned());
        Ok(Lock::new(Unlock { disk: self.clone(), path: path.to_owned(), life: state.life }))
    }
}
