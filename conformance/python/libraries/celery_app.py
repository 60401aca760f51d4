"""The tasks of the Celery cases, for the worker and for those who call it."""

import redis
from celery import Celery, Task
from harness import HOST, PORT

URL = f"redis://{HOST}:{PORT}/0"
app = Celery("conformance", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "priority_steps": [0, 3, 6, 9],
        "queue_order_strategy": "priority",
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "visibility_timeout": 2,
    },
    result_expires=600,
    task_acks_late=True,
    task_create_missing_queues=True,
    worker_prefetch_multiplier=1,
)
notes = redis.Redis(HOST, PORT, db=1, decode_responses=True)


@app.task
def add(one, other):
    return one + other


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fail(text):
    raise ValueError(text)


@app.task(bind=True, max_retries=5)
def third_time(self: Task):
    notes.rpush("attempts", self.request.retries)
    if self.request.retries < 2:
        raise self.retry(countdown=0.05)
    return self.request.retries


@app.task
def note(name):
    notes.rpush("notes", name)
    return name


@app.task(bind=True)
def report(self: Task):
    self.update_state(state="PROGRESS", meta={"쪽": 3})
    notes.blpop("go on", timeout=20)
    return "끝"


@app.task
def failed_chord(request, exception, traceback):
    notes.rpush("failed chords", str(exception))
