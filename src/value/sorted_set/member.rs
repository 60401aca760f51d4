//! One member of a big sorted set, and the index from a member's bytes to it.
//!
//! A member is one allocation, `[score: f64, 8 bytes][member]`, that a leaf of the tree owns; the leaf keeps a copy of
//! the score beside the pointer, so that searching seldom touches the allocation. The index holds a second,
//! **non-owning** pointer to the same allocation: eight bytes per member give its score without a look at the tree.
//!
//! This is one of the audited modules with `unsafe`. The invariant, which `tree.rs` keeps with three rules: *every
//! pointer of an index leads to an entry that a leaf under the same tree's root owns*.
//! 1. A new entry is indexed when it goes into a leaf ([`MemberIndex::insert`]), and leaves the index before it is
//!    dropped ([`MemberIndex::remove`]).
//! 2. An entry may move between leaves: its allocation stays where it is.
//! 3. A leaf that a clone of the tree shares is never changed. The writer copies its entries and turns its own index to
//!    the copies ([`MemberIndex::repoint`]) before it lets go of the shared leaf; the clone keeps the originals, to
//!    which its own index still points.
//!
//! What is absent: nothing here hands out a pointer or a reference that outlives the borrow of the index.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::Key;
use crate::value::table::{self, Basis, Table};
use crate::value::thin::Thin;

/// Bytes of the score in front of the member.
const SCORE_BYTES: usize = size_of::<f64>();

fn score_of(allocation: &Thin) -> f64 {
    let mut score = [0; SCORE_BYTES];
    score.copy_from_slice(&allocation[..SCORE_BYTES]);
    f64::from_le_bytes(score)
}

/// A member and its score, as a leaf owns them. The score here and the one in the allocation are always the same.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    score: f64,
    allocation: Thin,
}

impl Entry {
    pub(super) fn new(member: &[u8], score: f64) -> Entry {
        Entry { score, allocation: Thin::from_parts(&[&score.to_le_bytes(), member]) }
    }

    #[inline]
    pub(super) fn score(&self) -> f64 {
        self.score
    }

    #[inline]
    pub(super) fn member(&self) -> &[u8] {
        &self.allocation[SCORE_BYTES..]
    }

    #[inline]
    pub(super) fn key(&self) -> Key<'_> {
        Key { score: self.score, member: self.member() }
    }

    /// Whether the entry comes before `key`; reads the member only where the scores are equal.
    #[inline]
    pub(super) fn precedes(&self, key: &Key) -> bool {
        self.score < key.score || (self.score == key.score && self.member() < key.member)
    }

    /// Whether the entry comes after `key`.
    #[inline]
    pub(super) fn follows(&self, key: &Key) -> bool {
        self.score > key.score || (self.score == key.score && self.member() > key.member)
    }

    #[inline]
    pub(super) fn set_score(&mut self, score: f64) {
        self.score = score;
        self.allocation[..SCORE_BYTES].copy_from_slice(&score.to_le_bytes());
    }

    /// Bytes of the member's allocation.
    pub(super) fn heap_bytes(&self) -> usize {
        self.allocation.heap_bytes()
    }
}

/// How many of `entries`, which are in order, come before `key`; with `or_at` those at it count too.
///
/// Searches by score alone first, which needs neither a branch nor a member, and then among those that tie.
#[inline]
pub(super) fn position(entries: &[Entry], key: &Key, or_at: bool) -> usize {
    let lower = entries.partition_point(|entry| entry.score < key.score);
    if entries.get(lower).is_none_or(|entry| entry.score > key.score) {
        return lower;
    }
    let ties = &entries[lower..];
    let ties = if ties.get(1).is_none_or(|entry| entry.score > key.score) { &ties[..1] } else { ties };
    lower + ties.partition_point(|entry| if or_at { !entry.follows(key) } else { entry.precedes(key) })
}

/// A pointer to the allocation of an [`Entry`] that somebody else owns.
struct MemberRef(ManuallyDrop<Thin>);

impl MemberRef {
    /// # Safety
    /// The reference and its clones are not read any more when the entry's allocation is freed.
    unsafe fn to(entry: &Entry) -> MemberRef {
        // SAFETY: reads a valid `Thin`; `ManuallyDrop` keeps the copy from freeing what it does not own, and no `&mut`
        // is ever made from the copy.
        MemberRef(ManuallyDrop::new(unsafe { std::ptr::read(&entry.allocation) }))
    }

    #[inline]
    fn member(&self) -> &[u8] {
        &self.0[SCORE_BYTES..]
    }

    #[inline]
    fn leads_to(&self, entry: &Entry) -> bool {
        self.0.address() == entry.allocation.address()
    }
}

impl Clone for MemberRef {
    fn clone(&self) -> MemberRef {
        // SAFETY: as in `MemberRef::to`; only the pointer is read here, which may already lead nowhere.
        MemberRef(ManuallyDrop::new(unsafe { std::ptr::read(&*self.0) }))
    }
}

impl table::Entry for MemberRef {
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(self.member())
    }
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

/// From members to their entries. A clone shares everything until one side changes.
#[derive(Clone)]
pub(super) struct MemberIndex(Arc<Table<MemberRef>>);

impl MemberIndex {
    pub(super) fn new(basis: &Basis) -> MemberIndex {
        MemberIndex(Arc::new(Table::new(basis.clone())))
    }

    #[inline]
    pub(super) fn hash(&self, member: &[u8]) -> u64 {
        self.0.basis().hash(member)
    }

    /// The score of the member with this hash.
    #[inline]
    pub(super) fn score(&self, hash: u64, member: &[u8]) -> Option<f64> {
        self.0.find(hash, |found| found.member() == member).map(|found| score_of(&found.0))
    }

    /// Adds a member that is not in the index yet.
    ///
    /// # Safety
    /// The entry's allocation outlives its stay in the index: see the rules in the module's text.
    pub(super) unsafe fn insert(&mut self, hash: u64, entry: &Entry) {
        // SAFETY: the caller's promise.
        Arc::make_mut(&mut self.0).insert(hash, unsafe { MemberRef::to(entry) });
    }

    /// Forgets an entry, which may be dropped then.
    pub(super) fn remove(&mut self, entry: &Entry) {
        let hash = self.hash(entry.member());
        let removed = Arc::make_mut(&mut self.0).remove(hash, |found| found.leads_to(entry));
        debug_assert!(removed.is_some(), "a member of the tree is missing in its index");
    }

    /// Turns the pointer to `old` to its copy.
    ///
    /// # Safety
    /// `copy` has the same member, and its allocation outlives its stay in the index.
    pub(super) unsafe fn repoint(&mut self, old: &Entry, copy: &Entry) {
        let hash = self.hash(copy.member());
        let found = Arc::make_mut(&mut self.0).find_mut(hash, |found| found.leads_to(old));
        debug_assert!(found.is_some(), "a member of the tree is missing in its index");
        if let Some(found) = found {
            // SAFETY: the caller's promise.
            *found = unsafe { MemberRef::to(copy) };
        }
    }

    /// Visits some members in hash order; see [`Table::scan`].
    pub(super) fn scan(&self, position: u64, mut visit: impl FnMut(&[u8], f64)) -> Option<u64> {
        self.0.scan(position, |found| visit(found.member(), score_of(&found.0)))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes() + size_of::<Table<MemberRef>>()
    }
}
