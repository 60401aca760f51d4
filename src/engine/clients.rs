//! The clients of an instance: what others may know of a connection, and how they reach it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use parking_lot::Mutex;

use crate::pubsub::outbox::Outbox;

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address as `CLIENT LIST` shows it.
    pub peer: String,
    /// Our own address.
    pub local: String,
    /// File descriptor, or -1.
    pub descriptor: i64,
    /// A socket of this machine's loopback, or in process.
    pub is_local: bool,
    /// Without a socket.
    pub in_process: bool,
}

impl Origin {
    /// A caller in this process.
    pub fn in_process() -> Origin {
        Origin {
            peer: "in-process:0".into(),
            local: "in-process:0".into(),
            descriptor: -1,
            is_local: true,
            in_process: true,
        }
    }
}

/// What a client called itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `CLIENT SETNAME`.
    pub name: String,
    /// `CLIENT SETINFO LIB-NAME`.
    pub library: String,
    /// `CLIENT SETINFO LIB-VER`.
    pub library_version: String,
}

/// One connection as others see it. Its own session updates the numbers after each batch; on cache lines of its own, so
/// that this slows nobody else down.
#[repr(align(64))]
pub struct Client {
    /// Never used twice.
    pub id: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// When it connected, Unix time in ms.
    pub connected_ms: u64,
    /// When it last sent a command, Unix time in ms.
    pub active_ms: AtomicU64,
    /// What it called itself.
    pub names: Mutex<Names>,
    /// Messages for it.
    pub outbox: Arc<Outbox>,
    /// Its database.
    pub database: AtomicU32,
    /// 2 or 3.
    pub protocol: AtomicU8,
    /// Channels that it is subscribed to.
    pub channels: AtomicU32,
    /// Patterns that it is subscribed to.
    pub patterns: AtomicU32,
    /// Commands queued behind MULTI; `u32::MAX` outside of it.
    pub queued: AtomicU32,
    /// Keys that it watches.
    pub watching: AtomicU32,
    /// Whether it waits for keys.
    pub blocked: AtomicBool,
    /// `CLIENT NO-EVICT`.
    pub no_evict: AtomicBool,
    /// `CLIENT NO-TOUCH`.
    pub no_touch: AtomicBool,
    /// Registry id of its last command; `u32::MAX` before the first.
    pub last_command: AtomicU32,
    /// Bytes received and not yet run.
    pub query_bytes: AtomicU64,
    /// Bytes written by it and not yet sent.
    pub output_bytes: AtomicU64,
    /// Commands run.
    pub commands: AtomicU64,
    /// Whether it may run commands.
    pub authenticated: AtomicBool,
}

impl Client {
    /// Whether it is in subscribe mode, for `CLIENT LIST TYPE` and output limits.
    pub fn is_subscriber(&self) -> bool {
        self.channels.load(Ordering::Relaxed) + self.patterns.load(Ordering::Relaxed) > 0
    }
}

/// The place of one socket among `maxclients`, free again when it is dropped.
pub struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All clients of an instance.
#[derive(Default)]
pub struct Clients {
    by_id: DashMap<u64, Arc<Client>>,
    last_id: AtomicU64,
    /// Those with a socket.
    seats: Arc<AtomicUsize>,
}

impl Clients {
    /// A place for one more socket, if fewer than `most` are taken.
    pub fn seat(&self, most: usize) -> Option<Seat> {
        let taken = self.seats.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(self.seats.clone());
        (taken < most).then_some(seat)
    }

    /// Registers a connection.
    pub fn add(&self, origin: Origin, outbox: Arc<Outbox>, now_ms: u64) -> Arc<Client> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let client = Arc::new(Client {
            id,
            origin,
            connected_ms: now_ms,
            active_ms: AtomicU64::new(now_ms),
            names: Mutex::default(),
            outbox,
            database: AtomicU32::new(0),
            protocol: AtomicU8::new(2),
            channels: AtomicU32::new(0),
            patterns: AtomicU32::new(0),
            queued: AtomicU32::new(u32::MAX),
            watching: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            no_evict: AtomicBool::new(false),
            no_touch: AtomicBool::new(false),
            last_command: AtomicU32::new(u32::MAX),
            query_bytes: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            authenticated: AtomicBool::new(false),
        });
        self.by_id.insert(id, client.clone());
        client
    }

    /// Forgets a connection.
    pub fn remove(&self, id: u64) {
        self.by_id.remove(&id);
    }

    /// A connection by its id.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.by_id.get(&id).map(|client| client.clone())
    }

    /// All connections, by id.
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.by_id.iter().map(|client| client.clone()).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    /// How many connections have a socket.
    pub fn connected(&self) -> usize {
        self.seats.load(Ordering::Relaxed)
    }

    /// Bytes that wait in the connections' buffers.
    pub fn buffer_bytes(&self) -> usize {
        let of =
            |client: &Client| client.query_bytes.load(Ordering::Relaxed) + client.output_bytes.load(Ordering::Relaxed);
        self.by_id.iter().map(|client| of(&client) as usize + client.outbox.len()).sum()
    }
}
