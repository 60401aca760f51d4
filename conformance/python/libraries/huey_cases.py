"""huey with its consumer: results, retries, schedules, priorities, locks, and its semaphore by script."""

import contextlib
import logging
import threading
import time

from harness import HOST, PATIENCE_S, PORT, eq, until
from huey import PriorityRedisHuey, RedisExpireHuey, RedisHuey
from huey.contrib.helpers import RedisSemaphore
from huey.exceptions import TaskException, TaskLockedException

# Errors are part of the cases.
logging.getLogger("huey").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def consumed(huey, workers=2):
    """Runs the consumer's threads while the body runs."""
    consumer = huey.create_consumer(workers=workers, initial_delay=0.01, max_delay=0.05, scheduler_interval=1, check_worker_health=False)
    consumer.start()
    try:
        yield
    finally:
        consumer.stop(graceful=True)


def get(result):
    return result.get(blocking=True, timeout=PATIENCE_S)


def results(kind):
    huey = kind("q", host=HOST, port=PORT)
    add = huey.task()(lambda one, other: one + other)

    def fail():
        raise ValueError("거절")

    failing = huey.task(name="fail")(fail)
    with consumed(huey):
        eq(get(add("가", "나")), "가나")
        many = [add(i, i) for i in range(100)]
        eq([get(result) for result in many], [2 * i for i in range(100)])
        eq(get(huey.enqueue(add.s(1, 2).then(add, 3))), [3, 6])
        try:
            get(failing())
            raise AssertionError("no error came")
        except TaskException as error:
            assert "거절" in str(error), error
    eq(huey.pending_count(), 0)


def retries_and_schedule(kind):
    huey = kind("q", host=HOST, port=PORT)
    attempts = []

    def third_time():
        attempts.append(time.monotonic())
        if len(attempts) < 3:
            raise ValueError("not yet")
        return len(attempts)

    third = huey.task(retries=5, name="third")(third_time)
    later = huey.task(name="later")(time.monotonic)
    with consumed(huey):
        result = third()
        until(lambda: len(attempts) == 3)
        eq(get(result), 3)
        began = time.monotonic()
        delayed = later.schedule(delay=1)
        revoked = later.schedule(delay=1)
        revoked.revoke()
        assert get(delayed) - began >= 0.9
        until(lambda: huey.scheduled_count() == 0)
        eq(revoked.get(), None)


def priorities():
    huey = PriorityRedisHuey("q", host=HOST, port=PORT)
    order = []
    note = huey.task(name="note")(order.append)
    for name, priority in [("one", 1), ("none", 0), ("five", 5), ("two", 2), ("five again", 5)]:
        note(name, priority=priority)
    with consumed(huey, workers=1):
        until(lambda: len(order) == 5)
    eq(order, ["five", "five again", "two", "one", "none"])


def locks():
    huey = RedisHuey("q", host=HOST, port=PORT)
    with huey.lock_task("report"):
        try:
            with huey.lock_task("report"):
                raise AssertionError("taken twice")
        except TaskLockedException:
            pass
    with huey.lock_task("report"):
        pass
    semaphore = RedisSemaphore(huey, "seats", value=3)
    inside = most = 0

    def work():
        nonlocal inside, most
        for _ in range(10):
            name = until(semaphore.acquire)
            inside += 1
            most = max(most, inside)
            time.sleep(0.001)
            inside -= 1
            eq(semaphore.release(name), 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 < most <= 3, most
    eq(semaphore.acquire("mine"), "mine")
    eq((semaphore.renew("mine"), semaphore.renew("nobody")), (True, False))
    short = RedisSemaphore(huey, "short", value=1, timeout=0.1)
    eq((short.acquire("one"), short.acquire("two")), ("one", None))
    until(lambda: short.acquire("two"))


FAMILIES = {
    "huey": [
        ("results", lambda: results(RedisHuey)),
        ("results that expire", lambda: results(RedisExpireHuey)),
        ("retries and schedule", lambda: retries_and_schedule(RedisHuey)),
        ("retries and schedule with priorities", lambda: retries_and_schedule(PriorityRedisHuey)),
        ("priorities", priorities),
        ("locks", locks),
    ]
}
