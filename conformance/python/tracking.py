"""Client-side caching as redis-py does it: what a connection has read it keeps until the server says it has changed."""

import redis
from harness import HOST, PORT, eq, until
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

# redis-py refuses a server that calls itself older than this, 7.4 of itself; what it needs is there since 6.
CacheProxyConnection.MIN_ALLOWED_VERSION = "6.0.0"


def cached(**options):
    return redis.Redis(
        HOST, PORT, protocol=3, decode_responses=True, cache_config=CacheConfig(max_size=128, **options)
    )


def calls(r, command):
    """How often the server has run a command."""
    return r.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


def reads_are_kept():
    plain, mine = redis.Redis(HOST, PORT, decode_responses=True), cached()
    plain.mset({"k": "one", "other": "x"})
    plain.config_resetstat()
    eq([mine.get("k") for _ in range(50)], ["one"] * 50)
    eq(calls(plain, "get"), 1)
    plain.set("k", "two")
    until(lambda: mine.get("k") == "two")
    eq(mine.mget("k", "other"), ["two", "x"])
    plain.set("other", "y")
    until(lambda: mine.mget("k", "other") == ["two", "y"])
    plain.delete("k")
    until(lambda: mine.get("k") is None)
    mine.close()


def every_kind_of_change():
    plain, mine = redis.Redis(HOST, PORT, decode_responses=True), cached()
    plain.rpush("l", 1)
    plain.hset("h", "f", 1)
    plain.zadd("z", {"m": 1})
    plain.set("soon", "x", px=500)
    eq((mine.get("soon"), mine.lrange("l", 0, -1), mine.hget("h", "f")), ("x", ["1"], "1"))
    eq(mine.zrange("z", 0, -1), ["m"])
    plain.lpush("l", 0)
    plain.hincrby("h", "f", 5)
    plain.zrem("z", "m")
    until(lambda: mine.lrange("l", 0, -1) == ["0", "1"])
    until(lambda: mine.hget("h", "f") == "6")
    until(lambda: mine.zrange("z", 0, -1) == [])
    until(lambda: mine.get("soon") is None)
    mine.set("own", "first")
    eq(mine.get("own"), "first")
    mine.set("own", "second")
    until(lambda: mine.get("own") == "second")
    plain.flushall()
    until(lambda: mine.get("own") is None)
    mine.close()


def cut_off():
    """With its connection a client loses what it has kept: changes meanwhile would not reach it."""
    plain, mine = redis.Redis(HOST, PORT, decode_responses=True), cached()
    plain.set("k", "one")
    eq(mine.get("k"), "one")
    plain.client_kill_filter(_type="normal", skipme=True)
    plain.set("k", "two")
    until(lambda: mine.get("k") == "two")
    mine.close()


FAMILIES = [reads_are_kept, every_kind_of_change, cut_off]
