//! Many clients at once: nothing is seen half done, nothing is lost, and what is ordered stays ordered.
//!
//! Every test counts what it saw, so that it fails when the race that it is about did not take place at all.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use support::{Client, Random, Reply, Server, eventually, info_number};

/// Threads that change what others look at.
const WRITERS: usize = 4;
/// Rounds of each writer.
const ROUNDS: usize = 400;

/// A server whose connections run on several threads, however few cores there are.
fn server() -> Server {
    Server::pipkin(&["--io-threads", "4"])
}

#[test]
fn mset_and_mget_are_never_seen_half_done() {
    let server = server();
    let names: Vec<String> = (0..16).map(|n| format!("part:{n}")).collect();
    let set = |client: &mut Client, value: usize| {
        let mut command = vec!["MSET".to_string()];
        names.iter().for_each(|name| command.extend([name.clone(), value.to_string()]));
        assert_eq!(client.call(&command).text(), "OK");
    };
    set(&mut server.connect(), 0);
    let read = |client: &mut Client| {
        let mut command = vec!["MGET".to_string()];
        command.extend(names.clone());
        let values: BTreeSet<String> = client.call(&command).items().iter().map(Reply::text).collect();
        assert_eq!(values.len(), 1, "one MSET's values only: {values:?}");
        values.into_iter().next()
    };
    let seen = watch_while_writing(&server, read, |client, number| set(client, number));
    assert!(seen > 1, "the reader saw several states");
}

#[test]
fn exec_is_never_seen_half_done() {
    let server = server();
    let accounts: Vec<String> = (0..8).map(|n| format!("account:{n}")).collect();
    let mut client = server.connect();
    accounts.iter().for_each(|account| assert_eq!(client.call(&["SET", account, "1000"]).text(), "OK"));
    let read = |client: &mut Client| {
        // Alternately by MGET and by a transaction of single reads.
        let mut command = vec!["MGET".to_string()];
        command.extend(accounts.clone());
        let by_mget = client.call(&command);
        let mut transaction = vec![vec!["MULTI".to_string()]];
        transaction.extend(accounts.iter().map(|account| vec!["GET".to_string(), account.clone()]));
        transaction.push(vec!["EXEC".into()]);
        let by_exec = client.batch(&transaction).pop().expect("EXEC has a reply");
        for balances in [&by_mget, &by_exec] {
            let sum: i64 =
                balances.items().iter().map(|balance| balance.text().parse::<i64>().expect("a number")).sum();
            assert_eq!(sum, 8000, "money was made or lost in {balances:?}");
        }
        Some(by_exec.items().iter().map(Reply::text).collect::<Vec<_>>().join(","))
    };
    let seen = watch_while_writing(&server, read, |client, number| {
        let mut random = Random::new(number as u64);
        let (from, to) = (&accounts[random.below(8)], &accounts[random.below(8)]);
        let amount = random.below(50).to_string();
        let transfer = [vec!["MULTI"], vec!["DECRBY", from, &amount], vec!["INCRBY", to, &amount], vec!["EXEC"]];
        let replies = client.batch(&transfer);
        assert_eq!(replies[3].items().len(), 2, "the transfer ran: {replies:?}");
    });
    assert!(seen > 1, "the reader saw several states");
}

#[test]
fn renames_and_moves_never_lose_the_key() {
    let server = server();
    server.connect().line("SET here x");
    server.connect().line("SADD left m");
    let read = |client: &mut Client| {
        assert_eq!(client.line("EXISTS here there").integer(), 1, "RENAME removes and adds in one step");
        let both = client.line("SUNION left right");
        assert_eq!(both.items().len(), 1, "SMOVE removes and adds in one step");
        Some(client.line("EXISTS here").integer().to_string())
    };
    let seen = watch_while_writing(&server, read, |client, number| {
        let commands = ["RENAME here there", "RENAME there here", "SMOVE left right m", "SMOVE right left m"];
        client.line(commands[number % 4]);
    });
    assert!(seen > 1, "the reader saw several states");
}

