//! Random values of every type and size through a file, and through a payload of DUMP.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::super::Usage;
use super::super::dump::{self, DumpError, Payload};
use super::model::{Loaded, Model, basis, encoding, load, save};
use crate::value::ValueLimits;
use crate::value::list::ListLimits;
use crate::value::packed::PackedLimits;
use crate::value::set::SetLimits;
use crate::value::stream::NodeLimits;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z]{0,12}".prop_map(String::into_bytes),
        4 => any::<i64>().prop_flat_map(|n| (0u32..63).prop_map(move |shift| (n >> shift).to_string().into_bytes())),
        2 => vec(any::<u8>(), 0..90),
        1 => (0usize..6, 0usize..20_000).prop_map(|(word, len)| b"abcdef"[..=word].iter().copied().cycle().take(len).collect()),
    ]
}

fn score() -> impl Strategy<Value = u64> {
    prop_oneof![
        (-1000i32..1000).prop_map(f64::from),
        any::<f64>().prop_filter("a number", |score| !score.is_nan()),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
    ]
    .prop_map(|score| (score + 0.0).to_bits())
}

fn model() -> impl Strategy<Value = Model> {
    prop_oneof![
        text().prop_map(Model::Text),
        btree_map(text(), text(), 1..40).prop_map(Model::Hash),
        vec(text(), 1..60).prop_map(Model::List),
        btree_set(text(), 1..40).prop_map(Model::Set),
        btree_set(-40_000i64..40_000, 1..60)
            .prop_map(|all| Model::Set(all.iter().map(|n| n.to_string().into_bytes()).collect())),
        btree_map(text(), score(), 1..40).prop_map(Model::SortedSet),
        super::stream::model().prop_map(Model::Stream),
    ]
}

fn limits() -> impl Strategy<Value = ValueLimits> {
    let packed = || (0usize..40, 0usize..80).prop_map(|(entries, value_bytes)| PackedLimits { entries, value_bytes });
    let list = prop_oneof![-5i64..0, 1i64..20].prop_map(|listpack_size| ListLimits { listpack_size });
    prop_oneof![
        Just(ValueLimits::default()),
        (packed(), list, packed(), 0usize..60, packed()).prop_map(|(hash, list, set, intset_entries, sorted_set)| {
            let stream = NodeLimits { bytes: 0, entries: hash.entries };
            ValueLimits { hash, list, set: SetLimits { intset_entries, packed: set }, sorted_set, stream }
        }),
    ]
}

fn usage() -> impl Strategy<Value = Usage> {
    prop_oneof![Just(Usage::Unknown), any::<u64>().prop_map(Usage::Idle), any::<u8>().prop_map(Usage::Frequency)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn what_is_saved_is_loaded(
        models in vec((text(), model(), proptest::option::of(0u64..1 << 60), usage()), 0..6),
        written in limits(),
        read in limits(),
        compresses: bool,
    ) {
        let entries: Vec<Loaded> = models
            .into_iter()
            .enumerate()
            .map(|(index, (key, model, deadline, usage))| {
                let encoding = model.with_value(&written, encoding);
                Loaded { database: index / 2, key, model, encoding, deadline, usage }
            })
            .collect();
        let file = save(&entries, &written, compresses);
        let same = load(&file, &written).expect("what was written is read");
        for (loaded, entry) in same.iter().zip(&entries) {
            // A set may be smaller now than its history made it.
            let set = matches!(entry.model, Model::Set(_));
            prop_assert!(set || loaded.encoding == entry.encoding, "{:?} was {}", loaded, entry.encoding);
        }
        let plain = |all: &[Loaded]| -> Vec<Loaded> {
            all.iter().map(|entry| Loaded { encoding: String::new(), ..entry.clone() }).collect()
        };
        prop_assert_eq!(plain(&same), plain(&entries));
        let others = load(&file, &read).expect("what was written is read under other limits");
        prop_assert_eq!(plain(&others), plain(&entries));
    }

    #[test]
    fn what_is_dumped_is_restored(model in model(), written in limits(), compresses: bool) {
        let payload = model.with_value(&written, |value| dump::dump(value, compresses));
        let restored = Payload::read(&payload, ValueLimits::default(), basis()).ok();
        prop_assert_eq!(restored.map(|payload| payload.hand_over(|value| Model::of(value.view()))), Some(model));
        for end in [0, 1, 9, 10, payload.len() - 1] {
            let cut = Payload::read(&payload[..end.min(payload.len() - 1)], ValueLimits::default(), basis());
            prop_assert_eq!(cut.err(), Some(DumpError::Footer));
        }
    }
}

#[test]
fn big_values_are_written_in_portions_and_read_back() {
    let number = |n: u32| format!("element:{n:08}").into_bytes();
    let models = [
        Model::Text((0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        Model::Hash((0..30_000).map(|n| (number(n), number(n * 2))).collect()),
        Model::List((0..30_000).map(number).chain([vec![b'x'; 100_000]]).collect()),
        Model::Set((0..30_000).map(number).collect()),
        Model::SortedSet((0..30_000).map(|n| (number(n), f64::from(n % 100).to_bits())).collect()),
    ];
    let limits = ValueLimits::default();
    let entries: Vec<Loaded> = models
        .into_iter()
        .map(|model| Loaded {
            database: 3,
            key: b"big".to_vec(),
            encoding: model.with_value(&limits, encoding),
            model,
            deadline: None,
            usage: Usage::Unknown,
        })
        .collect();
    for compresses in [false, true] {
        let file = save(&entries, &limits, compresses);
        let loaded = load(&file, &limits).expect("what was written is read");
        assert!(loaded == entries, "compressed: {compresses}");
    }
}
