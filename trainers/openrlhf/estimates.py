"""What an experiment will cost before anything starts: wall time, GPU-hours, Lean's CPU-hours, disk.

Every figure comes with its arithmetic, from the measured or assumed rates of `throughput.yaml`. Searches are
reckoned at their full budget, so they are upper bounds; early stops and caches make all of it cheaper.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from harness.benchmarks.manifest import manifest
from harness.errors import SpecError
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.nested import digest, parse_yaml
from harness.spec import ProblemsSpec, Spec
from trainers.openrlhf.checks import disk_bytes
from trainers.openrlhf.model_size import BYTES_BF16, Shape, shape_of
from trainers.openrlhf.plan import gpus_used, training_gpus

TABLE = Path(__file__).with_name("throughput.yaml")
VARIABLE = "HARNESS_THROUGHPUT"
STATE_TOKENS = 300
"""Tokens of a state, in value training."""


class Rates(Spec):
    """One row of the table."""

    name: str
    """What was measured, and on what."""
    parameters: float = Field(gt=0)
    """Of the generator."""
    proof_tokens_per_s: float = Field(gt=0)
    """Generated in whole proofs, one GPU."""
    proof_tokens: float = Field(gt=0)
    """Of one whole proof."""
    states_per_s: float = Field(gt=0)
    """States for which tactics are proposed, one GPU."""
    training_flops_per_s: float = Field(gt=0)
    """Reached in training, one GPU."""
    start_s: float = Field(ge=0)
    """From the start of GRPO to its first step."""
    step_overhead_s: float = Field(ge=0)
    """Of a GRPO step, beside generating and training."""
    proof_lean_s: float = Field(ge=0)
    """Core seconds of checking one whole proof."""
    tactic_lean_s: float = Field(ge=0)
    """Core seconds of applying one tactic."""
    measured: tuple[str, ...] = ()
    """Which of these were measured; the others are assumed."""

    def scaled(self, parameters: int) -> Rates:
        """The same for a model of another size: rates fall as it grows."""
        factor = self.parameters / parameters
        return self.model_copy(
            update={
                "proof_tokens_per_s": self.proof_tokens_per_s * factor,
                "states_per_s": self.states_per_s * factor,
            }
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """One piece of work."""

    name: str
    key: str
    """Equal for the same work at two points of a sweep, which is done once."""
    wall_s: float
    gpus: int
    lean_cpu_s: float
    kept_bytes: float
    """On the disk afterwards."""
    passing_bytes: float
    """On the disk meanwhile, beside that."""
    arithmetic: tuple[str, ...]

    @property
    def gpu_hours(self) -> float:
        """GPUs held times hours."""
        return self.gpus * self.wall_s / 3600


def table() -> list[Rates]:
    """The rows, those of HARNESS_THROUGHPUT first. Raises `SpecError` for a broken file."""
    named = os.environ.get(VARIABLE)
    files = [*([Path(named)] if named else []), TABLE]
    rows: list[Rates] = []
    for path in files:
        try:
            data = parse_yaml(path.read_text(encoding="utf-8"))
            rows += TypeAdapter(list[Rates]).validate_python(data, strict=False)
        except OSError as cause:
            raise SpecError(f"{path}: cannot be read: {cause.strerror}; mend {VARIABLE}") from None
        except ValidationError as cause:
            first = cause.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SpecError(f"{path}: {where}: {first['msg'].lower()}") from None
    return rows


def rates_for(shape: Shape, rows: Sequence[Rates]) -> Rates:
    """The row of the nearest size, scaled; of two equally near ones the first."""
    nearest = min(rows, key=lambda row: abs(math.log(row.parameters / shape.parameters)))
    return nearest.scaled(shape.parameters)


def costs(spec: ExperimentSpec, rates: Rates) -> list[Cost]:
    """The trainings and evaluations of `spec` in order."""
    return list(_Reckoning(spec, rates).all())


class _Reckoning:
    """Adds up one experiment; `_key` chains what each piece depends on, as the stages' digests do."""

    def __init__(self, spec: ExperimentSpec, rates: Rates) -> None:
        self.spec, self.rates, self.shape = spec, rates, shape_of(spec)
        on_gpu = spec.node.gpus > 0
        self.gpus = spec.node.gpus
        self.serving = spec.node.gpus if on_gpu else 1
        self.served = self.shape.parameters * BYTES_BF16
        self._key = digest([spec.generator, spec.train, spec.seed, spec.lean.service])

    def all(self) -> Iterator[Cost]:
        spec = self.spec
        warm = self._key
        if spec.generator.checkpoint is None and spec.policy is None:
            yield self._warm_start()
        value, problems = "", 0
        if spec.rounds:
            problems = min(spec.trajectories.problems, problems_of(spec.trained_on))
        for number in range(1, spec.rounds + 1):
            self._key = digest([self._key, spec.trajectories, value if number > 1 else ""])
            yield self._search(f"round {number}: trajectories", problems, spec.trajectories.search.expansions)
            value = digest([self._key, spec.value])
            yield self._value(f"round {number}: value", value, number * problems)
            if spec.improve.method == "grpo":
                layout = spec.improve.openrlhf if spec.improve.backend == "openrlhf" else None
                self._key = digest([self._key, spec.grpo, spec.improve.backend, layout, spec.whole_proof])
                yield self._grpo(f"round {number}: grpo")
        trained = self._key
        for item in spec.evaluations:
            depends = [trained if item.generator == "trained" else warm, item]
            self._key = digest([*depends, *self._measured_by(item, value)])
            yield from self._evaluation(item.name, item.prover.kind, problems_of(item.problems), item.samples)

    def _measured_by(self, item: EvaluationSpec, value: str) -> list[Any]:
        """The settings behind an evaluation: one that fixes its alpha is the same at every point."""
        prover = self.spec.prover(item)
        return [prover.kind, prover.effective(), value if prover.asks_value else ""]

    def _cost(self, name: str, wall_s: float, lean_s: float, kept: float, *arithmetic: str) -> Cost:
        return Cost(name, self._key, wall_s, self.gpus, lean_s, kept, 0.0, arithmetic)

    def _warm_start(self) -> Cost:
        generator, rates = self.spec.generator, self.rates
        tokens = generator.steps * generator.batch_size * 2 * rates.proof_tokens
        seconds = self._training(tokens, 1)
        told = f"{generator.steps} steps x {generator.batch_size} texts: {self._flops(tokens, 1, seconds)}"
        return self._cost("generator", seconds, 0.0, self.served, told)

    def _search(self, name: str, problems: int, expansions: int) -> Cost:
        rates, workers = self.rates, max(1, self.spec.lean.workers)
        width = self.spec.search.decode.width
        states = problems * expansions
        asking = states / (rates.states_per_s * self.serving)
        lean = states * width * rates.tactic_lean_s
        return self._cost(
            name,
            max(asking, lean / workers),
            lean,
            0.0,
            f"{problems} theorems x {expansions} expansions = {states} states at most",
            f"generator: {states} / ({rates.states_per_s:.3g} a second x {self.serving}) = {asking:.0f} s",
            f"Lean: {states} x {width} tactics x {rates.tactic_lean_s:g} s / {workers} workers "
            f"= {lean / workers:.0f} s; the longer counts",
        )

    def _value(self, name: str, key: str, theorems: int) -> Cost:
        value = self.spec.value
        states = theorems * self.spec.trajectories.search.expansions // 2
        tokens = states * value.epochs * STATE_TOKENS
        seconds = self._training(tokens, 1)
        told = f"{states} states at most x {value.epochs} epochs x {STATE_TOKENS} tokens"
        cost = self._cost(name, seconds, 0.0, self.served, told, self._flops(tokens, 1, seconds))
        return replace(cost, key=key)

    def _grpo(self, name: str) -> Cost:
        spec, rates, grpo = self.spec, self.rates, self.spec.grpo
        openrlhf = spec.improve.backend == "openrlhf"
        actors = training_gpus(spec) if openrlhf else 1
        engines = gpus_used(spec) - (actors if spec.improve.openrlhf.placement == "split" else 0)
        engines = engines if openrlhf else 1
        proofs = grpo.samples * grpo.prompts
        length = min(rates.proof_tokens, spec.whole_proof.max_new_tokens)
        tokens = proofs * length
        generating = tokens / (rates.proof_tokens_per_s * engines)
        workers = max(1, spec.lean.workers)
        lean = proofs * rates.proof_lean_s
        recompute = openrlhf and spec.improve.openrlhf.gradient_checkpointing
        training = self._training(tokens * 1.5, actors, 4 if recompute else 3)
        step = max(generating, lean / workers) + training + rates.step_overhead_s
        cost = self._cost(
            name,
            rates.start_s + grpo.steps * step,
            grpo.steps * lean,
            self.served,
            f"a step: {proofs} proofs x {length:.0f} tokens / ({rates.proof_tokens_per_s:.0f} a second x "
            f"{engines} GPUs) = {generating:.1f} s generating",
            f"Lean beside it: {proofs} x {rates.proof_lean_s:g} s / {workers} workers = "
            f"{lean / workers:.1f} s; the longer counts",
            f"training, prompts half as long as proofs: {self._flops(tokens * 1.5, actors, training)}",
            f"{rates.start_s:.0f} s + {grpo.steps} steps x ({max(generating, lean / workers):.1f} + "
            f"{training:.1f} + {rates.step_overhead_s:.1f} s)",
        )
        return replace(cost, passing_bytes=disk_bytes(spec, self.shape) if openrlhf else 0.0)

    def _evaluation(self, name: str, prover: str, problems: int, samples: int) -> Iterator[Cost]:
        rates, workers = self.rates, max(1, self.spec.lean.workers)
        if prover == "best_first":
            yield self._search(name, problems * samples, self.spec.search.expansions)
        elif prover == "whole_proof":
            proofs = problems * samples
            length = min(rates.proof_tokens, self.spec.whole_proof.max_new_tokens)
            generating = proofs * length / (rates.proof_tokens_per_s * self.serving)
            lean = proofs * rates.proof_lean_s
            yield self._cost(
                name,
                max(generating, lean / workers),
                lean,
                0.0,
                f"{problems} theorems x {samples} proofs x {length:.0f} tokens / "
                f"({rates.proof_tokens_per_s:.0f} a second x {self.serving}) = {generating:.0f} s",
                f"Lean: {proofs} x {rates.proof_lean_s:g} s / {workers} workers = {lean / workers:.0f} s; "
                "the longer counts",
            )

    def _training(self, tokens: float, gpus: int, passes: int = 3) -> float:
        """Seconds: 2 * parameters operations a token forward, twice that backward (4 passes: recomputed)."""
        return 2 * passes * self.shape.parameters * tokens / (self.rates.training_flops_per_s * gpus)

    def _flops(self, tokens: float, gpus: int, seconds: float) -> str:
        return (
            f"{tokens:.3g} tokens of {self.shape.parameters:.3g} parameters at "
            f"{self.rates.training_flops_per_s:.2g} operations a second x {gpus} = {seconds:.1f} s"
        )


def problems_of(spec: ProblemsSpec) -> int:
    """How many problems the manifest promises, or the limit of one that promises no number.

    What a limit by difficulty leaves is not known before the problems are.
    """
    found = manifest(spec.benchmark)
    count = found.total if spec.split == "all" else found.splits.get(spec.split, 0)
    limit = count if spec.limit is None else spec.limit
    return min(count, limit) if count else limit
