//! Serving connections on the host's tokio runtime: TCP listeners, and streams within the process.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;

use tokio::io::DuplexStream;
use tokio::net::TcpListener;

use super::Server;
use super::server::OpenError;
use crate::engine::clients::Origin;
use crate::protocol::error::StartupError;
use crate::server::listener::{self, Bound, Listener};
use crate::server::task::Task;
use crate::server::transport::Stream;
use crate::server::{supervisor, unix};

/// What one side of an in-memory stream writes before the other has to read, in bytes.
const DUPLEX_BYTES: usize = 64 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 511;

impl Server {
    /// A stream within the process over which any Redis client that takes a stream speaks RESP; it needs no password.
    ///
    /// # Panics
    /// Outside of a tokio runtime, on which the connection's task runs.
    pub fn duplex(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(DUPLEX_BYTES);
        let engine = self.engine().clone();
        tokio::spawn(Task::new(engine, Stream(ours), Origin::in_process(), None));
        theirs
    }

    /// Listens on an address (port 0 for any) and serves it on the calling task's runtime until the instance ends.
    /// Returns the address.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve_tcp(&self, address: SocketAddr) -> Result<SocketAddr, OpenError> {
        let refused = |source| StartupError::Bind { address: address.to_string(), source };
        let bound = listener::bind(address, BACKLOG).map_err(refused)?;
        let bound = TcpListener::from_std(bound).map_err(refused)?;
        let address = bound.local_addr().map_err(refused)?;
        self.engine().port.store(usize::from(address.port()), Ordering::Relaxed);
        tokio::spawn(self.serve(bound));
        Ok(address)
    }

    /// Serves a listener of the host; the future is to be spawned, and ends with the instance. Each connection is a task
    /// of the runtime that it runs on.
    pub fn serve(&self, listener: TcpListener) -> impl Future<Output = ()> + Send + 'static {
        self.serve_on(Listener::Tcp(listener))
    }

    /// Listens on a Unix socket and serves it on the calling task's runtime until the instance ends, when the file goes.
    ///
    /// # Errors
    /// When the path cannot be listened on.
    pub async fn serve_unix(&self, path: impl AsRef<Path>) -> Result<(), OpenError> {
        let path = path.as_ref();
        let refused = |source| StartupError::UnixSocket { path: path.to_owned(), source };
        let (bound, file) = unix::bind(path, 0, BACKLOG)?;
        let listener = Bound::Unix(bound, file).start().map_err(refused)?;
        tokio::spawn(self.serve_on(listener));
        Ok(())
    }

    fn serve_on(&self, listener: Listener) -> impl Future<Output = ()> + Send + 'static {
        let engine = self.engine().clone();
        async move {
            let stopped = supervisor::stopped(&engine);
            let place = {
                let engine = engine.clone();
                move |accepted: listener::Accepted| {
                    if let Err(error) = accepted.spawn(engine.clone()) {
                        tracing::warn!("cannot watch a connection: {error}");
                    }
                }
            };
            tokio::select! {
                () = listener::accept(listener, engine.clone(), place) => {}
                () = supervisor::watch(engine.clone()) => {}
                () = stopped.notified() => {}
            }
        }
    }
}
