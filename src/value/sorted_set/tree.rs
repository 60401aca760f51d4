//! The big form: an order-statistics B+tree over the entries, and an index of the members.
//!
//! Every inner node knows how many entries are below each child, so that ranks cost one descent. All ranges reduce to
//! ranks: [`Tree::partition`] finds how many entries lie before a bound, and an iteration walks from rank to rank. It
//! looks a leaf up from the root when it has finished the one before, since nodes that clones share cannot be chained.
//!
//! [`Tree::clone`] is a snapshot and costs O(1): root and index are shared until one side writes, which then copies the
//! nodes on its way. Either side may be written to, read or dropped, on any thread.

use std::ops::Range;
use std::sync::Arc;

use super::Key;
use super::member::{Entry, MemberIndex, position};
use super::node::{Books, Inner, LEAF_MAX, Node};
use crate::value::table::Basis;

/// Entries of a leaf in a tree that is built at once: full but for some room, so that the first insertions do not split.
const LEAF_BUILT: usize = LEAF_MAX * 7 / 8;
/// Children of an inner node in such a tree.
const INNER_BUILT: usize = super::node::INNER_MAX * 7 / 8;

/// A sorted set as a tree; see the module's text.
#[derive(Clone)]
pub struct Tree {
    root: Arc<Node>,
    books: Books,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter(0..self.len())).finish()
    }
}

impl Tree {
    /// An empty tree.
    pub fn new(basis: &Basis) -> Tree {
        Tree::from_sorted(Vec::new(), basis)
    }

    /// A tree of entries that are in order, without duplicates.
    pub(super) fn from_sorted(entries: Vec<Entry>, basis: &Basis) -> Tree {
        let mut books = Books { index: MemberIndex::new(basis), bytes: 0 };
        for entry in &entries {
            books.enter(basis.hash(entry.member()), entry);
        }
        Tree::over(entries, books)
    }

    /// A tree of entries that are in order, unless a member occurs twice among them.
    pub(super) fn from_sorted_if_distinct(entries: Vec<Entry>, basis: &Basis) -> Option<Tree> {
        let mut books = Books { index: MemberIndex::new(basis), bytes: 0 };
        for entry in &entries {
            let hash = basis.hash(entry.member());
            if books.index.score(hash, entry.member()).is_some() {
                // The index leads to the entries: it goes before them.
                drop(books);
                return None;
            }
            books.enter(hash, entry);
        }
        Some(Tree::over(entries, books))
    }

    /// The tree of entries that are in order and in the books.
    fn over(entries: Vec<Entry>, mut books: Books) -> Tree {
        let mut level = Vec::with_capacity(entries.len().div_ceil(LEAF_BUILT));
        let mut entries = entries.into_iter();
        while entries.len() > LEAF_BUILT {
            let leaf: Vec<Entry> = entries.by_ref().take(LEAF_BUILT).collect();
            let first = leaf[0].clone();
            level.push((first, books.new_leaf(leaf)));
        }
        // A single leaf is the root, which may be empty and has no separator.
        let leaf: Vec<Entry> = entries.collect();
        if level.is_empty() {
            return Tree { root: books.new_leaf(leaf), books };
        }
        level.push((leaf[0].clone(), books.new_leaf(leaf)));
        while level.len() > 1 {
            level = build_level(&mut books, level);
        }
        let Some((_, root)) = level.pop() else { unreachable!("a level of a tree is empty") };
        Tree { root, books }
    }

    /// Entries held.
    #[inline]
    pub fn len(&self) -> usize {
        self.books.index.len()
    }

    /// Whether the tree holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of nodes, members and index, in O(1). What only a clone holds any more is not counted.
    pub fn heap_bytes(&self) -> usize {
        self.books.bytes + self.books.index.heap_bytes()
    }

