//! What the differential test cannot see of the string commands: those that came after its Redis, and effects.

use crate::command::testing::{Bench, NOW_MS};

/// Runs lines, each with the reply that is expected, written on one line; `=>` stands between.
fn play(script: &str) -> Bench {
    let bench = Bench::new(1);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, expected) = line.split_once(" => ").unwrap();
        let reply = bench.text(command).trim_end().replace("\r\n", " ");
        assert_eq!(reply, expected.trim(), "{command}");
    }
    bench
}

#[test]
fn a_value_is_compared_before_it_is_overwritten() {
    play(
        "SET k v => +OK
        SET k w IFEQ x => $-1
        SET k w IFEQ x GET => $1 v
        SET k w IFEQ v GET => $1 v
        GET k => $1 w
        SET none v IFEQ v => $-1
        SET none v IFEQ v GET => $-1
        EXISTS none => :0
        SET none v IFNE v => +OK
        SET none v IFNE v => $-1
        SET none x IFNE y => +OK
        SET n 12 => +OK
        SET n 13 IFEQ 12 => +OK
        SET k v IFEQ w NX => -ERR syntax error
        SET k v XX IFEQ w => -ERR syntax error
        SET k v IFEQ w IFEQ w => -ERR syntax error
        SET k v IFEQ w IFNE w => -ERR syntax error
        SET k v IFEQ => -ERR syntax error
        RPUSH l a => :1
        SET l v IFEQ a => -WRONGTYPE Operation against a key holding the wrong kind of value
        SET l v IFNE a => -WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn digests_stand_for_values() {
    play(
        "SET k Hello => +OK
        DIGEST none => $-1
        DIGEST k => $16 38e23bf5a2a77616
        SET k w IFDEQ 38e23bf5a2a77615 => $-1
        SET k w IFDNE 38e23bf5a2a77616 => $-1
        SET k Hello IFDEQ 38E23BF5A2A77616 => +OK
        SET none x IFDEQ 38e23bf5a2a77616 => $-1
        SET none x IFDNE 38e23bf5a2a77616 => +OK
        SET k w IFDEQ 38e23bf5a2a776 => -ERR must be exactly 16 hexadecimal characters
        SET k w IFDEQ 38e23bf5a2a7761g => -ERR must be exactly 16 hexadecimal characters
        DELEX k IFDNE 38e23bf5a2a77616 => :0
        DELEX k IFDEQ 38e23bf5a2a77616 => :1
        RPUSH l a => :1
        DIGEST l => -WRONGTYPE Operation against a key holding the wrong kind of value",
    );
    let bench = Bench::new(1);
    bench.run(&["SET", "empty", ""]);
    assert_eq!(bench.text("DIGEST empty"), "$16\r\n2d06800538d394c2\r\n", "as its specification says");
}

#[test]
fn a_value_is_compared_before_it_is_deleted() {
    play(
        "SET k v => +OK
        DELIFEQ k x => :0
        DELIFEQ k v => :1
        DELIFEQ k v => :0
        RPUSH l a => :1
        DELIFEQ l a => -WRONGTYPE Operation against a key holding the wrong kind of value
        DELEX l IFEQ a => -ERR Key should be of string type if conditions are specified
        DELEX l IFXX a => -ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE
        DELEX l IFEQ => -ERR wrong number of arguments for 'delex' command
        DELEX l => :1
        DELEX l => :0
        DELEX none IFNE v => :0
        SET k 5 => +OK
        DELEX k IFEQ 6 => :0
        DELEX k IFNE 5 => :0
        DELEX k IFNE 6 => :1",
    );
}

#[test]
fn several_strings_are_written_with_one_expiry() {
    let bench = play(
        "MSETEX 2 a 1 b 2 => :1
        MSETEX 2 a 1 c 2 NX => :0
        MSETEX 2 a 1 c 2 XX => :0
        MSETEX 2 a 3 b 4 XX EX 100 => :1
        TTL a => :100
        MSETEX 1 a 5 KEEPTTL => :1
        TTL a => :100
        MSETEX 1 a 6 => :1
        TTL a => :-1
        TTL b => :100
        MGET a b => *2 $1 6 $1 4
        MSETEX 0 a 1 => -ERR invalid numkeys value or out of range
        MSETEX x a 1 => -ERR invalid numkeys value or out of range
        MSETEX 2 a 1 => -ERR syntax error
        MSETEX 2 a 1 b => -ERR syntax error
        MSETEX 1 a 1 b 2 => -ERR syntax error
        MSETEX 1 a 1 NX XX => -ERR syntax error
        MSETEX 1 a 1 KEEPTTL EX 1 => -ERR syntax error
        MSETEX 1 a 1 EX 0 => -ERR invalid expire time in 'msetex' command
        MSETEX 1 a 1 EX x => -ERR value is not an integer or out of range
        MSETEX 2 z 1 z 2 NX => :1
        GET z => $1 2",
    );
    bench.text("RPUSH l x");
    assert_eq!(bench.text("MSETEX 1 l x XX"), ":1\r\n");
    assert_eq!(bench.text("TYPE l"), "+string\r\n");
}

#[test]
fn what_stock_redis_does_not_know_is_logged_as_what_it_does() {
    let bench = Bench::new(1);
    let logged = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (_, logged) = bench.run(&words);
        let texts = logged.iter().map(|(_, words)| String::from_utf8_lossy(&words.join(&b' ')).into_owned());
        texts.collect::<Vec<_>>().join("; ")
    };
    let at = NOW_MS + 10_000;
    assert_eq!(logged("SET k v IFNE x"), "SET k v");
    assert_eq!(logged("SET k w IFEQ x"), "");
    assert_eq!(logged("SET k w IFEQ v EX 10"), format!("SET k w PXAT {at}"));
    assert_eq!(logged("SET k x IFEQ w KEEPTTL"), "SET k x KEEPTTL");
    assert_eq!(logged("MSETEX 2 a 1 b 2 PX 10000"), format!("SET a 1 PXAT {at}; SET b 2 PXAT {at}"));
    assert_eq!(logged("MSETEX 1 a 3 KEEPTTL"), "SET a 3 KEEPTTL");
    assert_eq!(logged("MSETEX 1 a 3 NX"), "");
    assert_eq!(logged("DELIFEQ k x"), "DEL k");
    assert_eq!(logged("DELEX a IFNE x"), "DEL a");
    assert_eq!(logged("DELEX a"), "");
}
