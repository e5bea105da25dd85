"""Bounded fan-out over problems and samples: attempt, check, record.

Every attempt's seed comes from the run's seed, the problem and the sample number, so what an attempt
produces does not depend on the order of attempts. What is already recorded is not made again. A machine
failure is retried a bounded number of times and then recorded as INFRA: unscored, never a model's failure.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harness.audits.canaries import check_canaries, is_canary, is_false
from harness.errors import ForeignText, InfraError
from harness.experiment.turns import TurnPlace
from harness.protocols import Candidate, Prover, Verifier
from harness.records.store import RunStore
from harness.serving.batching import Batcher
from harness.types import Attempt, Level, Problem, Record, Status, Verdict

RETRY_PAUSE_S = 0.2
"""Pause before the first retry of an attempt that the machine failed; doubled each time."""

Report = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What a run is to do with its problems. `problems` maps (id, revision) to the problem."""

    problems: Mapping[tuple[str, str], Problem]
    samples: int
    seed: int
    level: Level
    concurrency: int = 64
    max_attempts: int = 3
    retry_unscored: bool = False
    """Also make again the attempts that the machine failed in an earlier session."""
    turn: TurnPlace | None = None
    """This run's among runs that are made side by side."""


def attempt_seed(seed: int, problem_id: str, index: int) -> int:
    """Seed of one attempt: 32 bits of the SHA-256 of run seed, problem id and sample number."""
    text = f"{seed}\n{problem_id}\n{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


async def run(work: Work, prover: Prover, verifier: Verifier, store: RunStore, report: Report) -> int:
    """Make every attempt that `store` still owes, and return how many that were.

    `report` hears of each record once it is on the disk. Raises `CanaryProved`, `StoreError`, or whatever
    `UserError` a prover raises; everything recorded until then is kept. Cancelling it keeps the records too.
    """
    # A run that a canary stopped holds its record: it is not owed again, and still shows what it showed.
    check_canaries(store.canaries)
    owed = store.owed(work.samples, work.retry_unscored)
    queue = iter(enumerate(owed))
    few = max(1, len(owed) // 10)
    trusted = asyncio.Event()
    if not any(is_false(work.problems[reference.key]) for reference, _ in owed[:few]):
        trusted.set()
    checks = Checks(verifier, work.level)
    records = Batcher(_appender(store))

    async def worker() -> None:
        for place, (reference, index) in queue:
            if place >= few:
                await trusted.wait()  # a checker that lets a false statement pass costs no more than this
            problem = work.problems[reference.key]
            seed = attempt_seed(work.seed, problem.id, index)
            if work.turn is not None:
                await work.turn.begin()
            task = AttemptTask(problem, index, seed)
            record = await attempt(task, prover, checks, work.max_attempts)
            await records(record)
            report(record)
            if is_canary(record):
                check_canaries(store.canaries)
                if is_false(problem):
                    trusted.set()
        if work.turn is not None:
            await work.turn.end()

    workers = [asyncio.ensure_future(worker()) for _ in range(min(work.concurrency, len(owed)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return len(owed)


def _appender(store: RunStore) -> Callable[[list[Record]], asyncio.Future[list[None]]]:
    async def append(batch: list[Record]) -> list[None]:
        store.append_many(batch)
        return [None] * len(batch)

    return lambda batch: asyncio.ensure_future(append(batch))


@dataclass(frozen=True, slots=True)
class AttemptTask:
    """One sample of one problem."""

    problem: Problem
    index: int
    seed: int


@dataclass(frozen=True, slots=True)
class Checks:
    """Who judges, and how closely."""

    verifier: Verifier
    level: Level


async def attempt(task: AttemptTask, prover: Prover, checks: Checks, tries: int) -> Record:
    """Attempt and check, at most `tries` times while the machine fails; then the record says INFRA."""
    problem = task.problem
    try:
        made = await _attempt(task, prover, tries)
        verdict = await _judge(checks, problem, made)
    except ForeignText as cause:
        # The benchmark's mistake: neither the model's nor the machine's, and the same at every try.
        made = Attempt(problem.id, task.index, task.seed, None, error=str(cause))
        verdict = Verdict(Status.INFRA, "toolchain", str(cause), level=checks.level)
    return Record(problem.benchmark, problem.split, problem.id, problem.revision, made, verdict)


async def _attempt(task: AttemptTask, prover: Prover, tries: int) -> Attempt:
    for number in range(tries):
        try:
            return await prover.attempt(task.problem, task.index, task.seed)
        except ForeignText:
            raise
        except InfraError as cause:
            failure = f"{type(cause).__name__}: {cause}"
        if number + 1 < tries:
            await asyncio.sleep(RETRY_PAUSE_S * 2**number)
    return Attempt(task.problem.id, task.index, task.seed, None, error=failure)


async def _judge(checks: Checks, problem: Problem, made: Attempt) -> Verdict:
    level = checks.level
    if made.error is not None:
        return Verdict(Status.INFRA, "service", made.error, level=level)
    if made.proof is None or not made.proof.strip():
        return Verdict(Status.REJECTED, "empty", level=level)
    started = time.perf_counter()
    try:
        # Each alone: of a batch the first verdict would wait for the slowest.
        [verdict] = await checks.verifier.check([Candidate(problem, made.proof)], level)
        return verdict
    except ForeignText:
        raise
    except InfraError as cause:
        verdict = Verdict(Status.INFRA, "service", f"{type(cause).__name__}: {cause}", level=level)
        return replace(verdict, seconds=time.perf_counter() - started)
