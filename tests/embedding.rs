//! Pipkin inside a program: the API of `pipkin::Server` and `pipkin::Client`.
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use pipkin::{Client, Error, EvictionPolicy, Lag, ListEnd, Server, SetOptions, Value};

const NOON: Duration = Duration::from_secs(1_700_000_000);

fn server() -> Server {
    Server::open().expect("an instance opens")
}

fn with_manual_clock() -> Server {
    Server::builder().manual_clock(NOON).open().expect("an instance opens")
}

/// Polls once.
fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn elements(client: &mut Client, key: &str) -> Vec<Bytes> {
    client.lrange(key, 0, -1).expect("a list")
}

#[test]
fn typed_commands_answer_in_rusts_types() -> Result<(), Error> {
    let server = server();
    let mut client = server.client();
    client.set("n", "41")?;
    assert_eq!(client.incr("n")?, 42);
    assert_eq!(client.get_as::<i64>("n")?, Some(42));
    assert_eq!(client.get("none")?, None);
    assert!(client.exists("n")? && !client.exists("none")?);
    assert!(!client.set_with("n", "0", SetOptions::new().if_missing())?);
    assert!(client.set_with("n", "7", SetOptions::new().if_exists())?);
    let mut buffer = b"n=".to_vec();
    assert!(client.get_into("n", &mut buffer)? && buffer == b"n=7");
    client.mset([("a", "1"), ("b", "2")])?;
    assert_eq!(client.mget(["a", "none", "b"])?, [Some("1".into()), None, Some("2".into())]);

    assert!(client.hset("h", "f", "1")?);
    assert_eq!(client.hincrby("h", "f", 4)?, 5);
    assert_eq!(client.hgetall("h")?, [("f".into(), "5".into())]);
    assert_eq!(client.hget("h", "f")?, Some("5".into()));
    assert_eq!(client.hdel("h", ["f", "g"])?, 1);

    assert_eq!(client.rpush("l", ["b", "c"])?, 2);
    assert_eq!(client.lpush("l", ["a"])?, 3);
    assert_eq!(elements(&mut client, "l"), ["a", "b", "c"]);
    assert_eq!((client.lpop("l")?, client.rpop("l")?, client.llen("l")?), (Some("a".into()), Some("c".into()), 1));

    assert_eq!(client.sadd("s", ["x", "y", "x"])?, 2);
    assert!(client.sismember("s", "x")? && client.srem("s", ["x"])? == 1);
    assert_eq!(client.smembers("s")?, ["y"]);

    assert!(client.zadd("z", 1.5, "m")?);
    assert_eq!(client.zincrby("z", 1.0, "m")?, 2.5);
    assert_eq!(client.zscore("z", "m")?, Some(2.5));
    assert_eq!(client.zrange("z", 0, -1)?, [("m".into(), 2.5)]);
    assert_eq!(client.zrem("z", ["m"])?, 1);

    assert!(client.pfadd("p", ["x"])?);
    assert_eq!(client.pfcount(["p"])?, 1);
    assert_eq!(client.del(["a", "b", "none"])?, 2);
    client.ping()
}

#[test]
fn errors_are_those_of_the_wire() -> Result<(), Error> {
    let server = server();
    let mut client = server.client();
    client.rpush("list", ["a"])?;
    let direct = client.get("list").expect_err("a list is no string");
    let encoded = client.call::<Value, _>(&["GETDEL", "list"]).expect_err("nor here");
    assert_eq!(direct.to_string(), encoded.to_string());
    assert_eq!(direct.code(), Some("WRONGTYPE"));
    let unknown = client.call::<Value, _>(&["NOSUCH", "x"]).expect_err("no command");
    assert_eq!(unknown.to_string(), "ERR unknown command 'NOSUCH', with args beginning with: 'x' ");
    assert!(matches!(client.call::<i64, _>(&["PING"]), Err(Error::Unexpected(_))));
    assert!(matches!(client.call::<Value, _>(&["subscribe", "x"]), Err(Error::OnlyOnConnections(_))));
    assert!(matches!(client.call::<Value, _>(&["Client", "Reply", "off"]), Err(Error::OnlyOnConnections(_))));
    assert!(matches!(client.pipeline(|batch| _ = batch.call(&["HELLO"])), Err(Error::OnlyOnConnections(_))));
    let none: [&str; 0] = [];
    assert!(client.call::<Value, _>(&none).is_err());
    Ok(())
}

