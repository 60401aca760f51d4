//! The log against a disk that stalls and fails. Time is a manual clock's; who waits, waits for a condition.

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::*;
use crate::persist::storage::Storage;
use crate::persist::storage::faulty::{Crash, FaultyDisk, Operation};

const START_MS: u64 = 1_700_000_000_000;

struct Bench {
    disk: FaultyDisk,
    clock: Clock,
    log: Arc<Log>,
}

fn options(policy: FsyncPolicy) -> LogOptions {
    LogOptions { policy, ..LogOptions::default() }
}

fn bench_with(options: LogOptions) -> Bench {
    let disk = FaultyDisk::new(&["/d"]);
    let clock = Clock::manual(START_MS);
    let file = create(&disk, "/d/1");
    let log = Arc::new(Log::open(file, 0, options, clock.clone()).unwrap());
    Bench { disk, clock, log }
}

fn bench(policy: FsyncPolicy) -> Bench {
    bench_with(options(policy))
}

fn create(disk: &FaultyDisk, path: &str) -> Box<dyn File> {
    let file = disk.create(Path::new(path)).unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    file
}

impl Bench {
    fn set(&self, value: &str) -> Position {
        self.log.append(0, |records| records.command(&[b"SET", b"k", value.as_bytes()]))
    }

    fn content(&self, path: &str) -> String {
        let bytes = self.disk.content(Path::new(path)).unwrap();
        String::from_utf8(bytes).unwrap().replace("\r\n", " ")
    }

    fn durable(&self, path: &str) -> String {
        let bytes = self.disk.durable(Path::new(path)).unwrap();
        String::from_utf8(bytes).unwrap().replace("\r\n", " ")
    }

    fn rotate(&self, path: &str) -> Rotation {
        let recovers = self.log.is_failed();
        assert_eq!(self.log.rotate(create(&self.disk, "/d/unused"), !recovers), None);
        self.log.rotate(create(&self.disk, path), recovers).unwrap()
    }

    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Blocks until the writer has latched the log.
    fn wait_failed(&self) -> LogError {
        self.log.shared.waiting.block(|| self.log.failure())
    }
}

const SELECT: &str = "*2 $6 SELECT $1 0 ";

fn record(value: &str) -> String {
    format!("*3 $3 SET $1 k ${} {value} ", value.len())
}

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn always_acknowledges_what_survives_a_power_loss() {
    let bench = bench(FsyncPolicy::Always);
    let position = bench.set("a");
    assert_eq!(position.as_u64(), (SELECT.len() + record("a").len()) as u64 + 12, "line ends count twice");
    bench.log.wait_synced(position).unwrap();
    assert_eq!((bench.log.synced(), bench.log.written(), bench.log.backlog()), (position, position, 0));
    bench.disk.crash(Crash::LoseUnsynced);
    assert_eq!(bench.content("/d/1"), format!("{SELECT}{}", record("a")));
}

#[test]
fn one_sync_serves_all_who_came_before_it() {
    let bench = bench(FsyncPolicy::Always);
    bench.disk.hold(Operation::Sync);
    let first = bench.set("first");
    bench.log.nudge();
    bench.disk.wait_blocked(Operation::Sync);
    let waiters: Vec<_> = (0..8)
        .map(|number| {
            let log = Arc::clone(&bench.log);
            let position = bench.set(&number.to_string());
            std::thread::spawn(move || log.wait_synced(position))
        })
        .collect();
    assert_eq!(bench.log.synced(), Position::START);
    bench.disk.release(Operation::Sync);
    bench.log.wait_synced(first).unwrap();
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap().unwrap());
    assert_eq!(bench.log.stats().syncs, 2);
}

#[test]
fn a_waker_is_woken_once_its_position_is_synced() {
    let bench = bench(FsyncPolicy::Always);
    bench.disk.hold(Operation::Sync);
    let (count, other) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let position = bench.set("a");
    let mut token = pin!(bench.log.synced_by(position));
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert!(token.as_mut().poll(&mut context).is_pending());
    assert!(token.as_mut().poll(&mut context).is_pending());
    bench.disk.wait_blocked(Operation::Sync);
    let later = bench.set("b");
    let mut behind = pin!(bench.log.synced_by(later));
    let other_waker = Waker::from(Arc::clone(&other));
    assert!(behind.as_mut().poll(&mut Context::from_waker(&other_waker)).is_pending());
    bench.disk.release(Operation::Sync);
    bench.log.wait_synced(later).unwrap();
    // A thread is woken before the wakers of the same sync: the first sync's wakers have been called by now.
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert!(matches!(token.as_mut().poll(&mut context), Poll::Ready(Ok(()))));
    assert_eq!(bench.log.synced_by(later).position(), later);
    bench.log.synced_by(later).wait().unwrap();
}

