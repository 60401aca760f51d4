//! Tests of `hyperloglog`: fixed cases, and what real servers answered.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const SPARSE_MAX: usize = 3000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of(elements: impl IntoIterator<Item = impl AsRef<[u8]>>, sparse_max: usize) -> Vec<u8> {
    let mut bytes = create();
    for element in elements {
        add(&mut bytes, element.as_ref(), sparse_max).unwrap();
    }
    bytes
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Bytes as redis-server 7.0 shows them by GET.
#[test]
fn bytes_are_redis_bytes() {
    assert_eq!(hex(&create()), "48594c4c0100000000000000000000007fff");
    let mut bytes = of(["foo", "bar", "zap", "a", "b", "c", "d", "e", "f", "g"], SPARSE_MAX);
    let registers = "466d80560c80369042078441fb8438804621804a8e84498c80426d80425a";
    assert_eq!(hex(&bytes), format!("48594c4c010000000000000000000080{registers}"));
    assert_eq!(count(&mut bytes), Ok((10, true)));
    assert_eq!(hex(&bytes), format!("48594c4c010000000a00000000000000{registers}"));
    assert_eq!(count(&mut bytes), Ok((10, false)));
}

/// 3,000 users, looked at on the way: number, length, hash of the bytes (of GET), PFCOUNT.
#[test]
fn growth_is_redis_growth() {
    let mut bytes = create();
    let mut users = (0..).map(|user| format!("user:{user}"));
    for (number, len, hash, estimate) in [
        (100, 283, 0xcf07_5f3f_ddd9_5c50, 100),
        (500, 1042, 0xcedd_8087_a9e2_2e20, 499),
        (1000, 1910, 0x083e_d503_58e9_daa5, 1007),
        (1300, 2407, 0x0656_ed05_bd51_564b, 1310),
        (1500, 2742, 0x0920_aa22_0597_2fb3, 1516),
        (2000, 12304, 0x9f84_66e1_7ba1_0755, 2008),
        (3000, 12304, 0xaff1_2b00_01d8_424c, 2996),
    ] {
        for user in users.by_ref() {
            add(&mut bytes, user.as_bytes(), SPARSE_MAX).unwrap();
            if user == format!("user:{}", number - 1) {
                break;
            }
        }
        assert_eq!((bytes.len(), fnv(&bytes)), (len, hash), "{number} users");
        assert_eq!(count(&mut bytes), Ok((estimate, true)), "{number} users");
    }
}

#[test]
fn a_new_element_changes_a_register_once() {
    let mut bytes = create();
    assert_eq!(add(&mut bytes, b"a", SPARSE_MAX), Ok(true));
    assert_eq!(add(&mut bytes, b"a", SPARSE_MAX), Ok(false));
    let mut bytes = of(["a"], 0);
    assert!(is_dense(&bytes));
    assert!(!add_dense(&mut bytes, b"a"));
    assert!(add_dense(&mut bytes, b"b"));
    assert_eq!(cached_count(&bytes), None);
    assert_eq!(count(&mut bytes), Ok((2, true)));
    assert_eq!(cached_count(&bytes), Some(2));
    assert!(!add_dense(&mut create(), b"a"), "a sparse one is left alone");
}

#[test]
fn what_is_not_a_hyperloglog_is_seen() {
    assert!(is_valid(&create()));
    assert!(is_valid(&of(["a"], 0)));
    let mut wrong = create();
    wrong[4] = 2;
    assert!(!is_valid(&wrong));
    assert!(!is_valid(b""));
    assert!(!is_valid(b"HYLL"));
    assert!(!is_valid(&[&b"HYLL\0"[..], &[0; 12_298]].concat()), "one byte short of dense");
    assert!(is_valid(&[&b"HYLL\0"[..], &[0; 12_299]].concat()));
}

