//! Saving: SAVE and BGSAVE into one file, and the rewrite of the append-only files. Both write a [`Snapshot`].

use std::io::{self, Write};
use std::sync::Arc;

use super::image::{Snapshot, Written};
use super::{Job, Persistence};
use crate::engine::instance::Engine;
use crate::engine::stats::Counter;
use crate::persist::aof::log::Log;
use crate::persist::aof::manifest::BaseFormat;
use crate::persist::aof::{Aof, Rewrite};
use crate::persist::atomic_file::AtomicFile;
use crate::persist::directory::{DataDirectory, Dataset};

impl Persistence {
    /// Does one job, which [`Persistence::try_begin`] has granted, and notes how it ended.
    ///
    /// # Errors
    /// What the disk says.
    pub fn work(&self, engine: &Engine, job: Job) -> io::Result<Written> {
        let changes = engine.stats.get(Counter::Changes);
        let outcome = match job {
            Job::Save => self.save(engine),
            Job::Rewrite => self.rewrite(engine),
        };
        match &outcome {
            Ok(written) => tracing::info!("{}: {} keys written", job.name(), written.keys),
            Err(error) => tracing::error!("{} failed: {error}", job.name()),
        }
        self.finish(engine, job, changes, outcome.as_ref().ok().copied());
        outcome
    }

    fn save(&self, engine: &Engine) -> io::Result<Written> {
        let directory = self.directory(engine)?;
        let file = AtomicFile::create(directory.storage().clone(), &directory.rdb_path())?;
        let (mut file, written) = Snapshot::begin(engine, |_| {}).write(file, false)?;
        file.flush()?;
        file.commit()?;
        directory.mark(Dataset::Rdb)?;
        Ok(written)
    }

    fn rewrite(&self, engine: &Engine) -> io::Result<Written> {
        let directory = self.directory(engine)?;
        let aof = self.append_only_files(&directory)?;
        match self.log() {
            Some(log) => {
                let mut rewrite = aof.begin_rewrite(Some(&log))?;
                let base = aof.create_base(BaseFormat::Rdb)?;
                let mut has_rotated = false;
                let snapshot = Snapshot::begin(engine, |_| has_rotated = rewrite.rotate(&log));
                let base = if has_rotated { snapshot.write(base, true) } else { Err(log_failed()) };
                finish(&aof, rewrite, base, &log).and_then(whole)
            }
            None => self.begin_log(engine, &aof),
        }
    }

    /// Begins a log for the dataset that is there (CONFIG SET appendonly yes, or a start with a snapshot only).
    fn begin_log(&self, engine: &Engine, aof: &Aof) -> io::Result<Written> {
        let mut rewrite = aof.begin_rewrite(None)?;
        let log = Arc::new(rewrite.open_log(self.log_options(engine), engine.clock.clone())?);
        let base = aof.create_base(BaseFormat::Rdb)?;
        let base = Snapshot::begin(engine, |keys| self.switch_on(engine, keys, log.clone())).write(base, true);
        let outcome = finish(aof, rewrite, base, &log);
        if outcome.is_err() {
            self.switch_off(engine);
        }
        outcome.and_then(whole)
    }

    /// The append-only files; opened where they are not yet.
    pub(super) fn append_only_files(&self, directory: &Arc<DataDirectory>) -> io::Result<Arc<Aof>> {
        let mut known = self.aof.lock();
        if let Some(aof) = &*known {
            return Ok(aof.clone());
        }
        let aof = Arc::new(Aof::open(directory.clone()).map_err(io::Error::other)?);
        *known = Some(aof.clone());
        Ok(aof)
    }
}

fn log_failed() -> io::Error {
    io::Error::other("the log failed meanwhile")
}

/// A base alone is no success: the log behind it has failed, and another rewrite is due.
fn whole((written, is_whole): (Written, bool)) -> io::Result<Written> {
    if is_whole { Ok(written) } else { Err(log_failed()) }
}

/// Puts a base in its place that was written, and gives the rewrite up where it could not be. Returns whether the log is
/// whole, too.
fn finish(
    aof: &Aof,
    rewrite: Rewrite,
    base: io::Result<(AtomicFile, Written)>,
    log: &Log,
) -> io::Result<(Written, bool)> {
    match base {
        Ok((base, written)) => Ok((written, aof.finish_rewrite(rewrite, base, log)?)),
        Err(error) => {
            aof.abandon_rewrite(rewrite);
            Err(error)
        }
    }
}
