//! The shape that Redis 7.2 would give a list: what OBJECT ENCODING answers, kept beside the real structure.
//!
//! Redis keeps a list as one listpack until a command would push it over `list-max-listpack-size`; then as a quicklist,
//! a chain of listpack nodes. It goes back when a command has removed something, one node is left, and that is at most
//! half of the limit. Whether one node is left depends on how the nodes were filled, so a quicklist's nodes are followed
//! here by their size and count, 16 bytes per node of 8 KiB.
//!
//! Sizes are those of the listpack format: seven bytes for an empty one, and [`entry_bytes`] for each entry.

use std::collections::VecDeque;
use std::ops::Range;

use super::End;
use crate::value::listpack_size::{EMPTY_BYTES, of_value as entry_bytes};

/// What a quicklist adds to a value's length when it estimates whether it fits a node.
const ESTIMATE_BYTES: usize = 8;
/// Largest node when the setting limits the entries, in bytes.
const NODE_BYTES_MAX: usize = 8192;

/// `list-max-listpack-size`: positive, the most entries of a listpack; negative, -1 to -5, its most bytes, 4 KiB to
/// 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// The setting as configured.
    pub listpack_size: i64,
}

impl ListLimits {
    fn bytes(&self) -> Option<usize> {
        (self.listpack_size < 0).then(|| 4096 << (self.listpack_size.max(-5).unsigned_abs() - 1))
    }

    fn entries(&self) -> usize {
        usize::try_from(self.listpack_size).unwrap_or(0).max(1)
    }

    /// Whether a listpack of this size is over the limit.
    pub fn exceeded(&self, bytes: usize, entries: usize) -> bool {
        match self.bytes() {
            Some(most) => bytes > most,
            None => bytes > NODE_BYTES_MAX || entries > self.entries(),
        }
    }

    fn halved(&self, bytes: usize, entries: usize) -> bool {
        match self.bytes() {
            Some(most) => bytes <= most / 2,
            None => entries <= self.entries() / 2,
        }
    }
}

/// One node of a quicklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    bytes: usize,
    entries: usize,
}

impl Node {
    fn with(bytes: usize) -> Node {
        Node { bytes: EMPTY_BYTES + bytes, entries: 1 }
    }

    /// The node that holds these values.
    pub fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Node {
        values.fold(Node { bytes: EMPTY_BYTES, entries: 0 }, |mut node, value| {
            node.add(entry_bytes(value));
            node
        })
    }

    /// Values in the node.
    pub fn entries(&self) -> usize {
        self.entries
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.entries += 1;
    }

    fn admits(&self, value: &[u8], limits: &ListLimits) -> bool {
        !limits.exceeded(self.bytes + value.len() + ESTIMATE_BYTES, self.entries + 1)
    }
}

/// On which side of a pivot a value goes (LINSERT).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards the head.
    Before,
    /// Towards the tail.
    After,
}

/// The shape of a list.
#[derive(Clone, Debug)]
pub enum Shape {
    /// One listpack of so many bytes.
    Listpack {
        /// Its size.
        bytes: usize,
    },
    /// A quicklist with these nodes.
    Quicklist(VecDeque<Node>),
}

impl Shape {
    /// The shape of a small list with these values.
    pub fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Shape {
        Shape::Listpack { bytes: EMPTY_BYTES + values.map(entry_bytes).sum::<usize>() }
    }

