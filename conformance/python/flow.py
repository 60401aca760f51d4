"""What clients do beyond single commands: pipelines, transactions, iteration, messages, waiting."""

import threading
import time

import redis
from harness import HOST, PATIENCE_S, PORT, eq, raises, until

TASKS = 8
INCREMENTS = 25


def pipelines(r, connect):
    with r.pipeline(transaction=False) as pipe:
        for i in range(50_000):
            pipe.set(f"k{i}", i)
        for i in range(50_000):
            pipe.get(f"k{i}")
        replies = pipe.execute()
    eq(replies[:50_000] == [True] * 50_000, True)
    eq(replies[50_000:] == [str(i) for i in range(50_000)], True)
    with r.pipeline(transaction=False) as pipe:
        pipe.set("text", "x").incr("text").get("text")
        first, error, last = pipe.execute(raise_on_error=False)
    eq((first, last), (True, "x"))
    eq(str(error), "value is not an integer or out of range")


def transactions(r, connect):
    with r.pipeline(transaction=True) as pipe:
        eq(pipe.incr("n").incrby("n", 5).rpush("l", "a").execute(), [1, 6, 1])
    with r.pipeline() as pipe:
        pipe.set("k", "v").lpush("k", 1).get("k")
        replies = pipe.execute(raise_on_error=False)
    eq((replies[0], replies[2]), (True, "v"))
    assert isinstance(replies[1], redis.ResponseError)
    with r.pipeline() as pipe:
        pipe.set("k", "never").execute_command("NONSENSE")
        raises(redis.ResponseError, "Command # 2 (NONSENSE) of pipeline caused error: ", pipe.execute)
    eq(r.get("k"), "v")
    with r.pipeline() as pipe:
        pipe.watch("k")
        eq(pipe.get("k"), "v")
        connect().set("k", "changed")
        pipe.multi()
        pipe.set("k", "never")
        raises(redis.WatchError, "Watched variable changed", pipe.execute)
    eq(r.get("k"), "changed")


def watch_contention(r, connect):
    retries = 0

    def work():
        nonlocal retries
        mine = connect()
        for _ in range(INCREMENTS):
            while True:
                with mine.pipeline() as pipe:
                    try:
                        pipe.watch("total")
                        now = int(pipe.get("total") or 0)
                        pipe.multi()
                        pipe.set("total", now + 1)
                        pipe.rpush("log", now + 1)
                        pipe.execute()
                        break
                    except redis.WatchError:
                        retries += 1
        mine.close()

    together([work] * TASKS)
    eq(r.get("total"), str(TASKS * INCREMENTS))
    eq(r.lrange("log", 0, -1), [str(i + 1) for i in range(TASKS * INCREMENTS)])


def together(jobs):
    """Runs the jobs as threads, and fails if one of them does."""
    failures = []

    def guarded(job):
        try:
            job()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def scan_while_writing(r, connect):
    with r.pipeline(transaction=False) as pipe:
        for i in range(50_000):
            pipe.set(f"stays:{i}", i)
        pipe.execute()
    done = threading.Event()

    def write():
        mine = connect()
        i = 0
        while not done.is_set():
            with mine.pipeline(transaction=False) as pipe:
                for _ in range(50):
                    pipe.set(f"new:{i}", i)
                    pipe.delete(f"new:{i - 500}")
                    i += 1
                pipe.execute()
        mine.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {key for key in r.scan_iter(match="stays:*", count=1000)}
        strings = {key for key in r.scan_iter(match="*", count=1000, _type="string")}
    finally:
        done.set()
        writer.join()
    eq(len(seen), 50_000)
    eq(len([key for key in strings if key.startswith("stays:")]), 50_000)
    eq(list(r.scan_iter(_type="zset", count=10_000)), [])