#[test]
fn everysec_syncs_a_second_after_the_oldest_record() {
    let bench = bench(FsyncPolicy::EverySecond);
    let position = bench.set("a");
    bench.disk.wait_count(Operation::Write, 1);
    bench.clock.advance(Duration::from_millis(400));
    bench.set("b");
    assert_eq!(bench.log.unsynced_age_ms(bench.now_ms()), 400);
    bench.clock.advance(Duration::from_millis(599));
    assert_eq!(bench.disk.count(Operation::Sync), 0);
    bench.clock.advance(Duration::from_millis(1));
    bench.log.wait_synced(position).unwrap();
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Go);
    bench.log.flush().unwrap();
    assert_eq!(bench.log.unsynced_age_ms(bench.now_ms()), 0);
    assert_eq!(bench.durable("/d/1"), format!("{SELECT}{}{}", record("a"), record("b")));
}

#[test]
fn everysec_admits_nothing_beyond_its_bound() {
    let bench = bench(FsyncPolicy::EverySecond);
    bench.disk.hold(Operation::Sync);
    let position = bench.set("a");
    bench.disk.wait_count(Operation::Write, 1);
    bench.clock.advance(Duration::from_millis(1_999));
    bench.disk.wait_blocked(Operation::Sync);
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Go);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Wait);

    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut admission = pin!(bench.log.admission());
    assert!(admission.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    bench.log.tick(bench.now_ms());
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    bench.clock.advance(Duration::from_secs(8));
    bench.log.tick(bench.now_ms());
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "nobody waits without bound");
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Refused);
    let Poll::Ready(Err(error)) = admission.as_mut().poll(&mut Context::from_waker(&waker)) else { panic!() };
    assert_eq!(error.to_string(), "the disk has not taken the append-only file's records for 10000 ms");

    bench.disk.release(Operation::Sync);
    bench.log.wait_synced(position).unwrap();
    bench.log.admission().wait().unwrap();
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Go);
    let stats = bench.log.stats();
    assert!(stats.waits >= 1 && stats.refusals >= 1 && !bench.log.is_failed());
}

#[test]
fn a_full_backlog_lets_writers_wait_and_loses_nothing() {
    let bench = bench_with(LogOptions { backlog_bytes_max: 1 << 20, ..options(FsyncPolicy::No) });
    bench.disk.hold(Operation::Write);
    let value = "x".repeat(1000);
    let mut count = 0;
    while bench.log.admit(bench.now_ms()) == Admit::Go {
        bench.set(&value);
        count += 1;
    }
    let max = 1 << 20;
    assert!((max..max + 2000).contains(&bench.log.backlog()), "{}", bench.log.backlog());
    let log = Arc::clone(&bench.log);
    let waiter = std::thread::spawn(move || log.admission().wait());
    bench.disk.release(Operation::Write);
    waiter.join().unwrap().unwrap();
    bench.log.flush().unwrap();
    assert_eq!(bench.content("/d/1"), format!("{SELECT}{}", record(&value).repeat(count)));
    assert_eq!(bench.log.stats().file_bytes, bench.disk.used() as u64);
}

#[test]
fn the_policy_no_leaves_the_sync_to_the_system() {
    let bench = bench(FsyncPolicy::No);
    bench.set("a");
    bench.disk.wait_count(Operation::Write, 1);
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Go);
    assert_eq!(bench.disk.count(Operation::Sync), 0);
    let position = bench.set("b");
    bench.log.set_policy(FsyncPolicy::Always);
    bench.log.wait_synced(position).unwrap();
    bench.log.set_policy(FsyncPolicy::No);
    assert_eq!(bench.log.policy(), FsyncPolicy::No);
}

#[test]
fn any_error_latches_the_log_although_later_calls_succeed() {
    for (operation, errno, text) in [
        (Operation::Write, FaultyDisk::EIO, "writing the append-only file failed"),
        (Operation::Write, FaultyDisk::ENOSPC, "writing the append-only file failed"),
        (Operation::Sync, FaultyDisk::EIO, "syncing the append-only file failed"),
        (Operation::Sync, FaultyDisk::ENOSPC, "syncing the append-only file failed"),
    ] {
        let bench = bench(FsyncPolicy::Always);
        let safe = bench.set("safe");
        bench.log.wait_synced(safe).unwrap();
        bench.disk.fail_next(operation, errno);
        let lost = bench.set("lost");
        let error = bench.log.wait_synced(lost).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
        assert_eq!(bench.log.admit(bench.now_ms()), Admit::Refused);
        let dropped = bench.set("dropped");
        assert!(dropped > lost && bench.log.wait_synced(dropped).is_err() && bench.log.flush().is_err());
        bench.log.wait_synced(safe).unwrap();
        assert_eq!(bench.log.admission().wait().unwrap_err().to_string(), error);
        bench.clock.advance(Duration::from_secs(100));
        assert!(bench.log.is_failed() && bench.log.close().is_err());
        bench.disk.crash(Crash::LoseUnsynced);
        assert_eq!(bench.content("/d/1"), format!("{SELECT}{}", record("safe")), "{operation:?}");
    }
}