    /// The score of a member, by the index.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.books.index.score(self.books.index.hash(member), member)
    }

    /// Decides by the member's score, if it is here, whether to give it another; returns the score before.
    pub fn upsert(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Option<f64> {
        let hash = self.books.index.hash(member);
        let old = self.books.index.score(hash, member);
        if let Some(score) = decide(old) {
            match old {
                // Zeros of either sign are one score, as for the order of entries.
                Some(old) if old == score => {}
                Some(old) => self.change_score(member, old, score),
                None => {
                    let entry = Entry::new(member, score);
                    self.books.enter(hash, &entry);
                    self.place(entry);
                }
            }
        }
        old
    }

    /// Puts an indexed entry into its leaf.
    fn place(&mut self, entry: Entry) {
        let Some(split) = self.books.insert(&mut self.root, entry, true) else { return };
        let counts = vec![self.root.count(), split.right.count()];
        // The old root needs a stand-in for the moment in which it moves below the new one.
        let left = self.root.clone();
        let inner = Inner { separators: vec![split.separator], counts, nodes: vec![left, split.right] };
        self.root = self.books.new_inner(inner);
    }

    fn change_score(&mut self, member: &[u8], old: f64, new: f64) {
        let (old, new) = (Key { score: old, member }, Key { score: new, member });
        let mut node = &mut self.root;
        // As long as both keys belong below the same child, nothing but the leaf changes.
        loop {
            match self.books.own(node) {
                Node::Inner(inner) => {
                    let child = inner.child_for(&old);
                    if !inner.holds(child, &new) {
                        break;
                    }
                    node = &mut inner.nodes[child];
                }
                Node::Leaf(leaf) => {
                    move_within(leaf, &old, &new);
                    return;
                }
            }
        }
        if let Some(mut entry) = self.books.take(&mut self.root, &old) {
            self.lower_root();
            entry.set_score(new.score);
            self.place(entry);
        }
    }

    /// Removes a member; returns the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.score(member)?;
        let entry = self.books.take(&mut self.root, &Key { score, member })?;
        self.books.forget(&entry, &mut |_, _| {});
        self.lower_root();
        Some(score)
    }

    /// Removes the entries with these ranks, and shows them in ascending order.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, visit: &mut dyn FnMut(&[u8], f64)) {
        let end = ranks.end.min(self.len());
        if ranks.start < end {
            self.books.drain(&mut self.root, (ranks.start, end), visit);
            self.lower_root();
        }
    }

    /// Takes away root nodes of one child.
    fn lower_root(&mut self) {
        loop {
            let below = match &*self.root {
                Node::Inner(inner) if inner.nodes.is_empty() => self.books.new_leaf(Vec::new()),
                Node::Inner(inner) if inner.nodes.len() == 1 => inner.nodes[0].clone(),
                _ => return,
            };
            self.books.bytes -= self.root.shell_bytes();
            self.root = below;
        }
    }

    /// How many entries lie before a bound: `before` holds for a first part of the entries and no other.
    #[inline]
    pub(super) fn partition(&self, before: impl Fn(&Entry) -> bool) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match &**node {
                Node::Leaf(leaf) => return rank + leaf.partition_point(&before),
                Node::Inner(inner) => {
                    let child = inner.separators.partition_point(&before);
                    rank += inner.count_before(child);
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// How many entries come before a member.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let key = Key { score: self.score(member)?, member };
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match &**node {
                Node::Leaf(leaf) => return Some(rank + position(leaf, &key, false)),
                Node::Inner(inner) => {
                    let child = inner.child_for(&key);
                    rank += inner.count_before(child);
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// The leaf that holds a rank which exists, and where in it.
    fn leaf_at(&self, rank: usize) -> (&[Entry], usize) {
        let (mut node, mut rest) = (&self.root, rank);
        loop {
            match &**node {
                Node::Leaf(leaf) => return (leaf, rest),
                Node::Inner(inner) => {
                    let mut child = 0;
                    while rest >= inner.counts[child] {
                        rest -= inner.counts[child];
                        child += 1;
                    }
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// The entries with these ranks, from either end.
    pub fn iter(&self, ranks: Range<usize>) -> TreeIter<'_> {
        let end = ranks.end.min(self.len());
        TreeIter { tree: self, ranks: ranks.start.min(end)..end, front: &[], back: &[] }
    }

    /// Visits some entries in hash order; see [`crate::value::table::Table::scan`].
    pub fn scan(&self, position: u64, visit: impl FnMut(&[u8], f64)) -> Option<u64> {
        self.books.index.scan(position, visit)
    }
}

/// The inner nodes above a level of nodes, each with a copy of its first entry.
fn build_level(books: &mut Books, level: Vec<(Entry, Arc<Node>)>) -> Vec<(Entry, Arc<Node>)> {
    let mut above = Vec::with_capacity(level.len().div_ceil(INNER_BUILT));
    let mut level = level.into_iter();
    while let Some((first, node)) = level.next() {
        let mut inner = Inner { separators: Vec::new(), counts: vec![node.count()], nodes: vec![node] };
        for (separator, node) in level.by_ref().take(INNER_BUILT - 1) {
            inner.separators.push(books.new_separator(&separator));
            inner.counts.push(node.count());
            inner.nodes.push(node);
        }
        above.push((first, books.new_inner(inner)));
    }
    above
}

/// Gives the entry at `old` the key `new`, which belongs into the same leaf.
fn move_within(leaf: &mut [Entry], old: &Key, new: &Key) {
    let at = position(leaf, old, false);
    leaf[at].set_score(new.score);
    let (before, rest) = leaf.split_at(at);
    if before.last().is_some_and(|entry| !entry.precedes(new)) {
        let to = position(before, new, false);
        leaf[to..=at].rotate_right(1);
    } else if rest.get(1).is_some_and(|entry| entry.precedes(new)) {
        let passed = position(&rest[1..], new, false);
        leaf[at..=at + passed].rotate_left(1);
    }
}

/// Entries of a range of ranks; see [`Tree::iter`].
#[derive(Clone)]
pub struct TreeIter<'a> {
    tree: &'a Tree,
    /// Ranks of which no leaf has been looked up yet.
    ranks: Range<usize>,
    /// What is left of the leaf that iteration from the front is in.
    front: &'a [Entry],
    back: &'a [Entry],
}

impl<'a> Iterator for TreeIter<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.front.is_empty() && !self.ranks.is_empty() {
            let (leaf, at) = self.tree.leaf_at(self.ranks.start);
            self.front = &leaf[at..leaf.len().min(at + self.ranks.len())];
            self.ranks.start += self.front.len();
        }
        let from = if self.front.is_empty() { &mut self.back } else { &mut self.front };
        let (entry, rest) = from.split_first()?;
        *from = rest;
        Some((entry.member(), entry.score()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.ranks.len() + self.front.len() + self.back.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for TreeIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.back.is_empty() && !self.ranks.is_empty() {
            let (leaf, at) = self.tree.leaf_at(self.ranks.end - 1);
            self.back = &leaf[(at + 1).saturating_sub(self.ranks.len())..=at];
            self.ranks.end -= self.back.len();
        }
        let from = if self.back.is_empty() { &mut self.front } else { &mut self.back };
        let (entry, rest) = from.split_last()?;
        *from = rest;
        Some((entry.member(), entry.score()))
    }
}

impl ExactSizeIterator for TreeIter<'_> {}

#[cfg(test)]
mod tests;
