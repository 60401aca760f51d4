//! The list against `Vec` in both forms, with snapshots in between, and the shapes that Redis gives lists.
use proptest::prelude::*;

use super::*;
use crate::value::listpack_size::of_value as entry_bytes;
use crate::value::packed::Detached;

type Model = Vec<Vec<u8>>;

const LIMITS: ListLimits = ListLimits { listpack_size: -2 };

fn empty() -> Detached<Deque> {
    Detached::new(EMPTY)
}

fn read(home: &Detached<Deque>) -> List<'_> {
    List::new(home.form())
}

fn check(list: List<'_>, model: &Model) {
    assert_eq!(list.len(), model.len());
    assert!(list.iter().eq(model));
    assert!(list.iter().rev().eq(model.iter().rev()));
    let len = model.len();
    for index in [0, 1, len / 3, len / 2, len.saturating_sub(1), len, len + 1] {
        assert_eq!(list.get(index), model.get(index).map(|v| &v[..]));
    }
    for (start, end) in [(0, len / 2), (len / 3, len), (len / 4, len * 3 / 4), (len / 2, len / 2 + 1), (len, len + 5)] {
        let end = end.min(len);
        assert!(list.range(start..end).eq(&model[start..end]));
        assert!(list.range(start..end).rev().eq(model[start..end].iter().rev()));
    }
    // Both ends of one iterator meet in the middle.
    let (mut values, mut seen) = (list.iter(), 0);
    while let Some(front) = values.next() {
        assert_eq!(front, model[seen / 2]);
        if let Some(back) = values.next_back() {
            assert_eq!(back, model[len - 1 - seen / 2]);
        }
        seen += 2;
    }
    if let Some(deque) = list.1 {
        deque.verify();
    }
}

/// What LREM does.
fn remove_from(model: &mut Model, value: &[u8], most: usize, from: End) -> usize {
    let mut places: Vec<usize> = (0..model.len()).filter(|&i| model[i] == value).collect();
    if from == End::Tail {
        places.reverse();
    }
    places.truncate(most);
    let mut index = 0;
    model.retain(|_| {
        index += 1;
        !places.contains(&(index - 1))
    });
    places.len()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0u8..4).prop_map(|v| vec![b'a' + v; v as usize]),
        2 => any::<i32>().prop_map(|v| (v >> (v & 31)).to_string().into_bytes()),
        4 => (0u8..200).prop_map(|v| vec![v; v as usize]),
        1 => (0usize..6000).prop_map(|v| vec![b'l'; v]),
    ]
}

/// One command: `(which, at the tail, numbers, value)`.
type Operation = (u8, bool, u16, u16, Vec<u8>);

