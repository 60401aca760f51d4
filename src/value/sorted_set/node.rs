//! The nodes of the tree: what they hold, how they are searched, split and merged.
//!
//! A **leaf** holds up to [`LEAF_MAX`] entries in order. An **inner** node holds children, how many entries are below
//! each, and between two neighbours a separator: an entry of its own that is greater than all on its left and at most
//! the least on its right. Nodes hang on `Arc`s: [`Books::own`] makes one exclusive before it is changed, by copying it
//! if a clone of the tree shares it.
//!
//! A full node splits in the middle, except the last of its level when it is appended to: that one stays full, so that
//! a set filled in order has no slack. A node that falls under a quarter is merged with a neighbour if both fit well
//! into one; there is no borrowing, so that nodes may be sparse, but never next to another sparse one for long. No node
//! is ever empty, except the root leaf of an empty tree.
//!
//! This is one of the audited modules with `unsafe`: it keeps the promises that `member.rs` asks for, and takes nodes
//! exclusively. Nothing in this folder makes a weak pointer to a node.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::Key;
use super::member::{Entry, MemberIndex, position};
use crate::value::thin::allocation_size;

/// Most entries of a leaf.
pub(super) const LEAF_MAX: usize = 128;
/// Most children of an inner node.
pub(super) const INNER_MAX: usize = 64;
/// A leaf's room grows by so many entries at a time.
const LEAF_STEP: usize = 16;
/// The two counters in front of what an `Arc` holds.
const ARC_BYTES: usize = 2 * size_of::<usize>();

pub(super) enum Node {
    Leaf(Vec<Entry>),
    Inner(Inner),
}

#[derive(Clone, Default)]
pub(super) struct Inner {
    /// One less than `nodes`: `separators[i]` stands between the children i and i + 1.
    pub(super) separators: Vec<Entry>,
    /// Entries below each child.
    pub(super) counts: Vec<usize>,
    pub(super) nodes: Vec<Arc<Node>>,
}

/// The right half of a node that was split, with the separator between the halves.
pub(super) struct Split {
    pub(super) separator: Entry,
    pub(super) right: Arc<Node>,
}

fn vec_bytes<T>(vec: &Vec<T>) -> usize {
    allocation_size(vec.capacity() * size_of::<T>())
}

impl Node {
    /// Entries of a leaf, children of an inner node.
    fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.nodes.len(),
        }
    }

    fn width_max(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF_MAX,
            Node::Inner(_) => INNER_MAX,
        }
    }

    /// Entries below.
    pub(super) fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.count_before(inner.counts.len()),
        }
    }

    /// Bytes of the node itself, without its entries' and separators' allocations.
    pub(super) fn shell_bytes(&self) -> usize {
        allocation_size(ARC_BYTES + size_of::<Node>())
            + match self {
                Node::Leaf(leaf) => vec_bytes(leaf),
                Node::Inner(inner) => inner.vec_bytes(),
            }
    }
}

impl Inner {
    /// The child below which `key` belongs.
    #[inline]
    pub(super) fn child_for(&self, key: &Key) -> usize {
        // A key equal to a separator belongs to the right of it.
        position(&self.separators, key, true)
    }

    /// Entries below the first `children`.
    #[inline]
    pub(super) fn count_before(&self, children: usize) -> usize {
        // Wrapping, which cannot happen, so that the sum is vectorised.
        self.counts[..children].iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }

    /// Whether `key` belongs below `child`.
    #[inline]
    pub(super) fn holds(&self, child: usize, key: &Key) -> bool {
        let from = child == 0 || !self.separators[child - 1].follows(key);
        from && self.separators.get(child).is_none_or(|separator| separator.follows(key))
    }

    fn vec_bytes(&self) -> usize {
        vec_bytes(&self.separators) + vec_bytes(&self.counts) + vec_bytes(&self.nodes)
    }
}

/// What a change of the nodes keeps up to date: the index of members and the bytes that nodes and members take.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) index: MemberIndex,
    pub(super) bytes: usize,
}

