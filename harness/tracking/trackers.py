"""Who hears of an experiment's events.

Records are on the disk before anyone is told of them, so a tracker is a view that may fail: `FanOut` warns
once in one line, drops the tracker that failed, and the experiment goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.errors import HarnessError, InfraError, boundary
from harness.spec import TrackingSpec
from harness.tracking.events import Event, Tracker
from harness.tracking.spool import FINISH_TIMEOUT_S, WandbTracker, choose_mode


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
            self._warn(f"{name}: no record is lost, but {line}")


def tracker_for(
    spec: TrackingSpec, folder: Path, warn: Callable[[str], None], timeout_s: float = FINISH_TIMEOUT_S
) -> Tracker:
    """The tracker that a spec asks for; W&B's files go under `folder`, warnings to `warn`.

    `timeout_s`: longest that its end may take.
    """
    mode = choose_mode(spec.wandb)
    if mode == "off":
        return NullTracker()
    tracker = WandbTracker(spec, mode, folder, warn)
    tracker.timeout_s = timeout_s
    return FanOut({"W&B": tracker}, warn)
