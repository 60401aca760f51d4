"""The families of data, each written once and run over every redis-py client.

A family gets a client that decodes replies, and `connect(**options)` for further ones of the same kind.
"""

import datetime
import time

import redis
from harness import eq, raises, until

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def strings(r, connect):
    eq(r.set("k", "v"), True)
    eq(r.get("k"), "v")
    eq(r.get("none"), None)
    eq(r.set("k", "w", nx=True), None)
    eq(r.set("k", "w", xx=True, get=True), "v")
    eq(r.set("k", "x", keepttl=True), True)
    eq(r.append("k", "yz"), 3)
    eq(r.strlen("k"), 3)
    eq(r.getrange("k", -2, -1), "yz")
    eq(r.setrange("k", 5, "!"), 6)
    eq(r.get("k"), "xyz\0\0!")
    eq(r.mset({"a": 1, "b": 2, "c": 3}), True)
    eq(r.mget("a", "none", "c"), ["1", None, "3"])
    eq(r.msetnx({"a": 9, "d": 9}), False)
    eq(r.exists("a", "b", "c", "d"), 3)
    eq(r.incr("n"), 1)
    eq(r.incrby("n", 41), 42)
    eq(r.decr("n"), 41)
    eq(r.decrby("n", 40), 1)
    eq(r.incrbyfloat("n", "10.5"), 11.5)
    eq(r.get("n"), "11.5")
    eq(r.incrbyfloat("n", 0.25), 11.75)
    raises(redis.ResponseError, "value is not an integer or out of range", r.incr, "n")
    r.set("big", 2**63 - 1)
    raises(redis.ResponseError, "increment or decrement would overflow", r.incr, "big")
    eq(r.getdel("k"), "xyz\0\0!")
    eq(r.getset("k", "one"), None)
    eq(r.getex("k", ex=100), "one")
    eq(r.ttl("k"), 100)
    eq(r.getex("k", persist=True), "one")
    eq(r.ttl("k"), -1)
    r.set("x", "ohmytext")
    r.set("y", "mynewtext")
    eq(r.lcs("x", "y"), "mytext")
    eq(r.lcs("x", "y", len=True), 6)
    r.rpush("list", 1)
    raises(redis.ResponseError, WRONG_TYPE, r.get, "list")


def keys(r, connect):
    r.mset({"one": 1, "two": 2, "three": 3})
    eq(sorted(r.keys("t*")), ["three", "two"])
    eq(sorted(r.keys("[ot]??")), ["one", "two"])
    eq(r.type("one"), "string")
    eq(r.type("none"), "none")
    eq(r.rename("one", "uno"), True)
    raises(redis.ResponseError, "no such key", r.rename, "one", "uno")
    eq(r.renamenx("uno", "two"), False)
    eq(r.copy("two", "dos"), True)
    eq(r.copy("two", "dos"), False)
    eq(r.copy("two", "dos", replace=True), True)
    eq(r.touch("two", "dos", "none"), 2)
    eq(r.unlink("dos", "none"), 1)
    eq(r.delete("two", "none"), 1)
    eq(r.dbsize(), 2)
    assert r.randomkey() in ("uno", "three")
    eq(r.object("encoding", "uno"), "int")
    eq(r.object("refcount", "none"), None)
    raw = connect(decode_responses=False)
    r.rpush("list", "a", "b", 3)
    payload = raw.dump("list")
    eq(r.pexpire("list", 100_000), True)
    raises(redis.ResponseError, "BUSYKEY Target key name already exists.", raw.restore, "list", 0, payload)
    eq(raw.restore("list", 0, payload, replace=True), b"OK")
    eq(r.ttl("list"), -1)
    eq(r.lrange("list", 0, -1), ["a", "b", "3"])
    bad = payload[:-1] + bytes([payload[-1] ^ 1])
    raises(redis.ResponseError, "DUMP payload version or checksum are wrong", raw.restore, "new", 0, bad)
    other = connect(db=1)
    eq(r.move("list", 1), True)
    eq(other.llen("list"), 3)
    eq(r.copy("uno", "uno", destination_db=1), True)
    eq(other.dbsize(), 2)
    eq(r.swapdb(0, 1), True)
    eq(r.llen("list"), 3)
    eq(r.flushdb(), True)
    eq(r.dbsize(), 0)
    eq(other.dbsize(), 2)


