//! `Elements`: the parts of one collection on their way from a file into a value, one behind the other in one buffer that
//! serves from key to key.

#[cfg(test)]
use super::error::Fault;
use crate::base::number::{format_i64, parse_f64, parse_i64, sign_extended};
use crate::value::table::Basis;

/// Buffers that grew beyond this are given back before the next collection.
const KEPT_BYTES: usize = 1 << 20;

/// One part as a packed structure has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element<'a> {
    /// Stands for its decimal text.
    Integer(i64),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The string of `len` bytes in `behind`, what stands behind an encoding's first byte, after `prefix` bytes of its
    /// length; and the bytes of all, the first one included.
    #[inline]
    pub fn string_behind(behind: &'a [u8], prefix: usize, len: usize) -> Option<(Self, usize)> {
        Some((Element::Bytes(behind.get(prefix..prefix.checked_add(len)?)?), 1 + prefix + len))
    }

    /// As [`Element::string_behind`], the integer of so many bytes.
    #[inline]
    pub fn integer_behind(behind: &'a [u8], bytes: usize) -> Option<(Self, usize)> {
        Some((Element::Integer(sign_extended(behind.get(..bytes)?)), 1 + bytes))
    }

    /// Shows the element as bytes.
    #[inline]
    pub fn with_text<R>(self, show: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Element::Integer(n) => show(&format_i64(n)),
            Element::Bytes(bytes) => show(bytes),
        }
    }

    /// The integer that the element is or spells.
    pub fn integer(self) -> Option<i64> {
        match self {
            Element::Integer(n) => Some(n),
            Element::Bytes(bytes) => parse_i64(bytes),
        }
    }

    /// The element as a score.
    pub fn score(self) -> Option<f64> {
        match self {
            Element::Integer(n) => Some(n as f64),
            Element::Bytes(text) => parse_f64(text),
        }
    }
}

/// See the module's text.
#[derive(Default)]
pub struct Elements {
    bytes: Vec<u8>,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Elements {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
        if self.ends.capacity() > KEPT_BYTES / size_of::<usize>() {
            self.ends = Vec::new();
        }
    }

    /// Adds a part.
    #[inline]
    pub fn push(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        self.ends.push(self.bytes.len());
    }

    /// Parts held.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all parts.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// One part; it exists.
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// All parts.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// All parts, two at a time.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        (0..self.len() / 2).map(|pair| (self.get(2 * pair), self.get(2 * pair + 1)))
    }

    /// Whether no part occurs twice among every `step`th; `hashes` is room that may be used.
    pub fn are_distinct(&self, step: usize, basis: &Basis, hashes: &mut Vec<(u64, usize)>) -> bool {
        let indices = || (0..self.len()).step_by(step);
        if self.len() <= 8 * step {
            return indices().all(|index| indices().take(index / step).all(|other| self.get(other) != self.get(index)));
        }
        hashes.clear();
        hashes.extend(indices().map(|index| (basis.hash(self.get(index)), index)));
        hashes.sort_unstable();
        let same_hash = |a: &(u64, usize), b: &(u64, usize)| a.0 == b.0;
        hashes.chunk_by(same_hash).all(|equal| {
            let before =
                |place: usize| equal[..place].iter().all(|&(_, other)| self.get(other) != self.get(equal[place].1));
            (1..equal.len()).all(before)
        })
    }
}

/// Who is shown elements.
#[cfg(test)]
pub(super) type Visit<'v> = dyn FnMut(Element<'_>) -> Result<(), Fault> + 'v;

/// The texts of what `each` shows.
#[cfg(test)]
pub(super) fn texts(each: impl FnOnce(&mut Visit<'_>) -> Result<(), Fault>) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    each(&mut |element: Element<'_>| {
        element.with_text(|text| found.push(String::from_utf8_lossy(text).into_owned()));
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_and_repetition_is_seen() {
        let basis = Basis::new(1, 0);
        let mut hashes = Vec::new();
        for count in [0usize, 1, 5, 40] {
            let mut elements = Elements::default();
            (0..count).for_each(|i| elements.push(i.to_string().as_bytes()));
            assert!(elements.iter().enumerate().all(|(i, part)| part == i.to_string().as_bytes()));
            assert_eq!(elements.len(), count);
            assert!(elements.are_distinct(1, &basis, &mut hashes));
            elements.push(b"0");
            assert_eq!(elements.are_distinct(1, &basis, &mut hashes), count == 0, "{count} parts");
            // The repeated part is a value here, not a field.
            assert!(count % 2 == 0 || elements.are_distinct(2, &basis, &mut hashes));
        }
    }
}