#[test]
fn settings_are_checked_when_opening() {
    let refused = Server::builder().config("maxmemory", "lots").open().expect_err("no number");
    assert!(refused.to_string().contains("maxmemory"), "{refused}");
    assert!(Server::builder().config("no-such-directive", "1").open().is_err());
    let server = Server::builder()
        .databases(2)
        .maxmemory(64 << 20)
        .maxmemory_policy(EvictionPolicy::AllkeysLru)
        .pinned_keys(["lock:*", "job:*"])
        .requirepass("secret")
        .config("hash-max-listpack-entries", "4")
        .open()
        .expect("all of these are right");
    let mut client = server.client();
    client.set("no password", "is asked for in process").expect("it is not");
    client.select(1).expect("two databases");
    assert!(client.select(2).is_err() && client.get("no password").is_ok_and(|value| value.is_none()));
}

#[test]
fn several_instances_know_nothing_of_each_other() -> Result<(), Error> {
    let (one, two) = (server(), with_manual_clock());
    let (mut first, mut second) = (one.client(), two.client());
    first.set("key", "one")?;
    second.set("key", "two")?;
    assert_eq!(first.get("key")?, Some("one".into()));
    drop(one);
    assert!(matches!(first.get("key"), Err(Error::Closed)));
    assert!(matches!(first.call::<Value, _>(&["PING"]), Err(Error::Closed)));
    assert_eq!(second.get("key")?, Some("two".into()));
    assert_eq!(two.stats().keys, 1);
    Ok(())
}

#[test]
fn threads_share_one_keyspace() {
    let server = server();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let mut client = server.client();
            scope.spawn(move || {
                for number in 0..1000 {
                    client.incr("shared").expect("a counter");
                    client.set(format!("key:{number}"), "value").expect("there is room");
                }
            });
        }
    });
    let mut client = server.client();
    assert_eq!(client.get_as::<i64>("shared").expect("a counter"), Some(2000));
    assert_eq!(server.stats().keys, 1001);
    let before = server.stats();
    client.get("shared").expect("a counter");
    client.get("missing").expect("nothing");
    let after = server.stats();
    assert_eq!((after.hits - before.hits, after.misses - before.misses), (1, 1));
    assert_eq!(after.commands - before.commands, 2);
}

#[test]
fn a_manual_clock_expires_keys_without_waiting() -> Result<(), Error> {
    let server = with_manual_clock();
    let mut client = server.client();
    client.set_with("session", "ann", SetOptions::new().expires_in(Duration::from_secs(30)))?;
    client.set("kept", "value")?;
    assert_eq!(client.ttl("session")?, Some(Duration::from_secs(30)));
    server.clock().advance(Duration::from_secs(29));
    assert_eq!(client.get("session")?, Some("ann".into()));
    server.clock().advance(Duration::from_secs(2));
    assert_eq!(server.stats().keys, 1, "it is gone before anybody asks");
    assert_eq!(client.get("session")?, None);
    assert_eq!(client.ttl("kept")?, None);
    assert!(client.expire("kept", Duration::from_millis(5))? && client.persist("kept")?);
    Ok(())
}

#[test]
fn a_blocking_pop_parks_its_thread() -> Result<(), Error> {
    let server = server();
    let (mut worker, mut client) = (server.client(), server.client());
    let waiting = std::thread::spawn(move || worker.blpop(["other", "jobs"], None).wait());
    // Whichever comes first, the worker gets it.
    client.rpush("jobs", ["one"])?;
    let popped = waiting.join().expect("no panic")?;
    assert_eq!(popped, Some(("jobs".into(), "one".into())));
    assert_eq!(client.llen("jobs")?, 0);
    let moved = client.clone();
    client.rpush("from", ["x"])?;
    drop(moved);
    assert_eq!(client.blmove(("from", ListEnd::Left), ("to", ListEnd::Right), None).wait()?, Some("x".into()));
    assert_eq!(elements(&mut client, "to"), ["x"]);
    Ok(())
}

