//! The families over redis-rs: through a socket in both protocols, and through an embedded server's stream in memory.

use crate::{Outcome, WORDS, case, every_byte, newer, redis_flow, until};
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, AsyncTypedCommands, Client, Direction, ExistenceCheck, Expiry, IntegerReplyOrNoOp,
    LposOptions, ProtocolVersion, RedisConnectionInfo, SetExpiry, SetOptions,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The way to a server: whoever is given one can open as many connections as they need.
#[derive(Clone)]
pub enum Door {
    /// Through a socket.
    Socket(Client),
    /// Through a stream in memory.
    Memory(Arc<pipkin::Server>, RedisConnectionInfo),
}

/// Waits longer than redis-rs does of itself: the machine may be busy.
pub fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(60)))
}

impl Door {
    /// A connection of its own.
    pub async fn connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        self.connect_with(patient()).await
    }

    /// The same, configured.
    pub async fn connect_with(&self, config: AsyncConnectionConfig) -> redis::RedisResult<MultiplexedConnection> {
        match self {
            Door::Socket(client) => client.get_multiplexed_async_connection_with_config(&config).await,
            Door::Memory(server, info) => {
                let (connection, driver) =
                    MultiplexedConnection::new_with_config(info, server.duplex(), config).await?;
                tokio::spawn(driver);
                Ok(connection)
            }
        }
    }

    /// A connection that only subscribes.
    pub async fn subscriber(&self) -> redis::RedisResult<PubSub> {
        match self {
            Door::Socket(client) => client.get_async_pubsub().await,
            Door::Memory(server, info) => PubSub::new(info, server.duplex()).await,
        }
    }

    /// Which protocol its connections speak.
    pub fn protocol(&self) -> ProtocolVersion {
        match self {
            Door::Socket(client) => client.get_connection_info().redis_settings().protocol(),
            Door::Memory(_, info) => info.protocol(),
        }
    }
}

/// Runs the families of a list, each on an empty server.
macro_rules! families {
    ($label:expr, $door:expr, [$($module:ident :: $family:ident),* $(,)?]) => {$(
        let door: Door = $door.clone();
        case($label, &stringify!($family).replace('_', " "), async move {
            let mut connection = door.connect().await?;
            connection.flushall().await?;
            $module::$family(connection, door).await
        })
        .await;
    )*};
}

/// Every family through every door.
pub async fn run(host: &str, port: u16, embedded_too: bool) {
    let protocols = [(ProtocolVersion::RESP2, "RESP2"), (ProtocolVersion::RESP3, "RESP3")];
    for (protocol, name) in protocols {
        let info = redis::IntoConnectionInfo::into_connection_info((host, port)).expect("an address");
        let settings = info.redis_settings().clone().set_protocol(protocol);
        let client = Client::open(info.set_redis_settings(settings)).expect("a client");
        through(&format!("redis-rs 1.8 {name}"), &Door::Socket(client)).await;
    }
    if embedded_too {
        for (protocol, name) in protocols {
            let server = pipkin::Server::builder().open().expect("an embedded server");
            let info = RedisConnectionInfo::default().set_protocol(protocol);
            through(&format!("redis-rs 1.8 in memory {name}"), &Door::Memory(Arc::new(server), info)).await;
        }
    }
}

async fn through(label: &str, door: &Door) {
    use crate::redis_client as data;
    families!(
        label,
        door,
        [
            data::strings,
            data::keys_and_expiry,
            data::hashes,
            data::lists,
            data::sets,
            data::sorted_sets,
            data::hyperloglogs,
            data::binary_values,
            data::unicode_keys,
            data::large_values,
            data::server,
            redis_flow::pipelines,
            redis_flow::transactions,
            redis_flow::watch_contention,
            redis_flow::scan_while_writing,
            redis_flow::pub_sub,
            redis_flow::blocking,
            newer::bitmaps,
            newer::places,
            newer::streams,
            newer::sorting,
            newer::client_side_cache,
        ]
    );
    if knows(door, "HEXPIRE").await {
        families!(label, door, [newer::fields_that_expire]);
    }
    if let Door::Socket(_) = door {
        families!(label, door, [redis_flow::reconnecting, redis_flow::synchronous]);
    }
}

/// Whether the server knows a command. Pipkin has to: only another server may lack the newest ones.
async fn knows(door: &Door, command: &str) -> bool {
    if std::env::var_os("CONFORMANCE_TARGET").is_none() {
        return true;
    }
    let mut asking = redis::cmd("COMMAND");
    asking.arg("LIST").arg("FILTERBY").arg("PATTERN").arg(command);
    let mut connection = door.connect().await.expect("a connection");
    asking.query_async::<Vec<String>>(&mut connection).await.is_ok_and(|found| !found.is_empty())
}

