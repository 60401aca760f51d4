//! Who is subscribed to what.
//!
//! A published message is encoded once per protocol and pushed by reference to each subscriber's outbox. The order of
//! messages on one channel is the order of `publish` calls that hold the channel's entry.
//!
//! Channels of shards have names of their own: nobody who listens to a channel or a pattern hears of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use dashmap::DashMap;
use parking_lot::RwLock;
use rapidhash::quality::RandomState;

use super::outbox::Outbox;
use crate::base::glob::Glob;

/// One connection that is subscribed.
#[derive(Clone)]
pub struct Subscriber {
    /// The connection's id.
    pub id: u64,
    /// Where messages for it go.
    pub outbox: Arc<Outbox>,
    /// Which of the two encodings it reads: RESP3 pushes instead of RESP2 arrays.
    pub pushes: bool,
}

/// What one connection is subscribed to.
#[derive(Default)]
pub struct Subscriptions {
    /// Channels.
    pub channels: BTreeSet<Box<[u8]>>,
    /// Patterns of channels.
    pub patterns: BTreeSet<Box<[u8]>>,
    /// Channels of shards.
    pub shard_channels: BTreeSet<Box<[u8]>>,
}

impl Subscriptions {
    /// To nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.shard_channels.is_empty()
    }
}

/// Channels of one kind, and who listens to them. Found by the hash that keys have, randomly seeded, which takes a third
/// of the standard one's time for names as long as channels'.
#[derive(Default)]
pub struct Channels(DashMap<Box<[u8]>, Vec<Subscriber>, RandomState>);

impl Channels {
    /// Subscribes to a channel.
    pub fn subscribe(&self, channel: &[u8], subscriber: Subscriber) {
        self.0.entry(channel.into()).or_default().push(subscriber);
    }

    /// Ends a subscription to a channel.
    pub fn unsubscribe(&self, channel: &[u8], id: u64) {
        if let Some(mut subscribers) = self.0.get_mut(channel) {
            subscribers.retain(|known| known.id != id);
        }
        self.0.remove_if(channel, |_, subscribers| subscribers.is_empty());
    }

    fn set_pushes(&self, id: u64, channels: &BTreeSet<Box<[u8]>>, pushes: bool) {
        for channel in channels {
            if let Some(mut subscribers) = self.0.get_mut(channel) {
                subscribers.iter_mut().filter(|known| known.id == id).for_each(|known| known.pushes = pushes);
            }
        }
    }

    /// Sends a message, named `kind`, to those who listen to the channel.
    fn publish(&self, kind: &[u8], channel: &[u8], message: &[u8], mut deliver: impl FnMut(&Subscriber, &Bytes)) {
        if let Some(subscribers) = self.0.get(channel) {
            let encode = |pushes| aggregate(pushes, &[kind, channel, message]);
            let mut encodings = Encodings { encode, array: None, push: None };
            for subscriber in subscribers.iter() {
                deliver(subscriber, encodings.of(subscriber.pushes));
            }
        }
    }

    /// Channels with subscribers that match, or all.
    pub fn names(&self, pattern: Option<&Glob>) -> Vec<Box<[u8]>> {
        let wanted = |channel: &[u8]| pattern.is_none_or(|pattern| pattern.matches(channel));
        self.0.iter().filter(|entry| wanted(entry.key())).map(|entry| entry.key().clone()).collect()
    }

    /// Subscribers of a channel, patterns left out.
    pub fn subscribers(&self, channel: &[u8]) -> usize {
        self.0.get(channel).map_or(0, |subscribers| subscribers.len())
    }

    /// Number of channels that have subscribers.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

struct Pattern {
    glob: Glob,
    subscribers: Vec<Subscriber>,
}

/// All subscriptions of an instance.
#[derive(Default)]
pub struct PubSub {
    /// Channels.
    pub channels: Channels,
    /// Channels of shards.
    pub shard_channels: Channels,
    patterns: RwLock<Vec<Pattern>>,
}

/// One message in both encodings, each made when the first subscriber of its protocol is met.
struct Encodings<F> {
    encode: F,
    array: Option<Bytes>,
    push: Option<Bytes>,
}

impl<F: Fn(bool) -> Bytes> Encodings<F> {
    fn of(&mut self, pushes: bool) -> &Bytes {
        let slot = if pushes { &mut self.push } else { &mut self.array };
        slot.get_or_insert_with(|| (self.encode)(pushes))
    }
}

fn aggregate(pushes: bool, parts: &[&[u8]]) -> Bytes {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 16).sum::<usize>() + 8);
    out.push(if pushes { b'>' } else { b'*' });
    out.extend_from_slice(&crate::base::number::format_u64(parts.len() as u64));
    out.extend_from_slice(b"\r\n");
    for part in parts {
        out.push(b'$');
        out.extend_from_slice(&crate::base::number::format_u64(part.len() as u64));
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    Bytes::from(out)
}

