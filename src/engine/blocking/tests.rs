//! Waiting, in process: a manual clock, no threads but where a test is about them.

mod commands;
mod streams;

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::command::testing::decoded;
use crate::engine::clients::Origin;
use crate::engine::dispatch;
use crate::engine::instance::Engine;
use crate::engine::session::{ReplyMode, Session};
use crate::protocol::error::CommandError;
use crate::protocol::request::OwnedRequest;
use crate::store::effects::{EffectSink, Records};

struct Peer {
    engine: Arc<Engine>,
    session: Session,
}

impl Peer {
    fn new(engine: &Arc<Engine>) -> Peer {
        Peer { engine: engine.clone(), session: engine.connect(Origin::in_process(), None) }
    }

    /// Runs a command of words without spaces; the reply, `|` for the ends of its lines, is empty if it waits.
    fn call(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let request = OwnedRequest::new(&words).unwrap();
        let reply = dispatch::run_request(&self.engine, &mut self.session, request.request(), Vec::new());
        shown(&reply)
    }

    /// Like `call`, for a command that has to wait.
    fn wait(&mut self, command: &str) {
        assert_eq!(self.call(command), "", "{command} did not wait");
        assert!(self.session.blocked.is_some());
        assert_eq!(self.served(), None, "{command} was served at once");
    }

    /// The reply of the command that waits, if it came.
    fn served(&mut self) -> Option<String> {
        match self.session.poll_blocked(&self.engine, Waker::noop()) {
            Poll::Ready(served) => Some(shown(&served.reply)),
            Poll::Pending => None,
        }
    }

    /// Runs a command and waits for its reply on this thread.
    fn call_and_park(&mut self, command: &str) -> String {
        struct Unpark(std::thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let reply = self.call(command);
        if self.session.blocked.is_none() {
            return reply;
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        loop {
            match self.session.poll_blocked(&self.engine, &waker) {
                Poll::Ready(served) => return shown(&served.reply),
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.session.end(&self.engine);
    }
}

fn shown(reply: &[u8]) -> String {
    String::from_utf8_lossy(reply).trim_end().replace("\r\n", "|")
}

fn engine() -> Arc<Engine> {
    Engine::new(Config::new(), Clock::manual(1_000_000)).unwrap()
}

fn peers<const N: usize>(engine: &Arc<Engine>) -> [Peer; N] {
    std::array::from_fn(|_| Peer::new(engine))
}

/// That nobody waits anywhere any more.
fn assert_nothing_left(engine: &Engine) {
    let mut keys = engine.keys();
    keys.enter_exclusively(0);
    keys.each_shard(|shard| assert!(!shard.has_waiters()));
    keys.leave();
    assert_eq!(engine.timers.next(), None);
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn does_not_wait_for_what_is_there() {
    let [mut a] = peers(&engine());
    a.call("RPUSH q 1 2 3");
    a.call("RPUSH r 4");
    assert_eq!(a.call("BLPOP none q r 0"), "*2|$1|q|$1|1");
    assert_eq!(a.call("BRPOP r q 0"), "*2|$1|r|$1|4");
    assert_eq!(a.call("BLMOVE q r RIGHT LEFT 0"), "$1|3");
    assert_eq!(a.call("LRANGE r 0 -1"), "*1|$1|3");
    a.call("SET s x");
    assert_eq!(a.call("BLPOP none s q 0"), WRONG_TYPE);
    assert_eq!(a.call("BLPOP q s 0"), "*2|$1|q|$1|2");
    assert_eq!(a.call("LPUSHX q x"), ":0", "an empty list is no key");
    assert_eq!(a.call("BLMOVE r s LEFT LEFT 0"), WRONG_TYPE);
    assert_eq!(a.call("LLEN r"), ":1");
}

#[test]
fn timeouts_are_read_as_redis_reads_them() {
    let [mut a] = peers(&engine());
    let not_float = "-ERR timeout is not a float or out of range";
    let (negative, too_long) = ("-ERR timeout is negative", "-ERR timeout is out of range");
    let cases = [
        ("x", not_float),
        ("nan", not_float),
        ("1 ", not_float),
        ("1e5000", not_float),
        ("1e4000", too_long),
        ("-1", negative),
        ("-inf", negative),
        ("inf", too_long),
        ("9223372036854775807", too_long),
        ("9223372036854775.8", too_long),
        // So many milliseconds fit, but not after today.
        ("9223372036854774.8", too_long),
    ];
    for (timeout, error) in cases {
        let request = OwnedRequest::new(&["BLPOP", "q", timeout]).unwrap();
        let reply = dispatch::run_request(&a.engine.clone(), &mut a.session, request.request(), Vec::new());
        assert_eq!(shown(&reply), error, "{timeout}");
    }
    // A small negative number is rounded up to 0, which is for ever.
    a.wait("BLPOP q -0.0001");
    a.engine.clock.advance(Duration::from_secs(1 << 32));
    assert_eq!(a.served(), None);
}

#[test]
fn is_served_by_a_push_in_order_of_arrival() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    a.wait("BLPOP q 0");
    b.wait("BRPOP other q 0");
    c.wait("BLPOP q 0");
    assert_eq!(d.call("RPUSH q 1 2 3 4"), ":4");
    assert_eq!(a.served().as_deref(), Some("*2|$1|q|$1|1"));
    assert_eq!(b.served().as_deref(), Some("*2|$1|q|$1|4"));
    assert_eq!(c.served().as_deref(), Some("*2|$1|q|$1|2"));
    assert_eq!(d.call("LRANGE q 0 -1"), "*1|$1|3");
    assert!(a.session.blocked.is_none());
    assert_nothing_left(&engine);
}

#[test]
fn a_push_of_one_element_serves_one() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLPOP q r 0");
    b.wait("BLPOP r q 0");
    c.call("LPUSH r x");
    assert_eq!(a.served().as_deref(), Some("*2|$1|r|$1|x"));
    assert_eq!(b.served(), None);
    // The one that was served is in no queue any more.
    c.call("LPUSH q y");
    assert_eq!(b.served().as_deref(), Some("*2|$1|q|$1|y"));
    assert_eq!((c.call("LLEN q"), c.call("LLEN r")), (":0".into(), ":0".into()));
    assert_nothing_left(&engine);
}

#[test]
fn times_out_at_its_moment() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLPOP q q 0.05");
    b.wait("BLMOVE q r LEFT LEFT 0.1");
    engine.clock.advance(Duration::from_millis(49));
    assert_eq!((a.served(), b.served()), (None, None));
    engine.clock.advance(Duration::from_millis(1));
    assert_eq!(a.served().as_deref(), Some("*-1"));
    assert_eq!(b.served(), None);
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(b.served().as_deref(), Some("*-1"));
    assert_eq!(c.call("LPUSH q x"), ":1");
    assert_eq!(c.call("LLEN q"), ":1");
    assert_nothing_left(&engine);
}

#[test]
fn a_served_wait_has_no_timeout_left() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.wait("BLPOP q 10");
    b.call("LPUSH q x");
    assert_eq!(engine.timers.next(), None, "the deadline goes with the wait");
    engine.clock.advance(Duration::from_secs(20));
    assert_eq!(a.served().as_deref(), Some("*2|$1|q|$1|x"));
}

#[test]
fn another_type_serves_nobody() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.wait("BLPOP q 0");
    b.call("SET q x");
    assert_eq!(a.served(), None);
    assert_eq!(b.call("LPUSH q y"), WRONG_TYPE);
    b.call("SET q y");
    assert_eq!(a.served(), None);
}

