"""Bitmaps, places, streams and groups of consumers, sorting, messages of shards, and fields that expire."""

import threading
import time

import redis
from flow import messages, together
from harness import eq, raises, until


def bitmaps(r, connect):
    r.set("k", "foobar")
    eq(r.bitcount("k"), 26)
    eq(r.bitcount("k", 1, 1), 6)
    eq(r.bitcount("k", 5, 30, "BIT"), 17)
    eq(r.setbit("b", 7, 1), 0)
    eq(r.setbit("b", 7, 0), 1)
    eq(r.setbit("b", 100, 1), 0)
    eq(r.strlen("b"), 13)
    eq(r.getbit("b", 100), 1)
    eq(r.getbit("b", 1_000_000), 0)
    eq(r.bitpos("b", 1), 100)
    raw = connect(decode_responses=False)
    raw.set("ones", b"\xff\xf0\x00")
    eq(raw.bitpos("ones", 0), 12)
    eq(raw.bitpos("ones", 1, 2), -1)
    raw.mset({"x": b"\x0f\xff", "y": b"\xf0"})
    eq(raw.bitop("AND", "z", "x", "y"), 2)
    eq(raw.get("z"), b"\x00\x00")
    eq(raw.bitop("XOR", "z", "x", "y"), 2)
    eq(raw.get("z"), b"\xff\xff")
    eq(raw.bitop("NOT", "z", "x"), 2)
    eq(raw.get("z"), b"\xf0\x00")
    eq(r.execute_command("BITFIELD", "f", "INCRBY", "i5", 100, 1, "GET", "u4", 0), [1, 0])
    saturated = ["SET", "u2", "#3", 3, "OVERFLOW", "SAT", "INCRBY", "u2", "#3", 9]
    failing = ["OVERFLOW", "FAIL", "INCRBY", "u2", "#3", 9]
    eq(r.execute_command("BITFIELD", "f", *saturated, *failing), [0, 3, None])
    eq(r.bitfield_ro("f", "u2", "#3"), [3])
    raises(redis.ResponseError, "bit offset is not an integer or out of range", r.setbit, "b", 2**32, 1)


