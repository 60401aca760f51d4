//! Asks the processor to fetch a cache line before it is needed. An audited module with `unsafe`: a prefetch never
//! faults, whatever the address, and reads nothing as far as the program can tell.
#![allow(unsafe_code)]

/// Starts fetching the line at `address` for reading.
#[inline(always)]
pub fn read(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: PREFETCHT0 has no architectural effect and does not fault on any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
