//! What a server says while it loads, and that its files can be loaded again at any time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use support::{Client, Reply, Scratch, Server, eventually, info_number};

fn loaded(server: &Server) -> Client {
    let mut client = server.connect();
    eventually("the loading", || matches!(client.line("PING"), Reply::Simple(_)).then_some(()));
    client
}

/// A snapshot with a thousand keys.
fn snapshot(extra: &str) -> Vec<u8> {
    let directory = Scratch::new();
    let server = Server::pipkin(&["--dir", directory.text(), "--save", ""]);
    let mut client = loaded(&server);
    client.batch(&(0..1000).map(|n| vec!["SET".to_owned(), format!("key:{n}"), "v".repeat(100)]).collect::<Vec<_>>());
    for line in extra.split(';').filter(|line| !line.is_empty()) {
        assert!(!client.line(line).is_error(), "{line}");
    }
    assert_eq!(client.line("SAVE").text(), "OK");
    fs::read(directory.path().join("dump.rdb")).expect("it was saved")
}

/// A server that has read half of its snapshot, and waits for the rest: the snapshot is a pipe.
fn half_loaded(path: &Path, bytes: &[u8]) -> (Server, Client, fs::File) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo is everywhere").success());
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let directory = path.parent().and_then(Path::to_str).expect("a path of text");
    let flags = ["--dir", directory, "--save", "1 1"];
    let server = Server::spawn(&[env!("CARGO_BIN_EXE_pipkin")], free.port(), &flags);
    let mut client = eventually("the listener", || Client::try_connect(server.address()).ok());
    let mut pipe = OpenOptions::new().write(true).open(path).expect("the server reads");
    pipe.write_all(&bytes[..bytes.len() / 2]).expect("the server reads");
    eventually("half of it", || {
        let loaded = info_number(&mut client, "persistence", "loading_loaded_bytes");
        (loaded > Some(bytes.len() as i64 / 4)).then_some(())
    });
    (server, client, pipe)
}

#[test]
fn while_it_loads_a_server_says_so_and_changes_nothing() {
    let bytes = snapshot("");
    let directory = Scratch::new();
    let path = directory.path().join("dump.rdb");
    let (server, mut client, mut pipe) = half_loaded(&path, &bytes);
    let text = "LOADING Redis is loading the dataset in memory";
    for line in ["PING", "GET key:1", "SET key:1 changed", "SAVE", "BGSAVE", "BGREWRITEAOF", "DBSIZE"] {
        assert_eq!(client.line(line), Reply::Error(text.into()), "{line}");
    }
    assert_eq!(info_number(&mut client, "persistence", "loading"), Some(1));
    let info = client.line("INFO persistence").text();
    for field in ["loading_start_time", "loading_total_bytes", "loading_loaded_perc", "loading_eta_seconds"] {
        assert!(info.contains(&format!("{field}:")), "{field}: {info}");
    }
    assert!(!client.line("CONFIG GET maxmemory").is_error() && !client.line("HELLO 2").is_error());
    pipe.write_all(&bytes[bytes.len() / 2..]).expect("the server reads");
    drop(pipe);
    let mut client = loaded(&server);
    assert_eq!(client.line("DBSIZE"), Reply::Integer(1000));
    assert_eq!(client.line("GET key:1").text(), "v".repeat(100));
    let info = client.line("INFO persistence").text();
    assert!(info.contains("loading:0") && !info.contains("loading_eta_seconds"), "{info}");
    assert_eq!(info_number(&mut client, "persistence", "rdb_last_load_keys_loaded"), Some(1000));
}

#[test]
fn half_a_dataset_is_not_saved_at_the_end() {
    let bytes = snapshot("");
    let directory = Scratch::new();
    let path = directory.path().join("dump.rdb");
    let (mut server, mut client, mut pipe) = half_loaded(&path, &bytes);
    client.send(&["SHUTDOWN"]);
    eventually("the end", || {
        // Where it stands it may wait for the next bytes.
        pipe.write_all(&bytes[bytes.len() / 2..][..1]).ok();
        (!server.is_running()).then_some(())
    });
    let kind = fs::metadata(&path).expect("it is there").file_type();
    assert!(!kind.is_file(), "the snapshot was written over");
}

fn start(directory: &Scratch, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipkin"));
    command.args(["--port", "0", "--dir", directory.text()]).args(flags).output().expect("the program starts")
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_what_to_do() {
    let directory = Scratch::new();
    let path = directory.path().join("dump.rdb");
    fs::write(&path, snapshot("SELECT 15;SET k v")).expect("a file");
    let output = start(&directory, &["--databases", "4"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("start with --databases 16"), "{said}");
    let mut bytes = fs::read(&path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("a file");
    let output = start(&directory, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("pipkin check") && said.contains("offset"), "{said}");
    assert_eq!(fs::read(&path).expect("it is there"), bytes, "nothing was changed");
}

#[test]
fn files_are_loaded_again_on_request() {
    let directory = Scratch::new();
    let server = Server::pipkin(&["--dir", directory.text(), "--appendonly", "yes", "--save", ""]);
    let mut client = loaded(&server);
    let volatile = "SET volatile v PX 100000000";
    for line in ["SET s v", "RPUSH l a b", "HSET h f v", "ZADD z 1.5 m", "SELECT 9", "SADD u 1 2", volatile] {
        assert!(!client.line(line).is_error(), "{line}");
    }
    let digest = client.line("DEBUG DIGEST");
    let deadline = client.line("PEXPIRETIME volatile");
    for line in ["DEBUG RELOAD", "DEBUG RELOAD NOSAVE", "DEBUG LOADAOF"] {
        assert_eq!(client.line(line), Reply::Simple(b"OK".to_vec()), "{line}");
        assert_eq!(client.line("DEBUG DIGEST"), digest, "{line}");
        assert_eq!(client.line("PEXPIRETIME volatile"), deadline, "{line}");
    }
    client.line("SET later v");
    assert_eq!(client.line("DEBUG RELOAD NOSAVE").text(), "OK");
    assert_eq!(client.line("DEBUG DIGEST"), digest, "what came after the snapshot is gone");
    assert_eq!(client.line("DEBUG LOADAOF").text(), "OK");
    assert_eq!(client.line("EXISTS later"), Reply::Integer(1), "the log has it");
    assert_eq!(
        client.line("DEBUG RELOAD NOFLUSH NOSAVE").text(),
        "ERR Error trying to load the RDB dump, check server logs."
    );
    assert!(client.line("DEBUG RELOAD NONSENSE").is_error());
    assert_eq!(client.line("SET works again").text(), "OK", "after a failure, too");
}