#[test]
fn a_timeout_follows_the_instances_clock() -> Result<(), Error> {
    let server = with_manual_clock();
    let mut worker = server.client();
    let mut waiting = worker.blpop(["jobs"], Some(Duration::from_secs(5)));
    assert!(poll(&mut waiting).is_pending());
    server.clock().advance(Duration::from_millis(4999));
    assert!(poll(&mut waiting).is_pending());
    server.clock().advance(Duration::from_millis(2));
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(None))));
    drop(waiting);
    // Real time bounds a wait whatever the instance's clock says.
    assert_eq!(worker.blpop(["jobs"], None).wait_for(Duration::from_millis(1))?, None);
    Ok(())
}

#[test]
fn waits_are_futures_of_any_runtime() -> Result<(), Error> {
    let server = server();
    let (mut worker, mut client) = (server.client(), server.client());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let push = async {
            tokio::task::yield_now().await;
            client.rpush("jobs", ["one"])
        };
        let (popped, pushed) = tokio::join!(worker.brpop(["jobs"], None), push);
        assert_eq!(popped?, Some(("jobs".into(), "one".into())));
        assert_eq!(pushed?, 1);
        Ok(())
    })
}

#[test]
fn dropping_a_wait_loses_nothing() -> Result<(), Error> {
    let server = server();
    let (mut worker, mut client) = (server.client(), server.client());
    // Not served yet: the element stays.
    let mut waiting = worker.blpop(["jobs"], None);
    assert!(poll(&mut waiting).is_pending());
    drop(waiting);
    client.rpush("jobs", ["a", "b"])?;
    assert_eq!(elements(&mut client, "jobs"), ["a", "b"]);
    client.del(["jobs"])?;

    // Served, and the reply never taken: the element goes back to its end.
    let mut waiting = worker.blpop(["jobs"], None);
    assert!(poll(&mut waiting).is_pending());
    client.rpush("jobs", ["a", "b"])?;
    assert_eq!(elements(&mut client, "jobs"), ["b"]);
    drop(waiting);
    assert_eq!(elements(&mut client, "jobs"), ["a", "b"]);
    client.del(["jobs"])?;

    let mut waiting = worker.brpop(["jobs"], None);
    assert!(poll(&mut waiting).is_pending());
    client.rpush("jobs", ["a", "b"])?;
    drop(waiting);
    assert_eq!(elements(&mut client, "jobs"), ["a", "b"]);
    client.del(["jobs"])?;

    // Moved already: it is where it was to go.
    let mut waiting = worker.blmove(("jobs", ListEnd::Left), ("active", ListEnd::Right), None);
    assert!(poll(&mut waiting).is_pending());
    client.rpush("jobs", ["a"])?;
    drop(waiting);
    assert_eq!(elements(&mut client, "active"), ["a"]);

    // Forgotten instead of dropped: the client's next call finds it.
    let mut waiting = worker.command("BLPOP").args(["jobs", "0"]).start::<Value>();
    assert!(poll(&mut waiting).is_pending());
    client.rpush("jobs", ["z"])?;
    std::mem::forget(waiting);
    assert_eq!(worker.llen("jobs")?, 1);
    Ok(())
}

#[test]
fn an_element_that_is_put_back_serves_the_next_in_line() -> Result<(), Error> {
    let server = server();
    let (mut first, mut second, mut client) = (server.client(), server.client(), server.client());
    let mut one = first.blpop(["jobs"], None);
    assert!(poll(&mut one).is_pending());
    client.rpush("jobs", ["a"])?;
    let mut two = second.blpop(["jobs"], None);
    assert!(poll(&mut two).is_pending());
    drop(one);
    assert!(matches!(poll(&mut two), Poll::Ready(Ok(Some((_, job)))) if job == "a"));
    Ok(())
}

