"""Co-training: runs the stages of a plan that are not in the cache.

Each stage fills a folder of its own and takes its final name only when complete (`harness.experiment.cache`).
Everything here blocks; call it outside an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness import devices
from harness.errors import StoreError
from harness.experiment import adoption, served
from harness.experiment.cache import Stage, StageKey, build, finished
from harness.experiment.plan import Model, Plan, Round, Stages
from harness.experiment.resources import Resources
from harness.experiment.run_servers import SERVERS
from harness.experiment.spec import ExperimentSpec
from harness.experiment.tools import sessions_for
from harness.paths import expanded
from harness.records import provenance
from harness.records.journal import encode, read_json, write_json
from harness.records.stages import CURVE, back_to
from harness.serving import hub
from harness.tracking.events import StageAdvanced, StageFinished, Tracker
from harness.tracking.trackers import NullTracker
from harness.types import Problem
from trainers import beside
from trainers.beside import Make, Progress

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

    def note(step: Step, stage: Stage) -> None:
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
        ask = beside.Request(train_grpo, halved, item, resources.root, plan.spec.runtime.threads)
        with beside.Elsewhere(ask, made) as elsewhere:
            for step in others:
                note(step, _stage(resources, step, elsewhere.watched(step.make), told))
            note(last, elsewhere.result())
    return done


@dataclass(frozen=True, slots=True)
class Step:
    """A stage to be made."""

    name: str
    """For people."""
    key: StageKey
    make: Make
    parents: Sequence[Model]
    """The models that it starts from or asks."""


def _first(plan: Plan, resources: Resources) -> list[Step]:
    """The warm start, where there is one to be made."""
    key = plan.warm_start.stage
    if key is None:
        return []
    return [Step("generator", key, lambda out, progress: _warm_start(plan, resources, out, progress), ())]


def _steps(plan: Plan, resources: Resources, item: Round) -> list[Step]:
    """The stages of one round."""
    asked = [item.generator, *([item.guide] if item.guide else [])]
    made: list[tuple[Make, Sequence[Model]]] = [
        (_bind(_trajectories, plan, resources, item), asked),
        (_bind(_value, plan, resources, item), [item.generator]),
    ]
    if item.improve is not None:
        improve = train_grpo if item.improve.stage == "grpo" else _imitate
        made.append((_bind(improve, plan, resources, item), [item.generator]))
    return [
        Step(name, key, make, parents)
        for (name, key), (make, parents) in zip(item.stages(), made, strict=True)
    ]


def _side_by_side(plan: Plan, resources: Resources, steps: Sequence[Step]) -> bool:
    """Whether the last of a round's `steps` is made beside the others: it is GRPO, and both are missing."""
    if not steps or steps[-1].key.stage != "grpo" or not resources.usual or not beside.possible(plan):
        return False
    *others, last = (finished(resources.root, step.key) is None for step in steps)
    return last and any(others)


def _bind(
    step: Callable[[Plan, Resources, Round, Path, Progress], Mapping[str, Any]],
    plan: Plan,
    resources: Resources,
    item: Round,
) -> Make:
    return lambda out, progress: step(plan, resources, item, out, progress)


def _stage(resources: Resources, what: Step, make: Make, tracker: Tracker) -> Stage:
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


def _warm_start(plan: Plan, resources: Resources, out: Path, progress: Progress) -> Mapping[str, Any]:
    from trainers import sft

    spec = plan.spec
    return sft.warm_start(
        spec.generator,
        plan.train,
        resources.core(spec.lean).sessions,
        seed=spec.seed,
        threads=spec.runtime.threads,
        out=out,
        progress=progress,
        device=devices.resolve(spec.runtime.device),
        save_s=spec.runtime.save_every_s,
    )


