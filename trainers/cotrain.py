"""Co-training: runs the stages of a plan that are not in the cache.

Each stage fills a folder of its own and takes its final name only when complete (`harness.experiment.cache`).
Everything here blocks; call it outside an event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.experiment.cache import Stage, StageKey, build, finished
from harness.experiment.plan import Model, Plan, Round, Stages
from harness.experiment.resources import Resources
from harness.records import provenance
from harness.records.journal import encode, read_json, write_json
from harness.records.stages import CURVE, back_to
from harness.tracking.events import StageAdvanced, StageFinished, Tracker
from harness.tracking.trackers import NullTracker
from trainers import beside, stages
from trainers.beside import Make

BUILT_BY = "built_by.json"
"""Which code made a stage, from which weights. No part of its key: most commits change no training, and which
weights a stage will leave is not known before."""

CURVE_POINTS = 200
"""Most points that one curve has."""
UNTRACKED = NullTracker()

Trained = dict[str, Stage]
"""Finished stages by their name for people, in order."""


def train(plan: Plan, resources: Resources, wanted: Stages, tracker: Tracker = UNTRACKED) -> Trained:
    """Make the stages `wanted` of `plan` that are missing.

    Raises `UserError` for settings that cannot train, `InfraError` when a service fails, `StoreError`
    when the disk does.
    """
    names = {name for name, _ in wanted}
    told = beside.InTurn(tracker)
    done: Trained = {}

    def note(step: PlannedStage, stage: Stage) -> None:
        done[step.name] = stage
        told.log(StageFinished(step.name, step.key.digest, stage.cached, stage.seconds, stage.metrics))

    for step in _first(plan, resources):
        if step.name in names:
            note(step, _stage(resources, step, step.make, told))
    for item in plan.rounds:
        steps = [step for step in _steps(plan, resources, item) if step.name in names]
        if not _side_by_side(plan, resources, steps):
            for step in steps:
                note(step, _stage(resources, step, step.make, told))
            continue
        halved = beside.halved(plan)
        *others, last = [step for step in _steps(halved, resources, item) if step.name in names]
        made = partial(_stage, resources, last, tracker=told)
        ask = beside.Errand(stages.make_grpo, halved, item, resources.root, plan.spec.runtime.threads)
        with beside.Elsewhere(ask, made) as elsewhere:
            for step in others:
                note(step, _stage(resources, step, elsewhere.watched(step.make), told))
            note(last, elsewhere.result())
    return done


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """A stage to be made."""

    name: str
    """For people."""
    key: StageKey
    make: Make
    parents: Sequence[Model]
    """The models that it starts from or asks."""


def _first(plan: Plan, resources: Resources) -> list[PlannedStage]:
    """The warm start, where there is one to be made."""
    key = plan.warm_start.stage
    if key is None:
        return []
    return [PlannedStage("generator", key, partial(stages.make_generator, plan, resources), ())]


def _steps(plan: Plan, resources: Resources, item: Round) -> list[PlannedStage]:
    """The stages of one round."""
    asked = [item.generator, *([item.guide] if item.guide else [])]
    made: list[tuple[Make, Sequence[Model]]] = [
        (partial(stages.make_trajectories, plan, resources, item), asked),
        (partial(stages.make_value, plan, resources, item), [item.generator]),
    ]
    if item.improve is not None:
        improve = stages.make_grpo if item.improve.stage == "grpo" else stages.make_imitated
        made.append((partial(improve, plan, resources, item), [item.generator]))
    return [
        PlannedStage(name, key, make, parents)
        for (name, key), (make, parents) in zip(item.stages(), made, strict=True)
    ]


def _side_by_side(plan: Plan, resources: Resources, steps: Sequence[PlannedStage]) -> bool:
    """Whether the last of a round's `steps` is made beside the others: it is GRPO, and both are missing."""
    if not steps or steps[-1].key.stage != "grpo" or not resources.usual or not beside.possible(plan):
        return False
    *others, last = (finished(resources.root, step.key) is None for step in steps)
    return last and any(others)


def _stage(resources: Resources, what: PlannedStage, make: Make, tracker: Tracker) -> Stage:
    code, name = provenance.code(), what.name
    here = {"commit": code.commit, "dirty": code.dirty}
    weights = {model.digest: model.weights(resources.root) for model in what.parents if model.stage}

    def fill(folder: Path) -> Mapping[str, Any]:
        noted: int | None = None  # the last step on the curve, once the stage has said where it goes on

        with resources.display.task(name) as task:

            def progress(done: int, total: int, figures: dict[str, float]) -> None:
                nonlocal noted
                task.update(done, total, figures)
                if noted is None:
                    noted = back_to(folder / CURVE, done)
                if done * CURVE_POINTS // total > noted * CURVE_POINTS // total:
                    noted = done
                    with (folder / CURVE).open("ab", buffering=0) as file:
                        file.write(encode({"step": done, **figures}))
                    tracker.log(StageAdvanced(name, done, figures))

            if what.key.stage != "trajectories":
                resources.served.stop()  # Training wants the GPUs.
            metrics = make(folder, progress)
            task.note = ""
        write_json(folder / BUILT_BY, {**here, "weights": weights})
        return metrics

    stage = build(resources.root, what.key, fill)
    if stage.cached:
        built = read_json(stage.folder / BUILT_BY) or {}
        _check_weights(stage.folder, built.pop("weights", {}), weights)
        other = (
            "" if built == here else f", built by other code ({_commit(built)}; delete it to make it anew)"
        )
        resources.display.note(f"{name}: cached {stage.folder.name}{other}")
    return stage


def _check_weights(folder: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise `StoreError` where a stage was made from other weights than lie under the same name today."""
    for digest, weights in now.items():
        if weights is not None and then.get(digest) not in (None, weights):
            raise StoreError(
                f"{folder}: made from weights {then[digest]} of stage {digest}, which now holds {weights} "
                "(made anew, or on another machine); delete the folder, and what was made from it"
            )


def _commit(built: Mapping[str, Any]) -> str:
    return f"commit {str(built.get('commit'))[:10]}{', changed' if built.get('dirty') else ''}"
