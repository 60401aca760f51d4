//! Accepting connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::task::Task;
use super::transport::{Tcp, Unix};
use super::unix::SocketFile;
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
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// What is listened on, not yet on any runtime.
#[derive(Debug)]
pub enum Bound {
    /// A port.
    Tcp(std::net::TcpListener),
    /// A path, whose file goes with the listener.
    Unix(std::os::unix::net::UnixListener, SocketFile),
}

impl Bound {
    /// Puts the listener on the runtime of the calling task.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn start(self) -> io::Result<Listener> {
        Ok(match self {
            Bound::Tcp(listener) => Listener::Tcp(TcpListener::from_std(listener)?),
            Bound::Unix(listener, file) => Listener::Unix(UnixListener::from_std(listener)?, file),
        })
    }

    /// Its port, if it has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Bound::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            Bound::Unix(..) => None,
        }
    }

    /// Where it listens, as people write it.
    pub fn address(&self) -> String {
        match self {
            Bound::Tcp(listener) => listener.local_addr().map(|address| address.to_string()).unwrap_or_default(),
            Bound::Unix(_, file) => file.path().display().to_string(),
        }
    }
}

/// A listener on a runtime.
#[derive(Debug)]
pub enum Listener {
    /// On a port.
    Tcp(TcpListener),
    /// On a path.
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// The next connection, let in or told why not.
    async fn next(&self, engine: &Engine) -> io::Result<Option<Accepted>> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(admit_tcp(engine, stream, peer))
            }
            Listener::Unix(listener, file) => {
                let (stream, _) = listener.accept().await?;
                Ok(admit_unix(engine, stream, file))
            }
        }
    }
}

/// Accepts until the instance stops, and hands each connection to `place`.
pub async fn accept(listener: Listener, engine: Arc<Engine>, mut place: impl FnMut(Accepted)) {
    let mut refused_before = false;
    loop {
        match listener.next(&engine).await {
            Ok(accepted) => {
                refused_before = false;
                accepted.into_iter().for_each(&mut place);
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

/// The socket of a connection, on no runtime.
enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// A connection that was let in.
pub struct Accepted {
    socket: Socket,
    origin: Origin,
    seat: Seat,
}

impl Accepted {
    /// Runs the connection as a task of the calling task's runtime.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn spawn(self, engine: Arc<Engine>) -> io::Result<()> {
        let Accepted { socket, origin, seat } = self;
        match socket {
            Socket::Tcp(stream) => {
                let transport = Tcp::new(TcpStream::from_std(stream)?);
                tokio::spawn(Task::new(engine, transport, origin, Some(seat)));
            }
            Socket::Unix(stream) => {
                let transport = Unix::new(UnixStream::from_std(stream)?);
                tokio::spawn(Task::new(engine, transport, origin, Some(seat)));
            }
        }
        Ok(())
    }
}

/// Lets a connection in, or tells it why not.
fn admit_tcp(engine: &Engine, stream: TcpStream, peer: SocketAddr) -> Option<Accepted> {
    let is_local = is_local(peer.ip());
    let local = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let stream = prepare(engine, stream)?;
    let seat = seat_or_refuse(engine, is_local, &stream)?;
    let descriptor = stream.as_raw_fd().into();
    let origin = Origin { peer: peer.to_string(), local, descriptor, is_local, in_process: false };
    Some(Accepted { socket: Socket::Tcp(stream), origin, seat })
}

/// The same over the Unix socket: both ends are called by its path.
fn admit_unix(engine: &Engine, stream: UnixStream, file: &SocketFile) -> Option<Accepted> {
    let stream = stream.into_std().ok()?;
    let seat = seat_or_refuse(engine, true, &stream)?;
    let name = format!("{}:0", file.path().display());
    let descriptor = stream.as_raw_fd().into();
    let origin = Origin { peer: name.clone(), local: name, descriptor, is_local: true, in_process: false };
    Some(Accepted { socket: Socket::Unix(stream), origin, seat })
}

/// A seat for the connection, or none once it is told why.
fn seat_or_refuse(engine: &Engine, is_local: bool, mut stream: impl io::Write) -> Option<Seat> {
    match seat_for(engine, is_local) {
        Ok(seat) => Some(seat),
        Err(error) => {
            engine.stats.add(Counter::RejectedConnections, 1);
            // The client may be gone already.
            drop(stream.write_all(format!("-{error}\r\n").as_bytes()));
            None
        }
    }
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
