"""Sending a point's records to W&B when its experiment is over: only what W&B does not have yet."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import InfraError
from harness.records.provenance import code
from harness.spec import TrackingSpec
from harness.tracking.events import RunFinished, RunStarted
from harness.tracking.history import complete
from harness.tracking.point import Point, last_told, status
from harness.tracking.spool import WandbTracker

INTERRUPTED = 1
"""Exit code noted for an experiment whose records are not complete."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send it, and how long that may take."""

    project: str | None = None
    """None: where it was tracked before."""
    entity: str | None = None
    timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of it."""

    name: str
    sent: bool
    complete: bool
    """Whether the records hold all that the experiment promised."""
    url: str = ""
    why: str = ""
    """Why it was not sent."""


def publish(point: Point, target: Target) -> Publication:
    """Send what W&B lacks of `point`. Raises `StoreError` when records are broken or the disk refuses."""
    former = last_told(point)
    # Another project has no run of this id, so the id may stay: sending there twice is one run too.
    tracker = WandbTracker(_where(point, former, target), "online", point.folder, run_id=former.get("id"))
    tracker.timeout_s = target.timeout_s
    whole = complete(point)
    tracker.log(_started(point, former))
    tracker.log(RunFinished(0 if whole else INTERRUPTED))
    outcome = Publication(point.folder.name, False, whole)
    try:
        tracker.close()
    except InfraError as error:
        return dataclasses.replace(outcome, why=str(error))
    said = status(tracker.spool)
    if said.get("state") != "finished":
        return dataclasses.replace(outcome, why=str(said.get("why", "its process said nothing")))
    return dataclasses.replace(outcome, sent=True, url=str(said.get("url") or ""))


def _started(point: Point, former: Mapping[str, Any]) -> RunStarted:
    """As the last process that tracked the point said it; a run that none did is named by its records."""
    name = point.folder.name
    group = point.config.get("experiment") or point.config.get("name") or name
    return RunStarted(
        str(former.get("name") or name),
        str(former.get("group") or group),
        str(former.get("job_type") or "eval"),
        point.config,
        point.stages,
        point.evaluations,
        str(former.get("describe") or code().describe or ""),
    )


def _where(point: Point, former: Mapping[str, Any], target: Target) -> TrackingSpec:
    told = {**point.config.get("tracking", {}), **{k: v for k, v in former.items() if v}}
    project = target.project or told.get("project") or os.environ.get("WANDB_PROJECT")
    return TrackingSpec(project=project or TrackingSpec().project, entity=target.entity or told.get("entity"))
