"""Carrying out a sweep: which points run, what is not run again, when it is given up."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.experiment.choosing import Chooser
from harness.experiment.conduct import outline
from harness.experiment.evaluation import evaluations
from harness.experiment.outcomes import SETTLED, PointEntry, SweepJournal
from harness.experiment.plan import plan
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Point, Sweep, label
from harness.experiment.workers import PointEnded, PointTask, PointWorker
from harness.tracking.history import history, summary
from harness.tracking.point import Point as Tracked
from harness.tracking.point import tracking

LOOK_S = 0.5
"""How often running points are looked at."""


def figures(spec: ExperimentSpec, root: Path) -> dict[str, float]:
    """Every figure of an experiment that its records hold so far, by its logged name."""
    told = summary(_tracked(spec, root))
    return {key: value for key, value in told.items() if isinstance(value, int | float)}


def _tracked(spec: ExperimentSpec, root: Path) -> Tracked:
    made = plan(spec)
    stages, measured = outline(made, evaluations(made), root)
    return Tracked(tracking(root) / spec.name, "", {}, stages, measured)


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """How far a sweep goes."""

    resume: bool = False
    """Points that the journal has as finished, stopped or failed are not run again."""
    retry_failed: bool = False
    """With `resume`: failed ones are."""
    max_failures: int = 3
    """After so many failed points no other is begun."""


@dataclass(slots=True)
class Sweeping:
    """One sweep under way. `show` is given every point that was chosen, whenever one of them changes."""

    sweep: Sweep
    chooser: Chooser
    resolve: Callable[[Point], ExperimentSpec]
    journal: SweepJournal
    worker: PointWorker
    root: Path
    limits: SweepLimits
    show: Callable[[Sequence[PointEntry]], None]
    points: list[PointEntry] = field(default_factory=list)
    _tracked: dict[int, Tracked] = field(default_factory=dict)
    _begun: dict[int, float] = field(default_factory=dict)
    _stopped: set[int] = field(default_factory=set)

    def run(self) -> list[PointEntry]:
        """Every point, until none is left or too many failed. An interruption is noted and raised."""
        try:
            while self._fill() or self._begun:
                if not self._collect():
                    time.sleep(LOOK_S)
        finally:
            self.worker.close()
            for number in list(self._begun):
                self._set(replace(self.points[number], state="interrupted", seconds=self._seconds(number)))
        return self.points

    @property
    def failed(self) -> int:
        """Points that failed, in this or an earlier process."""
        return sum(outcome.state == "failed" for outcome in self.points)

    @property
    def given_up(self) -> bool:
        """Whether too many failed."""
        return self.failed >= self.limits.max_failures

    def _fill(self) -> bool:
        """Begin points while there is room; whether any was begun."""
        begun = False
        while len(self._begun) < self.worker.slots and not self.given_up:
            chosen = self.chooser.next()
            if chosen is None:
                break
            number, point = chosen
            former = self._former(point)
            if former is not None:
                self.points.append(replace(former, number=number))
                self.chooser.told(number, former.value)
                continue
            self._begin(number, point)
            begun = True
        self.show(self.points)
        return begun

    def _former(self, point: Point) -> PointEntry | None:
        """What the journal says of the point when it is not to be run again."""
        known = self.journal.known.get(PointEntry(0, "", point, "running").id)
        if known is None or not (self.limits.resume or self.limits.retry_failed):
            return None
        if known.state not in SETTLED or (known.state == "failed" and self.limits.retry_failed):
            return None
        return known

    def _begin(self, number: int, point: Point) -> None:
        spec, name = self.resolve(point), label(self.sweep, point)
        tracked = self._tracked[number] = _tracked(spec, self.root)
        self._begun[number] = time.monotonic()
        runs = tuple(folder for _, folder in tracked.evaluations)
        self.points.append(PointEntry(number, name, point, "running", runs=runs))
        self.journal.note(self.points[number])
        self.show(self.points)
        self.worker.start(PointTask(number, name, spec, self.sweep.name, point))

    def _collect(self) -> bool:
        """Take in what ended, and stop what is hopeless; whether anything ended."""
        ended = list(self.worker.ended())
        for item in ended:
            self._end(item)
        if self.sweep.stop is not None:
            for number in set(self._begun) - self._stopped:
                if self.chooser.hopeless(number, self._values(number)):
                    self._stopped.add(number)
                    self.worker.stop(number)
        return bool(ended)

    def _end(self, ended: PointEnded) -> None:
        number = ended.number
        value = self._value(number)
        stopped = number in self._stopped and ended.code != 0
        state = "stopped" if stopped else "failed" if ended.code else "finished"
        error = ended.error if state == "failed" else ""
        seconds = self._seconds(number)
        del self._begun[number]
        self.chooser.told(number, None if state == "failed" else value)
        outcome = replace(self.points[number], value=value, seconds=seconds, error=error)
        self._set(replace(outcome, state=state))  # type: ignore[arg-type]

    def _set(self, outcome: PointEntry) -> None:
        self.points[outcome.number] = outcome
        self.journal.note(outcome)
        self.show(self.points)

    def _seconds(self, number: int) -> float:
        return round(time.monotonic() - self._begun[number], 3)

    def _value(self, number: int) -> float | None:
        """The metric as the records have it; of a point that was stopped its last one."""
        if self.sweep.metric is None:
            return None
        found = summary(self._tracked[number]).get(self.sweep.metric)
        return found if isinstance(found, int | float) else None

    def _values(self, number: int) -> list[float]:
        """The metric so far, row by row of the history."""
        rows = itertools.takewhile(lambda row: row is not None, history(self._tracked[number]))
        figures = (row.figures.get(self.sweep.metric or "") for row in rows if row is not None)
        return [value for value in figures if value is not None]