/// Calls `read` from one thread while others call `write`; returns how many different things were read.
fn watch_while_writing(
    server: &Server,
    read: impl Fn(&mut Client) -> Option<String> + Sync,
    write: impl Fn(&mut Client, usize) + Sync,
) -> usize {
    let running = AtomicU64::new(WRITERS as u64);
    let mut seen = BTreeSet::new();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (running, write) = (&running, &write);
            scope.spawn(move || {
                let mut client = server.connect();
                let _guard = Countdown(running);
                (0..ROUNDS).for_each(|round| write(&mut client, round * WRITERS + writer));
            });
        }
        let mut client = server.connect();
        while running.load(Ordering::Acquire) > 0 {
            seen.extend(read(&mut client));
        }
    });
    seen.len()
}

/// Counts down when a thread ends, also by a failure.
struct Countdown<'a>(&'a AtomicU64);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[test]
fn watch_under_contention_counts_exactly() {
    let server = server();
    let retries = AtomicU64::new(0);
    let start = Barrier::new(WRITERS);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut client = server.connect();
                start.wait();
                for _ in 0..ROUNDS {
                    while !increment_by_watch(&mut client) {
                        retries.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(server.connect().line("GET counter").text(), (WRITERS * ROUNDS).to_string());
    assert!(retries.into_inner() > 0, "the clients got into each other's way");
}

/// Reads, then writes one more unless another client wrote in between.
fn increment_by_watch(client: &mut Client) -> bool {
    client.line("WATCH counter");
    let value = client.line("GET counter").text().parse::<u64>().unwrap_or(0) + 1;
    let value = value.to_string();
    let replies = client.batch(&[vec!["MULTI"], vec!["SET", "counter", &value], vec!["EXEC"]]);
    !replies[2].is_nil()
}

#[test]
fn single_commands_lose_no_update() {
    let server = server();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.connect();
                let member = format!("m{writer}");
                let commands = [
                    vec!["INCR", "n"],
                    vec!["HINCRBY", "h", "f", "1"],
                    vec!["RPUSH", "l", &member],
                    vec!["ZINCRBY", "z", "1", "m"],
                    vec!["APPEND", "s", "x"],
                ];
                let many: Vec<Vec<&str>> = (0..ROUNDS).flat_map(|_| commands.clone()).collect();
                assert!(client.batch(&many).iter().all(|reply| !reply.is_error()));
            });
        }
    });
    let total = (WRITERS * ROUNDS).to_string();
    let mut client = server.connect();
    assert_eq!(client.line("GET n").text(), total);
    assert_eq!(client.line("HGET h f").text(), total);
    assert_eq!(client.line("ZSCORE z m").text(), total);
    assert_eq!(client.line("LLEN l").integer().to_string(), total);
    assert_eq!(client.line("STRLEN s").integer().to_string(), total);
}

#[test]
fn scan_returns_every_key_that_stays() {
    let server = server();
    let mut client = server.connect();
    let stay: BTreeSet<String> = (0..3_000).map(|n| format!("stay:{n}")).collect();
    let fill: Vec<Vec<String>> = stay.iter().map(|key| vec!["SET".into(), key.clone(), "x".into()]).collect();
    client.batch(&fill);
    let done = AtomicBool::new(false);
    let churned = AtomicU64::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (server, done, churned) = (&server, &done, &churned);
            scope.spawn(move || churn(&mut server.connect(), writer, done, churned));
        }
        let _guard = Finished(&done);
        for _ in 0..5 {
            let found = scan_all(&mut client);
            let lost: Vec<_> = stay.difference(&found).take(5).collect();
            assert!(lost.is_empty(), "SCAN did not return {lost:?}");
        }
        eventually("churn", || (churned.load(Ordering::Relaxed) > 0).then_some(()));
    });
}