#[test]
fn a_full_disk_latches_after_what_fits() {
    let bench = bench(FsyncPolicy::Always);
    bench.log.wait_synced(bench.set("a")).unwrap();
    bench.disk.set_capacity(Some(bench.disk.used() + 6));
    let error = bench.log.wait_synced(bench.set("b")).unwrap_err();
    assert!(matches!(&error, LogError::Write(e) if e.kind() == io::ErrorKind::StorageFull), "{error}");
    assert_eq!(bench.content("/d/1"), format!("{SELECT}{}*3 $3", record("a")), "a torn record for the reader to cut");
}

#[test]
fn everysec_and_no_latch_without_anybody_waiting() {
    for policy in [FsyncPolicy::EverySecond, FsyncPolicy::No] {
        let bench = bench(policy);
        bench.disk.fail_next(Operation::Write, FaultyDisk::EIO);
        bench.set("a");
        assert!(matches!(bench.wait_failed(), LogError::Write(_)));
        assert_eq!(bench.log.admit(bench.now_ms()), Admit::Refused);
    }
}

#[test]
fn a_rotation_divides_the_records_and_makes_the_old_file_durable_first() {
    let bench = bench(FsyncPolicy::No);
    bench.disk.hold(Operation::Sync);
    let before = bench.set("before");
    let rotation = bench.rotate("/d/2");
    assert_eq!(rotation, Rotation { position: before, recovers: false });
    bench.set("after");
    bench.disk.wait_blocked(Operation::Sync);
    assert_eq!(bench.content("/d/2"), "", "nothing is in the new file before the old one is safe");
    bench.disk.release(Operation::Sync);
    bench.log.flush().unwrap();
    assert_eq!(bench.durable("/d/1"), format!("{SELECT}{}", record("before")));
    assert_eq!(bench.durable("/d/2"), format!("{SELECT}{}", record("after")), "each file selects its database");
    assert!(!bench.log.recovered(rotation), "there was nothing to recover from");
    assert_eq!(bench.log.stats().file_bytes, bench.disk.content(Path::new("/d/2")).unwrap().len() as u64);
}

#[test]
fn a_rewrite_into_a_new_file_takes_the_latch_off() {
    for policy in [FsyncPolicy::Always, FsyncPolicy::EverySecond, FsyncPolicy::No] {
        let bench = bench(policy);
        bench.disk.fail_next(Operation::Write, FaultyDisk::EIO);
        let lost = bench.set("in the rewrite only");
        bench.wait_failed();
        let rotation = bench.rotate("/d/2");
        assert!(rotation.recovers);
        // Somebody was admitted before the failure and has run after the snapshot.
        let late = bench.set("late");
        bench.disk.wait_count(Operation::Write, 2);
        assert!(bench.log.wait_synced(late).is_err(), "the new file alone is no log");
        assert_eq!(bench.log.admit(bench.now_ms()), Admit::Refused);
        bench.clock.advance(Duration::from_secs(20));

        assert!(bench.log.recovered(rotation));
        bench.log.wait_synced(lost).unwrap();
        bench.log.wait_synced(late).unwrap();
        bench.log.admission().wait().unwrap();
        bench.set("new");
        bench.log.flush().unwrap();
        let expected = format!("{SELECT}{}{}", record("late"), record("new"));
        assert_eq!(bench.durable("/d/2"), expected, "{policy:?}");
        assert_eq!(bench.content("/d/1"), "");
        assert!(!bench.log.recovered(rotation) && bench.log.close().is_ok());
    }
}

#[test]
fn a_recovery_without_any_record_leaves_a_log_at_rest() {
    let bench = bench(FsyncPolicy::EverySecond);
    bench.disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    bench.set("a");
    bench.disk.wait_count(Operation::Write, 1);
    bench.clock.advance(Duration::from_secs(1));
    bench.wait_failed();
    let rotation = bench.rotate("/d/2");
    assert!(bench.log.recovered(rotation));
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!((bench.log.unsynced_age_ms(bench.now_ms()), bench.log.admit(bench.now_ms())), (0, Admit::Go));
    assert_eq!(bench.log.flush().unwrap(), rotation.position);
}

