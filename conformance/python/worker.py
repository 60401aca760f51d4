"""Worker processes: each library's own program, started with the modules of the running folder, and ended again."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

# The folder that runs, and this one.
MODULES = f"{pathlib.Path(sys.argv[0]).resolve()}{os.pathsep}{pathlib.Path(__file__).parent}"
# Who is told to end ends the workers first.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@contextlib.contextmanager
def running(*arguments, kill=False):
    """Runs `python -m …` while the body runs; what it said is part of the error if the body fails."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPATH": MODULES, "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT, process_group=0
        )
        try:
            yield process
        except Exception as error:
            said.seek(0)
            raise AssertionError(f"{error}\nthe worker said:\n{said.read()[-4000:]}") from error
        finally:
            end(process, kill)


def end(process, kill=False):
    """Ends a worker as its operator would, or at once; with its children."""
    if kill:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
    else:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
