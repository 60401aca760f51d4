//! What those who watch are shown.

use crate::engine::commands::tests::harness::{Connection, Instance};

/// The lines without their times.
fn shown(monitor: &mut Connection) -> Vec<String> {
    let text = monitor.messages();
    text.split_terminator("\r\n").map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn every_command_is_shown_with_its_arguments_quoted() {
    let instance = Instance::new();
    let (mut monitor, mut client) = (instance.remote(), instance.remote());
    assert_eq!(monitor.ask("MONITOR"), "+OK\r\n");
    client.ask(r#"SET k "a\"b\\\n\x01\xff\r\t\a\b é""#);
    assert_eq!(
        monitor.messages(),
        "+1000.000000 [0 10.0.0.1:2] \"SET\" \"k\" \"a\\\"b\\\\\\n\\x01\\xff\\r\\t\\a\\b \\xc3\\xa9\"\r\n"
    );
    for command in ["GET", "NOSUCH", "CONFIG GET x", "CLIENT LIST", "LPUSH k 1", "SELECT 3", "PING"] {
        client.ask(command);
    }
    let address = "10.0.0.1:2";
    let expected = [r#"[0 A] "LPUSH" "k" "1""#, r#"[3 A] "SELECT" "3""#, r#"[3 A] "PING""#];
    assert_eq!(shown(&mut monitor), expected.map(|line| line.replace('A', address)));
}

#[test]
fn passwords_are_not_shown() {
    let instance = Instance::new();
    let (mut monitor, mut client) = (instance.remote(), instance.remote());
    monitor.ask("MONITOR");
    for command in ["AUTH secret", "AUTH default secret", "HELLO 3 SETNAME x AUTH default secret", "HELLO 2"] {
        client.ask(command);
    }
    client.ask("CONFIG SET requirepass secret");
    let commands = [
        r#""AUTH" "(redacted)""#,
        r#""AUTH" "(redacted)" "(redacted)""#,
        r#""HELLO" "3" "SETNAME" "x" "AUTH" "(redacted)" "(redacted)""#,
        r#""HELLO" "2""#,
    ];
    assert_eq!(shown(&mut monitor), commands.map(|command| format!("[0 10.0.0.1:2] {command}")));
}

#[test]
fn a_transaction_is_shown_as_it_runs() {
    let instance = Instance::new();
    let (mut monitor, mut client) = (instance.remote(), instance.remote());
    monitor.ask("MONITOR");
    for command in ["MULTI", "SET k 1", "GET k"] {
        client.ask(command);
    }
    assert_eq!(shown(&mut monitor), [r#"[0 10.0.0.1:2] "MULTI""#]);
    client.ask("EXEC");
    let lines = [r#""SET" "k" "1""#, r#""GET" "k""#, r#""EXEC""#];
    assert_eq!(shown(&mut monitor), lines.map(|line| format!("[0 10.0.0.1:2] {line}")));
    for command in ["MULTI", "MONITOR"] {
        client.ask(command);
    }
    assert_eq!(client.ask("EXEC"), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
}

#[test]
fn a_script_is_shown_in_front_of_what_it_runs() {
    let instance = Instance::new();
    let (mut monitor, mut client) = (instance.remote(), instance.remote());
    monitor.ask("MONITOR");
    let reply = client.ask("EVAL \"return redis.call('SET', KEYS[1], 'v')\" 1 k");
    assert_eq!(reply, "+OK\r\n");
    let lines =
        [r#"[0 10.0.0.1:2] "EVAL" "return redis.call('SET', KEYS[1], 'v')" "1" "k""#, r#"[0 lua] "SET" "k" "v""#];
    assert_eq!(shown(&mut monitor), lines);
}

#[test]
fn who_resets_or_leaves_is_shown_nothing() {
    let instance = Instance::new();
    let (mut a, mut b, mut client) = (instance.remote(), instance.remote(), instance.remote());
    a.ask("MONITOR");
    b.ask("MONITOR");
    b.ask("MONITOR");
    assert!(client.ask("CLIENT LIST").contains(" flags=O "));
    client.ask("PING");
    assert_eq!((shown(&mut a).len(), shown(&mut b).len()), (1, 1));
    a.ask("RESET");
    client.ask("PING");
    assert!(a.messages().is_empty());
    b.session.end(&instance.engine);
    assert!(!instance.engine.monitors.any());
}
