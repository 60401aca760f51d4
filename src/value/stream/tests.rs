//! The stream against `BTreeMap`, with snapshots in between, and its sizes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Fields = Vec<Vec<u8>>;
type Model = BTreeMap<StreamId, Fields>;

fn parts_of(entry: &Entry<'_>) -> Fields {
    let mut parts = Vec::new();
    for (field, value) in entry.pairs() {
        field.with_bytes(|text| parts.push(text.to_vec()));
        value.with_bytes(|text| parts.push(text.to_vec()));
    }
    parts
}

fn add(list: &mut EntryList, id: StreamId, fields: &Fields, limits: &NodeLimits) {
    let parts: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    list.append(id, &parts, limits);
}

fn check(list: &EntryList, model: &Model) {
    assert_eq!(list.len(), model.len() as u64);
    let ascending = list.from(StreamId::MIN).map(|entry| (entry.id, parts_of(&entry)));
    assert!(ascending.eq(model.iter().map(|(id, fields)| (*id, fields.clone()))));
    let descending = list.down_from(StreamId::MAX).map(|entry| (entry.id, parts_of(&entry)));
    assert!(descending.eq(model.iter().rev().map(|(id, fields)| (*id, fields.clone()))));
    assert_eq!(list.first_id(), model.keys().next().copied().unwrap_or_default());
    assert_eq!(list.last_entry_id(), model.keys().next_back().copied().unwrap_or_default());
    assert_eq!(list.nodes().map(|node| u64::from(node.live)).sum::<u64>(), list.len());
    let nodes: usize = list.nodes().map(Node::heap_bytes).sum();
    assert!(list.heap_bytes() >= nodes && list.heap_bytes() <= nodes + 4096 + 64 * list.node_count());
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<(u64, u64, Fields)>),
    Remove(usize),
    RemoveId(u64),
    Trim(Threshold, bool, u64),
    Range(u64, u64),
    Snapshot,
}

fn fields() -> impl Strategy<Value = Fields> {
    let part = prop_oneof![
        4 => "[ab]",
        2 => "-?[0-9]{1,19}",
        1 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ];
    let name = prop_oneof![5 => Just("name".to_owned()), 1 => "[xy]", 1 => Just("17".to_owned())];
    proptest::collection::vec((name, part), 1..4)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(n, v)| [n.into_bytes(), v.into_bytes()]).collect())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => proptest::collection::vec((0..70u64, 0..3u64, fields()), 1..30).prop_map(Step::Add),
        3 => any::<usize>().prop_map(Step::Remove),
        1 => (0..500u64).prop_map(Step::RemoveId),
        1 => (0..60u64, any::<bool>(), 0..40u64).prop_map(|(n, a, l)| Step::Trim(Threshold::Length(n), a, l)),
        1 => (0..400u64, any::<bool>(), 0..40u64)
            .prop_map(|(n, a, l)| Step::Trim(Threshold::Id(StreamId::new(n, 1)), a, l)),
        3 => (0..500u64, 0..500u64).prop_map(|(from, to)| Step::Range(from, to)),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 1..40)
}