def geo(r, connect):
    eq(r.geoadd("Sicily", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
    eq(r.geodist("Sicily", "Palermo", "Catania"), 166274.1516)
    eq(r.geodist("Sicily", "Palermo", "none"), None)
    eq(r.geohash("Sicily", "Palermo", "Catania"), ["sqc8b49rny0", "sqdtr74hyu0"])
    near = {"longitude": 15, "latitude": 37, "unit": "km"}
    eq(r.geosearch("Sicily", radius=200, sort="ASC", **near), ["Catania", "Palermo"])
    eq(r.geosearch("Sicily", width=400, height=400, sort="DESC", count=1, **near), ["Palermo"])
    found = r.geosearch("Sicily", radius=200, sort="ASC", withdist=True, withhash=True, **near)
    eq(found, [["Catania", 56.4413, 3479447370796909], ["Palermo", 190.4424, 3479099956230698]])
    eq(r.geosearch("Sicily", member="Palermo", radius=1, unit="m"), ["Palermo"])
    eq(r.geosearchstore("near", "Sicily", radius=100, storedist=True, **near), 1)
    eq(round(r.zscore("near", "Catania"), 4), 56.4413)
    eq(r.georadius("Sicily", 15, 37, 200, unit="km", sort="ASC"), ["Catania", "Palermo"])
    (longitude, latitude), nobody = r.geopos("Sicily", "Palermo", "none")
    eq((round(longitude, 6), round(latitude, 6), nobody), (13.361389, 38.115556, None))
    raises(redis.ResponseError, "invalid longitude,latitude pair", r.geoadd, "Sicily", (190, 1, "off the map"))


def streams(r, connect):
    eq(r.xadd("s", {"n": 1, "이름": "하나"}, id="1-1"), "1-1")
    eq(r.xadd("s", {"n": 2}, id="1-*"), "1-2")
    too_small = "The ID specified in XADD is equal or smaller than the target stream top item"
    raises(redis.ResponseError, too_small, r.xadd, "s", {"n": 3}, id="1-2")
    eq(r.xlen("s"), 2)
    eq(r.xrange("s"), [("1-1", {"n": "1", "이름": "하나"}), ("1-2", {"n": "2"})])
    eq(r.xrange("s", min="(1-1"), [("1-2", {"n": "2"})])
    eq(r.xrevrange("s", count=1), [("1-2", {"n": "2"})])
    eq(r.xread({"s": "1-1"}), {"s": [("1-2", {"n": "2"})]})
    assert not r.xread({"s": "$"}, block=20)
    eq(r.xdel("s", "1-1", "9-9"), 1)
    first = r.xadd("s", {"n": 3})
    assert int(first.split("-")[0]) > 1_600_000_000_000
    with r.pipeline(transaction=False) as pipe:
        for i in range(20_000):
            pipe.xadd("long", {"i": i, "text": "x" * (i % 50)}, id=f"{i + 1}-0")
        pipe.execute()
    eq([int(fields["i"]) for _, fields in r.xrange("long", "10001", "10003")], [10_000, 10_001, 10_002])
    eq(r.xtrim("long", maxlen=1000, approximate=False), 19_000)
    eq(r.xtrim("long", minid="19501-0", approximate=False), 500)
    eq(r.xlen("long"), 500)
    eq(r.xadd("long", {"i": 0}, id="30000-0", maxlen=10, approximate=False), "30000-0")
    eq(r.xlen("long"), 10)
    info = r.xinfo_stream("long")
    eq((info["length"], info["last-generated-id"], info["entries-added"]), (10, "30000-0", 20_001))
    eq(r.xadd("none", {"a": 1}, nomkstream=True), None)


def consumer_groups(r, connect):
    for i in range(1, 11):
        r.xadd("s", {"i": i}, id=f"{i}-0")
    eq(r.xgroup_create("s", "g", id="0"), True)
    raises(redis.ResponseError, "BUSYGROUP Consumer Group name already exists", r.xgroup_create, "s", "g")
    raises(redis.ResponseError, "NOGROUP No such key", r.xreadgroup, "g", "c", {"none": ">"})
    mine = r.xreadgroup("g", "alice", {"s": ">"}, count=4)["s"]
    eq([entry for entry, _ in mine], ["1-0", "2-0", "3-0", "4-0"])
    eq(len(r.xreadgroup("g", "bob", {"s": ">"}, count=100)["s"]), 6)
    eq(r.xack("s", "g", "1-0", "2-0", "99-0"), 2)
    pending = r.xpending("s", "g")
    eq((pending["pending"], pending["min"], pending["max"]), (8, "3-0", "10-0"))
    eq(pending["consumers"], [{"name": "alice", "pending": 2}, {"name": "bob", "pending": 6}])
    one = r.xpending_range("s", "g", min="-", max="+", count=1)[0]
    eq((one["message_id"], one["consumer"], one["times_delivered"]), ("3-0", "alice", 1))
    eq(r.xclaim("s", "g", "bob", 0, ["3-0"]), [("3-0", {"i": "3"})])
    eq(r.xclaim("s", "g", "bob", 100_000, ["4-0"]), [])
    cursor, claimed, gone = r.xautoclaim("s", "g", "carol", 0, start_id="4-0", count=2)
    eq((cursor, [entry for entry, _ in claimed], gone), ("6-0", ["4-0", "5-0"], []))
    eq([entry for entry, _ in r.xreadgroup("g", "carol", {"s": "0"})["s"]], ["4-0", "5-0"])
    groups = r.xinfo_groups("s")
    eq([(g["name"], g["consumers"], g["pending"], g["lag"]) for g in groups], [("g", 3, 8, 0)])
    eq(sorted(c["name"] for c in r.xinfo_consumers("s", "g")), ["alice", "bob", "carol"])
    eq(r.xgroup_delconsumer("s", "g", "carol"), 2)
    eq(r.xgroup_setid("s", "g", "$"), True)
    assert not r.xreadgroup("g", "alice", {"s": ">"})
    eq(r.xgroup_destroy("s", "g"), 1)


def workers_of_a_group(r, connect):
    """Each entry of a stream reaches one of the workers who wait for it, once."""
    r.xgroup_create("jobs", "g", mkstream=True)
    done = []

    def work(name):
        mine = connect()
        while True:
            got = mine.xreadgroup("g", name, {"jobs": ">"}, count=3, block=5000)
            entries = got["jobs"]
            done.extend(int(fields["n"]) for _, fields in entries)
            mine.xack("jobs", "g", *(entry for entry, _ in entries))
            if any(fields["n"] == "-1" for _, fields in entries):
                mine.close()
                return

    def produce():
        mine = connect()
        for n in range(300):
            mine.xadd("jobs", {"n": n})
        for _ in range(4):
            until(lambda: len(done) >= 300)
            stops = len(done)
            mine.xadd("jobs", {"n": -1})
            until(lambda: len(done) > stops)
        mine.close()

    together([produce] + [lambda i=i: work(f"worker {i}") for i in range(4)])
    eq(sorted(done), [-1] * 4 + list(range(300)))
    eq(r.xpending("jobs", "g")["pending"], 0)


def sorting(r, connect):
    r.rpush("l", 3, 10, 1, 2)
    eq(r.sort("l"), ["1", "2", "3", "10"])
    eq(r.sort("l", alpha=True, desc=True, start=0, num=2), ["3", "2"])
    r.mset({"w:1": 30, "w:2": 20, "w:3": 10, "w:10": 5})
    r.hset("h:10", "name", "열")
    eq(r.sort("l", by="w:*", get=["#", "h:*->name"]), ["10", "열", "3", None, "2", None, "1", None])
    eq(r.sort("l", store="sorted"), 4)
    eq(r.lrange("sorted", 0, -1), ["1", "2", "3", "10"])
    r.sadd("s", "b", "a")
    raises(redis.ResponseError, "One or more scores can't be converted into double", r.sort, "s")
    eq(r.sort_ro("s", alpha=True), ["a", "b"])


def messages_of_shards(r, connect):
    sub = r.pubsub()
    sub.ssubscribe("orders")
    until(lambda: dict(r.pubsub_shardnumsub("orders")) == {"orders": 1})
    eq(r.pubsub_shardchannels(), ["orders"])
    eq(r.spublish("orders", "one"), 1)
    eq(r.publish("orders", "not this one"), 0)
    found = until(lambda: sub.get_sharded_message(ignore_subscribe_messages=True, timeout=0.1))
    eq((found["type"], found["channel"], found["data"]), ("smessage", "orders", "one"))
    sub.close()


def blocked_on_sorted_sets(r, connect):
    waiter = connect()
    pushed = []

    def push():
        mine = connect()
        until(lambda: mine.info("clients")["blocked_clients"] == 1)
        pushed.append(mine.zadd("z", {"low": 1, "high": 2}))
        mine.close()

    for pop, want in [
        (lambda: waiter.bzpopmin(["none", "z"], timeout=10), ["z", "low", 1.0]),
        (lambda: waiter.bzpopmax("z", timeout=10), ["z", "high", 2.0]),
        (lambda: waiter.bzmpop(10, 2, ["none", "z"], max=True, count=5), ["z", [["high", 2.0], ["low", 1.0]]]),
    ]:
        r.delete("z")
        pusher = threading.Thread(target=push)
        pusher.start()
        eq([list(part) if isinstance(part, tuple) else part for part in pop()], want)
        pusher.join()
    eq(pushed, [2, 2, 2])
    eq(waiter.blmpop(0.05, 1, "none", direction="LEFT"), None)
    eq(waiter.bzpopmin("none", timeout=0.05), None)


def fields_that_expire(r, connect):
    r.hset("h", mapping={"a": 1, "b": 2, "c": 3})
    eq(r.hexpire("h", 100, "a", "none"), [1, -2])
    eq(r.httl("h", "a", "b", "none"), [100, -1, -2])
    eq(r.hexpire("h", 50, "a", gt=True), [0])
    eq(r.hpersist("h", "a", "b"), [1, -1])
    at = int(time.time()) + 1000
    eq(r.hexpireat("h", at, "a"), [1])
    eq(r.hexpiretime("h", "a"), [at])
    eq(r.hpexpire("h", 20, "b"), [1])
    until(lambda: r.hexists("h", "b") is False)
    eq(r.hgetall("h"), {"a": "1", "c": "3"})
    eq(r.hlen("h"), 2)
    eq(r.hexpire("h", 0, "c"), [2])
    eq(r.hsetex("h", mapping={"d": 4}, ex=60), 1)
    eq(r.httl("h", "d"), [60])
    eq(r.hgetex("h", "d", persist=True), ["4"])
    eq(r.httl("h", "d"), [-1])
    eq(r.hgetdel("h", "d", "none"), ["4", None])
    eq(r.hpexpire("h", 20, "a"), [1])
    until(lambda: r.exists("h") == 0)


def notifications(r, connect):
    r.config_set("notify-keyspace-events", "KEA")
    sub = r.pubsub(ignore_subscribe_messages=True)
    sub.psubscribe("__key*@0__:*")
    until(lambda: r.pubsub_numpat() == 1)
    r.set("k", "v", px=20)
    r.lpush("l", 1)
    eq(
        [(channel, data) for _, _, channel, data in messages(sub, 6)],
        [
            ("__keyspace@0__:k", "set"),
            ("__keyevent@0__:set", "k"),
            ("__keyspace@0__:k", "expire"),
            ("__keyevent@0__:expire", "k"),
            ("__keyspace@0__:l", "lpush"),
            ("__keyevent@0__:lpush", "l"),
        ],
    )
    eq([data for *_, data in messages(sub, 2)], ["expired", "k"])
    sub.close()
    r.config_set("notify-keyspace-events", "")


def monitoring(r, connect):
    with r.monitor() as monitor:
        lines = monitor.listen()
        connect().set("낱말", "값")
        seen = next(line for line in lines if line["command"].startswith("SET"))
        eq(seen["db"], 0)
        assert seen["client_type"] == "tcp", seen


def scripts(r, connect):
    eq(r.eval("return {KEYS[1], ARGV[1], 3.99}", 1, "k", "v"), ["k", "v", 3])
    add = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    eq([add(keys=["n"], args=[5]), add(keys=["n"], args=[5])], [5, 10])
    eq(r.script_exists(add.sha, "0" * 40), [True, False])
    raises(redis.exceptions.NoScriptError, "No matching script.", r.evalsha, "0" * 40, 0)
    lock = r.lock("lock", timeout=10)
    eq(lock.acquire(), True)
    eq(r.lock("lock", timeout=10).acquire(blocking=False), False)
    eq(lock.extend(10), True)
    eq(lock.owned(), True)
    lock.release()
    eq(r.exists("lock"), 0)


# In the order of their running. The second list is for clients of threads (asyncio has no such loop), the third asks
# for commands that Redis has since 7.4 and 8.0.
FAMILIES = [bitmaps, geo, streams, consumer_groups, sorting, notifications]
THREADED = [scripts, workers_of_a_group, messages_of_shards, blocked_on_sorted_sets, monitoring]
SINCE_8_0 = {"HGETEX": [fields_that_expire]}
