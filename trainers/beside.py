"""GRPO in a process of its own, beside the search and the value model of its round.

All three start from the same generator, and GRPO waits for nothing that the other two make. One torch thread
each does more on two cores than two threads for one after the other: small models gain little from a second
thread, and Lean and Python code gain nothing. On a CPU the weights do not depend on the number of threads.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import devices
from harness.errors import HarnessError, ServiceDown
from harness.experiment.cache import Stage
from harness.experiment.plan import Plan, Round
from harness.experiment.resources import Resources
from harness.processes.helper import Helper, asked
from harness.terminal.progress import Plain
from harness.tracking.events import Event, Tracker

SHORT = 20
"""A GRPO of fewer steps is over about when a process of its own has imported what it needs."""

ALONE = "alone"
"""Said to the process when nothing goes on beside it any more."""

Progress = Callable[[int, int, dict[str, float]], None]
"""As in `trainers.fitting`, which takes torch to import."""
Make = Callable[[Path, Progress], Mapping[str, Any]]
"""Fills a stage's folder and returns its metrics."""
Fill = Callable[[Plan, Resources, Round, Path, Progress], Mapping[str, Any]]
"""The same for any round; a function that another process can import."""


def possible(plan: Plan) -> bool:
    """Whether the settings and this machine allow it. Raises `UserError` for a device that is not there.

    Where the run serves its models, they have the machine for themselves and end before GRPO begins.
    """
    spec = plan.spec
    fits = spec.improve.backend == "local" and spec.grpo.steps >= SHORT and spec.serving is None
    return fits and devices.cores() >= 2 and devices.resolve(spec.runtime.device) == "cpu"


def halved(plan: Plan) -> Plan:
    """`plan` with the torch threads that each of two processes has on this machine; its keys stay."""
    threads = min(plan.spec.runtime.threads, max(1, devices.cores() // 2))
    runtime = plan.spec.runtime.model_copy(update={"threads": threads})
    return dataclasses.replace(plan, spec=plan.spec.model_copy(update={"runtime": runtime}))


@dataclass(frozen=True, slots=True)
class Errand:
    """What the process is to make."""

    fill: Fill
    plan: Plan
    item: Round
    root: Path
    """The runs folder."""
    alone: int
    """Torch threads once the other half is done; no weights depend on when that is."""
    out: Path = Path()
    """The stage's folder."""


class Elsewhere:
    """GRPO of one round, made in a process of its own, and a thread here that hears of it.

    At the end of the block the process is over; what it kept on its way is gone on with another time.
    """

    def __init__(self, ask: Errand, stage: Callable[[Make], Stage]) -> None:
        """`stage` makes the stage, in the thread, by what it is given, which says in which folder."""
        self._ask = ask
        self._stage = stage
        self._helper = Helper("trainers.beside")
        self._thread = ThreadPoolExecutor(1, "beside")
        self._alone = False

    def __enter__(self) -> Elsewhere:
        self._made = self._thread.submit(self._stage, self._make)
        return self

    def __exit__(self, *_: object) -> None:
        self._helper.kill()
        self._thread.shutdown()

    def watched(self, make: Make) -> Make:
        """`make`, which also ends when this fails."""

        def watching(out: Path, progress: Progress) -> Mapping[str, Any]:
            def report(done: int, total: int, figures: dict[str, float]) -> None:
                if self._made.done():
                    self._made.result()  # raises what went wrong
                progress(done, total, figures)

            return make(out, report)

        return watching

    def result(self) -> Stage:
        """Wait for it, with the cores all its own. Raises what went wrong."""
        self._alone = True
        return self._made.result()

    def _make(self, out: Path, progress: Progress) -> Mapping[str, Any]:
        self._helper.send(dataclasses.replace(self._ask, out=out))
        while True:
            kind, told = self._helper.receive()
            if kind == "done":
                return dict(told)
            if kind == "error":
                raise told
            progress(*told)
            if self._alone:
                with contextlib.suppress(ServiceDown):  # It may be over by now: what it said last tells.
                    self._helper.send(ALONE)
                self._alone = False


class InTurn:
    """A tracker that two threads may tell."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._lock = threading.Lock()

    def log(self, event: Event) -> None:
        """One after the other."""
        with self._lock:
            self._tracker.log(event)

    def close(self) -> None:
        """As the tracker's own."""
        self._tracker.close()


def main() -> None:
    """The process: one stage, and what it reports."""
    requests, answer = asked()
    ask: Errand = next(requests)
    alone = threading.Event()

    def listen() -> None:
        assert next(requests) == ALONE
        alone.set()

    def report(*told: Any) -> None:
        if alone.is_set():
            import torch

            torch.set_num_threads(ask.alone)
        answer(("progress", told))

    threading.Thread(target=listen, daemon=True).start()
    resources = Resources(ask.root, Plain())
    try:
        metrics = ask.fill(ask.plan, resources, ask.item, ask.out, report)
    except HarnessError as error:
        answer(("error", error))
    else:
        answer(("done", metrics))


if __name__ == "__main__":
    main()
