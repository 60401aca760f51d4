//! The dispatcher without sockets: batches of pipelined commands over a million keys, in processor time.
//!
//! What a connection does between its read and its write, with keys drawn so that nothing is in the caches: parsing,
//! prefetching, locks, lookups, replies. `cargo bench --bench dispatch [-- NAME]`
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use pipkin::base::clock::Clock;
use pipkin::base::config::Config;
use pipkin::base::random::Random;
use pipkin::engine::clients::Origin;
use pipkin::engine::dispatch;
use pipkin::engine::instance::Engine;
use pipkin::engine::session::Session;
use pipkin::protocol::request::Parser;

#[allow(unused_imports)] // Of its tests, which are the binary's.
#[path = "../src/allocator.rs"]
mod allocator;

/// The binary's own.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

const KEYS: usize = 1_000_000;
const VALUE: [u8; 64] = [b'x'; 64];
/// Commands of one measurement.
const COMMANDS: usize = 3_000_000;
/// Measurements, of which the fastest counts: noise only ever adds.
const RUNS: usize = 5;

/// Time that the calling thread has had a processor.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    Duration::from_nanos(text.split(' ').next().and_then(|word| word.parse().ok()).expect("a number of nanoseconds"))
}

struct Run {
    engine: Arc<Engine>,
    session: Session,
    parser: Parser,
    out: Vec<u8>,
}

impl Run {
    fn new() -> Run {
        let engine = Engine::new(Config::default(), Clock::system()).expect("an instance");
        let session = engine.connect(Origin::in_process(), None);
        Run { engine, session, parser: Parser::default(), out: Vec::new() }
    }

    /// Runs batches until `commands` are done.
    fn batches(&mut self, batches: &[Vec<u8>]) {
        for input in batches {
            self.out.clear();
            let mut from = 0;
            while from < input.len() {
                let out = std::mem::take(&mut self.out);
                let ran = dispatch::run(&self.engine, &mut self.session, &mut self.parser, &input[from..], out);
                from += ran.consumed;
                self.out = ran.out;
            }
            black_box(&self.out);
        }
    }
}

fn command(out: &mut Vec<u8>, arguments: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// Batches of `pipeline` commands, `commands` in all, on keys drawn by `draw`.
fn batches(
    pipeline: usize,
    commands: usize,
    write: impl Fn(&mut Vec<u8>, &mut dyn FnMut() -> String),
    mut draw: impl FnMut() -> usize,
) -> Vec<Vec<u8>> {
    let mut key = || format!("key:{:012}", draw());
    let batch = |_| {
        let mut batch = Vec::new();
        (0..pipeline).for_each(|_| write(&mut batch, &mut key));
        batch
    };
    (0..commands / pipeline).map(batch).collect()
}

fn report(name: &str, pipeline: usize, commands: usize, run: &mut Run, batches: &[Vec<u8>]) {
    let time = |run: &mut Run| {
        let before = processor_time();
        run.batches(batches);
        (processor_time() - before).as_nanos() as f64 / commands as f64
    };
    let best = (0..RUNS).map(|_| time(run)).fold(f64::INFINITY, f64::min);
    println!("{name:12} p={pipeline:<3} {best:7.1} ns");
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let random = Random::from_system();
    let set = |out: &mut Vec<u8>, key: &mut dyn FnMut() -> String| command(out, &[b"SET", key().as_bytes(), &VALUE]);
    let get = |out: &mut Vec<u8>, key: &mut dyn FnMut() -> String| command(out, &[b"GET", key().as_bytes()]);
    let mget = |out: &mut Vec<u8>, key: &mut dyn FnMut() -> String| {
        let keys: Vec<String> = (0..10).map(|_| key()).collect();
        let arguments: Vec<&[u8]> = std::iter::once(&b"MGET"[..]).chain(keys.iter().map(String::as_bytes)).collect();
        command(out, &arguments);
    };
    let mut next = 0;
    let fill = batches(64, KEYS, set, || {
        next += 1;
        next - 1
    });
    let drawn = || random.index(KEYS);
    if "insert".contains(&wanted) {
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let mut run = Run::new();
            let before = processor_time();
            run.batches(&fill);
            best = best.min((processor_time() - before).as_nanos() as f64 / KEYS as f64);
        }
        println!("{:12} p=64  {best:7.1} ns", "insert");
    }
    let mut run = Run::new();
    run.batches(&fill);
    for pipeline in [64, 16, 1] {
        if "get".contains(&wanted) {
            report("get", pipeline, COMMANDS, &mut run, &batches(pipeline, COMMANDS, get, drawn));
        }
        if "set".contains(&wanted) {
            report("set", pipeline, COMMANDS, &mut run, &batches(pipeline, COMMANDS, set, drawn));
        }
    }
    if "mget".contains(&wanted) {
        report("mget10", 16, COMMANDS / 10, &mut run, &batches(16, COMMANDS / 10, mget, drawn));
    }
}
