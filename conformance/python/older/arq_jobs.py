"""The jobs and workers of the arq cases."""

import asyncio
import time

from arq import Retry, cron
from arq.connections import RedisSettings
from harness import HOST, PORT
from redis.asyncio import Redis

SETTINGS = RedisSettings(host=HOST, port=PORT)
notes = Redis(host=HOST, port=PORT, db=1, decode_responses=True)


async def add(context, one, other):
    return one + other


async def note(context, name):
    await notes.rpush("notes", name)
    return name


async def fail(context, text):
    raise ValueError(text)


async def third_time(context):
    if context["job_try"] < 3:
        raise Retry(defer=0.05)
    return context["job_try"]


async def always_again(context):
    raise Retry


async def hold(context):
    await notes.set("held", 1)
    await asyncio.sleep(60)


async def hold_once(context):
    if await notes.incr("held") == 1:
        await asyncio.sleep(60)
    return "끝"


async def tick(context):
    await notes.rpush("ticks", int(time.time()))


class Worker:
    """Everything, and a schedule of once a second."""

    functions = [add, note, fail, third_time, always_again, hold]
    cron_jobs = [cron(tick, second=set(range(60)), microsecond=0)]
    redis_settings = SETTINGS
    allow_abort_jobs = True
    poll_delay = 0.02


class Short:
    """A queue of its own."""

    functions = [hold_once]
    queue_name = "short"
    redis_settings = SETTINGS
    poll_delay = 0.02
