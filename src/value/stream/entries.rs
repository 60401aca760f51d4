//! `EntryList`: the entries of a stream, and what is remembered of those that are gone.
//!
//! Entries stand in [`Node`]s, the nodes in an ordered index by their first id. The last node, which grows, stands
//! beside the index.

use std::sync::Arc;

use super::id::StreamId;
use super::node::{Entries, Entry, Node, NodeLimits};
use super::ordered::{Ordered, Walk};

/// What to trim a stream down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many entries.
    Length(u64),
    /// Entries from this id on.
    Id(StreamId),
}

/// See the module's text.
#[derive(Clone, Default)]
pub struct EntryList {
    /// All nodes but the last.
    nodes: Ordered<Arc<Node>>,
    last: Option<Arc<Node>>,
    length: u64,
    /// The id of the entry that was added last, which may be gone.
    pub last_id: StreamId,
    first_id: StreamId,
    /// The highest id that XDEL removed.
    pub max_deleted_id: StreamId,
    /// Entries that were ever added.
    pub entries_added: u64,
    /// What the nodes hold.
    node_bytes: usize,
}

impl EntryList {
    /// Number of entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The id of the first entry, 0-0 if there is none.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The id of the last entry, 0-0 if there is none.
    pub fn last_entry_id(&self) -> StreamId {
        match &self.last {
            // It is there unless it was deleted one by one.
            Some(node) if node.last > self.max_deleted_id => node.last,
            _ => self.down_from(StreamId::MAX).next().map_or(StreamId::MIN, |entry| entry.id),
        }
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len() + usize::from(self.last.is_some())
    }

