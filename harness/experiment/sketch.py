"""What an experiment would do, as far as that can be told before its benchmarks are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import DataMissing
from harness.experiment.asking import misasked
from harness.experiment.exclusions import check_settings
from harness.experiment.selection import select
from harness.experiment.spec import ExperimentSpec
from harness.paths import expanded
from harness.serving import hub


def sketch(spec: ExperimentSpec) -> list[tuple[str, str]]:
    """(stage or evaluation, what it is) in the order in which they would run.

    Raises `SpecError` for settings that cannot work together.
    """
    check_settings(spec)
    found = []
    if spec.generator.checkpoint is None:
        found.append(("generator", "warm start on gold proofs"))
    for number in range(1, spec.rounds + 1):
        collected = spec.trajectories.told(spec.trajectories.problems)
        source = f"{spec.trained_on.benchmark}/{spec.trained_on.split}"
        found.append((f"round {number}: trajectories", f"{collected} of {source}"))
        found.append((f"round {number}: value", f"gamma {spec.value.gamma:g}"))
        if spec.improve.method != "none":
            found.append((f"round {number}: {spec.improve.method}", f"by {spec.improve.backend}"))
    for item in spec.evaluations:
        place = f"{item.problems.benchmark}/{item.problems.split}"
        found.append((item.name, f"{item.prover.kind}, {item.samples} a problem of {place}"))
    return found


def data_missing(spec: ExperimentSpec) -> Iterator[str]:
    """One line for each benchmark that has to be fetched first, with the key that names it."""
    asked = [] if spec.train is None else [("train", spec.train)]
    asked += [(f"evaluations.{item.name}.problems", item.problems) for item in spec.evaluations]
    told: set[str] = set()
    for key, problems in asked:
        try:
            select(problems)
        except DataMissing as error:
            if problems.benchmark not in told:
                yield f"{key}.benchmark: {error}"
            told.add(problems.benchmark)


def hindrances_of(spec: ExperimentSpec, root: Path) -> list[str]:
    """Everything that is known to be in the way without the data: the data itself, and the node."""
    found = [*data_missing(spec), *misasked(spec, spec.evaluations, spec.rounds > 0), *_untold(spec)]
    if spec.improve.backend == "openrlhf" and spec.improve.method != "none" and spec.rounds:
        from trainers.openrlhf import checks

        found += [*checks.arithmetic(spec), *checks.machine(spec, root)]
    if spec.serving is not None:
        from trainers.openrlhf import engines

        found += [*engines.arithmetic(spec), *engines.machine(spec)]
    return found


def _untold(spec: ExperimentSpec) -> Iterator[str]:
    """The models on the hub of which nobody tells the commit."""
    named = [("generator.checkpoint", spec.generator.checkpoint, spec.generator.revision)]
    if spec.rounds:
        named.append(("value.backbone", spec.value.backbone, spec.value.backbone_revision))
    for key, name, revision in named:
        if spec.policy is not None or name is None or expanded(name).exists():
            continue
        if hub.commit_of(name, revision) is None:
            yield hub.untold(key, name)
