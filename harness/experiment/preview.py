"""What an experiment would do: which stages and evaluations are there, which are owed, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import DataMissing
from harness.experiment.cache import StageKey, finished
from harness.experiment.evaluation import Evaluation, evaluations
from harness.experiment.measure import attempted
from harness.experiment.plan import Plan, Stages, plan
from harness.experiment.preflight import asks_servers, obstacles
from harness.experiment.reuse import reusable
from harness.experiment.servers import on_gpus, planned
from harness.experiment.sketch import hindrances_of, sketch
from harness.experiment.spec import ExperimentSpec
from harness.nested import changed_keys
from harness.records.folder import RECORDS, SPEC, each_record, read_problems
from harness.records.inputs import inputs_digest
from harness.records.journal import read_json
from harness.records.ledger import Ledger
from harness.records.stages import STAGE


@dataclass(frozen=True, slots=True)
class Preview:
    """One line of a dry run."""

    name: str
    folder: str
    state: str
    """`cached`, `would run`, or how much of a run is owed."""
    why: str


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
    return any(evaluation_line(evaluation, root).state != "cached" for evaluation in wanted)


def preview(spec: ExperimentSpec, root: Path) -> list[Preview]:
    """What `conduct` would do, stage by stage; nothing is made and no model is loaded."""
    try:
        made = plan(spec)
    except DataMissing:
        found = [Preview(name, "", "waits for data", what) for name, what in sketch(spec)]
        found += [_servers_line(spec)] if spec.serving is not None else []
        return found + [Preview("cannot start", "", "", why) for why in hindrances_of(spec, root)]
    return preview_plan(made, evaluations(made), root)


def preview_plan(made: Plan, wanted: list[Evaluation], root: Path, only: str | None = None) -> list[Preview]:
    """What `complete` would do."""
    todo = stages_of(made, wanted, only)
    found = [_stage_line(name, key, root, _sampled(made, key)) for name, key in todo]
    found += [_with_reuse(evaluation_line(each, root), each, root) for each in wanted]
    if asks_servers(made, wanted, todo, root):
        found.append(_servers_line(made.spec))
    return found + [Preview("cannot start", "", "", why) for why in obstacles(made, wanted, todo, root)]


def _servers_line(spec: ExperimentSpec) -> Preview:
    """What the run starts by itself, and where: the GPUs of the node, whatever is in sight here."""
    found = planned(spec)
    told = [f"{item.name} on port {item.port}{on_gpus(item.process.gpus)}" for item in found]
    shown = [*told[:1], *(["..."] if len(told) > 2 else []), *told[1:][-1:]]
    why = f"{len(found)} by vLLM for each generator that is asked, ended before training: {', '.join(shown)}"
    return Preview("servers", "", "would start", f"{why}; `harness plan` has their arguments")


def _sampled(made: Plan, key: StageKey) -> str:
    """What a collection of whole proofs samples, to stand before why it is made; empty for other stages."""
    counts = [len(item.problems) for item in made.rounds if item.trajectories == key]
    settings = made.spec.trajectories
    return f"{settings.told(counts[0])}; " if counts and settings.samples is not None else ""


def _stage_line(name: str, key: StageKey, root: Path, what: str = "") -> Preview:
    folder = key.folder(root)
    if finished(root, key) is not None:
        return Preview(name, folder.name, "cached", "everything that it depends on is unchanged")
    if folder.with_name(f"{folder.name}.partial").is_dir():
        return Preview(name, folder.name, "would resume", f"{what}an earlier try was interrupted")
    return Preview(name, folder.name, "would run", what + _why(key, root))


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


def evaluation_line(evaluation: Evaluation, root: Path) -> Preview:
    """What would become of one evaluation, other runs apart."""
    folder = evaluation.folder(root)
    if not (folder / RECORDS).is_file():
        problems, samples = tuple(attempted(evaluation)), evaluation.asked.samples
        canaries = sum(problem.canary for problem in problems) * samples
        told = f" ({canaries} at canaries)" if canaries else ""
        why = f"{len(problems) * samples} attempts are owed{told}"
        return Preview(evaluation.name, folder.name, "would run", why)
    if changed := _refused(evaluation, root):
        why = f"{', '.join(changed)}: changed since this run began; delete it, or give another name"
        return Preview(evaluation.name, folder.name, "would refuse", why)
    problems, samples = read_problems(folder), evaluation.asked.samples  # canaries too
    owed, ledger = len(problems) * samples, _ledger(evaluation, root)
    # As `measure` does it: a run that published no row tries its unscored attempts again.
    if ledger.unscored_share(problems, samples) > evaluation.plan.spec.runtime.max_unscored:
        there = sum(not failed for _, failed in ledger)
        return Preview(evaluation.name, folder.name, "would resume", f"{there} of {owed} are scored")
    there = len(ledger)
    if there >= owed:
        return Preview(evaluation.name, folder.name, "cached", f"all {owed} records are there")
    return Preview(evaluation.name, folder.name, "would resume", f"{there} of {owed} records are there")


def _refused(evaluation: Evaluation, root: Path) -> list[str]:
    """In which keys a run differs from the one that would be gone on with: in the weights of its models."""
    stored = read_json(evaluation.folder(root) / SPEC)
    changed = changed_keys(stored if isinstance(stored, dict) else {}, _plain(evaluation.stored_spec(root)))
    models = {"generator.weights": evaluation.generator, "value.weights": evaluation.value}
    made = {key for key, model in models.items() if model is not None and model.weights(root) is not None}
    return [key for key in changed if key != "evaluation.k" and (key in made or key not in models)]


def _with_reuse(line: Preview, evaluation: Evaluation, root: Path) -> Preview:
    """The line of an evaluation, which also says what other runs hold of what it owes."""
    if line.state in ("cached", "would refuse"):
        return line
    problems, ledger = attempted(evaluation), _ledger(evaluation, root)
    owed = [
        (*problem.key, index)
        for index in range(evaluation.asked.samples)
        for problem in problems
        if ledger.failed(problem.key, index) is None
    ]
    held = reusable(owed, evaluation.folder(root), evaluation.stored_spec(root), root)
    told = "".join(f"; {count} are taken over from {name}" for name, count in held.items())
    return replace(line, why=line.why + told)


def _ledger(evaluation: Evaluation, root: Path) -> Ledger:
    """What the run of an evaluation holds so far. Raises `StoreError` as reading its records does."""
    spec = read_json(evaluation.folder(root) / SPEC)
    inputs = inputs_digest(spec) if isinstance(spec, dict) else None
    problems = (problem.key for problem in attempted(evaluation))
    ledger = Ledger(problems, evaluation.asked.samples, inputs)
    for _ in each_record(evaluation.folder(root) / RECORDS, ledger):
        pass
    return ledger
