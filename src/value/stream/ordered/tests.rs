//! The map against `BTreeMap`, with snapshots in between.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Model = BTreeMap<StreamId, u32>;

fn id(n: u64) -> StreamId {
    StreamId::new(n / 3, n % 3)
}

/// What the nodes hold, counted anew; checks the order of keys on the way.
fn counted<V: Clone>(node: &Node<V>, low: Option<StreamId>) -> usize {
    let own = node.heap_bytes();
    match node {
        Node::Leaf(entries) => {
            assert!(entries.is_sorted_by(|a, b| a.0 < b.0) && entries.len() <= FULL && !entries.is_empty());
            assert!(low.is_none_or(|low| entries[0].0 >= low));
            own
        }
        Node::Inner(children) => {
            assert!(children.is_sorted_by(|a, b| a.0 < b.0) && children.len() <= FULL && !children.is_empty());
            let below = children
                .iter()
                .enumerate()
                .map(|(at, (key, child))| counted(child, if at == 0 { low } else { Some(*key) }));
            own + below.sum::<usize>()
        }
    }
}

fn check(map: &Ordered<u32>, model: &Model) {
    assert_eq!(map.len(), model.len());
    assert!(map.iter().map(|(key, value)| (key, *value)).eq(model.iter().map(|(key, value)| (*key, *value))));
    let descending = map.down_from(StreamId::MAX).map(|(key, value)| (key, *value));
    assert!(descending.eq(model.iter().rev().map(|(key, value)| (*key, *value))));
    assert_eq!(map.first().map(|(key, _)| key), model.keys().next().copied());
    assert_eq!(map.last().map(|(key, _)| key), model.keys().next_back().copied());
    assert_eq!(map.heap_bytes(), map.root.as_deref().map_or(0, |root| counted(root, None)));
}

#[derive(Clone, Debug)]
enum Step {
    Append(u64),
    Insert(u64, u32),
    Remove(u64),
    RemoveFirst(usize),
    Change(u64, u32),
    Look(u64),
    Snapshot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..600u64;
    let step = prop_oneof![
        6 => (1..200u64).prop_map(Step::Append),
        4 => (key(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        6 => key().prop_map(Step::Remove),
        2 => (1..150usize).prop_map(Step::RemoveFirst),
        2 => (key(), any::<u32>()).prop_map(|(key, value)| Step::Change(key, value)),
        2 => key().prop_map(Step::Look),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]
    #[test]
    fn it_is_a_sorted_map(steps in steps()) {
        let (mut map, mut model) = (Ordered::default(), Model::new());
        let mut snapshots = Vec::new();
        for step in steps {
            match step {
                Step::Append(count) => {
                    let start = model.keys().next_back().map_or(0, |last| last.ms * 3 + last.seq + 1);
                    for n in start..start + count {
                        prop_assert_eq!(map.insert(id(n), 7), model.insert(id(n), 7));
                    }
                }
                Step::Insert(key, value) => prop_assert_eq!(map.insert(id(key), value), model.insert(id(key), value)),
                Step::Remove(key) => prop_assert_eq!(map.remove(id(key)), model.remove(&id(key))),
                Step::RemoveFirst(count) => {
                    for _ in 0..count {
                        let Some((key, _)) = model.pop_first() else { break };
                        prop_assert!(map.remove(key).is_some());
                    }
                }
                Step::Change(key, value) => {
                    let (ours, theirs) = (map.get_mut(id(key)), model.get_mut(&id(key)));
                    prop_assert_eq!(ours.is_some(), theirs.is_some());
                    if let (Some(ours), Some(theirs)) = (ours, theirs) {
                        (*ours, *theirs) = (value, value);
                    }
                }
                Step::Look(key) => {
                    let key = id(key);
                    prop_assert_eq!(map.get(key), model.get(&key));
                    let next = model.range(key..).next().map(|(key, value)| (*key, value));
                    prop_assert_eq!(map.from(key).next(), next);
                    let previous = model.range(..=key).next_back().map(|(key, value)| (*key, value));
                    prop_assert_eq!(map.down_from(key).next(), previous);
                }
                Step::Snapshot => snapshots.push((map.clone(), model.clone())),
            }
            check(&map, &model);
        }
        snapshots.iter().for_each(|(map, model)| check(map, model));
    }
}

#[test]
fn what_comes_in_order_fills_the_nodes() {
    let count = if cfg!(miri) { 500 } else { 100_000 };
    let mut map = Ordered::default();
    (0..count).for_each(|n| assert_eq!(map.insert(id(n), ()), None));
    let full = count as usize * size_of::<(StreamId, ())>();
    assert!(map.heap_bytes() < full + full / 8, "{} bytes for {count} ids", map.heap_bytes());
    (0..count).for_each(|n| assert_eq!(map.remove(id(n)), Some(())));
    assert_eq!((map.len(), map.heap_bytes()), (0, 0));
}