#[test]
fn is_run_again_as_a_whole() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.wait("BLPOP q r 0");
    b.call("SET q x");
    b.call("LPUSH r y");
    assert_eq!(a.served().as_deref(), Some(WRONG_TYPE));
    assert_eq!(b.call("LLEN r"), ":1");
    assert_nothing_left(&engine);
}

#[test]
fn moves_from_one_wait_to_the_next() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    c.wait("BLPOP three 0");
    b.wait("BLMOVE two three LEFT RIGHT 0");
    a.wait("BLMOVE one two LEFT RIGHT 0");
    assert_eq!(d.call("LPUSH one x"), ":1");
    assert_eq!(a.served().as_deref(), Some("$1|x"));
    assert_eq!(b.served().as_deref(), Some("$1|x"));
    assert_eq!(c.served().as_deref(), Some("*2|$5|three|$1|x"));
    assert_nothing_left(&engine);
}

#[test]
fn a_circle_of_moves_ends() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    a.wait("BLMOVE one two LEFT RIGHT 0");
    b.wait("BLMOVE two one LEFT RIGHT 0");
    c.wait("BLMOVE own own RIGHT LEFT 0");
    d.call("LPUSH one x");
    d.call("LPUSH own 1 2");
    assert_eq!(a.served().as_deref(), Some("$1|x"));
    assert_eq!(b.served().as_deref(), Some("$1|x"));
    assert_eq!(c.served().as_deref(), Some("$1|1"));
    assert_eq!(d.call("LRANGE one 0 -1"), "*1|$1|x");
    assert_eq!(d.call("LRANGE own 0 -1"), "*2|$1|1|$1|2");
    assert_nothing_left(&engine);
}

