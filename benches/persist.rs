//! What a record costs the command that appends it: the log with a writer behind it, and a file that takes everything.
//!
//! `cargo bench --bench persist`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pipkin::Clock;
use pipkin::persist::aof::log::{FsyncPolicy, Log, LogOptions};
use pipkin::persist::aof::reader::{LogReader, Next};
use pipkin::persist::storage::File;
use pipkin::protocol::command::encode;

/// Takes everything at once.
struct Nowhere;

impl Read for Nowhere {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File for Nowhere {
    fn sync_data(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn appends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log");
    for (name, policy) in [("everysec", FsyncPolicy::EverySecond), ("always", FsyncPolicy::Always)] {
        for len in [16, 64, 1024] {
            let options = LogOptions { policy, ..LogOptions::default() };
            let log = Log::open(Box::new(Nowhere), 0, options, Clock::system()).expect("a thread can be started");
            let value = vec![b'x'; len];
            let arguments: [&[u8]; 3] = [b"SET", b"key:000000012345", &value];
            group.throughput(Throughput::Elements(1));
            group.bench_function(format!("append SET of {len} bytes, {name}"), |bencher| {
                bencher.iter(|| log.append(0, |records| records.command(black_box(&arguments))));
            });
        }
    }
    group.finish();
}

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    let value = [b'x'; 64];
    let arguments: [&[u8]; 3] = [b"SET", b"key:000000012345", &value];
    let mut out = Vec::with_capacity(1 << 16);
    group.bench_function("encode SET of 64 bytes", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(&mut out, black_box(&arguments));
            out.len()
        });
    });
    let mut file = Vec::new();
    for _ in 0..10_000 {
        encode(&mut file, &arguments);
    }
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("read SET of 64 bytes", |bencher| {
        bencher.iter(|| {
            let mut reader = LogReader::new(&file[..], 0);
            let mut count = 0;
            while let Next::Commands(commands) = reader.next_commands().expect("the file is whole") {
                count += commands.iter().map(|command| command.len()).sum::<usize>();
            }
            count
        });
    });
    group.finish();
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
}

criterion_group! { name = persist; config = config(); targets = appends, records }
criterion_main!(persist);