#[test]
fn corrupt_runs_are_errors() {
    let head = &create()[..HEADER_LEN];
    for runs in [
        &[][..],
        &[0x7f],                   // half a long run
        &[0x7f, 0xfe],             // one register missing
        &[0x7f, 0xff, 0x00],       // one too many
        &[0x7f, 0xff, 0x7f, 0xff], // twice as many
        &[0x80, 0x7f, 0xff],
        &[0x3f; 255],
        &[0xff; 4097],
    ] {
        let mut bytes = [head, runs].concat();
        assert!(is_valid(&bytes));
        invalidate(&mut bytes);
        let before = bytes.clone();
        assert_eq!(count(&mut bytes), Err(Corrupt), "{runs:x?}");
        assert_eq!(union_count([&bytes[..]]), Err(Corrupt));
        assert_eq!(merge(&mut bytes, [], SPARSE_MAX), Err(Corrupt));
        assert_eq!(merge(&mut create(), [&bytes[..]], SPARSE_MAX), Err(Corrupt));
        assert_eq!(bytes, before);
        assert_eq!(merge(&mut of(["a"], 0), [&bytes[..]], SPARSE_MAX), Err(Corrupt));
    }
    let mut short = [head, &[0x40, 0x00]].concat();
    assert_eq!(add(&mut short, b"a", SPARSE_MAX), Err(Corrupt), "the register is behind the last run");
}

#[test]
fn merging_keeps_redis_encodings() {
    let (a, b) = (of(["a", "b"], SPARSE_MAX), of(["c"], SPARSE_MAX));
    let mut target = create();
    merge(&mut target, [&a[..], &b[..]], SPARSE_MAX).unwrap();
    assert!(!is_dense(&target));
    assert_eq!(estimated_count(&target), Ok(3));
    let dense = of(["d"], 0);
    merge(&mut target, [&dense[..]], SPARSE_MAX).unwrap();
    assert!(is_dense(&target));
    assert_eq!(count(&mut target), Ok((4, true)));
    let mut target = create();
    merge(&mut target, [&a[..], &b[..]], 0).unwrap();
    assert!(is_dense(&target), "too long for a sparse one");
}

#[test]
fn estimates_are_close() {
    for distinct in [10u32, 1_000, 20_000, 200_000] {
        let mut bytes = of((0..distinct).map(u32::to_le_bytes), SPARSE_MAX);
        let (estimate, _) = count(&mut bytes).unwrap();
        let error = (estimate as f64 - f64::from(distinct)).abs() / f64::from(distinct);
        assert!(error < 0.03, "{estimate} for {distinct}");
    }
}

/// All registers, whatever the encoding.
fn ranks(bytes: &[u8]) -> Vec<u8> {
    let mut union = Union::new();
    union.absorb(bytes).unwrap();
    union.ranks.to_vec()
}

proptest! {
    /// Both encodings hold what a plain array holds, and change when it changes.
    #[test]
    fn registers_are_those_of_the_model(elements in prop::collection::vec(0u16..2000, 0..400), sparse_max in 0usize..1500) {
        let (mut bytes, mut model) = (create(), vec![0u8; REGISTERS]);
        for element in elements {
            let element = element.to_le_bytes();
            let Mark { register, rank } = Mark::of(&element);
            let expected = model[register] < rank;
            model[register] = rank.max(model[register]);
            prop_assert_eq!(add(&mut bytes, &element, sparse_max), Ok(expected));
            prop_assert!(is_valid(&bytes));
        }
        prop_assert_eq!(ranks(&bytes), model);
        prop_assert!(is_dense(&bytes) || bytes.len() <= sparse_max.max(create().len()));
    }

    #[test]
    fn a_union_is_the_hyperloglog_of_the_union(
        a in prop::collection::hash_set(0u32..5000, 0..300),
        b in prop::collection::hash_set(0u32..5000, 0..300),
        limits in prop::array::uniform3(prop::sample::select(vec![0usize, 200, 3000])),
    ) {
        let both: HashSet<_> = a.union(&b).copied().collect();
        let [mut a, b] = [(a, limits[0]), (b, limits[1])].map(|(set, limit)| of(set.into_iter().map(u32::to_le_bytes), limit));
        let both = of(both.into_iter().map(u32::to_le_bytes), 0);
        prop_assert_eq!(union_count([&a[..], &b[..]]), estimated_count(&both));
        merge(&mut a, [&b[..]], limits[2]).unwrap();
        prop_assert_eq!(ranks(&a), ranks(&both));
    }

    #[test]
    fn crafted_bytes_never_panic(
        runs in prop::collection::vec(any::<u8>(), 0..80),
        element: u64,
        sparse_max in prop::sample::select(vec![0usize, 100, 3000]),
    ) {
        let mut bytes = [&create()[..HEADER_LEN], &runs].concat();
        let _ = estimated_count(&bytes);
        let _ = add(&mut bytes, &element.to_le_bytes(), sparse_max);
        let _ = merge(&mut bytes, [], sparse_max);
        let mut arbitrary = runs;
        let _ = add(&mut arbitrary, b"a", sparse_max);
        let _ = count(&mut arbitrary);
    }
}
