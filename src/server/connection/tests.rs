//! Connections whose replies and writes wait for the disk.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::engine::instance::Hindrance;
use crate::engine::persistence::{Job, Persistence};
use crate::persist::storage::faulty::{FaultyDisk, Operation};
use crate::server::task::Task;
use crate::server::transport::Stream;

const START_MS: u64 = 1_700_000_000_000;

struct Bench {
    disk: FaultyDisk,
    engine: Arc<Engine>,
    runtime: Runtime,
}

impl Bench {
    fn new(policy: &str) -> Bench {
        let disk = FaultyDisk::new(&["/data"]);
        let mut config = Config::new();
        for (name, value) in [("dir", "/data"), ("save", ""), ("appendonly", "yes"), ("appendfsync", policy)] {
            config.load_arguments(&[format!("--{name}").as_str(), value]).unwrap();
        }
        let engine = Engine::on(config, Clock::manual(START_MS), Persistence::on(disk.storage())).unwrap();
        engine.persistence.recover(&engine).unwrap();
        Bench { disk, engine, runtime: Builder::new_current_thread().build().unwrap() }
    }

    fn connect(&self) -> Peer<'_> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        self.runtime.spawn(Task::new(self.engine.clone(), Stream(ours), Origin::in_process(), None));
        Peer { bench: self, stream: theirs }
    }
}

struct Peer<'b> {
    bench: &'b Bench,
    stream: DuplexStream,
}

impl Peer<'_> {
    fn send(&mut self, lines: &str) {
        let text = lines.replace(';', "\r\n") + "\r\n";
        self.bench.runtime.block_on(self.stream.write_all(text.as_bytes())).unwrap();
    }

    /// Reads until it has these replies, `|` for the ends of their lines.
    fn expect(&mut self, replies: &str) {
        let replies = replies.replace('|', "\r\n");
        let mut read = vec![0; replies.len()];
        self.bench.runtime.block_on(self.stream.read_exact(&mut read)).unwrap();
        assert_eq!(String::from_utf8_lossy(&read), replies);
    }

    /// Lets all tasks run that can, and sees that nothing has come.
    fn expect_nothing(&mut self) {
        self.bench.runtime.block_on(async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            tokio::select! {
                biased;
                read = self.stream.read_u8() => panic!("{read:?} came too early"),
                () = std::future::ready(()) => {}
            }
        });
    }
}

#[test]
fn replies_and_messages_are_held_back_until_the_sync() {
    let bench = Bench::new("always");
    let (mut writer, mut subscriber, mut reader) = (bench.connect(), bench.connect(), bench.connect());
    subscriber.send("SUBSCRIBE c");
    subscriber.expect("*3|$9|subscribe|$1|c|:1|");
    reader.send("BLPOP l 0");
    reader.expect_nothing();
    bench.disk.hold(Operation::Sync);
    writer.send("SET k v;RPUSH l x;PUBLISH c m;GET k");
    writer.expect_nothing();
    bench.disk.wait_blocked(Operation::Sync);
    subscriber.expect_nothing();
    reader.expect_nothing();
    bench.disk.release(Operation::Sync);
    writer.expect("+OK|:1|:1|$1|v|");
    subscriber.expect("*3|$7|message|$1|c|$1|m|");
    reader.expect("*2|$1|l|$1|x|");
    reader.send("LLEN l");
    reader.expect(":0|");
}

#[test]
fn a_connection_outlives_a_log_that_fails() {
    let bench = Bench::new("always");
    let mut peer = bench.connect();
    bench.disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    peer.send("SET k v;PING");
    let misconf = "-MISCONF Errors writing to the AOF file: Input/output error (os error 5)|";
    peer.expect(&format!("{misconf}+PONG|"));
    peer.send("SET k w;GET k");
    peer.expect(&format!("{misconf}$1|v|"));
    let persistence = &bench.engine.persistence;
    assert!(persistence.try_begin(&bench.engine, Job::Rewrite));
    persistence.work(&bench.engine, Job::Rewrite).unwrap();
    peer.send("SET k w");
    peer.expect("+OK|");
}