#[test]
fn racing_drops_and_pushes_lose_nothing() -> Result<(), Error> {
    const ROUNDS: usize = 300;
    let server = server();
    let mut client = server.client();
    std::thread::scope(|scope| {
        let mut worker = server.client();
        let dropping = scope.spawn(move || {
            let mut taken = 0;
            for _ in 0..ROUNDS {
                let mut waiting = worker.blpop(["jobs"], None);
                taken += poll(&mut waiting).is_ready() as usize;
            }
            taken
        });
        for number in 0..ROUNDS {
            client.rpush("jobs", [number.to_string()]).expect("there is room");
        }
        let taken = dropping.join().expect("no panic");
        assert_eq!(taken + client.llen("jobs").expect("a list") as usize, ROUNDS);
    });
    Ok(())
}

#[test]
fn the_end_of_the_instance_ends_waits() {
    let server = server();
    let mut worker = server.client();
    let mut news = server.subscribe(["news"], None::<&str>, Lag::End).expect("it is open");
    let waiting = std::thread::spawn(move || worker.blpop(["jobs"], None).wait());
    let listening = std::thread::spawn(move || news.by_ref().count());
    server.shutdown();
    assert!(matches!(waiting.join().expect("no panic"), Err(Error::Closed)));
    assert_eq!(listening.join().expect("no panic"), 0);
}

#[test]
fn subscriptions_receive_in_order() -> Result<(), Error> {
    let server = server();
    let mut client = server.client();
    let mut both = server.subscribe(["news"], ["n*"], Lag::End)?;
    let listening = std::thread::spawn(move || {
        let messages: Vec<_> = both.by_ref().take(4).collect::<Result<_, _>>()?;
        both.unsubscribe_patterns(["n*"])?;
        both.unsubscribe(["news"])?;
        Ok::<_, Error>((messages, both))
    });
    assert_eq!(client.publish("news", "one")?, 2);
    assert_eq!(client.publish("news", "two")?, 2);
    let (messages, mut both) = listening.join().expect("no panic")?;
    let payloads: Vec<_> = messages.iter().map(|message| &message.payload[..]).collect();
    assert_eq!(payloads, [&b"one"[..], b"one", b"two", b"two"]);
    assert_eq!(messages.iter().filter(|message| message.pattern.is_some()).count(), 2);
    assert_eq!(client.publish("news", "three")?, 0);
    assert_eq!(both.try_receive()?, None);

    let mut late = server.subscribe(["late"], None::<&str>, Lag::End)?;
    assert!(poll(&mut late.receive()).is_pending());
    client.publish("late", "x")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(late.receive())?.payload, "x");
    Ok(())
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl std::task::Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_message_wakes_whoever_waits_for_it() -> Result<(), Error> {
    let server = server();
    let mut waiting = server.subscribe(["news"], None::<&str>, Lag::End)?;
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut receive = waiting.receive();
    let pending = std::pin::Pin::new(&mut receive).poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    server.client().publish("news", "one")?;
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(matches!(poll(&mut receive), Poll::Ready(Ok(message)) if message.payload == "one"));
    Ok(())
}

#[test]
fn a_subscription_that_falls_behind_is_told() -> Result<(), Error> {
    let limits = "normal 0 0 0 replica 0 0 0 pubsub 64kb 0 0";
    let server = Server::builder().config("client-output-buffer-limit", limits).open().expect("a limit");
    let mut client = server.client();
    let mut ends = server.subscribe(["news"], None::<&str>, Lag::End)?;
    let mut skips = server.subscribe(["news"], None::<&str>, Lag::Skip)?;
    for _ in 0..100 {
        client.publish("news", vec![b'x'; 1 << 10])?;
    }
    assert!(matches!(ends.receive().wait(), Err(Error::Lagged)));
    assert!(matches!(ends.receive().wait(), Err(Error::Closed)));
    assert!(matches!(skips.receive().wait(), Err(Error::Lagged)));
    client.publish("news", "fresh")?;
    assert_eq!(skips.receive().wait()?.payload, "fresh");
    Ok(())
}

