//! Client-side caching: who is told when keys that it may have cached change.
//!
//! A client that tracks by default has its id noted with each key that it reads ([`Tracking::remember`]), within the
//! locks of the key, so that no change falls between; the first change tells all who are noted, and forgets them. With
//! BCAST nothing is noted: the client is told of every change of a key with one of its prefixes. As in Redis, a key is
//! known by its name alone, whatever its database.
//!
//! Messages are put into outboxes while the changed keys' shards are held, and sent behind the batch; those to the caller
//! itself come behind its replies. While nobody tracks, nobody looks here: see [`super::announce`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use super::clients::{Client, Clients};
use crate::protocol::reply::{Protocol, Reply};
use crate::pubsub::outbox::Outbox;

/// Where messages for a connection of RESP2 are published.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Parts of the table, each behind its own lock; a power of two.
const PARTS: usize = 64;

/// What a client has asked for with CLIENT TRACKING ON.
#[derive(Default)]
pub struct Tracker {
    /// The client that is told in its place.
    pub redirect: Option<u64>,
    /// Of every change of a key that begins with one of these; without any, of the keys that were read.
    pub prefixes: Option<BTreeSet<Vec<u8>>>,
    /// Only what is read behind CLIENT CACHING YES.
    pub opts_in: bool,
    /// Not what is read behind CLIENT CACHING NO.
    pub opts_out: bool,
    /// Not of its own changes.
    pub spares_own: bool,
    /// The client that it redirects to is gone.
    pub is_broken: AtomicBool,
}

impl Tracker {
    /// Whether a read is noted; `said` if CLIENT CACHING came in front of it.
    pub fn notes_reads(&self, said: bool) -> bool {
        self.prefixes.is_none() && if self.opts_in { said } else { !(self.opts_out && said) }
    }
}

/// Ids of the clients that have read a key.
type Ids = SmallVec<[u64; 2]>;
type Part = HashMap<Box<[u8]>, Ids>;

/// All who track, and what they have read.
pub struct Tracking {
    clients: Arc<Clients>,
    hasher: RandomState,
    parts: Box<[Mutex<Part>]>,
    keys: AtomicUsize,
    items: AtomicUsize,
    /// `tracking-table-max-keys`; 0 is no limit.
    pub keys_max: AtomicUsize,
    /// Clients with BCAST, by prefix.
    prefixes: RwLock<BTreeMap<Vec<u8>, BTreeSet<u64>>>,
    trackers: AtomicUsize,
}

/// What a client is told.
enum Told<'a> {
    Keys(&'a [&'a [u8]]),
    /// Everything: a null as the client that tracks reads it, whoever is told in its place.
    Everything(Protocol),
}

impl Tracking {
    /// Nobody tracks.
    pub fn new(clients: Arc<Clients>) -> Tracking {
        Tracking {
            clients,
            hasher: RandomState::new(),
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            keys: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
            keys_max: AtomicUsize::new(0),
            prefixes: RwLock::default(),
            trackers: AtomicUsize::new(0),
        }
    }

    /// How many clients track.
    pub fn trackers(&self) -> usize {
        self.trackers.load(Relaxed)
    }