impl Books {
    /// The node, exclusively: as it is, or a copy in its place where a clone of the tree shares it.
    #[inline]
    pub(super) fn own<'n>(&mut self, node: &'n mut Arc<Node>) -> &'n mut Node {
        if Arc::strong_count(node) != 1 {
            self.replace_by_copy(node);
        }
        // Orders what the clones' threads did before they let go of the node before what is done here.
        fence(Ordering::Acquire);
        // SAFETY: the only strong pointer is borrowed exclusively, and there are no weak ones: nothing in this folder
        // makes any. This is `Arc::get_mut` without the atomic write that guards against those.
        unsafe { &mut *Arc::as_ptr(node).cast_mut() }
    }

    #[cold]
    fn replace_by_copy(&mut self, node: &mut Arc<Node>) {
        let copy = match &**node {
            Node::Inner(inner) => Node::Inner(inner.clone()),
            Node::Leaf(leaf) => {
                let mut copy = Vec::with_capacity(leaf.capacity());
                copy.extend(leaf.iter().cloned());
                for (old, new) in leaf.iter().zip(&copy) {
                    // SAFETY: the copies are clones, and go into the tree in place of the originals below.
                    unsafe { self.index.repoint(old, new) };
                }
                Node::Leaf(copy)
            }
        };
        self.bytes = self.bytes + copy.shell_bytes() - node.shell_bytes();
        *node = Arc::new(copy);
    }

    /// Counts the allocation of an entry or a separator that goes into the tree.
    fn count_in(&mut self, entry: &Entry) {
        self.bytes += entry.heap_bytes();
    }

    fn count_out(&mut self, entry: &Entry) {
        self.bytes -= entry.heap_bytes();
    }

    /// A new leaf of `entries`, which the index knows or is about to.
    pub(super) fn new_leaf(&mut self, entries: Vec<Entry>) -> Arc<Node> {
        let node = Node::Leaf(entries);
        self.bytes += node.shell_bytes();
        Arc::new(node)
    }

    pub(super) fn new_inner(&mut self, inner: Inner) -> Arc<Node> {
        let node = Node::Inner(inner);
        self.bytes += node.shell_bytes();
        Arc::new(node)
    }

    /// A separator with the key of `first`.
    pub(super) fn new_separator(&mut self, first: &Entry) -> Entry {
        self.count_in(first);
        first.clone()
    }

    fn leaf_insert(&mut self, leaf: &mut Vec<Entry>, at: usize, entry: Entry) {
        if leaf.len() == leaf.capacity() {
            self.bytes -= vec_bytes(leaf);
            let step = if leaf.len() < 2 * LEAF_STEP { LEAF_STEP / 2 } else { LEAF_STEP };
            leaf.reserve_exact(step);
            self.bytes += vec_bytes(leaf);
        }
        leaf.insert(at, entry);
    }

    /// Gives back room that a leaf has no use for.
    fn leaf_trim(&mut self, leaf: &mut Vec<Entry>) {
        if leaf.capacity() - leaf.len() > 2 * LEAF_STEP {
            self.bytes -= vec_bytes(leaf);
            leaf.shrink_to((leaf.len() + 1).next_multiple_of(LEAF_STEP));
            self.bytes += vec_bytes(leaf);
        }
    }

    /// Puts an entry below `node`. `last`: whether the node is the last of its level.
    pub(super) fn insert(&mut self, node: &mut Arc<Node>, entry: Entry, last: bool) -> Option<Split> {
        match self.own(node) {
            Node::Leaf(leaf) => {
                let key = entry.key();
                let at = position(leaf, &key, false);
                if leaf.len() < LEAF_MAX {
                    self.leaf_insert(leaf, at, entry);
                    return None;
                }
                Some(self.split_leaf(leaf, at, entry, last))
            }
            Node::Inner(inner) => {
                let child = inner.child_for(&entry.key());
                inner.counts[child] += 1;
                let last = last && child + 1 == inner.nodes.len();
                let split = self.insert(&mut inner.nodes[child], entry, last)?;
                let count = split.right.count();
                inner.counts[child] -= count;
                self.bytes -= inner.vec_bytes();
                inner.separators.insert(child, split.separator);
                inner.counts.insert(child + 1, count);
                inner.nodes.insert(child + 1, split.right);
                self.bytes += inner.vec_bytes();
                if inner.nodes.len() > INNER_MAX { Some(self.split_inner(inner, last)) } else { None }
            }
        }
    }

    fn split_leaf(&mut self, leaf: &mut Vec<Entry>, at: usize, entry: Entry, last: bool) -> Split {
        let appended = last && at == leaf.len();
        let middle = if appended { leaf.len() } else { leaf.len() / 2 };
        let mut right = leaf.split_off(middle);
        if !appended {
            self.leaf_trim(leaf);
        }
        // The right half is counted by `new_leaf`, when it has all its entries.
        if at <= middle && !appended {
            self.leaf_insert(leaf, at, entry);
        } else {
            right.reserve_exact(LEAF_STEP);
            right.insert(at - middle, entry);
        }
        let separator = self.new_separator(&right[0]);
        Split { separator, right: self.new_leaf(right) }
    }

    fn split_inner(&mut self, inner: &mut Inner, last: bool) -> Split {
        let middle = if last { inner.nodes.len() - 1 } else { inner.nodes.len() / 2 };
        self.bytes -= inner.vec_bytes();
        let right = Inner {
            separators: inner.separators.split_off(middle),
            counts: inner.counts.split_off(middle),
            nodes: inner.nodes.split_off(middle),
        };
        let Some(separator) = inner.separators.pop() else { unreachable!("an inner node of one child is split") };
        self.bytes += inner.vec_bytes();
        Split { separator, right: self.new_inner(right) }
    }

    /// Takes the entry with this key from below `node`; it stays in the index.
    pub(super) fn take(&mut self, node: &mut Arc<Node>, key: &Key) -> Option<Entry> {
        match self.own(node) {
            Node::Leaf(leaf) => {
                let at = position(leaf, key, false);
                if leaf.get(at)?.key() != *key {
                    return None;
                }
                let entry = leaf.remove(at);
                self.leaf_trim(leaf);
                Some(entry)
            }
            Node::Inner(inner) => {
                let child = inner.child_for(key);
                let entry = self.take(&mut inner.nodes[child], key)?;
                inner.counts[child] -= 1;
                self.settle(inner, child);
                Some(entry)
            }
        }
    }

    /// Takes the entries of rank `from..to` from below `node`, out of the index too, and shows them.
    pub(super) fn drain(
        &mut self,
        node: &mut Arc<Node>,
        (from, to): (usize, usize),
        visit: &mut dyn FnMut(&[u8], f64),
    ) {
        let inner = match self.own(node) {
            Node::Inner(inner) => inner,
            Node::Leaf(leaf) => {
                // Forgotten first, dropped after: a visitor that panics leaves no pointer behind in the index.
                for entry in &leaf[from..to] {
                    self.forget(entry, visit);
                }
                leaf.drain(from..to);
                self.leaf_trim(leaf);
                return;
            }
        };
        let (mut before, mut first) = (0, inner.nodes.len());
        for child in 0..inner.nodes.len() {
            let count = inner.counts[child];
            let (start, end) = (from.max(before) - before, to.min(before + count).max(before) - before);
            if start < end {
                first = first.min(child);
                if end - start == count {
                    self.release(&inner.nodes[child], visit);
                } else {
                    self.drain(&mut inner.nodes[child], (start, end), visit);
                }
                inner.counts[child] -= end - start;
            }
            before += count;
        }
        for child in (0..inner.nodes.len()).rev() {
            if inner.counts[child] == 0 {
                self.drop_child(inner, child);
            }
        }
        for child in [first + 1, first, first.saturating_sub(1)] {
            if child < inner.nodes.len() {
                self.settle(inner, child);
            }
        }
    }

    /// Takes an entry that is about to be dropped out of the books.
    pub(super) fn forget(&mut self, entry: &Entry, visit: &mut dyn FnMut(&[u8], f64)) {
        self.index.remove(entry);
        visit(entry.member(), entry.score());
        self.count_out(entry);
    }

    /// Takes all below a node that is about to be dropped out of the books: all but its own shell.
    fn release(&mut self, node: &Node, visit: &mut dyn FnMut(&[u8], f64)) {
        match node {
            Node::Leaf(leaf) => leaf.iter().for_each(|entry| self.forget(entry, visit)),
            Node::Inner(inner) => {
                inner.separators.iter().for_each(|separator| self.count_out(separator));
                for node in &inner.nodes {
                    self.release(node, visit);
                    self.bytes -= node.shell_bytes();
                }
            }
        }
    }

    /// After a removal below `child`: drops it when it is empty, merges it when it has become sparse.
    fn settle(&mut self, inner: &mut Inner, child: usize) {
        if inner.counts[child] == 0 {
            self.drop_child(inner, child);
            return;
        }
        let node = &inner.nodes[child];
        if node.width() < node.width_max() / 4 && !(child > 0 && self.merge(inner, child - 1)) {
            self.merge(inner, child);
        }
    }

    /// Drops a child below which nothing is left.
    fn drop_child(&mut self, inner: &mut Inner, child: usize) {
        self.bytes -= inner.nodes[child].shell_bytes();
        inner.nodes.remove(child);
        inner.counts.remove(child);
        if !inner.separators.is_empty() {
            let separator = inner.separators.remove(child.saturating_sub(1));
            self.count_out(&separator);
        }
    }

    /// Merges the children `left` and `left + 1` if they fit into one with some room to spare.
    fn merge(&mut self, inner: &mut Inner, left: usize) -> bool {
        let Some(right) = inner.nodes.get(left + 1) else { return false };
        if inner.nodes[left].width() + right.width() > right.width_max() * 3 / 4 {
            return false;
        }
        let mut right = inner.nodes.remove(left + 1);
        let separator = inner.separators.remove(left);
        inner.counts[left] += inner.counts.remove(left + 1);
        let from = self.own(&mut right);
        self.bytes -= from.shell_bytes();
        let into = self.own(&mut inner.nodes[left]);
        self.bytes -= into.shell_bytes();
        match (&mut *into, from) {
            (Node::Leaf(into), Node::Leaf(from)) => {
                into.reserve_exact(from.len());
                into.append(from);
                self.count_out(&separator);
            }
            (Node::Inner(into), Node::Inner(from)) => {
                into.separators.push(separator);
                into.separators.append(&mut from.separators);
                into.counts.append(&mut from.counts);
                into.nodes.append(&mut from.nodes);
            }
            _ => unreachable!("a leaf beside an inner node"),
        }
        self.bytes += into.shell_bytes();
        true
    }

    /// Counts a new entry and puts it into the index.
    pub(super) fn enter(&mut self, hash: u64, entry: &Entry) {
        self.count_in(entry);
        // SAFETY: every caller puts the entry into a leaf of this tree, and `forget` is what lets go of it.
        unsafe { self.index.insert(hash, entry) };
    }
}
