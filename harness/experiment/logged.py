"""The names of the figures that an experiment will log, known before anything is run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from harness.analysis.metrics import summarize
from harness.analysis.summary import scalars
from harness.errors import SpecError
from harness.experiment.plan import Plan
from harness.experiment.spec import EvaluationSpec
from harness.tracking.events import key_part

SHOWN = 6


def check_metric(made: Plan, metric: str, where: str) -> None:
    """Raise `SpecError` naming `where` and what is logged instead when the plan never logs `metric`.

    Figures of a training stage are its trainer's own; of these only the stage is checked.
    """
    known = [name for item in made.spec.evaluations for name in _figures(item)]
    stages = {key_part(name) for name, _ in made.stages()}
    if metric in known or metric.removeprefix("curve/").rpartition("/")[0] in stages:
        return
    like = difflib.get_close_matches(metric, known, n=SHOWN, cutoff=0.0)
    raise SpecError(
        f"{where}: metric.name: nothing logs {metric!r}; among the {len(known)} figures that are logged: "
        f"{', '.join(like)}{_of_training(stages)}"
    )


def _of_training(stages: Iterable[str]) -> str:
    """What training logs: figures of a stage at its end, and curves while it goes on."""
    names = sorted(stages)
    return f"; of training STAGE/FIGURE and curve/STAGE/FIGURE, stages {', '.join(names)}" if names else ""


def _figures(evaluation: EvaluationSpec) -> Iterator[str]:
    """Names of the evaluation's figures that can have a value."""
    searches = evaluation.prover.section == "search"
    for name in scalars(summarize((), (), evaluation.samples, evaluation.k)):
        spent = name == "invalid_share" or (name.startswith("nodes_per_proof") and not name.endswith("_n"))
        if searches or not spent:
            yield f"eval/{key_part(evaluation.name)}/{name}"
