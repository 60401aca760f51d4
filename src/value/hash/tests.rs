//! The hash against `std::collections::HashMap`, from the packed form through the table, with snapshots in between.
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::value::packed::Detached;

type Model = HashMap<Vec<u8>, Vec<u8>>;

const LIMITS: PackedLimits = PackedLimits { entries: 128, value_bytes: 64 };

fn basis() -> Basis {
    Basis::new(11, 0)
}

fn read(home: &Detached<HashTable>) -> Hash<'_> {
    Hash::new(home.form())
}

fn check(hash: Hash<'_>, model: &Model) {
    assert_eq!(hash.len(), model.len());
    for (field, value) in model {
        assert_eq!(hash.get(field), Some(&value[..]));
        assert_eq!(hash.value_len(field), value.len());
    }
    let all: Model = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
    assert_eq!(&all, model);
    let (mut scanned, mut position) = (Model::new(), Some(0));
    while let Some(at) = position {
        position = hash.scan(at, |f, v| {
            scanned.insert(f.to_vec(), v.to_vec());
        });
    }
    assert_eq!(&scanned, model);
    for random in [0, 1 << 40, u64::MAX / 2, u64::MAX] {
        assert_eq!(hash.random(random).is_some(), !model.is_empty());
        assert!(hash.random(random).is_none_or(|(f, v)| model.get(f).is_some_and(|known| known == v)));
    }
}

/// The allocations of the pairs, counted anew.
fn recount(table: &HashTable) -> usize {
    table.pairs.iter().map(|pair| pair.0.heap_bytes()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn behaves_as_a_hash_map(
        entries in 1usize..40,
        operations in proptest::collection::vec((0u8..12, 0u16..60, 0usize..70), 0..500),
    ) {
        let limits = PackedLimits { entries, value_bytes: 64 };
        let mut home = Detached::new(EMPTY);
        let mut model = Model::new();
        let mut was_big = false;
        let mut snapshot: Option<(HashTable, Model)> = None;
        for (operation, field, len) in operations {
            let field = format!("field{}", field).into_bytes();
            let mut hash = HashMut::new(&mut home);
            match operation {
                0..=6 => {
                    let value = vec![len as u8; len];
                    let is_new = hash.insert(&field, &value, &limits, &basis());
                    prop_assert_eq!(is_new, model.insert(field, value).is_none());
                    was_big |= model.len() > limits.entries || len > limits.value_bytes;
                }
                7..=9 => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                10 => {
                    let result = hash.update(&field, &limits, &basis(), |old| {
                        old.map(|value| value.iter().rev().copied().chain([7]).collect::<Vec<u8>>()).ok_or(())
                    });
                    let known = model.get_mut(&field).map(|value| {
                        value.reverse();
                        value.push(7);
                        was_big |= value.len() > limits.value_bytes;
                    });
                    prop_assert_eq!(result, known.map(|()| false).ok_or(()));
                }
                _ => {
                    if let Form::Big(table) = home.form() {
                        snapshot = Some((table.clone(), model.clone()));
                    }
                }
            }
            // An update of a packed hash in a table's place checks the limits as well.
            prop_assert!(!was_big || read(&home).encoding() == Encoding::Hashtable);
        }
        prop_assert_eq!(was_big, read(&home).encoding() == Encoding::Hashtable);
        check(read(&home), &model);
        if let Form::Big(table) = home.form() {
            prop_assert_eq!(table.pair_bytes, recount(table));
        }
        if let Some((table, model)) = &snapshot {
            check(Hash::new(Form::Big(table)), model);
            prop_assert_eq!(table.pair_bytes, recount(table));
        }
    }
}

#[test]
fn the_limits_are_those_of_redis() {
    let mut home = Detached::new(EMPTY);
    for i in 0..128 {
        HashMut::new(&mut home).insert(format!("{i}").as_bytes(), &[b'x'; 64], &LIMITS, &basis());
    }
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    HashMut::new(&mut home).insert(b"5", b"again", &LIMITS, &basis());
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    HashMut::new(&mut home).insert(b"one more", b"", &LIMITS, &basis());
    assert_eq!((read(&home).encoding(), read(&home).len()), (Encoding::Hashtable, 129));

    for (field, value) in [(&[b'f'; 65][..], &b"v"[..]), (b"f", &[b'v'; 65])] {
        let mut home = Detached::new(EMPTY);
        HashMut::new(&mut home).insert(field, value, &LIMITS, &basis());
        assert_eq!(read(&home).encoding(), Encoding::Hashtable);
        assert_eq!(read(&home).get(field), Some(value));
    }

    let mut home = Detached::new(EMPTY);
    HashMut::new(&mut home).prepare(129, &LIMITS, &basis());
    assert_eq!(read(&home).encoding(), Encoding::Hashtable);
}

#[test]
fn long_fields_and_values_stay_whole() {
    let wide = PackedLimits { entries: 1000, value_bytes: 1 << 20 };
    for limits in [wide, LIMITS] {
        let mut home = Detached::new(EMPTY);
        let mut model = Model::new();
        for len in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000] {
            for value_len in [0, 127, 128, 20_000] {
                let (field, value) = (vec![b'f'; len], vec![b'v'; value_len]);
                HashMut::new(&mut home).insert(&field, &value, &limits, &basis());
                model.insert(field, value);
                check(read(&home), &model);
            }
        }
    }
}