impl PubSub {
    /// Subscribes to every channel that matches.
    pub fn subscribe_pattern(&self, pattern: &[u8], subscriber: Subscriber) {
        let mut patterns = self.patterns.write();
        match patterns.iter_mut().find(|known| known.glob.pattern() == pattern) {
            Some(known) => known.subscribers.push(subscriber),
            None => patterns.push(Pattern { glob: Glob::new(pattern), subscribers: vec![subscriber] }),
        }
    }

    /// Ends a subscription to a pattern.
    pub fn unsubscribe_pattern(&self, pattern: &[u8], id: u64) {
        let mut patterns = self.patterns.write();
        if let Some(known) = patterns.iter_mut().find(|known| known.glob.pattern() == pattern) {
            known.subscribers.retain(|subscriber| subscriber.id != id);
        }
        patterns.retain(|known| !known.subscribers.is_empty());
    }

    /// Ends all subscriptions of a connection.
    pub fn leave(&self, id: u64, subscriptions: &mut Subscriptions) {
        let Subscriptions { channels, patterns, shard_channels } = std::mem::take(subscriptions);
        channels.iter().for_each(|channel| self.channels.unsubscribe(channel, id));
        patterns.iter().for_each(|pattern| self.unsubscribe_pattern(pattern, id));
        shard_channels.iter().for_each(|channel| self.shard_channels.unsubscribe(channel, id));
    }

    /// Changes which encoding a connection reads (HELLO while subscribed).
    pub fn set_pushes(&self, id: u64, subscriptions: &Subscriptions, pushes: bool) {
        self.channels.set_pushes(id, &subscriptions.channels, pushes);
        self.shard_channels.set_pushes(id, &subscriptions.shard_channels, pushes);
        let mut patterns = self.patterns.write();
        for known in patterns.iter_mut().filter(|known| subscriptions.patterns.contains(known.glob.pattern())) {
            known.subscribers.iter_mut().filter(|known| known.id == id).for_each(|known| known.pushes = pushes);
        }
    }

    /// Sends a message to everybody concerned; returns how many, and adds the outboxes to be flushed to `touched`.
    pub fn publish(&self, channel: &[u8], message: &[u8], touched: &mut Vec<Arc<Outbox>>) -> usize {
        let mut receivers = 0;
        let mut deliver = |subscriber: &Subscriber, bytes: &Bytes| {
            // Who was killed may take a moment to go, and hears nothing any more.
            receivers += usize::from(!subscriber.outbox.is_closed());
            subscriber.outbox.send(bytes, touched);
        };
        self.channels.publish(b"message", channel, message, &mut deliver);
        for pattern in self.patterns.read().iter().filter(|pattern| pattern.glob.matches(channel)) {
            let encode = |pushes| aggregate(pushes, &[b"pmessage", pattern.glob.pattern(), channel, message]);
            let mut encodings = Encodings { encode, array: None, push: None };
            for subscriber in &pattern.subscribers {
                deliver(subscriber, encodings.of(subscriber.pushes));
            }
        }
        receivers
    }

    /// Sends a message to those who listen to a shard's channel; as [`PubSub::publish`].
    pub fn publish_to_shard(&self, channel: &[u8], message: &[u8], touched: &mut Vec<Arc<Outbox>>) -> usize {
        let mut receivers = 0;
        self.shard_channels.publish(b"smessage", channel, message, |subscriber, bytes| {
            receivers += usize::from(!subscriber.outbox.is_closed());
            subscriber.outbox.send(bytes, touched);
        });
        receivers
    }

    /// Number of patterns that have subscribers.
    pub fn pattern_count(&self) -> usize {
        self.patterns.read().len()
    }
}
