//! The settings of an instance before it opens.

use std::path::Path;
use std::time::Duration;

use super::Server;
use super::server::OpenError;
use crate::base::clock::Clock;
use crate::base::config::{Config, EvictionPolicy, Fsync};
use crate::engine::instance::Engine;
use crate::protocol::error::StartupError;

/// Collects settings; made by [`Server::builder`]. Nothing is checked before [`Builder::open`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    directives: Vec<(String, Vec<u8>)>,
    manual_start_ms: Option<u64>,
}

impl Builder {
    /// Number of databases, 16 unless said.
    pub fn databases(self, count: usize) -> Self {
        self.config("databases", count.to_string())
    }

    /// Most memory for keys and values, in bytes; 0 for no limit.
    pub fn maxmemory(self, bytes: u64) -> Self {
        self.config("maxmemory", bytes.to_string())
    }

    /// Which keys make room when that is reached.
    pub fn maxmemory_policy(self, policy: EvictionPolicy) -> Self {
        self.config("maxmemory-policy", policy_name(policy))
    }

    /// Patterns of keys that are never evicted, such as `lock:*`.
    pub fn pinned_keys<P: AsRef<str>>(self, patterns: impl IntoIterator<Item = P>) -> Self {
        let patterns: Vec<String> = patterns.into_iter().map(|pattern| pattern.as_ref().to_string()).collect();
        self.config("pinned-key-patterns", patterns.join(" "))
    }

    /// The password that connections have to give; callers in process need none.
    pub fn requirepass(self, password: impl AsRef<[u8]>) -> Self {
        self.config("requirepass", password)
    }

    /// Keeps the data in this directory, which exists; one instance at a time may have it open. What was written is there
    /// again when the directory is opened after the [`Server`] was dropped. Without [`Builder::append_only`], what was
    /// written since the last snapshot is lost with the process; see [`Builder::save_points`].
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("pipkin-dir-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// let server = pipkin::Server::builder().dir(&dir).append_only(true).open()?;
    /// server.client().set("greeting", "hello")?;
    /// drop(server);
    /// let server = pipkin::Server::builder().dir(&dir).append_only(true).open()?;
    /// assert!(server.client().exists("greeting")?);
    /// # drop(server);
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dir(self, path: impl AsRef<Path>) -> Self {
        self.config("dir", path.as_ref().as_os_str().as_encoded_bytes())
    }

    /// Whether every write goes to an append-only file; without [`Builder::dir`], in the working directory.
    pub fn append_only(self, on: bool) -> Self {
        self.config("appendonly", if on { "yes" } else { "no" })
    }

    /// When that file is synced, once a second unless said. Calls in process return before in any case: see
    /// [`super::Client::commit_token`]. Connections get their replies after the sync with [`Fsync::Always`].
    pub fn append_fsync(self, policy: Fsync) -> Self {
        let word = match policy {
            Fsync::Always => "always",
            Fsync::EverySecond => "everysec",
            Fsync::No => "no",
        };
        self.config("appendfsync", word)
    }

    /// A snapshot is saved when so many keys changed within so many seconds, and at the end. None: no snapshots.
    pub fn save_points(self, points: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let points: Vec<String> = points.into_iter().map(|(seconds, changes)| format!("{seconds} {changes}")).collect();
        self.config("save", points.join(" "))
    }

    /// Opens the directory even where the data are gone that it had: a choice to be made once, and not by default.
    pub fn start_empty(self, on: bool) -> Self {
        self.config("start-empty", if on { "yes" } else { "no" })
    }

    /// Any directive of redis.conf; of one that is given twice the last counts.
    pub fn config(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.directives.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Time stands still at `since_epoch` (Unix time) until [`Clock::advance`] moves it.
    pub fn manual_clock(mut self, since_epoch: Duration) -> Self {
        self.manual_start_ms = Some(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Starts the instance.
    ///
    /// # Errors
    /// A setting that is not known or refused; a thread that cannot be started; [`OpenError::Data`] where the data
    /// directory is missing, in use by another instance, or damaged. Each says what to do about it.
    pub fn open(self) -> Result<Server, OpenError> {
        let mut config = Config::new();
        for (name, value) in self.directives {
            let option = [b"--", name.as_bytes()].concat();
            config
                .load_arguments(&[option, value])
                .map_err(|refused| StartupError::Option { name, reason: refused.reason })?;
        }
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let clock = self.manual_start_ms.map_or_else(Clock::system, Clock::manual);
        let refused = |source| StartupError::Thread { what: "the instance", source };
        Server::start(Engine::new(config, clock).map_err(refused)?)
    }
}

fn policy_name(policy: EvictionPolicy) -> &'static str {
    match policy {
        EvictionPolicy::VolatileLru => "volatile-lru",
        EvictionPolicy::VolatileLfu => "volatile-lfu",
        EvictionPolicy::VolatileRandom => "volatile-random",
        EvictionPolicy::VolatileTtl => "volatile-ttl",
        EvictionPolicy::AllkeysLru => "allkeys-lru",
        EvictionPolicy::AllkeysLfu => "allkeys-lfu",
        EvictionPolicy::AllkeysRandom => "allkeys-random",
        EvictionPolicy::NoEviction => "noeviction",
    }
}
