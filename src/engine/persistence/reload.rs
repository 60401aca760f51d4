//! Reloading: DEBUG RELOAD and DEBUG LOADAOF put what the files hold in the place of the dataset.
//!
//! Others are told to wait, as at the start. Neither the flush nor what is loaded is logged: the files stay as they are.

use std::sync::Arc;

use super::recovery::{self, Replay, Wanted};
use super::{Job, Persistence};
use crate::engine::instance::{Engine, Hindrance};
use crate::store::effects::EffectSink;

impl Persistence {
    /// Saves a snapshot (or not), empties the dataset (or not), and loads what is wanted of the snapshot.
    ///
    /// # Errors
    /// What went wrong. The dataset is then what was loaded until there.
    pub fn reload(&self, engine: &Engine, saves: bool, flushes: bool, wanted: Wanted) -> Result<(), String> {
        self.while_loading(engine, || {
            if saves {
                if !self.try_begin(engine, Job::Save) {
                    return Err("a save or a rewrite is under way".into());
                }
                self.work(engine, Job::Save).map_err(|error| error.to_string())?;
            }
            let directory = self.directory(engine).map_err(|error| error.to_string())?;
            let (storage, path) = (directory.storage(), directory.rdb_path());
            let bytes = storage.len(&path).map_err(|error| error.to_string())?;
            let bytes = bytes.ok_or_else(|| format!("there is no {}", path.display()))?;
            let file = storage.open(&path).map_err(|error| error.to_string())?;
            if flushes {
                empty(engine);
            }
            recovery::load_rdb(engine, file, bytes, wanted)
        })
    }

    /// Empties the dataset, and runs the append-only files.
    ///
    /// # Errors
    /// As [`Persistence::reload`].
    pub fn reload_log(&self, engine: &Engine) -> Result<(), String> {
        let aof = self.aof.lock().clone();
        let (Some(aof), Some(log)) = (aof, self.log()) else { return Err("there is no append-only file".into()) };
        let truncates = engine.config.read().settings().aof_load_truncated;
        self.while_loading(engine, || {
            log.flush().map_err(|error| error.to_string())?;
            let kept = set_log(engine, None);
            empty(engine);
            let outcome = aof.load(truncates, &mut Replay::new(engine)).map(drop).map_err(|error| error.to_string());
            set_log(engine, kept);
            outcome
        })
    }

    fn while_loading(&self, engine: &Engine, act: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        if self.announce_loading(engine) {
            return Err("the dataset is being loaded already".into());
        }
        // No job begins from here on; one that began before would change the files, or what they are made of.
        let outcome =
            if self.state().running.is_some() { Err("a save or a rewrite is under way".into()) } else { act() };
        engine.hinder(Hindrance::Loading, false);
        outcome
    }
}

fn empty(engine: &Engine) {
    let mut keys = engine.keys();
    keys.enter_exclusively(engine.clock.now_ms());
    keys.flush(0..engine.keyspace.databases);
    drop(engine.functions.flush());
    engine.stats.add_tally(&keys.leave());
}

/// Changes who takes the records; returns who did.
fn set_log(engine: &Engine, log: Option<Arc<dyn EffectSink>>) -> Option<Arc<dyn EffectSink>> {
    let mut keys = engine.keys();
    keys.enter_exclusively(engine.clock.now_ms());
    let before = keys.set_log(log);
    keys.leave();
    before
}
