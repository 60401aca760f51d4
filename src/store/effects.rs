//! What a command changed, in the order of execution.
//!
//! Handlers say it through [`Effects`] while the shards are still held. Who listens, a log, replicas, keyspace
//! notifications, client-side caches, is behind [`EffectSink`]; the dispatcher hands over what a step changed
//! ([`super::keys::Keys::commit`]) before it lets go of the locks, so that the order of what is handed over is the order of
//! execution. Without a listener nothing is collected.
//!
//! A step is a command with all that follows from it: the removal of keys that it met expired, the commands of a
//! transaction, those of clients that waited for what it brought. Its records are applied together or not at all.

use std::cell::Cell;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::config::KeyspaceEvents;
use crate::protocol::command;
use crate::pubsub::outbox::Outbox;

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
    Stream,
    Expired,
    Evicted,
    New,
    Missed,
}

impl EventClass {
    /// The class as the configuration selects it.
    const fn selected_by(self) -> KeyspaceEvents {
        match self {
            EventClass::Generic => KeyspaceEvents::GENERIC,
            EventClass::String => KeyspaceEvents::STRING,
            EventClass::List => KeyspaceEvents::LIST,
            EventClass::Set => KeyspaceEvents::SET,
            EventClass::Hash => KeyspaceEvents::HASH,
            EventClass::SortedSet => KeyspaceEvents::SORTED_SET,
            EventClass::Stream => KeyspaceEvents::STREAM,
            EventClass::Expired => KeyspaceEvents::EXPIRED,
            EventClass::Evicted => KeyspaceEvents::EVICTED,
            EventClass::New => KeyspaceEvents::NEW,
            EventClass::Missed => KeyspaceEvents::MISSED,
        }
    }
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

/// Commands that bring another keyspace from the state before to the state now, encoded and in order.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// For each command its database, and where it ends in `bytes`.
    parts: Vec<(usize, usize)>,
}

/// What stays allocated for the next command's records, in bytes.
const RECORD_BYTES_KEPT: usize = 64 << 10;

impl Records {
    /// Appends a command, its name first.
    #[inline]
    pub fn push<'a>(&mut self, database: usize, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        command::header_of_command(&mut self.bytes, arguments.len());
        arguments.for_each(|argument| command::bulk(&mut self.bytes, argument));
        self.parts.push((database, self.bytes.len()));
    }

    /// Appends a command that `write` writes.
    #[inline]
    pub fn push_encoded(&mut self, database: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.parts.push((database, self.bytes.len()));
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Each command's database and its bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, &[u8])> {
        self.parts.iter().enumerate().map(|(index, &(database, end))| {
            let begin = if index == 0 { 0 } else { self.parts[index - 1].1 };
            (database, &self.bytes[begin..end])
        })
    }

    fn clear(&mut self) {
        self.parts.clear();
        self.bytes.clear();
        self.bytes.shrink_to(RECORD_BYTES_KEPT);
    }
}

thread_local! {
    /// Empty ones, used again from batch to batch for what they have allocated.
    static RECORDS: Cell<Records> = Cell::default();
}

/// Receives effects while the shards that they concern are held, so that it hears of them in order; must not block.
pub trait EffectSink: Send + Sync {
    /// What one step changed: records, at least one, to be applied all or none. Returns the log's position behind them.
    fn append(&self, records: &Records) -> u64;
}

/// What happened in one step, as far as somebody wants to hear of it.
pub struct Happened<'a> {
    /// Key events.
    pub events: &'a [Event],
    /// Keys that changed; one that did so twice may come twice.
    pub changed: &'a [Vec<u8>],
    /// Keys that expired or were evicted.
    pub lost: &'a [Vec<u8>],
    /// A whole database was emptied.
    pub is_flushed: bool,
    /// The client whose command it was; 0 for nobody's.
    pub by: u64,
}

/// Hears of what happens while the shards concerned are held, so that it hears of it in order; must not block.
pub trait Observer: Send + Sync {
    /// What happened in one step. Outboxes that get messages are added to `touched`, to be flushed later.
    fn observe(&self, happened: &Happened<'_>, touched: &mut Vec<Arc<Outbox>>);
}

/// The effects of the command that runs.
#[derive(Debug, Default)]
pub struct Effects {
    /// Changes so far, as Redis counts `dirty`.
    pub dirty: u64,
    /// Those of the batch's commands before this one.
    changes: u64,
    /// Keys that changed while somebody waited for them: (database, key).
    pub ready: SmallVec<[(usize, Vec<u8>); 1]>,
    /// Keys that expired or were evicted while somebody waited for them, since this was looked at last.
    pub gone: Vec<(usize, Vec<u8>)>,
    /// What to log, of all commands since the last [`super::keys::Keys::commit`].
    records: Records,
    /// The running command has said itself what to log in its place.
    replaced: bool,
    /// Key events of the classes that are wanted.
    events: Vec<Event>,
    /// Whether there is a log.
    pub logging: bool,
    /// The events that somebody wants to hear of.
    pub wanted: KeyspaceEvents,
    /// Whether somebody wants to hear of every change of a key.
    pub tracking: bool,
    /// Keys that the running client changed, collected only then.
    changed: Vec<Vec<u8>>,
    /// Keys that went by themselves.
    lost: Vec<Vec<u8>>,
    is_flushed: bool,
    /// The client whose commands run; 0 for nobody's.
    pub by: u64,
    /// Who got messages because of events: to be flushed when the batch has ended.
    pub touched: Vec<Arc<Outbox>>,
}

impl Effects {
    /// Another command begins.
    #[inline]
    pub fn begin(&mut self) {
        self.changes += std::mem::take(&mut self.dirty);
        self.replaced = false;
        if !self.ready.is_empty() {
            self.ready.clear();
        }
    }

