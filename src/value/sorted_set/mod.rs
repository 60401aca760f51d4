//! The sorted set: members with scores, ordered by score, then by the member's bytes.
//!
//! Two forms behind one face. Small sets are **packed** bytes in the record ([`packed`]); from the limits on a set is a
//! **tree** for ever ([`tree`]): an order-statistics B+tree (`node.rs`) with an index of its members (`member.rs`).
//! [`SortedSet`] reads and [`SortedSetMut`] changes either.
//!
//! All ranges are ranges of ranks: [`SortedSet::ranks_by_score`] and [`SortedSet::ranks_by_lex`] translate bounds in
//! O(log n), so that a count is the length of a range, `LIMIT` is arithmetic on it, and iteration
//! ([`SortedSet::range`], from either end) and removal ([`SortedSetMut::remove_ranks`]) take nothing else.
//!
//! Scores compare as numbers: zeros of either sign are equal. NaN never enters; the callers see to that.

mod member;
mod node;
pub mod packed;
pub mod tree;

use std::cmp::Ordering;
use std::ops::Range;

use self::member::Entry;
use self::packed::{Packed, PackedIter, Upsert};
pub use self::tree::Tree;
use self::tree::TreeIter;
use super::packed::{Detached, Form, Home, PackedLimits};
use super::table::Basis;

/// Where an entry stands in the order.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Key<'a> {
    score: f64,
    member: &'a [u8],
}

/// A point between two entries.
enum Cut<'a> {
    /// Before all entries.
    Start,
    /// Behind all entries.
    End,
    /// Before the entries of this score, or behind them.
    Score { score: f64, behind: bool },
    /// Before this member, or behind it; the scores are taken as equal.
    Member { member: &'a [u8], behind: bool },
}

impl Cut<'_> {
    /// Whether the cut comes after an entry.
    fn is_after(&self, score: f64, member: &[u8]) -> bool {
        match *self {
            Cut::Start => false,
            Cut::End => true,
            Cut::Score { score: cut, behind } => score < cut || (behind && score == cut),
            Cut::Member { member: cut, behind } => member < cut || (behind && member == cut),
        }
    }

    /// How many entries of a tree lie before the cut; members are read only where they decide.
    fn rank_in(&self, tree: &Tree) -> usize {
        match *self {
            Cut::Start => 0,
            Cut::End => tree.len(),
            Cut::Score { score, behind: false } => tree.partition(|entry| entry.score() < score),
            Cut::Score { score, behind: true } => tree.partition(|entry| entry.score() <= score),
            Cut::Member { .. } => tree.partition(|entry| self.is_after(0.0, entry.member())),
        }
    }
}

/// Scores from `min` to `max`, as in `ZRANGEBYSCORE`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// Least score.
    pub min: f64,
    /// Greatest score.
    pub max: f64,
    /// Whether `min` itself is left out.
    pub min_exclusive: bool,
    /// Whether `max` itself is left out.
    pub max_exclusive: bool,
}

/// One end of a range of members, as in `ZRANGEBYLEX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`, before every member.
    Min,
    /// `+`, behind every member.
    Max,
    /// `[member`
    Included(&'a [u8]),
    /// `(member`
    Excluded(&'a [u8]),
}

impl<'a> LexBound<'a> {
    /// The cut at this bound when it is the lower one (`upper` false) or the upper one of a range.
    fn cut(self, upper: bool) -> Cut<'a> {
        match self {
            LexBound::Min => Cut::Start,
            LexBound::Max => Cut::End,
            LexBound::Included(member) => Cut::Member { member, behind: upper },
            LexBound::Excluded(member) => Cut::Member { member, behind: !upper },
        }
    }
}

/// What `OBJECT ENCODING` calls the form of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Packed bytes: `listpack`.
    Listpack,
    /// A tree: `skiplist`.
    Skiplist,
}

/// A sorted set, to be read.
#[derive(Clone, Copy)]
pub struct SortedSet<'a>(Repr<'a>);

