//! Consumer groups: who has read how far, and what was delivered and not acknowledged.
//!
//! A group knows every pending entry with its consumer, and each consumer the ids of its own, both in order. Consumers
//! have a number within their group, which stays theirs as long as they exist.

use std::collections::BTreeMap;

use super::id::StreamId;
use super::ordered::Ordered;
use crate::value::thin::allocation_size;

/// One delivery that waits to be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Number of the consumer.
    pub consumer: u32,
    /// When it was delivered last, Unix time in ms.
    pub delivered_ms: i64,
    /// How often.
    pub count: u64,
}

/// One reader of a group.
#[derive(Clone)]
pub struct Consumer {
    /// Its name.
    pub name: Box<[u8]>,
    /// When it asked for something last, Unix time in ms.
    pub seen_ms: i64,
    /// When it got something last; `None` before that.
    pub active_ms: Option<i64>,
    pending: Ordered<()>,
}

impl Consumer {
    /// The entries that it was given and has not acknowledged.
    pub fn pending(&self) -> &Ordered<()> {
        &self.pending
    }

    fn heap_bytes(&self) -> usize {
        // The name stands in the group's index, too.
        2 * allocation_size(self.name.len()) + self.pending.heap_bytes()
    }
}

/// A consumer group.
#[derive(Clone)]
pub struct Group {
    /// The last entry that was delivered.
    pub last_id: StreamId,
    /// How many entries of those ever added that was; `None` where it cannot be told.
    pub entries_read: Option<u64>,
    pending: Ordered<Pending>,
    numbers: BTreeMap<Box<[u8]>, u32>,
    consumers: Vec<Option<Consumer>>,
    /// What the consumers hold.
    consumer_bytes: usize,
}

impl Group {
    /// A group without consumers.
    pub fn new(last_id: StreamId, entries_read: Option<u64>) -> Group {
        Group {
            last_id,
            entries_read,
            pending: Ordered::default(),
            numbers: BTreeMap::new(),
            consumers: Vec::new(),
            consumer_bytes: 0,
        }
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        /// What an entry of the index takes beside its name, about.
        const INDEXED_BYTES: usize = 40;
        let slots = allocation_size(self.consumers.capacity() * size_of::<Option<Consumer>>());
        self.pending.heap_bytes() + self.consumer_bytes + slots + self.numbers.len() * INDEXED_BYTES
    }

    /// All pending entries.
    pub fn pending(&self) -> &Ordered<Pending> {
        &self.pending
    }

    /// Number of consumers.
    pub fn consumer_count(&self) -> usize {
        self.numbers.len()
    }

    /// All consumers, by name.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.numbers.values().filter_map(|number| self.consumer(*number))
    }

    /// The number of a consumer.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// A consumer by its number.
    pub fn consumer(&self, number: u32) -> Option<&Consumer> {
        self.consumers.get(number as usize)?.as_ref()
    }

    /// Creates a consumer, seen at `now_ms`; `None` if there is one of this name.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: i64) -> Option<u32> {
        if self.numbers.contains_key(name) {
            return None;
        }
        let consumer = Consumer { name: name.into(), seen_ms: now_ms, active_ms: None, pending: Ordered::default() };
        self.consumer_bytes += consumer.heap_bytes();
        let free = self.consumers.iter().position(Option::is_none);
        let at = free.unwrap_or(self.consumers.len());
        if free.is_some() {
            self.consumers[at] = Some(consumer);
        } else {
            self.consumers.push(Some(consumer));
        }
        // No group has so many consumers.
        let number = at as u32;
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// Removes a consumer with all that is pending for it; tells how much that was.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let number = self.numbers.remove(name)?;
        let consumer = self.consumers.get_mut(number as usize)?.take()?;
        self.consumer_bytes -= consumer.heap_bytes();
        for (id, ()) in consumer.pending.iter() {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// Notes that a consumer asked for something.
    pub fn note_seen(&mut self, number: u32, now_ms: i64) {
        self.change(number, |consumer| consumer.seen_ms = now_ms);
    }

    /// Notes that it got something.
    pub fn note_active(&mut self, number: u32, now_ms: Option<i64>) {
        self.change(number, |consumer| consumer.active_ms = now_ms);
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Consumer)) {
        if let Some(Some(consumer)) = self.consumers.get_mut(number as usize) {
            let before = consumer.pending.heap_bytes();
            change(consumer);
            self.consumer_bytes = self.consumer_bytes + consumer.pending.heap_bytes() - before;
        }
    }

    /// Makes an entry pending, whoever it was pending for.
    pub fn assign(&mut self, id: StreamId, pending: Pending) {
        let before = self.pending.insert(id, pending);
        match before {
            Some(before) if before.consumer == pending.consumer => return,
            Some(before) => self.change(before.consumer, |consumer| _ = consumer.pending.remove(id)),
            None => {}
        }
        self.change(pending.consumer, |consumer| _ = consumer.pending.insert(id, ()));
    }

    /// An entry is not pending any more; returns what was known of it.
    pub fn acknowledge(&mut self, id: StreamId) -> Option<Pending> {
        let pending = self.pending.remove(id)?;
        self.change(pending.consumer, |consumer| _ = consumer.pending.remove(id));
        Some(pending)
    }
}
