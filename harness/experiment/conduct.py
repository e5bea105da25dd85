"""One experiment from its spec to its figures: plan, train what is missing, measure, report.

Everything that can be wrong with a spec is found before anything is trained.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.experiment.cache import Stage
from harness.experiment.evaluation import Evaluation, evaluations
from harness.experiment.measure import Measured, measure, side_by_side
from harness.experiment.plan import Plan, plan
from harness.experiment.preflight import obstacles
from harness.experiment.preview import news, stages_of
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.nested import digest
from harness.records import provenance
from harness.tracking.events import RunFinished, RunStarted, Tracker
from harness.tracking.point import tracking
from harness.tracking.trackers import NullTracker, tracker_for

Named = tuple[tuple[str, str], ...]
"""Names and folders."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What an experiment gave."""

    plan: Plan
    stages: Mapping[str, Stage]
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """How a command runs an experiment."""

    kind: str = "run"
    """`run`, `eval`, `train` or `sweep`, for trackers."""
    group: str | None = None
    """What it belongs to, such as a sweep; None: the experiment itself."""
    name: str | None = None
    """Name of the tracked run; None: the experiment's."""
    only: str | None = None
    """The kind of stage that training ends with; None: all of them."""


def conduct(spec: ExperimentSpec, resources: Resources, job: Job = Job()) -> Finished:
    """Run the experiment `spec`. Raises whatever planning, training and measuring raise."""
    made = plan(spec)
    return complete(made, evaluations(made), resources, job)


def complete(made: Plan, wanted: list[Evaluation], resources: Resources, job: Job) -> Finished:
    """Train what `made` lacks and measure `wanted`, telling the tracker that the spec asks for."""
    from trainers import cotrain

    todo = stages_of(made, wanted, job.only)
    if found := obstacles(made, wanted, todo, resources.root, resources.served.ports):
        raise UserError("\n".join(found))
    with _tracked(made, wanted, resources, job) as tracker:
        stages: Mapping[str, Stage] = {}
        if todo:
            stages = cotrain.train(made, resources, todo, tracker)
        with resources.served.ending():
            measured = tuple(measure(evaluation, resources, tracker) for evaluation in wanted)
        return Finished(made, stages, measured)


def complete_together(wanted: Sequence[tuple[Plan, Evaluation]], resources: Resources) -> list[Measured]:
    """Measure one evaluation of each plan side by side. Raises `UserError` where training is due.

    Otherwise as `complete`.
    """
    for made, evaluation in wanted:
        if todo := stages_of(made, [evaluation]):
            raise UserError(
                f"{evaluation.folder(resources.root).name}: {todo[0][0]} is not trained yet, and a "
                "comparison of checkpoints trains nothing; name one with --generator or --value"
            )
        if found := obstacles(made, [evaluation], todo, resources.root, resources.served.ports):
            raise UserError("\n".join(found))
    with ExitStack() as stack:
        trackers = [
            stack.enter_context(_tracked(made, [evaluation], resources, Job("eval")))
            for made, evaluation in wanted
        ]
        asked = [(evaluation, tracker) for (_, evaluation), tracker in zip(wanted, trackers, strict=True)]
        with resources.served.ending():
            return side_by_side(asked, resources)


@contextmanager
def _tracked(made: Plan, wanted: list[Evaluation], resources: Resources, job: Job) -> Iterator[Tracker]:
    """A tracker that is told in the end how the block ended."""
    tracker = _tracker(made, wanted, resources, job)
    code = 1
    try:
        yield tracker
        code = 0
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        tracker.log(RunFinished(code))
        began = time.monotonic()
        tracker.close()
        resources.waited_for_tracking(time.monotonic() - began)


def _tracker(made: Plan, wanted: list[Evaluation], resources: Resources, job: Job) -> Tracker:
    """Nothing new to tell means no new W&B run, unless W&B's own agent waits for one."""
    spec = made.spec
    if not os.environ.get("WANDB_SWEEP_ID") and not news(made, wanted, resources.root, job.only):
        return NullTracker()
    started = RunStarted(
        job.name or spec.name,
        job.group or spec.name,
        job.kind,
        spec.model_dump(mode="json"),
        *outline(made, wanted, resources.root, job.only),
        provenance.code().describe or "",
    )
    # How the work is spread, and where it is told, makes no other experiment.
    what = digest([spec.model_dump(exclude={"tracking", "runtime"}), started.stages, started.evaluations])
    folder = tracking(resources.root) / f"{spec.name}-{what}"
    tracker = tracker_for(spec.tracking, folder, resources.display.note, resources.tracking_s)
    tracker.log(started)
    return tracker


def hindrances(made: Plan, root: Path) -> list[str]:
    """Why the whole of `made` cannot be carried out from here."""
    wanted = evaluations(made)
    return obstacles(made, wanted, stages_of(made, wanted), root, ours=())


def outline(made: Plan, wanted: list[Evaluation], root: Path, only: str | None = None) -> tuple[Named, Named]:
    """Stages and evaluations by name, each with its folder under the runs folder, in order."""
    stages = [(name, str(key.folder(root).relative_to(root))) for name, key in stages_of(made, wanted, only)]
    return tuple(stages), tuple((item.name, item.folder(root).name) for item in wanted)
