//! Who is told of what happens to keys: keyspace notifications, messages on `__keyspace@<db>__:<key>` and
//! `__keyevent@<db>__:<event>`, and clients that cache ([`super::tracking`]).
//!
//! Messages are put into the outboxes while the keys' shards are held, so that they are in the order of execution; they
//! are sent behind the batch that caused them. What is to be observed is known to whoever is inside the keyspace, and
//! changed only by who is alone there: with `notify-keyspace-events` empty and nobody tracking, nothing is collected.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::instance::Engine;
use super::tracking::Tracking;
use crate::base::config::KeyspaceEvents;
use crate::base::number::format_u64;
use crate::pubsub::outbox::Outbox;
use crate::pubsub::registry::PubSub;
use crate::store::effects::{Event, Happened, Observer};
use crate::store::keys::Keys;

/// What is to be observed of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The events that are announced, and how.
    events: KeyspaceEvents,
    /// Somebody caches.
    changes: bool,
}

/// Turns what happens into messages.
struct Announcer {
    pubsub: Arc<PubSub>,
    tracking: Arc<Tracking>,
    observed: Observed,
}

impl Observer for Announcer {
    fn observe(&self, happened: &Happened<'_>, touched: &mut Vec<Arc<Outbox>>) {
        if happened.is_flushed {
            self.tracking.invalidate_everything(touched);
        }
        if !happened.changed.is_empty() {
            self.tracking.invalidate(happened.changed, happened.by, touched);
        }
        if !happened.lost.is_empty() {
            self.tracking.invalidate(happened.lost, 0, touched);
        }
        self.announce(happened.events, touched);
    }
}

impl Announcer {
    fn announce(&self, events: &[Event], touched: &mut Vec<Arc<Outbox>>) {
        for event in events {
            let name = event.name.as_bytes();
            if self.observed.events.has(KeyspaceEvents::KEYSPACE) {
                let channel = channel(b"__keyspace@", event.database, &event.key);
                self.pubsub.publish(&channel, name, touched);
            }
            if self.observed.events.has(KeyspaceEvents::KEYEVENT) {
                let channel = channel(b"__keyevent@", event.database, name);
                self.pubsub.publish(&channel, &event.key, touched);
            }
        }
    }
}

fn channel(prefix: &[u8], database: usize, name: &[u8]) -> Vec<u8> {
    [prefix, &*format_u64(database as u64), b"__:", name].concat()
}

impl Engine {
    /// Observes from now on what the configuration and those who cache want. The caller is inside the keyspace, holds no
    /// shard unless it is alone there, and is alone when this returns if anything had to be changed.
    pub fn observe_as_needed(&self, keys: &mut Keys<'_>) {
        if self.to_observe() == *self.observed.lock() {
            return;
        }
        if !keys.is_exclusive() {
            let now_ms = keys.now_ms;
            keys.enter_exclusively(now_ms);
        }
        // Somebody else may have been faster.
        let observed = self.to_observe();
        *self.observed.lock() = observed;
        let (pubsub, tracking) = (self.pubsub.clone(), self.tracking.clone());
        let observer =
            (observed != Observed::default()).then(|| Arc::new(Announcer { pubsub, tracking, observed }) as _);
        keys.set_observer(observer, observed.events, observed.changes);
    }

    fn to_observe(&self) -> Observed {
        let settings = self.config.read().settings();
        self.tracking.keys_max.store(settings.tracking_table_max_keys, Relaxed);
        let events = settings.notify_keyspace_events;
        let has_channel = events.has(KeyspaceEvents::KEYSPACE) || events.has(KeyspaceEvents::KEYEVENT);
        let events = if has_channel { events } else { KeyspaceEvents::NONE };
        Observed { events, changes: self.tracking.trackers() > 0 }
    }

    /// The same, for callers outside of the keyspace.
    pub fn observe_from_outside(&self) {
        let mut keys = self.keys();
        keys.enter(self.clock.now_ms());
        self.observe_as_needed(&mut keys);
        keys.leave();
    }

    /// Sends what was put into these outboxes.
    pub fn flush(&self, outboxes: &mut Vec<Arc<Outbox>>) {
        use super::stats::Counter;
        for outbox in outboxes.drain(..) {
            self.stats.add(Counter::OutputBytes, outbox.flush().bytes as u64);
        }
    }
}

#[cfg(test)]
mod tests;
