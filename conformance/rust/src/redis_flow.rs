//! What redis-rs does beyond single commands: pipelines, transactions, iteration, messages, waiting, coming back.

use crate::redis_client::{Door, patient};
use crate::{Outcome, until};
use futures::StreamExt as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncTypedCommands, Direction, ProtocolVersion, PushKind, ScanOptions, Value};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const TASKS: usize = 8;
const INCREMENTS: usize = 25;

pub async fn pipelines(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let mut writes = redis::pipe();
    let mut reads = redis::pipe();
    for i in 0..50_000 {
        writes.set(format!("k{i}"), i).ignore();
        reads.get(format!("k{i}"));
    }
    let () = writes.query_async(&mut c).await?;
    let values: Vec<usize> = reads.query_async(&mut c).await?;
    assert!(values.into_iter().eq(0..50_000));
    let one_by_one = futures::future::join_all((0..1000).map(|_| {
        let mut c = c.clone();
        async move { c.incr("n", 1).await }
    }));
    let mut counted: Vec<isize> = one_by_one.await.into_iter().collect::<Result<_, _>>()?;
    counted.sort_unstable();
    assert!(counted.into_iter().eq(1..=1000));
    Ok(())
}

pub async fn transactions(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let replies: (i64, i64) = redis::pipe().atomic().incr("n", 1).rpush("l", "a").query_async(&mut c).await?;
    assert_eq!(replies, (1, 1));
    let mut refused = redis::pipe();
    refused.atomic().set("k", "never").ignore().cmd("NONSENSE");
    let error = refused.query_async::<Vec<Value>>(&mut c).await.expect_err("an unknown command in a transaction");
    assert_eq!(error.code(), Some("EXECABORT"), "{error}");
    assert!(!c.exists("k").await?);
    let mut other = door.connect().await?;
    let () = redis::cmd("WATCH").arg("k").query_async(&mut c).await?;
    other.set("k", "changed").await?;
    let outcome: Option<Vec<Value>> = redis::pipe().atomic().set("k", "never").query_async(&mut c).await?;
    assert_eq!(outcome, None);
    assert_eq!(c.get("k").await?.as_deref(), Some("changed"));
    Ok(())
}

pub async fn watch_contention(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let work = || {
        let door = door.clone();
        tokio::spawn(async move {
            let mut mine = door.connect().await?;
            let mut done = 0;
            while done < INCREMENTS {
                let () = redis::cmd("WATCH").arg("total").query_async(&mut mine).await?;
                let now = mine.get("total").await?.map_or(0, |total| total.parse::<usize>().expect("a number"));
                let mut change = redis::pipe();
                change.atomic().set("total", now + 1).ignore().rpush("log", now + 1).ignore();
                done += usize::from(change.query_async::<Option<()>>(&mut mine).await?.is_some());
            }
            redis::RedisResult::Ok(())
        })
    };
    for worker in futures::future::join_all((0..TASKS).map(|_| work())).await {
        worker??;
    }
    let total = TASKS * INCREMENTS;
    assert_eq!(c.get("total").await?, Some(total.to_string()));
    assert_eq!(c.lrange("log", 0, -1).await?, (1..=total).map(|i| i.to_string()).collect::<Vec<_>>());
    Ok(())
}

pub async fn scan_while_writing(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let mut fill = redis::pipe();
    for i in 0..50_000 {
        fill.set(format!("stays:{i}"), "").ignore();
    }
    let () = fill.query_async(&mut c).await?;
    let done = Arc::new(AtomicBool::new(false));
    let (writer, over) = (door.connect().await?, Arc::clone(&done));
    let writing = tokio::spawn(async move {
        let mut writer = writer;
        for i in 0_usize.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let mut batch = redis::pipe();
            for j in 100 * i..100 * (i + 1) {
                batch.set(format!("new:{j}"), "").ignore().del(format!("new:{}", j.wrapping_sub(500))).ignore();
            }
            let () = batch.query_async(&mut writer).await?;
        }
        redis::RedisResult::Ok(())
    });
    let mut seen = HashSet::new();
    let options = ScanOptions::default().with_pattern("stays:*").with_count(1000);
    let mut walk = c.scan_options::<String>(options).await?;
    while let Some(key) = walk.next_item().await {
        seen.insert(key?);
    }
    done.store(true, Ordering::Relaxed);
    writing.await??;
    assert_eq!(seen.len(), 50_000);
    Ok(())
}

