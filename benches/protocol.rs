//! The wire formats alone: the parser over whole pipelines and over bytes that arrive in pieces, and the reply writer.
//!
//! `cargo bench --bench protocol`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pipkin::protocol::reply::{Protocol, Reply};
use pipkin::protocol::request::{Batch, Parser};

/// Commands of a pipeline.
const PIPELINE: usize = 64;
/// Bytes of each piece where a pipeline arrives in pieces.
const PIECE_BYTES: usize = 100;
/// Bytes that a reply buffer keeps from batch to batch.
const KEPT_BYTES: usize = 64 << 10;
const VALUE: [u8; 64] = [b'x'; 64];

/// A command as clients write it.
fn encoded(arguments: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        bytes.extend_from_slice(argument);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn pipeline(command: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..PIPELINE).flat_map(command).collect()
}

fn key(number: usize) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

fn pipelines() -> [(&'static str, Vec<u8>); 4] {
    let mget = |number| {
        let keys: Vec<Vec<u8>> = (number..number + 10).map(key).collect();
        let mut arguments: Vec<&[u8]> = vec![b"MGET"];
        arguments.extend(keys.iter().map(Vec::as_slice));
        encoded(&arguments)
    };
    [
        ("GET", pipeline(|number| encoded(&[b"GET", &key(number)]))),
        ("SET", pipeline(|number| encoded(&[b"SET", &key(number), &VALUE]))),
        ("MGET of 10 keys", pipeline(mget)),
        ("PING, inline", pipeline(|_| b"PING\r\n".to_vec())),
    ]
}

fn parser(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("parser, {PIPELINE} commands"));
    group.throughput(Throughput::Elements(PIPELINE as u64));
    for (name, bytes) in pipelines() {
        let (mut parser, mut batch) = (Parser::new(true), Batch::new());
        group.bench_function(name, |b| {
            b.iter(|| {
                batch.clear();
                let progress = parser.parse(black_box(&bytes), 0, &mut batch, PIPELINE).expect("requests");
                assert_eq!((batch.len(), progress.consumed), (PIPELINE, bytes.len()));
            });
        });
        group.bench_function(format!("{name}, {PIECE_BYTES} bytes at a time"), |b| {
            b.iter(|| {
                batch.clear();
                let (mut arrived, mut consumed) = (0, 0);
                while arrived < bytes.len() {
                    arrived = (arrived + PIECE_BYTES).min(bytes.len());
                    let part = black_box(&bytes[..arrived]);
                    consumed = parser.parse(part, consumed, &mut batch, PIPELINE).expect("requests").consumed;
                }
                assert_eq!((batch.len(), consumed), (PIPELINE, bytes.len()));
            });
        });
    }
    group.finish();
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("replies, {PIPELINE} commands"));
    group.throughput(Throughput::Elements(PIPELINE as u64));
    type Writer = fn(&mut Reply, usize);
    let writers: [(&str, Writer); 6] = [
        ("OK", |reply, _| reply.ok()),
        ("integer", |reply, number| reply.integer(number as i64 * 1_000)),
        ("bulk of 64 bytes", |reply, _| reply.bulk(&VALUE)),
        ("null", |reply, _| reply.null()),
        ("double", |reply, number| reply.double(number as f64 / 3.0)),
        ("array of 10 bulks", |reply, _| {
            reply.array(10);
            (0..10).for_each(|_| reply.bulk(&VALUE));
        }),
    ];
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        for (name, write) in writers {
            let mut reply = Reply::new(protocol);
            group.bench_function(format!("{name}, {protocol:?}"), |b| {
                b.iter(|| {
                    reply.clear(KEPT_BYTES);
                    (0..PIPELINE).for_each(|number| write(&mut reply, black_box(number)));
                    black_box(reply.bytes().len())
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = parser, replies
}
criterion_main!(benches);
