"""The actors of the dramatiq cases."""

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from harness import HOST, PORT

notes = redis.Redis(HOST, PORT, db=1, decode_responses=True)
broker = RedisBroker(host=HOST, port=PORT, maintenance_chance=1_000_000, heartbeat_timeout=1_000)
broker.add_middleware(Results(backend=RedisBackend(client=redis.Redis(HOST, PORT, db=2))))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def add(one, other):
    return one + other


@dramatiq.actor
def note(name):
    notes.rpush("notes", name)


@dramatiq.actor(store_results=True, max_retries=5, min_backoff=20, max_backoff=40)
def third_time():
    attempts = notes.incr("attempts")
    if attempts < 3:
        raise ValueError("not yet")
    return attempts


@dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=20)
def never():
    raise ValueError("거절")


@dramatiq.actor(max_age=1)
def too_old():
    notes.rpush("notes", "too old")


@dramatiq.actor
def hold():
    notes.rpush("notes", "held")
    notes.blpop("go on", timeout=20)
    notes.rpush("notes", "done")
