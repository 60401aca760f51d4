//! The binary's workers: one thread with one current-thread runtime each, connections pinned to theirs.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::listener::{self, Accepted, Bound};
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
        let (sender, receiver) = unbounded_channel();
        places.push(sender);
        let runtime = Builder::new_current_thread().enable_io().build().map_err(thread_error("a worker's runtime"))?;
        let engine = engine.clone();
        let thread = std::thread::Builder::new().name(format!("pipkin-worker-{number}"));
        let ready = ready.clone();
        let work = move || runtime.block_on(work(engine, receiver, ready));
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

/// One worker: runs the connections that it is handed until the instance stops.
async fn work(engine: Arc<Engine>, mut receiver: UnboundedReceiver<Accepted>, ready: Sender<()>) {
    tokio::spawn(round::deliver(engine.clone()));
    tokio::task::yield_now().await;
    drop(ready);
    while let Some(accepted) = receiver.recv().await {
        if let Err(error) = accepted.spawn(engine.clone()) {
            tracing::warn!("cannot watch a connection: {error}");
        }
    }
}

/// Accepts from all listeners, and hands the connections out in turn.
async fn accept(engine: Arc<Engine>, listeners: Vec<Bound>, places: Vec<UnboundedSender<Accepted>>, ready: Sender<()>) {
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
        tokio::spawn(listener::accept(listener, engine.clone(), move |accepted| {
            let turn = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // A worker is gone only when the instance stops.
            drop(places[turn % places.len()].send(accepted));
        }));
    }
    tokio::spawn(supervisor::watch(engine.clone()));
    drop(places);
    tokio::task::yield_now().await;
    drop(ready);
    // When this returns the runtime drops the listeners, and with them the workers' queues.
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