def expiry(r, connect):
    r.set("k", "v", ex=100)
    eq(r.ttl("k"), 100)
    assert 99_000 < r.pttl("k") <= 100_000
    eq(r.persist("k"), True)
    eq(r.persist("k"), False)
    eq(r.ttl("k"), -1)
    eq(r.ttl("none"), -2)
    eq(r.expire("k", 50, xx=True), False)
    eq(r.expire("k", 50, nx=True), True)
    eq(r.expire("k", 40, gt=True), False)
    eq(r.expire("k", 40, lt=True), True)
    eq(r.expire("k", datetime.timedelta(hours=1)), True)
    eq(r.ttl("k"), 3600)
    at = int(time.time()) + 1000
    eq(r.expireat("k", at), True)
    eq(r.expiretime("k"), at)
    eq(r.pexpireat("k", at * 1000 + 5), True)
    eq(r.pexpiretime("k"), at * 1000 + 5)
    eq(r.expireat("k", 1), True)
    eq(r.exists("k"), 0)
    eq(r.setex("k", 7, "v"), True)
    eq(r.ttl("k"), 7)
    eq(r.psetex("k", 5000, "v"), True)
    r.set("k", "w", exat=at)
    eq(r.expiretime("k"), at)
    r.set("k", "w")
    eq(r.ttl("k"), -1)
    r.set("soon", "gone", px=30)
    r.rpush("soon too", 1)
    r.pexpire("soon too", 30)
    until(lambda: r.exists("soon", "soon too") == 0)
    eq(r.get("soon"), None)
    raises(redis.ResponseError, "invalid expire time in 'set' command", r.set, "k", "v", ex=0)


def hashes(r, connect):
    eq(r.hset("h", mapping={"a": 1, "b": "two", "c": 3.5}), 3)
    eq(r.hset("h", "a", 2), 0)
    eq(r.hget("h", "b"), "two")
    eq(r.hgetall("h"), {"a": "2", "b": "two", "c": "3.5"})
    eq(r.hmget("h", ["a", "none", "c"]), ["2", None, "3.5"])
    eq(r.hincrby("h", "a", -5), -3)
    eq(r.hincrbyfloat("h", "c", 0.25), 3.75)
    eq(r.hsetnx("h", "a", 9), 0)
    eq(r.hexists("h", "b"), True)
    eq(r.hlen("h"), 3)
    eq(r.hstrlen("h", "b"), 3)
    eq(sorted(r.hkeys("h")), ["a", "b", "c"])
    eq(sorted(r.hvals("h")), ["-3", "3.75", "two"])
    eq(r.hdel("h", "a", "b", "none"), 2)
    eq(r.hrandfield("h"), "c")
    eq(r.hrandfield("h", -3), ["c", "c", "c"])
    raises(redis.ResponseError, "hash value is not an integer", r.hincrby, "h", "c", 1)
    eq(r.hdel("h", "c"), 1)
    eq(r.exists("h"), 0)
    eq(r.hset("wide", mapping={f"f{i}": i for i in range(5000)}), 5000)
    eq(sum(map(int, r.hvals("wide"))), sum(range(5000)))
    eq({k: int(v) for k, v in r.hscan_iter("wide", count=100)}, {f"f{i}": i for i in range(5000)})
    eq(len(dict(r.hscan_iter("wide", match="f49*"))), 111)


