//! `Bucket`: seven entries and a word that tells which of them to look at, in one cache line.

use crate::value::table::Entry;

/// Entries per bucket.
pub(super) const SLOTS: usize = 7;
/// The lowest bit of each slot's tag.
const LOW: u64 = 0x0001_0101_0101_0101;
/// The highest bit of each slot's tag.
const HIGH: u64 = 0x0080_8080_8080_8080;
/// Where the flags are in [`Bucket::head`]: bit i of them says that the entry of slot i is displaced, its home is the
/// bucket before.
const FLAGS: u32 = 56;
/// An entry whose home is here sits in the next bucket.
const OVERFLOWED: u64 = 0x80 << FLAGS;

/// See the module's text.
#[repr(C, align(64))]
pub(super) struct Bucket<E> {
    /// Byte i < 7 is the tag of slot i, a byte of its entry's hash; 0 where the slot is empty. The last byte: flags.
    head: u64,
    slots: [Option<E>; SLOTS],
}

/// The slot that a bit of [`Bucket::matches`] speaks of.
#[inline]
fn slot_of(bits: u64) -> usize {
    (bits.trailing_zeros() / 8) as usize
}

impl<E> Bucket<E> {
    pub fn empty() -> Self {
        const { assert!(size_of::<Option<E>>() == 8 && size_of::<Bucket<E>>() == 64) };
        Bucket { head: 0, slots: [const { None }; SLOTS] }
    }

    /// The highest bit of every slot whose tag may equal `tag`; the lowest of them is certain.
    #[inline]
    fn matches(&self, tag: u8) -> u64 {
        let x = self.head ^ (LOW * u64::from(tag));
        x.wrapping_sub(LOW) & !x & HIGH
    }

    #[inline]
    pub fn is_displaced(&self, slot: usize) -> bool {
        (self.head >> FLAGS >> slot) & 1 != 0
    }

    #[inline]
    pub fn is_overflowed(&self) -> bool {
        self.head & OVERFLOWED != 0
    }

    #[inline]
    pub fn set_overflowed(&mut self, overflowed: bool) {
        self.head = self.head & !OVERFLOWED | if overflowed { OVERFLOWED } else { 0 };
    }

    /// Slot whose tag and entry match, among the displaced entries or among those at home.
    #[inline]
    pub fn find(&self, tag: u8, displaced: bool, eq: &mut impl FnMut(&E) -> bool) -> Option<usize> {
        let mut found = self.matches(tag);
        while found != 0 {
            let slot = slot_of(found);
            if self.is_displaced(slot) == displaced && self.slots[slot].as_ref().is_some_and(&mut *eq) {
                return Some(slot);
            }
            found &= found - 1;
        }
        None
    }

    /// The first entry with this tag.
    #[inline]
    pub fn candidate(&self, tag: u8) -> Option<&E> {
        let found = self.matches(tag);
        if found == 0 { None } else { self.slots[slot_of(found)].as_ref() }
    }

    #[inline]
    pub fn free_slot(&self) -> Option<usize> {
        let free = self.matches(0);
        (free != 0).then(|| slot_of(free))
    }

    #[inline]
    pub fn put(&mut self, slot: usize, tag: u8, displaced: bool, entry: E) {
        self.head = self.bare_head(slot) | u64::from(tag) << (8 * slot) | u64::from(displaced) << FLAGS << slot;
        self.slots[slot] = Some(entry);
    }

    /// The head without what it says of a slot.
    #[inline]
    fn bare_head(&self, slot: usize) -> u64 {
        self.head & !(0xff << (8 * slot) | 1 << FLAGS << slot)
    }

    pub fn take(&mut self, slot: usize) -> Option<(u8, E)> {
        let tag = (self.head >> (8 * slot)) as u8;
        self.head = self.bare_head(slot);
        self.slots[slot].take().map(|entry| (tag, entry))
    }

    pub fn home_slot(&self) -> Option<usize> {
        (0..SLOTS).find(|&slot| self.slots[slot].is_some() && !self.is_displaced(slot))
    }

    pub fn displaced_slot(&self) -> Option<usize> {
        (0..SLOTS).find(|&slot| self.is_displaced(slot))
    }

    /// The entry in a slot.
    #[inline]
    pub fn entry(&self, slot: usize) -> Option<&E> {
        self.slots[slot].as_ref()
    }

    /// The entry in a slot, to be changed.
    #[inline]
    pub fn entry_mut(&mut self, slot: usize) -> Option<&mut E> {
        self.slots[slot].as_mut()
    }

    /// The entries, whose tags stay behind: the bucket is about to go.
    #[inline]
    pub fn drain(&mut self) -> impl Iterator<Item = E> {
        self.slots.iter_mut().filter_map(Option::take)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.slots.iter().flatten()
    }

    /// The entries at home, or those displaced from the bucket before.
    pub fn iter_of(&self, displaced: bool) -> impl Iterator<Item = &E> {
        let slots = self.slots.iter().enumerate();
        slots.filter(move |(slot, _)| self.is_displaced(*slot) == displaced).filter_map(|(_, entry)| entry.as_ref())
    }
}

impl<E: Entry> Clone for Bucket<E> {
    fn clone(&self) -> Self {
        Bucket { head: self.head, slots: self.slots.clone() }
    }
}
