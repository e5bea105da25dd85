"""Measuring: the attempts that an evaluation owes are made, checked and recorded, and its summary written.

What is there already is not made again: a complete run is only read, and a new one takes over the records of
other runs whose every input is the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.analysis.runs import RunView, open_run, summarize_run
from harness.analysis.summary import scalars
from harness.audits.canaries import BENCHMARK, check_canaries, mix_canaries
from harness.audits.gold import UNSTATED
from harness.benchmarks.manifest import manifest
from harness.errors import InfraError, UserError
from harness.experiment.attempts import Work, run, unscored_share
from harness.experiment.evaluation import Evaluation
from harness.experiment.resources import Resources
from harness.experiment.reuse import adopt, complete_run
from harness.nested import get
from harness.policies.opening import with_history
from harness.protocols import Policy, Prover, Value
from harness.provers.prover import Tools
from harness.provers.stored_tree import TreeStore
from harness.records import provenance
from harness.records.store import RunStore, samples_of
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import SamplingSpec
from harness.terminal.log import Logged
from harness.terminal.progress import Display, Tally
from harness.tracking.events import AttemptRecorded, EvaluationFinished, Tracker
from harness.types import Level, Problem, ProblemRef, Record, Status

if TYPE_CHECKING:
    from harness.lean.services.opening import LeanServices

NAMED = 5
"""Statements named in one message."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run."""

    evaluation: Evaluation
    view: RunView
    made: int
    """Attempts made now; 0 when the records were there already."""


class Unpublished(InfraError):
    """Too many attempts are unscored: the records are kept, and no row is published."""

    def __init__(self, message: str, view: RunView) -> None:
        """`view`: the run as it is."""
        super().__init__(message)
        self.view = view


class Unstated(UserError):
    """Too many attempts are unscored because Lean does not take the benchmark's own statements."""

    def __init__(self, message: str, view: RunView) -> None:
        """`view`: the run as it is."""
        super().__init__(message)
        self.view = view


def measure(evaluation: Evaluation, resources: Resources, tracker: Tracker) -> Measured:
    """Make the attempts that the run still owes, check them, and write its summary.

    Raises `Unpublished` or `Unstated` when more attempts than `runtime.max_unscored` allows stay unscored
    (the records are kept, no summary is written), `CanaryProved`, `StoreError` or `UserError`.
    """
    problems = attempted(evaluation)
    folder = evaluation.folder(resources.root)
    spec = evaluation.stored_spec(resources.root)
    view = complete_run(folder, spec, list(problems))
    allowed = evaluation.plan.spec.runtime.max_unscored
    if view is not None and view.summary.unscored <= allowed * view.summary.owed:
        there = len(problems) * view.summary.samples
        resources.display.note(f"{evaluation.name}: {there} records of {folder.name} are there")
        tracker.log(EvaluationFinished(evaluation.name, folder.name, scalars(view.summary)))
        return Measured(evaluation, view, 0)
    with RunStore.create_or_resume(
        folder, spec, list(problems), _provenance(evaluation), resources.wait
    ) as store:
        made = _make(evaluation, resources, store, problems, tracker)
        check_unscored(store, allowed, resources.display)
        summary = summarize_run(store.spec, store.problems, store.each(texts=False))
        store.finish(dataclasses.asdict(summary))
    tracker.log(EvaluationFinished(evaluation.name, folder.name, scalars(summary)))
    return Measured(evaluation, open_run(folder), made)


def attempted(evaluation: Evaluation) -> dict[ProblemRef, Problem]:
    """The problems in the order in which they are attempted, canaries among them."""
    wanted = evaluation.plan.spec.runtime.canaries
    # Chosen by a fixed seed: runs of other seeds hold the same ones.
    mixed = mix_canaries(evaluation.problems, wanted, 0) if wanted else evaluation.problems
    return {ProblemRef.of(item, canary=item.benchmark == BENCHMARK): item for item in mixed}


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


def _make(
    evaluation: Evaluation,
    resources: Resources,
    store: RunStore,
    problems: dict[ProblemRef, Problem],
    tracker: Tracker,
) -> int:
    whole, samples = evaluation.plan.spec, evaluation.asked.samples
    check_canaries(store.each())
    # Too many failures of the machine left no row; asking again for the run means trying them again.
    again = _too_many_unscored(evaluation, store.problems, store.each(texts=False))
    if not store.owed(samples, again):
        return 0
    limits = (whole.runtime.concurrency, whole.lean.max_attempts)
    keyed = {ref.key: item for ref, item in problems.items()}
    work = Work(keyed, samples, whole.seed, Level(whole.lean.level), *limits, again)
    tally = Tally()
    with Logged(resources.display, store.folder / "logs") as display:
        for name, records in adopt(store, resources.root, samples).items():
            display.note(f"{evaluation.name}: {len(records)} records of {name} are the same and taken over")
            for record in records:
                tracker.log(AttemptRecorded(evaluation.name, record))
        left = len(store.owed(samples, again))
        with display.task(evaluation.name) as task:

            def report(record: Record) -> None:
                tracker.log(AttemptRecorded(evaluation.name, record))
                line = tally.add(record)
                if line is not None:
                    display.note(line)
                task.update(tally.made, left, tally.figures)

            async def attempt_all() -> int:
                async with resources.lean(whole.lean) as lean, resources.connected(whole):
                    prover = _prover(evaluation, resources, lean)
                    return await run(work, prover, lean.verifier, store, report)

            return asyncio.run(attempt_all()) if left else 0


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

    observe = TreeStore(evaluation.folder(root)) if whole.runtime.trees else None
    sessions = lean.sessions if whole.policy is None else with_history(whole.policy, lean.sessions)
    return evaluation.prover.build(Tools(sessions, policy, guide, whole.discount, lean.verifier, observe))


def _too_many_unscored(
    evaluation: Evaluation, problems: Sequence[ProblemRef], records: Iterable[Record]
) -> bool:
    share = unscored_share(problems, records, evaluation.asked.samples)
    return share > evaluation.plan.spec.runtime.max_unscored


def check_unscored(store: RunStore, allowed: float, display: Display) -> None:
    """Raise `Unpublished` or `Unstated` when more than the share `allowed` of a run is unscored."""
    failed = [record for record in store.each() if record.verdict.status is Status.INFRA]
    unstated = {item.problem_id: item.verdict.detail for item in failed if item.verdict.reason == UNSTATED}
    told = (
        f"{store.folder.name}: {get(store.spec, 'lean.service')} cannot state {len(unstated)} of your "
        f"statements: {', '.join(sorted(unstated)[:NAMED])}{', ...' if len(unstated) > NAMED else ''}: "
        f"{' '.join(next(iter(unstated.values()), '').split())}"
    )
    share = unscored_share(store.problems, failed, samples_of(store.spec) or 1)
    if share <= allowed:
        if unstated:
            display.note(told)
        return
    row = f"{share:.1%} of the attempts are unscored, {allowed:.1%} are allowed: no row is published"
    if all(record.verdict.reason == UNSTATED for record in failed):
        benchmark = get(store.spec, "evaluation.problems.benchmark")
        mend = f"`harness data validate {benchmark}` names them all"
        raise Unstated(f"{told}; {row}; {mend}", open_run(store.folder))
    raise Unpublished(
        f"{store.folder.name}: {row}; last failure: {failed[-1].verdict.detail}; mend what failed and give "
        "the same command again",
        open_run(store.folder),
    )