/// Tells the other threads to end, also after a failure.
struct Finished<'a>(&'a AtomicBool);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Adds and removes keys by the thousand, so that tables grow and shrink under an iteration.
fn churn(client: &mut Client, writer: usize, done: &AtomicBool, churned: &AtomicU64) {
    let keys: Vec<String> = (0..2_000).map(|n| format!("churn:{writer}:{n}")).collect();
    let add: Vec<Vec<&str>> = keys.iter().map(|key| vec!["SET", key, "x"]).collect();
    let remove: Vec<Vec<&str>> = keys.iter().map(|key| vec!["DEL", key]).collect();
    while !done.load(Ordering::Acquire) {
        client.batch(&add);
        client.batch(&remove);
        churned.fetch_add(1, Ordering::Relaxed);
    }
}

fn scan_all(client: &mut Client) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut cursor = "0".to_string();
    loop {
        let reply = client.call(&["SCAN", &cursor, "COUNT", "50"]);
        let [next, keys] = reply.items() else { panic!("SCAN answers a cursor and keys, not {reply:?}") };
        found.extend(keys.items().iter().map(Reply::text));
        cursor = next.text();
        if cursor == "0" {
            return found;
        }
    }
}

#[test]
fn scan_of_a_collection_returns_every_member_that_stays() {
    let server = server();
    let mut client = server.connect();
    let mut other = server.connect();
    for (add, remove, scan) in [("SADD", "SREM", "SSCAN"), ("HSET", "HDEL", "HSCAN"), ("ZADD", "ZREM", "ZSCAN")] {
        client.line("DEL c");
        let command = |name: &str, member: &str| match name {
            "HSET" => vec![name.to_string(), "c".into(), member.into(), "v".into()],
            "ZADD" => vec![name.to_string(), "c".into(), "1".into(), member.into()],
            _ => vec![name.to_string(), "c".into(), member.into()],
        };
        let stay: BTreeSet<String> = (0..1_000).map(|n| format!("stay{n}")).collect();
        client.batch(&stay.iter().map(|member| command(add, member)).collect::<Vec<_>>());
        let mut found = BTreeSet::new();
        let mut cursor = "0".to_string();
        for round in 0.. {
            let reply = client.call(&[scan, "c", &cursor, "COUNT", "20"]);
            found.extend(reply.items()[1].items().iter().map(Reply::text));
            cursor = reply.items()[0].text();
            if cursor == "0" {
                break;
            }
            // Grows to a multiple, then shrinks again.
            let name = if round % 20 < 10 { add } else { remove };
            let go: Vec<_> = (0..300).map(|n| command(name, &format!("go{}-{n}", round % 10))).collect();
            other.batch(&go);
        }
        let lost: Vec<_> = stay.difference(&found).take(5).collect();
        assert!(lost.is_empty(), "{scan} did not return {lost:?}");
    }
}

#[test]
fn messages_of_a_channel_keep_their_order() {
    let server = server();
    let mut subscribers: Vec<Client> = [2, 3].map(|protocol| server.connect_with(protocol)).into();
    for (subscriber, command) in subscribers.iter_mut().zip(["SUBSCRIBE c:0 c:1 c:2 c:3", "PSUBSCRIBE c:*"]) {
        let confirmations = command.split(' ').count() - 1;
        subscriber.send(&support::words(command));
        (0..confirmations).for_each(|_| drop(subscriber.read()));
    }
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.connect();
                let channel = format!("c:{writer}");
                for number in 0..ROUNDS {
                    assert_eq!(client.call(&["PUBLISH", &channel, &number.to_string()]).integer(), 2);
                }
            });
        }
        for subscriber in &mut subscribers {
            let mut next = [0; WRITERS];
            for _ in 0..WRITERS * ROUNDS {
                let message = subscriber.read();
                let [.., channel, payload] = message.items() else { panic!("a message is expected: {message:?}") };
                let writer: usize = channel.text()[2..].parse().expect("the channel's number");
                assert_eq!(payload.text(), next[writer].to_string(), "in order on {channel:?}");
                next[writer] += 1;
            }
        }
    });
}

