//! A rewrite: a new base in the place of the old base and of the increments up to a moment.
//!
//! ```text
//! begin_rewrite   creates the next increment                      no lock held
//! rotate          switches the log to it, at the snapshot's start keyspace held exclusively, no I/O
//! finish_rewrite  base in place, manifest, old files removed      no lock held
//! ```
//!
//! A rewrite that is given up ([`Aof::abandon_rewrite`]) leaves a log that goes on in the new increment.

use std::io;

use super::Aof;
use super::log::{Log, LogOptions, Rotation};
use super::manifest::{BaseFormat, LogFile};
use crate::base::clock::Clock;
use crate::persist::atomic_file::AtomicFile;
use crate::persist::directory::Dataset;
use crate::persist::storage::File;

/// A rewrite under way.
pub struct Rewrite {
    increment: LogFile,
    file: Option<Box<dyn File>>,
    /// The log has failed: the increment is not in the manifest, and the rewrite takes the latch off.
    recovers: bool,
    rotation: Option<Rotation>,
    /// The log writes to the increment.
    has_begun: bool,
}

impl Aof {
    /// Prepares a rewrite of what `log` writes; without one, the beginning of a log for a dataset that is there. One
    /// rewrite at a time.
    ///
    /// # Errors
    /// When the next increment cannot be created; nothing has changed then.
    pub fn begin_rewrite(&self, log: Option<&Log>) -> io::Result<Rewrite> {
        let recovers = log.is_some_and(Log::is_failed);
        let (increment, file) = self.create_increment()?;
        if log.is_some() && !recovers {
            let mut manifest = self.manifest();
            manifest.increments.push(increment.clone());
            self.store(manifest)?;
            self.measure()?;
        }
        Ok(Rewrite { increment, file: Some(file), recovers, rotation: None, has_begun: false })
    }

    /// Begins the new base, to be written from the snapshot of the rotation.
    ///
    /// # Errors
    /// When the temporary file cannot be created.
    pub fn create_base(&self, format: BaseFormat) -> io::Result<AtomicFile> {
        let path = self.folder().join(self.next_base(format).name);
        AtomicFile::create(self.storage().clone(), &path)
    }

    /// Puts the base, which has been written to its end, in its place, and removes what it replaces. Takes the latch
    /// off a log that had failed, and returns whether the log is whole now.
    ///
    /// # Errors
    /// When a step fails. The files that were there still are the log, and nothing of either is removed; the log stays
    /// latched if it was.
    pub fn finish_rewrite(&self, rewrite: Rewrite, base: AtomicFile, log: &Log) -> io::Result<bool> {
        let name = base.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let seq = super::numbered(&name, self.name()).map(|(seq, _)| seq);
        let Some(seq) = seq.filter(|_| rewrite.has_begun) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the rewrite has no base, or was not begun"));
        };
        base.commit()?;
        let mut manifest = self.manifest();
        if !manifest.increments.contains(&rewrite.increment) {
            // Everything before it goes.
            manifest.history.append(&mut manifest.increments);
            manifest.increments.push(rewrite.increment.clone());
        }
        manifest.replace_base(LogFile { name, seq }, &rewrite.increment);
        self.store(manifest)?;
        self.directory.mark(Dataset::Aof)?;
        self.remove_history();
        self.measure()?;
        Ok(match rewrite.rotation {
            Some(rotation) if rotation.recovers => log.recovered(rotation),
            _ => !log.is_failed(),
        })
    }

    /// Gives a rewrite up. A log that was whole goes on in the new increment; one that had failed stays latched.
    pub fn abandon_rewrite(&self, rewrite: Rewrite) {
        if !self.manifest().increments.contains(&rewrite.increment) {
            // Nothing refers to it, and its number is not used again: what cannot be removed does no harm.
            self.storage().remove(&self.folder().join(&rewrite.increment.name)).ok();
        }
    }
}

impl Rewrite {
    /// Switches the log to the new increment. Called at the moment of the snapshot, while the keyspace is held
    /// exclusively. False where the log has failed since the rewrite was begun: give it up and begin again.
    #[must_use]
    pub fn rotate(&mut self, log: &Log) -> bool {
        let Some(file) = self.file.take() else { return false };
        self.rotation = log.rotate(file, self.recovers);
        self.has_begun = self.rotation.is_some();
        self.has_begun
    }

    /// The moment of the switch.
    pub fn rotation(&self) -> Option<Rotation> {
        self.rotation
    }

    /// Opens a log that begins with this increment: for a rewrite that was begun without one. Until the rewrite is
    /// finished, nothing on the disk refers to that log.
    ///
    /// # Errors
    /// When the writer's thread cannot be started.
    pub fn open_log(&mut self, options: LogOptions, clock: Clock) -> io::Result<Log> {
        let Some(file) = self.file.take() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the rewrite has its log already"));
        };
        self.has_begun = true;
        Log::open(file, 0, options, clock)
    }
}
