"""asyncio's own side: many tasks at once, listening while publishing, and what happens to a task that is cancelled."""

import asyncio

import redis.asyncio
from flow import INCREMENTS, TASKS
from harness import HOST, PATIENCE_S, PORT, eq
from redis.exceptions import ConnectionError, WatchError


def connect(protocol, **options):
    return redis.asyncio.Redis(host=HOST, port=PORT, protocol=protocol, decode_responses=True, **options)


async def watch_contention(protocol):
    async def work():
        async with connect(protocol) as mine:
            for _ in range(INCREMENTS):
                while True:
                    async with mine.pipeline() as pipe:
                        try:
                            await pipe.watch("total")
                            now = int(await pipe.get("total") or 0)
                            pipe.multi()
                            await pipe.set("total", now + 1).execute()
                            break
                        except WatchError:
                            continue

    await asyncio.gather(*(work() for _ in range(TASKS)))
    async with connect(protocol) as r:
        eq(await r.get("total"), str(TASKS * INCREMENTS))


async def many_tasks(protocol):
    async with connect(protocol, max_connections=200) as r:
        eq(sorted(await asyncio.gather(*(r.incr("n") for _ in range(150)))), list(range(1, 151)))


async def listening_with_reconnects(protocol):
    heard = asyncio.Queue()

    async def listen(sub):
        while True:
            try:
                async for message in sub.listen():
                    if message["type"] in ("message", "pmessage"):
                        await heard.put(message["data"])
            except ConnectionError:
                continue

    async with connect(protocol) as r, r.pubsub() as sub:
        await sub.psubscribe("news.*")
        listener = asyncio.create_task(listen(sub))
        for round_ in range(3):
            await until(r.pubsub_numpat, 1)
            eq(await r.publish("news.x", f"round {round_}"), 1)
            eq(await asyncio.wait_for(heard.get(), PATIENCE_S), f"round {round_}")
            eq(await r.client_kill_filter(_type="pubsub"), 1)
        listener.cancel()


async def until(ask, want):
    async with asyncio.timeout(PATIENCE_S):
        while await ask() != want:
            await asyncio.sleep(0.005)


async def blocking_with_cancel(protocol):
    async with connect(protocol) as r, connect(protocol) as other:
        waiter = asyncio.create_task(r.blpop("jobs", timeout=0))
        await until(lambda: blocked(other), 1)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        await until(lambda: blocked(other), 0)
        await other.rpush("jobs", "kept")
        eq(list(await r.blpop("jobs", timeout=1)), ["jobs", "kept"])
        several = [asyncio.create_task(r.blpop("jobs", timeout=10)) for _ in range(5)]
        await until(lambda: blocked(other), 5)
        eq(await other.rpush("jobs", *range(5)), 5)
        eq(sorted(job for _, job in await asyncio.gather(*several)), list("01234"))


async def blocked(r):
    return (await r.info("clients"))["blocked_clients"]


def families(protocol):
    """Name and body of each."""
    for family in (watch_contention, many_tasks, listening_with_reconnects, blocking_with_cancel):
        yield f"tasks: {family.__name__.replace('_', ' ')}", lambda family=family: asyncio.run(family(protocol))
