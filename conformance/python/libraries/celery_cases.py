"""Celery with a worker process: what is called is done once and its result comes back, in time and in order."""

import time
from datetime import datetime, timedelta, timezone

import redis
from celery import chain, chord, group
from celery_app import add, app, fail, failed_chord, note, notes, report, third_time, total
from harness import HOST, PATIENCE_S, PORT, eq, raises, until
from worker import running

WORKER = ["celery", "-A", "celery_app", "worker", "-l", "warning", "--without-mingle"]


def get(result):
    return result.get(timeout=PATIENCE_S)


def results():
    eq(get(add.delay(2, 3)), 5)
    eq(get(add.delay("가", "나")), "가나")
    failing = fail.delay("거절")
    raises(ValueError, "거절", get, failing)
    eq((failing.state, "ValueError" in failing.traceback), ("FAILURE", True))
    many = [add.delay(i, i) for i in range(100)]
    eq([get(result) for result in many], [2 * i for i in range(100)])
    with redis.Redis(HOST, PORT) as r:
        assert 500 < r.ttl(f"celery-task-meta-{many[0].id}") <= 600
        many[0].forget()
        eq(r.exists(f"celery-task-meta-{many[0].id}"), 0)
    silent = add.apply_async((1, 1), ignore_result=True)
    eq(get(silent), None)
    eq(get(add.delay(1, 1)), 2)
    with redis.Redis(HOST, PORT) as r:
        eq(r.exists(f"celery-task-meta-{silent.id}"), 0)


def progress():
    result = report.delay()
    until(lambda: result.state == "PROGRESS")
    eq(result.info, {"쪽": 3})
    notes.rpush("go on", 1)
    eq(get(result), "끝")


def retries():
    eq(get(third_time.delay()), 2)
    eq(notes.lrange("attempts", 0, -1), ["0", "1", "2"])


def eta():
    began = time.monotonic()
    later = add.apply_async((1, 1), countdown=0.6)
    at = add.apply_async((2, 2), eta=datetime.now(timezone.utc) + timedelta(seconds=0.4))
    eq(get(add.delay(3, 3)), 6)
    eq((get(at), get(later)), (4, 2))
    assert time.monotonic() - began >= 0.6


def canvases():
    eq(get(chain(add.s(1, 2), add.s(3), add.s(4))()), 10)
    eq(get(group(add.s(i, i) for i in range(20))()), [2 * i for i in range(20)])
    eq(get(chord([add.s(i, i) for i in range(30)], total.s())()), 870)
    eq(get(chord([chord([add.s(1, 1), add.s(2, 2)], total.s()), add.s(3, 3)], total.s())()), 12)
    broken = chord([add.s(1, 1), fail.s("하나가 실패")], total.s().on_error(failed_chord.s()))()
    try:
        get(broken)
        raise AssertionError("a chord of which one failed had a result")
    except AssertionError:
        raise
    except Exception as error:
        assert "하나가 실패" in str(error), error
    eq("하나가 실패" in notes.blpop("failed chords", timeout=PATIENCE_S)[1], True)


def control():
    eq([list(answer.values()) for answer in app.control.ping(timeout=1)], [[{"ok": "pong"}]])
    registered = app.control.inspect(timeout=1).registered()
    eq("celery_app.add" in next(iter(registered.values())), True)
    held = note.apply_async(("revoked",), countdown=0.5)
    held.revoke()
    eq(get(add.apply_async((1, 1), countdown=0.8)), 2)
    eq((held.state, notes.lrange("notes", 0, -1)), ("REVOKED", []))


def priorities():
    """What waits when the worker starts is done in the order of its priority: 0 is first."""
    for name, priority in [("nine", 9), ("three", 3), ("zero", 0), ("six", 6), ("zero again", 0)]:
        note.apply_async((name,), priority=priority)
    with running(*WORKER, "-P", "solo"):
        until(lambda: notes.llen("notes") == 5)
    eq(notes.lrange("notes", 0, -1), ["zero", "zero again", "three", "six", "nine"])


def unacknowledged():
    """What a worker had taken when it was killed is done by another after the visibility timeout."""
    with running(*WORKER, "-P", "solo", kill=True):
        result = report.delay()
        until(lambda: result.state == "PROGRESS")
    with redis.Redis(HOST, PORT) as r:
        eq(r.zcard("unacked_index"), 1)
        until(lambda: r.info("clients")["blocked_clients"] == 0)
    notes.rpush("go on", 1)
    with running(*WORKER, "-P", "solo"):
        eq(get(result), "끝")


def with_worker(client, clear, case):
    """The families that share a worker, then those that start their own."""
    clear()
    with running(*WORKER, "-c", "2"):
        for body in (results, progress, retries, eta, canvases, control):
            notes.flushdb()
            case(client, body.__name__, body)
    for body in (priorities, unacknowledged):
        clear()
        case(client, body.__name__, body)