#[test]
fn more_pairs_than_the_count_can_hold_become_a_table() {
    let limits = PackedLimits { entries: usize::MAX, value_bytes: 64 };
    let names: Vec<String> = (0..u16::MAX).map(|i| i.to_string()).collect();
    let lengths = names.iter().flat_map(|name| [name.len() as u8, 0]);
    let packed: Vec<u8> = [0xfc, 255, 255].into_iter().chain(lengths).chain(names.concat().into_bytes()).collect();
    let mut home = Detached::new(&packed);
    HashMut::new(&mut home).insert(b"one more", b"", &limits, &basis());
    assert_eq!((read(&home).encoding(), read(&home).len()), (Encoding::Hashtable, 65_536));
}

#[test]
fn a_field_of_28_bytes_costs_at_most_52() {
    let mut home = Detached::new(EMPTY);
    for i in 0..100_000 {
        HashMut::new(&mut home).insert(
            format!("field:{i:08}").as_bytes(),
            format!("value:{i:08}").as_bytes(),
            &LIMITS,
            &basis(),
        );
    }
    let per_entry = read(&home).heap_bytes() as f64 / 100_000.0;
    assert!(per_entry < 52.0, "{per_entry} bytes per field");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn fields_expire_in_the_order_of_their_deadlines(
        fields in 4u16..80,
        operations in proptest::collection::vec((0u8..10, 0u16..80, 1u64..40), 0..400),
    ) {
        let limits = PackedLimits { entries: 8, value_bytes: 64 };
        let mut home = Detached::new(EMPTY);
        let mut model = BTreeMap::<Vec<u8>, Option<u64>>::new();
        let mut snapshot: Option<(HashTable, Option<u64>)> = None;
        for (operation, field, time) in operations {
            let field = format!("field{}", field % fields).into_bytes();
            let mut hash = HashMut::new(&mut home);
            match operation {
                0..=2 => {
                    hash.insert(&field, b"value", &limits, &basis());
                    model.insert(field, None);
                }
                3..=5 => {
                    hash.set_deadline(&field, Some(time), &basis());
                    model.entry(field).and_modify(|deadline| *deadline = Some(time));
                }
                6 => {
                    hash.set_deadline(&field, None, &basis());
                    model.entry(field).and_modify(|deadline| *deadline = None);
                }
                7 => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                8 => {
                    let mut removed: Vec<Vec<u8>> = std::iter::from_fn(|| hash.remove_due(time)).map(|f| f.to_vec()).collect();
                    removed.sort();
                    let is_due = |deadline: &Option<u64>| deadline.is_some_and(|deadline| deadline < time);
                    let expected: Vec<_> = model.iter().filter(|(_, due)| is_due(due)).map(|(f, _)| f.clone()).collect();
                    prop_assert_eq!(removed, expected);
                    model.retain(|_, deadline| !is_due(deadline));
                }
                _ => {
                    if let Form::Big(table) = home.form() {
                        snapshot = Some((table.clone(), table.earliest_deadline()));
                    }
                }
            }
            let hash = Hash::new(home.form());
            prop_assert_eq!(hash.len(), model.len());
            prop_assert_eq!(hash.earliest_deadline(), model.values().flatten().min().copied());
            for (field, deadline) in &model {
                prop_assert_eq!(hash.deadline(field), *deadline);
            }
        }
        if let Some((table, earliest)) = snapshot {
            prop_assert_eq!(table.earliest_deadline(), earliest);
        }
    }
}
