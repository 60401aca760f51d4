//! Frees big values on a thread of their own, so that `DEL` of a million members delays nobody.

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
}

/// The thread that frees, and the way to it. Dropping it waits until everything is freed.
pub struct Reclaimer {
    sender: Option<Sender<Garbage>>,
    thread: Option<JoinHandle<()>>,
    freed: AtomicU64,
}

impl Reclaimer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses another thread.
    pub fn start() -> std::io::Result<Reclaimer> {
        // Unbounded in count, but everything in it was already in memory: nothing grows by waiting here.
        let (sender, receiver) = unbounded();
        let thread = std::thread::Builder::new().name("pipkin-reclaim".into()).spawn(move || {
            for garbage in receiver {
                match garbage {
                    Garbage::Record(record) => drop(record),
                    Garbage::Database(database) => drop(database),
                }
            }
        })?;
        Ok(Reclaimer { sender: Some(sender), thread: Some(thread), freed: AtomicU64::new(0) })
    }

    /// Frees it soon, elsewhere.
    pub fn free(&self, garbage: Garbage) {
        self.freed.fetch_add(1, Ordering::Relaxed);
        if let Some(sender) = &self.sender {
            // A send fails only after the thread died; then the garbage is freed here, with the error that holds it.
            drop(sender.send(garbage));
        }
    }

    /// How much was handed over so far.
    pub fn freed(&self) -> u64 {
        self.freed.load(Ordering::Relaxed)
    }

    /// How much waits to be freed.
    pub fn pending(&self) -> usize {
        self.sender.as_ref().map_or(0, Sender::len)
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