async fn strings(mut c: MultiplexedConnection, _: Door) -> Outcome {
    c.set("k", "v").await?;
    assert_eq!(c.get("k").await?.as_deref(), Some("v"));
    assert_eq!(c.get("none").await?, None);
    let options = SetOptions::default().conditional_set(ExistenceCheck::NX);
    assert_eq!(c.set_options("k", "w", options).await?, None);
    let options = SetOptions::default().with_expiration(SetExpiry::EX(100)).get(true);
    assert_eq!(c.set_options("k", "w", options).await?.as_deref(), Some("v"));
    assert_eq!(c.ttl("k").await?, IntegerReplyOrNoOp::IntegerReply(100));
    assert_eq!(c.append("k", "x").await?, 2);
    assert_eq!(c.getrange("k", -1, -1).await?, "x");
    assert_eq!(c.setrange("k", 3, "!").await?, 4);
    c.mset(&[("a", 1), ("b", 2)]).await?;
    assert_eq!(c.mget(&["a", "none", "b"]).await?, [Some("1".into()), None, Some("2".into())]);
    assert!(!c.mset_nx(&[("a", 9), ("c", 9)]).await?);
    assert_eq!(c.incr("n", 42).await?, 42);
    assert_eq!(c.decr("n", 2).await?, 40);
    let sum: f64 = redis::cmd("INCRBYFLOAT").arg("n").arg(0.5).query_async(&mut c).await?;
    assert_eq!(sum, 40.5);
    let error = c.incr("n", 1).await.expect_err("no integer");
    assert!(error.to_string().contains("value is not an integer or out of range"), "{error}");
    assert_eq!(c.get_ex("a", Expiry::PERSIST).await?.as_deref(), Some("1"));
    assert_eq!(c.get_del("a").await?.as_deref(), Some("1"));
    c.rpush("l", 1).await?;
    let error = c.get("l").await.expect_err("a list");
    assert_eq!(error.code(), Some("WRONGTYPE"));
    Ok(())
}

async fn keys_and_expiry(mut c: MultiplexedConnection, _: Door) -> Outcome {
    c.mset(&[("one", 1), ("two", 2)]).await?;
    let mut keys = c.keys("t*").await?;
    keys.extend(c.keys("[o]ne").await?);
    assert_eq!(keys, ["two", "one"]);
    assert!(c.exists(&["one", "none"]).await?);
    c.rename("one", "uno").await?;
    assert!(c.rename("one", "uno").await.is_err());
    assert!(c.expire("uno", 100).await?);
    assert_eq!(c.ttl("uno").await?, IntegerReplyOrNoOp::IntegerReply(100));
    assert!(c.persist("uno").await?);
    assert_eq!(c.ttl("uno").await?, IntegerReplyOrNoOp::ExistsButNotRelevant);
    assert_eq!(c.pttl("none").await?, IntegerReplyOrNoOp::NotExists);
    assert!(c.pexpire("uno", 20).await?);
    until(|| {
        let mut c = c.clone();
        async move { !c.exists("uno").await.unwrap_or(true) }
    })
    .await;
    assert_eq!(c.object_encoding("two").await?.as_deref(), Some("int"));
    let payload: Vec<u8> = redis::cmd("DUMP").arg("two").query_async(&mut c).await?;
    let () = redis::cmd("RESTORE").arg("three").arg(0).arg(payload).query_async(&mut c).await?;
    assert_eq!(c.get("three").await?.as_deref(), Some("2"));
    assert_eq!(c.unlink(&["three", "none"]).await?, 1);
    assert_eq!(c.del("two").await?, 1);
    Ok(())
}

async fn hashes(mut c: MultiplexedConnection, _: Door) -> Outcome {
    c.hset_multiple("h", &[("a", "1"), ("b", "two")]).await?;
    assert_eq!(c.hset("h", "c", 3.5).await?, 1);
    assert_eq!(c.hget("h", "b").await?.as_deref(), Some("two"));
    let all = [("a", "1"), ("b", "two"), ("c", "3.5")].map(|(field, value)| (field.to_owned(), value.to_owned()));
    assert_eq!(c.hgetall("h").await?, HashMap::from(all));
    assert_eq!(c.hincr("h", "a", -5).await?, -4.0);
    assert!(!c.hset_nx("h", "a", 9).await?);
    assert!(c.hexists("h", "b").await?);
    assert_eq!(c.hlen("h").await?, 3);
    assert_eq!(c.hdel("h", &["a", "b", "none"]).await?, 2);
    let fields: Vec<(String, String)> = (0..3000).map(|i| (format!("f{i}"), i.to_string())).collect();
    c.hset_multiple("wide", &fields).await?;
    let mut seen = HashMap::new();
    let mut walk = c.hscan::<_, (String, String)>("wide").await?;
    while let Some(entry) = walk.next_item().await {
        let (field, value) = entry?;
        seen.insert(field, value);
    }
    assert_eq!(seen, fields.into_iter().collect());
    Ok(())
}

