//! Keyspace notifications: changes of keys as messages on `__keyspace@<db>__:<key>` and `__keyevent@<db>__:<event>`.
//!
//! Messages are put into the subscribers' outboxes while the keys' shards are held, so that they are in the order of
//! execution; they are sent behind the batch that caused them. Which classes are announced is known to whoever is inside
//! the keyspace, and changed only by who is alone there: with `notify-keyspace-events` empty nothing is collected.

use std::sync::Arc;

use super::instance::Engine;
use crate::base::config::KeyspaceEvents;
use crate::base::number::format_u64;
use crate::pubsub::outbox::Outbox;
use crate::pubsub::registry::PubSub;
use crate::store::effects::{Event, Observer};
use crate::store::keys::Keys;

/// Turns events into messages.
struct Announcer {
    pubsub: Arc<PubSub>,
    wanted: KeyspaceEvents,
}

impl Observer for Announcer {
    fn observe(&self, events: &[Event], touched: &mut Vec<Arc<Outbox>>) {
        for event in events {
            let name = event.name.as_bytes();
            if self.wanted.has(KeyspaceEvents::KEYSPACE) {
                let channel = channel(b"__keyspace@", event.database, &event.key);
                self.pubsub.publish(&channel, name, touched);
            }
            if self.wanted.has(KeyspaceEvents::KEYEVENT) {
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
    /// Announces from now on what the configuration wants announced. The caller is inside the keyspace, holds no shard
    /// unless it is alone there, and is alone when this returns if anything had to be changed.
    pub fn announce_as_configured(&self, keys: &mut Keys<'_>) {
        let wanted = self.config.read().settings().notify_keyspace_events;
        if wanted == *self.announced.lock() {
            return;
        }
        if !keys.is_exclusive() {
            let now_ms = keys.now_ms;
            keys.enter_exclusively(now_ms);
        }
        *self.announced.lock() = wanted;
        let has_channel = wanted.has(KeyspaceEvents::KEYSPACE) || wanted.has(KeyspaceEvents::KEYEVENT);
        let classes = if has_channel { wanted } else { KeyspaceEvents::NONE };
        let announcer = has_channel.then(|| Arc::new(Announcer { pubsub: self.pubsub.clone(), wanted }) as _);
        keys.set_observer(announcer, classes);
    }

    /// Announces what the configuration wants announced, before anybody else is there.
    pub(super) fn announce_from_the_start(&self) {
        let mut keys = self.keys();
        keys.enter(self.clock.now_ms());
        self.announce_as_configured(&mut keys);
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
