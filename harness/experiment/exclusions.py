"""What excludes each other in an experiment: settings, and theorems both trained on and measured."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from harness.errors import SpecError
from harness.experiment.selection import Problems, select, statements
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.provers.priority import Ranking


def check_settings(spec: ExperimentSpec) -> None:
    """Raise `SpecError` where settings exclude each other, with one line for each fault."""
    found = []
    for check in _checks(spec):
        try:
            check()
        except SpecError as error:
            found.append(str(error))
    if found:
        raise SpecError("\n".join(dict.fromkeys(found)))


def _checks(spec: ExperimentSpec) -> Iterator[Callable[[], object]]:
    for item in spec.evaluations:
        yield functools.partial(_check_evaluation, spec, item)
    if spec.rounds > 1 and spec.trajectories.samples is None:
        yield functools.partial(Ranking.of, spec.trajectories.search, spec.value.gamma)
    if spec.rounds and spec.trajectories.samples is not None:
        yield functools.partial(_check_labels, spec)
    if spec.rounds and (spec.trajectories.samples or 1) > 1:
        yield functools.partial(_check_samples_differ, spec)
    yield functools.partial(_check_band, spec)
    if spec.serving is not None:
        yield functools.partial(_check_served, spec)
    if spec.value.trainer is not None and spec.value.trainer.target == "text":
        yield functools.partial(_check_nobody_asks_a_text, spec)


def _check_samples_differ(spec: ExperimentSpec) -> None:
    if spec.whole_proof.method == "greedy":
        raise SpecError(
            f"trajectories.samples: {spec.trajectories.samples} proofs by whole_proof.method: greedy are the "
            "same every time; set 1, or whole_proof.method: sample"
        )


def _check_served(spec: ExperimentSpec) -> None:
    if spec.generator.prompt is None:
        raise SpecError(
            "node.serving: is for a generator that answers by a family of generator.prompt; one made here "
            "computes in this process: set it to null"
        )
    if spec.generator.dtype == "float64":
        raise SpecError("generator.dtype: vLLM does not compute in float64; choose another")


def _check_labels(spec: ExperimentSpec) -> None:
    if spec.value.other_states != "unlabelled":
        raise SpecError(
            f"value.other_states: {spec.value.other_states} labels states off the proofs, and "
            "trajectories.samples collects none; set it to unlabelled, or trajectories.samples: null"
        )


def _check_nobody_asks_a_text(spec: ExperimentSpec) -> None:
    searched = spec.rounds > 1 and spec.trajectories.asks_value
    asked = [item.name for item in spec.evaluations if spec.prover(item).asks_value]
    if searched or improving_asks_value(spec) or (asked and spec.value_model is None):
        where = "trajectories" if searched else asked[0] if asked else "improve.openrlhf.value_bonus"
        raise SpecError(
            f"value.trainer.target: {where} asks the value model, and one that writes numbers answers behind "
            "a server alone: serve it and name it in value_model (kind: steps), or set alpha: 1"
        )


def _check_evaluation(spec: ExperimentSpec, item: EvaluationSpec) -> None:
    prover = spec.prover(item)
    prover.check(spec.discount)
    if item.samples > 1 and prover.repeats is not None:
        other = f", or {prover.shared}.{prover.repeats}" if prover.repeats else ""
        raise SpecError(
            f"evaluations: {item.name!r} asks for {item.samples} samples of a prover that does the same "
            f"every time; set samples: 1{other}"
        )


def _check_band(spec: ExperimentSpec) -> None:
    if spec.grpo.min_difficulty > spec.grpo.max_difficulty:
        raise SpecError(
            f"grpo.min_difficulty: {spec.grpo.min_difficulty} is above grpo.max_difficulty "
            f"({spec.grpo.max_difficulty}); no theorem is left"
        )


def check_leaks(spec: ExperimentSpec, train: Problems) -> None:
    """Raise `SpecError` when a statement on which a model is measured stands among the training theorems."""
    known, source = statements(train), spec.trained_on
    for item in spec.evaluations:
        if not item.prover.asks_generator:
            continue
        measured = statements(select(item.problems))
        for statement in measured.keys() & known.keys():
            raise SpecError(
                f"train: {known[statement]!r} ({source.benchmark}/{source.split}) is also evaluated, "
                f"as {measured[statement]!r} in {item.name!r}; train and evaluate on different splits"
            )


def improving_asks_value(spec: ExperimentSpec) -> bool:
    """Whether the round's value model has a say in GRPO's reward."""
    improve = spec.improve
    grpo = improve.method == "grpo" and improve.backend == "openrlhf"
    return grpo and improve.openrlhf.value_bonus > 0