    /// Ends the loading of a list from a file: a single node within the limits is a listpack.
    pub fn after_loading(&mut self, limits: &ListLimits) {
        if let Shape::Quicklist(nodes) = self
            && nodes.len() == 1
            && limits.bytes().map_or(nodes[0].entries <= limits.entries(), |most| nodes[0].bytes <= most)
        {
            *self = Shape::Listpack { bytes: nodes[0].bytes };
        }
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Shape::Listpack { .. } => 0,
            Shape::Quicklist(nodes) => nodes.capacity() * size_of::<Node>(),
        }
    }

    /// Says that a command is about to add values, `added` of them with `added_bytes` bytes, to a list of `len`.
    pub fn before_growth(&mut self, len: usize, added: usize, added_bytes: usize, limits: &ListLimits) {
        if let Shape::Listpack { bytes } = *self
            && limits.exceeded(bytes + added_bytes, len + added)
        {
            let node = Node { bytes, entries: len };
            *self = Shape::Quicklist(if len == 0 { VecDeque::new() } else { VecDeque::from([node]) });
        }
    }

    /// Says that a command has removed or replaced values.
    pub fn after_removal(&mut self, limits: &ListLimits) {
        if let Shape::Quicklist(nodes) = self
            && nodes.len() == 1
            && limits.halved(nodes[0].bytes, nodes[0].entries)
        {
            *self = Shape::Listpack { bytes: nodes[0].bytes };
        }
    }

    /// A value was added at one end.
    pub fn push(&mut self, end: End, value: &[u8], limits: &ListLimits) {
        let size = entry_bytes(value);
        match self {
            Shape::Listpack { bytes } => *bytes += size,
            Shape::Quicklist(nodes) => {
                let node = match end {
                    End::Head => nodes.front_mut(),
                    End::Tail => nodes.back_mut(),
                };
                match (node.filter(|node| node.admits(value, limits)), end) {
                    (Some(node), _) => node.add(size),
                    (None, End::Head) => nodes.push_front(Node::with(size)),
                    (None, End::Tail) => nodes.push_back(Node::with(size)),
                }
            }
        }
    }

    /// A value was replaced by another.
    pub fn replace(&mut self, index: usize, old: &[u8], new: &[u8]) {
        let (old, new) = (entry_bytes(old), entry_bytes(new));
        let bytes = match self {
            Shape::Listpack { bytes } => bytes,
            Shape::Quicklist(nodes) => {
                let (at, _) = locate(nodes, index);
                &mut nodes[at].bytes
            }
        };
        *bytes = *bytes + new - old;
    }

    /// The `count` values at one end were removed; `sizes` gives the sum of [`entry_bytes`] over indices as they were
    /// before, of a list of `len`.
    pub fn drop_end(&mut self, end: End, count: usize, len: usize, sizes: impl Fn(Range<usize>) -> usize) {
        let nodes = match self {
            Shape::Listpack { bytes } => {
                *bytes -= sizes(if end == End::Head { 0..count } else { len - count..len });
                return;
            }
            Shape::Quicklist(nodes) => nodes,
        };
        let mut rest = count;
        while rest > 0 {
            let node = match end {
                End::Head => nodes.front_mut(),
                End::Tail => nodes.back_mut(),
            };
            let Some(node) = node else { return };
            if node.entries > rest {
                let gone = count - rest..count;
                let gone = if end == End::Head { gone } else { len - gone.end..len - gone.start };
                node.bytes -= sizes(gone);
                node.entries -= rest;
                break;
            }
            rest -= node.entries;
            match end {
                End::Head => nodes.pop_front(),
                End::Tail => nodes.pop_back(),
            };
        }
        if nodes.len() * 4 < nodes.capacity() {
            nodes.shrink_to(nodes.len() * 2);
        }
    }

    /// Copies of one value were removed from these ascending indices.
    pub fn remove_copies(&mut self, indices: &[usize], value: &[u8]) {
        let size = entry_bytes(value);
        match self {
            Shape::Listpack { bytes } => *bytes -= size * indices.len(),
            Shape::Quicklist(nodes) => {
                let (mut first, mut rest) = (0, indices);
                for node in nodes.iter_mut() {
                    first += node.entries;
                    let here = rest.partition_point(|&index| index < first);
                    node.entries -= here;
                    node.bytes -= here * size;
                    rest = &rest[here..];
                }
                nodes.retain(|node| node.entries > 0);
            }
        }
    }

    /// A value was inserted beside the one at `pivot`; `sizes` as in [`Shape::drop_end`], without the new value.
    pub fn insert(
        &mut self,
        pivot: usize,
        side: Side,
        value: &[u8],
        limits: &ListLimits,
        sizes: impl Fn(Range<usize>) -> usize,
    ) {
        let size = entry_bytes(value);
        let nodes = match self {
            Shape::Listpack { bytes } => {
                *bytes += size;
                return;
            }
            Shape::Quicklist(nodes) => nodes,
        };
        let (at, first) = locate(nodes, pivot);
        let node = nodes[at];
        if node.admits(value, limits) {
            return nodes[at].add(size);
        }
        let at_edge = pivot == if side == Side::After { first + node.entries - 1 } else { first };
        if at_edge {
            // The neighbour on that side takes the value, or a new node between the two does.
            let neighbour = if side == Side::After { Some(at + 1) } else { at.checked_sub(1) };
            match neighbour.and_then(|i| nodes.get_mut(i)).filter(|node| node.admits(value, limits)) {
                Some(node) => node.add(size),
                None => nodes.insert(at + (side == Side::After) as usize, Node::with(size)),
            }
            return;
        }
        // A full node is split at the pivot, which stays in its node; the value goes to the other half.
        let moved = if side == Side::After { pivot + 1..first + node.entries } else { first..pivot };
        let mut half = Node { bytes: EMPTY_BYTES + sizes(moved.clone()), entries: moved.len() };
        nodes[at].bytes -= half.bytes - EMPTY_BYTES;
        nodes[at].entries -= half.entries;
        half.add(size);
        nodes.insert(at + (side == Side::After) as usize, half);
        let center = at + (side == Side::Before) as usize;
        merge_around(nodes, center, limits);
    }
}