#[test]
fn what_was_published_reaches_others_though_the_publisher_is_gone() {
    let bench = Bench::new("always");
    let (mut writer, mut subscriber) = (bench.connect(), bench.connect());
    subscriber.send("SUBSCRIBE c");
    subscriber.expect("*3|$9|subscribe|$1|c|:1|");
    bench.disk.hold(Operation::Sync);
    writer.send("CLIENT ID;SET k v;PUBLISH c m");
    writer.expect_nothing();
    bench.disk.wait_blocked(Operation::Sync);
    for client in bench.engine.clients.all().iter().filter(|client| client.channels.load(Ordering::Relaxed) == 0) {
        client.outbox.close();
    }
    subscriber.expect("*3|$7|message|$1|c|$1|m|");
    bench.disk.release(Operation::Sync);
}

#[test]
fn a_write_waits_for_the_disk_and_holds_nobody_else_up() {
    let bench = Bench::new("everysec");
    let (mut writer, mut reader) = (bench.connect(), bench.connect());
    writer.send("SET k 1");
    writer.expect("+OK|");
    bench.disk.wait_count(Operation::Write, 1);
    bench.disk.hold(Operation::Sync);
    bench.engine.clock.advance(Duration::from_secs(1));
    bench.disk.wait_blocked(Operation::Sync);
    bench.engine.clock.advance(Duration::from_secs(1));
    assert!(bench.engine.is_hindered(Hindrance::LogBehind));
    writer.send("GET k;SET k 2;GET k");
    writer.expect("$1|1|");
    writer.expect_nothing();
    reader.send("GET k");
    reader.expect("$1|1|");
    bench.disk.release(Operation::Sync);
    writer.expect("+OK|$1|2|");
}

#[test]
fn who_waits_for_the_disk_for_too_long_is_refused() {
    let bench = Bench::new("everysec");
    let mut writer = bench.connect();
    writer.send("SET k 1");
    writer.expect("+OK|");
    bench.disk.wait_count(Operation::Write, 1);
    bench.disk.hold(Operation::Sync);
    bench.engine.clock.advance(Duration::from_secs(2));
    writer.send("SET k 2;GET k");
    writer.expect_nothing();
    bench.engine.clock.advance(Duration::from_secs(8));
    writer.expect("-MISCONF Errors writing to the AOF file: the disk has not taken");
    bench.disk.release(Operation::Sync);
}

#[test]
fn a_script_that_may_write_waits_for_the_disk_before_it_runs() {
    let bench = Bench::new("everysec");
    let (mut writer, mut reader) = (bench.connect(), bench.connect());
    writer.send("SET k 1");
    writer.expect("+OK|");
    bench.disk.wait_count(Operation::Write, 1);
    bench.disk.hold(Operation::Sync);
    bench.engine.clock.advance(Duration::from_secs(2));
    writer.send("EVAL return{redis.call(ARGV[1],KEYS[1])} 1 k incr;GET k");
    writer.expect_nothing();
    // Nothing of it has been seen to happen, and what cannot write does not wait.
    reader.send("GET k;EVAL_RO return{redis.call(ARGV[1],KEYS[1])} 1 k get");
    reader.expect("$1|1|*1|$1|1|");
    bench.disk.release(Operation::Sync);
    writer.expect("*1|:2|$1|2|");
}

#[test]
fn a_script_is_refused_where_the_disk_takes_too_long() {
    let bench = Bench::new("everysec");
    let mut writer = bench.connect();
    writer.send("SET k 1");
    writer.expect("+OK|");
    bench.disk.wait_count(Operation::Write, 1);
    bench.disk.hold(Operation::Sync);
    bench.engine.clock.advance(Duration::from_secs(2));
    writer.send("EVAL return{redis.call(ARGV[1],KEYS[1])} 1 k incr;GET k");
    writer.expect_nothing();
    bench.engine.clock.advance(Duration::from_secs(8));
    writer.expect("-MISCONF Errors writing to the AOF file: the disk has not taken");
    bench.disk.release(Operation::Sync);
}
