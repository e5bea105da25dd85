"""Whether models that answer by the prompts of others can be asked for what an experiment needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.prompts import probes
from harness.prompts.family import Family
from harness.prompts.registry import family
from harness.provers.prover import ProverSpec


def misasked(spec: ExperimentSpec, wanted: Sequence[EvaluationSpec], trains: bool) -> Iterator[str]:
    """One line for each thing that the family of `policy.prompt` or `generator.prompt` cannot write.

    `wanted`: the evaluations to be measured; `trains`: a stage is to be made.
    """
    name = spec.generator.prompt if spec.policy is None else spec.policy.prompt
    if name is None:
        return
    asked = family(name)
    for item in wanted:
        if (lacking := _lacking(asked, spec.prover(item))) is not None:
            yield (
                f"evaluations.{item.name}.prover: {item.prover.kind} asks for {lacking}, which {name} does "
                "not write; choose another prover, or another model"
            )
    if spec.policy is None and trains:
        yield from _training(spec, asked)


def _lacking(asked: Family, prover: ProverSpec) -> str | None:
    if not prover.asks_generator:
        return None
    if prover.section == "whole_proof":
        return None if _writes_proofs(asked) else "whole proofs"
    return None if asked.tactic else "tactics"


def _writes_proofs(asked: Family) -> bool:
    return bool(asked.proof or asked.proof_at)


def _training(spec: ExperimentSpec, asked: Family) -> Iterator[str]:
    improve, name = spec.improve, asked.name
    if spec.trajectories.samples is not None:
        if not _writes_proofs(asked):
            yield f"trajectories.samples: asks for whole proofs, which {name} does not write; set it to null"
    elif asked.tactic is None:
        yield (
            f"trajectories: a search asks for tactics, and {name} writes whole proofs; set "
            "trajectories.samples, how many of each theorem are collected from"
        )
    if spec.value.trainer is None:
        yield (
            f"value.trainer: missing; the value model made in this process reads the harness's own prompts, "
            f"which a generator asked as {name} was not trained with"
        )
    if improve.method == "none":
        return
    if improve.backend == "local":
        yield (
            f"improve.method: {improve.method} in this process trains by the harness's own prompts, not by "
            f"{name}; set improve.backend: openrlhf, or method: none"
        )
        return
    if asked.proof is None:
        does = "rewards" if improve.method == "grpo" else "teaches"
        yield (
            f"improve.method: {improve.method} {does} whole proofs, which {name} does not write; set "
            "method: none"
        )
        return
    if improve.method != "grpo":
        return
    by_chat = bool(asked.proof(probes.PROBLEMS[0]).messages)
    if by_chat != improve.openrlhf.chat_template:
        how = "through its chat template" if by_chat else "by plain text"
        yield f"improve.openrlhf.chat_template: {name} is asked {how}; set it to {str(by_chat).lower()}"
    if improve.openrlhf.value_bonus > 0:
        yield f"improve.openrlhf.value_bonus: replays bare tactics, and {name} answers otherwise; set it to 0"
