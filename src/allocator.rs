//! The binary's allocator: jemalloc with size classes of 8 bytes, and every alignment kept all the same.
//!
//! `tikv_jemallocator` takes for granted that what is 16 bytes or longer is aligned to 16. With classes of 24, 40 and
//! 56 bytes (see `.cargo/config.toml`) it is not: the standard library's hash tables, which ask for that alignment with
//! sizes that are no multiple of it, came back misaligned. A size that is rounded up to a multiple of its alignment
//! falls into a class that keeps it.
//!
//! This is one of the audited modules with `unsafe`. Its invariant: memory is given back and resized with the same
//! rounding with which it was asked for.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// See the module's text.
pub struct Allocator;

/// Alignment that every size class has.
const ALIGNMENT_OF_ALL: usize = 8;

#[inline]
fn rounded(layout: Layout) -> Layout {
    if layout.align() > ALIGNMENT_OF_ALL { layout.pad_to_align() } else { layout }
}

// SAFETY: all calls go to an allocator that is sound by itself, with sizes that are never smaller than asked for.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; rounding keeps a size above zero.
        unsafe { Jemalloc.alloc(rounded(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { Jemalloc.alloc_zeroed(rounded(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise and the module's invariant.
        unsafe { Jemalloc.dealloc(pointer, rounded(layout)) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size`, rounded up to the alignment, is a valid size; the module's invariant.
        unsafe {
            let new = rounded(Layout::from_size_align_unchecked(size, layout.align()));
            Jemalloc.realloc(pointer, rounded(layout), new.size())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alignment_is_kept() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in 1..300 {
                let layout = Layout::from_size_align(size, align).expect("a layout");
                // SAFETY: allocated, resized and given back with the same layout, and not touched in between.
                unsafe {
                    let pointers: Vec<*mut u8> = (0..4).map(|_| Allocator.alloc(layout)).collect();
                    for pointer in pointers {
                        assert_eq!(pointer.align_offset(align), 0, "{size} bytes aligned to {align}");
                        let pointer = Allocator.realloc(pointer, layout, size + 5);
                        assert_eq!(pointer.align_offset(align), 0, "{size} bytes aligned to {align}, resized");
                        Allocator.dealloc(pointer, Layout::from_size_align_unchecked(size + 5, align));
                    }
                }
            }
        }
    }
}
