//! Each waiting command, and CLIENT UNBLOCK, WAIT and WAITAOF.

use std::time::Duration;

use super::{Peer, WRONG_TYPE, assert_nothing_left, engine, peers};
use crate::protocol::reply::Protocol;

fn unblock(peer: &mut Peer, other: &Peer, reason: &str) -> String {
    let command = format!("CLIENT UNBLOCK {}{reason}", other.session.client.id);
    peer.call(&command)
}

#[test]
fn sorted_sets_serve_those_who_wait_for_them() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    a.wait("BZPOPMIN y z 0");
    b.wait("BZPOPMAX z 0");
    c.wait("BZMPOP 0 2 y z MAX COUNT 5");
    assert_eq!(d.call("LPUSH y x"), ":1", "another type serves nobody");
    assert_eq!(a.served(), None);
    d.call("DEL y");
    assert_eq!(d.call("ZADD z 1 one 2.5 two 3 three 4 four"), ":4");
    assert_eq!(a.served().as_deref(), Some("*3|$1|z|$3|one|$1|1"));
    assert_eq!(b.served().as_deref(), Some("*3|$1|z|$4|four|$1|4"));
    assert_eq!(c.served().as_deref(), Some("*2|$1|z|*2|*2|$5|three|$1|3|*2|$3|two|$3|2.5"));
    assert_eq!(d.call("EXISTS z"), ":0");
    assert_nothing_left(&engine);
}

#[test]
fn scores_are_doubles_to_those_who_speak_resp3() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.session.protocol = Protocol::Resp3;
    a.wait("BZPOPMIN z 1");
    b.call("ZADD z 1.5 m");
    assert_eq!(a.served().as_deref(), Some("*3|$1|z|$1|m|,1.5"));
    a.wait("BZMPOP 1 1 z MIN");
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(a.served().as_deref(), Some("_"));
}

#[test]
fn many_elements_at_once() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLMPOP 0 2 p q RIGHT COUNT 2");
    b.wait("BRPOPLPUSH q r 0");
    c.call("RPUSH q 1 2 3 4");
    assert_eq!(a.served().as_deref(), Some("*2|$1|q|*2|$1|4|$1|3"));
    assert_eq!(b.served().as_deref(), Some("$1|2"));
    assert_eq!(c.call("BLMPOP 0 2 q r LEFT COUNT 9"), "*2|$1|q|*1|$1|1");
    assert_eq!(c.call("BRPOPLPUSH r q 0"), "$1|2");
    assert_eq!(c.call("BRPOPLPUSH q q 0"), "$1|2");
    assert_nothing_left(&engine);
}

#[test]
fn every_change_of_a_key_is_noticed() {
    let engine = engine();
    let [mut b] = peers(&engine);
    for command in [
        "ZUNIONSTORE z 1 source",
        "ZRANGESTORE z source 0 -1",
        "RENAME source z",
        "ZINCRBY z 1 m",
        "COPY source z",
        "GEOADD z 1 1 m",
    ] {
        b.call("FLUSHALL");
        let mut a = Peer::new(&engine);
        a.wait("BZPOPMIN z 0");
        b.call("ZADD source 1 m");
        if b.call(command).starts_with("-ERR unknown command") {
            continue;
        }
        assert!(a.served().is_some_and(|reply| reply.starts_with("*3|$1|z|$1|m")), "{command}");
    }
    assert_nothing_left(&engine);
}

