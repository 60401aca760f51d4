//! HyperLogLog, byte for byte as Redis stores it, because clients GET, SET and DUMP these strings.
//!
//! ```text
//! "HYLL" | encoding: 1 | unused: 3 | cached count: 8, little-endian, top bit set when it is stale | registers
//! ```
//!
//! An element's hash names one of 16,384 registers (its low 14 bits) and a rank (trailing zeros of the rest, plus 1); a
//! register keeps the highest rank it has seen. Registers are packed in 6 bits each ([`dense`]) or run-length coded
//! ([`sparse`]) until the code outgrows a limit or a rank outgrows the code. The count comes from the histogram of the
//! registers ([`estimate`]).
//!
//! The bytes may come from anybody (`SET key HYLL…`): a head that does not fit is not a HyperLogLog at all
//! ([`is_valid`]), and runs that do not add up are [`Corrupt`]; nothing here trusts them.

mod dense;
mod estimate;
mod hash;
mod sparse;
#[cfg(test)]
mod tests;

use sparse::Change;

/// Number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// Bytes of a dense HyperLogLog.
pub const DENSE_LEN: usize = HEADER_LEN + REGISTERS * 6 / 8;

const INDEX_BITS: u32 = 14;
const HEADER_LEN: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const COUNT_AT: usize = 8;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;

/// The runs of a sparse HyperLogLog do not cover its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("corrupted HyperLogLog")]
pub struct Corrupt;

/// An element's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    register: usize,
    rank: u8,
}

impl Mark {
    #[inline]
    fn of(element: &[u8]) -> Mark {
        let hash = hash::murmur64(element);
        // The bit behind the last one bounds the rank, to 51.
        let tail = hash >> INDEX_BITS | 1 << (64 - INDEX_BITS);
        Mark { register: hash as usize & (REGISTERS - 1), rank: tail.trailing_zeros() as u8 + 1 }
    }
}

/// An empty HyperLogLog: sparse, with a count of zero that is up to date.
///
/// PFADD and PFMERGE mark the count of a key that they create as stale, see [`invalidate`].
pub fn create() -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[ENCODING_AT] = SPARSE;
    bytes.extend_from_slice(&sparse::EMPTY);
    bytes
}

/// Whether `bytes` look like a HyperLogLog: magic, a known encoding, and the length of a dense one. Every other
/// function here requires it, and answers [`Corrupt`] (or does nothing) without it.
#[inline]
pub fn is_valid(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER_LEN
        && bytes.starts_with(MAGIC)
        && match bytes[ENCODING_AT] {
            DENSE => bytes.len() == DENSE_LEN,
            encoding => encoding == SPARSE,
        }
}

/// Whether a valid HyperLogLog is dense; then it keeps its length for ever, and [`add_dense`] can change it in place.
#[inline]
pub fn is_dense(bytes: &[u8]) -> bool {
    bytes.len() == DENSE_LEN && bytes[ENCODING_AT] == DENSE
}

/// Marks the cached count as stale.
#[inline]
pub fn invalidate(bytes: &mut [u8]) {
    if let Some(top) = bytes.get_mut(COUNT_AT + 7) {
        *top |= 0x80;
    }
}

/// Adds an element to a dense HyperLogLog, and tells whether a register has changed; false for any other.
#[inline]
pub fn add_dense(bytes: &mut [u8], element: &[u8]) -> bool {
    if !is_dense(bytes) {
        return false;
    }
    let mark = Mark::of(element);
    let changed = dense::raise(&mut bytes[HEADER_LEN..], mark.register, mark.rank);
    if changed {
        invalidate(bytes);
    }
    changed
}

/// Adds an element, and tells whether a register has changed.
///
/// A sparse HyperLogLog becomes dense when it would take more than `sparse_max` bytes, its head included
/// (`hll-sparse-max-bytes`) or when a rank is above 32.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, Corrupt> {
    if is_dense(bytes) {
        return Ok(add_dense(bytes, element));
    }
    let changed = raise(bytes, Mark::of(element), sparse_max)?;
    if changed {
        invalidate(bytes);
    }
    Ok(changed)
}

/// The cached count, if it is up to date.
#[inline]
pub fn cached_count(bytes: &[u8]) -> Option<u64> {
    let cached = bytes.get(COUNT_AT..HEADER_LEN)?.try_into().ok().map(u64::from_le_bytes)?;
    (cached >> 63 == 0).then_some(cached)
}

/// The estimated number of different elements, without regard to the cache.
pub fn estimated_count(bytes: &[u8]) -> Result<u64, Corrupt> {
    let registers = bytes.get(HEADER_LEN..).ok_or(Corrupt)?;
    if is_dense(bytes) {
        return Ok(estimate::count(&dense::histogram(registers)));
    }
    let mut histogram = [0; 64];
    sparse::for_each_run(registers, |run| histogram[run.rank as usize] += run.len as u32)?;
    Ok(estimate::count(&histogram))
}

