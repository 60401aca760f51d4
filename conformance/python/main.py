"""Runs every family over every Python client."""

import os

import data
import django_project
import flow
import newer
import redis
import redis.asyncio
import seed_000
import tasks
import tracking
from harness import HOST, PORT, Awaited, case, finish, new_loop

VERSION = redis.__version__
PIPKIN = "CONFORMANCE_TARGET" not in os.environ


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


def has(command):
    """Whether the server knows a command. Pipkin has to: only another server may lack the newest ones."""
    with redis.Redis(HOST, PORT) as r:
        return PIPKIN or r.execute_command("COMMAND LIST", "FILTERBY", "PATTERN", command) != []


def families(client, connect, listed):
    for family in listed:
        clear()
        case(client, family.__name__.replace("_", " "), lambda: family(connect(), connect))


def main():
    newest = [family for command, listed in newer.SINCE_8_0.items() if has(command) for family in listed]
    for protocol in (2, 3):
        client = f"redis-py {VERSION} RESP{protocol}"
        families(client, synchronous(protocol), data.FAMILIES + flow.FAMILIES + newer.FAMILIES + newest)
        families(client, synchronous(protocol), flow.THREADED + newer.THREADED)
    for family in tracking.FAMILIES:
        clear()
        case(f"redis-py {VERSION} client-side caching", family.__name__.replace("_", " "), family)
    families(f"redis-py {VERSION} BlockingConnectionPool", synchronous(3), [flow.blocking_pool])
    for protocol in (2, 3):
        client = f"redis-py {VERSION} asyncio RESP{protocol}"
        loop = new_loop()
        families(client, awaited(loop, protocol), data.FAMILIES + flow.FAMILIES + newer.FAMILIES + newest)
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
