//! `Server`: one instance in this process.

use std::sync::Arc;

use super::client::Direct;
use super::flight::Flights;
use super::{Builder, Client, Lag, Result, Subscription};
use crate::base::clock::Clock;
use crate::engine::instance::{Engine, Threads};
use crate::engine::stats::Counter;
use crate::protocol::error::StartupError;

/// Why an instance does not open.
pub type OpenError = StartupError;

/// One instance. Several may live in one process; none has statics, handles signals or changes directories.
///
/// Dropping it ends it: clients and connections are closed, those who wait are told, its threads are joined. Clients
/// that still exist keep its memory, and get [`super::Error::Closed`]. With a data directory nothing is lost: a last
/// snapshot is saved where there are save points, and the append-only file is synced.
pub struct Server {
    shared: Arc<Shared>,
    /// Dropped last: joins the threads.
    threads: Option<Threads>,
}

/// What an instance and its clients share.
pub(super) struct Shared {
    pub engine: Arc<Engine>,
    pub direct: Direct,
    pub flights: Flights,
}

/// Figures of an instance; `INFO` tells more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerStats {
    /// Keys in all databases.
    pub keys: usize,
    /// Bytes in use by keys, values and buffers.
    pub used_memory_bytes: usize,
    /// Commands that ran.
    pub commands: u64,
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys whose time was over.
    pub expired: u64,
    /// Keys that made room.
    pub evicted: u64,
    /// Callers: connections and clients in process.
    pub clients: usize,
}

impl Server {
    /// Settings to begin with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An instance with default settings.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn open() -> Result<Server, OpenError> {
        Builder::default().open()
    }

    pub(super) fn start(engine: Arc<Engine>) -> Result<Server, OpenError> {
        let refused = |what| move |source| StartupError::Thread { what, source };
        if engine.config.read().settings().is_durable {
            engine.persistence.announce_loading(&engine);
        }
        let threads = engine.start_threads().map_err(refused("the instance's threads"))?;
        if engine.config.read().settings().is_durable {
            engine.persistence.recover(&engine).map_err(StartupError::Data)?;
        }
        let shared = Shared { engine, direct: Direct::new(), flights: Flights::default() };
        Ok(Server { shared: Arc::new(shared), threads: Some(threads) })
    }

    /// A new caller; cheap, one for each thread or task.
    pub fn client(&self) -> Client {
        Client::new(self.shared.clone())
    }

    /// Subscribes to channels and patterns; see [`Subscription`]. When it falls behind the instance's
    /// `client-output-buffer-limit pubsub`, `lag` says what happens.
    ///
    /// # Errors
    /// [`super::Error::Closed`] when the instance is shut down.
    pub fn subscribe<C: AsRef<[u8]>, P: AsRef<[u8]>>(
        &self,
        channels: impl IntoIterator<Item = C>,
        patterns: impl IntoIterator<Item = P>,
        lag: Lag,
    ) -> Result<Subscription> {
        let mut subscription = Subscription::new(self.shared.clone(), lag);
        subscription.subscribe(channels)?;
        subscription.subscribe_patterns(patterns)?;
        Ok(subscription)
    }

    /// The instance's time; a manual clock is moved with [`Clock::advance`], which returns when everything that was due
    /// has happened.
    pub fn clock(&self) -> &Clock {
        &self.shared.engine.clock
    }

    /// Figures of this moment.
    pub fn stats(&self) -> ServerStats {
        let engine = &self.shared.engine;
        let mut keys = 0;
        let mut walk = engine.keys();
        walk.enter(engine.clock.now_ms());
        walk.each_shard(|shard| {
            let parts = (0..shard.database_count()).filter_map(|number| shard.database(number));
            keys += parts.map(|part| part.table.len()).sum::<usize>();
        });
        walk.leave();
        ServerStats {
            keys,
            used_memory_bytes: engine.used_memory(),
            commands: engine.stats.commands_processed(),
            hits: engine.stats.get(Counter::Hits),
            misses: engine.stats.get(Counter::Misses),
            expired: engine.stats.get(Counter::Expired),
            evicted: engine.stats.get(Counter::Evicted),
            clients: engine.clients.all().len(),
        }
    }

    /// The instance itself, for what has no method here.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.shared.engine
    }

    /// Ends the instance; the same as dropping it.
    pub fn shutdown(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        // Listeners end first, so that nobody comes in behind those who are closed.
        self.shared.engine.stop();
        for client in self.shared.engine.clients.all() {
            client.outbox.close();
        }
        // Its threads have ended when the last snapshot is taken.
        drop(self.threads.take());
        self.shared.engine.persist_at_end();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("stats", &self.stats()).finish()
    }
}