fn apply(operation: Operation, home: &mut Detached<Deque>, model: &mut Model, limits: &ListLimits) {
    let (which, at_tail, a, b, value) = operation;
    let (a, b) = (a as usize, b as usize);
    let end = if at_tail { End::Tail } else { End::Head };
    let mut list = ListMut::new(home);
    match which {
        0..=8 => {
            let values = vec![value; a % 20 + 1];
            list.push(end, &values, limits);
            let at = if at_tail { model.len() } else { 0 };
            model.splice(at..at, values);
        }
        9..=11 => {
            for _ in 0..a % 24 {
                let index = if at_tail { model.len().saturating_sub(1) } else { 0 };
                let expected = if model.is_empty() { None } else { Some(model.remove(index)) };
                assert_eq!(list.pop(end, limits, <[u8]>::to_vec), expected);
            }
        }
        12..=14 => {
            let index = a % (model.len() + 1);
            assert_eq!(list.set(index, &value, limits), index < model.len());
            if let Some(known) = model.get_mut(index) {
                *known = value;
            }
        }
        15..=17 => {
            let pivot = a % (model.len() + 1);
            let side = if at_tail { Side::After } else { Side::Before };
            assert_eq!(list.insert(pivot, side, &value, limits), pivot < model.len());
            if pivot < model.len() {
                model.insert(pivot + at_tail as usize, value);
            }
        }
        18..=19 => {
            let most = if b % 3 == 0 { usize::MAX } else { b % 8 };
            let value = if model.is_empty() { value } else { model[a % model.len()].clone() };
            assert_eq!(list.remove(&value, most, end, limits), remove_from(model, &value, most, end));
        }
        20..=21 => {
            let to = if b % 4 == 0 {
                end
            } else if at_tail {
                End::Head
            } else {
                End::Tail
            };
            let from_at = if at_tail { model.len().saturating_sub(1) } else { 0 };
            let expected = if model.is_empty() { None } else { Some(model.remove(from_at)) };
            assert_eq!(list.rotate(end, to, limits, <[u8]>::to_vec), expected);
            if let Some(value) = expected {
                let to_at = if to == End::Head { 0 } else { model.len() };
                model.insert(to_at, value);
            }
        }
        _ => {
            let (start, end) = (a % 30, model.len() + 3 - (b % 30).min(model.len() + 3));
            list.trim(start..end, limits);
            model.truncate(end);
            model.drain(..start.min(model.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn behaves_as_a_vec(
        setting in prop_oneof![Just(-2i64), Just(-1), Just(0), 1i64..200],
        operations in proptest::collection::vec((0u8..24, any::<bool>(), any::<u16>(), any::<u16>(), value()), 0..300),
    ) {
        let limits = ListLimits { listpack_size: setting };
        let (mut home, mut model) = (empty(), Model::new());
        let mut snapshots: Vec<(Deque, Model)> = Vec::new();
        for operation in operations {
            if operation.2 % 32 == 0 && let Form::Big(deque) = home.form() {
                snapshots.push((deque.clone(), model.clone()));
            }
            apply(operation, &mut home, &mut model, &limits);
            prop_assert_eq!(read(&home).len(), model.len());
            if let Form::Packed(bytes) = home.form() {
                prop_assert!(bytes.len() <= PACKED_BYTES_MAX && (setting < 0 || model.len() <= setting.max(1) as usize));
            }
        }
        check(read(&home), &model);
        for (deque, model) in &snapshots {
            check(List::new(Form::Big(deque)), model);
        }
    }
}

#[test]
fn listpack_sizes_are_those_of_the_format() {
    for (value, bytes) in [
        ("0", 2),
        ("127", 2),
        ("128", 3),
        ("-1", 3),
        ("4095", 3),
        ("4096", 4),
        ("-4097", 4),
        ("32768", 5),
        ("8388607", 5),
        ("8388608", 6),
        ("2147483648", 10),
        ("", 2),
        ("abc", 5),
        ("01", 4),
    ] {
        assert_eq!(entry_bytes(value.as_bytes()), bytes, "{value}");
    }
    for (len, bytes) in [(63, 65), (64, 67), (125, 128), (126, 130), (4095, 4099), (4096, 4103)] {
        assert_eq!(entry_bytes(&vec![b'x'; len]), bytes, "{len} bytes");
    }
}

#[test]
fn a_list_over_eight_kib_is_a_quicklist_until_it_is_half_of_that() {
    let mut home = empty();
    // 23 bytes each: 7 + 355 * 23 = 8172.
    for _ in 0..355 {
        ListMut::new(&mut home).push(End::Tail, &[[b'x'; 21]], &LIMITS);
    }
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    ListMut::new(&mut home).push(End::Tail, &[[b'x'; 21]], &LIMITS);
    assert_eq!(read(&home).encoding(), Encoding::Quicklist);
    // The first node keeps the 355, the last value stands in a second one: it has to go first.
    for left in (0..355).rev() {
        ListMut::new(&mut home).pop(End::Head, &LIMITS, |_| ());
        let one_node = left == 0;
        assert_eq!(read(&home).encoding() == Encoding::Listpack, one_node, "{left} left in the first node");
    }

    for end in [End::Head, End::Tail] {
        let mut home = empty();
        ListMut::new(&mut home).push(end, &[[b'x'; 21]; 400], &LIMITS);
        assert_eq!(read(&home).encoding(), Encoding::Quicklist);
        // 355 values fill a node; 178 of them are more than half of the limit, 177 are not.
        ListMut::new(&mut home).trim(0..178, &LIMITS);
        assert_eq!(read(&home).encoding(), Encoding::Quicklist);
        ListMut::new(&mut home).trim(0..177, &LIMITS);
        let one_node = if end == End::Tail { Encoding::Listpack } else { Encoding::Quicklist };
        assert_eq!(read(&home).encoding(), one_node);
    }
}

#[test]
fn a_limit_in_entries_counts_entries() {
    let limits = ListLimits { listpack_size: 4 };
    let mut home = empty();
    ListMut::new(&mut home).push(End::Tail, &["a", "b", "c", "d"], &limits);
    assert_eq!(read(&home).encoding(), Encoding::Listpack);
    ListMut::new(&mut home).push(End::Head, &["e"], &limits);
    assert_eq!(read(&home).encoding(), Encoding::Quicklist);
    // The new value is a node of its own; without it one node is left, which has to lose half of its values.
    for (end, encoding) in
        [(End::Head, Encoding::Quicklist), (End::Tail, Encoding::Quicklist), (End::Tail, Encoding::Listpack)]
    {
        ListMut::new(&mut home).pop(end, &limits, |_| ());
        assert_eq!(read(&home).encoding(), encoding);
    }
    assert!(read(&home).iter().eq([b"a", b"b"]));
}

#[test]
fn a_value_of_20_bytes_costs_at_most_23() {
    for end in [End::Head, End::Tail] {
        let mut home = empty();
        for i in 0..300_000 {
            ListMut::new(&mut home).push(end, &[format!("element:{i:012}")], &LIMITS);
        }
        let per_entry = read(&home).heap_bytes() as f64 / 300_000.0;
        assert!(per_entry < 23.0, "{per_entry} bytes per value");
    }
}

#[test]
fn long_values_do_not_leave_half_a_chunk_unused() {
    for len in [700, 1500, 2100, 3000, 5000, 40_000] {
        let mut home = empty();
        for _ in 0..200 {
            ListMut::new(&mut home).push(End::Head, &[vec![b'v'; len]], &LIMITS);
        }
        let per_entry = read(&home).heap_bytes() as f64 / 200.0;
        assert!(per_entry < len as f64 * 1.27 + 64.0, "{per_entry} bytes for {len}");
    }
}

#[test]
fn a_queue_gives_its_memory_back() {
    let mut home = empty();
    let push = |home: &mut Detached<Deque>| ListMut::new(home).push(End::Head, &[[b'q'; 40]], &LIMITS);
    (0..50_000).for_each(|_| push(&mut home));
    for _ in 0..49_900 {
        ListMut::new(&mut home).pop(End::Tail, &LIMITS, |_| ());
    }
    assert!(read(&home).heap_bytes() < 10_000, "{} bytes for 4,200", read(&home).heap_bytes());
    // A short queue in steady use neither grows nor loses anything.
    for _ in 0..20_000 {
        push(&mut home);
        assert_eq!(ListMut::new(&mut home).pop(End::Tail, &LIMITS, <[u8]>::len), Some(40));
    }
    assert!(read(&home).heap_bytes() < 14_000, "{} bytes for 4,200", read(&home).heap_bytes());
    (0..100).for_each(|_| _ = ListMut::new(&mut home).pop(End::Tail, &LIMITS, |_| ()));
    assert!(read(&home).is_empty());
}
