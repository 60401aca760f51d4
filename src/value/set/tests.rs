//! The set against `std::collections::HashSet` through all three forms, with snapshots in between.
use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

type Model = HashSet<Vec<u8>>;

const LIMITS: SetLimits = SetLimits { intset_entries: 512, packed: PackedLimits { entries: 128, value_bytes: 64 } };

fn basis() -> Basis {
    Basis::new(5, 0)
}

fn read(home: &Detached<SetTable>) -> Set<'_> {
    Set::new(home.form())
}

fn of(members: &[&str]) -> Detached<SetTable> {
    collect(members, &LIMITS, &basis())
}

fn numbers(range: std::ops::Range<i64>) -> Detached<SetTable> {
    collect(range.map(|i| i.to_string()), &LIMITS, &basis())
}

fn add(home: &mut Detached<SetTable>, member: &[u8]) -> bool {
    SetMut::new(home).insert(member, &LIMITS, &basis())
}

fn check(set: Set<'_>, model: &Model) {
    assert_eq!(set.len(), model.len());
    assert!(model.iter().all(|member| set.contains(member)));
    assert!(!set.contains(b"absent") && !set.contains(b"-987654321"));
    assert_eq!(&set.iter().map(|m| m.to_vec()).collect::<Model>(), model);
    let mut visited = Model::new();
    set.for_each(|m| assert!(visited.insert(m.to_vec())));
    assert_eq!(&visited, model);
    let (mut scanned, mut position) = (Model::new(), Some(0));
    while let Some(at) = position {
        position = set.scan(at, |m| {
            scanned.insert(m.to_vec());
        });
    }
    assert_eq!(&scanned, model);
    for random in [0, 1 << 50, u64::MAX / 3, u64::MAX] {
        assert_eq!(set.random(random).is_some(), !model.is_empty());
        assert!(set.random(random).is_none_or(|m| model.contains(&*m)));
    }
}

fn recount(table: &SetTable) -> usize {
    table.members.iter().map(|slot| slot.0.heap_bytes()).sum()
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-40i64..40).prop_map(|v| v.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|v| (v >> (v & 63)).to_string().into_bytes()),
        1 => (0u8..60).prop_map(|v| format!("member{v}").into_bytes()),
        1 => (0u8..12).prop_map(|v| vec![b'0'; v as usize]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn behaves_as_a_hash_set(
        intset_entries in 0usize..60,
        entries in 0usize..60,
        value_bytes in prop_oneof![Just(3usize), Just(64)],
        operations in proptest::collection::vec((0u8..12, member(), any::<u64>()), 0..400),
    ) {
        let limits = SetLimits { intset_entries, packed: PackedLimits { entries, value_bytes } };
        let mut home = Detached::new(EMPTY);
        let mut model = Model::new();
        let mut snapshot: Option<(SetTable, Model)> = None;
        for (operation, member, random) in operations {
            let mut set = SetMut::new(&mut home);
            match operation {
                0..=6 => {
                    if random % 4 == 0 {
                        set.prepare(&member, (random >> 8) as usize % 3, &limits, &basis());
                    }
                    prop_assert_eq!(set.insert(&member, &limits, &basis()), model.insert(member));
                }
                7..=8 => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                9 => match set.pop_random(random) {
                    Some(member) => prop_assert!(model.remove(&member)),
                    None => prop_assert!(model.is_empty()),
                },
                10 if random % 16 == 0 => {
                    set.compact_integers(&limits);
                    let integers = model.iter().all(|m| parse_i64(m).is_some());
                    let fits = integers && model.len() <= intset_entries;
                    prop_assert!(!fits || set.read().encoding() == Encoding::Intset);
                }
                11 => {
                    if let Form::Big(table) = home.form() {
                        snapshot = Some((table.clone(), model.clone()));
                    }
                }
                _ => {}
            }
            let set = read(&home);
            match set.encoding() {
                Encoding::Intset => prop_assert!(set.iter().all(|m| parse_i64(&m).is_some())),
                Encoding::Listpack => prop_assert!(set.len() <= entries),
                Encoding::Hashtable => {}
            }
        }
        check(read(&home), &model);
        for (table, model) in snapshot.iter().map(|(t, m)| (t, m)) {
            check(Set::new(Form::Big(table)), model);
            prop_assert_eq!(table.member_bytes, recount(table));
        }
        if let Form::Big(table) = home.form() {
            prop_assert_eq!(table.member_bytes, recount(table));
        }
    }
}

#[test]
fn integers_become_strings_or_a_table() {
    assert_eq!(read(&of(&["1", "2", "3"])).encoding(), Encoding::Intset);
    assert_eq!(read(&of(&["1", "2", "x"])).encoding(), Encoding::Listpack);
    assert_eq!(read(&of(&["01"])).encoding(), Encoding::Listpack);
    let mut home = numbers(0..512);
    assert_eq!(read(&home).encoding(), Encoding::Intset);
    assert!(!add(&mut home, b"17"));
    assert_eq!(read(&home).encoding(), Encoding::Intset);
    assert!(add(&mut home, b"512"));
    assert_eq!((read(&home).encoding(), read(&home).len()), (Encoding::Hashtable, 513));

    for (count, encoding) in [(127, Encoding::Listpack), (128, Encoding::Hashtable)] {
        let mut home = numbers(0..count);
        assert!(add(&mut home, b"other"));
        assert_eq!(read(&home).encoding(), encoding, "{count} integers and a string");
    }
    let mut home = of(&["1"]);
    assert!(add(&mut home, &[b'm'; 65]));
    assert_eq!(read(&home).encoding(), Encoding::Hashtable);
}

#[test]
fn strings_over_their_limits_become_a_table() {
    let mut home = collect((0..128).map(|i| format!("m{i}")), &LIMITS, &basis());
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    assert!(!add(&mut home, b"m0"));
    assert!(add(&mut home, b"m128"));
    assert_eq!((read(&home).encoding(), read(&home).len()), (Encoding::Hashtable, 129));
    let mut home = of(&["a"]);
    assert!(add(&mut home, &[b'm'; 64]));
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    assert!(add(&mut home, &[b'n'; 65]));
    assert_eq!(read(&home).encoding(), Encoding::Hashtable);
}

#[test]
fn a_command_with_many_members_chooses_the_form() {
    let form_of = |first: &[u8], members| {
        let mut home = Detached::new(EMPTY);
        SetMut::new(&mut home).prepare(first, members, &LIMITS, &basis());
        read(&home).encoding()
    };
    assert_eq!(form_of(b"1", 512), Encoding::Intset);
    assert_eq!(form_of(b"1", 513), Encoding::Hashtable);
    assert_eq!(form_of(b"a", 128), Encoding::Listpack);
    assert_eq!(form_of(b"a", 129), Encoding::Hashtable);
    for encoding in [Encoding::Intset, Encoding::Listpack, Encoding::Hashtable] {
        assert_eq!(read(&detached(encoding, &basis())).encoding(), encoding);
    }
}

#[test]
fn a_member_of_15_bytes_costs_at_most_44() {
    let home = collect((0..100_000).map(|i| format!("member:{i:08}")), &LIMITS, &basis());
    let per_entry = read(&home).heap_bytes() as f64 / 100_000.0;
    assert!(per_entry < 44.0, "{per_entry} bytes per member");
}
