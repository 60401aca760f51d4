//! Data that are kept, at both doors: closed and opened again, killed, torn, gone, or wanted by two at a time. What
//! takes a disk that fails is beside the code, on one in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pipkin::{Builder, Error, Fsync, OpenError, Server};
use support::{Random, Reply, Scratch};

fn logged(directory: &Scratch) -> Builder {
    Server::builder().dir(directory.path()).append_only(true).save_points([])
}

fn refusal(builder: Builder) -> String {
    match builder.open() {
        Err(error @ OpenError::Data(_)) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opens"),
    }
}

fn increment(directory: &Scratch) -> std::path::PathBuf {
    directory.path().join("appendonlydir/appendonly.aof.1.incr.aof")
}

#[test]
fn a_host_that_drops_the_server_finds_everything_again() -> Result<(), Box<dyn std::error::Error>> {
    for policy in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
        let directory = Scratch::new();
        let server = logged(&directory).append_fsync(policy).open()?;
        // A client may outlive the server.
        let mut client = server.client();
        client.set("s", "1")?;
        client.rpush("l", ["a", "b"])?;
        client.pipeline(|batch| {
            batch.hset("h", "f", "v").set("gone", "1").call(&["DEL", "gone"]);
        })?;
        client.transaction::<_, Error, &str>(&[], |_, queued| {
            queued.set("t", "1").incr_by("t", 1);
            Ok(())
        })?;
        client.call::<(), _>(&["SET", "timed", "1", "EX", "1000"])?;
        drop(server);
        assert!(matches!(client.set("late", "1"), Err(Error::Closed)));
        let server = logged(&directory).open()?;
        let mut again = server.client();
        assert_eq!(again.get("s")?.as_deref(), Some(&b"1"[..]));
        assert_eq!(again.lrange("l", 0, -1)?, ["a", "b"]);
        assert_eq!((again.hget("h", "f")?, again.get_as::<i64>("t")?), (Some("v".into()), Some(2)));
        assert!(again.call::<i64, _>(&["TTL", "timed"])? > 900);
        assert_eq!(server.stats().keys, 5);
    }
    Ok(())
}

#[test]
fn without_a_log_the_last_snapshot_is_saved_at_the_end() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Scratch::new();
    let open = || Server::builder().dir(directory.path()).save_points([(3600, 1)]).open();
    let server = open()?;
    server.client().set("k", "v")?;
    assert!(matches!(server.client().commit_token().wait(), Err(Error::NotLogged)));
    drop(server);
    assert!(open()?.client().exists("k")?);
    // From now on with a log: it begins with what is there.
    let server = logged(&directory).open()?;
    assert!(server.client().exists("k")?);
    drop(server);
    fs::remove_file(directory.path().join("dump.rdb"))?;
    assert!(logged(&directory).open()?.client().exists("k")?);
    Ok(())
}

#[tokio::test]
async fn commits_are_awaited_on_any_runtime() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Scratch::new();
    let server = logged(&directory).append_fsync(Fsync::EverySecond).open()?;
    let mut client = server.client();
    client.set("k", "v")?;
    let token = client.commit_token();
    token.await?;
    assert!(client.commit_token().is_durable());
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_with_what_to_do() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Scratch::new();
    let server = logged(&directory).open()?;
    let text = refusal(logged(&directory));
    assert!(text.contains("is in use by this very process") && text.contains("--dir"), "{text}");
    server.client().set("k", "v")?;
    drop(server);
    let text = refusal(Server::builder().dir(directory.path().join("none")).append_only(true));
    assert!(text.contains("does not exist") && text.contains("mkdir -p"), "{text}");

    let aside = directory.path().join("aside");
    fs::rename(directory.path().join("appendonlydir"), &aside)?;
    let text = refusal(logged(&directory));
    assert!(text.contains("is gone") && text.contains("--start-empty yes"), "{text}");
    fs::rename(&aside, directory.path().join("appendonlydir"))?;
    assert!(logged(&directory).open()?.client().exists("k")?);
    fs::remove_dir_all(directory.path().join("appendonlydir"))?;
    assert_eq!(logged(&directory).start_empty(true).open()?.stats().keys, 0);
    // That was said once: now there is a dataset again.
    assert_eq!(logged(&directory).open()?.stats().keys, 0);
    Ok(())
}

