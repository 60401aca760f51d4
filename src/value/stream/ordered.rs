//! `Ordered`: a map in the order of its ids, that a snapshot may share.
//!
//! A B+tree whose nodes are behind reference counts: a clone takes one count, and whoever changes the map afterwards
//! copies the nodes on the way to the change, as far as they are shared. Ids mostly come in ascending order and leave
//! from the front: a full node that is appended to is left full, and one that has lost most of its entries is joined
//! with its neighbour.
//!
//! Invariants: an inner node's key is at most its child's first key and above the last key of the child in front (but
//! the first, which covers all that is below); no node but an empty root is empty; all leaves have the same depth.

use std::sync::Arc;

use smallvec::SmallVec;

use super::id::StreamId;
use crate::value::thin::allocation_size;

/// Most entries of a node.
const FULL: usize = 64;
/// A node with fewer is joined with its neighbour.
const SPARSE: usize = 16;
/// What two nodes that are joined may come to.
const JOINED_MAX: usize = 48;
/// Levels that a walk holds without an allocation.
const LEVELS: usize = 5;

/// See the module's text.
#[derive(Clone)]
pub struct Ordered<V> {
    root: Option<Arc<Node<V>>>,
    len: usize,
    bytes: usize,
}

#[derive(Clone)]
enum Node<V> {
    Leaf(Vec<(StreamId, V)>),
    Inner(Vec<(StreamId, Arc<Node<V>>)>),
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered { root: None, len: 0, bytes: 0 }
    }
}

impl<V> Node<V> {
    fn len(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.len(),
            Node::Inner(children) => children.len(),
        }
    }

    /// Bytes of this node alone.
    fn heap_bytes(&self) -> usize {
        let content = match self {
            Node::Leaf(entries) => entries.capacity() * size_of::<(StreamId, V)>(),
            Node::Inner(children) => children.capacity() * size_of::<(StreamId, Arc<Node<V>>)>(),
        };
        // Two counts stand in front of what is shared.
        allocation_size(size_of::<Node<V>>() + 2 * size_of::<usize>()) + allocation_size(content)
    }
}

/// The child that covers a key.
fn child_of<T>(children: &[(StreamId, T)], key: StreamId) -> usize {
    children.partition_point(|child| child.0 <= key).saturating_sub(1)
}

impl<V: Clone> Ordered<V> {
    /// Entries held.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes held from the allocator, without what values hold themselves.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.bytes
    }

    /// The value at a key.
    pub fn get(&self, key: StreamId) -> Option<&V> {
        let mut node = self.root.as_deref()?;
        loop {
            match node {
                Node::Inner(children) => node = &children[child_of(children, key)].1,
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|entry| entry.0.cmp(&key)).ok()?;
                    return Some(&entries[at].1);
                }
            }
        }
    }

    /// The value at a key, to be changed.
    pub fn get_mut(&mut self, key: StreamId) -> Option<&mut V> {
        // A miss must not copy what is shared.
        self.get(key)?;
        let mut node = self.root.as_mut()?;
        loop {
            let before = node.heap_bytes();
            let own = Arc::make_mut(node);
            self.bytes = self.bytes + own.heap_bytes() - before;
            match own {
                Node::Inner(children) => {
                    let at = child_of(children, key);
                    node = &mut children[at].1;
                }
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|entry| entry.0.cmp(&key)).ok()?;
                    return Some(&mut entries[at].1);
                }
            }
        }
    }

    /// Puts a value at a key; returns what was there.
    pub fn insert(&mut self, key: StreamId, value: V) -> Option<V> {
        let Some(root) = &mut self.root else {
            let root = Arc::new(Node::Leaf(vec![(key, value)]));
            self.bytes = root.heap_bytes();
            self.len = 1;
            self.root = Some(root);
            return None;
        };
        let (replaced, split) = insert_into(root, key, value, &mut self.bytes);
        if let Some(right) = split
            && let Some(left) = self.root.take()
        {
            let root = Arc::new(Node::Inner(vec![(StreamId::MIN, left), right]));
            self.bytes += root.heap_bytes();
            self.root = Some(root);
        }
        self.len += usize::from(replaced.is_none());
        replaced
    }

    /// Takes the value at a key out.
    pub fn remove(&mut self, key: StreamId) -> Option<V> {
        self.get(key)?;
        let root = self.root.as_mut()?;
        let removed = remove_from(root, key, &mut self.bytes);
        self.len -= usize::from(removed.is_some());
        // A root with one child is its child.
        while let Some(Node::Inner(children)) = self.root.as_deref()
            && let [(_, only)] = &children[..]
        {
            self.bytes -= self.root.as_ref().map_or(0, |root| root.heap_bytes());
            self.root = Some(only.clone());
        }
        if self.len == 0 {
            *self = Ordered::default();
        }
        removed
    }

    /// The entry with the lowest key.
    pub fn first(&self) -> Option<(StreamId, &V)> {
        self.from(StreamId::MIN).next()
    }

    /// The entry with the highest key.
    pub fn last(&self) -> Option<(StreamId, &V)> {
        self.down_from(StreamId::MAX).next()
    }

    /// Entries from a key on, ascending.
    pub fn from(&self, start: StreamId) -> Walk<'_, V> {
        let mut walk = Walk { path: SmallVec::new(), descending: false };
        let mut next = self.root.as_deref();
        while let Some(node) = next {
            next = match node {
                Node::Leaf(entries) => {
                    walk.path.push((node, entries.partition_point(|entry| entry.0 < start)));
                    None
                }
                Node::Inner(children) => {
                    let at = child_of(children, start);
                    walk.path.push((node, at + 1));
                    Some(&*children[at].1)
                }
            };
        }
        walk
    }

    /// Entries from a key downwards, descending.
    pub fn down_from(&self, end: StreamId) -> Walk<'_, V> {
        let mut walk = Walk { path: SmallVec::new(), descending: true };
        let mut next = self.root.as_deref();
        while let Some(node) = next {
            next = match node {
                Node::Leaf(entries) => {
                    walk.path.push((node, entries.partition_point(|entry| entry.0 <= end)));
                    None
                }
                Node::Inner(children) => {
                    let at = child_of(children, end);
                    walk.path.push((node, at));
                    Some(&*children[at].1)
                }
            };
        }
        walk
    }

    /// All entries, ascending.
    pub fn iter(&self) -> Walk<'_, V> {
        self.from(StreamId::MIN)
    }
}

