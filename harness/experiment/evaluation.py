"""Measuring: one evaluation of an experiment becomes one run of records.

A run's `spec.json` holds exactly what its records depend on, and its folder is named by the digest of that.
So points of a sweep that do not differ for an evaluation share its run, and a second try only resumes it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.analysis.runs import RunView, open_run, summarize_run
from harness.analysis.summary import scalars
from harness.audits.canaries import BENCHMARK, check_canaries, mix_canaries
from harness.benchmarks.manifest import manifest
from harness.errors import InfraError, UserError
from harness.experiment.attempts import Work, run, unscored_share
from harness.experiment.plan import Model, Plan, compute, lean_inputs
from harness.experiment.resources import Resources
from harness.experiment.selection import revision_of, select
from harness.experiment.spec import EvaluationSpec, ExperimentSpec
from harness.nested import digest
from harness.policies import spec as policies
from harness.policies.opening import told
from harness.prompts.embedded import FORMAT
from harness.protocols import Policy, Prover, Value
from harness.provers.prover import ProverSpec, Tools
from harness.records import provenance
from harness.records.store import RunStore
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import SamplingSpec
from harness.terminal.progress import Tally
from harness.tracking.events import AttemptRecorded, EvaluationFinished, Tracker
from harness.types import Level, Problem, ProblemRef, Record, Status
from harness.values import spec as values

if TYPE_CHECKING:
    from harness.lean.services.opening import LeanServices


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
            "harness": {"version": __version__, "prompt_format": FORMAT},
            "runtime": {"canaries": whole.runtime.canaries, **compute(whole.runtime)},
            self.prover.section: self.prover.effective(),
        }
        found["evaluation"]["problems"]["revision"] = revision_of(self.problems)
        if self.generator is not None:
            found["generator"] = self._generator(self.generator)
        if self.value is not None:
            found["value"] = self._value(self.value)
        return found | self._method(whole)

    @property
    def _trained(self) -> bool:
        return self.asked.generator == "trained" and bool(self.plan.rounds)

    def _generator(self, model: Model) -> dict[str, Any]:
        """Which generator, which warm start it comes from and, when that was made here, how."""
        plan = self.plan
        if plan.spec.policy is not None:
            return {"digest": model.digest, **policies.identity(plan.spec.policy)}
        made = {} if plan.warm_start.stage is None else plan.spec.generator.model_dump(exclude={"checkpoint"})
        rounds = len(plan.rounds) if self._trained else 0
        return {"digest": model.digest, "warm_start": plan.warm_start.digest, "rounds": rounds, **made}

    def _value(self, model: Model) -> dict[str, Any]:
        """Which value model and, when it was made here, how."""
        whole = self.plan.spec
        if whole.value_model is not None:
            return {"digest": model.digest, **values.identity(whole.value_model)}
        return {"digest": model.digest, **whole.value.model_dump(mode="json")}

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
    generator = plan.trained if asked.generator == "trained" else plan.warm_start
    value = plan.value if prover.asks_value else None
    if prover.asks_value and value is None:
        raise UserError(
            f"evaluations.{asked.name}: its prover asks the value model and there is none; set "
            f"{prover.shared}.alpha: 1, or rounds: 1 or more, or name one with `harness eval --value`"
        )
    return Evaluation(plan, asked, prover, problems, generator, value)


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run."""

    evaluation: Evaluation
    view: RunView
    made: int
    """Attempts made now; 0 when the records were there already."""


def measure(evaluation: Evaluation, resources: Resources, tracker: Tracker) -> Measured:
    """Make the attempts that the run still owes, check them, and write its summary.

    Raises `InfraError` when more attempts than `runtime.max_unscored` allows stay unscored (the records are
    kept, no summary is written), `CanaryProved`, `StoreError` or `UserError`.
    """
    problems = {ProblemRef.of(item): item for item in evaluation.problems}
    problems |= {ProblemRef.of(item, canary=True): item for item in _canaries(evaluation)}
    folder = evaluation.folder(resources.root)
    with RunStore.create_or_resume(
        folder, evaluation.run_spec, list(problems), _provenance(evaluation)
    ) as store:
        keyed = {ref.key: item for ref, item in problems.items()}
        made = _make(evaluation, resources, store, keyed, tracker)
        _check_unscored(evaluation, store)
        summary = summarize_run(store.spec, store.problems, store.records)
        store.finish(dataclasses.asdict(summary))
    tracker.log(EvaluationFinished(evaluation.name, folder.name, scalars(summary)))
    return Measured(evaluation, open_run(folder), made)


