"""dramatiq with worker processes: done once, again after errors, later when delayed, kept when hopeless."""

import threading
import time

import dramatiq
import redis
from dramatiq.rate_limits import BucketRateLimiter, ConcurrentRateLimiter, WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend
from dramatiq_actors import add, broker, hold, never, note, notes, third_time, too_old
from harness import HOST, PORT, eq, until
from worker import running

r = redis.Redis(HOST, PORT, decode_responses=True)
WORKER = ["dramatiq", "dramatiq_actors", "--processes", "1", "--threads", "2"]
PATIENCE_MS = 20_000


def get(message):
    return message.get_result(block=True, timeout=PATIENCE_MS)


def results():
    eq(get(add.send("가", "나")), "가나")
    many = [add.send(i, i) for i in range(100)]
    eq([get(message) for message in many], [2 * i for i in range(100)])
    pipe = (add.message(1, 2) | add.message(3)).run()
    eq(pipe.get_result(block=True, timeout=PATIENCE_MS), 6)
    group = dramatiq.group(add.message(i, i) for i in range(10)).run()
    eq(list(group.get_results(block=True, timeout=PATIENCE_MS)), [2 * i for i in range(10)])
    until(lambda: r.hlen("dramatiq:default.msgs") == 0)


def retry():
    eq(get(third_time.send()), 3)
    eq(notes.get("attempts"), "3")


def delay():
    began = time.monotonic()
    note.send_with_options(args=("400 ms",), delay=400)
    note.send_with_options(args=("100 ms",), delay=100)
    until(lambda: r.llen("dramatiq:default.DQ") + r.hlen("dramatiq:default.DQ.msgs") > 0)
    until(lambda: notes.llen("notes") == 2)
    eq(notes.lrange("notes", 0, -1), ["100 ms", "400 ms"])
    assert time.monotonic() - began >= 0.4


def dead_letters():
    message = never.send()
    until(lambda: r.zcard("dramatiq:default.XQ") == 1)
    eq(r.zrange("dramatiq:default.XQ", 0, -1), r.hkeys("dramatiq:default.XQ.msgs"))
    kept = dramatiq.Message.decode(r.hvals("dramatiq:default.XQ.msgs")[0].encode())
    eq((kept.message_id, kept.options["retries"], "거절" in kept.options["traceback"]), (message.message_id, 1, True))
    too_old.send_with_options(delay=200)
    until(lambda: r.zcard("dramatiq:default.XQ") == 2)
    eq(notes.lrange("notes", 0, -1), [])


def maintenance():
    """What a worker had when it was killed goes back to the queue after its heartbeat is over."""
    with running(*WORKER, kill=True):
        hold.send()
        until(lambda: notes.lrange("notes", 0, -1) == ["held"])
    until(lambda: r.info("clients")["blocked_clients"] == 0)
    notes.rpush("go on", 1)
    with running(*WORKER):
        until(lambda: notes.lrange("notes", 0, -1) == ["held", "held", "done"])
    until(lambda: r.hlen("dramatiq:default.msgs") == 0)


def flush():
    for i in range(50):
        note.send(f"never {i}")
        note.send_with_options(args=(f"never {i}",), delay=60_000)
    eq(r.llen("dramatiq:default"), 50)
    broker.flush_all()
    eq([key for key in r.keys("dramatiq:default*")], [])


def rate_limits():
    backend = RedisBackend(client=redis.Redis(HOST, PORT))
    mutex = ConcurrentRateLimiter(backend, "mutex", limit=2)
    inside = most = 0
    admitted = []

    def work():
        nonlocal inside, most
        for _ in range(20):
            with mutex.acquire(raise_on_failure=False) as acquired:
                if acquired:
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0.001)
                    inside -= 1
                    admitted.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2 and admitted, (most, len(admitted))
    for limiter in (WindowRateLimiter(backend, "window", limit=3, window=3600), BucketRateLimiter(backend, "bucket", limit=3, bucket=3_600_000)):
        count = 0
        for _ in range(8):
            with limiter.acquire(raise_on_failure=False) as acquired:
                count += acquired
        eq(count, 3)


def with_worker(client, clear, case):
    clear()
    with running(*WORKER):
        for body in (results, retry, delay, dead_letters):
            notes.flushdb()
            case(client, body.__name__.replace("_", " "), body)
    for body in (maintenance, flush, rate_limits):
        clear()
        case(client, body.__name__.replace("_", " "), body)