fn trim(model: &mut Model, list: &mut EntryList, threshold: Threshold, approximate: bool, limit: u64) {
    let before = model.len();
    let removed = list.trim(threshold, approximate, limit);
    // What goes is the front; how much, exactly, only where nothing rounds.
    for _ in 0..removed {
        let (id, _) = model.pop_first().expect("no more is removed than there is");
        assert!(!matches!(threshold, Threshold::Id(least) if id >= least));
    }
    match threshold {
        Threshold::Length(most) if !approximate && limit == 0 => assert_eq!(model.len(), before.min(most as usize)),
        Threshold::Length(most) => assert!(model.len() >= before.min(most as usize)),
        Threshold::Id(least) if !approximate && limit == 0 => assert!(model.keys().all(|id| *id >= least)),
        Threshold::Id(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]
    #[test]
    fn entries_are_a_sorted_map(steps in steps(), entries in 0..20usize, bytes in prop_oneof![Just(0usize), 1..600usize]) {
        let limits = NodeLimits { bytes, entries };
        let (mut list, mut model) = (EntryList::default(), Model::new());
        let (mut snapshots, mut ms) = (Vec::new(), 0u64);
        for step in steps {
            match step {
                Step::Add(entries) => for (later, seq, fields) in entries {
                    ms += later / 10;
                    let mut id = StreamId::new(ms, seq);
                    if id <= list.last_id {
                        id = list.last_id.next().unwrap();
                        ms = id.ms;
                    }
                    add(&mut list, id, &fields, &limits);
                    model.insert(id, fields);
                },
                Step::Remove(nth) if !model.is_empty() => {
                    let id = *model.keys().nth(nth % model.len()).unwrap();
                    model.remove(&id);
                    prop_assert!(list.remove(id));
                    prop_assert!(list.max_deleted_id >= id);
                }
                Step::Remove(_) => {}
                Step::RemoveId(ms) => {
                    let id = StreamId::new(ms, 0);
                    prop_assert_eq!(list.remove(id), model.remove(&id).is_some());
                }
                Step::Trim(threshold, approximate, limit) => {
                    // Redis: only a trim that rounds has a limit.
                    trim(&mut model, &mut list, threshold, approximate, if approximate { limit } else { 0 });
                }
                Step::Range(from, to) => {
                    let (from, to) = (StreamId::new(from, 1), StreamId::new(to, 1));
                    let found = list.from(from).take_while(|entry| entry.id <= to).map(|entry| entry.id);
                    let expected: Vec<_> = model.keys().copied().filter(|id| (from..=to).contains(id)).collect();
                    prop_assert!(found.eq(expected.iter().copied()));
                    let found = list.down_from(to).take_while(|entry| entry.id >= from).map(|entry| entry.id);
                    prop_assert!(found.eq(expected.iter().rev().copied()));
                    prop_assert_eq!(list.get(from).map(|entry| parts_of(&entry)), model.get(&from).cloned());
                }
                Step::Snapshot => snapshots.push((list.clone(), model.clone())),
            }
            check(&list, &model);
        }
        snapshots.iter().for_each(|(list, model)| check(list, model));
    }

    #[test]
    fn groups_know_each_pending_entry_once(steps in proptest::collection::vec((0..6u8, 0..40u64, 0..3usize), 1..120)) {
        const NAMES: [&[u8]; 3] = [b"ann", b"bob", b""];
        let mut stream = Stream::default();
        prop_assert!(stream.create_group(b"g", Group::new(StreamId::MIN, None)));
        let mut model: BTreeMap<StreamId, usize> = BTreeMap::new();
        let empty = stream.heap_bytes();
        let snapshot = stream.clone();
        for (what, n, who) in steps {
            let id = StreamId::new(n, 0);
            let (_, mut group) = stream.group_mut(b"g").unwrap();
            match what {
                0..=2 => {
                    let number = group.find(NAMES[who]).or_else(|| group.create_consumer(NAMES[who], 5)).unwrap();
                    group.assign(id, Pending { consumer: number, delivered_ms: 5, count: 1 });
                    model.insert(id, who);
                }
                3 | 4 => prop_assert_eq!(group.acknowledge(id).is_some(), model.remove(&id).is_some()),
                _ => {
                    let gone = model.values().filter(|owner| **owner == who).count();
                    prop_assert_eq!(group.remove_consumer(NAMES[who]).unwrap_or(0), gone);
                    model.retain(|_, owner| *owner != who);
                }
            }
            drop(group);
            let group = stream.group(b"g").unwrap();
            let name = |pending: &Pending| group.consumer(pending.consumer).unwrap().name.to_vec();
            let known: Vec<_> = group.pending().iter().map(|(id, pending)| (id, name(pending))).collect();
            let expected: Vec<_> = model.iter().map(|(id, who)| (*id, NAMES[*who].to_vec())).collect();
            prop_assert_eq!(known, expected);
            for consumer in group.consumers() {
                let own = model.iter().filter(|(_, who)| NAMES[**who] == &*consumer.name).map(|(id, _)| *id);
                prop_assert!(consumer.pending().iter().map(|(id, ())| id).eq(own));
            }
        }
        prop_assert_eq!(snapshot.heap_bytes(), empty);
        prop_assert!(stream.destroy_group(b"g") && !stream.destroy_group(b"g"));
        prop_assert_eq!(stream.heap_bytes(), 0);
    }
}

#[test]
fn entries_of_one_kind_take_little_more_than_their_values() {
    let count = if cfg!(miri) { 200 } else { 100_000u64 };
    let mut list = EntryList::default();
    for n in 0..count {
        let (a, b) = (format!("user:{n}"), (n * 37 % 1_000_000).to_string());
        let parts: [&[u8]; 6] = [b"user", a.as_bytes(), b"amount", b.as_bytes(), b"state", b"open"];
        list.append(StreamId::new(1_700_000_000_000 + n * 3, 0), &parts, &NodeLimits::default());
    }
    let each = list.heap_bytes() as f64 / count as f64;
    assert!(each < 30.0, "{each} bytes for each entry");
}

#[test]
fn ids_at_the_ends_of_the_range_are_kept() {
    let ids =
        [(0, 1), (0, u64::MAX), (1, 0), (63, 5), (64, 5), (1 << 40, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX)];
    let mut list = EntryList::default();
    for (ms, seq) in ids {
        list.append(StreamId::new(ms, seq), &[b"f", b"v"], &NodeLimits::default());
    }
    assert!(list.from(StreamId::MIN).map(|entry| (entry.id.ms, entry.id.seq)).eq(ids));
    assert_eq!((StreamId::MAX.next(), StreamId::MIN.previous()), (None, None));
    for (ms, seq) in ids {
        let id = StreamId::new(ms, seq);
        assert_eq!(StreamId::from_bytes(id.to_bytes()), id);
        assert_eq!(&*id.text(), format!("{ms}-{seq}").as_bytes());
        assert_eq!(id.previous().and_then(StreamId::next), Some(id));
    }
}
