//! Frees big values on a thread of their own, so that `DEL` of a million members delays nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam::channel::{Sender, unbounded};

use super::keyspace::Database;
use super::record::Record;

/// What may take long to free.
pub enum Garbage {
    /// One key's value.
    Record(Record),
    /// A whole database.
    Database(Box<Database>),
    /// Something else, which is no key's.
    Other(Box<dyn Send>),
}

impl Garbage {
    /// How many keys' values it is.
    fn objects(&self) -> u64 {
        match self {
            Garbage::Record(_) => 1,
            Garbage::Database(database) => database.table.len() as u64,
            Garbage::Other(_) => 0,
        }
    }
}

/// The thread that frees, and the way to it. Dropping it waits until everything is freed.
pub struct Reclaimer {
    sender: Option<Sender<Garbage>>,
    thread: Option<JoinHandle<()>>,
    /// Values that were handed over since the start.
    taken: AtomicU64,
    /// Values that were freed since the start.
    freed: Arc<AtomicU64>,
    /// Of these, what statistics do not tell any more.
    forgotten: AtomicU64,
}

impl Reclaimer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses another thread.
    pub fn start() -> std::io::Result<Reclaimer> {
        // Unbounded in count, but everything in it was already in memory: nothing grows by waiting here.
        let (sender, receiver) = unbounded::<Garbage>();
        let freed = Arc::new(AtomicU64::new(0));
        let done = freed.clone();
        let thread = std::thread::Builder::new().name("pipkin-reclaim".into()).spawn(move || {
            for garbage in receiver {
                let objects = garbage.objects();
                drop(garbage);
                done.fetch_add(objects, Ordering::Release);
            }
        })?;
        let (taken, forgotten) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Reclaimer { sender: Some(sender), thread: Some(thread), taken, freed, forgotten })
    }

    /// Frees it soon, elsewhere.
    pub fn free(&self, garbage: Garbage) {
        self.taken.fetch_add(garbage.objects(), Ordering::Relaxed);
        if let Some(sender) = &self.sender {
            // A send fails only after the thread died; then the garbage is freed here, with the error that holds it.
            drop(sender.send(garbage));
        }
    }

    /// Values that were freed, as statistics tell it.
    pub fn freed(&self) -> u64 {
        self.freed.load(Ordering::Acquire) - self.forgotten.load(Ordering::Relaxed)
    }

    /// Values that are not freed yet.
    pub fn pending(&self) -> u64 {
        // In this order, so that there are never more freed than taken.
        let freed = self.freed.load(Ordering::Acquire);
        self.taken.load(Ordering::Relaxed) - freed
    }

    /// Statistics begin anew.
    pub fn reset(&self) {
        self.forgotten.store(self.freed.load(Ordering::Acquire), Ordering::Relaxed);
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A panic while freeing has been reported by the thread itself.
            drop(thread.join());
        }
    }
}
