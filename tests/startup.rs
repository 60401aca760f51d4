//! What a person meets at the start: the log, the settings from the standard input, a port that is taken.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use support::{Server, eventually};

/// Runs the program to its end with this standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipkin"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_log_that_is_no_terminal_has_no_colours() {
    let server = Server::pipkin(&["--hz", "20"]);
    let log = server.log();
    assert!(log.contains("'hz 20' is accepted and has no effect"), "{log}");
    assert!(!log.contains('\x1b'), "{log:?}");
}

#[test]
fn settings_are_read_from_the_standard_input() {
    let output = run(&["-"], "port 0\nnonsense 1\n");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("line 2: 'nonsense 1': Bad directive"), "{said}");
    assert!(!output.status.success());
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let server = Server::pipkin(&[]);
    let output = run(&["--port", &server.port().to_string()], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("127.0.0.1:{} is taken", server.port())), "{said}");
    assert!(said.contains("choose another port: pipkin --port"), "{said}");
    assert!(!output.status.success());
}

#[test]
fn the_log_goes_to_the_file_that_is_named_and_begins_anew_when_it_is_moved() {
    let server = Server::pipkin(&["--logfile", "pipkin.log", "--hz", "20"]);
    let path = server.directory().join("pipkin.log");
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    assert!(read().contains("'hz 20' is accepted and has no effect"), "{:?}", read());
    assert!(!server.log().contains("has no effect"), "the log is in the file only: {}", server.log());
    std::fs::rename(&path, server.directory().join("pipkin.log.1")).unwrap();
    let mut client = server.connect();
    client.write(b"POST / HTTP/1.1\r\n");
    client.read_to_close();
    eventually("a line in the new file", || read().contains("HTTP").then_some(()));
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_at_the_start() {
    let output = run(&["--port", "0", "--logfile", "/nowhere/at/all.log"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot write the log to /nowhere/at/all.log"), "{said}");
    assert!(!output.status.success());
}

#[test]
fn how_much_is_logged_may_change_at_any_time() {
    let server = Server::pipkin(&["--loglevel", "warning"]);
    let mut client = server.connect();
    let post = |path: &str| {
        let mut client = server.connect();
        client.write(format!("POST {path}\r\n").as_bytes());
        client.read_to_close();
    };
    post("/first");
    eventually("a warning", || server.log().contains("HTTP").then_some(()));
    assert!(!server.log().contains("loglevel"), "{}", server.log());
    assert_eq!(client.line("CONFIG SET loglevel notice").text(), "OK");
    eventually("a notice", || server.log().contains("loglevel is notice").then_some(()));
}

#[test]
fn info_has_the_fields_that_tools_read() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    client.batch(&[vec!["SET", "k", "v"], vec!["GET", "k"], vec!["GET", "none"], vec!["SADD", "s", "a"]]);
    let text = client.line("INFO everything").text();
    let figure = |field: &str| -> f64 {
        let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        found.unwrap_or_else(|| panic!("{field} is missing in\n{text}")).trim().parse().expect("a number")
    };
    assert_eq!(figure("rdb_changes_since_last_save"), 2.0);
    assert!(figure("rdb_last_save_time") > 1.7e9);
    assert_eq!(figure("rdb_bgsave_in_progress"), 0.0);
    assert!(figure("total_reads_processed") >= 2.0 && figure("total_writes_processed") >= 1.0);
    assert!(figure("total_net_input_bytes") > 0.0 && figure("instantaneous_ops_per_sec") >= 0.0);
    assert_eq!((figure("keyspace_hits"), figure("keyspace_misses")), (1.0, 1.0));
    for section in ["Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules"] {
        assert!(text.contains(&format!("# {section}\r\n")), "{section}");
    }
    let latency = client.line("INFO latencystats").text();
    let line = latency.lines().find_map(|line| line.strip_prefix("latency_percentiles_usec_get:")).expect("GET's line");
    let names: Vec<&str> = line.split(',').filter_map(|pair| pair.split('=').next()).collect();
    assert_eq!(names, ["p50", "p99", "p99.9"]);
    assert_eq!(client.line("CONFIG SET latency-tracking no").text(), "OK");
    assert_eq!(client.line("INFO latencystats").text(), "# Latencystats\r\n");
    client.line("CONFIG RESETSTAT");
    let changes = support::info_number(&mut client, "persistence", "rdb_changes_since_last_save");
    assert_eq!(changes, Some(2), "statistics begin anew, changes are no statistics");
}

#[test]
fn a_connection_is_listed_with_what_it_holds() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let mut other = server.connect();
    other.line("CLIENT SETNAME other");
    other.line("WATCH k");
    other.line("MULTI");
    other.line("SET k v");
    other.write(b"*2\r\n$4\r\nECHO\r\n$100\r\nhalf");
    let fields = eventually("the half of a request", || {
        let list = client.line("CLIENT LIST").text();
        let line = list.lines().find(|line| line.contains("name=other")).expect("it is listed").to_string();
        let fields: std::collections::HashMap<String, String> =
            line.split(' ').filter_map(|field| field.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
        (fields["qbuf"] != "0").then_some(fields)
    });
    let number = |name: &str| fields[name].parse::<u64>().expect("a number");
    assert_eq!((&*fields["flags"], &*fields["multi"], number("qbuf")), ("x", "1", 24));
    assert!(number("multi-mem") > 10 && number("qbuf-free") > 0);
    assert!(number("tot-mem") >= number("multi-mem") + number("qbuf") + number("qbuf-free"));
    client.line("SET k changed");
    let list = client.line("CLIENT LIST").text();
    assert!(list.lines().any(|line| line.contains("name=other") && line.contains("flags=xd ")), "{list}");
}

#[test]
fn commands_of_a_transaction_are_timed_and_logged_by_themselves() {
    let server = Server::pipkin(&["--slowlog-log-slower-than", "0"]);
    let mut client = server.connect();
    client.batch(&[vec!["MULTI"], vec!["SET", "k", "v"], vec!["KEYS", "*"], vec!["EXEC"]]);
    let log: Vec<String> =
        client.line("SLOWLOG GET 3").items().iter().map(|entry| entry.items()[3].items()[0].text()).collect();
    assert_eq!(log, ["KEYS", "SET", "MULTI"], "EXEC itself is made of them");
    assert_eq!(client.line("CONFIG SET slowlog-log-slower-than 10000").text(), "OK");
    client.batch(&[vec!["MULTI"], vec!["SET", "k", "v"], vec!["GET", "k"], vec!["EXEC"]]);
    let stats = client.line("INFO commandstats").text();
    for (command, calls) in [("set", 2), ("get", 1), ("keys", 1), ("exec", 2)] {
        assert!(stats.contains(&format!("cmdstat_{command}:calls={calls},")), "{command}: {stats}");
    }
    let latencies = client.line("INFO latencystats").text();
    assert!(latencies.contains("latency_percentiles_usec_get:p50="), "{latencies}");
}

/// Whoever started it may be gone before it: then nobody reads what it says, and it goes on, and ends when it is told to.
#[test]
fn what_nobody_reads_any_more_hinders_nothing() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipkin"));
    command.args(["--port", "0", "--unixsocket", "pipkin.sock"]).stdin(Stdio::null());
    let scratch = support::Scratch::new();
    command.current_dir(scratch.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let socket = scratch.path().join("pipkin.sock");
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut ready).unwrap();
    assert!(ready.contains("is ready"), "{ready}");
    drop(child.stderr.take());
    let mut client = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    // This is logged.
    client.write_all(b"CONFIG SET loglevel debug\r\nPING\r\n").unwrap();
    let mut replies = [0; 12];
    std::io::Read::read_exact(&mut client, &mut replies).unwrap();
    assert_eq!(&replies, b"+OK\r\n+PONG\r\n");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    eventually("the end", || child.try_wait().unwrap().map(|status| assert!(status.success(), "{status}")));
}
