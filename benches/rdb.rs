//! RDB data: values to bytes, bytes to values, and a whole file into a keyspace.
//!
//! `cargo bench --bench rdb`; with `PIPKIN_RDB=FILE` it loads that file once and prints what it took.
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pipkin::base::crc64::crc64;
use pipkin::persist::rdb::{Auxiliary, Encoder, Item, Reader, Usage, Writer};
use pipkin::store::filler::Filler;
use pipkin::store::keyspace::Keyspace;
use pipkin::store::record::Record;
use pipkin::value::table::Basis;
use pipkin::value::{ValueLimits, ValueRef, hash, packed};

const KEYS: usize = 200_000;
const HEAD: Auxiliary<'_> =
    Auxiliary { redis_version: "7.2.4", created: 0, used_memory: 0, is_aof_base: false, has_field_deadlines: false };
/// Unix time at which everything here happens, in ms.
const NOW_MS: u64 = 1_700_000_000_000;

fn basis() -> Basis {
    Basis::new(0x5eed, NOW_MS)
}

/// Bytes that compress as little as identifiers and small documents do.
fn noise(number: usize, out: &mut [u8; 64]) {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in out {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = b'0' + (state >> 58) as u8;
    }
}

/// The binary's allocator, as far as it matters here.
#[cfg(feature = "server")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A file of strings of 64 bytes, or of hashes of five fields.
fn file(keys: usize, with_hashes: bool, compresses: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(compresses);
    let mut writer = Writer::new(Vec::new(), true, HEAD).expect("a vector takes everything");
    writer.select(0);
    writer.sizes(keys, 0);
    let (mut value, mut packed) = ([0; 64], Vec::new());
    for number in 0..keys {
        noise(number, &mut value);
        let key = format!("key:{number:012}");
        packed.clear();
        let fields = ["name", "price", "stock", "category", "updated"].map(str::as_bytes);
        let parts = fields.into_iter().zip(value.chunks(12));
        let view = if with_hashes {
            assert!(hash::pack(parts, &ValueLimits::default().hash, &mut packed));
            ValueRef::Hash(packed::Form::Packed(&packed))
        } else {
            ValueRef::Bytes(&value)
        };
        writer.entry(&mut encoder, key.as_bytes(), view, None, Usage::Unknown).expect("a vector takes everything");
    }
    writer.finish().expect("a vector takes everything")
}

/// Reads everything into records, which go into the keyspace if there is one.
fn read(source: impl Read, keyspace: Option<&Keyspace>) -> usize {
    let mut reader = Reader::new(source, ValueLimits::default(), basis()).expect("it is a file");
    let mut filler = keyspace.map(Filler::new);
    let mut count = 0;
    while let Some(item) = reader.next().expect("it is sound") {
        match (item, &mut filler) {
            (Item::Entry(entry), filler) => {
                count += 1;
                let record = Record::new(entry.key, entry.value, entry.deadline);
                if let Some(filler) = filler {
                    filler.add(entry.database, record).expect("keys differ");
                }
            }
            (Item::Sizes { database, keys, .. }, Some(filler)) => filler.expect(database, keys as usize),
            _ => {}
        }
    }
    if let Some(filler) = filler {
        filler.finish().expect("keys differ");
    }
    count
}

fn empty() -> Keyspace {
    Keyspace::new(basis(), 16).expect("a thread can be started")
}

fn rdb(criterion: &mut Criterion) {
    if let Some(path) = std::env::var_os("PIPKIN_RDB") {
        let keyspace = empty();
        let start = Instant::now();
        let count = read(File::open(&path).expect("the file is there"), Some(&keyspace));
        let whole = start.elapsed();
        let start = Instant::now();
        read(File::open(&path).expect("the file is there"), None);
        println!("{count} keys loaded in {whole:?}; read without keeping them in {:?}", start.elapsed());
        return;
    }
    let mut group = criterion.benchmark_group(format!("rdb of {KEYS} keys"));
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(KEYS as u64));
    measure(&mut group, "strings", false);
    measure(&mut group, "hashes", true);
    group.finish();
    let bytes = vec![7; 1 << 20];
    let mut group = criterion.benchmark_group("checksum");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("1 MiB", |bencher| bencher.iter(|| crc64(black_box(&bytes))));
    group.finish();
}

fn measure(group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>, what: &str, hashes: bool) {
    for compresses in [false, true] {
        let name = format!("{what} written, compression {compresses}");
        group.bench_function(name, |bencher| bencher.iter(|| file(KEYS, hashes, compresses)));
    }
    let bytes = file(KEYS, hashes, true);
    group.bench_function(format!("{what} read"), |bencher| bencher.iter(|| read(&bytes[..], None)));
    group.bench_function(format!("{what} loaded"), |bencher| {
        bencher.iter_with_large_drop(|| {
            let keyspace = empty();
            read(&bytes[..], Some(&keyspace));
            keyspace
        });
    });
}

criterion_group!(benches, rdb);
criterion_main!(benches);
