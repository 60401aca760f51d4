"""Runs every family over every Python client."""

import data
import django_project
import flow
import redis
import redis.asyncio
import seed_000
import tasks
from harness import HOST, PORT, Awaited, case, finish, new_loop

VERSION = redis.__version__


def clear():
    with redis.Redis(HOST, PORT) as r:
        r.flushall()


def synchronous(protocol):
    """Connects redis-py over this protocol, with replies that are alike over both."""

    def connect(**options):
        options = {"decode_responses": True, "protocol": protocol, "legacy_responses": False} | options
        return redis.Redis(HOST, PORT, **options)

    return connect


def awaited(loop, protocol):
    """The same with its asyncio client."""

    def connect(**options):
        options = {"decode_responses": True, "protocol": protocol, "legacy_responses": False} | options
        return Awaited(loop, redis.asyncio.Redis(host=HOST, port=PORT, **options))

    return connect


def families(client, connect, listed):
    for family in listed:
        clear()
        case(client, family.__name__.replace("_", " "), lambda: family(connect(), connect))


def main():
    for protocol in (2, 3):
        client = f"redis-py {VERSION} RESP{protocol}"
        families(client, synchronous(protocol), data.FAMILIES + flow.FAMILIES + flow.THREADED)
    families(f"redis-py {VERSION} BlockingConnectionPool", synchronous(3), [flow.blocking_pool])
    for protocol in (2, 3):
        client = f"redis-py {VERSION} asyncio RESP{protocol}"
        loop = new_loop()
        families(client, awaited(loop, protocol), data.FAMILIES + flow.FAMILIES)
        loop.close()
        for name, body in tasks.families(protocol):
            clear()
            case(client, name, body)
    for family in seed_000.FAMILIES:
        clear()
        connect = synchronous(3)
        case(f"redis-py {VERSION}", f"seed 000 {family.__name__.replace('_', ' ')}", family, connect(), connect)
    django_project.run(clear)
    finish()


main()