def lists(r, connect):
    eq(r.rpush("l", "a", "b", "c"), 3)
    eq(r.lpush("l", "z"), 4)
    eq(r.lrange("l", 0, -1), ["z", "a", "b", "c"])
    eq(r.lindex("l", -1), "c")
    eq(r.linsert("l", "before", "b", "x"), 5)
    eq(r.linsert("l", "after", "none", "x"), -1)
    eq(r.lset("l", 0, "y"), True)
    raises(redis.ResponseError, "index out of range", r.lset, "l", 99, "y")
    eq(r.lpos("l", "x"), 2)
    eq(r.lpos("l", "x", count=0), [2])
    eq(r.lrem("l", 0, "x"), 1)
    eq(r.ltrim("l", 1, 2), True)
    eq(r.lrange("l", 0, -1), ["a", "b"])
    eq(r.lpop("l"), "a")
    eq(r.rpop("l", 5), ["b"])
    eq(r.lpop("l", 5), None)
    eq(r.exists("l"), 0)
    eq(r.lpushx("l", 1), 0)
    r.rpush("from", 1, 2, 3)
    eq(r.lmove("from", "to", "LEFT", "RIGHT"), "1")
    eq(r.rpoplpush("from", "to"), "3")
    eq(r.lrange("to", 0, -1), ["3", "1"])
    eq(r.lmpop(2, "none", "to", direction="LEFT", count=5), ["to", ["3", "1"]])
    eq(r.lmpop(1, "none", direction="LEFT"), None)
    r.rpush("long", *range(10_000))
    eq(r.lrange("long", 4998, 5001), ["4998", "4999", "5000", "5001"])
    eq(r.lrange("long", -1, 0), [])
    eq(r.lpos("long", 7777, rank=1, count=1), [7777])
    eq(r.lpos("long", 7777, rank=-1), 7777)


def sets(r, connect):
    eq(r.sadd("a", 1, 2, 3, 4), 4)
    eq(r.sadd("a", 4, 5), 1)
    eq(r.sadd("b", 4, 5, 6, "x"), 4)
    eq(r.scard("a"), 5)
    eq(r.sismember("a", 3), 1)
    eq(r.smismember("a", [3, "x"]), [1, 0])
    eq(r.smembers("b"), {"4", "5", "6", "x"})
    eq(r.sinter("a", "b"), {"4", "5"})
    eq(r.sintercard(2, ["a", "b"]), 2)
    eq(r.sintercard(2, ["a", "b"], limit=1), 1)
    eq(r.sunion("a", "b"), {"1", "2", "3", "4", "5", "6", "x"})
    eq(r.sdiff("a", "b"), {"1", "2", "3"})
    eq(r.sinterstore("c", "a", "b"), 2)
    eq(r.sunionstore("c", "a", "b"), 7)
    eq(r.sdiffstore("c", "a", "b"), 3)
    eq(r.smove("c", "b", 1), True)
    eq(r.smove("c", "b", 99), False)
    eq(r.srem("a", 1, 2, "none"), 2)
    assert r.spop("b") is not None
    eq(len(r.spop("b", 3)), 3)
    eq(len(set(r.srandmember("a", 10))), 3)
    eq(len(r.srandmember("a", -10)), 10)
    r.sadd("big", *range(20_000))
    eq(sorted(map(int, r.sscan_iter("big", count=500))), list(range(20_000)))
    raises(redis.ResponseError, WRONG_TYPE, r.zadd, "a", {"m": 1})


