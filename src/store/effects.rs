//! What a command changed, in the order of execution.
//!
//! Handlers say it through [`Effects`] while the shards are still held. Who listens, a log, replicas, keyspace
//! notifications, client-side caches, is behind [`EffectSink`]; the dispatcher hands a command's effects over before it
//! lets go of the locks, so that their order is the order of execution. Without a listener nothing is collected.

use smallvec::SmallVec;

/// Class of a keyspace event, as `notify-keyspace-events` sorts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum EventClass {
    Generic,
    String,
    List,
    Set,
    Hash,
    SortedSet,
    Expired,
    Evicted,
}

/// One change of one key.
#[derive(Clone, Debug)]
pub struct Event {
    /// The event's class.
    pub class: EventClass,
    /// Its name, as keyspace notifications publish it.
    pub name: &'static str,
    /// The database of the key.
    pub database: usize,
    /// The key.
    pub key: Vec<u8>,
}

/// A command to log instead of the one that ran: (database, its arguments).
pub type Rewritten = (usize, Vec<Vec<u8>>);

/// Receives effects while the shards that they concern are held; must not block.
pub trait EffectSink: Send + Sync {
    /// One command has run. `arguments` are its own; `effects.rewritten` stand for it where they are not empty.
    fn command(&self, database: usize, arguments: &[&[u8]], effects: &Effects);
}

/// The effects of the command that runs.
#[derive(Debug, Default)]
pub struct Effects {
    /// Changes so far, as Redis counts `dirty`.
    pub dirty: u64,
    /// Those of the batch's commands before this one.
    changes: u64,
    /// Lists and sorted sets that got elements somebody may wait for: (database, key).
    pub ready: SmallVec<[(usize, Vec<u8>); 1]>,
    /// What to log instead of the command itself.
    pub rewritten: Vec<Rewritten>,
    /// Key events, collected only while somebody listens.
    pub events: Vec<Event>,
    /// Whether anybody listens.
    pub listening: bool,
}

impl Effects {
    /// Forgets everything, for the next command.
    pub fn clear(&mut self) {
        self.changes += std::mem::take(&mut self.dirty);
        self.ready.clear();
        if self.listening {
            self.rewritten.clear();
            self.events.clear();
        }
    }

    /// Changes of all commands since the last call.
    pub fn take_changes(&mut self) -> u64 {
        std::mem::take(&mut self.changes) + std::mem::take(&mut self.dirty)
    }

    /// Logs `arguments` in place of the command that runs; may be called several times.
    pub fn log_instead(&mut self, database: usize, arguments: &[&[u8]]) {
        if self.listening {
            self.rewritten.push((database, arguments.iter().map(|a| a.to_vec()).collect()));
        }
    }
}
