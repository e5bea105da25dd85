"""One experiment from its spec to its figures: plan, train what is missing, measure, report.

Everything that can be wrong with a spec is found before anything is trained.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import DataMissing, UserError
from harness.experiment.attempts import unscored_share
from harness.experiment.cache import Stage, StageKey, finished
from harness.experiment.evaluation import Evaluation, evaluations
from harness.experiment.measure import Measured, attempted, measure, side_by_side
from harness.experiment.plan import Plan, Stages, plan
from harness.experiment.preflight import obstacles
from harness.experiment.resources import Resources
from harness.experiment.sketch import hindrances_of, sketch
from harness.experiment.spec import ExperimentSpec
from harness.nested import changed_keys, digest
from harness.records import provenance
from harness.records.journal import read_json
from harness.records.stages import STAGE
from harness.records.store import RECORDS, load_records, read_problems
from harness.tracking.events import RunFinished, RunStarted, Tracker
from harness.tracking.point import tracking
from harness.tracking.trackers import NullTracker, tracker_for
from harness.types import Status

Named = tuple[tuple[str, str], ...]
"""Names and folders."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What an experiment gave."""

    plan: Plan
    stages: Mapping[str, Stage]
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """One line of a dry run."""

    name: str
    folder: str
    state: str
    """`cached`, `would run`, or how much of a run is owed."""
    why: str


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
    if found := obstacles(made, wanted, todo, resources.root):
        raise UserError("\n".join(found))
    with _tracked(made, wanted, resources, job) as tracker:
        stages: Mapping[str, Stage] = {}
        if todo:
            stages = cotrain.train(made, resources, todo, tracker)
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
        if found := obstacles(made, [evaluation], todo, resources.root):
            raise UserError("\n".join(found))
    with ExitStack() as stack:
        trackers = [
            stack.enter_context(_tracked(made, [evaluation], resources, Job("eval")))
            for made, evaluation in wanted
        ]
        asked = [(evaluation, tracker) for (_, evaluation), tracker in zip(wanted, trackers, strict=True)]
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
    return obstacles(made, wanted, stages_of(made, wanted), root)


def outline(made: Plan, wanted: list[Evaluation], root: Path, only: str | None = None) -> tuple[Named, Named]:
    """Stages and evaluations by name, each with its folder under the runs folder, in order."""
    stages = [(name, str(key.folder(root).relative_to(root))) for name, key in stages_of(made, wanted, only)]
    return tuple(stages), tuple((item.name, item.folder(root).name) for item in wanted)


def stages_of(made: Plan, wanted: list[Evaluation], only: str | None = None) -> Stages:
    """What `wanted` needs trained. Without evaluations all, up to the last stage of the kind `only`."""
    if only is not None:
        return made.up_to(only)
    if not wanted:
        return made.stages()
    return made.needed(
        model
        for evaluation in wanted
        for model in (evaluation.generator, evaluation.value)
        if model is not None
    )


def news(made: Plan, wanted: list[Evaluation], root: Path, only: str | None = None) -> bool:
    """Whether anything is left to make."""
    if any(finished(root, key) is None for _, key in stages_of(made, wanted, only)):
        return True
    return any(_cell_line(evaluation, root).state != "cached" for evaluation in wanted)


def preview(spec: ExperimentSpec, root: Path) -> list[Preview]:
    """What `conduct` would do, stage by stage; nothing is made and no model is loaded."""
    try:
        made = plan(spec)
    except DataMissing:
        found = [Preview(name, "", "waits for data", what) for name, what in sketch(spec)]
        return found + [Preview("cannot start", "", "", why) for why in hindrances_of(spec, root)]
    return preview_plan(made, evaluations(made), root)


def preview_plan(made: Plan, wanted: list[Evaluation], root: Path, only: str | None = None) -> list[Preview]:
    """What `complete` would do."""
    todo = stages_of(made, wanted, only)
    found = [_stage_line(name, key, root) for name, key in todo]
    found += [_cell_line(evaluation, root) for evaluation in wanted]
    return found + [Preview("cannot start", "", "", why) for why in obstacles(made, wanted, todo, root)]


def _stage_line(name: str, key: StageKey, root: Path) -> Preview:
    folder = key.folder(root)
    if finished(root, key) is not None:
        return Preview(name, folder.name, "cached", "everything that it depends on is unchanged")
    if folder.with_name(f"{folder.name}.partial").is_dir():
        return Preview(name, folder.name, "would resume", "an earlier try was interrupted")
    return Preview(name, folder.name, "would run", _why(key, root))


def _why(key: StageKey, root: Path) -> str:
    """What sets it apart from the finished stage of its kind that is most like it."""
    wanted = _plain(key.inputs)
    others = []
    for path in sorted((root / "stages").glob(f"{key.stage}-*/{STAGE}")):
        stored = read_json(path)
        if isinstance(stored, dict) and isinstance(stored.get("inputs"), dict):
            others.append((changed_keys(stored["inputs"], wanted), path.parent.name))
    if not others:
        return f"no {key.stage} stage was made yet"
    changed, nearest = min(others, key=lambda item: (len(item[0]), item[1]))
    shown = ", ".join(changed[:4]) + (", ..." if len(changed) > 4 else "")
    return f"{shown} differ{'s' if len(changed) == 1 else ''} from {nearest}"


def _plain(inputs: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(inputs)))


def _cell_line(evaluation: Evaluation, root: Path) -> Preview:
    folder = evaluation.folder(root)
    if not (folder / RECORDS).is_file():
        problems, samples = tuple(attempted(evaluation)), evaluation.asked.samples
        canaries = sum(problem.canary for problem in problems) * samples
        told = f" ({canaries} at canaries)" if canaries else ""
        why = f"{len(problems) * samples} attempts are owed{told}"
        return Preview(evaluation.name, folder.name, "would run", why)
    problems, samples = read_problems(folder), evaluation.asked.samples  # canaries too
    owed = len(problems) * samples
    records = load_records(folder / RECORDS, [problem.key for problem in problems]).values()
    there = len(records)
    # As `measure` does it: a run that published no row tries its unscored attempts again.
    if unscored_share(problems, records, samples) > evaluation.plan.spec.runtime.max_unscored:
        there = sum(record.verdict.status is not Status.INFRA for record in records)
        return Preview(evaluation.name, folder.name, "would resume", f"{there} of {owed} are scored")
    if there >= owed:
        return Preview(evaluation.name, folder.name, "cached", f"all {owed} records are there")
    return Preview(evaluation.name, folder.name, "would resume", f"{there} of {owed} records are there")
