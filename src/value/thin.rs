//! `Thin`: owned bytes behind a single pointer.
//!
//! A `Box<[u8]>` costs sixteen bytes where it is stored, because its length travels with the pointer. Tables here hold
//! eight-byte slots, so the length lives in front of the bytes instead: one allocation is
//! `[length: LEB128, 1 to 5 bytes][payload]`. Members of sets, fields of hashes and whole records are `Thin`s.
//!
//! This is one of the audited modules with `unsafe`. Its invariants: the pointer is non-null, was allocated with
//! alignment 1 and exactly `prefix_len(len) + len` bytes, and the prefix always encodes `len`.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::base::limits::THIN_BYTES_MAX;

/// Owned bytes behind one pointer; see the module's text for the layout.
pub struct Thin(NonNull<u8>);

// SAFETY: a `Thin` owns its allocation exclusively, like a `Box<[u8]>`.
unsafe impl Send for Thin {}
// SAFETY: a shared `Thin` only hands out `&[u8]`.
unsafe impl Sync for Thin {}

/// Bytes that the length prefix takes.
const fn prefix_len(len: usize) -> usize {
    match len {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        0x20_0000..=0x0fff_ffff => 4,
        _ => 5,
    }
}

fn layout(total: usize) -> Layout {
    // SAFETY: alignment 1 is a power of two, and `total` is at most THIN_BYTES_MAX + 5, far below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(total, 1) }
}

/// Bytes that the allocator really hands out for a request of `size` bytes: classes of 8 bytes up to 64, then four
/// classes per doubling. The binary's allocator is set up with these classes; others are close to them.
pub const fn allocation_size(size: usize) -> usize {
    if size <= 64 {
        (size + 7) & !7
    } else {
        let step = 1usize << (usize::BITS - (size - 1).leading_zeros() - 3);
        (size + step - 1) & !(step - 1)
    }
}

impl Thin {
    /// One allocation that holds `parts`, one after the other.
    ///
    /// # Panics
    /// When the parts are longer than [`THIN_BYTES_MAX`] together; callers move longer values elsewhere before.
    pub fn from_parts(parts: &[&[u8]]) -> Thin {
        let len = parts.iter().map(|p| p.len()).sum();
        let mut new = Thin::allocate(len);
        // SAFETY: `allocate` reserved `len` bytes of payload, and the parts add up to `len`.
        unsafe {
            let mut at = new.payload_mut();
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at = at.add(part.len());
            }
        }
        new
    }

    /// An allocation whose payload of `len` bytes is not initialised yet; private, every caller fills it.
    fn allocate(len: usize) -> Thin {
        assert!(len <= THIN_BYTES_MAX, "a thin value of {len} bytes");
        let total = prefix_len(len) + len;
        // SAFETY: `total` is at least 1.
        let pointer = unsafe { alloc(layout(total)) };
        let Some(pointer) = NonNull::new(pointer) else { handle_alloc_error(layout(total)) };
        // SAFETY: the allocation has room for the prefix.
        unsafe { write_prefix(pointer.as_ptr(), len) };
        Thin(pointer)
    }

    /// `(prefix, payload)` lengths as the prefix tells them.
    #[inline(always)]
    fn lengths(&self) -> (usize, usize) {
        // SAFETY: the prefix is always initialised.
        let first = unsafe { *self.0.as_ptr() } as usize;
        if first < 0x80 { (1, first) } else { self.long_lengths() }
    }

    /// The lengths of a payload of 128 bytes or more.
    fn long_lengths(&self) -> (usize, usize) {
        let (mut len, mut i) = (0, 0);
        loop {
            // SAFETY: the prefix is initialised, and ends with a byte below 0x80.
            let byte = unsafe { *self.0.as_ptr().add(i) } as usize;
            len |= (byte & 0x7f) << (7 * i);
            i += 1;
            if byte < 0x80 {
                return (i, len);
            }
        }
    }

    fn payload_mut(&mut self) -> *mut u8 {
        let (prefix, _) = self.lengths();
        // SAFETY: the payload follows the prefix in the same allocation.
        unsafe { self.0.as_ptr().add(prefix) }
    }

    /// Replaces `removed` bytes at offset `at` by `inserted`, moving the tail; the allocation changes only where its
    /// size does.
    ///
    /// # Panics
    /// When `at + removed` lies behind the end, or the result is longer than [`THIN_BYTES_MAX`].
    pub fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        let (prefix, len) = self.lengths();
        let added: usize = inserted.iter().map(|p| p.len()).sum();
        assert!(at <= len && removed <= len - at);
        let new_len = len - removed + added;
        assert!(new_len <= THIN_BYTES_MAX, "a thin value of {new_len} bytes");
        if added == removed {
            // The commonest edit, a value overwritten by one of the same length, moves nothing.
            let mut rest = &mut self[at..at + removed];
            for part in inserted {
                let (head, tail) = rest.split_at_mut(part.len());
                head.copy_from_slice(part);
                rest = tail;
            }
            return;
        }
        let new_prefix = prefix_len(new_len);
        let (old_total, new_total) = (prefix + len, new_prefix + new_len);
        // SAFETY: every copy below stays within max(old_total, new_total) bytes of the allocation, which is grown
        // before and shrunk after the moves. The prefix is rewritten last. `inserted` cannot alias `self`: it is
        // borrowed mutably.
        unsafe {
            if new_total > old_total {
                self.resize(old_total, new_total);
            }
            let base = self.0.as_ptr();
            let tail = len - at - removed;
            if new_prefix >= prefix {
                std::ptr::copy(base.add(prefix + at + removed), base.add(new_prefix + at + added), tail);
                std::ptr::copy(base.add(prefix), base.add(new_prefix), at);
            } else {
                std::ptr::copy(base.add(prefix), base.add(new_prefix), at);
                std::ptr::copy(base.add(prefix + at + removed), base.add(new_prefix + at + added), tail);
            }
            let mut to = base.add(new_prefix + at);
            for part in inserted {
                std::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
                to = to.add(part.len());
            }
            write_prefix(base, new_len);
            if new_total < old_total {
                self.resize(old_total, new_total);
            }
        }
    }

    /// Moves the allocation to another size; the caller writes the prefix.
    ///
    /// # Safety
    /// `old_total` is the allocation's size, and `new_total` at least 1.
    unsafe fn resize(&mut self, old_total: usize, new_total: usize) {
        // SAFETY: the caller's promise is `realloc`'s.
        let pointer = unsafe { realloc(self.0.as_ptr(), layout(old_total), new_total) };
        let Some(pointer) = NonNull::new(pointer) else { handle_alloc_error(layout(new_total)) };
        self.0 = pointer;
    }

    /// Bytes that this value holds from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        let (prefix, len) = self.lengths();
        allocation_size(prefix + len)
    }

    /// Where the allocation starts, for a prefetch; never to be dereferenced by the caller.
    #[inline]
    pub fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