#[test]
fn a_destination_of_another_type_is_told_to_who_waited() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLMOVE q s LEFT RIGHT 0");
    b.wait("BLPOP q 0");
    c.call("SET s x");
    assert_eq!(c.call("LPUSH q y"), ":1");
    assert_eq!(a.served().as_deref(), Some(WRONG_TYPE));
    assert_eq!(b.served().as_deref(), Some("*2|$1|q|$1|y"));
    assert_eq!(c.call("GET s"), "$1|x");
}

#[test]
fn waits_in_its_own_database() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.session.database = 3;
    a.wait("BLPOP q 0");
    b.call("LPUSH q x");
    assert_eq!(a.served(), None);
    b.session.database = 3;
    assert_eq!(b.call("LPUSH q y"), ":1");
    assert_eq!(a.served().as_deref(), Some("*2|$1|q|$1|y"));
    assert_eq!(b.call("LLEN q"), ":0");
}

#[test]
fn a_transaction_serves_when_it_is_over() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    a.wait("BLPOP first second 0");
    b.wait("BLMOVE second third LEFT RIGHT 0");
    c.wait("BLPOP gone 0");
    d.call("MULTI");
    for command in ["LPUSH second 1", "LPUSH first 2", "LPUSH gone 3", "DEL gone", "LLEN second"] {
        assert_eq!(d.call(command), "+QUEUED");
    }
    assert_eq!(a.served(), None);
    assert_eq!(d.call("EXEC"), "*5|:1|:1|:1|:1|:1");
    assert_eq!(a.served().as_deref(), Some("*2|$5|first|$1|2"), "its own order of keys counts");
    assert_eq!(b.served().as_deref(), Some("$1|1"));
    assert_eq!(c.served(), None);
    assert_eq!(d.call("LRANGE third 0 -1"), "*1|$1|1");
}

#[test]
fn a_transaction_does_not_wait() {
    let [mut a] = peers(&engine());
    a.call("MULTI");
    for command in ["BLPOP q 0", "BLMOVE q r LEFT LEFT 0", "RPUSH q 1 2", "BRPOP r q 0", "BLMOVE q r LEFT LEFT 0"] {
        assert_eq!(a.call(command), "+QUEUED");
    }
    assert_eq!(a.call("EXEC"), "*5|*-1|$-1|:2|*2|$1|q|$1|2|$1|1");
    assert!(a.session.blocked.is_none());
}

#[test]
fn whatever_makes_a_list_serves() {
    let engine = engine();
    let [mut b] = peers(&engine);
    let cases = [
        ("0", "RENAME source q"),
        ("0", "RENAMENX source q"),
        ("0", "COPY source q"),
        ("0", "LMOVE source q LEFT LEFT"),
        ("0", "RPOPLPUSH source q"),
        ("1", "SWAPDB 0 1"),
        ("1", "COPY q q DB 0"),
        ("1", "MOVE q 0"),
    ];
    for (database, command) in cases {
        b.call("FLUSHALL");
        let mut a = Peer::new(&engine);
        a.wait("BLPOP q 0");
        b.call(&format!("SELECT {database}"));
        b.call("RPUSH source x");
        if database == "1" {
            b.call("RPUSH q x");
        }
        b.call(command);
        assert_eq!(a.served().as_deref(), Some("*2|$1|q|$1|x"), "{command}");
    }
    assert_nothing_left(&engine);
}

#[test]
fn who_is_gone_takes_nothing() {
    let engine = engine();
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLPOP q 5");
    b.wait("BRPOP q 0");
    drop(a);
    c.call("RPUSH q 1 2");
    assert_eq!(b.served().as_deref(), Some("*2|$1|q|$1|2"));
    assert_eq!(c.call("LRANGE q 0 -1"), "*1|$1|1");
    assert_nothing_left(&engine);
}

#[test]
fn who_is_gone_before_reading_gives_back() {
    let engine = engine();
    let [mut a, mut b, mut c, mut d] = peers(&engine);
    a.wait("BLPOP q 0");
    b.wait("BRPOP q 0");
    c.call("RPUSH q 1 2 3");
    drop(a);
    assert_eq!(c.call("LRANGE q 0 -1"), "*2|$1|1|$1|2");
    d.wait("BLPOP r 0");
    drop(b);
    assert_eq!(c.call("LRANGE q 0 -1"), "*3|$1|1|$1|2|$1|3");
    // Giving back serves those who wait by now.
    c.call("RPUSH r x");
    let mut e = Peer::new(&engine);
    e.wait("BLPOP r 0");
    drop(d);
    assert_eq!(e.served().as_deref(), Some("*2|$1|r|$1|x"));
    assert_nothing_left(&engine);
}

