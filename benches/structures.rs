//! The structures of `value/` alone, without keys, locks or replies: what one operation costs in small (packed) and in
//! big form.
//!
//! `cargo bench --bench structures`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pipkin::value::hash::{self, HashMut};
use pipkin::value::hyperloglog;
use pipkin::value::list::{self, End, ListMut};
use pipkin::value::packed::{Detached, PackedLimits};
use pipkin::value::set::{self, SetLimits, SetMut};
use pipkin::value::sorted_set::{self, ScoreRange, SortedSetMut};
use pipkin::value::table::{Basis, Entry, Table};
use pipkin::value::thin::Thin;

/// Entries of a collection in its packed form, and in its big one.
const SIZES: [usize; 2] = [64, 100_000];
/// From entry to entry; odd and no divisor, so that every entry has its turn, and none its neighbour's.
const STRIDE: usize = 7919;
/// `*-max-listpack-entries` and `*-max-listpack-value` as they are at the start.
const PACKED: PackedLimits = PackedLimits { entries: 128, value_bytes: 64 };
const SETS: SetLimits = SetLimits { intset_entries: 512, packed: PACKED };
const LISTS: list::ListLimits = list::ListLimits { listpack_size: -2 };
/// `hll-sparse-max-bytes` as it is at the start.
const SPARSE_BYTES_MAX: usize = 3000;

fn basis() -> Basis {
    Basis::new(0x5eed, 0)
}

fn names(prefix: &str, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("{prefix}:{number:06}").into_bytes()).collect()
}

/// Indices below `count`, in strides, without end.
fn strides(count: usize) -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + STRIDE) % count;
        at
    }
}

/// A name with one allocation, the least that a table holds.
#[derive(Clone)]
struct Name(Thin);

impl Entry for Name {
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(&self.0)
    }
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

fn filled_table(names: &[Vec<u8>]) -> Table<Name> {
    let basis = basis();
    let mut table = Table::new(basis.clone());
    for name in names {
        table.insert(basis.hash(name), Name(Thin::from_parts(&[name])));
    }
    table
}

fn tables(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("table");
    let fresh = names("name", 10_000);
    group.throughput(Throughput::Elements(fresh.len() as u64));
    group.bench_function("insert 10,000 names, growing", |b| {
        b.iter_batched(|| (), |()| filled_table(&fresh), BatchSize::LargeInput);
    });
    group.throughput(Throughput::Elements(1));
    for count in [1_000, 1_000_000] {
        let names = names("name", count);
        let table = filled_table(&names);
        let mut next = strides(count);
        group.bench_function(format!("find, {count} names"), |b| {
            b.iter(|| {
                let name = &names[next()];
                black_box(table.find(table.basis().hash(name), |entry| entry.0[..] == name[..]).is_some())
            });
        });
    }
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    for count in SIZES {
        let (basis, fields) = (basis(), names("field", count));
        let mut home = Detached::new(hash::EMPTY);
        let mut hash = HashMut::new(&mut home);
        fields.iter().for_each(|field| assert!(hash.insert(field, b"value", &PACKED, &basis)));
        let mut next = strides(count);
        group.bench_function(format!("get, {count} fields"), |b| {
            b.iter(|| black_box(hash.read().get(&fields[next()]).map(<[u8]>::len)));
        });
        group.bench_function(format!("set, {count} fields"), |b| {
            b.iter(|| black_box(hash.insert(&fields[next()], b"other", &PACKED, &basis)));
        });
    }
    group.finish();
}

fn sets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("set");
    let integers: Vec<Vec<u8>> = (0..512).map(|number: usize| number.to_string().into_bytes()).collect();
    measure_set(&mut group, "integers", &integers);
    for count in SIZES {
        measure_set(&mut group, "strings", &names("member", count));
    }
    group.finish();
}

