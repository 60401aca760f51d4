//! The line that CLIENT LIST and CLIENT INFO show of a connection, with Redis 7.2's fields in its order.

use std::sync::atomic::Ordering::Relaxed;

use crate::engine::clients::Client;
use crate::engine::registry::REGISTRY;
use crate::engine::tracking::Tracker;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::request::Request;

/// The types by which connections are listed and killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Neither of the others.
    Normal,
    /// The one that we replicate from.
    Master,
    /// One that replicates from us.
    Replica,
    /// Subscribed to something.
    PubSub,
}

impl Kind {
    /// The type of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(name: &[u8]) -> CommandResult<Kind> {
        const NAMES: [(&str, Kind); 5] = [
            ("normal", Kind::Normal),
            ("slave", Kind::Replica),
            ("replica", Kind::Replica),
            ("pubsub", Kind::PubSub),
            ("master", Kind::Master),
        ];
        let found = NAMES.iter().find(|(text, _)| name.eq_ignore_ascii_case(text.as_bytes()));
        found.map(|(_, kind)| *kind).ok_or_else(|| CommandError::unknown_client_type(name))
    }

    /// The type of a connection.
    pub fn of(client: &Client) -> Kind {
        if client.is_subscriber() { Kind::PubSub } else { Kind::Normal }
    }
}

/// The letters of a connection's state, `N` for none.
fn flags(client: &Client, tracker: Option<&Tracker>) -> String {
    let states = [
        ('O', client.monitors.load(Relaxed)),
        ('P', client.is_subscriber()),
        ('x', client.queued.load(Relaxed) != u32::MAX),
        ('b', client.is_blocked()),
        ('t', tracker.is_some()),
        ('R', tracker.is_some_and(|tracker| tracker.is_broken.load(Relaxed))),
        ('B', tracker.is_some_and(|tracker| tracker.prefixes.is_some())),
        ('d', client.watch_flag.lock().upgrade().is_some_and(|flag| flag.is_raised())),
        ('c', client.closing.load(Relaxed)),
        ('A', client.outbox.is_closed()),
        // A Unix socket's address is its path.
        ('U', client.origin.peer.starts_with('/')),
        ('e', client.no_evict.load(Relaxed)),
        ('T', client.no_touch.load(Relaxed)),
    ];
    let letters: String = states.iter().filter(|(_, holds)| *holds).map(|(letter, _)| letter).collect();
    if letters.is_empty() { "N".into() } else { letters }
}

/// Who asks for lines.
pub(super) struct Asking {
    id: u64,
    /// Bytes of the command that asks.
    bytes: u64,
}

impl Asking {
    /// The connection with this id asks by this command.
    pub fn new(id: u64, command: Request<'_>) -> Asking {
        let mut text = Vec::new();
        command.encode(&mut text);
        Asking { id, bytes: text.len() as u64 }
    }
}

/// The connection as one line, with its end.
///
/// `argv-mem` is 0 since arguments are read where they arrived, in the query buffer. A connection has buffers of its own
/// only for what it could not run or send at once; `rbs`, `rbp` and `obl` are of replies, `oll` and `omem` of messages.
/// Who asks has its question in its query buffer.
pub(super) fn line(client: &Client, now_ms: u64, asking: &Asking) -> String {
    let seconds_since = |then_ms: u64| now_ms.saturating_sub(then_ms) / 1000;
    let queued = match client.queued.load(Relaxed) {
        u32::MAX => -1,
        queued => i64::from(queued),
    };
    let tracker = client.tracker.lock().clone();
    let names = client.names.lock();
    let held = &client.held;
    let query = held.query_bytes.load(Relaxed).max(if client.id == asking.id { asking.bytes } else { 0 });
    let unsent = held.output_bytes.load(Relaxed);
    let messages = client.outbox.len();
    let last = REGISTRY.all.get(client.last_command.load(Relaxed) as usize);
    format!(
        "id={id} addr={peer} laddr={local} fd={descriptor} name={name} age={age} idle={idle} flags={flags} db={database} \
         sub={channels} psub={patterns} ssub={shard_channels} multi={queued} qbuf={query} qbuf-free={query_free} argv-mem=0 \
         multi-mem={multi} rbs={room} rbp={peak} obl={unsent} oll={count} omem={messages} tot-mem={total} events={events} cmd={command} user=default \
         redir={redirect} resp={protocol} lib-name={library} lib-ver={version}\n",
        id = client.id,
        peer = client.origin.peer,
        local = client.origin.local,
        descriptor = client.origin.descriptor,
        name = names.name,
        age = seconds_since(client.connected_ms),
        idle = seconds_since(client.active_ms.load(Relaxed)),
        flags = flags(client, tracker.as_deref()),
        redirect = super::tracking::redirect(tracker.as_deref()),
        database = client.database.load(Relaxed),
        channels = client.channels.load(Relaxed),
        patterns = client.patterns.load(Relaxed),
        shard_channels = client.shard_channels.load(Relaxed),
        query_free = (held.query_room.get() as u64).saturating_sub(query),
        multi = held.queued.get(),
        room = held.output_room.get(),
        peak = held.output_room_peak.load(Relaxed),
        count = client.outbox.count(),
        total = client.memory_bytes(),
        // Who has output to send is not read from.
        events = if unsent > 0 { "w" } else { "r" },
        command = last.map_or("NULL", |command| command.full_name.as_str()),
        protocol = client.protocol.load(Relaxed),
        library = names.library,
        version = names.library_version,
    )
}
