//! The binary's workers: one thread with one current-thread runtime each, connections pinned to theirs.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};

use super::listener::{self, Bound};
use super::{round, supervisor};
use crate::engine::instance::Engine;
use crate::protocol::error::StartupError;

/// Listeners and workers of one instance; [`Workers::join`] returns when the instance stops.
pub struct Workers {
    handles: Vec<JoinHandle<()>>,
}

fn thread_error(what: &'static str) -> impl Fn(io::Error) -> StartupError {
    move |source| StartupError::Thread { what, source }
}

/// Starts `count` workers and a thread that accepts from `listeners`, and waits until all of them are at work.
///
/// # Errors
/// When the operating system refuses a thread or a runtime.
pub fn start(engine: &Arc<Engine>, listeners: Vec<Bound>, count: usize) -> Result<Workers, StartupError> {
    let mut handles = Vec::new();
    let mut places = Vec::new();
    let (ready, all_ready) = channel();
    for number in 0..count.max(1) {
        let runtime = Builder::new_current_thread().enable_io().build().map_err(thread_error("a worker's runtime"))?;
        places.push(runtime.handle().clone());
        let engine = engine.clone();
        let thread = std::thread::Builder::new().name(format!("pipkin-worker-{number}"));
        let ready = ready.clone();
        let work = move || runtime.block_on(work(engine, ready));
        handles.push(thread.spawn(work).map_err(thread_error("a worker"))?);
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(thread_error("the listener's runtime"))?;
    let thread = std::thread::Builder::new().name("pipkin-accept".into());
    let engine = engine.clone();
    let accept = move || runtime.block_on(accept(engine, listeners, places, ready));
    handles.push(thread.spawn(accept).map_err(thread_error("the listener"))?);
    // Ends when every thread has let go of its sender.
    all_ready.iter().for_each(drop);
    Ok(Workers { handles })
}

/// One worker: runs the connections that are spawned on it until the instance stops.
async fn work(engine: Arc<Engine>, ready: Sender<()>) {
    let stopped = supervisor::stopped(&engine);
    tokio::spawn(round::deliver(engine.clone()));
    tokio::task::yield_now().await;
    drop(ready);
    stopped.notified().await;
}

/// Accepts from all listeners, and spawns the connections on the workers in turn: they are known from then on, even where
/// a worker does not come to them.
async fn accept(engine: Arc<Engine>, listeners: Vec<Bound>, places: Vec<Handle>, ready: Sender<()>) {
    let stopped = supervisor::stopped(&engine);
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for listener in listeners {
        let listener = match listener.start() {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!("cannot watch a listener: {error}");
                continue;
            }
        };
        let (places, next) = (places.clone(), next.clone());
        let of_engine = engine.clone();
        tokio::spawn(listener::accept(listener, engine.clone(), move |accepted| {
            let turn = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let _on_worker = places[turn % places.len()].enter();
            if let Err(error) = accepted.spawn(of_engine.clone()) {
                tracing::warn!("cannot watch a connection: {error}");
            }
        }));
    }
    tokio::spawn(supervisor::watch(engine.clone()));
    tokio::task::yield_now().await;
    drop(ready);
    // When this returns the runtime drops the listeners.
    stopped.notified().await;
}

impl Workers {
    /// Waits until the instance has stopped and every worker has ended.
    pub fn join(self) {
        for handle in self.handles {
            // A worker that panicked has reported it.
            drop(handle.join());
        }
    }
}
