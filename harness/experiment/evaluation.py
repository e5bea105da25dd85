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
from harness.benchmarks.loading import revision_of
from harness.benchmarks.manifest import manifest
from harness.errors import InfraError, UserError
from harness.experiment.attempts import Work, run, unscored_share
from harness.experiment.plan import Model, Plan, compute, lean_inputs, select
from harness.experiment.resources import Workshop, step_sessions
from harness.nested import digest
from harness.prompts.embedded import FORMAT
from harness.protocols import Prover, Sessions
from harness.provers.best_first import BestFirst
from harness.provers.whole_proof import WholeProof
from harness.records import provenance
from harness.records.store import RunStore
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import EvaluationSpec, ExperimentSpec, SearchSpec
from harness.terminal.progress import Tally
from harness.tracking.events import AttemptRecorded, EvaluationFinished, Tracker
from harness.types import Level, Problem, ProblemRef, Record, Status

if TYPE_CHECKING:
    from harness.lean.services.opening import LeanServices


@dataclass(frozen=True, slots=True)
class Cell:
    """One evaluation with the models that it uses. `search` is None unless it searches."""

    plan: Plan
    evaluation: EvaluationSpec
    problems: tuple[Problem, ...]
    generator: Model | None
    value: Model | None
    search: SearchSpec | None

    @property
    def spec(self) -> dict[str, Any]:
        """What the run's records depend on: the content of `spec.json`."""
        whole, evaluation = self.plan.spec, self.evaluation
        found: dict[str, Any] = {
            "experiment": whole.name,
            "seed": whole.seed,
            "evaluation": evaluation.model_dump(mode="json", exclude={"alpha"}),
            "lean": {**lean_inputs(whole.lean), **_limits(whole)},
            "harness": {"version": __version__, "prompt_format": FORMAT},
            "runtime": {"canaries": whole.runtime.canaries, **compute(whole.runtime)},
        }
        found["evaluation"]["problems"]["revision"] = revision_of(self.problems)
        if self.search is not None:
            found["search"] = _effective(self.search)
        if evaluation.prover == "whole_proof":
            found["whole_proof"] = whole.whole_proof.model_dump(mode="json")
        if self.generator is not None:
            found["generator"] = self._generator(self.generator)
        if self.value is not None:
            found["value"] = {"digest": self.value.digest, **whole.value.model_dump(mode="json")}
        return found | self._method(whole)

    @property
    def _trained(self) -> bool:
        return self.evaluation.generator == "trained" and bool(self.plan.rounds)

    def _generator(self, model: Model) -> dict[str, Any]:
        """Which generator, which warm start it comes from and, when that was made here, how."""
        plan = self.plan
        made = {} if plan.warm_start.stage is None else plan.spec.generator.model_dump(exclude={"checkpoint"})
        rounds = len(plan.rounds) if self._trained else 0
        return {"digest": model.digest, "warm_start": plan.warm_start.digest, "rounds": rounds, **made}

    def _method(self, whole: ExperimentSpec) -> dict[str, Any]:
        """The settings that trained the generator, so that runs can be grouped by them."""
        method = whole.improve.method
        if self.generator is None or not self._trained or method == "none":
            return {}
        settings = whole.grpo if method == "grpo" else whole.expert_iteration
        return {"improve": {"method": method}, method: settings.model_dump(mode="json")}

    def folder(self, root: Path) -> Path:
        """The run's folder: `<experiment>.<evaluation>-<digest8>`; which k are reported changes no record."""
        named = self.spec
        del named["evaluation"]["k"]
        return root / f"{self.plan.spec.name}.{self.evaluation.name}-{digest(named)[:8]}"


def _limits(whole: ExperimentSpec) -> dict[str, Any]:
    return {
        "level": whole.lean.level,
        "timeout_s": whole.lean.timeout_s,
        "memory_mb": whole.lean.memory_mb,
    }


def _effective(search: SearchSpec) -> dict[str, Any]:
    """The settings of a search that have an effect: a baseline is the same run at every point of a sweep."""
    idle = set()
    if search.alpha == 1.0:
        idle.add("value_scale")
    if search.logprob_scale != "length":
        idle.add("length_exponent")
    found = search.model_dump(mode="json", exclude=idle)
    if search.decode.method == "beam":
        del found["decode"]["temperature"]
    return found


def cells(plan: Plan) -> list[Cell]:
    """The evaluations of a plan. Raises `SpecError` for an unknown benchmark or an empty problem set."""
    return [_cell(plan, item) for item in plan.spec.evaluations]