    /// Keys, and readers of keys, that are noted; prefixes.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.keys.load(Relaxed), self.items.load(Relaxed), self.prefixes.read().len())
    }

    /// A client tracks from now on, or tracks otherwise than before.
    pub fn begin(&self, client: &Client, tracker: Arc<Tracker>) {
        client.outbox.open();
        if let Some(target) = tracker.redirect.and_then(|id| self.clients.get(id)) {
            target.outbox.open();
        }
        let mut prefixes = self.prefixes.write();
        for prefix in tracker.prefixes.iter().flatten() {
            prefixes.entry(prefix.clone()).or_default().insert(client.id);
        }
        if client.tracker.lock().replace(tracker).is_none() {
            self.trackers.fetch_add(1, Relaxed);
        }
    }

    /// A client tracks no more. What it has read is forgotten when it changes, or when nobody tracks.
    pub fn end(&self, client: &Client) {
        let Some(tracker) = client.tracker.lock().take() else { return };
        if self.trackers.fetch_sub(1, Relaxed) == 1 {
            self.forget();
        }
        let mut prefixes = self.prefixes.write();
        for prefix in tracker.prefixes.iter().flatten() {
            if let Some(ids) = prefixes.get_mut(prefix) {
                ids.remove(&client.id);
                if ids.is_empty() {
                    prefixes.remove(prefix);
                }
            }
        }
    }

    fn part_of(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize & (PARTS - 1)
    }

    fn part(&self, key: &[u8]) -> &Mutex<Part> {
        &self.parts[self.part_of(key)]
    }

    /// Notes that a client has read a key, whose shard is held. Where the table is full, another key is forgotten, of
    /// which its readers are told as if it had changed.
    pub fn remember(&self, key: &[u8], client: u64, touched: &mut Vec<Arc<Outbox>>) {
        let mut part = self.part(key).lock();
        if let Some(ids) = part.get_mut(key) {
            if !ids.contains(&client) {
                ids.push(client);
                self.items.fetch_add(1, Relaxed);
            }
            return;
        }
        part.insert(key.into(), SmallVec::from_elem(client, 1));
        drop(part);
        self.items.fetch_add(1, Relaxed);
        self.keys.fetch_add(1, Relaxed);
        self.forget_excess(Some(key), touched);
    }

    /// Forgets keys until there are no more than allowed, another one than `spared`.
    pub fn forget_excess(&self, spared: Option<&[u8]>, touched: &mut Vec<Arc<Outbox>>) {
        let keys_max = self.keys_max.load(Relaxed);
        while keys_max != 0 && self.keys.load(Relaxed) > keys_max {
            let Some((victim, ids)) = self.forget_another(spared) else { return };
            self.tell_readers(ids, &victim, 0, touched);
        }
    }

    /// Forgets who has read some other key than this.
    fn forget_another(&self, spared: Option<&[u8]>) -> Option<(Box<[u8]>, Ids)> {
        let own = spared.map_or(0, |key| self.part_of(key));
        let mut parts = (0..PARTS).map(|step| &self.parts[(own + step) & (PARTS - 1)]);
        parts.find_map(|part| {
            let mut part = part.lock();
            let victim = part.keys().find(|known| spared != Some(&***known))?.clone();
            part.remove_entry(&victim)
        })
    }

    /// Tells those who may have cached keys that these have changed, by the client `by` (0 for nobody's command).
    pub fn invalidate(&self, changed: &[Vec<u8>], by: u64, touched: &mut Vec<Arc<Outbox>>) {
        for key in changed {
            let ids = self.part(key).lock().remove(&key[..]);
            if let Some(ids) = ids {
                self.tell_readers(ids, key, by, touched);
            }
        }
        self.broadcast(changed, by, touched);
    }

    fn tell_readers(&self, ids: Ids, key: &[u8], by: u64, touched: &mut Vec<Arc<Outbox>>) {
        self.keys.fetch_sub(1, Relaxed);
        self.items.fetch_sub(ids.len(), Relaxed);
        for id in ids {
            let Some((client, tracker)) = self.tracker(id) else { continue };
            // It may have turned to BCAST since.
            if tracker.prefixes.is_none() && !(tracker.spares_own && id == by) {
                self.tell(&client, &tracker, &Told::Keys(&[key]), touched);
            }
        }
    }

    /// Tells clients with BCAST of the changed keys, in one message for each prefix.
    fn broadcast(&self, changed: &[Vec<u8>], by: u64, touched: &mut Vec<Arc<Outbox>>) {
        for (prefix, ids) in self.prefixes.read().iter() {
            let keys: BTreeSet<&[u8]> =
                changed.iter().map(Vec::as_slice).filter(|key| key.starts_with(prefix)).collect();
            if keys.is_empty() {
                continue;
            }
            let keys: Vec<&[u8]> = keys.into_iter().collect();
            for &id in ids {
                let Some((client, tracker)) = self.tracker(id) else { continue };
                if !(tracker.spares_own && id == by) {
                    self.tell(&client, &tracker, &Told::Keys(&keys), touched);
                }
            }
        }
    }

    /// Tells everybody that all keys may have changed.
    pub fn invalidate_everything(&self, touched: &mut Vec<Arc<Outbox>>) {
        self.forget();
        for client in self.clients.all() {
            let tracker = client.tracker.lock().clone();
            if let Some(tracker) = tracker {
                self.tell(&client, &tracker, &Told::Everything(client.protocol()), touched);
            }
        }
    }

    /// Forgets who has read what.
    fn forget(&self) {
        for part in &self.parts {
            for (_, ids) in part.lock().drain() {
                self.keys.fetch_sub(1, Relaxed);
                self.items.fetch_sub(ids.len(), Relaxed);
            }
        }
    }

    fn tracker(&self, id: u64) -> Option<(Arc<Client>, Arc<Tracker>)> {
        let client = self.clients.get(id)?;
        let tracker = client.tracker.lock().clone()?;
        Some((client, tracker))
    }

    /// Tells a client, or whom it redirects to.
    fn tell(&self, client: &Arc<Client>, tracker: &Tracker, told: &Told<'_>, touched: &mut Vec<Arc<Outbox>>) {
        let Some(redirect) = tracker.redirect else {
            if client.protocol() == Protocol::Resp3 {
                client.outbox.send(&push(told), touched);
            }
            return;
        };
        match self.clients.get(redirect) {
            Some(target) if target.protocol() == Protocol::Resp3 => target.outbox.send(&push(told), touched),
            Some(target) if target.is_subscriber() => target.outbox.send(&message(told), touched),
            // Nobody who speaks RESP2 could tell it from a reply.
            Some(_) => {}
            None => {
                tracker.is_broken.store(true, Relaxed);
                if client.protocol() == Protocol::Resp3 {
                    client.outbox.send(&broken(redirect), touched);
                }
            }
        }
    }
}

fn push(told: &Told<'_>) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp3);
    reply.push(2);
    reply.bulk(b"invalidate");
    write(&mut reply, told);
    reply.take().into()
}

fn message(told: &Told<'_>) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.array(3);
    reply.bulk(b"message");
    reply.bulk(CHANNEL);
    write(&mut reply, told);
    reply.take().into()
}

fn broken(redirect: u64) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp3);
    reply.push(2);
    reply.bulk(b"tracking-redir-broken");
    // Ids are counted from 1, one per connection.
    reply.integer(redirect as i64);
    reply.take().into()
}

fn write(reply: &mut Reply, told: &Told<'_>) {
    match told {
        Told::Everything(protocol) => {
            let mut null = Reply::new(*protocol);
            null.null();
            reply.raw(null.bytes());
        }
        Told::Keys(keys) => {
            reply.array(keys.len());
            keys.iter().for_each(|key| reply.bulk(key));
        }
    }
}

#[cfg(test)]
mod tests;