#[test]
fn pipelines_answer_each_command() -> Result<(), Error> {
    let server = server();
    let mut client = server.client();
    let replies = client.pipeline(|batch| {
        batch.set("a", "1").incr_by("a", 4).rpush("a", "x").get("a").call(&["BLPOP", "none", "0.001"]).del("a");
    })?;
    assert_eq!(replies.len(), 6);
    assert!(matches!(&replies[1], Ok(Value::Number { data: 5, .. })));
    assert_eq!(replies[2].as_ref().expect_err("a string is no list").code(), Some("WRONGTYPE"));
    assert!(matches!(&replies[4], Ok(Value::Null)));
    assert!(!client.exists("a")?);
    // Many more than one batch runs at once.
    let replies = client.pipeline(|batch| (0..20_000).for_each(|_| _ = batch.incr_by("n", 1)))?;
    assert_eq!((replies.len(), client.get_as::<i64>("n")?), (20_000, Some(20_000)));
    Ok(())
}

#[test]
fn transactions_retry_until_nobody_interferes() -> Result<(), Error> {
    const THREADS: usize = 3;
    const EACH: usize = 100;
    let server = server();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let mut client = server.client();
            scope.spawn(move || {
                for _ in 0..EACH {
                    let done = client.transaction(&["n"], |client, queued| -> Result<(), Error> {
                        let n = client.get_as::<i64>("n")?.unwrap_or(0);
                        queued.set("n", (n + 1).to_string()).rpush("log", n.to_string());
                        Ok(())
                    });
                    done.expect("it succeeds in the end");
                }
            });
        }
    });
    let mut client = server.client();
    assert_eq!(client.get_as::<i64>("n")?, Some((THREADS * EACH) as i64));
    assert_eq!(client.llen("log")? as usize, THREADS * EACH);

    let mut attempts = 0;
    let mut other = server.client();
    let ((), replies) = client.transaction(&["n"], |_, queued| -> Result<(), Error> {
        attempts += 1;
        if attempts < 3 {
            other.incr("n")?;
        }
        queued.call(&["GET", "n"]).call(&["LPUSH", "n", "x"]);
        Ok(())
    })?;
    assert_eq!((attempts, replies.len()), (3, 2));
    assert_eq!(replies[1].as_ref().expect_err("no list").code(), Some("WRONGTYPE"));

    let gave_up: Result<((), _), Error> = client.transaction(&["n"], |_, _| Err(Error::Lagged));
    assert!(matches!(gave_up, Err(Error::Lagged)));
    let refused = client.transaction(&["n"], |_, queued| -> Result<(), Error> {
        queued.call(&["NOSUCH"]);
        Ok(())
    });
    assert!(refused.expect_err("no such command").to_string().starts_with("ERR unknown command"));
    client.set("still", "works")?;
    Ok(())
}

/// A computation that the test lets end when it wants to.
async fn counted(calls: &AtomicUsize, go: Arc<tokio::sync::Notify>) -> Result<String, Error> {
    calls.fetch_add(1, Ordering::SeqCst);
    go.notified().await;
    Ok("computed".to_string())
}

#[test]
fn a_missing_value_is_computed_once() -> Result<(), Error> {
    let server = with_manual_clock();
    let calls = AtomicUsize::new(0);
    let go = Arc::new(tokio::sync::Notify::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut clients: Vec<Client> = (0..4).map(|_| server.client()).collect();
        let [a, b, c, d] = &mut clients[..] else { unreachable!("there are four") };
        let ttl = Duration::from_secs(10);
        let release = async {
            tokio::task::yield_now().await;
            go.notify_one();
        };
        let (a, b, c, ()) = tokio::join!(
            a.get_or_compute("key", ttl, counted(&calls, go.clone())),
            b.get_or_compute("key", ttl, counted(&calls, go.clone())),
            c.get_or_compute("key", ttl, counted(&calls, go.clone())),
            release,
        );
        assert_eq!((a?, b?, c?), ("computed".into(), "computed".into(), "computed".into()));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        server.clock().advance(Duration::from_secs(11));
        assert_eq!(d.get("key")?, None, "it was stored with its time to live");
        Ok(())
    })
}

