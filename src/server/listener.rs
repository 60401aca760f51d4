//! Accepting connections.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::transport::Tcp;
use crate::engine::clients::{Origin, Seat};
use crate::engine::instance::Engine;
use crate::engine::stats::Counter;
use crate::protocol::error::CommandError;

/// How long accepting rests after the system refused (out of file descriptors, mostly).
const REST: Duration = Duration::from_millis(50);

/// A listening socket, not yet on any runtime.
///
/// # Errors
/// As `bind` and `listen`.
pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Accepts until the instance stops, and hands each connection to `place`.
pub async fn accept(listener: TcpListener, engine: Arc<Engine>, mut place: impl FnMut(Accepted)) {
    let mut refused_before = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                refused_before = false;
                if let Some(accepted) = admit(&engine, stream, peer) {
                    place(accepted);
                }
            }
            Err(error) => {
                engine.stats.add(Counter::AcceptErrors, 1);
                if !refused_before {
                    tracing::warn!("cannot accept connections: {error}; trying again");
                }
                refused_before = true;
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// A connection that was let in.
pub struct Accepted {
    stream: std::net::TcpStream,
    origin: Origin,
    seat: Seat,
}

impl Accepted {
    /// Puts the connection on the runtime of the calling task.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn start(self, engine: Arc<Engine>) -> io::Result<Connection<Tcp>> {
        Ok(Connection::new(engine, Tcp::new(TcpStream::from_std(self.stream)?), self.origin, Some(self.seat)))
    }
}

/// Lets a connection in, or tells it why not.
fn admit(engine: &Engine, stream: TcpStream, peer: SocketAddr) -> Option<Accepted> {
    let is_local = peer.ip().to_canonical().is_loopback();
    let seat = if engine.is_protected() && !engine.has_password() && !is_local {
        Err(CommandError::ProtectedMode)
    } else {
        engine.clients.seat(engine.clients_max()).ok_or(CommandError::MaxClients)
    };
    let local = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let stream = prepare(engine, stream)?;
    let seat = match seat {
        Ok(seat) => seat,
        Err(error) => {
            engine.stats.add(Counter::RejectedConnections, 1);
            // The client may be gone already.
            drop((&stream).write_all(format!("-{error}\r\n").as_bytes()));
            return None;
        }
    };
    let descriptor = descriptor_of(&stream);
    let origin = Origin { peer: peer.to_string(), local, descriptor, is_local, in_process: false };
    Some(Accepted { stream, origin, seat })
}

/// Sets what is set on every socket; `None` if it is gone already.
fn prepare(engine: &Engine, stream: TcpStream) -> Option<std::net::TcpStream> {
    let stream = stream.into_std().ok()?;
    stream.set_nodelay(true).ok()?;
    let keepalive = engine.keepalive_seconds();
    if keepalive > 0 {
        let interval = Duration::from_secs((keepalive / 3).max(1));
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(keepalive)).with_interval(interval);
        // A system without these options still has connections.
        drop(SockRef::from(&stream).set_tcp_keepalive(&keepalive));
    }
    Some(stream)
}

#[cfg(unix)]
fn descriptor_of(stream: &std::net::TcpStream) -> i64 {
    use std::os::fd::AsRawFd as _;
    stream.as_raw_fd() as i64
}

#[cfg(not(unix))]
fn descriptor_of(_: &std::net::TcpStream) -> i64 {
    -1
}