def _cell(plan: Plan, evaluation: EvaluationSpec) -> Cell:
    problems = tuple(select(evaluation.problems))
    if evaluation.prover == "portfolio":
        return Cell(plan, evaluation, problems, None, None, plan.spec.search)
    generator = plan.trained if evaluation.generator == "trained" else plan.warm_start
    if evaluation.prover == "whole_proof":
        return Cell(plan, evaluation, problems, generator, None, None)
    alpha = plan.spec.search.alpha if evaluation.alpha is None else evaluation.alpha
    search = plan.spec.search.model_copy(update={"alpha": alpha})
    value = plan.value if alpha < 1 else None
    if alpha < 1 and value is None:
        raise UserError(
            f"search.alpha: {alpha} in evaluation {evaluation.name!r} needs a value model and there is "
            "none; set alpha: 1, or rounds: 1 or more, or name one with `harness eval --value`"
        )
    return Cell(plan, evaluation, problems, generator, value, search)


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run."""

    cell: Cell
    view: RunView
    made: int
    """Attempts made now; 0 when the records were there already."""


def measure(cell: Cell, shop: Workshop, tracker: Tracker) -> Measured:
    """Make the attempts that the run still owes, check them, and write its summary.

    Raises `InfraError` when more attempts than `runtime.max_unscored` allows stay unscored (the records are
    kept, no summary is written), `CanaryProved`, `StoreError` or `UserError`.
    """
    problems = {ProblemRef.of(item): item for item in cell.problems}
    problems |= {ProblemRef.of(item, canary=True): item for item in _canaries(cell)}
    folder = cell.folder(shop.root)
    with RunStore.create_or_resume(folder, cell.spec, list(problems), _provenance(cell)) as store:
        keyed = {ref.key: item for ref, item in problems.items()}
        made = _make(cell, shop, store, keyed, tracker)
        _check_unscored(cell, store)
        summary = summarize_run(store.spec, store.problems, store.records)
        store.finish(dataclasses.asdict(summary))
    tracker.log(EvaluationFinished(cell.evaluation.name, folder.name, scalars(summary)))
    return Measured(cell, open_run(folder), made)


def _provenance(cell: Cell) -> dict[str, Any]:
    models = {"generator": cell.generator, "value": cell.value}
    sources = provenance.Sources(
        benchmark=cell.evaluation.problems.benchmark,
        benchmark_revision=manifest(cell.evaluation.problems.benchmark).revision,
        problems=len(cell.problems),
        toolchain=cell.problems[0].toolchain,
        checkpoints={role: model.digest for role, model in models.items() if model is not None},
    )
    return provenance.collect(sources)


def _canaries(cell: Cell) -> list[Problem]:
    wanted = cell.plan.spec.runtime.canaries
    if not wanted:
        return []
    # Chosen by a fixed seed: runs of other seeds hold the same ones.
    return [item for item in mix_canaries(cell.problems, wanted, 0) if item.benchmark == BENCHMARK]


def _make(
    cell: Cell,
    shop: Workshop,
    store: RunStore,
    problems: dict[tuple[str, str], Problem],
    tracker: Tracker,
) -> int:
    whole, samples = cell.plan.spec, cell.evaluation.samples
    check_canaries(store.records)
    owed = len(problems) * samples
    # Too many failures of the machine left no row; asking again for the run means trying them again.
    again = unscored_share(store.problems, store.records, samples) > whole.runtime.max_unscored
    left = len(store.owed(samples, again))
    if not left:
        shop.display.note(f"{cell.evaluation.name}: {owed} records of {store.folder.name} are there")
        return 0
    limits = (whole.runtime.concurrency, whole.lean.max_attempts)
    work = Work(problems, samples, whole.seed, Level(whole.lean.level), *limits, again)
    tally = Tally()
    with shop.display.task(cell.evaluation.name) as task:

        def report(record: Record) -> None:
            tracker.log(AttemptRecorded(cell.evaluation.name, record))
            line = tally.add(record)
            if line is not None:
                shop.display.note(line)
            task.update(tally.made, left, tally.figures)

        async def attempt_all() -> int:
            async with shop.lean(whole.lean) as lean:
                return await run(work, _prover(cell, shop, lean), lean.verifier, store, report)

        return asyncio.run(attempt_all())


def _prover(cell: Cell, shop: Workshop, lean: LeanServices) -> Prover:
    whole, sessions = cell.plan.spec, step_sessions(lean)
    if cell.generator is None or cell.search is None:
        return _without_search(cell, shop, sessions)
    policy = BatchedPolicy(shop.policy(cell.generator.folder(shop.root), whole, cell.search.decode, sessions))
    if cell.value is None:
        return BestFirst(cell.search, sessions, policy)
    value = BatchedValue(shop.value(cell.value.folder(shop.root), whole.runtime))
    return BestFirst(cell.search, sessions, policy, value, whole.value.gamma)


def _without_search(cell: Cell, shop: Workshop, sessions: Sessions) -> Prover:
    whole = cell.plan.spec
    if cell.generator is None:
        from harness.provers.portfolio import Portfolio

        return Portfolio(whole.search, sessions)
    # The decode settings play no part; naming them lets search and sampling share one loaded generator.
    policy = shop.policy(cell.generator.folder(shop.root), whole, whole.search.decode, sessions)
    return WholeProof(BatchedPolicy(policy))


def _check_unscored(cell: Cell, store: RunStore) -> None:
    share = unscored_share(store.problems, store.records, cell.evaluation.samples)
    allowed = cell.plan.spec.runtime.max_unscored
    if share > allowed:
        failed = [record for record in store.records if record.verdict.status is Status.INFRA]
        raise InfraError(
            f"{store.folder.name}: {share:.1%} of the attempts are unscored, {allowed:.1%} are allowed: "
            f"no row is published; last failure: {failed[-1].verdict.detail}; mend Lean and "
            "give the same command again"
        )
