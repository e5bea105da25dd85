"""What one answer may cost: nodes, which every machine counts alike, and seconds as the safety net.

A step of the elaborator or the kernel is cheap on small terms and dear on large ones. So whoever walks a
large term pays for its nodes from the grant in force (`charge`), and whoever counts steps looks at the clock
now and then (`look`). Without a grant, as when the library is built, nothing is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.lean.core.level import TermTooLarge

NODES_PER_STEP = 10
"""Nodes that come with each step: the default of 200,000 steps gives 2 million, a few seconds."""

LEAST_NODES = 200_000
"""Granted however few the steps are: statements alone touch some."""


class WorkSpent(TermTooLarge):
    """The units of work are spent; the same on every machine."""


class OutOfTime(Exception):
    """The seconds are spent. The core does not catch it: only who granted them knows what it means."""


class _Grant:
    __slots__ = ("deadline", "left", "seconds")

    def __init__(self, nodes: float, seconds: float, deadline: float) -> None:
        self.left = nodes
        self.seconds = seconds
        self.deadline = deadline


_grant: ContextVar[_Grant | None] = ContextVar("grant", default=None)


@contextmanager
def nodes_granted(steps: int) -> Iterator[None]:
    """Grant the nodes that belong to `steps`, afresh; the deadline in force stays as it is."""
    outer = _grant.get()
    seconds, deadline = (outer.seconds, outer.deadline) if outer else (float("inf"), float("inf"))
    token = _grant.set(_Grant(max(steps * NODES_PER_STEP, LEAST_NODES), seconds, deadline))
    try:
        look()
        yield
    finally:
        _grant.reset(token)


@contextmanager
def seconds_granted(seconds: float) -> Iterator[None]:
    """Grant `seconds` of wall clock, or what is left of an outer grant if that is less."""
    outer = _grant.get()
    deadline = time.monotonic() + seconds
    if outer is not None and outer.deadline < deadline:
        seconds, deadline = outer.seconds, outer.deadline
    token = _grant.set(_Grant(outer.left if outer else float("inf"), seconds, deadline))
    try:
        yield
    finally:
        _grant.reset(token)


def charge(nodes: int) -> None:
    """Pay for `nodes` of a large term. Raises `WorkSpent` or `OutOfTime`."""
    grant = _grant.get()
    if grant is not None:
        grant.left -= nodes
        if grant.left < 0:
            raise WorkSpent
        _check_clock(grant)


def look() -> None:
    """Raise `OutOfTime` when the deadline has passed."""
    grant = _grant.get()
    if grant is not None:
        _check_clock(grant)


def _check_clock(grant: _Grant) -> None:
    if time.monotonic() > grant.deadline:
        raise OutOfTime(f"the core gave no answer in {grant.seconds:g} s")