#[test]
fn a_torn_tail_is_cut_and_kept_and_damage_before_it_refused() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Scratch::new();
    let server = logged(&directory).open()?;
    let mut client = server.client();
    client.set("whole", "1")?;
    client.set("torn", "1")?;
    drop((client, server));
    let path = increment(&directory);
    let whole = fs::read(&path)?;
    for cut in 1..whole.len() - 1 {
        fs::write(&path, &whole[..whole.len() - cut])?;
        let server = logged(&directory).open()?;
        assert!(!server.client().exists("torn")?);
    }
    fs::write(&path, &whole)?;
    let mut damaged = whole.clone();
    let at = whole.windows(5).position(|bytes| bytes == b"whole").unwrap();
    damaged[at - 4] = b'#';
    fs::write(&path, &damaged)?;
    let text = refusal(logged(&directory));
    assert!(text.contains("appendonly.aof.1.incr.aof") && text.contains("pipkin check"), "{text}");
    // Nothing was changed.
    assert_eq!(fs::read(&path)?, damaged);
    Ok(())
}

/// What a connection was told with `appendfsync always` is there after a kill, and nothing that was not sent.
#[test]
fn what_was_acknowledged_survives_a_kill() {
    const ROUNDS: usize = 4;
    let directory = Scratch::new();
    let flags = ["--dir", directory.text(), "--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    let mut random = Random::new(0x5eed);
    let (mut acknowledged, mut sent) = ([0_i64; 3], [0_i64; 3]);
    for round in 0..ROUNDS {
        let server = support::Server::pipkin(&flags);
        let mut client = server.connect();
        for (number, acknowledged) in acknowledged.iter().enumerate() {
            let reply = client.line(&format!("GET counter:{number}"));
            let found = if reply.is_nil() { 0 } else { String::from_utf8_lossy(reply.bytes()).parse().unwrap() };
            assert!((*acknowledged..=sent[number]).contains(&found), "round {round}: {found} of {acknowledged}");
            sent[number] = found;
        }
        let (goal, requests) = (1 + random.below(300), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for (number, (acknowledged, sent)) in acknowledged.iter_mut().zip(&mut sent).enumerate() {
                let (mut client, requests) = (server.connect(), &requests);
                scope.spawn(move || {
                    let request = format!("INCR counter:{number}\r\n");
                    while client.try_write(request.as_bytes()).is_ok() {
                        *sent += 1;
                        requests.fetch_add(1, Ordering::Relaxed);
                        match client.try_read() {
                            Ok(Reply::Integer(value)) => *acknowledged = value,
                            _ => return,
                        }
                    }
                });
            }
            support::eventually("so many writes", || (requests.load(Ordering::Relaxed) >= goal).then_some(()));
            kill(server.process_id());
        });
    }
    assert!(acknowledged.iter().any(|count| *count > 0));
}

fn kill(process: u32) {
    let status = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(status.expect("there is a kill").success());
}

#[test]
fn a_second_process_is_kept_out() {
    let directory = Scratch::new();
    let flags = ["--dir", directory.text(), "--appendonly", "yes"];
    let server = support::Server::pipkin(&flags);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pipkin")).args(["--port", "0"]).args(flags).output();
    let output = output.expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let holder = format!("is in use by another server, process {}", server.process_id());
    assert!(!output.status.success() && text.contains(&holder), "{text}");
}

#[test]
fn a_stopped_process_leaves_everything_behind() {
    let directory = Scratch::new();
    let flags = ["--dir", directory.text(), "--appendonly", "yes", "--appendfsync", "no", "--save", ""];
    for line in ["SHUTDOWN", "SHUTDOWN NOSAVE"] {
        let mut server = support::Server::pipkin(&flags);
        let mut client = server.connect();
        client.line("INCR k");
        client.write(format!("INCR k\r\n{line}\r\n").as_bytes());
        support::eventually("the end", || (!server.is_running()).then_some(()));
    }
    let server = support::Server::pipkin(&flags);
    assert_eq!(server.connect().line("GET k").bytes(), b"4");
}