#[test]
fn the_first_mistake_wins() {
    let [mut a] = peers(&engine());
    let numkeys = "-ERR numkeys should be greater than 0";
    let cases = [
        ("BLMPOP x 0 k LEFT", numkeys),
        ("BLMPOP x 1 k MIDDLE", "-ERR syntax error"),
        ("BLMPOP x 1 k LEFT COUNT 0", "-ERR count should be greater than 0"),
        ("BLMPOP x 1 k LEFT", "-ERR timeout is not a float or out of range"),
        ("BZMPOP -1 1 k MIN", "-ERR timeout is negative"),
        ("BZPOPMIN k x", "-ERR timeout is not a float or out of range"),
        ("BRPOPLPUSH a b -1", "-ERR timeout is negative"),
        ("WAIT x 0", "-ERR value is not an integer or out of range"),
        ("WAIT 1 x", "-ERR timeout is not an integer or out of range"),
        ("WAIT 1 -1", "-ERR timeout is negative"),
        ("WAIT 1 9223372036854775807", "-ERR timeout is out of range"),
        ("WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
        ("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"),
        ("CLIENT UNBLOCK x y", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
    ];
    for (command, error) in cases {
        assert_eq!(a.call(command), error, "{command}");
    }
    a.call("SET s x");
    for command in ["BZPOPMIN none s 0", "BLMPOP 0 2 none s LEFT", "BRPOPLPUSH s r 0"] {
        assert_eq!(a.call(command), WRONG_TYPE, "{command}");
    }
}

#[test]
fn within_a_transaction_nobody_waits() {
    let [mut a] = peers(&engine());
    a.call("MULTI");
    for command in ["BZPOPMIN z 0", "BZMPOP 0 1 z MIN", "BLMPOP 0 1 q LEFT", "BRPOPLPUSH q r 0", "WAIT 1 0"] {
        assert_eq!(a.call(command), "+QUEUED");
    }
    assert_eq!(a.call("EXEC"), "*5|*-1|*-1|*-1|$-1|:0");
}

#[test]
fn somebody_else_may_end_a_wait() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    assert_eq!(unblock(&mut b, &a, ""), ":0", "who does not wait is left alone");
    a.wait("BZPOPMIN z 0");
    assert_eq!(unblock(&mut b, &a, " TIMEOUT"), ":1");
    assert_eq!(unblock(&mut b, &a, ""), ":0", "once is enough");
    assert_eq!(a.served().as_deref(), Some("*-1"));
    a.wait("BLPOP q 5");
    c.wait("WAIT 2 0");
    assert_eq!(unblock(&mut b, &a, " ERROR"), ":1");
    assert_eq!(unblock(&mut b, &c, ""), ":1");
    assert_eq!(a.served().as_deref(), Some("-UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    assert_eq!(c.served().as_deref(), Some(":0"));
    b.call("LPUSH q x");
    assert_eq!(b.call("LLEN q"), ":1");
    assert_nothing_left(&engine);
}

#[test]
fn waiting_for_replicas_ends_with_the_timeout() {
    let engine = engine();
    let [mut a] = peers(&engine);
    assert_eq!((a.call("WAIT 0 0"), a.call("WAIT -1 0")), (":0".into(), ":0".into()));
    a.wait("WAIT 1 50");
    engine.clock.advance(Duration::from_millis(49));
    assert_eq!(a.served(), None);
    engine.clock.advance(Duration::from_millis(1));
    assert_eq!(a.served().as_deref(), Some(":0"));
    assert_eq!(a.call("WAITAOF 0 0 0"), "*2|:0|:0");
    a.wait("WAITAOF 0 1 50");
    engine.clock.advance(Duration::from_millis(50));
    assert_eq!(a.served().as_deref(), Some("*2|:0|:0"));
    assert_nothing_left(&engine);
}

#[test]
fn who_waits_is_seen() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    let shown = |b: &mut Peer| {
        let info = b.call("INFO clients");
        let field = |name: &str| info.split('|').find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        (field("blocked_clients:").unwrap(), field("total_blocking_keys:").unwrap())
    };
    a.wait("BLPOP q r q 0");
    assert_eq!(shown(&mut b), ("1".into(), "2".into()));
    assert!(b.call(&format!("CLIENT LIST ID {}", a.session.client.id)).contains(" flags=b "));
    b.call("LPUSH r x");
    assert_eq!(shown(&mut b), ("0".into(), "0".into()), "served is not waiting, read or not");
    assert!(a.served().is_some());
}

#[test]
fn whatever_was_taken_for_nobody_is_put_back() {
    let engine = engine();
    let [mut b] = peers(&engine);
    let cases = [
        ("BZPOPMIN z 0", "ZADD z 1.5 m 2 n", "ZRANGE z 0 -1 WITHSCORES"),
        ("BZPOPMAX z 0", "ZADD z 1.5 m 2 n", "ZRANGE z 0 -1 WITHSCORES"),
        ("BZMPOP 0 1 z MAX COUNT 3", "ZADD z 1.5 m 2 n -inf o inf p", "ZRANGE z 0 -1 WITHSCORES"),
        ("BLMPOP 0 1 q LEFT COUNT 2", "RPUSH q 1 2 3", "LRANGE q 0 -1"),
        ("BLMPOP 0 1 q RIGHT COUNT 2", "RPUSH q 1 2 3", "LRANGE q 0 -1"),
        ("BRPOP q 0", "RPUSH q 1 2 3", "LRANGE q 0 -1"),
    ];
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        for (wait, write, read) in cases {
            b.call("FLUSHALL");
            b.call(write);
            let expected = b.call(read);
            b.call("FLUSHALL");
            let mut a = Peer::new(&engine);
            a.session.protocol = protocol;
            a.wait(wait);
            b.call(write);
            assert_ne!(b.call(read), expected);
            drop(a);
            assert_eq!(b.call(read), expected, "{wait}");
        }
    }
    assert_nothing_left(&engine);
}