pub async fn pub_sub(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let mut subscriber = door.subscriber().await?;
    subscriber.subscribe(&["news", "소식"]).await?;
    subscriber.psubscribe("user:*").await?;
    assert_eq!(c.publish("news", "one").await?, 1);
    assert_eq!(c.publish("user:7", "둘").await?, 1);
    assert_eq!(c.publish("nobody", "three").await?, 0);
    {
        let mut messages = subscriber.on_message();
        let first = messages.next().await.expect("a message");
        assert_eq!((first.get_channel_name(), first.get_payload::<String>()?.as_str()), ("news", "one"));
        let second = messages.next().await.expect("a message");
        assert_eq!(second.get_pattern::<String>()?, "user:*");
        assert_eq!((second.get_channel_name(), second.get_payload::<String>()?.as_str()), ("user:7", "둘"));
        for i in 0..2000 {
            c.publish("user:many", i).await?;
        }
        for i in 0..2000 {
            assert_eq!(messages.next().await.expect("a message").get_payload::<usize>()?, i);
        }
    }
    subscriber.unsubscribe("news").await?;
    assert_eq!(c.publish("news", "unheard").await?, 0);
    drop(subscriber);
    if door.protocol() == ProtocolVersion::RESP3 {
        pushed_beside_replies(door).await?;
    }
    Ok(())
}

/// In RESP3 one connection subscribes and asks.
async fn pushed_beside_replies(door: Door) -> Outcome {
    let (sender, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let mut both = door.connect_with(patient().set_push_sender(sender)).await?;
    both.subscribe("own").await?;
    assert_eq!(both.publish("own", "to myself").await?, 1);
    assert_eq!(both.incr("n", 1).await?, 1);
    assert_eq!(pushes.recv().await.expect("a push").kind, PushKind::Subscribe);
    let message = pushes.recv().await.expect("a push");
    assert_eq!(message.kind, PushKind::Message);
    assert_eq!(message.data, [Value::BulkString(b"own".to_vec()), Value::BulkString(b"to myself".to_vec())]);
    Ok(())
}

pub async fn blocking(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let mut waiter = door.connect().await?;
    assert_eq!(waiter.blpop("none", 0.1).await?, None);
    let mut second = waiter.clone();
    let coming = tokio::spawn(async move { second.blpop(&["none", "later"], 10.0).await });
    let asking = c.clone();
    until(|| {
        let mut asking = asking.clone();
        async move {
            let info: String = redis::cmd("INFO").arg("clients").query_async(&mut asking).await.unwrap_or_default();
            info.contains("blocked_clients:1")
        }
    })
    .await;
    assert_eq!(c.rpush("later", &["came", "second"]).await?, 2);
    assert_eq!(coming.await??, Some(["later".to_owned(), "came".to_owned()]));
    let moved = waiter.blmove("later", "moved", Direction::Left, Direction::Right, 1.0).await?;
    assert_eq!(moved.as_deref(), Some("second"));
    assert_eq!(waiter.brpop("moved", 1.0).await?, Some(["moved".to_owned(), "second".to_owned()]));
    Ok(())
}

/// A connection manager comes back, and in RESP3 with its subscriptions.
pub async fn reconnecting(mut c: MultiplexedConnection, door: Door) -> Outcome {
    let Door::Socket(client) = &door else { return Err("reconnecting takes a socket".into()) };
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(60)));
    let config = config.set_min_delay(Duration::from_millis(5)).set_number_of_retries(50);
    let resp3 = door.protocol() == ProtocolVersion::RESP3;
    let (sender, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let config = if resp3 { config.set_push_sender(sender).set_automatic_resubscription() } else { config };
    let mut managed = ConnectionManager::new_with_config(client.clone(), config).await?;
    if resp3 {
        managed.subscribe("news").await?;
    }
    for round in 1..=3 {
        let id: u64 = redis::cmd("CLIENT").arg("ID").query_async(&mut managed).await?;
        let killed: u64 = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async(&mut c).await?;
        assert_eq!(killed, 1);
        let again = managed.clone();
        until(|| {
            let mut again = again.clone();
            async move { again.ping().await.is_ok() }
        })
        .await;
        assert_eq!(managed.incr("rounds", 1).await?, round);
        if resp3 {
            let publisher = c.clone();
            until(|| {
                let mut publisher = publisher.clone();
                async move { publisher.publish("news", "again").await.unwrap_or(0) == 1 }
            })
            .await;
            while pushes.recv().await.expect("a push").kind != PushKind::Message {}
        }
    }
    Ok(())
}

/// The client without a runtime.
pub async fn synchronous(_: MultiplexedConnection, door: Door) -> Outcome {
    use redis::TypedCommands as Typed;
    let Door::Socket(client) = door else { return Err("the synchronous client takes a socket".into()) };
    tokio::task::spawn_blocking(move || {
        let mut c = client.get_connection()?;
        Typed::set(&mut c, "k", "v")?;
        assert_eq!(Typed::get(&mut c, "k")?.as_deref(), Some("v"));
        let (sum,): (i64,) = redis::transaction(&mut c, &["n"], |c, pipe| {
            let now: Option<i64> = redis::Commands::get(c, "n")?;
            pipe.set("n", now.unwrap_or(0) + 5).ignore().get("n").query(c)
        })?;
        assert_eq!(sum, 5);
        let mut publisher = client.get_connection()?;
        let mut subscriber = c.as_pubsub();
        subscriber.subscribe("news")?;
        Typed::publish(&mut publisher, "news", "one")?;
        assert_eq!(subscriber.get_message()?.get_payload::<String>()?, "one");
        Ok(())
    })
    .await?
}
