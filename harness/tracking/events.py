"""Events of an experiment: what a tracker hears of, besides the record files. Frozen data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.types import Record


@dataclass(frozen=True, slots=True)
class RunStarted:
    """An experiment begins, or goes on."""

    name: str
    group: str
    """What belongs together: a sweep, or the experiment itself."""
    job_type: str
    """`run`, `eval`, `train` or `sweep`."""
    config: Mapping[str, Any]
    """The whole spec, nested plain JSON."""
    stages: Sequence[tuple[str, str]] = ()
    """Name of each stage of training and its folder under the runs folder, in order."""
    evaluations: Sequence[tuple[str, str]] = ()
    """The same for the evaluations."""
    describe: str = ""
    """`git describe` of the code that runs."""


@dataclass(frozen=True, slots=True)
class StageAdvanced:
    """A point of a stage's learning curve."""

    stage: str
    done: int
    """Steps (or theorems) so far."""
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage of training is done, or came from the cache."""

    stage: str
    digest: str
    cached: bool
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptRecorded:
    """A record is on the disk."""

    evaluation: str
    record: Record


@dataclass(frozen=True, slots=True)
class EvaluationFinished:
    """All attempts of an evaluation are recorded."""

    evaluation: str
    folder: str
    """Name of its run folder."""
    figures: Mapping[str, float | int | None]
    """Flat names and numbers, see `harness.analysis.summary.scalars`."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The experiment ends; no event follows."""

    exit_code: int = 0


Event = RunStarted | StageAdvanced | StageFinished | AttemptRecorded | EvaluationFinished | RunFinished


class Tracker(Protocol):
    """What hears of events."""

    def log(self, event: Event) -> None:
        """Take one event; never waits for a network."""
        ...

    def close(self) -> None:
        """Finish, within a stated time. Calling it again is harmless."""
        ...


def key_part(text: str) -> str:
    """`text` as a part of a logged figure's name: W&B would read dots and hyphens as structure."""
    return re.sub(r"[^A-Za-z0-9_/]", "_", text)
