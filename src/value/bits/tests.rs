//! Bits against a vector of booleans.

use proptest::prelude::*;

use super::field::{Field, Overflow};
use super::*;

fn spelled(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0)).collect()
}

/// Mostly bytes without any variety: searching skips those.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (any::<bool>(), proptest::collection::vec(0..300_usize, 0..3)).prop_map(|(set, odd)| {
            let mut bytes = vec![if set { 0xff } else { 0 }; 300];
            odd.into_iter().for_each(|at| bytes[at] ^= 0x10);
            bytes
        }),
    ]
}

proptest! {
    #[test]
    fn counting_and_searching(bytes in bytes(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let bits = spelled(&bytes);
        let (a, b) = (a.index(bits.len() + 1), b.index(bits.len() + 1));
        let range = a.min(b)..a.max(b);
        prop_assert_eq!(count(&bytes), bits.iter().filter(|bit| **bit).count() as u64);
        prop_assert_eq!(count_words(&bytes), count(&bytes));
        prop_assert_eq!(count_range(&bytes, range.clone()), bits[range.clone()].iter().filter(|bit| **bit).count() as u64);
        for bit in [false, true] {
            let found = bits[range.clone()].iter().position(|other| *other == bit).map(|at| at + range.start);
            prop_assert_eq!(position(&bytes, bit, range.clone()), found);
        }
    }

    #[test]
    fn combining(sources in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..5)) {
        let len = sources.iter().map(Vec::len).max().unwrap_or(0);
        let expected = |of: fn(bool, usize) -> bool| -> Vec<bool> {
            let set = |source: &Vec<u8>, at: usize| spelled(source).get(at).copied().unwrap_or(false);
            (0..len * 8)
                .map(|at| of(set(&sources[0], at), sources[1..].iter().filter(|source| set(source, at)).count()))
                .collect()
        };
        let views: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        let combined = |operator| spelled(&combine(operator, &views));
        let others = sources.len() - 1;
        let all: Vec<bool> = (0..len * 8)
            .map(|at| sources.iter().all(|source| spelled(source).get(at).copied().unwrap_or(false)))
            .collect();
        prop_assert_eq!(combined(Operator::And), all);
        prop_assert_eq!(combined(Operator::Or), expected(|first, others| first || others > 0));
        prop_assert_eq!(combined(Operator::Xor), expected(|first, others| (first as usize + others) % 2 == 1));
        prop_assert_eq!(combined(Operator::One), expected(|first, others| first as usize + others == 1));
        if others > 0 {
            prop_assert_eq!(combined(Operator::Diff), expected(|first, others| first && others == 0));
            prop_assert_eq!(combined(Operator::Diff1), expected(|first, others| !first && others > 0));
            prop_assert_eq!(combined(Operator::AndOr), expected(|first, others| first && others > 0));
        }
        let inverted: Vec<bool> = spelled(&sources[0]).iter().map(|bit| !bit).collect();
        prop_assert_eq!(spelled(&combine(Operator::Not, &views[..1])), inverted);
    }

    #[test]
    fn fields(mut bytes in proptest::collection::vec(any::<u8>(), 20), at in 0..96_usize, signed: bool, width in 1..=64_u64, number: i64) {
        let Some(field) = Field::new(signed, width) else { return Ok(()) };
        let before = spelled(&bytes);
        let range = at..at + field.bits();
        let fold = |bits: &[bool]| bits.iter().fold(0_u64, |number, bit| number << 1 | *bit as u64);
        let low = fold(&before[range.clone()]);
        let read = field.get(&bytes, at);
        prop_assert_eq!(read as u64 & (u64::MAX >> (64 - width)), low);
        prop_assert_eq!(read < 0, signed && before[at]);
        field.set(&mut bytes, at, number);
        let after = spelled(&bytes);
        prop_assert_eq!(fold(&after[range.clone()]), number as u64 & (u64::MAX >> (64 - width)));
        prop_assert_eq!(&after[..at], &before[..at]);
        prop_assert_eq!(&after[range.end..], &before[range.end..]);
        prop_assert_eq!(field.take(number, Overflow::Wrap), Some(field.get(&bytes, at)));
    }
}

#[test]
fn numbers_that_do_not_fit() {
    let field = |signed, bits| Field::new(signed, bits).unwrap();
    let (u8s, i8s, i64s) = (field(false, 8), field(true, 8), field(true, 64));
    assert_eq!(u8s.add(250, 10, Overflow::Wrap), Some(4));
    assert_eq!(u8s.add(250, 10, Overflow::Saturate), Some(255));
    assert_eq!(u8s.add(250, 10, Overflow::Fail), None);
    assert_eq!(u8s.add(3, -10, Overflow::Saturate), Some(0));
    assert_eq!(u8s.take(-1, Overflow::Saturate), Some(255), "a negative number is a huge one");
    assert_eq!(i8s.add(120, 10, Overflow::Wrap), Some(-126));
    assert_eq!(i8s.add(-120, -10, Overflow::Saturate), Some(-128));
    assert_eq!(i8s.take(128, Overflow::Fail), None);
    assert_eq!(i64s.add(i64::MAX, 1, Overflow::Wrap), Some(i64::MIN));
    assert_eq!(i64s.add(i64::MIN, -1, Overflow::Saturate), Some(i64::MIN));
    assert_eq!(i64s.add(i64::MAX, i64::MAX, Overflow::Fail), None);
    assert!(Field::new(false, 64).is_none() && Field::new(true, 65).is_none() && Field::new(true, 0).is_none());
}
