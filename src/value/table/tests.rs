//! The table against `std::collections::HashMap`, with scans and snapshots in between.
use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::value::thin::Thin;

/// A key of eight bytes and a deadline tick of four.
#[derive(Clone)]
struct Item(Thin);

impl Item {
    fn new(key: u64, due: u32) -> Item {
        Item(Thin::from_parts(&[&key.to_le_bytes(), &due.to_le_bytes()]))
    }
    fn key(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().unwrap())
    }
    fn tick(&self) -> u32 {
        u32::from_le_bytes(self.0[8..].try_into().unwrap())
    }
}

impl Entry for Item {
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(&self.0[..8])
    }
    fn due(&self, _: &Basis) -> u32 {
        self.tick()
    }
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

fn scan_all(table: &Table<Item>) -> HashSet<u64> {
    let mut seen = HashSet::new();
    let mut position = Some(0);
    while let Some(at) = position {
        position = table.scan(at, |e| {
            seen.insert(e.key());
        });
        assert!(position.is_none_or(|next| next > at));
    }
    seen
}

fn check(table: &Table<Item>, model: &HashMap<u64, u32>) {
    assert_eq!(table.len(), model.len());
    for (&key, &due) in model {
        let hash = table.basis().hash(&key.to_le_bytes());
        assert_eq!(table.find(hash, |e| e.key() == key).map(Item::tick), Some(due));
    }
    assert_eq!(scan_all(table), model.keys().copied().collect());
    assert_eq!(table.iter().count(), model.len());
}

/// Miri takes a thousand times as long.
const OPERATIONS_MAX: usize = if cfg!(miri) { 400 } else { 4000 };

#[test]
fn a_table_that_was_made_ready_does_not_grow_and_holds_what_another_holds() {
    // Miri takes a thousand times as long.
    let largest = if cfg!(miri) { 100 } else { u64::MAX };
    for count in [0u64, 1, 6, 7, 8, 100, 353, 354, 5_000, 20_000].into_iter().filter(|count| *count <= largest) {
        let mut ready = Table::new(Basis::new(3, 0));
        ready.reserve(count as usize);
        let before = ready.heap_bytes();
        for n in 0..count {
            let item = Item::new(n, NEVER);
            ready.insert(item.hash(ready.basis()), item);
        }
        check(&ready, &(0..count).map(|n| (n, NEVER)).collect());
        assert!(count == 0 || ready.heap_bytes() <= before * 11 / 10, "{count} entries");
        assert!(before <= 64 * (8 + count as usize), "{count} entries are not paid for many times over");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 3 } else { 40 }))]
    #[test]
    fn behaves_as_a_hash_map(seed: u64, operations in proptest::collection::vec((0u8..10, 0u64..1500, 0u32..50), 0..OPERATIONS_MAX)) {
        let mut table: Table<Item> = Table::new(Basis::new(seed, 0));
        let mut model = HashMap::new();
        let mut snapshot: Option<(Table<Item>, HashMap<u64, u32>)> = None;
        for (operation, key, due) in operations {
            let hash = table.basis().hash(&key.to_le_bytes());
            match operation {
                0..=5 => {
                    let due = if due < 25 { NEVER } else { due };
                    if let Some(found) = table.find_mut(hash, |e| e.key() == key) {
                        *found = Item::new(key, due);
                        table.note_due(hash, due);
                    } else {
                        table.insert(hash, Item::new(key, due));
                    }
                    model.insert(key, due);
                }
                6..=8 => prop_assert_eq!(table.remove(hash, |e| e.key() == key).map(|e| e.tick()), model.remove(&key)),
                _ if key < 5 => snapshot = Some((table.clone(), model.clone())),
                _ if key < 30 => {
                    table.take_due(due, usize::MAX, |e| e.tick() <= due, drop);
                    model.retain(|_, tick| *tick > due);
                    prop_assert!(table.next_due() > due);
                }
                _ => {}
            }
        }
        check(&table, &model);
        if let Some((table, model)) = snapshot {
            check(&table, &model);
        }
    }
}

#[test]
fn a_scan_over_a_changing_table_misses_no_entry_that_stays() {
    let mut table: Table<Item> = Table::new(Basis::new(7, 0));
    let insert = |table: &mut Table<Item>, key: u64| {
        let hash = table.basis().hash(&key.to_le_bytes());
        table.insert(hash, Item::new(key, NEVER));
    };
    (0..1000).for_each(|key| insert(&mut table, key));
    let (mut seen, mut position, mut step) = (HashSet::new(), Some(0), 0u64);
    while let Some(at) = position {
        position = table.scan(at, |e| {
            seen.insert(e.key());
        });
        step += 1;
        // Grow a lot in the first half of the walk, shrink in the second.
        if step < 100 {
            (0..200).for_each(|i| insert(&mut table, 1_000_000 + step * 200 + i));
        } else if step < 200 {
            for i in 0..200u64 {
                let key = 1_000_000 + (step - 99) * 200 + i;
                table.remove(table.basis().hash(&key.to_le_bytes()), |e| e.key() == key);
            }
        }
    }
    assert!((0..1000).all(|key| seen.contains(&key)));
}

#[test]
fn fills_well_and_gives_memory_back() {
    let mut table: Table<Item> = Table::new(Basis::new(3, 0));
    let mut per_entry = Vec::new();
    for key in 0..200_000u64 {
        table.insert(table.basis().hash(&key.to_le_bytes()), Item::new(key, NEVER));
        if key > 2000 && key % 500 == 0 {
            per_entry.push(table.heap_bytes() as f64 / table.len() as f64);
        }
    }
    let mean = per_entry.iter().sum::<f64>() / per_entry.len() as f64;
    assert!(mean < 14.5, "{mean} bytes per entry");
    for key in 0..199_990u64 {
        assert!(table.remove(table.basis().hash(&key.to_le_bytes()), |e| e.key() == key).is_some());
    }
    assert!(table.heap_bytes() < 5000, "{} bytes for ten entries", table.heap_bytes());
    check(&table, &(199_990..200_000).map(|key| (key, NEVER)).collect());
}

/// The chi-square test of 100 draws for each entry, for tables of every filling.
#[test]
#[cfg_attr(miri, ignore = "it counts draws, which Miri makes no safer")]
fn samples_are_uniform() {
    for n in [1, 2, 17, 64, 100, 130, 300, 1000] {
        let mut table = Table::new(Basis::new(n, 0));
        for key in 0..n {
            let item = Item::new(key, NEVER);
            let hash = item.hash(table.basis());
            table.insert(hash, item);
        }
        let mut drawn: HashMap<u64, f64> = HashMap::new();
        let mut random = 1_u64;
        for _ in 0..100 * n {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let point = (random ^ (random >> 29)).wrapping_mul(0x9fb2_1c65_1e98_df25);
            *drawn.entry(table.sample(point ^ (point >> 32)).unwrap().key()).or_default() += 1.0;
        }
        let chi_square: f64 = (0..n).map(|key| (drawn.get(&key).copied().unwrap_or(0.0) - 100.0).powi(2) / 100.0).sum();
        // Of n - 1 degrees of freedom: the mean and six standard deviations.
        let limit = n as f64 + 6.0 * (2.0 * n as f64).sqrt();
        assert!(chi_square < limit, "{n} entries: {chi_square} and not below {limit}");
    }
}
