"""Why an experiment cannot be carried out from here, told before anything of it is begun."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness import checkpoints, devices, extras
from harness.experiment.adoption import OTHER_PROMPTS
from harness.experiment.asking import misasked
from harness.experiment.cache import finished
from harness.experiment.evaluation import Evaluation
from harness.experiment.measure import attempted
from harness.experiment.plan import Plan, Stages
from harness.experiment.resources import ON_CORE_ALONE
from harness.experiment.reuse import complete_run
from harness.experiment.run_servers import PATIENCE_S
from harness.experiment.servers import servers
from harness.experiment.spec import ExperimentSpec
from harness.paths import expanded
from harness.processes import detached
from harness.serving import hub
from harness.serving.weights import UNKNOWN
from harness.spec import LeanSpec
from harness.types import Problem

CORE = "core"
_ON_CORE = ("generator", "grpo", "expert_iteration")
"""Stages that ask the embedded core, in process."""


def obstacles(
    plan: Plan,
    evaluations: Sequence[Evaluation],
    stages: Stages,
    root: Path,
    ours: Collection[int] | None = None,
) -> list[str]:
    """One line each, with the key and the fix; none when `stages` can be trained and `evaluations` measured.

    `root` is the runs folder. `ours`: ports of servers that this process has started; given where work begins
    at once, which waits a moment for the ports of a run that was killed.
    """
    return list(
        dict.fromkeys(
            [
                *_to_computing(plan, evaluations, stages, root),
                *_to_training(plan, stages, root),
                *_to_asking(plan, evaluations, stages, root),
                *_to_serving(plan, evaluations, stages, root, ours),
                *_to_measuring(plan, evaluations),
            ]
        )
    )


def _to_computing(plan: Plan, evaluations: Sequence[Evaluation], stages: Stages, root: Path) -> Iterator[str]:
    """What is in the way of models in this process."""
    trains = any(finished(root, key) is None for _, key in stages)
    if (trains or any(_computes(plan.spec, item) for item in evaluations)) and extras.missing("local"):
        yield f"{', '.join(extras.missing('local'))}: not installed; run: {extras.how_to_install('local')}"


def _computes(spec: ExperimentSpec, evaluation: Evaluation) -> bool:
    """Whether a model of the evaluation runs in this process, rather than behind a server."""
    generates = spec.serving is None if spec.policy is None else spec.policy.kind == "transformers"
    judges = spec.value_model is None or spec.value_model.kind == "classifier"
    return (evaluation.generator is not None and generates) or (evaluation.value is not None and judges)


def can_judge(spec: LeanSpec, problems: Sequence[Problem]) -> bool:
    """Whether the service speaks these problems' Lean: the embedded core knows its fragment alone."""
    core = spec.service == CORE or (spec.service == "repl" and spec.project is None)
    return not core or all(problem.toolchain == CORE for problem in problems)


def other_toolchains(problems: Sequence[Problem]) -> str:
    """The Lean that these problems are written for, the embedded core apart."""
    return ", ".join(sorted({problem.toolchain for problem in problems} - {CORE}))


def _to_training(plan: Plan, stages: Stages, root: Path) -> Iterator[str]:
    kinds = {key.stage for _, key in stages}
    spec = plan.spec
    if spec.improve.backend == "openrlhf" and spec.improve.method != "none":
        from trainers.openrlhf import checks

        if any(key.stage == spec.improve.method and finished(root, key) is None for _, key in stages):
            yield from checks.arithmetic(spec)
            yield from checks.machine(spec, root)
            yield from _held(spec, root)
        # By the harness's own prompts what is imitated are states, which the core replays.
        kinds -= {"grpo"} if spec.generator.prompt is None else {"grpo", "expert_iteration"}
    if any(key.stage == "value" and finished(root, key) is None for _, key in stages):
        yield from _to_valuing(spec)
    if spec.lean.service != CORE and kinds & set(_ON_CORE):
        yield ON_CORE_ALONE.format(spec.lean.service)
    if stages and not can_judge(spec.lean, plan.train):
        yield _not_ours("train.benchmark", spec.trained_on.benchmark, plan.train)


