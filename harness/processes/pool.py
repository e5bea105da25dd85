"""Functions called in processes of their own, so that Python code has more than one core.

What is called, with its arguments and its result, is pickled: a function that another process can import.
A process keeps what its modules keep from one call to the next. One that dies is the machine's failure: the
call is tried again in a new one. `python -m harness.processes.pool` is such a process.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from harness.errors import HarnessError, ServiceDown
from harness.processes.helper import Helper, asked

Result = TypeVar("Result")
Given = ParamSpec("Given")


class Pool:
    """Up to so many processes, each started when there is work for it, and ended with the pool."""

    def __init__(self, workers: int, tries: int = 3) -> None:
        """`tries` of one call, while the process that it is made in dies."""
        self._tries = tries
        self._threads = ThreadPoolExecutor(workers, "pool")
        self._free: list[Helper] = []
        weakref.finalize(self, _end, self._free)

    def submit(
        self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Result]:
        """The result of a call to come. It raises what the call raises on purpose, else `ServiceDown`."""
        return self._threads.submit(self._called, call, args, kwargs)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for calls that are being made, forget those that are not, and end the processes."""
        self._threads.shutdown(cancel_futures=True)
        _end(self._free)

    def _called(self, *request: Any) -> Any:
        for left in reversed(range(self._tries)):
            helper = self._taken()
            try:
                helper.send(request)
                raised, told = helper.receive()
            except ServiceDown:
                if not left:
                    raise
                continue
            self._free.append(helper)
            if raised:
                raise told
            return told
        raise AssertionError("a pool tries once at least")

    def _taken(self) -> Helper:
        with contextlib.suppress(IndexError):
            return self._free.pop()
        return Helper(__name__)


def _end(helpers: list[Helper]) -> None:
    while helpers:
        helpers.pop().kill()


def main() -> None:
    """The process."""
    requests, answer = asked()
    for call, args, kwargs in requests:
        try:
            told = False, call(*args, **kwargs)
        except HarnessError as error:
            told = True, error
        answer(told)


if __name__ == "__main__":
    main()
