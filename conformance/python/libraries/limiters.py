"""limits: each strategy admits exactly its limit, however many ask at once, and again when its window is over."""

import asyncio
import threading
import time

import limits
import limits.aio.strategies
import limits.storage
import limits.strategies
import redis
from harness import HOST, PORT, eq, until

URL = f"redis://{HOST}:{PORT}"
STRATEGIES = ["FixedWindowRateLimiter", "MovingWindowRateLimiter", "SlidingWindowCounterRateLimiter"]


def together(count, ask):
    """How many of this many threads are admitted."""
    admitted = []
    threads = [threading.Thread(target=lambda: admitted.extend(ask() for _ in range(5))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(admitted)


def strategy(name):
    limiter = getattr(limits.strategies, name)(limits.storage.storage_from_string(URL))
    hourly = limits.parse("7/hour")
    eq(limiter.test(hourly, "u1"), True)
    eq(together(8, lambda: limiter.hit(hourly, "u1")), 7)
    eq(limiter.test(hourly, "u1"), False)
    stats = limiter.get_window_stats(hourly, "u1")
    eq(stats.remaining, 0)
    assert time.time() < stats.reset_time <= time.time() + 3601, stats
    eq(limiter.hit(hourly, "u2", cost=5), True)
    eq(limiter.hit(hourly, "u2", cost=3), False)
    limiter.clear(hourly, "u1")
    eq(limiter.hit(hourly, "u1"), True)
    with redis.Redis(HOST, PORT) as r:
        eq([key for key in r.keys() if r.ttl(key) <= 0], [])


def windows_end(name):
    limiter = getattr(limits.strategies, name)(limits.storage.storage_from_string(URL))
    short = limits.parse("3/second")
    admitted = [time.monotonic() for _ in range(5) if limiter.hit(short, "u1")]
    assert 3 <= len(admitted) <= 5, admitted
    eq(limiter.hit(short, "u1", cost=3), False)
    until(lambda: limiter.hit(short, "u1"))


def moving_window_moves():
    """A hit becomes free again exactly a window after it was made, not all of them at once."""
    limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.storage_from_string(URL))
    short = limits.parse("2/second")
    times = []
    while len(times) < 6:
        if limiter.hit(short, "u1"):
            times.append(time.time())
            time.sleep(0.2)
    for one, third in zip(times, times[2:]):
        assert third - one > 0.95, times


def storage():
    kept = limits.storage.storage_from_string(URL)
    eq([kept.incr("k", 60), kept.incr("k", 60, amount=4)], [1, 5])
    eq(kept.get("k"), 5)
    assert 0 < kept.get_expiry("k") - time.time() <= 61
    for i in range(1_500):
        kept.incr(f"many {i}", 60)
    eq(kept.check(), True)
    eq(kept.reset(), 1_501)
    with redis.Redis(HOST, PORT) as r:
        eq(r.dbsize(), 0)


def awaited(name):
    async def everything():
        kept = limits.storage.storage_from_string(f"async+{URL}", implementation="redispy")
        limiter = getattr(limits.aio.strategies, name)(kept)
        hourly = limits.parse("7/hour")
        admitted = await asyncio.gather(*(limiter.hit(hourly, "u1") for _ in range(40)))
        eq(sum(admitted), 7)
        eq((await limiter.get_window_stats(hourly, "u1")).remaining, 0)
        await limiter.clear(hourly, "u1")
        eq(await limiter.test(hourly, "u1"), True)

    asyncio.run(everything())


def words(name):
    """`MovingWindowRateLimiter` is "moving window"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.removesuffix("RateLimiter")).strip()


FAMILIES = {
    "limits": [
        (f"{words(name)}{how}", lambda body=body, name=name: body(name))
        for name in STRATEGIES
        for how, body in [("", strategy), (", windows end", windows_end), (" over asyncio", awaited)]
    ]
    + [("moving window moves", moving_window_moves), ("storage", storage)],
}