/// The node that holds the entry at `index`, and the index of its first entry.
fn locate(nodes: &VecDeque<Node>, index: usize) -> (usize, usize) {
    let mut first = 0;
    for (at, node) in nodes.iter().enumerate() {
        if index < first + node.entries {
            return (at, first);
        }
        first += node.entries;
    }
    unreachable!("index {index} of {first} entries");
}

/// Merges nodes around a split as far as the limits allow, in the order Redis does it.
fn merge_around(nodes: &mut VecDeque<Node>, center: usize, limits: &ListLimits) {
    let mut center = center;
    if center >= 2 && merge(nodes, center - 2, limits) {
        center -= 1;
    }
    merge(nodes, center + 1, limits);
    if center >= 1 && merge(nodes, center - 1, limits) {
        center -= 1;
    }
    merge(nodes, center, limits);
}

/// Merges the node at `left` with the next one, if both are there and small enough.
fn merge(nodes: &mut VecDeque<Node>, left: usize, limits: &ListLimits) -> bool {
    let (Some(&a), Some(&b)) = (nodes.get(left), nodes.get(left + 1)) else { return false };
    let merged = Node { bytes: a.bytes + b.bytes - EMPTY_BYTES, entries: a.entries + b.entries };
    if limits.exceeded(merged.bytes, merged.entries) {
        return false;
    }
    nodes[left] = merged;
    nodes.remove(left + 1);
    true
}

#[cfg(test)]
impl Shape {
    /// Checks the sizes against the values.
    pub(super) fn verify<'a>(&self, mut values: impl Iterator<Item = &'a [u8]>) {
        match self {
            Shape::Listpack { bytes } => {
                assert_eq!(*bytes, EMPTY_BYTES + values.by_ref().map(entry_bytes).sum::<usize>())
            }
            Shape::Quicklist(nodes) => {
                for node in nodes {
                    assert!(node.entries > 0);
                    let bytes = values.by_ref().take(node.entries).map(entry_bytes).sum::<usize>();
                    assert_eq!(node.bytes, EMPTY_BYTES + bytes);
                }
            }
        }
        assert!(values.next().is_none());
    }
}
