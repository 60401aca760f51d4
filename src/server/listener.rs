//! Accepting connections.

use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
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
    let is_local = is_local(peer.ip());
    let seat = seat_for(engine, is_local);
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

/// Whether a peer is on this machine.
fn is_local(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}

/// The seat of a connection that comes in.
///
/// # Errors
/// Why there is none. The seats beyond `maxclients` are for connections from this machine.
fn seat_for(engine: &Engine, is_local: bool) -> Result<Seat, CommandError> {
    if engine.is_protected() && !engine.has_password() && !is_local {
        return Err(CommandError::ProtectedMode);
    }
    let reserved = if is_local { engine.operator_clients() } else { 0 };
    engine.clients.seat(engine.clients_max(), reserved).ok_or(CommandError::MaxClients)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::base::config::Config;

    /// Why a peer is not let in, if it is not.
    fn refusal(settings: &[&str], peer: &str) -> Option<String> {
        let mut config = Config::new();
        config.load_arguments(settings).expect("settings");
        let engine = Engine::new(config, Clock::manual(0)).expect("an instance");
        let peer: IpAddr = peer.parse().expect("an address");
        seat_for(&engine, is_local(peer)).err().map(|error| error.to_string())
    }

    #[test]
    fn without_a_password_only_this_machine_is_let_in() {
        for peer in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(refusal(&[], peer), None, "{peer}");
        }
        for peer in ["192.0.2.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1", "::"] {
            let refused = refusal(&[], peer).unwrap_or_default();
            assert!(refused.starts_with("DENIED "), "{peer}: {refused:?}");
            assert_eq!(refusal(&["--requirepass", "secret"], peer), None, "{peer}");
            assert_eq!(refusal(&["--protected-mode", "no"], peer), None, "{peer}");
        }
    }

    #[test]
    fn the_operators_seats_are_for_this_machine() {
        let mut config = Config::new();
        config.load_arguments(&["--maxclients", "2", "--operator-clients", "1"]).expect("settings");
        let engine = Engine::new(config, Clock::manual(0)).expect("an instance");
        let seats: Vec<Seat> = (0..2).map(|_| seat_for(&engine, true).expect("a seat")).collect();
        assert!(seats.iter().all(|seat| !seat.is_reserved));
        engine.network.protected.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(seat_for(&engine, false).is_err(), "a stranger is one too many");
        let operator = seat_for(&engine, true).expect("a seat for the operator");
        assert!(operator.is_reserved);
        assert!(seat_for(&engine, true).is_err(), "there is one only");
        drop((seats, operator));
        assert!(!seat_for(&engine, false).expect("room again").is_reserved);
        assert_eq!(engine.clients.connected(), 0, "a refused connection takes no seat");
    }
}
