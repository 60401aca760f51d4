//! Huge pages for memory that has grown, once it rests.
//!
//! Half of what a lookup in a big dataset waits for is the translation of addresses, and huge pages (2 MiB) do away with
//! it. Asked for ahead (jemalloc's `thp:always`), they are cleared whole by whoever touches one first: a batch of writes
//! that met a few of them took 6 ms where the others took half a millisecond. So memory grows by small pages, and a
//! thread of the binary has the kernel collapse them (`MADV_COLLAPSE`, Linux 6.1) when the process has stopped growing
//! for a second: a collapse copies its pages, about 2 ms of work each, which only a dataset that stays is worth. A region of which the allocator has given a page back is left alone: collapsing it would bring that back.
//!
//! This is one of the audited modules with `unsafe`. Its invariant: both calls get page-aligned ranges of the process
//! and change nothing that a program can read.
#![allow(unsafe_code)]

use std::ops::Range;
use std::time::Duration;

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;
/// Bytes of a page.
const PAGE: usize = 4096;
/// How often the size of the process is looked at.
const PERIOD: Duration = Duration::from_millis(100);
/// Growth that is worth a pass, in bytes.
const GROWTH_MIN: usize = 16 << 20;
/// Growth within a period that still counts as rest, in bytes.
const REST_MAX: usize = 1 << 20;
/// Periods of rest before a pass.
const RESTS: u32 = 3;
/// The pause behind each collapse: others wait for none of them longer than for one.
const PACE: Duration = Duration::from_millis(2);

/// Starts the thread; it ends with the process.
///
/// # Errors
/// When it cannot be started.
pub fn start() -> std::io::Result<()> {
    std::thread::Builder::new().name("pipkin-pages".into()).spawn(run).map(drop)
}

fn run() {
    let mut collapsed = resident_bytes();
    let mut before = collapsed;
    let mut rests = 0;
    loop {
        std::thread::park_timeout(PERIOD);
        let now = resident_bytes();
        rests = if now.saturating_sub(before) < REST_MAX { rests + 1 } else { 0 };
        before = now;
        // What was freed may come back elsewhere.
        collapsed = collapsed.min(now);
        if rests >= RESTS && now - collapsed >= GROWTH_MIN {
            if collapse_all().is_err() {
                // This kernel does not do it, or may not.
                return;
            }
            collapsed = resident_bytes();
        }
        rests = rests.min(RESTS);
    }
}

/// Bytes of the process in memory; 0 where that is not known.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.map_or(0, |pages| pages.saturating_mul(PAGE))
}

/// Collapses every huge page's range of anonymous memory that is all there.
fn collapse_all() -> std::io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    for range in maps.lines().filter_map(anonymous) {
        let first = range.start.next_multiple_of(HUGE);
        for start in (first..range.end.saturating_sub(HUGE - 1)).step_by(HUGE) {
            if is_present(start) {
                collapse(start)?;
                std::thread::park_timeout(PACE);
            }
        }
    }
    Ok(())
}

/// The range of a line of `/proc/self/maps` that is private, writable, of no file and without a name.
fn anonymous(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (range, mode, inode) = (fields.next()?, fields.next()?, fields.nth(2)?);
    if mode != "rw-p" || inode != "0" || fields.next().is_some() {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

/// Whether all pages of the huge one at `start` are in memory; not so where the range is not mapped any more.
fn is_present(start: usize) -> bool {
    let mut present = [0_u8; HUGE / PAGE];
    // SAFETY: one byte for each page of the range is written; an address that is not mapped is an error.
    let outcome = unsafe { libc::mincore(std::ptr::without_provenance_mut(start), HUGE, present.as_mut_ptr()) };
    outcome == 0 && present.iter().all(|page| page & 1 == 1)
}

/// Collapses the pages of one huge page.
fn collapse(start: usize) -> std::io::Result<()> {
    // SAFETY: the call changes how memory is mapped, and not what is in it.
    let outcome = unsafe { libc::madvise(std::ptr::without_provenance_mut(start), HUGE, libc::MADV_COLLAPSE) };
    match std::io::Error::last_os_error() {
        _ if outcome == 0 => Ok(()),
        // Not supported, or forbidden for the process; anything else concerns this range alone.
        error if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EPERM | libc::ENOSYS)) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_anonymous_memory_is_looked_at() {
        assert_eq!(
            anonymous("7f0000000000-7f0000400000 rw-p 00000000 00:00 0 "),
            Some(0x7f00_0000_0000..0x7f00_0040_0000)
        );
        for line in [
            "7f0000000000-7f0000400000 r--p 00000000 00:00 0 ",
            "7f0000000000-7f0000400000 rw-s 00000000 00:00 0 ",
            "7f0000000000-7f0000400000 rw-p 00001000 fe:00 1234 /usr/lib/libc.so.6",
            "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]",
            "",
        ] {
            assert_eq!(anonymous(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_collapsed_stays_what_it_was() {
        let mut memory = vec![0_u8; 4 * HUGE];
        memory.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at % 251) as u8);
        let start = memory.as_ptr().addr().next_multiple_of(HUGE);
        assert!(is_present(start));
        // A kernel that does not do it leaves the memory as it was, too.
        collapse(start).ok();
        assert!(memory.iter().enumerate().all(|(at, &byte)| byte == (at % 251) as u8));
        assert!(resident_bytes() > HUGE);
        assert!(!is_present(0), "nothing is mapped there");
    }
}