def _to_asking(plan: Plan, evaluations: Sequence[Evaluation], stages: Stages, root: Path) -> Iterator[str]:
    """What is in the way of models that answer by the prompts of others."""
    given, spec = plan.warm_start, plan.spec
    trains = any(finished(root, key) is None for _, key in stages)
    yield from misasked(spec, [item.asked for item in evaluations], trains)
    if spec.policy is not None or given.stage is not None or not (trains or evaluations):
        return
    if given.on_hub is not None and given.on_hub[1] == UNKNOWN:
        yield hub.untold("generator.checkpoint", given.on_hub[0])
    if spec.generator.prompt is not None:
        return
    if given.on_hub is not None or checkpoints.read(given.folder(root)).prompt_format == OTHER_PROMPTS:
        yield (
            f"generator.checkpoint: {spec.generator.checkpoint} was not trained with the harness's own "
            "prompts; name its family in generator.prompt (`harness prompts` lists them)"
        )


def _to_serving(
    plan: Plan,
    evaluations: Sequence[Evaluation],
    stages: Stages,
    root: Path,
    ours: Collection[int] | None,
) -> Iterator[str]:
    """What is in the way of the servers that the run starts."""
    if not asks_servers(plan, evaluations, stages, root):
        return
    from trainers.openrlhf import engines

    yield from _held(plan.spec, root)
    yield from engines.arithmetic(plan.spec)
    yield from engines.machine(plan.spec, ours or (), 0.0 if ours is None else PATIENCE_S)


def _held(spec: ExperimentSpec, root: Path) -> Iterator[str]:
    """GPUs on which `harness up` has servers of the profile."""
    folder = (root / "servers" / spec.name).absolute()
    for server in servers(spec, folder):
        if server.process.gpus and detached.find(server.process, folder) is not None:
            yield f"node.servers: {server.name} is up on GPUs that are wanted here; `harness down` first"


def asks_servers(plan: Plan, evaluations: Sequence[Evaluation], stages: Stages, root: Path) -> bool:
    """Whether servers of the run are asked by a stage or an evaluation that is not finished."""
    if plan.spec.serving is None:
        return False
    asking = ["trajectories", *(["grpo"] if plan.spec.grpo.frontier is not None else [])]
    if any(key.stage in asking and finished(root, key) is None for _, key in stages):
        return True
    owing = [item for item in evaluations if item.generator is not None]
    return any(
        complete_run(item.folder(root), item.stored_spec(root), list(attempted(item))) is None
        for item in owing
    )


def _to_valuing(spec: ExperimentSpec) -> Iterator[str]:
    how, given = spec.value.trainer, spec.value.backbone
    remote = given is not None and not expanded(given).is_dir()
    if given is not None and remote and hub.commit_of(given, spec.value.backbone_revision) is None:
        yield hub.untold("value.backbone", given)
    if how is None or (how.target == "scalar" and devices.resolve(spec.runtime.device) == "cpu"):
        return
    from trainers.openrlhf import checks

    found = checks.visible_gpus(os.environ)
    if found < how.processes:
        yield f"value.trainer.processes: {how.processes} want a GPU each and {found} are in sight; lower it"


def _to_measuring(plan: Plan, evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for evaluation in evaluations:
        if not can_judge(plan.spec.lean, evaluation.problems):
            where = f"evaluations ({evaluation.name})"
            yield _not_ours(where, evaluation.asked.problems.benchmark, evaluation.problems)


def _not_ours(key: str, benchmark: str, problems: Sequence[Problem]) -> str:
    return (
        f"{key}: {benchmark} is written for {other_toolchains(problems)}, which the embedded core cannot "
        "judge; set lean.service: repl and lean.project, the folder of a Lean project"
    )
