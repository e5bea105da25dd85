"""What one evaluation of an experiment depends on: it becomes one run of records.

A run's `spec.json` holds exactly what its records depend on, and its folder is named by the digest of that.
So points of a sweep that do not differ for an evaluation share its run, and a second try only resumes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.errors import UserError
from harness.experiment.plan import Model, Plan, compute, lean_inputs, prompt_format, serving
from harness.experiment.selection import revision_of, select
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.nested import digest
from harness.policies import spec as policies
from harness.provers.prover import ProverSpec
from harness.types import Problem
from harness.values import spec as values

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of a plan with the prover and the models that it uses, ready to be measured."""

    plan: Plan
    asked: EvaluationSpec
    """As the experiment file has it."""
    prover: ProverSpec
    """Its prover, every setting filled in."""
    problems: tuple[Problem, ...]
    generator: Model | None
    """None where no model is asked."""
    value: Model | None

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.asked.name

    @property
    def run_spec(self) -> dict[str, Any]:
        """What the run's records depend on: the content of `spec.json`."""
        whole = self.plan.spec
        found: dict[str, Any] = {
            "experiment": whole.name,
            "seed": whole.seed,
            "evaluation": {**self.asked.model_dump(mode="json"), "prover": self.asked.prover.kind},
            "lean": {**lean_inputs(whole.lean), **_limits(whole)},
            "harness": {"version": __version__, "prompt_format": prompt_format(whole)},
            "runtime": {"canaries": whole.runtime.canaries, **compute(whole.runtime)},
            self.prover.section: self.prover.effective(),
        }
        found["evaluation"]["problems"]["revision"] = revision_of(self.problems)
        found["evaluation"].pop("round", None)  # The models' digests tell, and how many rounds made them.
        if self.generator is not None:
            found["generator"] = {**self._generator(self.generator), **serving(whole)}
        if self.value is not None:
            found["value"] = self._value(self.value)
        return found | self._method(whole)

    def stored_spec(self, root: Path) -> dict[str, Any]:
        """`run_spec` with the hash of the weights that were really asked, as the finished stages have them.

        The same stage may give other weights on another machine. Runs of both are told apart, and a run of
        one is never gone on with, nor its records taken over, by the other.
        """
        found = self.run_spec
        for role, model in (("generator", self.generator), ("value", self.value)):
            if model is not None and (weights := model.weights(root)) is not None:
                found[role]["weights"] = weights
        return found

    @property
    def _trained(self) -> bool:
        return self.asked.generator == "trained" and bool(self.plan.rounds)

    def _generator(self, model: Model) -> dict[str, Any]:
        """Which generator, which warm start it comes from and, when that was made here, how."""
        plan = self.plan
        if plan.spec.policy is not None:
            return {"digest": model.digest, **policies.identity(plan.spec.policy)}
        made = {} if plan.warm_start.stage is None else plan.spec.generator.model_dump(exclude={"checkpoint"})
        asked = plan.spec.generator
        if asked.prompt is not None:
            made |= {"prompt": asked.prompt}
        rounds = len(plan.rounds[: self.asked.round]) if self._trained else 0
        return {"digest": model.digest, "warm_start": plan.warm_start.digest, "rounds": rounds, **made}

    def _value(self, model: Model) -> dict[str, Any]:
        """Which value model and, when it was made here, how."""
        whole = self.plan.spec
        if whole.value_model is not None:
            return {"digest": model.digest, **values.identity(whole.value_model)}
        return {"digest": model.digest, **whole.value.model_dump(mode="json"), **serving(whole)}

    def _method(self, whole: ExperimentSpec) -> dict[str, Any]:
        """The settings that trained the generator, so that runs can be grouped by them."""
        method = whole.improve.method
        if self.generator is None or not self._trained or method == "none":
            return {}
        settings = whole.grpo if method == "grpo" else whole.expert_iteration
        return {"improve": {"method": method}, method: settings.model_dump(mode="json")}

    def folder(self, root: Path) -> Path:
        """The run's folder: `<experiment>.<evaluation>-<digest8>`; which k are reported changes no record."""
        named = self.run_spec
        del named["evaluation"]["k"]
        return root / f"{self.plan.spec.name}.{self.name}-{digest(named)[:8]}"


def _limits(whole: ExperimentSpec) -> dict[str, Any]:
    return {
        "level": whole.lean.level,
        "timeout_s": whole.lean.timeout_s,
        "memory_mb": whole.lean.memory_mb,
    }


def evaluations(plan: Plan) -> list[Evaluation]:
    """The evaluations of a plan. Raises `SpecError` for an unknown benchmark or an empty problem set."""
    return [_evaluation(plan, item) for item in plan.spec.evaluations]


def _evaluation(plan: Plan, asked: EvaluationSpec) -> Evaluation:
    prover = plan.spec.prover(asked)
    problems = select(asked.problems)
    if not prover.asks_generator:
        return Evaluation(plan, asked, prover, problems, None, None)
    trained = asked.generator == "trained"
    generator = plan.trained_after(asked.round) if trained else plan.warm_start
    value = plan.value_after(asked.round) if prover.asks_value else None
    if prover.asks_value and value is None:
        raise UserError(
            f"evaluations.{asked.name}: its prover asks the value model and there is none; set "
            f"{prover.shared}.alpha: 1, or rounds: 1 or more, or name one with `harness eval --value`"
        )
    return Evaluation(plan, asked, prover, problems, generator, value)
