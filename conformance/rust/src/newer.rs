//! Bitmaps, places, streams with groups, sorting, fields that expire and the cache on the client's side: redis-rs in its
//! own types where it has them, and fred.

use crate::redis_client::{Door, patient};
use crate::{Outcome, until};
use fred::prelude::*;
use fred::types::streams::XReadResponse;
use redis::aio::MultiplexedConnection;
use redis::caching::CacheConfig;
use redis::geo::{Coord, RadiusOptions, RadiusOrder, RadiusSearchResult, Unit};
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, ExpireOption, ProtocolVersion};

pub async fn bitmaps(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let () = c.set("k", "foobar").await?;
    assert_eq!(c.bitcount::<_, u64>("k").await?, 26);
    assert_eq!(c.bitcount_range::<_, u64>("k", 1, 1).await?, 6);
    assert!(!c.setbit::<_, bool>("b", 100, true).await?);
    assert!(c.getbit::<_, bool>("b", 100).await?);
    assert_eq!(c.bit_not::<_, _, u64>("inverted", "b").await?, 13);
    assert_eq!(c.bitcount::<_, u64>("inverted").await?, 103);
    let mut fields = redis::cmd("BITFIELD");
    fields.arg("f").arg("INCRBY").arg("i5").arg(100).arg(1).arg("GET").arg("u4").arg(0);
    assert_eq!(fields.query_async::<Vec<i64>>(&mut c).await?, [1, 0]);
    Ok(())
}

pub async fn places(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let sicily = [(Coord::lon_lat(13.361389, 38.115556), "Palermo"), (Coord::lon_lat(15.087269, 37.502669), "Catania")];
    assert_eq!(c.geo_add::<_, _, u64>("Sicily", &sicily[..]).await?, 2);
    let metres: f64 = c.geo_dist("Sicily", "Palermo", "Catania", Unit::Meters).await?;
    assert_eq!(metres, 166_274.151_6);
    let hashes: Vec<String> = c.geo_hash("Sicily", &["Palermo", "Catania"]).await?;
    assert_eq!(hashes, ["sqc8b49rny0", "sqdtr74hyu0"]);
    let options = RadiusOptions::default().with_dist().order(RadiusOrder::Asc);
    let found: Vec<RadiusSearchResult> = c.geo_radius("Sicily", 15.0, 37.0, 200.0, Unit::Kilometers, options).await?;
    let found: Vec<_> = found.into_iter().map(|place| (place.name, place.dist)).collect();
    assert_eq!(found, [("Catania".to_owned(), Some(56.4413)), ("Palermo".to_owned(), Some(190.4424))]);
    Ok(())
}

pub async fn streams(mut c: MultiplexedConnection, door: Door) -> Outcome {
    assert_eq!(c.xadd::<_, _, _, _, String>("s", "1-1", &[("n", "1"), ("이름", "하나")]).await?, "1-1");
    let () = c.xgroup_create("s", "g", "0").await?;
    let again = c.xgroup_create::<_, _, _, ()>("s", "g", "0").await.expect_err("the group is there");
    assert_eq!(again.code(), Some("BUSYGROUP"));
    let options = StreamReadOptions::default().group("g", "alice");
    let read: StreamReadReply = c.xread_options(&["s"], &[">"], &options).await?;
    assert_eq!(read.keys[0].ids[0].id, "1-1");
    assert_eq!(read.keys[0].ids[0].get::<String>("이름").as_deref(), Some("하나"));
    let mut waiter = door.connect().await?;
    let coming = tokio::spawn(async move {
        let options = StreamReadOptions::default().group("g", "bob").block(10_000);
        waiter.xread_options::<_, _, StreamReadReply>(&["s"], &[">"], &options).await
    });
    let asking = c.clone();
    until(|| {
        let mut asking = asking.clone();
        async move {
            let info: String = redis::cmd("INFO").arg("clients").query_async(&mut asking).await.unwrap_or_default();
            info.contains("blocked_clients:1")
        }
    })
    .await;
    let () = c.xadd("s", "2-0", &[("n", "2")]).await?;
    assert_eq!(coming.await??.keys[0].ids[0].id, "2-0");
    assert_eq!(c.xack::<_, _, _, u64>("s", "g", &["1-1", "9-9"]).await?, 1);
    let pending: redis::streams::StreamPendingReply = c.xpending("s", "g").await?;
    assert_eq!(pending.count(), 1);
    let mut many = redis::pipe();
    for i in 1..=10_000 {
        many.xadd("long", format!("{i}-0"), &[("i", i)]).ignore();
    }
    let () = many.query_async(&mut c).await?;
    assert_eq!(c.xlen::<_, u64>("long").await?, 10_000);
    Ok(())
}

pub async fn sorting(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let () = c.rpush("l", &[3, 10, 1]).await?;
    let sorted: Vec<u64> = redis::cmd("SORT").arg("l").query_async(&mut c).await?;
    assert_eq!(sorted, [1, 3, 10]);
    Ok(())
}

pub async fn fields_that_expire(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let () = c.hset_multiple("h", &[("a", 1), ("b", 2)]).await?;
    assert_eq!(c.hexpire::<_, _, Vec<i64>>("h", 100, ExpireOption::NONE, &["a", "none"]).await?, [1, -2]);
    assert_eq!(c.httl::<_, _, Vec<i64>>("h", &["a", "b"]).await?, [100, -1]);
    assert_eq!(c.hpersist::<_, _, Vec<i64>>("h", "a").await?, [1]);
    assert_eq!(c.hpexpire::<_, _, Vec<i64>>("h", 20, ExpireOption::NONE, "a").await?, [1]);
    until(|| {
        let mut c = c.clone();
        async move { !c.hexists::<_, _, bool>("h", "a").await.unwrap_or(true) }
    })
    .await;
    Ok(())
}

/// What a connection has read it keeps until the server says that it has changed.
pub async fn client_side_cache(mut c: MultiplexedConnection, door: Door) -> Outcome {
    if door.protocol() == ProtocolVersion::RESP2 {
        let refused = door.connect_with(patient().set_cache_config(CacheConfig::new())).await;
        assert!(refused.is_err(), "the cache takes RESP3");
        return Ok(());
    }
    let mut mine = door.connect_with(patient().set_cache_config(CacheConfig::new())).await?;
    let () = c.set("k", "one").await?;
    for _ in 0..50 {
        assert_eq!(mine.get::<_, String>("k").await?, "one");
    }
    let statistics = mine.get_cache_statistics().expect("a cache");
    assert_eq!((statistics.hit, statistics.miss), (49, 1));
    let () = c.set("k", "two").await?;
    let caching = mine.clone();
    until(|| {
        let mut caching = caching.clone();
        async move { caching.get::<_, String>("k").await.is_ok_and(|value| value == "two") }
    })
    .await;
    Ok(())
}

/// The same kinds of values through fred.
pub async fn with_fred(c: Client) -> Outcome {
    assert_eq!(c.xadd::<String, _, _, _, _>("s", false, None, "1-1", vec![("n", "1")]).await?, "1-1");
    let () = c.xgroup_create("s", "g", "0", false).await?;
    let read: XReadResponse<String, String, String, String> =
        c.xreadgroup_map("g", "c", None, None, false, "s", ">").await?;
    assert_eq!(read["s"][0].0, "1-1");
    assert_eq!(c.xack::<u64, _, _, _>("s", "g", "1-1").await?, 1);
    Ok(())
}