async fn lists(mut c: MultiplexedConnection, _: Door) -> Outcome {
    assert_eq!(c.rpush("l", &["a", "b", "c"]).await?, 3);
    assert_eq!(c.lpush("l", "z").await?, 4);
    assert_eq!(c.lrange("l", 0, -1).await?, ["z", "a", "b", "c"]);
    assert_eq!(c.lindex("l", -1).await?.as_deref(), Some("c"));
    assert_eq!(c.linsert_before("l", "b", "x").await?, 5);
    let at: Option<usize> = redis::AsyncCommands::lpos(&mut c, "l", "x", LposOptions::default()).await?;
    assert_eq!(at, Some(2));
    assert_eq!(c.lrem("l", 0, "x").await?, 1);
    c.ltrim("l", 1, 2).await?;
    assert_eq!(c.lmove("l", "m", Direction::Left, Direction::Right).await?, "a");
    let popped = c.lmpop(2, &["none", "l"], Direction::Left, 5).await?;
    assert_eq!(popped, Some(("l".to_owned(), vec!["b".to_owned()])));
    assert!(c.lset("m", 9, "x").await.is_err());
    let many: Vec<usize> = (0..10_000).collect();
    assert_eq!(c.rpush("long", &many).await?, 10_000);
    assert_eq!(c.lrange("long", 4998, 4999).await?, ["4998", "4999"]);
    Ok(())
}

async fn sets(mut c: MultiplexedConnection, _: Door) -> Outcome {
    assert_eq!(c.sadd("a", &[1, 2, 3]).await?, 3);
    assert_eq!(c.sadd("b", &[3, 4]).await?, 2);
    let of = |members: &[&str]| members.iter().map(|&member| member.to_owned()).collect::<HashSet<_>>();
    assert_eq!(c.smembers("a").await?, of(&["1", "2", "3"]));
    assert_eq!(c.sinter(&["a", "b"]).await?, of(&["3"]));
    assert_eq!(c.sunion(&["a", "b"]).await?, of(&["1", "2", "3", "4"]));
    assert_eq!(c.sdiffstore("d", &["a", "b"]).await?, 2);
    assert_eq!(c.smismember("a", &[1, 9]).await?, [true, false]);
    assert!(c.smove("a", "b", 1).await?);
    assert_eq!(c.srem("a", 2).await?, 1);
    assert_eq!(c.scard("a").await?, 1);
    let members: Vec<usize> = (0..5000).collect();
    c.sadd("big", &members).await?;
    let mut seen = HashSet::new();
    let mut walk = c.sscan::<_, usize>("big").await?;
    while let Some(member) = walk.next_item().await {
        seen.insert(member?);
    }
    assert_eq!(seen.len(), 5000);
    Ok(())
}

async fn sorted_sets(mut c: MultiplexedConnection, _: Door) -> Outcome {
    assert_eq!(c.zadd_multiple("z", &[(1.0, "a"), (2.0, "b"), (3.0, "c")]).await?, 3);
    assert_eq!(c.zincr("z", "a", 1.5).await?, 2.5);
    let ranked = [("b", 2.0), ("a", 2.5), ("c", 3.0)].map(|(member, score)| (member.to_owned(), score));
    assert_eq!(c.zrange_withscores("z", 0, -1).await?, ranked);
    assert_eq!(c.zrangebyscore_limit("z", "(2", "+inf", 1, 1).await?, ["c"]);
    assert_eq!(c.zrank("z", "a").await?, Some(1));
    assert_eq!(c.zrank("z", "none").await?, None);
    assert_eq!(c.zscore("z", "c").await?, Some(3.0));
    assert_eq!(c.zcount("z", "-inf", 2.5).await?, 2);
    let lowest: Vec<(String, f64)> = redis::AsyncCommands::zpopmin(&mut c, "z", 1).await?;
    assert_eq!(lowest, [("b".to_owned(), 2.0)]);
    assert_eq!(c.zunionstore("u", &["z", "z"]).await?, 2);
    assert_eq!(c.zscore("u", "c").await?, Some(6.0));
    assert_eq!(c.zrembyscore("u", 5, "+inf").await?, 2);
    c.zadd_multiple("lex", &[(0, "a"), (0, "b"), (0, "c")]).await?;
    assert_eq!(c.zrangebylex("lex", "[b", "+").await?, ["b", "c"]);
    assert_eq!(c.zremrangebyrank("lex", 0, 0).await?, 1);
    c.zadd_multiple("inf", &[(f64::INFINITY, "high"), (f64::NEG_INFINITY, "low"), (1e-320, "tiny")]).await?;
    let scores: Vec<f64> = c.zrange_withscores("inf", 0, -1).await?.into_iter().map(|(_, score)| score).collect();
    assert_eq!(scores, [f64::NEG_INFINITY, 1e-320, f64::INFINITY]);
    Ok(())
}

