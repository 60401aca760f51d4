"""Locks of redis-py, django-redis and pottery: one holder at a time, given back and prolonged by the holder only."""

import asyncio
import threading
import time

import pottery
import redis
import redis.asyncio
from harness import HOST, PATIENCE_S, PORT, eq, raises, until
from redis.exceptions import LockError, LockNotOwnedError

THREADS = 8
ROUNDS = 10


def connect(**options):
    return redis.Redis(HOST, PORT, **options)


class Room:
    """Counts who is inside; more than one at a time breaks the promise of a lock."""

    def __init__(self):
        self.inside = self.most = self.entered = 0

    def __enter__(self):
        self.inside += 1
        self.most = max(self.most, self.inside)

    def __exit__(self, *about):
        self.inside -= 1
        self.entered += 1


def contend(lock_of):
    """Many threads take a lock of their own connection and name many times."""
    room = Room()
    failures = []

    def work():
        try:
            lock = lock_of()
            for _ in range(ROUNDS):
                with lock, room:
                    time.sleep(0.001)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq(failures, [])
    eq((room.most, room.entered), (1, THREADS * ROUNDS))


def contention():
    contend(lambda: connect().lock("lock", timeout=30, sleep=0.002))
    eq(connect().exists("lock"), 0)


def acquire_and_release():
    r = connect()
    lock = r.lock("lock", timeout=10)
    eq(lock.acquire(), True)
    eq((lock.locked(), lock.owned(), r.get("lock")), (True, True, lock.local.token))
    other = connect().lock("lock", timeout=10, sleep=0.01)
    eq((other.acquire(blocking=False), other.locked(), other.owned()), (False, True, False))
    began = time.monotonic()
    eq(other.acquire(blocking_timeout=0.1), False)
    assert time.monotonic() - began < 2
    raises(LockError, "Cannot release a lock that's not owned or is already unlocked", other.release)
    eq(r.lock("lock").acquire(token="another", blocking=False), False)
    lock.release()
    eq(r.exists("lock"), 0)
    eq(other.acquire(token="chosen"), True)
    eq(r.get("lock"), b"chosen")
    other.release()
    eq(r.lock("forever").acquire(), True)
    eq(r.ttl("forever"), -1)
    raises(LockError, "Unable to acquire lock within the time specified", r.lock("forever", blocking_timeout=0.05).__enter__)


def extend_and_reacquire():
    r = connect()
    lock = r.lock("lock", timeout=10)
    lock.acquire()
    eq(lock.extend(20), True)
    assert 29_000 < r.pttl("lock") <= 30_000, r.pttl("lock")
    eq(lock.extend(5, replace_ttl=True), True)
    assert 4_000 < r.pttl("lock") <= 5_000, r.pttl("lock")
    eq(lock.reacquire(), True)
    assert 9_000 < r.pttl("lock") <= 10_000, r.pttl("lock")
    r.set("lock", "somebody else", px=60_000)
    raises(LockNotOwnedError, "Cannot extend a lock that's no longer owned", lock.extend, 100)
    raises(LockNotOwnedError, "Cannot reacquire a lock that's no longer owned", lock.reacquire)
    raises(LockNotOwnedError, "Cannot release a lock that's no longer owned", lock.release)
    eq(r.get("lock"), b"somebody else")
    assert 50_000 < r.pttl("lock") <= 60_000
    raises(LockError, "Cannot extend a lock with no timeout", held_without_timeout(r).extend, 1)


def held_without_timeout(r):
    lock = r.lock("without timeout")
    lock.acquire()
    return lock


def timeouts():
    r = connect()
    first = r.lock("lock", timeout=0.15)
    first.acquire()
    second = connect().lock("lock", timeout=10, sleep=0.005)
    eq(second.acquire(blocking_timeout=PATIENCE_S), True)
    eq((first.owned(), second.owned()), (False, True))
    raises(LockNotOwnedError, "Cannot release a lock that's no longer owned", first.release)
    eq(second.owned(), True)
    second.release()


def threads_have_tokens():
    """A lock object that threads share is held by the one that took it, unless it is told otherwise."""
    r = connect()
    lock, common = r.lock("own", timeout=10), r.lock("common", timeout=10, thread_local=False)
    lock.acquire()
    common.acquire()
    found = []

    def look():
        found.extend([lock.acquire(blocking=False), common.owned()])
        common.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    eq(found, [False, True])
    eq((lock.owned(), r.exists("common")), (True, 0))