/// # Safety
/// `p` has room for `prefix_len(len)` bytes.
unsafe fn write_prefix(p: *mut u8, len: usize) {
    let (mut rest, mut i) = (len, 0);
    loop {
        let byte = (rest & 0x7f) as u8;
        rest >>= 7;
        let more = if rest == 0 { 0 } else { 0x80 };
        // SAFETY: at most `prefix_len(len)` bytes are written.
        unsafe { *p.add(i) = byte | more };
        i += 1;
        if rest == 0 {
            return;
        }
    }
}

impl Drop for Thin {
    fn drop(&mut self) {
        let (prefix, len) = self.lengths();
        // SAFETY: this is the size that the allocation was last given.
        unsafe { dealloc(self.0.as_ptr(), layout(prefix + len)) }
    }
}

impl Clone for Thin {
    fn clone(&self) -> Thin {
        Thin::from_parts(&[self])
    }
}

impl Deref for Thin {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        let (prefix, len) = self.lengths();
        // SAFETY: the payload of `len` initialised bytes follows the prefix.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(prefix), len) }
    }
}

impl DerefMut for Thin {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        let (prefix, len) = self.lengths();
        // SAFETY: as in `deref`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(prefix), len) }
    }
}

impl std::fmt::Debug for Thin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thin({:?})", String::from_utf8_lossy(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_and_long_values_keep_their_bytes() {
        let longest = if cfg!(miri) { 20_000 } else { 3_000_000 };
        for len in [0, 1, 127, 128, 129, 16_383, 16_384, 70_000, 3_000_000].into_iter().filter(|len| *len <= longest) {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let thin = Thin::from_parts(&[&bytes[..len / 2], &bytes[len / 2..]]);
            assert_eq!(&thin[..], &bytes[..]);
            assert_eq!(&thin.clone()[..], &bytes[..]);
        }
    }

    #[test]
    fn allocation_sizes_follow_the_classes() {
        for (asked, got) in
            [(1, 8), (24, 24), (31, 32), (64, 64), (65, 80), (96, 96), (97, 112), (129, 160), (577, 640)]
        {
            assert_eq!(allocation_size(asked), got, "for {asked}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 256 }))]
        #[test]
        fn splice_is_vec_splice(start in proptest::collection::vec(any::<u8>(), 0..300),
                                edits in proptest::collection::vec((any::<u16>(), any::<u16>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..20)) {
            let mut model = start.clone();
            let mut thin = Thin::from_parts(&[&start]);
            for (at, removed, inserted) in edits {
                let at = at as usize % (model.len() + 1);
                let removed = removed as usize % (model.len() - at + 1);
                model.splice(at..at + removed, inserted.iter().copied());
                let half = inserted.len() / 2;
                thin.splice(at, removed, &[&inserted[..half], &inserted[half..]]);
                prop_assert_eq!(&thin[..], &model[..]);
            }
        }
    }
}