async fn hyperloglogs(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let users: Vec<String> = (0..10_000).map(|i| format!("user-{i}")).collect();
    assert!(c.pfadd("many", &users).await?);
    assert_eq!(c.pfcount("many").await?, 9957);
    assert!(c.pfadd("few", &["user-1", "another"]).await?);
    assert!(!c.pfadd("few", "another").await?);
    c.pfmerge("both", "few").await?;
    assert_eq!(c.pfcount(&["both", "few"]).await?, 2);
    Ok(())
}

async fn binary_values(mut c: MultiplexedConnection, _: Door) -> Outcome {
    use redis::AsyncCommands as Untyped;
    let every = every_byte();
    let () = Untyped::set(&mut c, &every, &every).await?;
    assert_eq!(Untyped::get::<_, Vec<u8>>(&mut c, &every).await?, every);
    let () = Untyped::hset(&mut c, "h", &every, &every).await?;
    assert_eq!(Untyped::hgetall::<_, HashMap<Vec<u8>, Vec<u8>>>(&mut c, "h").await?[&every], every);
    let () = Untyped::zadd(&mut c, "z", &every, 1).await?;
    assert_eq!(Untyped::zrange::<_, Vec<Vec<u8>>>(&mut c, "z", 0, -1).await?, [every]);
    let () = Untyped::set(&mut c, "", "").await?;
    assert_eq!(Untyped::get::<_, Vec<u8>>(&mut c, "").await?, b"");
    Ok(())
}

async fn unicode_keys(mut c: MultiplexedConnection, _: Door) -> Outcome {
    for word in WORDS {
        c.set(format!("낱말:{word}"), word).await?;
    }
    for word in WORDS {
        assert_eq!(c.get(format!("낱말:{word}")).await?.as_deref(), Some(word));
    }
    let keys: HashSet<String> = c.keys("낱말:*").await?.into_iter().collect();
    assert_eq!(keys, WORDS.iter().map(|word| format!("낱말:{word}")).collect());
    Ok(())
}

async fn large_values(mut c: MultiplexedConnection, _: Door) -> Outcome {
    use redis::AsyncCommands as Untyped;
    let five: Vec<u8> = every_byte().into_iter().cycle().take(5 << 20).collect();
    let () = Untyped::set(&mut c, "big", &five).await?;
    assert!(Untyped::get::<_, Vec<u8>>(&mut c, "big").await? == five);
    let () = Untyped::hset(&mut c, "h", "f", &five).await?;
    assert!(Untyped::hget::<_, _, Vec<u8>>(&mut c, "h", "f").await? == five);
    assert_eq!(Untyped::append::<_, _, usize>(&mut c, "big", "end").await?, five.len() + 3);
    Ok(())
}

async fn server(mut c: MultiplexedConnection, _: Door) -> Outcome {
    let info: redis::InfoDict = redis::cmd("INFO").query_async(&mut c).await?;
    assert!(info.get::<String>("redis_version").is_some_and(|version| version >= "7".to_owned()));
    let pong: String = redis::cmd("PING").query_async(&mut c).await?;
    assert_eq!(pong, "PONG");
    let databases: HashMap<String, u32> = redis::cmd("CONFIG").arg("GET").arg("databases").query_async(&mut c).await?;
    assert_eq!(databases["databases"], 16);
    c.client_setname("conformance").await?;
    assert_eq!(c.client_getname().await?.as_deref(), Some("conformance"));
    let clients: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut c).await?;
    assert!(clients.contains("name=conformance"));
    let unknown = redis::cmd("NONSENSE").arg("a").query_async::<()>(&mut c).await.expect_err("an unknown command");
    assert!(unknown.to_string().contains("unknown command 'NONSENSE', with args beginning with: 'a' "), "{unknown}");
    Ok(())
}
