"""RQ with a worker process that schedules, too."""

import time
from datetime import datetime, timedelta, timezone

import redis
from harness import HOST, PORT, eq, raises, until
from rq import Queue, Repeat, Retry
from rq.exceptions import DuplicateJobError
from rq.job import Dependency, Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry
from rq_jobs import add, fail, note, notes, on_failure, on_success, third_time
from worker import running

r = redis.Redis(HOST, PORT)
WORKER = ["rq.cli", "worker", "--url", f"redis://{HOST}:{PORT}/0", "--with-scheduler", "--quiet"]


def finished(job):
    return until(lambda: job.get_status(refresh=True) in ("finished", "failed", "stopped", "canceled") and job.get_status())


def success(q):
    job = q.enqueue(add, "가", other="나", result_ttl=600)
    eq(finished(job), "finished")
    eq(job.return_value(), "가나")
    eq(FinishedJobRegistry(queue=q).get_job_ids(), [job.id])
    assert 500 < r.ttl(job.key) <= 600
    jobs = q.enqueue_many([Queue.prepare_data(add, (i, i)) for i in range(10)])
    eq([finished(job) for job in jobs], ["finished"] * 10)
    eq([job.return_value() for job in jobs], [2 * i for i in range(10)])


def failure(q):
    job = q.enqueue(fail, "거절", failure_ttl=600, on_failure=on_failure)
    eq(finished(job), "failed")
    eq("ValueError: 거절" in job.latest_result().exc_string, True)
    eq(FailedJobRegistry(queue=q).get_job_ids(), [job.id])
    until(lambda: notes.lrange("callbacks", 0, -1) == ["failure 거절"])
    job.requeue()
    until(lambda: len(job.results()) == 2)
    good = q.enqueue(add, 1, 1, on_success=on_success)
    eq(finished(good), "finished")
    until(lambda: notes.lrange("callbacks", -1, -1) == ["success 2"])


def retry(q):
    job = q.enqueue(third_time, retry=Retry(max=3))
    until(lambda: job.get_status(refresh=True) == "finished")
    eq((job.return_value(), job.get_meta()), ("3", {"쪽": 3}))
    notes.delete("attempts")
    spaced = q.enqueue(third_time, retry=Retry(max=3, interval=1))
    until(lambda: ScheduledJobRegistry(queue=q).get_job_ids() == [spaced.id])
    until(lambda: spaced.get_status(refresh=True) == "finished")
    hopeless = q.enqueue(fail, "x", retry=Retry(max=1))
    until(lambda: hopeless.get_status(refresh=True) == "failed")
    hopeless.refresh()
    eq(hopeless.retries_left, 0)


def scheduled(q):
    began = time.time()
    later = q.enqueue_in(timedelta(seconds=2), note, "later")
    at = q.enqueue_at(datetime.now(timezone.utc) + timedelta(seconds=2), note, "at")
    never = q.enqueue_in(timedelta(hours=1), note, "never")
    eq(len(ScheduledJobRegistry(queue=q)), 3)
    eq((finished(later), finished(at)), ("finished", "finished"))
    assert time.time() - began >= 1
    never.cancel()
    eq(len(ScheduledJobRegistry(queue=q)), 0)
    repeated = q.enqueue(note, "repeated", repeat=Repeat(times=2, interval=1))
    until(lambda: notes.lrange("notes", 0, -1).count("repeated") == 3)
    eq(repeated.get_status(refresh=True) in ("finished", "started"), True)


def dependencies(q):
    failing = q.enqueue(fail, "x")
    first = q.enqueue(note, "first")
    second = q.enqueue(note, "second", depends_on=first)
    third = q.enqueue(note, "third", depends_on=[first, second])
    anyway = q.enqueue(note, "anyway", depends_on=Dependency(jobs=[failing], allow_failure=True))
    never = q.enqueue(note, "never", depends_on=failing)
    eq([finished(job) for job in (first, second, third, anyway)], ["finished"] * 4)
    eq(never.get_status(refresh=True), "deferred")
    order = [name for name in notes.lrange("notes", 0, -1) if name != "anyway"]
    eq(order, ["first", "second", "third"])


def unique_and_emptied(q):
    other = Queue("unattended", connection=r)
    job = other.enqueue(add, 1, 1, job_id="own", unique=True)
    raises(DuplicateJobError, "Job with ID 'own' already exists", other.enqueue, add, 1, 1, job_id="own", unique=True)
    in_an_hour = datetime.now(timezone.utc) + timedelta(hours=1)
    other.schedule_job(Job.create(add, (1, 1), id="later", connection=r, origin=other.name), in_an_hour, unique=True)
    again = Job.create(add, (1, 1), id="later", connection=r, origin=other.name)
    raises(DuplicateJobError, "Job with ID 'later' already exists", other.schedule_job, again, in_an_hour, unique=True)
    for i in range(300):
        other.enqueue(add, i, i)
    first = other.enqueue(add, 1, 1, at_front=True)
    eq(other.get_job_ids(0, 2), [first.id, "own"])
    eq(other.empty(), 302)
    eq((len(other), r.exists(job.key)), (0, 0))


def with_worker(client, clear, case):
    clear()
    q = Queue("conformance", connection=r)
    with running(*WORKER, "conformance"):
        for body in (success, failure, retry, scheduled, dependencies, unique_and_emptied):
            notes.flushdb()
            case(client, body.__name__.replace("_", " "), lambda: body(q))
