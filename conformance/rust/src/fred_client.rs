//! The families over fred, in both protocols.

use crate::{Outcome, WORDS, case, every_byte, until};
use fred::prelude::*;
use fred::types::client::{ClientKillFilter, ClientKillType};
use fred::types::config::ReconnectPolicy;
use fred::types::lists::{LMoveDirection, ListLocation};
use fred::types::scan::Scanner as _;
use fred::types::{InfoKind, RespVersion, Value};
use futures::TryStreamExt as _;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A function that connects further clients of the same kind.
type Connect = std::sync::Arc<dyn Fn() -> futures::future::BoxFuture<'static, FredResult<Client>> + Send + Sync>;

/// Every family over both protocols.
pub async fn run(host: &str, port: u16) {
    for (version, name) in [(RespVersion::RESP2, "RESP2"), (RespVersion::RESP3, "RESP3")] {
        let config = Config { server: ServerConfig::new_centralized(host, port), version, ..Config::default() };
        let connect: Connect = std::sync::Arc::new(move || {
            let config = config.clone();
            Box::pin(async move {
                let client = Builder::from_config(config).set_policy(ReconnectPolicy::new_constant(0, 10)).build()?;
                client.init().await?;
                Ok(client)
            })
        });
        let label = format!("fred 10.1 {name}");
        macro_rules! families {
            ($($family:ident),* $(,)?) => {$(
                let body = |client, connect| $family(client, connect);
                case(&label, &stringify!($family).replace('_', " "), on_empty_server(connect.clone(), body)).await;
            )*};
        }
        families!(
            strings,
            keys_and_expiry,
            hashes,
            lists,
            sets,
            sorted_sets,
            hyperloglogs,
            binary_values,
            unicode_keys,
            pipelines,
            transactions,
            watch_contention,
            scan_while_writing,
            pub_sub,
            blocking,
            reconnecting,
            streams,
        );
    }
}

async fn on_empty_server<F: Future<Output = Outcome>>(
    connect: Connect,
    family: impl FnOnce(Client, Connect) -> F,
) -> Outcome {
    let client = connect().await?;
    let () = client.flushall(false).await?;
    family(client.clone(), connect).await?;
    client.quit().await?;
    Ok(())
}

async fn strings(c: Client, _: Connect) -> Outcome {
    let () = c.set("k", "v", None, None, false).await?;
    assert_eq!(c.get::<Option<String>, _>("k").await?.as_deref(), Some("v"));
    let refused: Option<String> = c.set("k", "w", None, Some(SetOptions::NX), false).await?;
    assert_eq!(refused, None);
    let old: String = c.set("k", "w", Some(Expiration::EX(100)), Some(SetOptions::XX), true).await?;
    assert_eq!(old, "v");
    assert_eq!(c.ttl::<i64, _>("k").await?, 100);
    let () = c.mset(vec![("a", 1), ("b", 2)]).await?;
    assert_eq!(c.mget::<Vec<Option<i64>>, _>(vec!["a", "none", "b"]).await?, [Some(1), None, Some(2)]);
    assert_eq!(c.incr_by::<i64, _>("n", 42).await?, 42);
    assert_eq!(c.incr_by_float::<f64, _>("n", 0.5).await?, 42.5);
    assert!(c.incr::<i64, _>("n").await.is_err_and(|error| error.details().contains("not an integer")));
    assert_eq!(c.append::<usize, _, _>("k", "x").await?, 2);
    assert_eq!(c.getrange::<String, _>("k", 1, 1).await?, "x");
    assert_eq!(c.getdel::<String, _>("k").await?, "wx");
    Ok(())
}

async fn keys_and_expiry(c: Client, _: Connect) -> Outcome {
    let () = c.mset(vec![("one", 1), ("two", 2)]).await?;
    assert_eq!(c.exists::<u64, _>(vec!["one", "two", "none"]).await?, 2);
    let () = c.rename("one", "uno").await?;
    assert_eq!(c.expire::<u64, _>("uno", 100, None).await?, 1);
    assert_eq!(c.persist::<u64, _>("uno").await?, 1);
    assert_eq!(c.pttl::<i64, _>("uno").await?, -1);
    let payload: Value = c.dump("uno").await?;
    let () = c.restore("copy", 0, payload, false, false, None, None).await?;
    assert_eq!(c.get::<i64, _>("copy").await?, 1);
    assert_eq!(c.unlink::<u64, _>(vec!["copy", "none"]).await?, 1);
    let () = c.pexpire("two", 20, None).await?;
    until(|| {
        let c = c.clone();
        async move { c.exists::<u64, _>("two").await.is_ok_and(|found| found == 0) }
    })
    .await;
    Ok(())
}

