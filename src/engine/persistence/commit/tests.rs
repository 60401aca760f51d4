//! Durability at the dispatcher's door, on a disk that stalls, fails and forgets. Time is a manual clock's.

use std::io;
use std::path::Path;
use std::task::{Wake, Waker};
use std::time::Duration;

use super::*;
use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::base::words;
use crate::engine::clients::Origin;
use crate::engine::dispatch::{self, Ran};
use crate::engine::persistence::Job;
use crate::engine::persistence::image::Written;
use crate::engine::session::Session;
use crate::persist::storage::Storage;
use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};
use crate::protocol::command::encode;
use crate::protocol::request::Parser;

const START_MS: u64 = 1_700_000_000_000;
const EIO: &str = "-MISCONF Errors writing to the AOF file: Input/output error (os error 5)\r\n";
const INCREMENT: &str = "/data/appendonlydir/appendonly.aof.1.incr.aof";

fn disk() -> FaultyDisk {
    FaultyDisk::new(&["/data"])
}

fn try_open(disk: &FaultyDisk, settings: &[(&str, &str)]) -> Result<Arc<Engine>, String> {
    let mut config = Config::new();
    for (name, value) in [("dir", "/data"), ("save", ""), ("appendonly", "yes")].iter().chain(settings) {
        config.load_arguments(&[format!("--{name}").as_str(), value]).unwrap();
    }
    let engine = Engine::on(config, Clock::manual(START_MS), Persistence::on(disk.storage())).unwrap();
    engine.persistence.recover(&engine).map(|()| engine)
}

fn open(disk: &FaultyDisk, policy: &str) -> Arc<Engine> {
    try_open(disk, &[("appendfsync", policy)]).unwrap()
}

fn refusal(disk: &FaultyDisk, settings: &[(&str, &str)]) -> String {
    try_open(disk, settings).err().unwrap()
}

