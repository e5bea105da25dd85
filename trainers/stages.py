"""What fills the folder of each kind of stage, from the plan and the round that asks for it.

Everything here blocks; call it outside an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import devices
from harness.experiment import adoption, served
from harness.experiment.cache import finished
from harness.experiment.plan import Model, Plan, Round
from harness.experiment.resources import Resources
from harness.experiment.run_servers import SERVERS
from harness.experiment.spec import ExperimentSpec
from harness.experiment.tools import sessions_for
from harness.paths import expanded
from harness.serving import hub
from harness.types import Problem
from trainers.beside import Progress


def make_generator(plan: Plan, resources: Resources, out: Path, progress: Progress) -> Mapping[str, Any]:
    """The warm start on gold proofs."""
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


def make_trajectories(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Labelled states of training theorems, by search or from whole proofs."""
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


def make_value(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """The value model, on the states of all rounds so far."""
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


def make_grpo(
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


def make_imitated(
    plan: Plan, resources: Resources, item: Round, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Expert iteration: the generator trained further on accepted proofs of all rounds so far."""
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