async fn hashes(c: Client, _: Connect) -> Outcome {
    assert_eq!(c.hset::<u64, _, _>("h", vec![("a", "1"), ("b", "two")]).await?, 2);
    let all: HashMap<String, String> = c.hgetall("h").await?;
    assert_eq!(all, HashMap::from([("a".into(), "1".into()), ("b".into(), "two".into())]));
    assert_eq!(c.hincrby::<i64, _, _>("h", "a", 9).await?, 10);
    assert_eq!(c.hmget::<Vec<Option<String>>, _, _>("h", vec!["b", "none"]).await?, [Some("two".into()), None]);
    assert_eq!(c.hdel::<u64, _, _>("h", vec!["b", "none"]).await?, 1);
    assert_eq!(c.hlen::<u64, _>("h").await?, 1);
    assert_eq!(c.hkeys::<Vec<String>, _>("h").await?, ["a"]);
    let fields: Vec<(String, u64)> = (0..2000).map(|i| (format!("f{i}"), i)).collect();
    assert_eq!(c.hset::<u64, _, _>("wide", fields).await?, 2000);
    assert_eq!(c.hvals::<Vec<u64>, _>("wide").await?.iter().sum::<u64>(), 1_999_000);
    Ok(())
}

async fn lists(c: Client, _: Connect) -> Outcome {
    assert_eq!(c.rpush::<u64, _, _>("l", vec!["a", "b", "c"]).await?, 3);
    assert_eq!(c.lpush::<u64, _, _>("l", "z").await?, 4);
    assert_eq!(c.lrange::<Vec<String>, _>("l", 0, -1).await?, ["z", "a", "b", "c"]);
    assert_eq!(c.linsert::<u64, _, _, _>("l", ListLocation::Before, "b", "x").await?, 5);
    assert_eq!(c.lrem::<u64, _, _>("l", 0, "x").await?, 1);
    assert_eq!(c.lmove::<String, _, _>("l", "m", LMoveDirection::Right, LMoveDirection::Left).await?, "c");
    assert_eq!(c.lpop::<Vec<String>, _>("l", Some(2)).await?, ["z", "a"]);
    assert_eq!(c.llen::<u64, _>("l").await?, 1);
    Ok(())
}

async fn sets(c: Client, _: Connect) -> Outcome {
    assert_eq!(c.sadd::<u64, _, _>("a", vec![1, 2, 3]).await?, 3);
    assert_eq!(c.sadd::<u64, _, _>("b", vec![3, 4]).await?, 2);
    assert_eq!(c.smembers::<HashSet<u64>, _>("a").await?, HashSet::from([1, 2, 3]));
    assert_eq!(c.sinter::<HashSet<u64>, _>(vec!["a", "b"]).await?, HashSet::from([3]));
    assert_eq!(c.sdiffstore::<u64, _, _>("d", vec!["a", "b"]).await?, 2);
    assert!(c.sismember::<bool, _, _>("a", 1).await?);
    assert_eq!(c.srem::<u64, _, _>("a", vec![1, 9]).await?, 1);
    assert_eq!(c.spop::<HashSet<u64>, _>("b", Some(2)).await?, HashSet::from([3, 4]));
    Ok(())
}

async fn sorted_sets(c: Client, _: Connect) -> Outcome {
    let members = vec![(1.0, "a"), (2.0, "b"), (3.0, "c")];
    assert_eq!(c.zadd::<u64, _, _>("z", None, None, false, false, members).await?, 3);
    assert_eq!(c.zincrby::<f64, _, _>("z", 1.5, "a").await?, 2.5);
    let ranked: Vec<(String, f64)> = c.zrange("z", 0, -1, None, false, None, true).await?;
    assert_eq!(ranked, [("b".into(), 2.0), ("a".into(), 2.5), ("c".into(), 3.0)]);
    assert_eq!(c.zscore::<f64, _, _>("z", "c").await?, 3.0);
    assert_eq!(c.zrank::<u64, _, _>("z", "a", false).await?, 1);
    assert_eq!(c.zcard::<u64, _>("z").await?, 3);
    assert_eq!(c.zrangebyscore::<Vec<String>, _, _, _>("z", "(2", "+inf", false, None).await?, ["a", "c"]);
    assert_eq!(c.zunionstore::<u64, _, _, _>("u", vec!["z", "z"], vec![1.0, 2.0], None).await?, 3);
    assert_eq!(c.zscore::<f64, _, _>("u", "c").await?, 9.0);
    assert_eq!(c.zrem::<u64, _, _>("z", vec!["a", "none"]).await?, 1);
    Ok(())
}

