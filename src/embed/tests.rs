//! Calls in process on a disk that stalls and fails; what needs no such disk is in `tests/`.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::engine::instance::{Engine, Hindrance};
use crate::engine::persistence::Persistence;
use crate::persist::storage::faulty::{FaultyDisk, Operation};

fn open(disk: &FaultyDisk, policy: &str) -> Server {
    let mut config = Config::new();
    for (name, value) in [("dir", "/data"), ("save", ""), ("appendonly", "yes"), ("appendfsync", policy)] {
        config.load_arguments(&[format!("--{name}").as_str(), value]).unwrap();
    }
    let clock = Clock::manual(1_700_000_000_000);
    Server::start(Engine::on(config, clock, Persistence::on(disk.storage())).unwrap()).unwrap()
}

#[test]
fn a_token_tells_when_writes_are_safe() {
    let disk = FaultyDisk::new(&["/data"]);
    let server = open(&disk, "always");
    let mut client = server.client();
    // Nothing was written yet, so that nothing can be lost.
    assert!(client.commit_token().is_durable());
    disk.hold(Operation::Sync);
    client.set("k", "1").unwrap();
    let token = client.commit_token();
    disk.wait_blocked(Operation::Sync);
    assert!(!token.is_durable());
    disk.release(Operation::Sync);
    token.wait().unwrap();
    assert!(client.commit_token().is_durable());
    client.rpush("l", ["x"]).unwrap();
    super::park::block_on(client.commit_token()).unwrap();
}

#[test]
fn a_token_tells_when_the_log_has_failed() {
    let disk = FaultyDisk::new(&["/data"]);
    let server = open(&disk, "always");
    let mut client = server.client();
    // The rewrite that heals the log is held up.
    disk.hold(Operation::Create);
    disk.fail_next(Operation::Sync, FaultyDisk::EIO);
    client.set("k", "1").unwrap();
    let failed = client.commit_token().wait().unwrap_err();
    assert_eq!(failed.to_string(), "MISCONF Errors writing to the AOF file: Input/output error (os error 5)");
    assert_eq!(client.set("k", "2").unwrap_err().code(), Some("MISCONF"));
    assert_eq!(client.get("k").unwrap().as_deref(), Some(&b"1"[..]));
    disk.release(Operation::Create);
    while server.engine().is_hindered(Hindrance::LogFailed) {
        std::thread::yield_now();
    }
    client.set("k", "3").unwrap();
    client.commit_token().wait().unwrap();
}

#[test]
fn a_write_blocks_while_the_disk_is_behind() {
    let disk = FaultyDisk::new(&["/data"]);
    let server = open(&disk, "everysec");
    let mut client = server.client();
    client.set("k", "1").unwrap();
    disk.wait_count(Operation::Write, 1);
    disk.hold(Operation::Sync);
    server.clock().advance(Duration::from_secs(2));
    assert!(server.engine().is_hindered(Hindrance::LogBehind));
    let writers: Vec<_> = (0..2)
        .map(|number| {
            let mut client = client.clone();
            std::thread::spawn(move || match number {
                0 => client.set("k", "2"),
                _ => client.call(&["APPEND", "k", "2"]).map(|_: i64| ()),
            })
        })
        .collect();
    let log = server.engine().persistence.log().unwrap();
    while log.stats().waits < 2 {
        std::thread::yield_now();
    }
    assert_eq!(client.get("k").unwrap().as_deref(), Some(&b"1"[..]));
    disk.release(Operation::Sync);
    writers.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
}

#[test]
fn nothing_is_lost_when_the_server_is_dropped_among_writers() {
    let disk = FaultyDisk::new(&["/data"]);
    let server = open(&disk, "no");
    let clients: Vec<_> = (0..3).map(|_| server.client()).collect();
    let started = Arc::new(std::sync::Barrier::new(4));
    let writers: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let started = started.clone();
            std::thread::spawn(move || {
                started.wait();
                let mut done = 0;
                while client.call::<i64, _>(&["INCR", "n"]).is_ok() {
                    done += 1;
                }
                done
            })
        })
        .collect();
    started.wait();
    while server.client().get_as::<i64>("n").unwrap().unwrap_or(0) < 100 {
        std::thread::yield_now();
    }
    drop(server);
    let done: i64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let server = open(&disk, "no");
    assert_eq!(server.client().get_as::<i64>("n").unwrap(), Some(done));
}