#[test]
fn a_second_failure_before_the_rewrite_is_through_keeps_the_latch() {
    let bench = bench(FsyncPolicy::Always);
    bench.disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    assert!(bench.log.wait_synced(bench.set("a")).is_err());
    let rotation = bench.rotate("/d/2");
    bench.disk.fail_next(Operation::Write, FaultyDisk::ENOSPC);
    let writes = bench.disk.count(Operation::Write);
    bench.set("late");
    bench.disk.wait_count(Operation::Write, writes + 1);
    bench.log.shared.waiting.block(|| bench.log.shared.front.lock().discards.then_some(()));
    assert!(!bench.log.recovered(rotation) && bench.log.is_failed());
    let again = bench.rotate("/d/3");
    assert!(bench.log.recovered(again));
    bench.log.wait_synced(bench.set("b")).unwrap();
    assert_eq!(bench.durable("/d/3"), format!("{SELECT}{}", record("b")));
}

#[test]
fn a_failure_while_a_rotation_waits_spoils_the_new_file() {
    let bench = bench(FsyncPolicy::Always);
    bench.disk.hold(Operation::Write);
    bench.disk.fail_next(Operation::Write, FaultyDisk::EIO);
    let position = bench.set("a");
    bench.log.nudge();
    bench.disk.wait_blocked(Operation::Write);
    let rotation = bench.rotate("/d/2");
    assert!(!rotation.recovers);
    bench.disk.release(Operation::Write);
    assert!(bench.log.wait_synced(position).is_err());
    assert!(!bench.log.recovered(rotation));
    assert!(bench.log.wait_synced(bench.set("b")).is_err());
    assert_eq!(bench.content("/d/2"), "");
}

#[test]
fn closing_makes_everything_durable() {
    for policy in [FsyncPolicy::Always, FsyncPolicy::EverySecond, FsyncPolicy::No] {
        let bench = bench(policy);
        bench.set("a");
        bench.log.close().unwrap();
        assert_eq!(bench.durable("/d/1"), format!("{SELECT}{}", record("a")));
        let position = bench.set("too late");
        assert!(matches!(bench.log.wait_synced(position), Err(LogError::Closed)));
        bench.log.close().unwrap();
    }
}

#[test]
fn the_time_is_annotated_once_a_second() {
    let bench = bench_with(LogOptions { timestamps: true, ..options(FsyncPolicy::Always) });
    bench.set("a");
    bench.set("b");
    bench.clock.advance(Duration::from_secs(2));
    bench.log.append_transaction(1, |records| (0..2).for_each(|_| records.command(&[b"PING"])));
    bench.log.set_timestamps(false);
    bench.clock.advance(Duration::from_secs(2));
    let end = bench.set("c");
    assert_eq!(bench.log.flush().unwrap(), end);
    let expected = format!(
        "#TS:1700000000 {SELECT}{}{}#TS:1700000002 *2 $6 SELECT $1 1 *1 $5 MULTI *1 $4 PING *1 $4 PING *1 $4 EXEC \
         {SELECT}{}",
        record("a"),
        record("b"),
        record("c")
    );
    assert_eq!(bench.content("/d/1"), expected);
    assert_eq!(bench.disk.used() as u64, end.as_u64(), "positions are bytes of the file");
}

#[test]
fn appends_that_write_nothing_or_panic_leave_no_trace() {
    let bench = bench_with(LogOptions { timestamps: true, ..options(FsyncPolicy::EverySecond) });
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bench.log.append(0, |_| panic!())));
    assert!(outcome.is_err());
    let end = bench.log.append(3, |_| {});
    assert_eq!(bench.log.flush().unwrap(), end);
    assert_eq!(bench.content("/d/1"), "#TS:1700000000 ");
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(bench.log.admit(bench.now_ms()), Admit::Go);
}

#[test]
fn threads_append_whole_records_and_positions_grow() {
    let bench = bench(FsyncPolicy::Always);
    std::thread::scope(|scope| {
        for number in 0..4u32 {
            let log = &bench.log;
            scope.spawn(move || {
                let value = vec![b'0' + number as u8; 700];
                let mut last = Position::START;
                for round in 0..500 {
                    let position = log.append(number % 2, |records| records.command(&[b"SET", b"k", &value]));
                    assert!(position > last);
                    last = position;
                    if round % 50 == 0 {
                        log.wait_synced(position).unwrap();
                        assert!(log.synced() >= position);
                    }
                }
            });
        }
    });
    assert_eq!(bench.log.flush().unwrap().as_u64(), bench.disk.used() as u64);
    let content = bench.content("/d/1");
    for number in 0..4 {
        assert_eq!(content.matches(&record(&number.to_string().repeat(700))).count(), 500);
    }
}
