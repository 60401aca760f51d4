"""arq, which asks for redis-py 5: its workers do what is asked for once, later when deferred, again when it says so."""

import asyncio
import importlib.metadata
import time
from datetime import datetime, timedelta, timezone

import arq
import redis
from arq.jobs import JobStatus
from arq_jobs import SETTINGS
from harness import HOST, PATIENCE_S, PORT, case, eq, finish, until
from worker import running

CLIENT = f"arq {importlib.metadata.version('arq')} (redis-py {redis.__version__})"
r = redis.Redis(HOST, PORT, decode_responses=True)
notes = redis.Redis(HOST, PORT, db=1, decode_responses=True)


def awaited(body):
    """Runs a family with a pool of arq's."""

    async def run():
        pool = await arq.create_pool(SETTINGS)
        try:
            await body(pool)
        finally:
            await pool.aclose()

    return lambda: asyncio.run(run())


async def get(job):
    return await job.result(timeout=PATIENCE_S, poll_delay=0.01)


async def queued(pool):
    """What waits, but for what is done each second."""
    return [job.function for job in await pool.queued_jobs() if job.function != "cron:tick"]


async def results(pool):
    eq(await get(await pool.enqueue_job("add", "가", other="나")), "가나")
    jobs = [await pool.enqueue_job("add", i, i) for i in range(50)]
    eq([await get(job) for job in jobs], [2 * i for i in range(50)])
    info = await jobs[0].result_info()
    eq((info.success, info.function, info.args, info.job_try), (True, "add", (0, 0), 1))
    eq(await jobs[0].status(), JobStatus.complete)
    failing = await pool.enqueue_job("fail", "거절")
    try:
        await get(failing)
        raise AssertionError("no error came")
    except ValueError as error:
        eq(str(error), "거절")
    eq(await queued(pool), [])


async def unique_jobs(pool):
    later = {"_job_id": "own", "_defer_by": 60}
    first = await pool.enqueue_job("add", 1, 1, **later)
    eq(await pool.enqueue_job("add", 2, 2, **later), None)
    eq((first.job_id, await first.status()), ("own", JobStatus.deferred))
    together = await asyncio.gather(*(pool.enqueue_job("add", 1, 1, _job_id="one of many", _defer_by=60) for _ in range(20)))
    eq(len([job for job in together if job]), 1)
    eq(await queued(pool), ["add", "add"])


async def deferred(pool):
    began = time.monotonic()
    at = datetime.now(timezone.utc) + timedelta(seconds=0.4)
    later = [await pool.enqueue_job("note", "400 ms", _defer_until=at), await pool.enqueue_job("note", "200 ms", _defer_by=0.2)]
    eq(await later[0].status(), JobStatus.deferred)
    eq([await get(job) for job in later], ["400 ms", "200 ms"])
    assert time.monotonic() - began >= 0.39
    eq(notes.lrange("notes", 0, -1), ["200 ms", "400 ms"])


async def retries(pool):
    third = await pool.enqueue_job("third_time")
    eq(await get(third), 3)
    never = await pool.enqueue_job("always_again")
    try:
        await get(never)
        raise AssertionError("no error came")
    except arq.worker.JobExecutionFailed as error:
        eq(str(error), "max 5 retries exceeded")


async def abortion(pool):
    job = await pool.enqueue_job("hold")
    until(lambda: notes.exists("held"))
    eq(await job.status(), JobStatus.in_progress)
    eq(await job.abort(timeout=PATIENCE_S), True)


async def cron(pool):
    """Two workers have the same schedule; each second is done once."""
    with running("arq", "arq_jobs.Worker"):
        until(lambda: notes.llen("ticks") >= 3)
    ticks = notes.lrange("ticks", 0, -1)
    eq(len(ticks), len(set(ticks)))


async def lost_worker(pool):
    """What a worker was doing when it was killed is done again by another."""
    with running("arq", "arq_jobs.Short", kill=True):
        job = await pool.enqueue_job("hold_once", _queue_name="short")
        until(lambda: notes.exists("held"))
    job = arq.jobs.Job(job.job_id, pool, _queue_name="short")
    r.delete(f"arq:in-progress:{job.job_id}")
    with running("arq", "arq_jobs.Short"):
        eq(await get(job), "끝")


def main():
    r.flushall()
    with running("arq", "arq_jobs.Worker"):
        for body in (results, unique_jobs, deferred, retries, abortion, cron):
            notes.flushdb()
            case(CLIENT, body.__name__.replace("_", " "), awaited(body))
    r.flushall()
    case(CLIENT, "lost worker", awaited(lost_worker))
    finish()


main()
