//! Random programs in the language of scripts, on Pipkin and on redis-server, replies and keys compared byte by byte.
//!
//! `PIPKIN_PROGRAMS` sets how many, `PIPKIN_PROGRAMS_SEED` the first seed (each program has its own, one more than the
//! one before it): the seed that a failure names gives the same program again. A program that differs is made smaller
//! before it is shown.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod expressions;
mod program;
#[path = "../support/mod.rs"]
mod support;

use program::Program;
use support::{Client, Random, Reply, Server, oracle};

/// The first of a round where nothing else is said: the same programs each time.
const SEED: u64 = 1_000;
/// Programs of a round where nothing else is said.
const PROGRAMS: u64 = 1_500;
/// For replies that nest deeply.
const READER_STACK_BYTES: usize = 256 << 20;
/// Redis keeps every script that it has seen.
const PROGRAMS_KEPT: u64 = 500;

/// What is left of the keys that programs use, and what they hold.
const LEFT: &str = "local left = {} for _, key in ipairs({'a', 'b', 'c', 'd', 'e'}) do \
    local kind = redis.call('type', key).ok local value = false \
    if kind == 'string' then value = redis.call('get', key) \
    elseif kind == 'list' then value = redis.call('lrange', key, 0, -1) \
    elseif kind == 'set' then value = redis.call('smembers', key) table.sort(value) \
    elseif kind == 'zset' then value = redis.call('zrange', key, 0, -1, 'withscores') \
    elseif kind == 'hash' then value = redis.call('hgetall', key) end \
    left[#left + 1] = {kind, value} end return left";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// The reply of a program, and what it leaves.
fn run(client: &mut Client, program: &str) -> (Reply, Reply) {
    assert_eq!(client.line("FLUSHALL").text(), "OK");
    let reply = client.call(&["EVAL", program, "2", "a", "b", "7", "word", " 0x1F "]);
    (reply, client.call(&["EVAL", LEFT, "0"]))
}

/// Whether both give the same.
fn agree(subject: &mut Client, reference: &mut Client, program: &str) -> bool {
    run(subject, program) == run(reference, program)
}

/// Leaves out what is not needed for the difference.
fn shrink(subject: &mut Client, reference: &mut Client, mut program: Program) -> Program {
    loop {
        let smaller = (0..program.parts.len()).map(|at| program.without(at));
        let Some(found) = smaller.into_iter().find(|program| !agree(subject, reference, &program.text())) else {
            return program;
        };
        program = found;
    }
}

/// Names the seed where a server does not survive its program.
struct At(u64);

impl Drop for At {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("at seed {}:\n{}", self.0, Program::new(&mut Random::new(self.0)).text());
        }
    }
}

#[test]
fn programs_do_what_they_do_in_redis() {
    // A table that is part of itself is a reply of a thousand levels, and who reads it recurses.
    let comparison = std::thread::Builder::new().stack_size(READER_STACK_BYTES).spawn(compare);
    comparison.expect("a thread").join().expect("no difference");
}

fn compare() {
    let Some(redis) = oracle("script_programs::programs_do_what_they_do_in_redis") else { return };
    let pipkin = Server::pipkin(&[]);
    let (mut subject, mut reference) = (pipkin.connect(), redis.connect());
    let first = number("PIPKIN_PROGRAMS_SEED", SEED);
    let count = number("PIPKIN_PROGRAMS", PROGRAMS);
    println!("programs from seed {first} on; replay with PIPKIN_PROGRAMS_SEED");
    for seed in first..first + count {
        if seed % PROGRAMS_KEPT == 0 {
            for client in [&mut subject, &mut reference] {
                assert_eq!(client.line("SCRIPT FLUSH").text(), "OK");
            }
        }
        let _at = At(seed);
        let program = Program::new(&mut Random::new(seed));
        if !agree(&mut subject, &mut reference, &program.text()) {
            let text = shrink(&mut subject, &mut reference, program).text();
            let (found, expected) = (run(&mut subject, &text), run(&mut reference, &text));
            panic!("seed {seed}:\n{text}\nPipkin: {found:?}\nRedis:  {expected:?}");
        }
    }
}
