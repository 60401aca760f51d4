//! What a person meets at the start: the log, the settings from the standard input, a port that is taken.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use support::Server;

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