def asyncio_locks():
    async def work(room, client):
        for _ in range(ROUNDS):
            async with client.lock("lock", timeout=30, sleep=0.002):
                with room:
                    await asyncio.sleep(0.001)

    async def everything():
        clients = [redis.asyncio.Redis(host=HOST, port=PORT) for _ in range(THREADS)]
        room = Room()
        await asyncio.gather(*(work(room, client) for client in clients))
        eq((room.most, room.entered), (1, THREADS * ROUNDS))
        lock = clients[0].lock("lock", timeout=10)
        await lock.acquire()
        eq(await clients[1].lock("lock", timeout=1).acquire(blocking=False), False)
        eq(await lock.extend(20), True)
        assert 29_000 < await clients[0].pttl("lock") <= 30_000
        eq(await lock.reacquire(), True)
        await clients[1].set("lock", "somebody else")
        try:
            await lock.release()
            raise AssertionError("released what somebody else holds")
        except LockNotOwnedError:
            pass
        eq(await clients[0].get("lock"), b"somebody else")
        for client in clients:
            await client.aclose()

    asyncio.run(everything())


def after_script_flush():
    r = connect()
    lock = r.lock("lock", timeout=10)
    for step in (lock.acquire, lambda: lock.extend(1), lock.reacquire, lock.release):
        r.script_flush()
        step()
    eq(r.exists("lock"), 0)


def pottery_redlock():
    masters = {connect(db=db) for db in (1, 2, 3)}

    def lock_of():
        return pottery.Redlock(key="방", masters={connect(db=db) for db in (1, 2, 3)}, auto_release_time=30)

    contend(lock_of)
    lock = pottery.Redlock(key="방", masters=masters, auto_release_time=10)
    eq(lock.acquire(), True)
    assert 9 < lock.locked() <= 10
    eq(pottery.Redlock(key="방", masters=masters).acquire(blocking=False), False)
    lock.extend()
    lock.release()
    eq(lock.locked(), 0)
    raises(pottery.ReleaseUnlockedLock, "('redlock:방'", lock.release)
    short = pottery.Redlock(key="short", masters=masters, auto_release_time=0.2)
    eq(short.acquire(), True)
    until(lambda: not any(master.exists("redlock:short") for master in masters))
    eq(short.locked(), 0)
    raises(pottery.ExtendUnlockedLock, "('redlock:short'", short.extend)


def pottery_ids():
    found = []

    def work():
        ids = pottery.NextID(key="번호", masters={connect(db=db) for db in (1, 2, 3)})
        while len(found) < 60:
            try:
                found.append(next(ids))
            except pottery.QuorumNotAchieved:
                continue

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq(len(found), len(set(found)))


def django_redis_lock(cache):
    def lock_of():
        return cache.lock("lock", timeout=30, sleep=0.002)

    contend(lock_of)
    lock = cache.lock("lock", timeout=10)
    eq(lock.acquire(), True)
    eq(cache.lock("lock", timeout=10).acquire(blocking=False), False)
    eq(lock.extend(20), True)
    eq(cache.client.get_client().pttl(cache.make_key("lock")) > 29_000, True)
    lock.release()


def django_redis_incr(cache):
    cache.set("n", 5, timeout=100)
    eq((cache.incr("n"), cache.incr("n", 10), cache.decr("n", 3)), (6, 16, 13))
    eq(cache.ttl("n"), 100)
    raises(ValueError, "Key '", cache.incr, "none")
    eq(cache.has_key("none"), False)
    eq(cache.incr("new", ignore_key_check=True), 1)
    cache.set("big", 2**63 - 1, timeout=100)
    eq(cache.incr("big"), 2**63)
    eq(cache.ttl("big"), 100)
    cache.set("text", "x")
    raises(TypeError, "", cache.incr, "text")
    cache.set("together", 0)
    threads = [threading.Thread(target=lambda: [cache.incr("together") for _ in range(50)]) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq(cache.get("together"), 50 * THREADS)


def families(cache):
    """By package; the last needs a cache of Django's settings."""
    own = [acquire_and_release, extend_and_reacquire, timeouts, threads_have_tokens, contention, asyncio_locks, after_script_flush]
    return {
        "redis": [(f"lock: {body.__name__.replace('_', ' ')}", body) for body in own],
        "pottery": [("redlock", pottery_redlock), ("ids", pottery_ids)],
        "django-redis": [("incr", lambda: django_redis_incr(cache)), ("lock", lambda: django_redis_lock(cache))],
    }