/// A connection, as far as the dispatcher knows it.
struct Peer {
    engine: Arc<Engine>,
    session: Session,
    parser: Parser,
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Peer {
    fn new(engine: &Arc<Engine>) -> Peer {
        let session = engine.connect(Origin::in_process(), None);
        Peer { engine: engine.clone(), session, parser: Parser::new(true) }
    }

    /// Runs commands, divided by `;`, as one batch.
    fn send(&mut self, commands: &str) -> Ran {
        let mut input = Vec::new();
        for command in commands.split(';') {
            let words = words::split(command.trim().as_bytes()).unwrap();
            encode(&mut input, &words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        dispatch::run(&self.engine, &mut self.session, &mut self.parser, &input, Vec::new())
    }

    /// What the client reads once it may.
    fn ask(&mut self, commands: &str) -> String {
        told(self.send(commands))
    }

    /// What the command that waits is served with, and what that waits for.
    fn served(&mut self) -> Option<(String, Option<Box<HeldBack>>)> {
        let Poll::Ready(served) = self.session.poll_blocked(&self.engine, Waker::noop()) else { return None };
        let tally = Tally { position: served.position, written: served.position, ..Tally::default() };
        let replies = std::iter::once(0..served.reply.len()).collect();
        let held_back = self.engine.persistence.hold_back(&tally, replies, self.session.protocol);
        Some((String::from_utf8(served.reply).unwrap(), held_back))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.session.end(&self.engine);
    }
}

fn told(mut ran: Ran) -> String {
    if let Some(held_back) = &mut ran.held_back {
        settle(held_back, &mut ran.out);
    }
    String::from_utf8(ran.out).unwrap()
}

fn settle(held_back: &mut HeldBack, out: &mut Vec<u8>) {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    while held_back.poll(&mut Context::from_waker(&waker), out).is_pending() {
        std::thread::park();
    }
}

fn is_held(ran: &mut Ran) -> bool {
    let Some(held_back) = &mut ran.held_back else { return false };
    held_back.poll(&mut Context::from_waker(Waker::noop()), &mut ran.out).is_pending()
}

fn work(engine: &Engine, job: Job) -> io::Result<Written> {
    assert!(engine.persistence.try_begin(engine, job));
    engine.persistence.work(engine, job)
}

#[test]
fn with_always_replies_of_writes_and_of_reads_wait_for_the_sync() {
    let disk = disk();
    let engine = open(&disk, "always");
    let (mut writer, mut reader) = (Peer::new(&engine), Peer::new(&engine));
    assert_eq!(writer.ask("SET old 1"), "+OK\r\n");
    disk.hold(Operation::Sync);
    let mut wrote = writer.send("SET k v");
    disk.wait_blocked(Operation::Sync);
    let mut read = reader.send("GET k");
    assert!(is_held(&mut wrote) && is_held(&mut read));
    // Nothing of this is newer than the disk.
    assert!(reader.send("GET old;PING").held_back.is_none());
    // What looks at every key has seen it.
    assert!(reader.send("DBSIZE").held_back.is_some() && reader.send("SCAN 0 COUNT 100").held_back.is_some());
    disk.release(Operation::Sync);
    assert_eq!((told(wrote), told(read)), ("+OK\r\n".into(), "$1\r\nv\r\n".into()));
    assert!(reader.send("GET k").held_back.is_none());
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(Peer::new(&open(&disk, "always")).ask("MGET old k"), "*2\r\n$1\r\n1\r\n$1\r\nv\r\n");
}

#[test]
fn without_always_nothing_waits() {
    let disk = disk();
    for policy in ["everysec", "no"] {
        let engine = open(&disk, policy);
        assert!(Peer::new(&engine).send("SET k v;GET k").held_back.is_none());
        engine.persist_at_end();
    }
    let engine = open(&disk, "no");
    let mut peer = Peer::new(&engine);
    assert_eq!(peer.ask("CONFIG SET appendfsync always"), "+OK\r\n");
    disk.hold(Operation::Sync);
    let mut ran = peer.send("SET k w");
    assert!(is_held(&mut ran));
    disk.release(Operation::Sync);
    assert_eq!(told(ran), "+OK\r\n");
}

#[test]
fn a_failed_sync_is_told_to_its_writers_and_a_rewrite_heals_it() {
    let disk = disk();
    let engine = open(&disk, "always");
    let (mut a, mut b) = (Peer::new(&engine), Peer::new(&engine));
    assert_eq!(a.ask("SET safe 1"), "+OK\r\n");
    disk.hold(Operation::Sync);
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    let lost = a.send("SET k 1;GET safe;CLIENT REPLY SKIP;SET quiet 1;INCR k");
    disk.wait_blocked(Operation::Sync);
    let seen = b.send("GET k");
    disk.release(Operation::Sync);
    // Each write has its error, each read its value, and who wanted no reply gets none.
    assert_eq!(told(lost), format!("{EIO}$1\r\n1\r\n{EIO}"));
    assert_eq!(told(seen), "$1\r\n2\r\n");
    // At once, without a tick: writes are refused, reads served.
    assert_eq!(b.ask("SET k 3;GET k"), format!("{EIO}$1\r\n2\r\n"));
    assert_eq!(
        b.ask("MULTI;SET k 3;EXEC"),
        format!("+OK\r\n{EIO}-EXECABORT Transaction discarded because of previous errors.\r\n")
    );
    assert!(b.send("GET k").held_back.is_none());
    work(&engine, Job::Rewrite).unwrap();
    assert_eq!(b.ask("INCR k;GET safe"), ":3\r\n$1\r\n1\r\n");
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(Peer::new(&open(&disk, "always")).ask("MGET safe k quiet"), "*3\r\n$1\r\n1\r\n$1\r\n3\r\n$1\r\n1\r\n");
}

#[test]
fn a_transaction_queued_before_the_failure_is_refused_as_a_whole() {
    let disk = disk();
    let engine = open(&disk, "always");
    let (mut a, mut b) = (Peer::new(&engine), Peer::new(&engine));
    a.ask("MULTI;SET k 1");
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert_eq!(b.ask("SET other 1"), EIO);
    let because = EIO.trim_start_matches('-');
    assert_eq!(a.ask("EXEC"), format!("-EXECABORT Transaction discarded because of: {because}"));
    assert_eq!(a.ask("EXISTS k"), ":0\r\n");
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let disk = disk();
    let engine = open(&disk, "always");
    let mut peer = Peer::new(&engine);
    assert_eq!(peer.ask("SET k 1"), "+OK\r\n");
    disk.set_capacity(Some(disk.used() + 10));
    let full = "-MISCONF Errors writing to the AOF file: No space left on device (os error 28)\r\n";
    assert_eq!(peer.ask("SET k 2"), full);
    assert_eq!(peer.ask("SET k 3;GET k"), format!("{full}$1\r\n2\r\n"));
    assert!(work(&engine, Job::Rewrite).is_err());
    assert_eq!(peer.ask("SET k 3"), full);
    disk.set_capacity(None);
    work(&engine, Job::Rewrite).unwrap();
    assert_eq!(peer.ask("SET k 4"), "+OK\r\n");
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(Peer::new(&open(&disk, "always")).ask("GET k"), "$1\r\n4\r\n");
}

#[test]
fn a_failed_log_is_rewritten_without_being_asked_and_later_each_time() {
    let disk = disk();
    let engine = open(&disk, "always");
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert_eq!(Peer::new(&engine).ask("SET k 1"), EIO);
    for wait_ms in [1_000, 2_000, 4_000] {
        assert_eq!(engine.persistence.next_job(&engine), Some(Job::Rewrite));
        disk.fail_next(Operation::Create, FaultyDisk::ENOSPC);
        assert!(work(&engine, Job::Rewrite).is_err());
        engine.clock.advance(Duration::from_millis(wait_ms - 1));
        assert_eq!(engine.persistence.next_job(&engine), None);
        engine.clock.advance(Duration::from_millis(1));
    }
    let threads = engine.start_threads().unwrap();
    while engine.is_hindered(Hindrance::LogFailed) {
        std::thread::yield_now();
    }
    assert_eq!(Peer::new(&engine).ask("INCR k"), ":2\r\n");
    drop(threads);
}

#[test]
fn who_is_served_by_another_waits_for_the_sync_as_well() {
    let disk = disk();
    let engine = open(&disk, "always");
    let (mut waiting, mut pusher) = (Peer::new(&engine), Peer::new(&engine));
    assert!(waiting.send("BLPOP l 0").held_back.is_none());
    disk.hold(Operation::Sync);
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    let pushed = pusher.send("RPUSH l x");
    let (reply, held_back) = waiting.served().unwrap();
    let (mut out, mut held_back) = (reply.into_bytes(), held_back.unwrap());
    disk.wait_blocked(Operation::Sync);
    assert!(held_back.poll(&mut Context::from_waker(Waker::noop()), &mut out).is_pending());
    disk.release(Operation::Sync);
    settle(&mut held_back, &mut out);
    assert_eq!((told(pushed), String::from_utf8(out).unwrap()), (EIO.into(), EIO.into()));
}

#[test]
fn waitaof_waits_for_the_sync_of_its_own_writes() {
    let disk = disk();
    let engine = open(&disk, "no");
    let (mut a, mut b) = (Peer::new(&engine), Peer::new(&engine));
    disk.hold(Operation::Sync);
    // Who wrote nothing has nothing to wait for; whoever may not wait is told how it stands.
    assert_eq!(b.ask("WAITAOF 1 0 0"), "*2\r\n:1\r\n:0\r\n");
    let ran = a.send("SET k v;WAITAOF 1 0 0;PING");
    assert_eq!((told(ran), a.session.blocked.is_some()), ("+OK\r\n".into(), true));
    b.ask("SET k w");
    assert_eq!(b.ask("MULTI;WAITAOF 1 0 0;EXEC"), "+OK\r\n+QUEUED\r\n*1\r\n*2\r\n:0\r\n:0\r\n");
    assert_eq!(b.ask("WAITAOF 1 0 50"), "");
    assert!(a.served().is_none() && b.served().is_none());
    disk.wait_blocked(Operation::Sync);
    engine.clock.advance(Duration::from_millis(50));
    assert_eq!(b.served().unwrap().0, "*2\r\n:0\r\n:0\r\n");
    disk.release(Operation::Sync);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let served = loop {
        match a.session.poll_blocked(&engine, &waker) {
            Poll::Ready(served) => break served,
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(served.reply, b"*2\r\n:1\r\n:0\r\n");
}

#[test]
fn writes_wait_for_a_disk_that_is_behind_and_are_refused_in_the_end() {
    let disk = disk();
    let engine = open(&disk, "everysec");
    let mut peer = Peer::new(&engine);
    peer.ask("SET k 1");
    disk.wait_count(Operation::Write, 1);
    disk.hold(Operation::Sync);
    engine.clock.advance(Duration::from_secs(1));
    disk.wait_blocked(Operation::Sync);
    assert_eq!(peer.ask("SET k 2"), "+OK\r\n");
    engine.clock.advance(Duration::from_secs(1));
    assert!(engine.is_hindered(Hindrance::LogBehind));
    let ran = peer.send("GET k;SET k 3;GET k");
    assert!(ran.awaits_log && ran.paused && ran.consumed == b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".len());
    assert_eq!(told(ran), "$1\r\n2\r\n");
    let mut admission = engine.persistence.admission().unwrap();
    assert!(Pin::new(&mut admission).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    engine.clock.advance(Duration::from_secs(8));
    assert!(admission.wait().is_err());
    assert_eq!(
        peer.ask("SET k 3;GET k"),
        "-MISCONF Errors writing to the AOF file: the disk has not taken the append-only file's records for 10000 \
         ms\r\n$1\r\n2\r\n"
    );
    disk.release(Operation::Sync);
    let admission = engine.persistence.admission().unwrap();
    // The sync may still be under way: it is waited for like a client does.
    while !matches!(engine.persistence.admit(&engine), Admit::Go) {
        std::thread::yield_now();
    }
    admission.wait().unwrap();
    assert_eq!(peer.ask("SET k 3"), "+OK\r\n");
    assert!(!engine.is_hindered(Hindrance::LogBehind));
}

#[test]
fn a_token_is_synced_as_soon_as_somebody_waits_for_it() {
    let disk = disk();
    for policy in ["always", "everysec", "no"] {
        let engine = open(&disk, policy);
        let mut peer = Peer::new(&engine);
        peer.send("INCR k");
        engine.persistence.synced_by(peer.session.written).unwrap().wait().unwrap();
        drop(peer);
        disk.crash(Crash::LoseUnsynced);
    }
    assert_eq!(Peer::new(&open(&disk, "no")).ask("GET k"), "$1\r\n3\r\n");
}

#[test]
fn a_failed_snapshot_stops_writes_until_one_succeeds() {
    let disk = disk();
    let settings = [("appendonly", "no"), ("save", "3600 1")];
    let engine = try_open(&disk, &settings).unwrap();
    let mut peer = Peer::new(&engine);
    assert_eq!(peer.ask("SET k 1"), "+OK\r\n");
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert!(work(&engine, Job::Save).is_err());
    assert!(peer.ask("SET k 2").starts_with("-MISCONF Redis is configured to save RDB snapshots, but"));
    assert_eq!(peer.ask("GET k"), "$1\r\n1\r\n");
    assert_eq!(peer.ask("CONFIG SET stop-writes-on-bgsave-error no;SET k 2"), "+OK\r\n+OK\r\n");
    assert_eq!(peer.ask("CONFIG SET stop-writes-on-bgsave-error yes"), "+OK\r\n");
    assert!(peer.ask("SET k 3").starts_with("-MISCONF "));
    assert_eq!(peer.ask("SAVE;SET k 3"), "+OK\r\n+OK\r\n");
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(Peer::new(&try_open(&disk, &settings).unwrap()).ask("GET k"), "$1\r\n2\r\n");
}

#[test]
fn an_instance_that_has_ended_takes_no_writes_and_gives_its_directory_back() {
    let disk = disk();
    let engine = open(&disk, "no");
    let mut peer = Peer::new(&engine);
    peer.ask("SET k 1");
    assert!(refusal(&disk, &[]).contains("is in use by this very process"));
    engine.persist_at_end();
    assert_eq!(peer.ask("SET k 2;GET k"), "-ERR The server is shutting down\r\n$1\r\n1\r\n");
    assert_eq!(Peer::new(&open(&disk, "no")).ask("GET k"), "$1\r\n1\r\n");
}

#[test]
fn a_log_that_begins_again_counts_anew() {
    let disk = disk();
    let engine = open(&disk, "always");
    let mut peer = Peer::new(&engine);
    assert_eq!(peer.ask("SET a 1;SET b 1"), "+OK\r\n+OK\r\n");
    assert_eq!(peer.ask("CONFIG SET appendonly no"), "+OK\r\n");
    assert_eq!(engine.persistence.next_job(&engine), None);
    assert!(peer.send("SET a 2").held_back.is_none());
    assert_eq!(peer.ask("CONFIG SET appendonly yes"), "+OK\r\n");
    assert_eq!(engine.persistence.next_job(&engine), Some(Job::Rewrite));
    work(&engine, Job::Rewrite).unwrap();
    assert_eq!(peer.ask("MGET a b;INCR a;MGET a b"), "*2\r\n$1\r\n2\r\n$1\r\n1\r\n:3\r\n*2\r\n$1\r\n3\r\n$1\r\n1\r\n");
    disk.crash(Crash::LoseUnsynced);
    assert_eq!(Peer::new(&open(&disk, "always")).ask("MGET a b"), "*2\r\n$1\r\n3\r\n$1\r\n1\r\n");
}

#[test]
fn a_torn_tail_costs_the_last_record_and_damage_before_it_the_start() {
    let disk = disk();
    let engine = open(&disk, "no");
    let mut peer = Peer::new(&engine);
    peer.ask("SET a 1;SET b 1");
    engine.persist_at_end();
    let whole = disk.content(Path::new(INCREMENT)).unwrap();
    disk.put(INCREMENT, &whole[..whole.len() - 3]);
    let refused = refusal(&disk, &[("aof-load-truncated", "no")]);
    assert!(refused.contains("appendonly.aof.1.incr.aof"), "{refused}");
    let engine = open(&disk, "no");
    assert_eq!(Peer::new(&engine).ask("MGET a b"), "*2\r\n$1\r\n1\r\n$-1\r\n");
    engine.persist_at_end();
    let mut damaged = whole;
    let middle = damaged.iter().position(|byte| *byte == b'S').unwrap();
    damaged[middle - 4] = b'x';
    disk.put(INCREMENT, &damaged);
    let refused = refusal(&disk, &[]);
    assert!(refused.contains("offset") || refused.contains("byte"), "{refused}");
}

#[test]
fn a_dataset_that_is_gone_is_not_replaced_by_an_empty_one() {
    let disk = disk();
    let engine = open(&disk, "no");
    Peer::new(&engine).ask("SET a 1");
    engine.persist_at_end();
    for name in disk.names("/data/appendonlydir") {
        disk.remove(&Path::new("/data/appendonlydir").join(name)).unwrap();
    }
    let refused = refusal(&disk, &[]);
    assert!(refused.contains("is gone") && refused.contains("--start-empty yes"), "{refused}");
    let engine = try_open(&disk, &[("start-empty", "yes")]).unwrap();
    assert_eq!(Peer::new(&engine).ask("DBSIZE;SET a 2"), ":0\r\n+OK\r\n");
}
