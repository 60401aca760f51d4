//! Saving: SAVE and BGSAVE into one file, and the rewrite of the append-only files. Both write an [`Image`].

use std::io::{self, Write};
use std::sync::Arc;

use super::image::{Image, Written};
use super::{Job, Persistence};
use crate::engine::instance::Engine;
use crate::engine::stats::Counter;
use crate::persist::aof::Aof;
use crate::persist::aof::manifest::BaseFormat;
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
        let (image, id, sizes) = Image::begin(engine, || {});
        let (mut file, written) = image.write(engine, id, &sizes, file, false)?;
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
                let (image, id, sizes) = Image::begin(engine, || has_rotated = rewrite.rotate(&log));
                let written = match has_rotated {
                    true => image.write(engine, id, &sizes, base, true),
                    false => {
                        engine.keyspace.snapshots.end(id);
                        Err(io::Error::other("the log failed meanwhile"))
                    }
                };
                match written {
                    Ok((base, written)) => match aof.finish_rewrite(rewrite, base, &log)? {
                        true => Ok(written),
                        false => Err(io::Error::other("the log failed meanwhile")),
                    },
                    Err(error) => {
                        aof.abandon_rewrite(rewrite);
                        Err(error)
                    }
                }
            }
            None => self.begin_log(engine, &aof),
        }
    }

    /// Begins a log for the dataset that is there (CONFIG SET appendonly yes, or a start with a snapshot only).
    fn begin_log(&self, engine: &Engine, aof: &Aof) -> io::Result<Written> {
        let mut rewrite = aof.begin_rewrite(None)?;
        let log = Arc::new(rewrite.open_log(self.log_options(engine), engine.clock.clone())?);
        let base = aof.create_base(BaseFormat::Rdb)?;
        let (image, id, sizes) = Image::begin(engine, || self.switch_on(engine, log.clone()));
        let written = image.write(engine, id, &sizes, base, true);
        let outcome = match written {
            Ok((base, written)) => aof.finish_rewrite(rewrite, base, &log).map(|_| written),
            Err(error) => {
                aof.abandon_rewrite(rewrite);
                Err(error)
            }
        };
        if outcome.is_err() {
            self.switch_off(engine);
        }
        outcome
    }

    fn append_only_files(&self, directory: &Arc<DataDirectory>) -> io::Result<Arc<Aof>> {
        let mut known = self.aof.lock();
        if let Some(aof) = &*known {
            return Ok(aof.clone());
        }
        let aof = Arc::new(Aof::open(directory.clone()).map_err(|error| io::Error::other(error.to_string()))?);
        *known = Some(aof.clone());
        Ok(aof)
    }
}