#[derive(Clone, Copy)]
enum Repr<'a> {
    Packed(Packed<'a>),
    Tree(&'a Tree),
}

impl<'a> SortedSet<'a> {
    /// A face for a home's [`Home::form`].
    pub fn new(form: Form<&'a [u8], &'a Tree>) -> Self {
        SortedSet(match form {
            Form::Packed(bytes) => Repr::Packed(Packed(bytes)),
            Form::Big(tree) => Repr::Tree(tree),
        })
    }

    /// Members held.
    pub fn len(&self) -> usize {
        match self.0 {
            Repr::Packed(packed) => packed.len(),
            Repr::Tree(tree) => tree.len(),
        }
    }

    /// Whether the set has no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The form of the set, by its name.
    pub fn encoding(&self) -> Encoding {
        match self.0 {
            Repr::Packed(_) => Encoding::Listpack,
            Repr::Tree(_) => Encoding::Skiplist,
        }
    }

    /// Bytes that the set owns outside of its home: none when packed. O(1).
    pub fn heap_bytes(&self) -> usize {
        match self.0 {
            Repr::Packed(_) => 0,
            Repr::Tree(tree) => tree.heap_bytes(),
        }
    }

    /// The score of a member. O(1) in a tree.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.0 {
            Repr::Packed(packed) => packed.find(member).map(|item| item.key.score),
            Repr::Tree(tree) => tree.score(member),
        }
    }

    /// How many members come before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match self.0 {
            Repr::Packed(packed) => packed.rank(member),
            Repr::Tree(tree) => tree.rank(member),
        }
    }

    /// How many members come behind this one.
    pub fn reverse_rank(&self, member: &[u8]) -> Option<usize> {
        self.rank(member).map(|rank| self.len() - 1 - rank)
    }

    /// The entry of a rank, for `ZRANDMEMBER` with a drawn rank too.
    pub fn at(&self, rank: usize) -> Option<(&'a [u8], f64)> {
        self.range(rank..rank.saturating_add(1)).next()
    }

    /// The ranks of the members with a score in `range`; empty where the bounds cross.
    pub fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let start = Cut::Score { score: range.min, behind: range.min_exclusive };
        self.between(start, Cut::Score { score: range.max, behind: !range.max_exclusive })
    }

    /// The ranks of the members from `min` to `max`. Means something where all scores are equal, as in Redis.
    pub fn ranks_by_lex(&self, min: LexBound, max: LexBound) -> Range<usize> {
        self.between(min.cut(false), max.cut(true))
    }

    fn between(&self, start: Cut, end: Cut) -> Range<usize> {
        let rank = |cut: &Cut| match self.0 {
            Repr::Packed(packed) => packed.partition(cut),
            Repr::Tree(tree) => cut.rank_in(tree),
        };
        let start = rank(&start);
        start..rank(&end).max(start)
    }

    /// All members with their scores, in order.
    pub fn iter(&self) -> Iter<'a> {
        self.range(0..self.len())
    }

    /// The members with these ranks, with their scores; `.rev()` for the reverse commands. Ranks that do not exist are
    /// left out. The first takes O(log n), from either end.
    pub fn range(&self, ranks: Range<usize>) -> Iter<'a> {
        match self.0 {
            Repr::Packed(packed) => Iter(IterRepr::Packed(packed.iter(ranks))),
            Repr::Tree(tree) => Iter(IterRepr::Tree(tree.iter(ranks))),
        }
    }

    /// One step of `ZSCAN`: visits some members from `position` on, and says where to go on; starts at 0. A packed set
    /// is visited in one step.
    pub fn scan(&self, position: u64, mut visit: impl FnMut(&[u8], f64)) -> Option<u64> {
        match self.0 {
            Repr::Packed(_) => {
                self.iter().for_each(|(member, score)| visit(member, score));
                None
            }
            Repr::Tree(tree) => tree.scan(position, visit),
        }
    }
}

