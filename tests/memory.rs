//! INFO's `used_memory` beside what the allocator says: within 5%, for small and big datasets of every shape, and for
//! what connections hold.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Server, encode, eventually, info_number};

/// How far the two figures may be apart, in hundredths.
const APART_PERCENT: i64 = 5;
/// And in bytes beyond that: what the runtime keeps for connections that were there, and the asking itself.
const APART_BYTES: i64 = 32 << 10;

/// One command of a shape, by its number.
type Command = fn(usize) -> Vec<String>;

fn words(line: String) -> Vec<String> {
    line.split(' ').map(String::from).collect()
}

/// Name, most entries, and the command that adds the entry of a number.
const SHAPES: &[(&str, usize, Command)] = &[
    ("short strings", 60_000, |n| words(format!("SET k:{n:08} value-of-16-bytes"))),
    ("long strings", 300, |n| vec!["SET".into(), format!("k:{n}"), "x".repeat(3000 + 100 * n)]),
    ("sessions", 40_000, |n| words(format!("SET session:{n:012} {} EX 1000000", "s".repeat(64)))),
    ("counters", 60_000, |n| words(format!("INCRBY counter:{n:06} {}", n * 7919))),
    ("small hashes", 20_000, |n| words(format!("HSET h:{n} name n{n} price {n} stock 7 colour red size m"))),
    ("a big hash", 40_000, |n| words(format!("HSET big field:{n:08} value:{n:08}"))),
    ("a big set", 40_000, |n| words(format!("SADD big member:{n:08}"))),
    ("a set of integers", 40_000, |n| words(format!("SADD big {}", n * 31))),
    ("a big sorted set", 40_000, |n| words(format!("ZADD big {} member:{n:08}", n % 1000))),
    ("small sorted sets", 40_000, |n| words(format!("ZADD z:{} {n} member:{n}", n / 20))),
    ("a big list", 40_000, |n| words(format!("RPUSH big element-of-20-bytes-{n:04}"))),
    ("small lists", 40_000, |n| words(format!("LPUSH l:{} element-{n}", n % 4000))),
    ("HyperLogLogs", 20_000, |n| words(format!("PFADD p:{} e{n}", n % 10))),
];

fn number(client: &mut Client, field: &str) -> i64 {
    info_number(client, "memory", field).expect("INFO has the field")
}

/// Compares the two figures; what is freed by another thread may take a moment.
fn check(client: &mut Client, what: &str) {
    let start = std::time::Instant::now();
    loop {
        let figures = (number(client, "used_memory"), number(client, "allocator_allocated"));
        if (figures.0 - figures.1).abs() <= figures.1 * APART_PERCENT / 100 + APART_BYTES {
            return;
        }
        assert!(start.elapsed().as_secs() < 5, "{what}: used_memory {}, allocated {}", figures.0, figures.1);
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

fn run(client: &mut Client, commands: impl Iterator<Item = Vec<String>>) {
    let (mut bytes, mut count) = (Vec::new(), 0);
    for command in commands {
        encode(&command, &mut bytes);
        count += 1;
    }
    let replies = client.pipeline(&bytes, count).expect("replies");
    assert!(replies.iter().all(|reply| !reply.is_error()), "{:?}", replies.iter().find(|reply| reply.is_error()));
}

#[test]
fn used_memory_is_what_the_allocator_says() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    check(&mut client, "an empty instance");
    for (name, most, command) in SHAPES {
        let mut from = 0;
        for share in [100, 10, 3, 1] {
            run(&mut client, (from..most / share).map(command));
            from = most / share;
            check(&mut client, &format!("{from} of {name}"));
        }
        assert_eq!(client.line("FLUSHALL").text(), "OK");
        check(&mut client, &format!("an instance without its {name}"));
    }
}

#[test]
fn connections_and_their_buffers_are_counted() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let before = number(&mut client, "used_memory");
    let mut idle: Vec<Client> = (0..300).map(|_| server.connect()).collect();
    idle.iter_mut().for_each(|client| assert_eq!(client.line("PING").text(), "PONG"));
    check(&mut client, "300 idle connections");
    // Half of a long argument, in the middle of which the client falls silent.
    for client in idle.iter_mut().take(20) {
        client.write(b"*2\r\n$4\r\nECHO\r\n$400000\r\n");
        client.write(&[b'x'; 200_000]);
    }
    eventually("half-read requests", || (clients_bytes(&mut client) > 20 * 200_000).then_some(()));
    check(&mut client, "half-read requests");
    let transaction = idle.last_mut().expect("a client");
    transaction.line("MULTI");
    let many: Vec<Vec<String>> = (0..20_000).map(|n| words(format!("SET key:{n} value"))).collect();
    transaction.batch(&many);
    check(&mut client, "a long transaction");
    drop(idle);
    eventually("an end of all that", || (clients_bytes(&mut client) < 100_000).then_some(()));
    check(&mut client, "an instance that has served many");
    assert!(number(&mut client, "used_memory") < before + (1 << 20));
}