async fn hyperloglogs(c: Client, _: Connect) -> Outcome {
    let users: Vec<String> = (0..10_000).map(|i| format!("user-{i}")).collect();
    assert_eq!(c.pfadd::<u64, _, _>("many", users).await?, 1);
    assert_eq!(c.pfcount::<u64, _>("many").await?, 9957);
    Ok(())
}

async fn binary_values(c: Client, _: Connect) -> Outcome {
    let every = every_byte();
    let () = c.set(&every[..], &every[..], None, None, false).await?;
    assert_eq!(c.get::<Value, _>(&every[..]).await?.as_bytes(), Some(&every[..]));
    let five: Vec<u8> = every.iter().copied().cycle().take(5 << 20).collect();
    let () = c.set("big", &five[..], None, None, false).await?;
    assert!(c.get::<Value, _>("big").await?.as_bytes() == Some(&five[..]));
    Ok(())
}

async fn unicode_keys(c: Client, _: Connect) -> Outcome {
    for word in WORDS {
        let () = c.set(format!("낱말:{word}"), word, None, None, false).await?;
    }
    for word in WORDS {
        assert_eq!(c.get::<String, _>(format!("낱말:{word}")).await?, word);
    }
    Ok(())
}

async fn pipelines(c: Client, _: Connect) -> Outcome {
    let pipeline = c.pipeline();
    for i in 0..50_000 {
        let () = pipeline.set(format!("k{i}"), i, None, None, false).await?;
    }
    for i in 0..50_000 {
        let () = pipeline.get(format!("k{i}")).await?;
    }
    let replies: Vec<Value> = pipeline.all().await?;
    assert_eq!(replies.len(), 100_000);
    assert!(replies[50_000..].iter().enumerate().all(|(i, value)| value.as_u64() == Some(i as u64)));
    Ok(())
}

async fn transactions(c: Client, _: Connect) -> Outcome {
    let multi = c.multi();
    let () = multi.incr("n").await?;
    let () = multi.rpush("l", "a").await?;
    assert_eq!(multi.exec::<(i64, i64)>(true).await?, (1, 1));
    let multi = c.multi();
    let () = multi.set("k", "never", None, None, false).await?;
    let refused = multi.custom::<Value, _>(fred::cmd!("NONSENSE"), vec!["a"]).await;
    assert!(refused.is_err() || multi.exec::<Value>(true).await.is_err());
    assert_eq!(c.exists::<u64, _>("k").await?, 0);
    Ok(())
}

/// With `WATCH` on connections of their own, over fred's raw commands.
async fn watch_contention(c: Client, connect: Connect) -> Outcome {
    let work = || {
        let connect = connect.clone();
        tokio::spawn(async move {
            let mine = connect().await?;
            let mut done = 0;
            while done < 25 {
                let () = mine.custom(fred::cmd!("WATCH"), vec!["total"]).await?;
                let now: Option<i64> = mine.get("total").await?;
                let multi = mine.multi();
                let () = multi.set("total", now.unwrap_or(0) + 1, None, None, false).await?;
                done += usize::from(!multi.exec::<Value>(true).await?.is_null());
            }
            mine.quit().await
        })
    };
    for worker in futures::future::join_all((0..8).map(|_| work())).await {
        worker??;
    }
    assert_eq!(c.get::<i64, _>("total").await?, 200);
    Ok(())
}