/// Members with their scores; see [`SortedSet::range`].
#[derive(Clone)]
pub struct Iter<'a>(IterRepr<'a>);

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "lives on the stack for one command, and must not allocate")]
enum IterRepr<'a> {
    Packed(PackedIter<'a>),
    Tree(TreeIter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Packed(iter) => iter.next(),
            IterRepr::Tree(iter) => iter.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = match &self.0 {
            IterRepr::Packed(iter) => iter.left(),
            IterRepr::Tree(iter) => iter.len(),
        };
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Packed(iter) => iter.next_back(),
            IterRepr::Tree(iter) => iter.next_back(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A sorted set, to be changed. The owner drops a set that has become empty.
pub struct SortedSetMut<'a, H>(&'a mut H);

impl<'a, H: Home<Tree>> SortedSetMut<'a, H> {
    /// A face for the set that lives in `home`.
    pub fn new(home: &'a mut H) -> Self {
        SortedSetMut(home)
    }

    /// The set, to be read.
    pub fn read(&self) -> SortedSet<'_> {
        SortedSet::new(self.0.form())
    }

    /// Gives a member a score; returns the score it had. A new member may turn a packed set into a tree.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &PackedLimits, basis: &Basis) -> Option<f64> {
        self.upsert(member, limits, basis, |_| Some(score))
    }

    /// The same with one lookup where the score depends on the one before: `decide` is told the member's score, `None`
    /// for a new member, and says which it gets, `None` for no change. Returns the score before.
    pub fn upsert(
        &mut self,
        member: &[u8],
        limits: &PackedLimits,
        basis: &Basis,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Option<f64> {
        let score = match self.0.form_mut() {
            Form::Big(tree) => return tree.upsert(member, decide),
            Form::Packed(mut bytes) => match packed::upsert(&mut bytes, member, limits, decide) {
                Upsert::Done(old) => return old,
                Upsert::Full(score) => score,
            },
        };
        self.promote(basis);
        if let Form::Big(tree) = self.0.form_mut() {
            tree.upsert(member, |_| Some(score));
        }
        None
    }

    /// Turns a packed set into a tree, for a caller that knows it will not stay small.
    pub fn promote(&mut self, basis: &Basis) {
        if let Form::Packed(bytes) = self.0.form() {
            let entries = Packed(bytes).items().map(|item| Entry::new(item.key.member, item.key.score)).collect();
            self.0.promote(Tree::from_sorted(entries, basis));
        }
    }

    /// Removes a member; returns the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.0.form_mut() {
            Form::Packed(mut bytes) => packed::remove(&mut bytes, member),
            Form::Big(tree) => tree.remove(member),
        }
    }

    /// Removes the members with these ranks, shows them in order, and returns how many they were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut visit: impl FnMut(&[u8], f64)) -> usize {
        let end = ranks.end.min(self.read().len());
        if ranks.start >= end {
            return 0;
        }
        let ranks = ranks.start..end;
        match self.0.form_mut() {
            Form::Packed(mut bytes) => packed::remove_ranks(&mut bytes, ranks.clone(), &mut visit),
            Form::Big(tree) => tree.remove_ranks(ranks.clone(), &mut visit),
        }
        ranks.len()
    }

    /// Removes up to `count` members from the low end, shows them from the lowest on, and returns how many they were.
    pub fn pop_min(&mut self, count: usize, visit: impl FnMut(&[u8], f64)) -> usize {
        self.remove_ranks(0..count, visit)
    }

    /// Removes up to `count` members from the high end, shows them from the highest on, and returns how many they were.
    pub fn pop_max(&mut self, count: usize, mut visit: impl FnMut(&[u8], f64)) -> usize {
        let len = self.read().len();
        let ranks = len.saturating_sub(count)..len;
        self.read().range(ranks.clone()).rev().for_each(|(member, score)| visit(member, score));
        self.remove_ranks(ranks, |_, _| {})
    }
}

/// A whole sorted set at once, from members that occur once each, in any order.
pub fn collect<M: AsRef<[u8]>>(
    members: impl IntoIterator<Item = (M, f64)>,
    limits: &PackedLimits,
    basis: &Basis,
) -> Detached<Tree> {
    let entries = members.into_iter().map(|(member, score)| Entry::new(member.as_ref(), score));
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort_unstable_by(|a, b| a.key().partial_cmp(&b.key()).unwrap_or(Ordering::Equal));
    Detached(match packed::pack(entries.iter().map(Entry::key), limits) {
        Some(bytes) => Form::Packed(bytes),
        None => Form::Big(Tree::from_sorted(entries, basis)),
    })
}

/// Appends the packed form of distinct members, which are in order, to `out`; false, and nothing happens, where the
/// limits want a tree.
pub fn pack<'a>(
    members: impl Iterator<Item = (&'a [u8], f64)> + Clone,
    limits: &PackedLimits,
    out: &mut Vec<u8>,
) -> bool {
    packed::pack_into(members, limits, out)
}

/// Whether one entry comes before another.
pub fn in_order(before: (&[u8], f64), behind: (&[u8], f64)) -> bool {
    Key { score: before.1, member: before.0 } < Key { score: behind.1, member: behind.0 }
}

/// The members of a big sorted set on their way into a tree, in any order.
#[derive(Default)]
pub struct TreeBuilder(Vec<Entry>);

impl TreeBuilder {
    /// Adds a member, whose score is a number.
    pub fn push(&mut self, member: &[u8], score: f64) {
        self.0.push(Entry::new(member, score));
    }

    /// The tree, unless a member occurs twice.
    pub fn finish(self, basis: &Basis) -> Option<Tree> {
        let mut entries = self.0;
        entries.sort_unstable_by(|a, b| a.key().partial_cmp(&b.key()).unwrap_or(Ordering::Equal));
        Tree::from_sorted_if_distinct(entries, basis)
    }
}

#[cfg(test)]
mod tests;