#[test]
fn only_one_ends_a_wait() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.wait("BLPOP q 1");
    let waiter = a.session.blocked.clone().unwrap();
    assert!(waiter.fail(&engine, &CommandError::Unblocked));
    assert!(!waiter.time_out(&engine));
    b.call("LPUSH q x");
    assert_eq!(b.call("LLEN q"), ":1");
    assert_eq!(a.served().as_deref(), Some("-UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    assert_nothing_left(&engine);
}

#[test]
fn a_silenced_client_gets_no_reply() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.session.reply_mode = ReplyMode::Skip;
    a.wait("BLPOP q 0");
    b.call("LPUSH q x");
    assert_eq!(a.served().as_deref(), Some(""));
    assert_eq!(b.call("LLEN q"), ":0");
    assert_eq!(a.call("LLEN q"), ":0", "only that reply was not wanted");
}

#[test]
fn the_log_hears_of_the_push_first() {
    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);
    impl EffectSink for Log {
        fn append(&self, records: &Records) -> u64 {
            let mut log = self.0.lock();
            for (database, record) in records.iter() {
                let (_, words) = decoded((database, record));
                log.push(format!("{database} {}", shown(&words.join(&b' '))));
            }
            log.len() as u64
        }
    }
    let engine = Engine::new(Config::new(), Clock::system()).unwrap();
    let log = Arc::new(Log::default());
    let mut keys = engine.keys();
    keys.enter_exclusively(0);
    keys.set_log(Some(log.clone()));
    drop(keys);
    let [mut a, mut b, mut c] = peers(&engine);
    a.wait("BLMOVE q r LEFT RIGHT 0");
    b.wait("BRPOP r 0");
    c.call("LPUSH q x");
    c.call("LPUSH q y z");
    c.call("BLPOP q 0");
    c.call("LMPOP 2 none q RIGHT COUNT 7");
    let expected = ["LPUSH q x", "LMOVE q r LEFT RIGHT", "RPOP r", "LPUSH q y z", "LPOP q", "RPOP q 1"];
    assert_eq!(*log.0.lock(), expected.map(|line| format!("0 {line}")));
}

#[test]
fn whole_databases_become_ready() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    a.wait("BLPOP q 0");
    let mut keys = engine.keys();
    keys.enter_exclusively(0);
    keys.ready_database(0);
    keys.ready_database(1);
    assert_eq!(keys.effects.ready.to_vec(), [(0, b"q".to_vec())]);
    keys.leave();
    b.call("LPUSH q x");
    assert!(a.served().is_some());
}