def _provenance(evaluation: Evaluation) -> dict[str, Any]:
    models = {"generator": evaluation.generator, "value": evaluation.value}
    sources = provenance.Sources(
        benchmark=evaluation.asked.problems.benchmark,
        benchmark_revision=manifest(evaluation.asked.problems.benchmark).revision,
        problems=len(evaluation.problems),
        toolchain=evaluation.problems[0].toolchain,
        checkpoints={role: model.digest for role, model in models.items() if model is not None},
    )
    return provenance.collect(sources)


def _canaries(evaluation: Evaluation) -> list[Problem]:
    wanted = evaluation.plan.spec.runtime.canaries
    if not wanted:
        return []
    # Chosen by a fixed seed: runs of other seeds hold the same ones.
    return [item for item in mix_canaries(evaluation.problems, wanted, 0) if item.benchmark == BENCHMARK]


def _make(
    evaluation: Evaluation,
    resources: Resources,
    store: RunStore,
    problems: dict[tuple[str, str], Problem],
    tracker: Tracker,
) -> int:
    whole, samples = evaluation.plan.spec, evaluation.asked.samples
    check_canaries(store.records)
    owed = len(problems) * samples
    # Too many failures of the machine left no row; asking again for the run means trying them again.
    again = unscored_share(store.problems, store.records, samples) > whole.runtime.max_unscored
    left = len(store.owed(samples, again))
    if not left:
        resources.display.note(f"{evaluation.name}: {owed} records of {store.folder.name} are there")
        return 0
    limits = (whole.runtime.concurrency, whole.lean.max_attempts)
    work = Work(problems, samples, whole.seed, Level(whole.lean.level), *limits, again)
    tally = Tally()
    with resources.display.task(evaluation.name) as task:

        def report(record: Record) -> None:
            tracker.log(AttemptRecorded(evaluation.name, record))
            line = tally.add(record)
            if line is not None:
                resources.display.note(line)
            task.update(tally.made, left, tally.figures)

        async def attempt_all() -> int:
            async with resources.lean(whole.lean) as lean, resources.connected(whole):
                prover = _prover(evaluation, resources, lean)
                return await run(work, prover, lean.verifier, store, report)

        return asyncio.run(attempt_all())


def _prover(evaluation: Evaluation, resources: Resources, lean: LeanServices) -> Prover:
    whole, root = evaluation.plan.spec, resources.root
    generator, value = evaluation.generator, evaluation.value

    def policy(sampling: SamplingSpec) -> Policy:
        assert generator is not None
        if whole.policy is not None:
            return resources.outside.policy(whole, sampling, lean.sessions)
        return BatchedPolicy(resources.policy(generator.folder(root), whole, sampling, lean.sessions))

    def guide() -> Value | None:
        if value is None:
            return None
        if whole.value_model is not None:
            return resources.outside.value(whole)
        return BatchedValue(resources.value(value.folder(root), whole.runtime))

    sessions = lean.sessions if whole.policy is None else told(whole.policy, lean.sessions)
    return evaluation.prover.build(Tools(sessions, policy, guide, whole.discount))


def _check_unscored(evaluation: Evaluation, store: RunStore) -> None:
    share = unscored_share(store.problems, store.records, evaluation.asked.samples)
    allowed = evaluation.plan.spec.runtime.max_unscored
    if share > allowed:
        failed = [record for record in store.records if record.verdict.status is Status.INFRA]
        raise InfraError(
            f"{store.folder.name}: {share:.1%} of the attempts are unscored, {allowed:.1%} are allowed: "
            f"no row is published; last failure: {failed[-1].verdict.detail}; mend what failed and "
            "give the same command again"
        )
