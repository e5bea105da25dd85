"""What an experiment will cost before anything starts: wall time, GPU-hours, Lean's CPU-hours, disk.

Every figure comes with its arithmetic, from the measured or assumed rates of `throughput.yaml`. Searches are
reckoned at their full budget, so they are upper bounds; early stops and caches make all of it cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from harness.benchmarks.manifest import manifest
from harness.experiment.exclusions import improving_asks_value
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.nested import digest
from harness.provers.budget import BudgetSpec
from harness.spec import ProblemsSpec, WholeProofSpec
from trainers.openrlhf.checks import disk_bytes
from trainers.openrlhf.model_size import BYTES_BF16, LlamaShape, shape_of, value_shape_of
from trainers.openrlhf.plan import gpus_used, training_gpus
from trainers.openrlhf.rates import Rates
from trainers.openrlhf.token_lengths import statement_tokens


@dataclass(frozen=True, slots=True)
class PieceCost:
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


def costs(spec: ExperimentSpec, rates: Rates) -> list[PieceCost]:
    """The trainings and evaluations of `spec` in order."""
    return list(_Reckoning(spec, rates).all())


class _Reckoning:
    """Adds up one experiment; `_key` chains what each piece depends on, as the stages' digests do."""

    def __init__(self, spec: ExperimentSpec, rates: Rates) -> None:
        self.spec, self.rates, self.shape = spec, rates, shape_of(spec)
        self.gpus = spec.node.gpus
        if spec.policy is not None and spec.policy.kind == "server":
            self.gpus = len(spec.policy.urls)  # One for each server, for want of better knowledge.
        # Without servers one GPU answers, in this process, and the others wait.
        asked = spec.serving is not None or (spec.policy is not None and spec.policy.kind == "server")
        self.serving = max(1, self.gpus) if asked else 1
        self._up = ""
        """What of the generators servers were started for last."""
        self.served = self.shape.parameters * BYTES_BF16
        self._key = digest([spec.generator, spec.train, spec.seed, spec.lean.service])

    def all(self) -> Iterator[PieceCost]:
        spec = self.spec
        warm = self._key
        if spec.generator.checkpoint is None and spec.policy is None:
            yield self._warm_start()
        value, problems = "", 0
        if spec.rounds:
            problems = min(spec.trajectories.problems, problems_of(spec.trained_on))
        searches, values = self._wanted()
        for number in range(1, spec.rounds + 1):
            asked = value if number > 1 and spec.trajectories.asks_value else ""
            self._key = digest([self._key, self._collected_by(), asked])
            if searches:
                yield self._started(self._collecting(f"round {number}: trajectories", problems), self._key)
            value = digest([self._key, spec.value])
            if values:
                yield self._value(f"round {number}: value", value, number * problems)
            if spec.improve.method == "grpo":
                layout = spec.improve.openrlhf if spec.improve.backend == "openrlhf" else None
                self._key = digest([self._key, spec.grpo, spec.improve.backend, layout, spec.whole_proof])
                yield self._grpo(f"round {number}: grpo")
            elif spec.improve.method == "expert_iteration":
                layout = spec.improve.openrlhf if spec.improve.backend == "openrlhf" else None
                self._key = digest([self._key, spec.expert_iteration, layout])
                yield self._imitation(f"round {number}: expert_iteration")
        trained = self._key
        for item in spec.evaluations:
            generator = trained if item.generator == "trained" else warm
            depends = [generator, item]
            self._key = digest([*depends, *self._measured_by(item, value)])
            for cost in self._evaluation(item):
                yield self._started(cost, generator)

    def _collected_by(self) -> Any:
        how = self.spec.trajectories
        return how if how.samples is None else [how.problems, how.samples, self.spec.whole_proof]

    def _wanted(self) -> tuple[bool, bool]:
        """Whether anybody asks for trajectories, and for value models: others are not made."""
        spec = self.spec
        asked = spec.value_model is None and any(spec.prover(item).asks_value for item in spec.evaluations)
        values = asked or improving_asks_value(spec)
        searches = values or spec.improve.method == "expert_iteration"
        guided = searches and spec.rounds > 1 and spec.trajectories.asks_value
        return searches, values or guided

    def _measured_by(self, item: EvaluationSpec, value: str) -> list[Any]:
        """The settings behind an evaluation: one that fixes its alpha is the same at every point."""
        prover = self.spec.prover(item)
        return [prover.kind, prover.effective(), value if prover.asks_value else ""]

    def _cost(self, name: str, wall_s: float, lean_s: float, kept: float, *arithmetic: str) -> PieceCost:
        return PieceCost(name, self._key, wall_s, self.gpus, lean_s, kept, 0.0, arithmetic)

    def _started(self, cost: PieceCost, generator: str) -> PieceCost:
        """`cost` with the start of its servers, which what follows on the same checkpoint shares."""
        if self.spec.serving is None or self._up == generator:
            return cost
        self._up, seconds = generator, self.rates.serve_s
        told = f"its servers start: {seconds:.0f} s"
        return replace(cost, wall_s=cost.wall_s + seconds, arithmetic=(*cost.arithmetic, told))

    def _warm_start(self) -> PieceCost:
        return self._imitating("generator", self.spec.generator.steps, self.spec.generator.batch_size)

    def _imitation(self, name: str) -> PieceCost:
        steps, texts = self.spec.expert_iteration.steps, self.spec.expert_iteration.batch_size
        if self.spec.improve.backend != "openrlhf":
            return self._imitating(name, steps, texts)
        gpus, start = training_gpus(self.spec), self.rates.start_s
        tokens = steps * texts * 1.5 * min(self.rates.proof_tokens, self.spec.whole_proof.max_new_tokens)
        recompute = self.spec.improve.openrlhf.gradient_checkpointing
        seconds = self._training(tokens, gpus, 4 if recompute else 3)
        told = (
            f"{steps} steps x {texts} texts, prompts half as long as proofs: "
            f"{self._flops(tokens, gpus, seconds)}"
        )
        cost = self._cost(name, start + seconds, 0.0, self.served, told, f"{start:.0f} s to start")
        return replace(cost, passing_bytes=disk_bytes(self.spec, self.shape))

    def _imitating(self, name: str, steps: int, texts: int) -> PieceCost:
        tokens = steps * texts * 2 * self.rates.proof_tokens
        seconds = self._training(tokens, 1)
        told = f"{steps} steps x {texts} texts: {self._flops(tokens, 1, seconds)}"
        return self._cost(name, seconds, 0.0, self.served, told)

    def _collecting(self, name: str, problems: int) -> PieceCost:
        how = self.spec.trajectories
        if how.samples is None:
            return self._search(name, problems, how.search.expansions, how.search.decode.width)
        tactics = how.samples * self.rates.proof_states
        replay = problems * tactics * self.rates.tactic_lean_s
        cost = self._sampling(name, problems, how.samples, self.spec.whole_proof, replay)
        told = (
            f"Lean follows the accepted ones: {problems} x {tactics:g} tactics at most x "
            f"{self.rates.tactic_lean_s:g} s = {replay:.0f} core seconds of these"
        )
        return replace(cost, arithmetic=(how.told(problems), *cost.arithmetic, told))

    def _sampling(
        self, name: str, problems: int, samples: int, how: WholeProofSpec, replay_s: float = 0.0
    ) -> PieceCost:
        """Whole proofs and their checks; Lean's core seconds of `replay_s` come on top."""
        rates, workers = self.rates, max(1, self.spec.lean.workers)
        proofs = problems * samples
        length = min(rates.proof_tokens, how.max_new_tokens)
        generating = proofs * length / (rates.proof_tokens_per_s * self.serving)
        lean = proofs * rates.proof_lean_s + replay_s
        more = f" + {replay_s:.0f} s" if replay_s else ""
        checking = f"{proofs} x {rates.proof_lean_s:g} s{more}"
        return self._cost(
            name,
            max(generating, lean / workers),
            lean,
            0.0,
            f"{problems} theorems x {samples} proofs x {length:.0f} tokens / "
            f"({rates.proof_tokens_per_s:.0f} a second x {self.serving}) = {generating:.0f} s",
            f"Lean: {f'({checking})' if more else checking} / {workers} workers = {lean / workers:.0f} s; "
            "the longer counts",
        )

    def _search(self, name: str, problems: int, expansions: int, width: int) -> PieceCost:
        rates, workers = self.rates, max(1, self.spec.lean.workers)
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

    def _value(self, name: str, key: str, theorems: int) -> PieceCost:
        value = self.spec.value
        states, counted = self._labelled(theorems)
        length, of = statement_tokens(self.spec) or (self.rates.state_tokens, "as the rates have it")
        if value.trainer is not None:
            length = min(length, value.trainer.max_tokens)
        tokens = states * value.epochs * length
        shape = value_shape_of(self.spec)
        gpus = 1 if value.trainer is None else value.trainer.processes
        seconds = self._training(tokens, gpus, of=shape)
        told = f"{states:.0f} states x {value.epochs} epochs x {length:.0f} tokens ({of})"
        flops = self._flops(tokens, gpus, seconds, shape)
        cost = self._cost(name, seconds, 0.0, shape.parameters * BYTES_BF16, counted, told, flops)
        return replace(cost, key=key)

    def _labelled(self, theorems: int) -> tuple[float, str]:
        """States that the value model is trained on after so many theorems, and how they add up."""
        value, rates, how = self.spec.value, self.rates, self.spec.trajectories
        # Whole proofs label no state off them.
        budget = how.search.expansions if how.samples is None else 0
        proof = rates.proof_states if how.samples is not None else min(rates.proof_states, budget)
        others = {
            "unlabelled": 0.0,
            "unprovable": rates.unprovable_states * budget,
            "zero": max(0.0, rates.met_states * budget - proof),
        }[value.other_states]
        repeated = f" x {value.oversample}" if value.oversample > 1 else ""
        told = f"{theorems} theorems x ({proof:g}{repeated} states on proofs + {others:g} others) x "
        states = theorems * (proof * value.oversample + others) * (1 - value.held_out)
        return states, f"{told}{1 - value.held_out:g} not held out = {states:.0f} states"

    def _grpo(self, name: str) -> PieceCost:
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

    def _evaluation(self, item: EvaluationSpec) -> Iterator[PieceCost]:
        name, samples, problems = item.name, item.samples, problems_of(item.problems)
        prover = self.spec.prover(item)
        if isinstance(prover, BudgetSpec) and prover.asks_generator:
            decode = getattr(prover, "decode", self.spec.search.decode)
            yield self._search(name, problems * samples, prover.expansions, decode.width)
        elif isinstance(prover, WholeProofSpec):
            yield self._sampling(name, problems, samples, prover)

    def _training(self, tokens: float, gpus: int, passes: int = 3, of: LlamaShape | None = None) -> float:
        """Seconds: 2 * parameters operations a token forward, twice that backward (4 passes: recomputed)."""
        parameters = (of or self.shape).parameters
        return 2 * passes * parameters * tokens / (self.rates.training_flops_per_s * gpus)

    def _flops(self, tokens: float, gpus: int, seconds: float, of: LlamaShape | None = None) -> str:
        return (
            f"{tokens:.3g} tokens of {(of or self.shape).parameters:.3g} parameters at "
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