    /// Bytes held from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes() + self.node_bytes
    }

    /// All nodes, ascending.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().map(|(_, node)| &**node).chain(self.last.as_deref())
    }

    /// Appends an entry, fields and values in turn; its id is above [`EntryList::last_id`].
    pub fn append(&mut self, id: StreamId, parts: &[&[u8]], limits: &NodeLimits) {
        let part_bytes = parts.iter().map(|part| part.len()).sum();
        match &mut self.last {
            Some(node) if node.admits(part_bytes, limits) => {
                let before = node.heap_bytes();
                let own = Arc::make_mut(node);
                own.append(id, parts);
                self.node_bytes = self.node_bytes + own.heap_bytes() - before;
            }
            _ => {
                self.end_node();
                let node = Node::new(id, parts);
                self.node_bytes += node.heap_bytes();
                self.last = Some(Arc::new(node));
            }
        }
        self.length += 1;
        self.entries_added += 1;
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
    }

    /// The next entry begins another node.
    pub fn end_node(&mut self) {
        let Some(mut node) = self.last.take() else { return };
        let before = node.heap_bytes();
        Arc::make_mut(&mut node).seal();
        self.node_bytes = self.node_bytes + node.heap_bytes() - before;
        self.nodes.insert(node.base, node);
    }

    /// The node that would have an id.
    fn node_of(&self, id: StreamId) -> Option<&Node> {
        match &self.last {
            Some(node) if node.base <= id => Some(node),
            _ => self.nodes.down_from(id).next().map(|(_, node)| &**node),
        }
    }

    /// The entry with this id.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.node_of(id)?.get(id)
    }

    /// Deletes an entry; false if there is none with this id (XDEL).
    pub fn remove(&mut self, id: StreamId) -> bool {
        let Some(node) = self.node_of(id) else { return false };
        let (base, is_only) = (node.base, node.live == 1);
        if node.get(id).is_none() {
            return false;
        }
        if is_only {
            self.drop_node(base);
        } else {
            self.change_node(base, |node| node.remove(id));
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.first_id == id || self.length == 0 {
            self.find_first();
        }
        true
    }

    /// Removes entries from the front, up to the threshold and at most `limit` (0 for any number); whole nodes only,
    /// where `approximate`. Returns how many (XTRIM).
    pub fn trim(&mut self, threshold: Threshold, approximate: bool, limit: u64) -> u64 {
        let mut removed = 0;
        while let Some(node) = self.first_node() {
            let live = u64::from(node.live);
            let is_reached = matches!(threshold, Threshold::Length(most) if self.length <= most);
            if is_reached || (limit > 0 && removed + live > limit) {
                break;
            }
            let base = node.base;
            let goes_whole = match threshold {
                Threshold::Length(most) => self.length - live >= most,
                Threshold::Id(id) => node.last < id,
            };
            if goes_whole {
                self.drop_node(base);
                self.length -= live;
                removed += live;
                continue;
            }
            if !approximate {
                let count = match threshold {
                    Threshold::Length(most) => self.length - most,
                    Threshold::Id(id) => node.entries().take_while(|entry| entry.id < id).count() as u64,
                };
                // A node's entries are fewer than its bytes.
                self.change_node(base, |node| node.remove_first(count as usize));
                self.length -= count;
                removed += count;
            }
            break;
        }
        if removed > 0 {
            self.find_first();
        }
        removed
    }

    fn find_first(&mut self) {
        let first = self.from(StreamId::MIN).next().map(|entry| entry.id);
        self.first_id = first.unwrap_or(StreamId::MIN);
    }

    fn first_node(&self) -> Option<&Node> {
        self.nodes().next()
    }

    /// Removes a node. Where it was the last, the one in front of it is open again, as in Redis.
    fn drop_node(&mut self, base: StreamId) {
        let gone = match self.last.take_if(|node| node.base == base) {
            Some(node) => {
                self.last = self.nodes.last().map(|(base, _)| base).and_then(|base| self.nodes.remove(base));
                Some(node)
            }
            None => self.nodes.remove(base),
        };
        self.node_bytes -= gone.map_or(0, |node| node.heap_bytes());
    }

    fn change_node<R>(&mut self, base: StreamId, change: impl FnOnce(&mut Node) -> R) {
        let node = match &mut self.last {
            Some(node) if node.base == base => Some(node),
            _ => self.nodes.get_mut(base),
        };
        if let Some(node) = node {
            let before = node.heap_bytes();
            let own = Arc::make_mut(node);
            change(own);
            self.node_bytes = self.node_bytes + own.heap_bytes() - before;
        }
    }

    /// Entries from an id on, ascending.
    pub fn from(&self, start: StreamId) -> Ascending<'_> {
        let first = self.node_of(start).or_else(|| self.first_node());
        let Some(first) = first else { return Ascending { entries: None, nodes: self.nodes.iter(), last: None } };
        let is_last = self.last.as_ref().is_some_and(|node| node.base == first.base);
        let nodes = self.nodes.from(first.base.next().unwrap_or(StreamId::MAX));
        let last = self.last.as_deref().filter(|_| !is_last);
        Ascending { entries: Some(first.from(start)), nodes, last }
    }

    /// Entries from an id downwards, descending.
    pub fn down_from(&self, end: StreamId) -> Descending<'_> {
        let last = self.last.as_deref().filter(|node| node.base <= end);
        Descending { end, node: None, offsets: Vec::new(), last, nodes: self.nodes.down_from(end) }
    }

    /// Whether ids are missing between entries from `start` on that were deleted one by one, as far as is known.
    pub fn has_gaps_from(&self, start: StreamId) -> bool {
        !self.is_empty()
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && start <= self.max_deleted_id
    }

    /// How many entries were added up to an id, as far as can be told.
    pub fn added_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if id == self.last_id || (self.is_empty() && id < self.last_id) {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        // Nothing is missing behind the first entry, so that those in front of it are known by number.
        let is_whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let before = self.entries_added.wrapping_sub(self.length);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if is_whole => Some(before),
            std::cmp::Ordering::Equal if is_whole => Some(before.wrapping_add(1)),
            _ => None,
        }
    }
}

/// See [`EntryList::from`].
#[derive(Clone)]
pub struct Ascending<'a> {
    entries: Option<Entries<'a>>,
    nodes: Walk<'a, Arc<Node>>,
    last: Option<&'a Node>,
}

impl<'a> Iterator for Ascending<'a> {
    type Item = Entry<'a>;
    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let Some(entry) = self.entries.as_mut()?.next() {
                return Some(entry);
            }
            let node = self.nodes.next().map(|(_, node)| &**node).or_else(|| self.last.take());
            self.entries = Some(node?.entries());
        }
    }
}

/// See [`EntryList::down_from`].
#[derive(Clone)]
pub struct Descending<'a> {
    end: StreamId,
    node: Option<&'a Node>,
    /// Of the node's entries that are left.
    offsets: Vec<u32>,
    last: Option<&'a Node>,
    nodes: Walk<'a, Arc<Node>>,
}

impl<'a> Iterator for Descending<'a> {
    type Item = Entry<'a>;
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let (Some(node), Some(offset)) = (self.node, self.offsets.pop()) {
                return Some(node.at(offset));
            }
            let node = self.last.take().or_else(|| self.nodes.next().map(|(_, node)| &**node))?;
            node.offsets_to(self.end, &mut self.offsets);
            self.node = Some(node);
        }
    }
}
