//! In-process calls: GET and SET of warm 64-byte values, the other paths beside them, and how GET scales to two threads.
//!
//! `cargo bench --bench in_process`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use pipkin::{Client, Server};

/// Few enough that they stay in the caches.
const KEYS: usize = 1 << 10;
const VALUE: [u8; 64] = [b'x'; 64];
/// Calls of one thread in one run of the scaling measurement.
const CALLS: usize = 2_000_000;
/// From key to key; odd, so that every key has its turn.
const STRIDE: usize = 7919;
/// Runs, of which the median counts.
const RUNS: usize = 5;

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key:{number:06}")).collect()
}

fn filled(count: usize) -> (Server, Vec<String>) {
    let server = Server::open().expect("an instance opens");
    let keys = keys(count);
    let mut client = server.client();
    keys.iter().for_each(|key| client.set(key, VALUE).expect("there is room"));
    (server, keys)
}

fn calls(criterion: &mut Criterion) {
    let (server, keys) = filled(KEYS);
    let mut client = server.client();
    let mut at = 0;
    let mut next = move || {
        at = (at + 1) % KEYS;
        at
    };
    let mut group = criterion.benchmark_group("in process");
    group.bench_function("GET", |b| b.iter(|| black_box(client.get(&keys[next()]))));
    let mut buffer = Vec::with_capacity(VALUE.len());
    group.bench_function("GET into a buffer", |b| {
        b.iter(|| {
            buffer.clear();
            black_box(client.get_into(&keys[next()], &mut buffer))
        });
    });
    group.bench_function("SET", |b| b.iter(|| black_box(client.set(&keys[next()], VALUE))));
    group.bench_function("EXISTS", |b| b.iter(|| black_box(client.exists(&keys[next()]))));
    group.bench_function("GET by name", |b| {
        b.iter(|| black_box(client.call::<bytes::Bytes, _>(&["GET", keys[next()].as_str()])));
    });
    group.bench_function("INCR", |b| b.iter(|| black_box(client.incr("counter"))));
    group.bench_function("16 GETs in a pipeline", |b| {
        b.iter(|| client.pipeline(|batch| (0..16).for_each(|_| _ = batch.get(&keys[next()]))));
    });
    group.finish();
}

/// Time that the calling thread has had a processor, where the system tells.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Gets keys round after round, in strides, and says how long that took: in processor time, so that whatever else the
/// machine does leaves the figure alone.
fn get_all(client: &mut Client, keys: &[String], start: &Barrier) -> Duration {
    start.wait();
    let (begin, before) = (Instant::now(), processor_time());
    let mut at = 0;
    for _ in 0..CALLS {
        at = (at + STRIDE) % keys.len();
        black_box(client.get(&keys[at]).expect("a string"));
    }
    match (before, processor_time()) {
        (Some(before), Some(after)) => after - before,
        _ => begin.elapsed(),
    }
}

/// Calls per second of all threads together; each has one of the parts.
fn throughput(server: &Server, parts: &[&[String]]) -> f64 {
    let start = Barrier::new(parts.len());
    let slowest = std::thread::scope(|scope| {
        let run = |keys| {
            let (mut client, start) = (server.client(), &start);
            scope.spawn(move || get_all(&mut client, keys, start))
        };
        let running: Vec<_> = parts.iter().map(|keys| run(*keys)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).max()
    });
    (parts.len() * CALLS) as f64 / slowest.expect("there is a thread").as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn print_scaling(what: &str, count: usize, apart: bool) {
    let (server, keys) = filled(count);
    let (front, back) = keys.split_at(count / 2);
    let (front, back) = if apart { (front, back) } else { (&keys[..], &keys[..]) };
    // Alternating, so that whatever else the machine does meets both.
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        one.push(throughput(&server, &[front]));
        two.push(throughput(&server, &[front, back]));
    }
    let (one, two) = (median(one), median(two));
    println!("GET, {what}: one thread {:.1} M/s, two {:.1} M/s, ratio {:.2}", one / 1e6, two / 1e6, two / one);
}

criterion_group! {
    name = benches;
    config = Criterion::default().configure_from_args().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = calls
}

fn main() {
    benches();
    print_scaling("1M keys", 1_000_000, false);
    print_scaling("16 warm keys each", 32, true);
    print_scaling("the same 1024 warm keys", KEYS, false);
}