fn clients_bytes(client: &mut Client) -> i64 {
    number(client, "mem_clients_normal")
}

#[test]
fn unread_messages_are_counted() {
    let server = Server::pipkin(&["--client-output-buffer-limit", "pubsub 0 0 0"]);
    let mut client = server.connect();
    let mut subscriber = server.connect();
    subscriber.line("SUBSCRIBE news");
    // A length that the allocator hands out without much rounding.
    let message = "m".repeat(98_000);
    (0..200).for_each(|_| assert_eq!(client.call(&["PUBLISH", "news", &message]).integer(), 1));
    // The kernel holds some of them.
    eventually("unread messages", || (clients_bytes(&mut client) > 100 * 100_000).then_some(()));
    check(&mut client, "unread messages");
    let line = client.line("CLIENT LIST TYPE pubsub").text();
    let field = |name: &str| -> u64 {
        let from = line.split(' ').find_map(|field| field.strip_prefix(name)).expect("the field is there");
        from.parse().expect("a number")
    };
    assert!(field("omem=") + field("obl=") > 100 * 100_000, "{line}");
    assert!(field("tot-mem=") > field("omem="), "{line}");
    (0..200).for_each(|_| drop(subscriber.read()));
    eventually("nothing unread", || (clients_bytes(&mut client) < 100_000).then_some(()));
}

#[test]
fn a_transaction_counts_towards_the_limit() {
    let server = Server::pipkin(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]);
    let mut client = server.connect();
    assert_eq!(client.line("SET k v").text(), "OK");
    let mut other = server.connect();
    other.line("MULTI");
    let value = "x".repeat(100_000);
    (0..100).for_each(|_| drop(other.call(&["SET", "big", &value])));
    assert!(client.line("SET k v").text().starts_with("OOM "), "the queue holds 10 MB");
    let line = client.line("CLIENT LIST").text();
    assert!(line.contains("multi=8") || line.contains("multi=7"), "what is refused is not queued: {line}");
    assert!(!line.contains("multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0"), "{line}");
    assert_eq!(other.line("DISCARD").text(), "OK");
    assert_eq!(client.line("SET k v").text(), "OK");
}

#[test]
fn all_connections_together_hold_no_more_than_allowed() {
    let server = Server::pipkin(&["--maxmemory-clients", "4mb"]);
    let mut client = server.connect();
    let mut spared = server.connect();
    spared.line("CLIENT NO-EVICT ON");
    let half = |client: &mut Client, bytes: usize| {
        client.write(b"*2\r\n$4\r\nECHO\r\n$1200000\r\n");
        client.try_write(&vec![b'x'; bytes]).ok();
    };
    half(&mut spared, 1_000_000);
    let mut greedy: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    greedy.iter_mut().for_each(|client| half(client, 900_000));
    let evicted = eventually("evictions", || {
        let evicted = info_number(&mut client, "stats", "evicted_clients").filter(|evicted| *evicted >= 4)?;
        (clients_bytes(&mut client) < 5 << 20).then_some(evicted)
    });
    assert!((4..=10).contains(&evicted), "{evicted} connections were closed");
    assert_eq!(client.line("PING").text(), "PONG");
    drop(greedy);
    eventually("room again", || (clients_bytes(&mut client) < 3 << 20).then_some(()));
    spared.write(&vec![b'x'; 200_000]);
    spared.write(b"\r\n");
    assert_eq!(spared.read().bytes().len(), 1_200_000, "this one was not to be evicted");
}