#[test]
fn publications_keep_the_order_of_execution() {
    // Whoever increments publishes the number in the same transaction: a subscriber must see the numbers in order.
    let server = server();
    let mut subscriber = server.connect();
    subscriber.line("SUBSCRIBE order");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.connect();
                let text = writer.to_string();
                for _ in 0..ROUNDS {
                    let step =
                        [vec!["MULTI"], vec!["RPUSH", "log", &text], vec!["PUBLISH", "order", &text], vec!["EXEC"]];
                    client.batch(&step);
                }
            });
        }
        let received: Vec<String> =
            (0..WRITERS * ROUNDS).map(|_| subscriber.read().items().last().expect("a payload").text()).collect();
        let log = eventually("all pushes", || {
            let log = server.connect().line("LRANGE log 0 -1");
            (log.items().len() == WRITERS * ROUNDS).then_some(log)
        });
        let executed: Vec<String> = log.items().iter().map(Reply::text).collect();
        assert!(received == executed, "publications arrive in the order in which the transactions ran");
    });
}

#[test]
fn a_push_to_oneself_does_not_come_before_an_earlier_reply() {
    let server = server();
    let mut client = server.connect_with(3);
    client.line("SUBSCRIBE c");
    let mut bytes = Vec::new();
    for command in ["INCR n", "PUBLISH c m", "INCR n"] {
        support::encode(&support::words(command), &mut bytes);
    }
    client.write(&bytes);
    let mut replies: Vec<Reply> = (0..4).map(|_| client.read()).collect();
    let at = replies.iter().position(|reply| matches!(reply, Reply::Push(_))).expect("the message arrives");
    assert!(at > 0, "the message stands behind the reply to the first INCR");
    replies.remove(at);
    assert_eq!(replies, [Reply::Integer(1), Reply::Integer(1), Reply::Integer(2)]);
}

#[test]
fn blpop_serves_in_the_order_of_arrival() {
    let server = server();
    let mut waiters = Vec::new();
    for count in 1..=5 {
        let mut waiter = server.connect();
        waiter.send(&["BLPOP", "queue", "0"]);
        await_blocked(&server, count);
        waiters.push(waiter);
    }
    let mut client = server.connect();
    for number in 0..5 {
        client.call(&["RPUSH", "queue", &number.to_string()]);
    }
    for (number, waiter) in waiters.iter_mut().enumerate() {
        assert_eq!(waiter.read().items()[1].text(), number.to_string(), "first come, first served");
    }
    assert_eq!(client.line("EXISTS queue").integer(), 0);
}

#[test]
fn one_push_of_many_serves_many() {
    let server = server();
    let mut waiters = Vec::new();
    for count in 1..=3 {
        let mut waiter = server.connect();
        waiter.send(&["BRPOP", "none", "queue", "0"]);
        await_blocked(&server, count);
        waiters.push(waiter);
    }
    let mut client = server.connect();
    assert_eq!(client.line("RPUSH queue a b c d").integer(), 4);
    for (waiter, value) in waiters.iter_mut().zip(["d", "c", "b"]) {
        assert_eq!(waiter.read().items()[1].text(), value);
    }
    assert_eq!(client.line("LRANGE queue 0 -1").items()[0].text(), "a");
}

#[test]
fn blocked_pops_lose_and_double_nothing() {
    let server = server();
    let total = WRITERS * ROUNDS;
    let taken = thread::scope(|scope| {
        let consumers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = server.connect();
                    let mut taken = Vec::new();
                    loop {
                        let item = client.line("BLPOP first second 0").items()[1].text();
                        if item == "end" {
                            return taken;
                        }
                        taken.push(item);
                    }
                })
            })
            .collect();
        let producers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let server = &server;
                scope.spawn(move || {
                    let mut client = server.connect();
                    for number in 0..ROUNDS {
                        let queue = if number % 3 == 0 { "second" } else { "first" };
                        client.call(&["RPUSH", queue, &format!("{writer}:{number}")]);
                    }
                })
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().expect("a producer ends well"));
        let mut client = server.connect();
        eventually("empty queues", || (client.line("EXISTS first second").integer() == 0).then_some(()));
        (0..WRITERS).for_each(|_| drop(client.line("RPUSH first end")));
        consumers.into_iter().flat_map(|consumer| consumer.join().expect("a consumer ends well")).collect::<Vec<_>>()
    });
    assert_eq!(taken.len(), total);
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), total, "every item once");
}