/// Elements run through a chain of moves between threads that all wait for each other; none is lost or seen twice, and
/// nobody waits for ever.
#[test]
fn threads_lose_nothing() {
    const EACH: usize = 300;
    const CHAIN: [&str; 4] = ["in", "middle", "last", "out"];
    let engine = engine();
    let mut seen: Vec<String> = std::thread::scope(|scope| {
        let consumers: Vec<_> = (0..3)
            .map(|_| {
                let mut peer = Peer::new(&engine);
                scope.spawn(move || {
                    let mut seen = Vec::new();
                    loop {
                        let reply = peer.call_and_park("BLPOP out direct 0");
                        let value = reply.rsplit('|').next().unwrap_or_default().to_owned();
                        if value == "stop" {
                            return seen;
                        }
                        seen.push(value);
                    }
                })
            })
            .collect();
        let movers: Vec<_> = CHAIN
            .windows(2)
            .map(|ends| {
                let mut peer = Peer::new(&engine);
                scope.spawn(move || {
                    for _ in 0..2 * EACH {
                        let reply = peer.call_and_park(&format!("BLMOVE {} {} LEFT RIGHT 0", ends[0], ends[1]));
                        assert!(reply.starts_with('$'), "{reply}");
                    }
                })
            })
            .collect();
        let producers = [0, 1].map(|producer| {
            let mut peer = Peer::new(&engine);
            scope.spawn(move || {
                for n in 0..EACH {
                    let (moved, direct) = (producer * EACH + n, (2 + producer) * EACH + n);
                    peer.call(&format!("LPUSH in {moved}"));
                    peer.call(&format!("RPUSH direct {direct}"));
                }
            })
        });
        for thread in producers {
            thread.join().unwrap();
        }
        movers.into_iter().for_each(|thread| thread.join().unwrap());
        let mut peer = Peer::new(&engine);
        peer.call("RPUSH direct stop stop stop");
        consumers.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seen.sort_unstable_by_key(|value| value.parse::<usize>().unwrap());
    let expected: Vec<String> = (0..4 * EACH).map(|n| n.to_string()).collect();
    assert_eq!(seen, expected);
    assert_nothing_left(&engine);
}

#[test]
fn what_has_expired_meanwhile_serves_nobody() {
    let engine = engine();
    let [mut a, mut b] = peers(&engine);
    engine.active_expiry.store(false, std::sync::atomic::Ordering::Relaxed);
    b.call("RPUSH other x");
    b.call("PEXPIRE other 100");
    a.wait("BLPOP q 0");
    // As a transaction does that brings what is waited for, and then takes longer than that lives.
    let began_ms = engine.clock.now_ms();
    engine.clock.advance(Duration::from_millis(200));
    let mut context = engine.context(crate::protocol::reply::Reply::default());
    context.keys.enter_exclusively(began_ms);
    let record = context.keys.take(b"other").unwrap();
    context.keys.insert_record(record.renamed(b"q"));
    context.keys.changed(crate::store::effects::EventClass::Generic, "rename_to", b"q");
    let served = super::serve_ready(&mut context, &engine);
    context.keys.commit();
    context.keys.leave();
    assert!(served.is_empty());
    assert_eq!(a.served(), None);
    assert_eq!(b.call("EXISTS q"), ":0");
    b.call("RPUSH q y");
    assert_eq!(a.served().unwrap(), "*2|$1|q|$1|y");
}

/// The line of a command in INFO commandstats, without times.
fn stats_of(peer: &mut Peer, command: &str) -> String {
    let info = peer.call("INFO commandstats");
    let line = info.split('|').find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let counts = line
        .unwrap_or_default()
        .split([':', ','])
        .filter(|field| ["calls=", "failed_calls=", "rejected_calls="].iter().any(|name| field.starts_with(name)));
    counts.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_command_that_waits_counts_once_when_its_wait_has_ended() {
    let mut config = Config::new();
    config.load_arguments(&["--slowlog-log-slower-than", "0"]).unwrap();
    let engine = Engine::new(config, Clock::manual(1_000_000)).unwrap();
    let [mut a, mut b] = peers(&engine);
    let slow = |peer: &mut Peer, count: usize| -> Vec<String> {
        let entries = engine.slowlog.newest(count);
        assert_eq!(peer.call("SLOWLOG RESET"), "+OK");
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.arguments.join(&b' ')).into_owned()).collect()
    };
    b.call("SLOWLOG RESET");
    a.call("CLIENT SETNAME ann");
    a.wait("BLPOP q 0");
    assert_eq!(slow(&mut b, 9), ["CLIENT SETNAME ann", "SLOWLOG RESET"]);
    assert_eq!(stats_of(&mut b, "blpop"), "");
    b.call("RPUSH q x");
    assert_eq!(stats_of(&mut b, "blpop"), "calls=1 rejected_calls=0 failed_calls=0");
    assert_eq!(engine.slowlog.newest(2)[1].name, "ann");
    assert_eq!(slow(&mut b, 3), ["INFO commandstats", "BLPOP q 0", "RPUSH q x"]);
    assert_eq!(a.served().unwrap(), "*2|$1|q|$1|x");
    assert_eq!(stats_of(&mut b, "blpop"), "calls=1 rejected_calls=0 failed_calls=0");

    a.wait("BLPOP q 1");
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(stats_of(&mut b, "blpop"), "calls=2 rejected_calls=0 failed_calls=0");
    assert_eq!(slow(&mut b, 2), ["INFO commandstats", "BLPOP q 1"]);
    assert_eq!(a.served().unwrap(), "*-1");

    a.wait("BLPOP q 0");
    b.call(&format!("CLIENT UNBLOCK {} ERROR", a.session.client.id));
    assert_eq!(stats_of(&mut b, "blpop"), "calls=3 rejected_calls=0 failed_calls=1");
    assert!(a.served().unwrap().starts_with("-UNBLOCKED"));

    b.call("XGROUP CREATE x g $ MKSTREAM");
    a.wait("XREADGROUP GROUP g c BLOCK 0 STREAMS x >");
    b.call("XGROUP DESTROY x g");
    assert_eq!(stats_of(&mut b, "xreadgroup"), "calls=1 rejected_calls=0 failed_calls=1");
    assert!(a.served().unwrap().starts_with("-NOGROUP"));

    a.wait("BLPOP q 0");
    drop(a);
    assert_eq!(stats_of(&mut b, "blpop"), "calls=3 rejected_calls=0 failed_calls=1");
}
