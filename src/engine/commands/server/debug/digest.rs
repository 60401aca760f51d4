//! The digest of DEBUG DIGEST: the one that Redis computes, so that two servers' data can be compared.
//!
//! A digest is 20 bytes. What has an order is mixed in (SHA-1 over what came before), what has none is combined by
//! exclusive or of the parts' SHA-1, so that neither encoding nor order of a table shows.

use std::fmt::{Display, Formatter};

use sha1::{Digest as _, Sha1};

use crate::base::number::{format_i64, format_u64};
use crate::store::record::{Record, StringRef, ValueType};
use crate::value::hash::Hash;
use crate::value::list::List;
use crate::value::set::Set;
use crate::value::sorted_set::SortedSet;
use crate::value::stream::StreamId;

/// See the module's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest([u8; 20]);

impl Display for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// The digest of a key and its value.
    pub fn of_entry(record: &Record) -> Digest {
        let mut digest = Digest::default();
        digest.mix(record.key());
        digest.add_value(record);
        digest
    }

    /// The digest of a value.
    pub fn of_value(record: &Record) -> Digest {
        let mut digest = Digest::default();
        digest.add_value(record);
        digest
    }

    /// The digest as bytes, to go into another.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds a part whose place does not matter.
    pub fn xor(&mut self, part: &[u8]) {
        self.merge(&Digest(Sha1::digest(part).into()));
    }

    /// Adds parts that were added to another digest.
    pub fn merge(&mut self, other: &Digest) {
        self.0.iter_mut().zip(other.0).for_each(|(ours, theirs)| *ours ^= theirs);
    }

    /// Adds a part behind those before.
    pub fn mix(&mut self, part: &[u8]) {
        self.xor(part);
        self.0 = Sha1::digest(self.0).into();
    }

    fn add_value(&mut self, record: &Record) {
        let kind: u32 = match record.value_type() {
            ValueType::String => 0,
            ValueType::List => 1,
            ValueType::Set => 2,
            ValueType::SortedSet => 3,
            ValueType::Hash => 4,
            ValueType::Stream => 6,
        };
        self.mix(&kind.to_be_bytes());
        self.add_elements(record);
        if record.deadline().is_some() {
            self.xor(b"!!expire!!");
        }
    }

    fn add_elements(&mut self, record: &Record) {
        if let Some(string) = record.string() {
            match string {
                StringRef::Integer(n) => self.mix(&format_i64(n)),
                StringRef::Bytes(bytes) => self.mix(bytes),
            }
        } else if let Some(form) = record.list() {
            List::new(form).iter().for_each(|element| self.mix(element.as_ref()));
        } else if let Some(form) = record.set() {
            Set::new(form).for_each(|member| self.xor(member));
        } else if let Some(form) = record.sorted_set() {
            for (member, score) in SortedSet::new(form).iter() {
                self.add_pair(member, seventeen_digits(score).as_bytes());
            }
        } else if let Some(form) = record.hash() {
            let hash = Hash::new(form);
            hash.iter().for_each(|(field, value)| self.add_pair(field, value));
            let deadlines = hash.iter().filter_map(|(field, _)| Some((field, hash.deadline(field)?)));
            deadlines.for_each(|(field, deadline)| self.add_pair(field, &format_u64(deadline)));
        } else if let Some(stream) = record.stream() {
            for entry in stream.entries.from(StreamId::MIN) {
                self.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                for (field, value) in entry.pairs() {
                    field.with_bytes(|field| self.mix(field));
                    value.with_bytes(|value| self.mix(value));
                }
            }
        }
    }

    fn add_pair(&mut self, first: &[u8], second: &[u8]) {
        let mut pair = Digest::default();
        pair.mix(first);
        pair.mix(second);
        self.xor(&pair.0);
    }
}

/// A number with 17 significant digits, as C's `%.17g` prints it.
fn seventeen_digits(value: f64) -> String {
    const DIGITS: i32 = 17;
    if !value.is_finite() {
        return if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .into();
    }
    let scientific = format!("{value:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return trimmed(&format!("{value:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_c_prints_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.5, "-17.5"),
            (0.1, "0.10000000000000001"),
            (2.7, "2.7000000000000002"),
            (100_000_000_000_000_000.0, "1e+17"),
            (12_345_678_901_234_567.0, "12345678901234568"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (1.5e300, "1.5000000000000001e+300"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(seventeen_digits(value), expected, "{value:?}");
        }
    }

    #[test]
    fn order_shows_only_where_it_is_mixed_in() {
        let [mut a, mut b] = [Digest::default(); 2];
        a.xor(b"1");
        a.xor(b"2");
        b.xor(b"2");
        b.xor(b"1");
        assert_eq!(a, b);
        a.mix(b"3");
        a.mix(b"4");
        b.mix(b"4");
        b.mix(b"3");
        assert_ne!(a, b);
    }
}