#[test]
fn a_failed_or_cancelled_computation_hands_over() -> Result<(), Error> {
    let server = server();
    let (mut leader, mut follower) = (server.client(), server.client());
    let calls = AtomicUsize::new(0);
    let go = Arc::new(tokio::sync::Notify::new());
    {
        let mut first = Box::pin(leader.get_or_compute("key", None, counted(&calls, go.clone())));
        let mut second = Box::pin(follower.get_or_compute("key", None, counted(&calls, go.clone())));
        assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
        assert_eq!(calls.load(Ordering::SeqCst), 1, "the second waits for the first");
        drop(first);
        assert!(poll(&mut second).is_pending());
        assert_eq!(calls.load(Ordering::SeqCst), 2, "the second has taken over");
        go.notify_one();
        assert!(matches!(poll(&mut second), Poll::Ready(Ok(value)) if value == "computed"));
    }
    let failed = leader.get_or_compute_with("other", None, || Err::<&str, Error>(Error::Lagged));
    assert!(matches!(failed, Err(Error::Lagged)));
    let value = leader.get_or_compute_with("other", None, || Ok::<_, Error>("second time"))?;
    assert_eq!(value, "second time");
    assert_eq!(follower.get_or_compute_with("other", None, || Ok::<_, Error>("third"))?, "second time");
    Ok(())
}

#[cfg(feature = "server")]
mod sockets {
    use super::{Lag, server};

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    #[tokio::test]
    async fn a_stock_client_speaks_over_a_stream_in_memory() -> Outcome {
        let server = server();
        let info = redis::RedisConnectionInfo::default();
        let (mut stock, driver) = redis::aio::MultiplexedConnection::new(&info, server.duplex()).await?;
        tokio::spawn(driver);
        let () = redis::cmd("SET").arg("key").arg("value").query_async(&mut stock).await?;
        assert_eq!(server.client().get("key")?.as_deref(), Some(&b"value"[..]));
        let (one, two): (i64, i64) = redis::pipe().atomic().incr("n", 1).incr("n", 1).query_async(&mut stock).await?;
        assert_eq!((one, two), (1, 2));
        drop(server);
        let gone: redis::RedisResult<()> = redis::cmd("PING").query_async(&mut stock).await;
        assert!(gone.is_err());
        Ok(())
    }

    /// Each piece costs what it is long, not what has come before it: else this takes minutes.
    #[tokio::test]
    async fn a_big_value_may_come_in_small_pieces() -> Outcome {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let server = server();
        let mut stream = server.duplex();
        let value = vec![b'v'; 16 << 20];
        stream.write_all(format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n${}\r\n", value.len()).as_bytes()).await?;
        for piece in value.chunks(1 << 10) {
            stream.write_all(piece).await?;
            tokio::task::yield_now().await;
        }
        stream.write_all(b"\r\n").await?;
        let mut reply = [0; 5];
        stream.read_exact(&mut reply).await?;
        assert_eq!(&reply, b"+OK\r\n");
        assert!(server.client().get("key")?.is_some_and(|kept| kept == value));
        Ok(())
    }

    #[tokio::test]
    async fn sockets_are_served_on_the_hosts_runtime() -> Outcome {
        let server = server();
        let address = server.serve_tcp("127.0.0.1:0".parse()?).await?;
        let mut news = server.subscribe(["news"], None::<&str>, Lag::End)?;
        let client = redis::Client::open(format!("redis://{address}"))?;
        let mut stock = client.get_multiplexed_async_connection().await?;
        let receivers: i64 = redis::cmd("PUBLISH").arg("news").arg("hello").query_async(&mut stock).await?;
        assert_eq!(receivers, 1);
        assert_eq!(news.receive().await?.payload, "hello");
        assert!(server.serve_tcp(address).await.is_err(), "the port is taken");
        server.shutdown();
        let gone: redis::RedisResult<()> = redis::cmd("PING").query_async(&mut stock).await;
        assert!(gone.is_err());
        Ok(())
    }
}
