"""Runs what libraries promise whose work is done by scripts: locks, limiters, queues with their workers."""

import importlib.metadata
import sys

import cacheops_cases
import celery_cases
import dramatiq_cases
import huey_cases
import limiters
import locks
import redis
import rq_cases
import scripts
from django.core.cache import cache
from harness import HOST, PORT, case, finish


def clear():
    with redis.Redis(HOST, PORT) as r:
        r.flushall()
        r.script_flush()


def client(package):
    return f"{'redis-py' if package == 'redis' else package} {importlib.metadata.version(package)}"


def main(only):
    listed = [scripts.FAMILIES, locks.families(cache), limiters.FAMILIES, huey_cases.FAMILIES, cacheops_cases.families()]
    for package, families in [found for families in listed for found in families.items()]:
        for name, body in families:
            if package.startswith(only):
                clear()
                case(client(package), name, body)
    for package, cases in {"celery": celery_cases, "rq": rq_cases, "dramatiq": dramatiq_cases}.items():
        if package.startswith(only):
            cases.with_worker(client(package), clear, case)
    finish()


main(*sys.argv[1:2] or [""])
