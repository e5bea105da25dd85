"""Events of an experiment, and who hears of them besides the record files.

Records are on the disk before anyone is told of them, so a tracker is a view that may fail: `FanOut` warns
once in one line, drops the tracker that failed, and the experiment goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.errors import HarnessError, InfraError, boundary
from harness.spec import TrackingSpec
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
    tags: Sequence[str] = ()


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
    """Flat names and numbers, see `harness.figures.scalars`."""


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


class NullTracker:
    """Hears everything, does nothing."""

    def log(self, event: Event) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class FanOut:
    """Tells every tracker; one that fails is named once in `warn` and then left alone."""

    def __init__(self, trackers: Mapping[str, Tracker], warn: Callable[[str], None]) -> None:
        """`trackers` by the name that a warning calls them."""
        self._trackers = dict(trackers)
        self._warn = warn

    def log(self, event: Event) -> None:
        """Tell all. Raises nothing but the user's own interruption."""
        for name, tracker in list(self._trackers.items()):
            self._guard(name, lambda tracker=tracker: tracker.log(event))  # type: ignore[misc]

    def close(self) -> None:
        """Close all."""
        for name, tracker in list(self._trackers.items()):
            self._guard(name, tracker.close)
        self._trackers.clear()

    def _guard(self, name: str, call: Callable[[], None]) -> None:
        try:
            with boundary(InfraError, name):
                call()
        except HarnessError as error:
            del self._trackers[name]
            line = " ".join(str(error).removeprefix(f"{name}: ").split())
            self._warn(f"{name}: {line}; going on without it, the records are complete")


def tracker_for(spec: TrackingSpec, folder: Path, warn: Callable[[str], None]) -> Tracker:
    """The tracker that a spec asks for; W&B's files go under `folder`, warnings to `warn`."""
    from harness.wandb_tracker import WandbTracker, choose_mode

    mode = choose_mode(spec.wandb)
    if mode == "off":
        return NullTracker()
    return FanOut({"W&B": WandbTracker(spec, mode, folder)}, warn)