async fn scan_while_writing(c: Client, connect: Connect) -> Outcome {
    let pipeline = c.pipeline();
    for i in 0..50_000 {
        let () = pipeline.set(format!("stays:{i}"), "", None, None, false).await?;
    }
    let () = pipeline.last().await?;
    let writer = connect().await?;
    let writing = tokio::spawn({
        let writer = writer.clone();
        async move {
            for i in 0_u64.. {
                let batch = writer.pipeline();
                for j in 100 * i..100 * (i + 1) {
                    let () = batch.set(format!("new:{j}"), "", None, None, false).await?;
                    let () = batch.del(format!("new:{}", j.wrapping_sub(500))).await?;
                }
                let () = batch.last().await?;
            }
            FredResult::Ok(())
        }
    });
    let mut seen = HashSet::new();
    let mut pages = Box::pin(c.scan("stays:*", Some(1000), None));
    while let Some(mut page) = pages.try_next().await? {
        seen.extend(page.take_results().unwrap_or_default().iter().map(|key| key.as_bytes().to_vec()));
        page.next();
    }
    writing.abort();
    assert_eq!(seen.len(), 50_000);
    Ok(())
}

/// A subscriber that is cut off comes back with its subscriptions.
async fn pub_sub(c: Client, connect: Connect) -> Outcome {
    let config = connect().await?.client_config();
    let policy = ReconnectPolicy::new_constant(0, 10);
    let subscriber = Builder::from_config(config).set_policy(policy).build_subscriber_client()?;
    subscriber.init().await?;
    let mut heard = subscriber.message_rx();
    let managing = subscriber.manage_subscriptions();
    let () = subscriber.subscribe("news").await?;
    let () = subscriber.psubscribe("user:*").await?;
    for round in 0..3 {
        until(|| {
            let c = c.clone();
            async move {
                let channels = c.pubsub_channels::<Vec<String>, _>("*").await.unwrap_or_default();
                channels == ["news"] && c.pubsub_numpat::<u64>().await.is_ok_and(|patterns| patterns == 1)
            }
        })
        .await;
        assert_eq!(c.publish::<u64, _, _>("news", format!("round {round}")).await?, 1);
        assert_eq!(heard.recv().await?.value.as_string().as_deref(), Some(format!("round {round}").as_str()));
        assert_eq!(c.publish::<u64, _, _>("user:7", "둘").await?, 1);
        let message = heard.recv().await?;
        assert_eq!(
            (message.channel.to_string().as_str(), message.value.as_string().as_deref()),
            ("user:7", Some("둘"))
        );
        if round < 2 {
            let () = c.client_kill(vec![ClientKillFilter::Type(ClientKillType::Pubsub)]).await?;
        }
    }
    subscriber.quit().await?;
    managing.abort();
    Ok(())
}

async fn blocking(c: Client, connect: Connect) -> Outcome {
    let waiter = connect().await?;
    let waited = waiter.blpop::<Value, _>("none", 0.1).await;
    // fred makes an error of the null that tells that nothing came in time.
    assert!(waited.as_ref().is_err_and(|error| *error.kind() == ErrorKind::Timeout), "{waited:?}");
    let coming = tokio::spawn({
        let waiter = waiter.clone();
        async move { waiter.blpop::<(String, String), _>(vec!["none", "later"], 10.0).await }
    });
    until(|| {
        let c = c.clone();
        async move {
            let info: String = c.info(Some(InfoKind::Clients)).await.unwrap_or_default();
            info.contains("blocked_clients:1")
        }
    })
    .await;
    assert_eq!(c.rpush::<u64, _, _>("later", vec!["came", "second"]).await?, 2);
    assert_eq!(coming.await??, ("later".into(), "came".into()));
    let moved: String = waiter.blmove("later", "moved", LMoveDirection::Left, LMoveDirection::Right, 1.0).await?;
    assert_eq!(moved, "second");
    waiter.quit().await?;
    Ok(())
}

async fn reconnecting(c: Client, connect: Connect) -> Outcome {
    let mine = connect().await?;
    for round in 1..=3 {
        let id: String = mine.client_id::<i64>().await?.to_string();
        let () = c.client_kill(vec![ClientKillFilter::ID(id)]).await?;
        until(|| {
            let mine = mine.clone();
            async move { mine.ping::<String>(None).await.is_ok() }
        })
        .await;
        assert_eq!(mine.incr::<i64, _>("rounds").await?, round);
    }
    tokio::time::timeout(Duration::from_secs(5), mine.quit()).await??;
    Ok(())
}

async fn streams(c: Client, _: Connect) -> Outcome {
    crate::newer::with_fred(c).await
}
