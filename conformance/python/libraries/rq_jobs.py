"""The jobs of the RQ cases."""

import redis
from harness import HOST, PORT
from rq import get_current_job

notes = redis.Redis(HOST, PORT, db=1, decode_responses=True)


def add(one, other):
    return one + other


def note(name):
    notes.rpush("notes", name)
    return name


def fail(text):
    raise ValueError(text)


def third_time():
    if notes.incr("attempts") < 3:
        raise ValueError("not yet")
    job = get_current_job()
    job.meta["쪽"] = 3
    job.save_meta()
    return notes.get("attempts")


def on_success(job, connection, result, *args):
    notes.rpush("callbacks", f"success {result}")


def on_failure(job, connection, kind, value, traceback):
    notes.rpush("callbacks", f"failure {value}")
