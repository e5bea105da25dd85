"""Measuring: the attempts that an evaluation owes are made, checked and recorded, and its summary written.

What is there already is not made again: a complete run is only read, and a new one takes over the records of
other runs whose every input is the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.analysis.runs import RunView, open_run, summarize_run
from harness.analysis.summary import scalars
from harness.audits.canaries import BENCHMARK, check_canaries, mix_canaries
from harness.audits.gold import UNSTATED
from harness.benchmarks.manifest import manifest
from harness.errors import InfraError, UserError
from harness.experiment import served
from harness.experiment.adoption import located
from harness.experiment.attempts import Work, run
from harness.experiment.evaluation import Evaluation
from harness.experiment.resources import Resources
from harness.experiment.reuse import adopt, complete_run
from harness.experiment.run_servers import SERVERS
from harness.experiment.tools import tools
from harness.experiment.turns import TurnPlace, Turns
from harness.nested import digest, get
from harness.protocols import Prover
from harness.provers.stored_tree import TreeStore
from harness.records import provenance
from harness.records.folder import samples_of
from harness.records.store import RunStore
from harness.terminal.log import Logged
from harness.terminal.progress import Display, RunningTally
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
    [measured] = side_by_side([(evaluation, tracker)], resources)
    return measured


def side_by_side(wanted: Sequence[tuple[Evaluation, Tracker]], resources: Resources) -> list[Measured]:
    """`measure` for several at once: attempts that they owe are begun in turn, problem by problem."""
    found = [_there(evaluation, resources, tracker) for evaluation, tracker in wanted]
    owing = [one for one, measured in zip(wanted, found, strict=True) if measured is None]
    names = [evaluation.folder(resources.root).name for evaluation, _ in owing]
    with ExitStack() as stack:
        stores = [
            stack.enter_context(
                RunStore.create_or_resume(
                    evaluation.folder(resources.root),
                    evaluation.stored_spec(resources.root),
                    list(attempted(evaluation)),
                    _provenance(evaluation, [name for name in names if name != names[place]]),
                    resources.wait,
                )
            )
            for place, (evaluation, _) in enumerate(owing)
        ]
        jobs = [_job(*one, store) for one, store in zip(owing, stores, strict=True)]
        _make(jobs, resources)
        made = iter([_concluded(job, resources) for job in jobs])
    return [next(made) if measured is None else measured for measured in found]


def _there(evaluation: Evaluation, resources: Resources, tracker: Tracker) -> Measured | None:
    """The run when nothing is owed to it."""
    problems = attempted(evaluation)
    folder = evaluation.folder(resources.root)
    view = complete_run(folder, evaluation.stored_spec(resources.root), list(problems))
    allowed = evaluation.plan.spec.runtime.max_unscored
    if view is None or view.summary.unscored > allowed * view.summary.owed:
        return None
    there = len(problems) * view.summary.samples
    resources.display.note(f"{evaluation.name}: {there} records of {folder.name} are there")
    tracker.log(EvaluationFinished(evaluation.name, folder.name, scalars(view.summary)))
    return Measured(evaluation, view, 0)


@dataclass(slots=True)
class _Job:
    """A run that owes something, opened for writing."""

    evaluation: Evaluation
    tracker: Tracker
    store: RunStore
    again: bool
    """Too many failures of the machine left no row; asking again for the run means trying them again."""
    tally: RunningTally = field(default_factory=RunningTally)
    made: int = 0

    @property
    def left(self) -> int:
        """Attempts owed."""
        return len(self.store.owed(self.evaluation.asked.samples, self.again))

    def work(self, turn: TurnPlace | None, beside: int) -> Work:
        """What is to be done; `beside` runs share the attempts in flight."""
        whole = self.evaluation.plan.spec
        keyed = {ref.key: item for ref, item in attempted(self.evaluation).items()}
        limits = (max(1, whole.runtime.concurrency // beside), whole.lean.max_attempts)
        samples, level = self.evaluation.asked.samples, Level(whole.lean.level)
        return Work(keyed, samples, whole.seed, level, *limits, self.again, turn)


def _job(evaluation: Evaluation, tracker: Tracker, store: RunStore) -> _Job:
    check_canaries(store.canaries)
    again = store.unscored_share(evaluation.asked.samples) > evaluation.plan.spec.runtime.max_unscored
    return _Job(evaluation, tracker, store, again)


def _concluded(job: _Job, resources: Resources) -> Measured:
    """The run's figures, written. Raises `Unpublished` or `Unstated`."""
    evaluation, store = job.evaluation, job.store
    check_unscored(store, evaluation.plan.spec.runtime.max_unscored, resources.display)
    summary = summarize_run(store.spec, store.problems, store.each())
    store.finish(dataclasses.asdict(summary))
    job.tracker.log(EvaluationFinished(evaluation.name, store.folder.name, scalars(summary)))
    return Measured(evaluation, open_run(store.folder), job.made)


def attempted(evaluation: Evaluation) -> dict[ProblemRef, Problem]:
    """The problems in the order in which they are attempted, canaries among them."""
    wanted = evaluation.plan.spec.runtime.canaries
    # Chosen by a fixed seed: runs of other seeds hold the same ones.
    mixed = mix_canaries(evaluation.problems, wanted, 0) if wanted else evaluation.problems
    return {ProblemRef.of(item, canary=item.benchmark == BENCHMARK): item for item in mixed}