    /// A command of a transaction begins; returns the changes of those before, to be added when it has run.
    pub fn begin_queued(&mut self) -> u64 {
        self.replaced = false;
        std::mem::take(&mut self.dirty)
    }

    /// Changes of all commands since the last call.
    pub fn take_changes(&mut self) -> u64 {
        std::mem::take(&mut self.changes) + std::mem::take(&mut self.dirty)
    }

    /// Logs `arguments` in place of the command that runs; may be called several times.
    pub fn log_instead(&mut self, database: usize, arguments: &[&[u8]]) {
        self.replaced = true;
        self.log_also(database, arguments);
    }

    /// Logs `arguments` beside the command that runs, before it.
    pub fn log_also(&mut self, database: usize, arguments: &[&[u8]]) {
        if self.logging {
            self.records.push(database, arguments.iter().copied());
        }
    }

    /// The running command is not to be logged: those that it ran have been.
    pub fn log_nothing(&mut self) {
        self.replaced = true;
    }

    /// The command has run: it is logged itself, as `write` writes it, if it changed anything and said nothing else.
    #[inline]
    pub fn conclude(&mut self, database: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.logging && self.dirty > 0 && !self.replaced {
            self.records.push_encoded(database, write);
        }
    }

    /// A batch begins; there is a log or not.
    #[inline]
    pub fn open(&mut self, logging: bool) {
        self.logging = logging;
        if logging && self.records.bytes.capacity() == 0 {
            self.records = RECORDS.take();
        }
    }

    /// A batch has ended, and everything was handed over.
    #[inline]
    pub fn close(&mut self) {
        if self.records.bytes.capacity() > 0 {
            RECORDS.set(std::mem::take(&mut self.records));
        }
    }

    /// Notes that a key changed, if somebody wants to hear of it.
    #[inline]
    pub fn change(&mut self, key: &[u8]) {
        if self.tracking {
            self.changed.push(key.to_vec());
        }
    }

    /// Notes that a key expired or was evicted: whoever's command that was for, it is nobody's change.
    #[inline]
    pub fn lose(&mut self, key: &[u8]) {
        if self.tracking {
            self.lost.push(key.to_vec());
        }
    }

    /// Notes that a database was emptied, if somebody wants to hear of it.
    pub fn flush(&mut self) {
        self.is_flushed = self.tracking;
    }

    /// Notes a key event, if somebody wants to hear of it.
    #[inline]
    pub fn event(&mut self, class: EventClass, name: &'static str, database: usize, key: &[u8]) {
        if self.wanted != KeyspaceEvents::NONE && self.wanted.has(class.selected_by()) {
            self.events.push(Event { class, name, database, key: key.to_vec() });
        }
    }

    /// Whether there is something to hand over.
    #[inline]
    pub fn is_pending(&self) -> bool {
        let has_happened = !self.events.is_empty() || self.tracking && self.has_changes();
        !self.records.is_empty() || has_happened
    }

    fn has_changes(&self) -> bool {
        self.is_flushed || !self.changed.is_empty() || !self.lost.is_empty()
    }

    /// What is to be logged.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Tells who observes what happened.
    pub fn tell(&mut self, observer: &dyn Observer) {
        let Effects { events, changed, lost, is_flushed, by, touched, .. } = self;
        observer.observe(&Happened { events, changed, lost, is_flushed: *is_flushed, by: *by }, touched);
    }

    /// Tells who observes which keys changed so far: what is read from now on is as it is now.
    pub fn tell_changes(&mut self, observer: &dyn Observer) {
        if self.has_changes() {
            let events = std::mem::take(&mut self.events);
            self.tell(observer);
            self.events = events;
            self.forget_changes();
        }
    }

    fn forget_changes(&mut self) {
        self.changed.clear();
        self.lost.clear();
        self.is_flushed = false;
    }

    /// It was.
    pub fn settle(&mut self) {
        self.records.clear();
        self.events.clear();
        self.forget_changes();
    }
}