#[test]
fn what_a_crash_left_behind_the_last_record_is_no_obstacle() {
    let directory = Scratch::new();
    let flags = ["--dir", directory.text(), "--appendonly", "yes", "--save", ""];
    let server = support::Server::pipkin(&flags);
    let mut client = server.connect();
    client.line("SET k v");
    assert_eq!(client.line("WAITAOF 1 0 0").items().len(), 2);
    kill(server.process_id());
    drop(server);
    append(&increment(&directory), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n...");
    let server = support::Server::pipkin(&flags);
    assert_eq!(server.connect().line("GET k").bytes(), b"v");
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// A save counts from the moment that it was asked for: who polls until none is under way may ask for the next one.
#[test]
fn a_save_is_under_way_when_bgsave_has_answered() {
    let directory = Scratch::new();
    let server = support::Server::pipkin(&["--dir", directory.text(), "--save", ""]);
    let mut client = server.connect();
    for _ in 0..100 {
        assert_eq!(client.line("BGSAVE").text(), "Background saving started");
        support::eventually("the save", || {
            let in_progress = support::info_number(&mut client, "persistence", "rdb_bgsave_in_progress");
            (in_progress == Some(0)).then_some(())
        });
    }
    assert_eq!(support::info_number(&mut client, "persistence", "rdb_saves"), Some(100));
}

/// `CONFIG SET appendonly yes` begins with a rewrite, which is under way at once: who polls until it is over has a log.
#[test]
fn a_log_that_is_switched_on_is_there_when_no_rewrite_is_under_way() {
    let directory = Scratch::new();
    let server = support::Server::pipkin(&["--dir", directory.text(), "--save", ""]);
    let mut client = server.connect();
    for _ in 0..10 {
        assert_eq!(client.line("CONFIG SET appendonly yes").text(), "OK");
        support::eventually("the rewrite", || {
            let in_progress = support::info_number(&mut client, "persistence", "aof_rewrite_in_progress");
            (in_progress == Some(0)).then_some(())
        });
        assert_eq!(client.line("SET key value").text(), "OK");
        assert_eq!(client.line("DEBUG LOADAOF").text(), "OK");
        assert_eq!(client.line("GET key").text(), "value");
        assert_eq!(client.line("CONFIG SET appendonly no").text(), "OK");
        support::eventually("the end of the log", || {
            let enabled = support::info_number(&mut client, "persistence", "aof_enabled");
            (enabled == Some(0)).then_some(())
        });
    }
}

/// A log that grows is rewritten by itself, but not while what made it grow has hardly begun.
#[test]
fn a_log_that_has_grown_is_rewritten_after_a_rest() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Scratch::new();
    let server = logged(&directory)
        .config("auto-aof-rewrite-min-size", "4kb")
        .manual_clock(Duration::from_secs(1_800_000_000))
        .open()?;
    let mut client = server.client();
    let count = |client: &mut pipkin::Client, field: &str| -> Option<u64> {
        let info: String = client.call(&["INFO", "persistence"]).ok()?;
        let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        value.trim().parse().ok()
    };
    for _ in 0..100 {
        client.set("key", "v".repeat(100))?;
    }
    client.commit_token().wait()?;
    server.clock().advance(Duration::from_millis(2_900));
    // The thread that saves looks at the log after each save: it has done so when the next one is done.
    for saves in 1..=2 {
        client.call::<String, _>(&["BGSAVE"])?;
        support::eventually("the save", || (count(&mut client, "rdb_saves") == Some(saves)).then_some(()));
    }
    assert_eq!(count(&mut client, "aof_rewrites"), Some(0));
    server.clock().advance(Duration::from_millis(200));
    support::eventually("the rewrite", || (count(&mut client, "aof_rewrites") == Some(1)).then_some(()));
    Ok(())
}