def _provenance(evaluation: Evaluation, beside: Sequence[str]) -> dict[str, Any]:
    models = {"generator": evaluation.generator, "value": evaluation.value}
    sources = provenance.Sources(
        benchmark=evaluation.asked.problems.benchmark,
        benchmark_revision=manifest(evaluation.asked.problems.benchmark).revision,
        problems=len(evaluation.problems),
        toolchain=evaluation.problems[0].toolchain,
        checkpoints={role: model.digest for role, model in models.items() if model is not None},
    )
    told = {} if evaluation.generator is None else served.by(evaluation.plan.spec)
    return provenance.collect(sources) | told | ({"beside": list(beside)} if beside else {})


def _make(jobs: Sequence[_Job], resources: Resources) -> None:
    """Take over what other runs have, and make the rest, showing how far it is."""
    jobs = [job for job in jobs if job.left]
    if not jobs:
        return
    with ExitStack() as stack:
        display: Display | Logged = resources.display
        for job in jobs:
            display = stack.enter_context(Logged(display, job.store.folder / "logs"))
            _take_over(job, resources, display)
        left = sum(job.left for job in jobs)
        if not left:
            return
        task = stack.enter_context(display.task(_title(jobs)))

        def report(job: _Job, record: Record) -> None:
            job.tracker.log(AttemptRecorded(job.evaluation.name, record))
            line = job.tally.add(record)
            if line is not None:
                display.note(line)
            task.update(sum(one.tally.made for one in jobs), left, _figures(jobs))

        _serve(jobs, resources, display)
        resources.run(_attempt_all(jobs, resources, report))


def _serve(jobs: Sequence[_Job], resources: Resources, display: Display | Logged) -> None:
    """What `node.serving` has served is up before the first attempt; logs lie in the first run's folder."""
    asking = [job for job in jobs if job.evaluation.plan.spec.serving and job.evaluation.generator]
    if not asking:
        return
    spec, root = asking[0].evaluation.plan.spec, resources.root
    generators = [located(job.evaluation.generator, root) for job in asking if job.evaluation.generator]
    own = [job.evaluation.value for job in asking if job.evaluation.plan.spec.value_model is None]
    values = [model.folder(root) for model in own if model is not None]
    resources.serve(spec, generators, values, asking[0].store.folder / "logs" / SERVERS, display)


def _title(jobs: Sequence[_Job]) -> str:
    names = dict.fromkeys(job.evaluation.name for job in jobs)
    beside = f" ({len(jobs)} runs in turn)" if len(jobs) > 1 else ""
    return " and ".join(names) + beside


def _figures(jobs: Sequence[_Job]) -> Mapping[str, float]:
    """What a line of progress tells: of several runs what each has proved, by letters."""
    if len(jobs) == 1:
        return jobs[0].tally.figures
    return {f"{chr(ord('A') + place)} proved": job.tally.proved for place, job in enumerate(jobs)}


def _take_over(job: _Job, resources: Resources, display: Logged) -> None:
    name = job.evaluation.name
    for run_name, records in adopt(job.store, resources.root, job.evaluation.asked.samples).items():
        display.note(f"{name}: {len(records)} records of {run_name} are the same and taken over")
        for record in records:
            job.tracker.log(AttemptRecorded(name, record))


async def _attempt_all(
    jobs: Sequence[_Job], resources: Resources, report: Callable[[_Job, Record], None]
) -> None:
    async with AsyncExitStack() as stack:
        turns = Turns(len(jobs)) if len(jobs) > 1 else None
        services: dict[str, LeanServices] = {}

        async def attempt(place: int, job: _Job, lean: LeanServices) -> None:
            work = job.work(None if turns is None else TurnPlace(turns, place), len(jobs))
            prover = _prover(job.evaluation, resources, lean)
            job.made = await run(work, prover, lean.verifier, job.store, functools.partial(report, job))

        for job in jobs:
            whole = job.evaluation.plan.spec
            key = digest(whole.lean)
            if key not in services:
                services[key] = await stack.enter_async_context(resources.lean(whole.lean))
            await stack.enter_async_context(resources.connected(whole))
        leans = [services[digest(job.evaluation.plan.spec.lean)] for job in jobs]
        if len(jobs) == 1:
            return await attempt(0, jobs[0], leans[0])
        tasks = [
            asyncio.ensure_future(attempt(place, job, lean))
            for place, (job, lean) in enumerate(zip(jobs, leans, strict=True))
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _prover(evaluation: Evaluation, resources: Resources, lean: LeanServices) -> Prover:
    whole = evaluation.plan.spec
    observe = TreeStore(evaluation.folder(resources.root)) if whole.runtime.trees else None
    made = tools(whole, evaluation.generator, evaluation.value, resources, lean, observe)
    return evaluation.prover.build(made)


def check_unscored(store: RunStore, allowed: float, display: Display) -> None:
    """Raise `Unpublished` or `Unstated` when more than the share `allowed` of a run is unscored."""
    share = store.unscored_share(samples_of(store.spec) or 1)
    if not share:
        return
    failed = [record for record in store.each() if record.verdict.status is Status.INFRA]
    unstated = {item.problem_id: item.verdict.detail for item in failed if item.verdict.reason == UNSTATED}
    told = (
        f"{store.folder.name}: {get(store.spec, 'lean.service')} cannot state {len(unstated)} of your "
        f"statements: {', '.join(sorted(unstated)[:NAMED])}{', ...' if len(unstated) > NAMED else ''}: "
        f"{' '.join(next(iter(unstated.values()), '').split())}"
    )
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
