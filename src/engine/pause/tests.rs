//! Pauses, with a manual clock. Connections are run as their bytes come in.

use std::task::{Poll, Waker};
use std::time::Duration;

use crate::engine::commands::tests::harness::{Connection, Instance};
use crate::engine::dispatch;
use crate::protocol::request::Parser;

/// A connection with what it has received and not run yet.
struct Peer<'a> {
    instance: &'a Instance,
    connection: Connection,
    parser: Parser,
    input: Vec<u8>,
}

impl<'a> Peer<'a> {
    fn new(instance: &'a Instance) -> Peer<'a> {
        Peer { instance, connection: instance.remote(), parser: Parser::new(true), input: Vec::new() }
    }

    /// Receives lines, divided by `;`; what it replies by now.
    fn send(&mut self, lines: &str) -> String {
        lines.split("; ").for_each(|line| self.input.extend_from_slice(format!("{line}\r\n").as_bytes()));
        self.go_on()
    }

    /// What it replies by now.
    fn go_on(&mut self) -> String {
        let mut out = Vec::new();
        loop {
            let engine = &self.instance.engine;
            if self.connection.session.blocked.is_some() {
                match self.connection.session.poll_blocked(engine, Waker::noop()) {
                    Poll::Ready(served) => out.extend_from_slice(&served.reply),
                    Poll::Pending => break,
                }
            }
            if self.input.is_empty() {
                break;
            }
            let ran = dispatch::run(engine, &mut self.connection.session, &mut self.parser, &self.input, out);
            out = ran.out;
            self.input.drain(..ran.consumed);
        }
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }
}

#[test]
fn writes_wait_and_reads_go_on() {
    let instance = Instance::new();
    let (mut admin, mut client) = (Peer::new(&instance), Peer::new(&instance));
    assert_eq!(admin.send("CLIENT PAUSE 100 WRITE"), "+OK ");
    assert_eq!(client.send("GET k; PING; SET k v; GET k"), "$-1 +PONG ");
    assert!(admin.send("CLIENT LIST").contains(" flags=b "));
    assert_eq!(admin.send(&format!("CLIENT UNBLOCK {}", client.connection.session.client.id)), ":0 ");
    assert_eq!(admin.send("INFO clients").matches("blocked_clients:1").count(), 1);
    instance.engine.clock.advance(Duration::from_millis(99));
    assert_eq!(client.go_on(), "");
    assert_eq!(client.send("INCR n"), "");
    instance.engine.clock.advance(Duration::from_millis(1));
    assert_eq!(client.go_on(), "+OK $1 v :1 ");
    assert_eq!(instance.engine.timers.next(), None);
}

#[test]
fn a_pause_is_ended_prolonged_and_widened() {
    let instance = Instance::new();
    let (mut admin, mut client, mut other) = (Peer::new(&instance), Peer::new(&instance), Peer::new(&instance));
    admin.send("CLIENT PAUSE 100 WRITE");
    assert_eq!(client.send("SET k 1"), "");
    admin.send("CLIENT PAUSE 1000 WRITE");
    instance.engine.clock.advance(Duration::from_millis(500));
    assert_eq!(client.go_on(), "");
    assert_eq!(admin.send("CLIENT UNPAUSE"), "+OK ");
    assert_eq!(client.go_on(), "+OK ");
    let mut local = instance.local();
    local.ask("CLIENT PAUSE 100");
    assert_eq!(admin.send("CLIENT UNPAUSE"), "", "not even that");
    assert_eq!(
        other.send("NOSUCH; GET"),
        "-ERR unknown command 'NOSUCH', with args beginning with:  \
               -ERR wrong number of arguments for 'get' command ",
        "what is refused is refused at once"
    );
    local.ask("CLIENT PAUSE 200 WRITE");
    assert_eq!(other.send("PING"), "", "still everything");
    instance.engine.clock.advance(Duration::from_millis(200));
    assert_eq!((admin.go_on(), other.go_on()), ("+OK ".into(), "+PONG ".into()));
    local.ask("CLIENT PAUSE 100 WRITE");
    assert_eq!(other.send("PING"), "+PONG ");
    local.ask("CLIENT PAUSE 10 WRITE");
    instance.engine.clock.advance(Duration::from_millis(50));
    assert_eq!(other.send("SET k 2"), "", "the longer pause holds");
    assert_eq!(admin.send("CLIENT UNPAUSE"), "+OK ");
    assert_eq!(other.go_on(), "+OK ");
}

#[test]
fn transactions_and_what_is_replicated_wait_as_writes_do() {
    let instance = Instance::new();
    let mut clients: Vec<Peer> = (0..4).map(|_| Peer::new(&instance)).collect();
    clients[0].send("MULTI; SET k 1; GET k");
    clients[1].send("MULTI; GET k");
    instance.local().ask("CLIENT PAUSE 100 WRITE");
    assert_eq!(clients[0].send("EXEC"), "");
    assert_eq!(clients[1].send("EXEC"), "*1 $-1 ");
    assert_eq!(clients[2].send("PUBLISH c m"), "");
    assert_eq!(clients[3].send("PFCOUNT p"), "");
    instance.engine.clock.advance(Duration::from_millis(100));
    let replies: Vec<String> = clients.iter_mut().map(Peer::go_on).collect();
    assert_eq!(replies, ["*2 +OK $1 1 ", "", ":0 ", ":0 "]);
}

#[test]
fn nothing_expires_and_nothing_is_evicted_meanwhile() {
    let instance = Instance::with(&[("maxmemory-policy", "allkeys-lru"), ("notify-keyspace-events", "Exe")]);
    let mut client = Peer::new(&instance);
    let mut subscriber = instance.local();
    subscriber.ask("PSUBSCRIBE *");
    client.send("SET k v PX 10; SET stays 1");
    instance.local().ask("CLIENT PAUSE 1000 WRITE");
    client.send("CONFIG SET maxmemory 1");
    instance.engine.clock.advance(Duration::from_millis(500));
    assert_eq!(client.send("GET k; EXISTS k stays; DBSIZE; GET stays"), "$-1 :1 :2 $1 1 ");
    assert_eq!(subscriber.messages(), "");
    client.send("CONFIG SET maxmemory 0");
    instance.engine.clock.advance(Duration::from_secs(2));
    assert_eq!(client.send("DBSIZE; SET k w; GET k"), ":1 +OK $1 w ");
    assert!(subscriber.messages().contains("__keyevent@0__:expired"));
}

#[test]
fn who_is_gone_waits_no_more() {
    let instance = Instance::new();
    let mut client = Peer::new(&instance);
    instance.local().ask("CLIENT PAUSE 100 ALL");
    assert_eq!(client.send("SET k v"), "");
    client.connection.session.end(&instance.engine);
    assert_eq!(instance.engine.timers.next(), None);
    instance.engine.clock.advance(Duration::from_millis(100));
    assert_eq!(instance.local().ask("EXISTS k"), ":0\r\n");
}
