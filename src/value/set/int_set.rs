//! The packed layout of a set of integers: `[width: u8]`, then the integers, little-endian, in ascending order.
//!
//! The width (2, 4 or 8 bytes each) is what the widest integer ever held needs; it grows and never shrinks. A lookup is
//! a binary search.

use crate::value::packed::Buffer;

/// The empty set.
pub const EMPTY: &[u8] = &[2];

/// Bytes that an integer needs.
fn width_of(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

#[inline]
fn width(bytes: &[u8]) -> usize {
    bytes[0] as usize
}

/// Integers held.
#[inline]
pub fn len(bytes: &[u8]) -> usize {
    (bytes.len() - 1) / width(bytes)
}

/// The integer at `index` in ascending order.
#[inline]
pub fn get(bytes: &[u8], index: usize) -> i64 {
    let width = width(bytes);
    let at = 1 + index * width;
    let b = &bytes[at..at + width];
    match b.len() {
        2 => i16::from_le_bytes([b[0], b[1]]) as i64,
        4 => i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as i64,
        _ => i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]),
    }
}

/// The index of `value`, or else the one where it belongs.
#[inline]
pub fn search(bytes: &[u8], value: i64) -> Result<usize, usize> {
    let (mut low, mut high) = (0, len(bytes));
    while low < high {
        let middle = (low + high) / 2;
        match get(bytes, middle).cmp(&value) {
            std::cmp::Ordering::Equal => return Ok(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Err(low)
}

/// Adds an integer; tells whether it is new.
pub fn insert(bytes: &mut impl Buffer, value: i64) -> bool {
    let Err(index) = search(bytes, value) else { return false };
    let wanted = width_of(value);
    if wanted > width(bytes) {
        let mut wide = vec![wanted as u8];
        iter(bytes).for_each(|known| wide.extend_from_slice(&known.to_le_bytes()[..wanted]));
        let old = bytes.len();
        bytes.splice(0, old, &[&wide]);
    }
    let width = width(bytes);
    // Two's complement: the low bytes of a wide integer are the narrow one.
    bytes.splice(1 + index * width, 0, &[&value.to_le_bytes()[..width]]);
    true
}

/// Removes the integer at `index`.
pub fn remove_at(bytes: &mut impl Buffer, index: usize) {
    let width = width(bytes);
    bytes.splice(1 + index * width, width, &[]);
}

/// All integers in ascending order.
pub fn iter(bytes: &[u8]) -> impl Iterator<Item = i64> + '_ {
    (0..len(bytes)).map(|index| get(bytes, index))
}

/// The packed layout of these integers, which are sorted and distinct.
pub fn from_sorted(values: &[i64]) -> Vec<u8> {
    let widest = values.iter().map(|&v| width_of(v)).max().unwrap_or(2);
    let mut bytes = vec![widest as u8];
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()[..widest]));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_as_a_sorted_set(
            operations in proptest::collection::vec(
                (any::<bool>(), prop_oneof![-20i64..20, 32_760i64..32_770, (1i64 << 31) - 3..(1 << 31) + 3, any::<i64>()]),
                0..200,
            ),
        ) {
            let mut bytes = EMPTY.to_vec();
            let mut model = BTreeSet::new();
            for (add, value) in operations {
                if add {
                    prop_assert_eq!(insert(&mut bytes, value), model.insert(value));
                } else {
                    let found = search(&bytes, value);
                    prop_assert_eq!(found.is_ok(), model.remove(&value));
                    if let Ok(index) = found {
                        remove_at(&mut bytes, index);
                    }
                }
                prop_assert_eq!(len(&bytes), model.len());
            }
            prop_assert!(iter(&bytes).eq(model.iter().copied()));
            let all: Vec<i64> = model.into_iter().collect();
            prop_assert!(iter(&from_sorted(&all)).eq(all.iter().copied()));
        }
    }
}
