"""Cases by client and family: each runs on an empty server and prints one line, `ok` or `FAILED`, with both names."""

import asyncio
import inspect
import os
import sys
import textwrap
import time
import traceback

HOST = os.environ["CONFORMANCE_HOST"]
PORT = int(os.environ["CONFORMANCE_PORT"])
# The longest that anything here waits for another client.
PATIENCE_S = 20

_failed = 0


def eq(got, want):
    """What came has to be what Redis gives."""
    if got != want:
        raise AssertionError(f"got {got!r}\n  want {want!r}")


def raises(kind, text, call, *args, **named):
    """The call has to fail with an error of this kind that begins with this text."""
    try:
        got = call(*args, **named)
    except kind as error:
        if not str(error).startswith(text):
            raise AssertionError(f"got {error!s}\n  want {text}") from None
        return
    raise AssertionError(f"got {got!r}\n  want an error: {text}")


def until(condition):
    """Waits for what another client is about to do; returns the first true value."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError("waited in vain")


def case(client, family, run, *args):
    """Runs one family over one client and tells how it went."""
    global _failed
    began = time.monotonic()
    try:
        run(*args)
    except Exception:
        _failed += 1
        print(f"FAILED  {client}: {family}\n{textwrap.indent(traceback.format_exc(chain=False), ' ' * 8)}", end="", flush=True)
    else:
        print(f"ok      {client}: {family} ({time.monotonic() - began:.2f} s)", flush=True)


def finish():
    """Ends the program: with an error if any case failed."""
    sys.exit(1 if _failed else 0)


class Awaited:
    """An asyncio client (or pipeline, or subscription) that is used like its synchronous twin.

    What a call returns is awaited, so that the same families run over both.
    """

    def __init__(self, loop, inner):
        self._loop = loop
        self._inner = inner

    def _settle(self, value):
        if inspect.isasyncgen(value):
            return self._each(value)
        if inspect.isawaitable(value):
            value = self._loop.run_until_complete(_result(value))
        kinds = ("Redis", "Pipeline", "PubSub")
        return Awaited(self._loop, value) if type(value).__name__ in kinds else value

    def _each(self, source):
        while True:
            try:
                yield self._loop.run_until_complete(anext(source))
            except StopAsyncIteration:
                return

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        if name == "close":
            found = self._inner.aclose
        return lambda *args, **named: self._settle(found(*args, **named))

    def __enter__(self):
        return self._settle(self._inner.__aenter__())

    def __exit__(self, *about):
        return self._settle(self._inner.__aexit__(*about))


async def _result(value):
    return await value


def new_loop():
    """The loop that a facade runs its calls on."""
    return asyncio.new_event_loop()
