//! The clients of an instance: what others may know of a connection, and how they reach it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use dashmap::DashMap;
use parking_lot::Mutex;

use super::blocking::Waiter;
use super::script::running::Attended;
use super::tracking::Tracker;
use crate::base::config::OutputLimit;
use crate::base::gauge::{Gauge, Share};
use crate::protocol::reply::Protocol;
use crate::pubsub::outbox::{DirectWrite, Outbox};
use crate::store::keyspace::{Waiter as _, WatchFlag};

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
    /// MONITOR.
    pub monitors: AtomicBool,
    /// How it wants to be told of changes of what it has cached.
    pub tracker: Mutex<Option<Arc<Tracker>>>,
    /// Channels of shards that it is subscribed to.
    pub shard_channels: AtomicU32,
    /// Commands queued behind MULTI; `u32::MAX` outside of it.
    pub queued: AtomicU32,
    /// Keys that it watches.
    pub watching: AtomicU32,
    /// What its last command waits with, for others to look at and to end.
    pub waiter: Mutex<Weak<Waiter>>,
    /// `CLIENT NO-EVICT`.
    pub no_evict: AtomicBool,
    /// `CLIENT NO-TOUCH`.
    pub no_touch: AtomicBool,
    /// Registry id of its last command; `u32::MAX` before the first.
    pub last_command: AtomicU32,
    /// What it holds of memory.
    pub held: Held,
    /// Raised when a key that it watches has changed; gone when it watches nothing.
    pub watch_flag: Mutex<Weak<WatchFlag>>,
    /// Closed once its last replies are sent.
    pub closing: AtomicBool,
    /// It has one of the operator's seats, see [`Clients::seat`].
    pub is_reserved: AtomicBool,
    /// Commands run.
    pub commands: AtomicU64,
    /// Whether it may run commands.
    pub authenticated: AtomicBool,
    /// The connection itself, for whoever takes a turn for it.
    pub connection: OnceLock<Weak<dyn Attended>>,
}

/// Memory that a connection holds beside its own structures, shown to others when the connection comes to rest.
pub struct Held {
    /// Bytes received and not yet run.
    pub query_bytes: AtomicU64,
    /// Room of the buffer that they are in.
    pub query_room: Share,
    /// Bytes of replies that are not yet sent.
    pub output_bytes: AtomicU64,
    /// Room of the buffer that they are in.
    pub output_room: Share,
    /// The most that this room was lately.
    pub output_room_peak: AtomicU64,
    /// Since when the unsent output exceeds the soft limit, Unix time in ms; 0 while it does not.
    pub over_soft_limit_ms: AtomicU64,
    /// Commands behind MULTI.
    pub queued: Share,
    /// Keys that it watches, and names that it is subscribed to.
    pub names: Share,
}

impl Held {
    fn new(gauge: &Gauge) -> Held {
        Held {
            query_bytes: AtomicU64::new(0),
            query_room: gauge.share(),
            output_bytes: AtomicU64::new(0),
            output_room: gauge.share(),
            output_room_peak: AtomicU64::new(0),
            over_soft_limit_ms: AtomicU64::new(0),
            queued: gauge.share(),
            names: gauge.share(),
        }
    }

    /// Shows the two buffers: bytes in use and room, of what was received and of what is to be sent.
    #[inline]
    pub fn show_buffers(&self, query: (usize, usize), output: (usize, usize)) {
        self.query_bytes.store(query.0 as u64, Ordering::Relaxed);
        self.query_room.set(query.1);
        self.output_bytes.store(output.0 as u64, Ordering::Relaxed);
        self.output_room.set(output.1);
        if output.1 > 0 {
            self.output_room_peak.fetch_max(output.1 as u64, Ordering::Relaxed);
        }
    }
}

impl Client {
    /// Bytes of memory that the connection takes, messages for it included.
    pub fn memory_bytes(&self) -> usize {
        let held = &self.held;
        let buffers = held.query_room.get() + held.output_room.get() + self.outbox.len();
        CONNECTION_BYTES + buffers + held.queued.get() + held.names.get()
    }

    /// Bytes that wait to be sent.
    pub fn unsent_bytes(&self) -> u64 {
        self.held.output_bytes.load(Ordering::Relaxed) + self.outbox.len() as u64
    }

    /// What its last command waits with, as long as nobody has served it.
    pub fn waiting(&self) -> Option<Arc<Waiter>> {
        self.waiter.lock().upgrade().filter(|waiter| !waiter.is_settled())
    }

    /// Whether its last command waits.
    pub fn is_blocked(&self) -> bool {
        self.waiting().is_some()
    }

    /// What it reads.
    pub fn protocol(&self) -> Protocol {
        if self.protocol.load(Ordering::Relaxed) == 3 { Protocol::Resp3 } else { Protocol::Resp2 }
    }

    /// Whether it is in subscribe mode, for `CLIENT LIST TYPE` and output limits.
    pub fn is_subscriber(&self) -> bool {
        [&self.channels, &self.patterns, &self.shard_channels].iter().any(|count| count.load(Ordering::Relaxed) > 0)
    }
}

/// The place of one socket, free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    taken: Arc<AtomicUsize>,
    /// Beyond `maxclients`: one of those that are kept for the operator.
    pub is_reserved: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that a connection takes while it is idle: its entry here, its task, session and parser.
pub const CONNECTION_BYTES: usize = 1536;

/// All clients of an instance.
#[derive(Default)]
pub struct Clients {
    by_id: DashMap<u64, Arc<Client>>,
    last_id: AtomicU64,
    /// Those with a socket.
    seats: Arc<AtomicUsize>,
    /// Bytes of all connections' buffers, transactions and messages.
    buffers: Gauge,
}

impl Clients {
    /// A place for one more socket: one of `most`, or one of `reserved` beyond them.
    pub fn seat(&self, most: usize, reserved: usize) -> Option<Seat> {
        let taken = self.seats.fetch_add(1, Ordering::Relaxed);
        let seat = Seat { taken: self.seats.clone(), is_reserved: taken >= most };
        (taken < most.saturating_add(reserved)).then_some(seat)
    }

    /// Registers a connection. `writer` is for sockets that other threads may write to, `limit` for messages that wait.
    pub fn add(
        &self,
        origin: Origin,
        writer: Option<Arc<dyn DirectWrite>>,
        limit: OutputLimit,
        now_ms: u64,
    ) -> Arc<Client> {
        let outbox = Arc::new(Outbox::new(writer, limit, self.buffers.share()));
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
            shard_channels: AtomicU32::new(0),
            monitors: AtomicBool::new(false),
            tracker: Mutex::default(),
            queued: AtomicU32::new(u32::MAX),
            watching: AtomicU32::new(0),
            waiter: Mutex::default(),
            no_evict: AtomicBool::new(false),
            no_touch: AtomicBool::new(false),
            last_command: AtomicU32::new(u32::MAX),
            held: Held::new(&self.buffers),
            watch_flag: Mutex::default(),
            closing: AtomicBool::new(false),
            is_reserved: AtomicBool::new(false),
            commands: AtomicU64::new(0),
            authenticated: AtomicBool::new(false),
            connection: OnceLock::new(),
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

    /// Bytes of the connections' own structures.
    pub fn connection_bytes(&self) -> usize {
        self.connected() * CONNECTION_BYTES
    }

    /// Bytes that wait in the connections' buffers, behind MULTI and as messages.
    #[inline]
    pub fn buffer_bytes(&self) -> usize {
        self.buffers.sum()
    }
}