/// The estimated number of different elements, from the cache if it is up to date; otherwise the cache is renewed,
/// which changes the bytes, and the second value tells so.
pub fn count(bytes: &mut [u8]) -> Result<(u64, bool), Corrupt> {
    if let Some(cached) = cached_count(bytes) {
        return Ok((cached, false));
    }
    let count = estimated_count(bytes)?;
    bytes[COUNT_AT..HEADER_LEN].copy_from_slice(&count.to_le_bytes());
    Ok((count, true))
}

/// The estimated number of different elements in all of `sources` together.
pub fn union_count<'a>(sources: impl IntoIterator<Item = &'a [u8]>) -> Result<u64, Corrupt> {
    let mut union = Union::new();
    sources.into_iter().try_for_each(|source| union.absorb(source))?;
    Ok(union.count())
}

/// Adds what `sources` have to `target`, which becomes dense as soon as it or one of them is; its count is marked as
/// stale. On an error the target is as it was.
pub fn merge<'a>(
    target: &mut Vec<u8>,
    sources: impl IntoIterator<Item = &'a [u8]>,
    sparse_max: usize,
) -> Result<(), Corrupt> {
    let mut union = Union::new();
    union.absorb(target)?;
    sources.into_iter().try_for_each(|source| union.absorb(source))?;
    union.store(target, sparse_max)
}

/// The highest ranks of several HyperLogLogs, one byte per register.
pub struct Union {
    ranks: Box<[u8; REGISTERS]>,
    any_dense: bool,
}

impl Union {
    /// No element at all.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Union {
        Union { ranks: Box::new([0; REGISTERS]), any_dense: false }
    }

    /// Adds what a valid HyperLogLog has counted.
    ///
    /// # Errors
    /// When it is corrupt; the union is of no use then.
    pub fn absorb(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        let registers = bytes.get(HEADER_LEN..).ok_or(Corrupt)?;
        if is_dense(bytes) {
            self.any_dense = true;
            dense::raise_all(&mut self.ranks, registers);
            return Ok(());
        }
        let ranks = &mut *self.ranks;
        sparse::for_each_run(registers, |run| {
            if run.rank > 0 {
                ranks[run.first..run.first + run.len].iter_mut().for_each(|rank| *rank = run.rank.max(*rank));
            }
        })
    }

    /// The estimated number of different elements in all of them together.
    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        for rank in self.ranks.iter() {
            histogram[*rank as usize & 63] += 1;
        }
        estimate::count(&histogram)
    }

    /// Raises the registers of `target`, which has been absorbed before (so that it is known to be sound) or is new;
    /// it becomes dense as soon as one of them is, and its count is marked as stale.
    ///
    /// # Errors
    /// When the target is corrupt, which one that was absorbed is not.
    pub fn store(&self, target: &mut Vec<u8>, sparse_max: usize) -> Result<(), Corrupt> {
        if self.any_dense && !is_dense(target) {
            make_dense(target)?;
        }
        if is_dense(target) {
            // The union has the target's own ranks in it.
            dense::store_all(&mut target[HEADER_LEN..], &self.ranks);
            invalidate(target);
            return Ok(());
        }
        for (register, &rank) in self.ranks.iter().enumerate().filter(|(_, rank)| **rank > 0) {
            raise(target, Mark { register, rank }, sparse_max)?;
        }
        invalidate(target);
        Ok(())
    }
}

/// Raises one register in either encoding, and tells whether it has changed.
fn raise(bytes: &mut Vec<u8>, mark: Mark, sparse_max: usize) -> Result<bool, Corrupt> {
    if !is_dense(bytes) {
        match sparse::raise(bytes, HEADER_LEN, mark.register, mark.rank, sparse_max)? {
            Change::None => return Ok(false),
            Change::Done => return Ok(true),
            Change::NeedsDense => make_dense(bytes)?,
        }
    }
    Ok(dense::raise(&mut bytes[HEADER_LEN..], mark.register, mark.rank))
}

/// What the registers of a valid HyperLogLog hold.
///
/// # Errors
/// When it is corrupt.
pub fn ranks(bytes: &[u8]) -> Result<Box<[u8; REGISTERS]>, Corrupt> {
    let mut union = Union::new();
    union.absorb(bytes)?;
    Ok(union.ranks)
}

/// The code of a sparse HyperLogLog, run by run up to where it is none: `z:` and a length for zeros in one byte, `Z:` in
/// two, `v:`, rank and length for other ranks. `None` for a dense one.
pub fn runs(bytes: &[u8]) -> Option<String> {
    let code = bytes.get(HEADER_LEN..).filter(|_| !is_dense(bytes))?;
    Some(sparse::shown(code))
}

/// Turns a sparse HyperLogLog into a dense one; the cached count stays.
///
/// # Errors
/// When it is corrupt; then it is as it was.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<(), Corrupt> {
    let mut dense = vec![0; DENSE_LEN];
    let (header, registers) = dense.split_at_mut(HEADER_LEN);
    header.copy_from_slice(bytes.get(..HEADER_LEN).ok_or(Corrupt)?);
    header[ENCODING_AT] = DENSE;
    sparse::for_each_run(&bytes[HEADER_LEN..], |run| {
        if run.rank > 0 {
            for register in run.first..run.first + run.len {
                dense::raise(registers, register, run.rank);
            }
        }
    })?;
    *bytes = dense;
    Ok(())
}