def sorted_sets(r, connect):
    eq(r.zadd("z", {"a": 1, "b": 2, "c": 3}), 3)
    eq(r.zadd("z", {"a": 5}, nx=True), 0)
    eq(r.zadd("z", {"a": 0.5}, gt=True, ch=True), 0)
    eq(r.zadd("z", {"a": 1.5}, ch=True), 1)
    eq(r.zadd("z", {"a": 1}, incr=True), 2.5)
    eq(r.zadd("z", {"new": 1}, xx=True, incr=True), None)
    eq(r.zrange("z", 0, -1, withscores=True), [["b", 2.0], ["a", 2.5], ["c", 3.0]])
    eq(r.zrange("z", 0, 1, desc=True), ["c", "a"])
    eq(r.zrange("z", "(2", "+inf", byscore=True), ["a", "c"])
    eq(r.zrangebyscore("z", "-inf", "(3", start=1, num=1), ["a"])
    eq(r.zrevrangebyscore("z", 3, 2.5), ["c", "a"])
    eq(r.zincrby("z", 0.5, "b"), 2.5)
    eq(r.zrange("z", 0, -1), ["a", "b", "c"])
    eq(r.zrank("z", "b"), 1)
    eq(r.zrevrank("z", "b"), 1)
    eq(r.zrank("z", "none"), None)
    eq(r.zscore("z", "c"), 3.0)
    eq(r.zmscore("z", ["c", "none"]), [3.0, None])
    eq(r.zcount("z", 2.5, 2.5), 2)
    eq(r.zcard("z"), 3)
    eq(r.zpopmin("z"), [["a", 2.5]])
    eq(r.zpopmax("z", 5), [["c", 3.0], ["b", 2.5]])
    eq(r.zpopmin("z"), [])
    r.zadd("lex", dict.fromkeys("abcdefg", 0))
    eq(r.zrangebylex("lex", "[b", "(e"), ["b", "c", "d"])
    eq(r.zrevrangebylex("lex", "+", "[f"), ["g", "f"])
    eq(r.zlexcount("lex", "-", "+"), 7)
    eq(r.zremrangebylex("lex", "-", "[b"), 2)
    eq(r.zremrangebyrank("lex", 0, 0), 1)
    eq(r.zremrangebyscore("lex", 0, 0), 4)
    r.zadd("x", {"a": 1, "b": 2})
    r.zadd("y", {"b": 10, "c": 20})
    eq(r.zunion(["x", "y"], withscores=True), [["a", 1.0], ["b", 12.0], ["c", 20.0]])
    eq(r.zinter({"x": 2, "y": 1}, aggregate="MAX", withscores=True), [["b", 10.0]])
    eq(r.zdiff(["x", "y"], withscores=True), [["a", 1.0]])
    eq(r.zunionstore("u", {"x": 1, "y": 3}), 3)
    eq(r.zinterstore("u", ["x", "y"], aggregate="MIN"), 1)
    eq(r.zdiffstore("u", ["x", "y"]), 1)
    eq(r.zintercard(2, ["x", "y"]), 1)
    eq(r.zrangestore("copy", "y", 0, 0), 1)
    eq(r.zmpop(2, ["none", "x"], min=True, count=2), ["x", [["a", 1.0], ["b", 2.0]]])
    r.zadd("inf", {"low": "-inf", "high": "inf", "tiny": 1e-320, "third": 1 / 3})
    low, high = float("-inf"), float("inf")
    eq(r.zrange("inf", 0, -1, withscores=True), [["low", low], ["tiny", 1e-320], ["third", 1 / 3], ["high", high]])
    raises(redis.ResponseError, "resulting score is not a number (NaN)", r.zincrby, "inf", "-inf", "high")
    eq(r.zadd("big", {f"m{i}": i for i in range(10_000)}), 10_000)
    eq(r.zrange("big", 7000, 7002), ["m7000", "m7001", "m7002"])
    eq(r.zrank("big", "m9999"), 9999)
    eq(dict(r.zscan_iter("big", count=500)), {f"m{i}": float(i) for i in range(10_000)})
    assert set(r.zrandmember("big", 5)) <= {f"m{i}" for i in range(10_000)}


def hyperloglogs(r, connect):
    eq(r.pfadd("h", "a", "b", "c"), 1)
    eq(r.pfadd("h", "a"), 0)
    eq(r.pfcount("h"), 3)
    eq(r.pfadd("other", "c", "d"), 1)
    eq(r.pfcount("h", "other"), 4)
    eq(r.pfmerge("both", "h", "other"), True)
    eq(r.pfcount("both"), 4)
    # The hash and the estimate are Redis's own: so is the error of this very set.
    r.pfadd("many", *(f"user-{i}" for i in range(10_000)))
    eq(r.pfcount("many"), MANY_USERS)
    r.set("text", "no HyperLogLog")
    raises(redis.ResponseError, "WRONGTYPE Key is not a valid HyperLogLog string value.", r.pfadd, "text", 1)


# What redis-server 7.0 counts for `user-0` to `user-9999`.
MANY_USERS = 9957