def _trajectories(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    from trainers import collect

    spec = plan.spec
    if spec.trajectories.samples is not None:
        return _proofs(plan, resources, item, spec.trajectories.samples, out, progress)
    how = collect.Collection(
        item.search,
        item.number - 1,
        spec.seed,
        spec.runtime.concurrency,
        None if item.guide is None else spec.value.gamma,
        spec.lean.max_attempts,
        spec.runtime.max_unscored,
    )

    generator = _ready(item.generator, resources)
    guide = None if item.guide is None else item.guide.folder(resources.root)

    async def search() -> Mapping[str, Any]:
        async with resources.lean(spec.lean) as lean:
            sessions = sessions_for(spec, lean.sessions)
            policy = resources.policy(generator, spec, item.search.decode, sessions)
            value = None if guide is None else resources.value(guide, spec)
            tools = collect.SearchTools(policy, value, lean.verifier, sessions)
            return await collect.collect(how, item.problems, tools, out, progress)

    with resources.serving(spec, generator, guide, out / SERVERS):
        return {**resources.run(search()), **served.by(spec)}


def _proofs(
    plan: Plan, resources: Resources, item: Round, samples: int, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Trajectories from whole proofs."""
    from trainers import collect_proofs

    spec = plan.spec
    limits = spec.runtime.concurrency, spec.lean.max_attempts, spec.runtime.max_unscored
    how = collect_proofs.Sampling(samples, item.number - 1, spec.seed, *limits)

    generator = _ready(item.generator, resources)

    async def sample() -> Mapping[str, Any]:
        async with resources.lean(spec.lean) as lean:
            sessions = sessions_for(spec, lean.sessions)
            policy = resources.policy(generator, spec, spec.whole_proof, sessions)
            tools = collect_proofs.ProofTools(policy, lean.verifier, sessions)
            return await collect_proofs.collect(how, item.problems, tools, out, progress)

    with resources.serving(spec, generator, None, out / SERVERS):
        return {**resources.run(sample()), **served.by(spec)}


def _value(plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress) -> Mapping[str, Any]:
    from trainers import trajectories, value, value_trainer

    spec = plan.spec
    states = [
        state
        for folder in _collected(plan, resources, item)
        for state in trajectories.read(folder / trajectories.STATES)
    ]
    before = _value_before(plan, resources, item)
    backbone, device = _backbone(plan, resources, item), devices.resolve(spec.runtime.device)
    if spec.value.trainer is not None and spec.value.trainer.target == "text":
        from trainers import value_text

        return value_text.train(spec.value, states, backbone, seed=spec.seed, out=out)
    if spec.value.trainer is not None:
        return value_trainer.train(
            spec.value,
            states,
            backbone,
            seed=spec.seed,
            where=value_trainer.Hardware(device, spec.runtime.threads),
            out=out,
            progress=progress,
            before=before,
        )
    return value.train(
        spec.value,
        states,
        Path(backbone),
        seed=spec.seed,
        threads=spec.runtime.threads,
        out=out,
        progress=progress,
        device=device,
        save_s=spec.runtime.save_every_s,
        before=before,
    )


def _value_before(plan: Plan, resources: Resources, item: Round) -> Path | None:
    """The value model of the round before, to compare with; None where nobody asked for that one."""
    earlier = None if item.number == 1 else finished(resources.root, plan.rounds[item.number - 2].value)
    return None if earlier is None else earlier.folder


def _backbone(plan: Plan, resources: Resources, item: Round) -> str:
    """The folder whose trunk the value model takes; of a name on the hub that of its commit."""
    named = plan.spec.value.backbone
    if named is None:
        return str(_ready(item.generator, resources).absolute())
    folder = expanded(named)
    if not folder.is_dir():
        commit = hub.commit_of(named, plan.spec.value.backbone_revision)
        folder = hub.snapshot(named, commit, "value.backbone")
    return str(folder.absolute())


def train_grpo(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Train the generator of the round `item` by GRPO into `out`; returns its metrics."""
    from trainers import grpo

    spec = plan.spec
    if spec.improve.backend == "openrlhf":
        return _openrlhf(plan, resources, item, out, progress)
    lean = resources.core(spec.lean)
    return grpo.train(
        spec.grpo,
        _ready(item.generator, resources),
        _prompted(plan, resources, item, out),
        grpo.Rewarding(lean.sessions, lean.verifier, spec.whole_proof.max_new_tokens),
        seed=_round_seed(spec, item),
        threads=spec.runtime.threads,
        out=out,
        progress=progress,
        where=grpo.StepSettings.of(
            spec.improve, devices.resolve(spec.runtime.device), spec.runtime.save_every_s
        ),
    )


def _openrlhf(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    from trainers.openrlhf import stage

    spec = plan.spec
    value = item.value.folder(resources.root) if spec.improve.openrlhf.value_bonus > 0 else None
    problems = _prompted(plan, resources, item, out)
    work = stage.Training(spec, _ready(item.generator, resources), problems, _round_seed(spec, item), value)
    return stage.train(work, resources, out, progress)


def _prompted(plan: Plan, resources: Resources, item: Round, out: Path) -> Sequence[Problem]:
    """The theorems that GRPO may ask: all, or the generator's frontier."""
    from trainers import frontier, grpo_prompts

    spec, how = plan.spec, plan.spec.grpo.frontier
    if how is None:
        return plan.train
    band = grpo_prompts.band(spec.grpo, plan.train)

    generator = _ready(item.generator, resources)

    async def sample() -> frontier.Counts:
        async with resources.lean(spec.lean) as lean:
            policy = resources.policy(generator, spec, spec.whole_proof, lean.sessions)
            seed = _round_seed(spec, item)
            return await frontier.measured(policy, lean.verifier, band, how.samples, seed)

    counts = frontier.read(out)
    if counts is None:
        with resources.serving(spec, generator, None, out / SERVERS):
            counts = resources.run(sample())
        frontier.write(out, counts)
    before = [earlier.improve for earlier in plan.rounds[: item.number - 1] if earlier.improve is not None]
    known = [
        frontier.read(key.folder(resources.root)) for key in before[max(0, len(before) - how.rounds + 1) :]
    ]
    return frontier.within(how, band, frontier.pooled([*filter(None, known), counts]))


def _imitate(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    from trainers import collect, examples, sft

    spec = plan.spec
    known = {problem.id: problem for problem in plan.train}
    if spec.improve.backend == "openrlhf":
        from trainers.openrlhf import imitation

        proved = [
            pair for folder in _collected(plan, resources, item) for pair in collect.proved(folder, known)
        ]
        sessions = resources.core(spec.lean).sessions if spec.generator.prompt is None else None
        parent = _ready(item.generator, resources)
        work = imitation.Imitation(spec, parent, proved, _round_seed(spec, item), sessions)
        return imitation.train(work, out, progress)
    found = [pair for folder in _collected(plan, resources, item) for pair in collect.proofs(folder, known)]
    sessions = resources.core(spec.lean).sessions
    texts, skipped = asyncio.run(examples.from_proofs(sessions, found))
    metrics = sft.fine_tune(
        spec.expert_iteration,
        _ready(item.generator, resources),
        texts,
        seed=_round_seed(spec, item),
        threads=spec.runtime.threads,
        out=out,
        progress=progress,
        device=devices.resolve(spec.runtime.device),
        save_s=spec.runtime.save_every_s,
    )
    return {**metrics, "theorems": len({problem.revision for problem, _ in found}), "skipped": skipped}


def _round_seed(spec: ExperimentSpec, item: Round) -> int:
    """Another round draws other prompts and batches."""
    return spec.seed * 1000 + item.number


def _collected(plan: Plan, resources: Resources, item: Round) -> list[Path]:
    """Folders of the trajectories of all rounds so far."""
    return [earlier.trajectories.folder(resources.root) for earlier in plan.rounds[: item.number]]


def _ready(model: Model, resources: Resources) -> Path:
    return adoption.ready(model, resources.root)