fn measure_set(group: &mut BenchmarkGroup<'_, WallTime>, kind: &str, members: &[Vec<u8>]) {
    let (basis, count) = (basis(), members.len());
    let mut home = Detached::new(set::EMPTY);
    let mut set = SetMut::new(&mut home);
    members.iter().for_each(|member| assert!(set.insert(member, &SETS, &basis)));
    let mut next = strides(count);
    group.bench_function(format!("contains, {count} {kind}"), |b| {
        b.iter(|| black_box(set.read().contains(&members[next()])));
    });
    group.bench_function(format!("remove and insert, {count} {kind}"), |b| {
        b.iter(|| {
            let member = &members[next()];
            set.remove(member);
            black_box(set.insert(member, &SETS, &basis))
        });
    });
}

fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    for count in SIZES {
        let values = names("value", count);
        let mut home = Detached::new(list::EMPTY);
        let mut list = ListMut::new(&mut home);
        list.push(End::Tail, &values, &LISTS);
        group.bench_function(format!("push and pop at the head, {count} values"), |b| {
            b.iter(|| {
                list.push(End::Head, &values[..1], &LISTS);
                black_box(list.pop(End::Head, &LISTS, <[u8]>::len))
            });
        });
        group.bench_function(format!("push at the head and pop at the tail, {count} values"), |b| {
            b.iter(|| {
                list.push(End::Head, &values[..1], &LISTS);
                black_box(list.pop(End::Tail, &LISTS, <[u8]>::len))
            });
        });
        let start = count / 2;
        let range = start..(start + 100).min(count);
        group.bench_function(format!("range of {} in the middle, {count} values", range.len()), |b| {
            b.iter(|| black_box(list.read().range(range.clone()).map(<[u8]>::len).sum::<usize>()));
        });
    }
    group.finish();
}

fn sorted_sets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sorted set");
    for count in SIZES {
        let (basis, members) = (basis(), names("member", count));
        let mut home = Detached::new(sorted_set::packed::EMPTY);
        let mut set = SortedSetMut::new(&mut home);
        for (rank, member) in members.iter().enumerate() {
            set.insert(member, rank as f64, &PACKED, &basis);
        }
        let mut next = strides(count);
        group.bench_function(format!("move a member, {count} members"), |b| {
            b.iter(|| black_box(set.insert(&members[next()], next() as f64, &PACKED, &basis)));
        });
        group.bench_function(format!("rank, {count} members"), |b| {
            b.iter(|| black_box(set.read().rank(&members[next()])));
        });
        group.bench_function(format!("range of 10 by rank, {count} members"), |b| {
            b.iter(|| {
                let start = next();
                black_box(set.read().range(start..start + 10).map(|(_, score)| score).sum::<f64>())
            });
        });
        group.bench_function(format!("count between two scores, {count} members"), |b| {
            b.iter(|| {
                let min = next() as f64;
                let range = ScoreRange { min, max: min + 10.0, min_exclusive: false, max_exclusive: false };
                black_box(set.read().ranks_by_score(&range).len())
            });
        });
    }
    group.finish();
}

fn hyperloglogs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("HyperLogLog");
    for (form, count) in [("sparse", 100), ("dense", 100_000)] {
        let elements = names("element", count);
        let mut bytes = hyperloglog::create();
        for element in &elements {
            hyperloglog::add(&mut bytes, element, SPARSE_BYTES_MAX).expect("a valid HyperLogLog");
        }
        assert_eq!(hyperloglog::is_dense(&bytes), form == "dense");
        let mut next = strides(count);
        group.bench_function(format!("add a known element, {form}"), |b| {
            b.iter(|| black_box(hyperloglog::add(&mut bytes, &elements[next()], SPARSE_BYTES_MAX)));
        });
        group.bench_function(format!("count, {form}"), |b| {
            b.iter(|| black_box(hyperloglog::estimated_count(&bytes)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = tables, hashes, sets, lists, sorted_sets, hyperloglogs
}
criterion_main!(benches);