def binary_values(r, connect):
    raw = connect(decode_responses=False)
    every = bytes(range(256))
    key = b"key " + every
    eq(raw.set(key, every), True)
    eq(raw.get(key), every)
    eq(raw.append(key, b"\r\n"), 258)
    eq(raw.keys(b"key \0*"), [key])
    eq(raw.hset(b"h", every, every), 1)
    eq(raw.hgetall(b"h"), {every: every})
    eq(raw.rpush(b"l", *(bytes([b]) for b in every)), 256)
    eq(b"".join(raw.lrange(b"l", 0, -1)), every)
    eq(raw.sadd(b"s", *(bytes([b]) for b in every)), 256)
    eq(raw.smembers(b"s"), {bytes([b]) for b in every})
    eq(raw.zadd(b"z", {bytes([b]): 0 for b in every}), 256)
    eq(b"".join(raw.zrange(b"z", 0, -1)), every)
    eq(raw.echo(b"\r\n$5\r\nhello\r\n"), b"\r\n$5\r\nhello\r\n")
    eq(raw.set(b"", b""), True)
    eq(raw.get(b""), b"")


def unicode_keys(r, connect):
    words = ["아이폰 15 Pro", "갤럭시 S24", "Zürich", "naïve café", "日本語", "🙂👩‍👩‍👧‍👦", "مرحبا", "ẞß"]
    for word in words:
        r.set(f"낱말:{word}", word, ex=60)
        r.zincrby("인기", len(word), word)
    eq(r.mget(*(f"낱말:{word}" for word in words)), words)
    eq(sorted(r.keys("낱말:*")), sorted(f"낱말:{word}" for word in words))
    eq({r.get(key) for key in r.scan_iter("낱말:*폰*")}, {words[0]})
    eq(r.strlen("낱말:日本語"), 9)
    eq(r.hset("해시", "필드", "값"), 1)
    eq(r.hgetall("해시"), {"필드": "값"})
    eq(set(r.zrange("인기", 0, -1)), set(words))


def large_values(r, connect):
    raw = connect(decode_responses=False)
    five = bytes(range(256)) * (5 * 1024 * 1024 // 256)
    eq(raw.set("big", five), True)
    eq(raw.get("big") == five, True)
    eq(raw.strlen("big"), len(five))
    eq(raw.getrange("big", 5_000_000, 5_000_003), five[5_000_000:5_000_004])
    eq(raw.append("big", b"end"), len(five) + 3)
    eq(raw.getrange("big", -3, -1), b"end")
    eq(raw.hset("h", "f", five), 1)
    eq(raw.hget("h", "f") == five, True)
    eq(raw.rpush("l", five, b"small"), 2)
    eq(raw.lpop("l") == five, True)
    eq(raw.mget("big", "none", "h2"), [five + b"end", None, None])


def server(r, connect):
    info = r.info()
    assert int(info["redis_version"].split(".")[0]) >= 7, info["redis_version"]
    eq(info["loading"], 0)
    eq(r.info("keyspace"), {})
    r.set("k", "v", ex=100)
    eq(r.info("keyspace")["db0"]["keys"], 1)
    eq(r.info("keyspace")["db0"]["expires"], 1)
    eq(r.ping(), True)
    eq(r.echo("hello"), "hello")
    before = r.config_get("maxmemory-policy")
    eq(r.config_set("maxmemory-policy", "allkeys-lru"), True)
    eq(r.config_get("maxmemory-policy"), {"maxmemory-policy": "allkeys-lru"})
    eq(r.config_set("maxmemory-policy", before["maxmemory-policy"]), True)
    eq(r.config_resetstat(), True)
    named = connect(client_name="conformance", single_connection_client=True)
    eq(named.client_getname(), "conformance")
    ours = [client for client in r.client_list() if client["name"] == "conformance"]
    eq(len(ours), 1)
    eq(int(ours[0]["id"]), named.client_id())
    eq(r.client_kill_filter(_id=ours[0]["id"]), 1)
    eq(named.ping(), True)
    named.close()
    eq(r.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])
    assert r.command_count() > 150
    assert abs(r.time()[0] - time.time()) < 60
    eq(r.slowlog_reset(), True)
    unknown = "unknown command 'nonsense', with args beginning with: 'a' "
    raises(redis.ResponseError, unknown, r.execute_command, "nonsense", "a")
    raises(redis.ResponseError, "wrong number of arguments for 'get' command", r.execute_command, "GET")
    raises(redis.ResponseError, "DB index is out of range", connect(db=99).ping)


FAMILIES = [
    strings,
    keys,
    expiry,
    hashes,
    lists,
    sets,
    sorted_sets,
    hyperloglogs,
    binary_values,
    unicode_keys,
    large_values,
    server,
]
