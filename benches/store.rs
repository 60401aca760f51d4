//! The keyspace without the engine: lock a shard, find or replace a record, let go. Few keys stay in the caches; of a
//! million nearly every one is a miss, unless it is prefetched as a batch does.
//!
//! `cargo bench --bench store`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pipkin::store::keys::Keys;
use pipkin::store::keyspace::Keyspace;
use pipkin::store::record::{NewValue, StringRef};
use pipkin::value::table::Basis;

/// Keys that stay in the caches, and keys that do not.
const COUNTS: [usize; 2] = [1_000, 1_000_000];
const DATABASES: usize = 16;
const VALUE: [u8; 64] = [b'x'; 64];
/// Commands whose keys are prefetched together.
const BATCH: usize = 16;
/// From key to key; odd, so that every key has its turn.
const STRIDE: usize = 7919;
/// Unix time at which everything here happens, in ms.
const NOW_MS: u64 = 1_700_000_000_000;

/// One key with its shard locked, as the dispatcher does it for a command.
fn with_key<'k, R>(keys: &mut Keys<'k>, key: &[u8], run: impl FnOnce(&mut Keys<'k>) -> R) -> R {
    let hash = keys.hash(key);
    keys.lock_one(key, hash);
    let result = run(keys);
    keys.release();
    result
}

fn set(keys: &mut Keys<'_>, key: &[u8]) {
    with_key(keys, key, |keys| keys.set(key, NewValue::Bytes(&VALUE), None));
}

/// The length of a key's value.
fn get(keys: &mut Keys<'_>, key: &[u8]) -> Option<usize> {
    with_key(keys, key, |keys| match keys.find(key)?.string()? {
        StringRef::Bytes(bytes) => Some(bytes.len()),
        StringRef::Integer(_) => None,
    })
}

fn keyspaces(criterion: &mut Criterion) {
    for count in COUNTS {
        let keyspace = Keyspace::new(Basis::new(0x5eed, NOW_MS), DATABASES).expect("a thread can be started");
        let names: Vec<Vec<u8>> = (0..count).map(|number| format!("key:{number:012}").into_bytes()).collect();
        let mut keys = Keys::new(&keyspace);
        keys.enter(NOW_MS);
        names.iter().for_each(|name| set(&mut keys, name));
        let mut group = criterion.benchmark_group(format!("keyspace, {count} keys"));
        measure(&mut group, &mut keys, &names);
        group.finish();
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, keys: &mut Keys<'_>, names: &[Vec<u8>]) {
    let mut at = 0;
    let mut next = || {
        at = (at + STRIDE) % names.len();
        names[at].as_slice()
    };
    group.bench_function("get", |b| b.iter(|| assert_eq!(get(keys, next()), Some(VALUE.len()))));
    group.bench_function("get, absent", |b| b.iter(|| black_box(get(keys, b"absent"))));
    group.bench_function("set", |b| b.iter(|| set(keys, next())));
    group.bench_function("remove and set", |b| {
        b.iter(|| {
            let name = next();
            with_key(keys, name, |keys| assert!(keys.remove(name)));
            set(keys, name);
        });
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(format!("get, {BATCH} prefetched"), |b| {
        b.iter(|| {
            let batch: [&[u8]; BATCH] = std::array::from_fn(|_| next());
            let hashes = batch.map(|name| keys.hash(name));
            (0..3).for_each(|stage| keys.prefetch(&hashes, stage));
            batch.iter().filter_map(|name| get(keys, name)).sum::<usize>()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = keyspaces
}
criterion_main!(benches);
