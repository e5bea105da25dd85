"""A Python process that works for this one, asked and answered in pickles over its standard streams.

It ends when its standard input does, at once and in the middle of its work: whoever asked for it may be
killed at any moment, and leaves none behind. It stands in a session of its own, so Ctrl-C is not for it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from harness.errors import ServiceDown

Answer = Callable[[Any], None]
END_S = 5.0
"""What a process that has closed its output gets to end by itself."""


class Helper:
    """The process, as the one that asks sees it. One conversation at a time."""

    def __init__(self, module: str) -> None:
        """Start `python -m module`, which calls `asked`."""
        self._module = module
        source = str(Path(__file__).parents[2])
        paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        self._process = subprocess.Popen(
            # -P: what lies in the folder that one works in may be called like a module of ours.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
            start_new_session=True,
        )

    def send(self, request: Any) -> None:
        """Hand over a request. Raises `ServiceDown` where the process is gone."""
        try:
            pickle.dump(request, _open(self._process.stdin))
            _open(self._process.stdin).flush()
        except (OSError, ValueError):
            raise self._gone() from None

    def receive(self) -> Any:
        """Wait for the next answer. Raises `ServiceDown` where the process is gone."""
        try:
            return pickle.load(_open(self._process.stdout))
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            raise self._gone() from None

    def kill(self) -> None:
        """End it. Whoever waits for an answer hears that it is gone."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            _open(self._process.stdin).close()

    def _gone(self) -> ServiceDown:
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return ServiceDown(f"the process of {self._module} {how}")


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def asked() -> tuple[Iterator[Any], Answer]:
    """The process, as it sees itself: its requests as they come, and where answers go.

    Whatever else writes to standard output writes to standard error from here on.
    """
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    into = os.fdopen(
        os.dup(sys.stdin.fileno()), "rb"
    )  # the interpreter's own is closed while it is being read
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        # A thread, so that the end of the input is noticed while a request is at work.
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                requests.put(pickle.load(into))
        os._exit(0)

    def answer(what: Any) -> None:
        pickle.dump(what, out)
        out.flush()

    threading.Thread(target=read, name="requests", daemon=True).start()
    return iter(requests.get, requests), answer
