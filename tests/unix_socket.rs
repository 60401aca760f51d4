//! The Unix socket: the file that comes and goes, who is told what, and redis-cli over it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::io::{BufReader, Write};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};

use support::{Reply, Scratch, Server, encode, eventually, words};

/// Sends one command over the socket and reads its reply.
fn ask(path: &Path, line: &str) -> Reply {
    let mut stream = UnixStream::connect(path).unwrap();
    let mut bytes = Vec::new();
    encode(&words(line), &mut bytes);
    stream.write_all(&bytes).unwrap();
    Reply::read(&mut BufReader::new(stream)).unwrap()
}

/// Runs the program with a socket that it cannot have, to its end.
fn refused(path: &Path) -> String {
    let arguments = ["--port", "0", "--unixsocket", path.to_str().unwrap()];
    let output: Output = Command::new(env!("CARGO_BIN_EXE_pipkin")).args(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_socket_serves_and_goes_with_the_server() {
    let scratch = Scratch::new();
    let path = scratch.path().join("pipkin.sock");
    let text = path.to_str().unwrap();
    let mut server = Server::pipkin(&["--unixsocket", text, "--unixsocketperm", "700", "--requirepass", ""]);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    let banner = format!(", {text} (");
    eventually("a banner that names it", || server.log().contains(&banner).then_some(()));
    assert_eq!(ask(&path, "SET k v").text(), "OK");
    assert_eq!(server.connect().line("GET k").text(), "v");
    let line = ask(&path, "CLIENT INFO").text();
    assert!(line.contains(&format!(" addr={text}:0 laddr={text}:0 ")) && line.contains(" flags=U "), "{line}");
    assert!(ask(&path, "INFO server").text().contains(&format!("listener1:name=unix,bind={text}\r\n")));
    // A local connection, so that DEBUG may be allowed to it.
    assert_eq!(ask(&path, "CONFIG GET unixsocketperm").items()[1].text(), "700");
    let said = refused(&path);
    assert!(said.contains("is taken by another program") && said.contains("--unixsocket"), "{said}");
    assert!(path.exists(), "the first server's file stays");
    server.connect().send(&["SHUTDOWN"]);
    eventually("the end of the server", || (!server.is_running()).then_some(()));
    assert!(!path.exists());
}

#[test]
fn what_a_crash_left_is_taken_over_and_what_is_no_socket_is_not() {
    let scratch = Scratch::new();
    let path = scratch.path().join("pipkin.sock");
    let flags = ["--unixsocket", path.to_str().unwrap()];
    let mut server = Server::pipkin(&flags);
    server.kill();
    assert!(path.exists(), "nobody could remove it");
    let mut server = Server::pipkin(&flags);
    assert_eq!(ask(&path, "PING").text(), "PONG");
    server.kill();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "data").unwrap();
    let said = refused(&path);
    assert!(said.contains("is no socket and is left alone"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), b"data");
}

#[test]
fn a_host_serves_its_instance_over_a_socket() {
    let scratch = Scratch::new();
    let path = scratch.path().join("host.sock");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = pipkin::Server::open().unwrap();
    runtime.block_on(server.serve_unix(&path)).unwrap();
    assert!(runtime.block_on(server.serve_unix(&path)).is_err(), "the path is taken");
    server.client().set("k", "from the host").unwrap();
    assert_eq!(ask(&path, "GET k").text(), "from the host");
    drop(server);
    eventually("the file's end", || (!path.exists()).then_some(()));
}

#[test]
fn redis_cli_speaks_over_the_socket() {
    let Some(tool) = support::tool("unix_socket::redis_cli_speaks_over_the_socket", "redis-cli") else { return };
    let scratch = Scratch::new();
    let path = scratch.path().join("pipkin.sock");
    let server = Server::pipkin(&["--unixsocket", path.to_str().unwrap()]);
    let text = path.to_str().unwrap();
    let output = tool.run(&server, &["-s", text, "RPUSH", "list", "a", "b"], b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "2");
    let output = tool.run(&server, &["-s", text, "-3", "HGETALL", "nosuch"], b"");
    assert!(output.status.success());
    let output = tool.run(&server, &["-s", text, "--pipe"], b"SET a 1\r\nSET b 2\r\n");
    assert!(String::from_utf8_lossy(&output.stdout).contains("errors: 0, replies: 2"), "{output:?}");
}