def pub_sub(r, connect):
    sub = r.pubsub()
    sub.subscribe("news", "소식")
    sub.psubscribe("user:*")
    until(lambda: dict(r.pubsub_numsub("news")) == {"news": 1})
    until(lambda: r.pubsub_numpat() == 1)
    eq(sorted(r.pubsub_channels()), ["news", "소식"])
    eq(r.publish("news", "one"), 1)
    eq(r.publish("user:7", "둘"), 1)
    eq(r.publish("nobody", "three"), 0)
    eq(messages(sub, 2), [("message", None, "news", "one"), ("pmessage", "user:*", "user:7", "둘")])
    # The server ends the connection: the client connects again, subscribes again, and hears the next message.
    eq(r.client_kill_filter(_type="pubsub", skipme=True), 1)
    until(lambda: listens_again(sub) and r.pubsub_numpat() == 1 and len(r.pubsub_channels()) == 2)
    eq(r.publish("소식", "again"), 1)
    eq(messages(sub, 1), [("message", None, "소식", "again")])
    sub.unsubscribe("news")
    until(lambda: sub.get_message(timeout=0.01) is not None)
    eq(r.publish("news", "unheard"), 0)
    # Many messages come in order.
    for i in range(2000):
        r.publish("user:many", i)
    eq([int(data) for *_, data in messages(sub, 2000)], list(range(2000)))
    sub.close()


def messages(sub, count):
    """The next messages, without the confirmations of subscriptions."""
    found = []
    end = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < end:
        if message := sub.get_message(ignore_subscribe_messages=True, timeout=0.1):
            found.append((message["type"], message["pattern"], message["channel"], message["data"]))
    return found


def listens_again(sub):
    """Lets the subscription notice that its connection has gone."""
    try:
        sub.get_message(timeout=0.01)
    except redis.ConnectionError:
        pass
    return True


def blocking(r, connect):
    began = time.monotonic()
    eq(r.blpop("none", timeout=0.2), None)
    assert 0.15 < time.monotonic() - began < 5
    r.rpush("ready", "x", "y")
    eq(list(r.blpop(["none", "ready"], timeout=1)), ["ready", "x"])
    eq(list(r.brpop("ready", timeout=1)), ["ready", "y"])
    waiter = connect()
    pusher = threading.Timer(0.05, lambda: push(connect))
    pusher.start()
    eq(list(waiter.blpop(["none", "later"], timeout=10)), ["later", "came"])
    eq(waiter.blmove("later", "moved", 10, "LEFT", "RIGHT"), "second")
    pusher.join()
    eq(r.lrange("moved", 0, -1), ["second"])
    eq(waiter.ping(), True)


def push(connect):
    plain = redis.Redis(HOST, PORT)
    plain.rpush("later", "came")
    plain.rpush("later", "second")
    plain.close()


def blocking_pool(r, connect):
    pool = redis.BlockingConnectionPool(max_connections=4, timeout=10, host=HOST, port=PORT, decode_responses=True)
    pooled = redis.Redis(connection_pool=pool)

    def work():
        for _ in range(100):
            pooled.incr("n")
            with pooled.pipeline() as pipe:
                pipe.incr("m").incr("m").execute()

    together([work] * 16)
    eq(pooled.mget("n", "m"), ["1600", "3200"])
    ours = [client for client in r.client_list() if client["name"] == ""]
    assert len(ours) <= 4 + 1 + 8, len(ours)
    # With every connection taken, the next caller is told so after the pool's timeout.
    small = redis.BlockingConnectionPool(max_connections=1, timeout=0.05, host=HOST, port=PORT)
    taken = small.get_connection()
    raises(redis.ConnectionError, "No connection available", small.get_connection)
    small.release(taken)
    eq(redis.Redis(connection_pool=small).ping(), True)
    small.disconnect()
    pool.disconnect()


# For every client, and for the synchronous one only: there a thread does what a task does in asyncio (tasks.py).
FAMILIES = [pipelines, transactions, pub_sub, blocking]
THREADED = [watch_contention, scan_while_writing]