/// Entries in order; see [`Ordered::from`] and [`Ordered::down_from`].
#[derive(Clone)]
pub struct Walk<'a, V> {
    /// For each level its node, and which of its entries is next; descending, how many are left.
    path: SmallVec<[(&'a Node<V>, usize); LEVELS]>,
    descending: bool,
}

impl<'a, V> Iterator for Walk<'a, V> {
    type Item = (StreamId, &'a V);
    #[inline]
    fn next(&mut self) -> Option<(StreamId, &'a V)> {
        loop {
            let (node, place) = self.path.last_mut()?;
            let ended = if self.descending { *place == 0 } else { *place == node.len() };
            if ended {
                self.path.pop();
                continue;
            }
            let at = if self.descending { *place - 1 } else { *place };
            *place = if self.descending { at } else { at + 1 };
            match node {
                Node::Leaf(entries) => return entries.get(at).map(|(key, value)| (*key, value)),
                Node::Inner(children) => {
                    let child = &*children[at].1;
                    self.path.push((child, if self.descending { child.len() } else { 0 }));
                }
            }
        }
    }
}

/// A node that is to stand behind another, with its lowest key.
type Split<V> = Option<(StreamId, Arc<Node<V>>)>;

/// Inserts below a node; returns what was there, and the node that was split off.
fn insert_into<V: Clone>(
    shared: &mut Arc<Node<V>>,
    key: StreamId,
    value: V,
    bytes: &mut usize,
) -> (Option<V>, Split<V>) {
    let before = shared.heap_bytes();
    let node = Arc::make_mut(shared);
    let (replaced, split) = match node {
        Node::Leaf(entries) => {
            let is_behind = entries.last().is_none_or(|last| last.0 < key);
            let at = if is_behind { Err(entries.len()) } else { entries.binary_search_by(|entry| entry.0.cmp(&key)) };
            match at {
                Ok(at) => (Some(std::mem::replace(&mut entries[at].1, value)), None),
                Err(at) => (None, put_at(entries, at, (key, value)).map(|right| (right[0].0, Node::Leaf(right)))),
            }
        }
        Node::Inner(children) => {
            let at = child_of(children, key);
            let (replaced, split) = insert_into(&mut children[at].1, key, value, bytes);
            let split = split.and_then(|right| put_at(children, at + 1, right));
            (replaced, split.map(|right| (right[0].0, Node::Inner(right))))
        }
    };
    *bytes = *bytes + node.heap_bytes() - before + split.as_ref().map_or(0, |(_, right)| right.heap_bytes());
    (replaced, split.map(|(key, right)| (key, Arc::new(right))))
}

/// Inserts into the array of a node; returns what was split off, if it was full.
fn put_at<T>(entries: &mut Vec<(StreamId, T)>, at: usize, entry: (StreamId, T)) -> Option<Vec<(StreamId, T)>> {
    if entries.len() < FULL {
        entries.insert(at, entry);
        return None;
    }
    if at == FULL {
        return Some(vec![entry]);
    }
    let mut right = entries.split_off(FULL / 2);
    match at.checked_sub(FULL / 2 + 1) {
        Some(at) => right.insert(at + 1, entry),
        None => entries.insert(at, entry),
    }
    Some(right)
}

fn remove_from<V: Clone>(shared: &mut Arc<Node<V>>, key: StreamId, bytes: &mut usize) -> Option<V> {
    let before = shared.heap_bytes();
    let node = Arc::make_mut(shared);
    let removed = match node {
        Node::Leaf(entries) => {
            let at = entries.binary_search_by(|entry| entry.0.cmp(&key)).ok();
            at.map(|at| entries.remove(at).1)
        }
        Node::Inner(children) => {
            let at = child_of(children, key);
            let removed = remove_from(&mut children[at].1, key, bytes);
            settle(children, at, bytes);
            removed
        }
    };
    *bytes = *bytes + node.heap_bytes() - before;
    removed
}

/// Drops a child that has become empty, or joins it with a neighbour where both are short.
fn settle<V: Clone>(children: &mut Vec<(StreamId, Arc<Node<V>>)>, at: usize, bytes: &mut usize) {
    let len = children[at].1.len();
    if len == 0 {
        let (key, gone) = children.remove(at);
        *bytes -= gone.heap_bytes();
        if at == 0
            && let Some(first) = children.first_mut()
        {
            first.0 = key;
        }
        return;
    }
    let left = at.saturating_sub(1);
    if len >= SPARSE || left + 1 >= children.len() || children[left].1.len() + children[left + 1].1.len() > JOINED_MAX {
        return;
    }
    let (_, right) = children.remove(left + 1);
    *bytes -= right.heap_bytes() + children[left].1.heap_bytes();
    match (Arc::make_mut(&mut children[left].1), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(left), Node::Leaf(right)) => left.extend(right),
        (Node::Inner(left), Node::Inner(right)) => left.extend(right),
        _ => unreachable!("all leaves have the same depth"),
    }
    *bytes += children[left].1.heap_bytes();
}

#[cfg(test)]
mod tests;