#[test]
fn blmove_passes_an_item_along_a_chain_of_waiters() {
    let server = server();
    let mut waiters = Vec::new();
    for (count, (from, to)) in [("a", "b"), ("b", "c"), ("c", "d")].into_iter().enumerate() {
        let mut waiter = server.connect();
        waiter.send(&["BLMOVE", from, to, "LEFT", "RIGHT", "0"]);
        await_blocked(&server, count as i64 + 1);
        waiters.push(waiter);
    }
    let mut client = server.connect();
    client.line("RPUSH a item");
    waiters.iter_mut().for_each(|waiter| assert_eq!(waiter.read().text(), "item"));
    assert_eq!(client.line("LRANGE d 0 -1").items()[0].text(), "item");
    assert_eq!(client.line("EXISTS a b c").integer(), 0);
}

#[test]
fn a_blocked_client_that_dies_takes_nothing_with_it() {
    let server = server();
    let mut client = server.connect();
    for killed_by in ["its own end", "CLIENT KILL"] {
        let mut waiter = server.connect();
        let id = waiter.line("CLIENT ID").integer().to_string();
        waiter.send(&["BLPOP", "queue", "0"]);
        await_blocked(&server, 1);
        if killed_by == "CLIENT KILL" {
            assert_eq!(client.call(&["CLIENT", "KILL", "ID", &id]).integer(), 1);
            assert!(waiter.try_read().is_err(), "the connection is closed");
        }
        drop(waiter);
        await_blocked(&server, 0);
        assert_eq!(client.line("RPUSH queue item").integer(), 1, "nobody is waiting after {killed_by}");
        assert_eq!(client.line("LPOP queue").text(), "item");
    }
}

#[test]
fn a_transaction_wakes_waiters_only_when_it_is_over() {
    let server = server();
    let mut waiter = server.connect();
    waiter.send(&["BLPOP", "queue", "0"]);
    await_blocked(&server, 1);
    let mut client = server.connect();
    let replies = client.batch(&[
        vec!["MULTI"],
        vec!["RPUSH", "queue", "a"],
        vec!["LPOP", "queue"],
        vec!["RPUSH", "queue", "b"],
        vec!["EXEC"],
    ]);
    assert_eq!(replies[4].items()[1].text(), "a", "within the transaction nobody else takes it");
    assert_eq!(waiter.read().items()[1].text(), "b");
}

#[test]
fn a_block_times_out() {
    let server = server();
    let mut client = server.connect();
    for command in ["BLPOP queue 0.05", "BRPOP queue 0.05", "BLMOVE queue other LEFT LEFT 0.05"] {
        assert_eq!(client.line(command), Reply::NilArray, "{command}");
    }
    assert_eq!(client.line("PING").text(), "PONG");
    let mut waiter = server.connect();
    waiter.send(&["BLPOP", "queue", "0"]);
    assert!(waiter.is_silent(Duration::from_millis(50)), "a timeout of 0 waits for ever");
}

#[test]
fn swapdb_and_flushall_are_one_step() {
    let server = server();
    let mut client = server.connect();
    client.batch(&[vec!["MSET", "a", "0", "b", "0"], vec!["SELECT", "1"], vec!["MSET", "a", "1", "b", "1"]]);
    let read = |client: &mut Client| {
        let values = client.line("MGET a b");
        assert_eq!(values.items()[0], values.items()[1], "both keys of one database");
        Some(values.items()[0].text())
    };
    let seen = watch_while_writing(&server, read, |client, _| drop(client.line("SWAPDB 0 1")));
    assert!(seen > 1, "the reader saw both databases");
}

/// Waits until so many clients are blocked.
fn await_blocked(server: &Server, count: i64) {
    let mut client = server.connect();
    eventually("the block", || (info_number(&mut client, "clients", "blocked_clients") == Some(count)).then_some(()));
}
