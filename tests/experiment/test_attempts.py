"""The runner with made-up provers and verifiers: what is owed is made, once, whatever the order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.audits.canaries import CanaryProved, canaries, mix_canaries
from harness.errors import ForeignText, ServiceDown, UserError
from harness.experiment import attempts
from harness.experiment.attempts import Work, attempt_seed, run
from harness.protocols import Candidate
from harness.provers.whole_proof import WholeProof
from harness.records.store import RunStore
from harness.serving.batched import BatchedPolicy
from harness.types import (
    Attempt,
    Level,
    Problem,
    ProblemRef,
    ProofState,
    Proposed,
    Record,
    Sample,
    Status,
    Usage,
    Verdict,
)

PROBLEMS = [Problem(f"p{n}", "toy", "test", "", f"theorem p{n} : True", f"p{n}") for n in range(7)]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "RETRY_PAUSE_S", 0.0)


@dataclass
class Prover:
    """Its proof is a function of problem and seed; it takes as many turns of the loop as `turns` says."""

    turns: Callable[[int], int] = lambda seed: 0
    fail: Callable[[str, int], bool] = lambda name, call: False
    """Whether call number `call` (from 1) on problem `name` fails."""
    proof: Callable[[str, int], str | None] = lambda name, seed: f"{name} by {seed}"
    calls: Counter[str] = field(default_factory=Counter)
    made: list[tuple[str, int]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        self.calls[problem.id] += 1
        call = self.calls[problem.id]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(self.turns(seed)):
                await asyncio.sleep(0)
            if self.fail(problem.id, call):
                raise ServiceDown("the server is gone")
        finally:
            self.running -= 1
        self.made.append((problem.id, index))
        return Attempt(problem.id, index, seed, self.proof(problem.id, seed))


@dataclass
class Judge:
    """Proves even seeds and whatever `proves` names; fails on the proofs of `broken`."""

    proves: Sequence[str] = ()
    broken: Sequence[str] = ()
    seen: list[str] = field(default_factory=list)
    levels: set[Level] = field(default_factory=set)

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.levels.add(level)
        self.seen += [item.problem.id for item in candidates]
        if any(item.problem.id in self.broken for item in candidates):
            raise ServiceDown("the judge is gone")
        return [self._verdict(item, level) for item in candidates]

    def _verdict(self, item: Candidate, level: Level) -> Verdict:
        last = item.proof[-1]
        proved = item.problem.id in self.proves or (last.isdigit() and int(last) % 2 == 0)
        status, reason = (Status.PROVED, "ok") if proved else (Status.REJECTED, "error")
        return Verdict(status, reason, level=level, verifier="toy", seconds=0.1)

    async def close(self) -> None:
        return None


def store_at(folder: Path, problems: Sequence[Problem] = PROBLEMS) -> RunStore:
    refs = [ProblemRef.of(item, canary=item.benchmark == "canary") for item in problems]
    return RunStore.create_or_resume(folder, {"toy": 1}, refs, {})


def work(problems: Sequence[Problem] = PROBLEMS, **changes: Any) -> Work:
    known = {ProblemRef.of(item).key: item for item in problems}
    settings: dict[str, Any] = {"samples": 3, "seed": 5, "level": Level.STRICT, **changes}
    return Work(known, **settings)


def make(
    folder: Path,
    prover: Prover,
    judge: Judge | None = None,
    problems: Sequence[Problem] = PROBLEMS,
    report: Callable[[Record], None] = lambda record: None,
    **changes: Any,
) -> tuple[int, list[Record]]:
    with store_at(folder, problems) as store:
        made = asyncio.run(run(work(problems, **changes), prover, judge or Judge(), store, report))
        return made, store.records


def facts(records: Sequence[Record]) -> dict[tuple[str, str, int], Record]:
    """Records by key, timings aside."""
    return {
        item.key: dataclasses.replace(item, verdict=dataclasses.replace(item.verdict, seconds=0.0))
        for item in records
    }


def on_disk(folder: Path) -> list[Record]:
    with store_at(folder) as store:
        return store.records


def test_every_owed_attempt_is_made_and_recorded_once(tmp_path: Path) -> None:
    prover, judge = Prover(), Judge()
    told: list[Record] = []
    made, records = make(tmp_path / "run", prover, judge, report=told.append)
    wanted = {(problem.id, index) for problem in PROBLEMS for index in range(3)}
    assert made == len(prover.made) == 21
    assert {(item.problem_id, item.attempt.index) for item in records} == wanted == set(prover.made)
    assert told == records == on_disk(tmp_path / "run")
    assert judge.levels == {Level.STRICT}
    assert {item.verdict.status for item in records} == {Status.PROVED, Status.REJECTED}


def test_a_seed_comes_from_run_problem_and_sample_alone() -> None:
    seeds = {attempt_seed(s, name, i) for s in range(4) for name in ("a", "b") for i in range(4)}
    assert len(seeds) == 32
    # SHA-256 of "0\nand_comm\n1", first four bytes: another value would change every published run.
    assert attempt_seed(0, "and_comm", 1) == 0xEAA28E56


def test_order_and_concurrency_change_no_record(tmp_path: Path) -> None:
    slow_first: Callable[[int], int] = lambda seed: seed % 17  # noqa: E731
    _, one = make(tmp_path / "one", Prover(), concurrency=1)
    _, many = make(tmp_path / "many", Prover(turns=slow_first), concurrency=64)
    _, back = make(tmp_path / "back", Prover(), problems=PROBLEMS[::-1], concurrency=5)
    assert [item.key for item in one] != [item.key for item in many]
    assert facts(one) == facts(many) == facts(back)


def test_concurrency_bounds_the_attempts_in_flight(tmp_path: Path) -> None:
    prover = Prover(turns=lambda seed: 20)
    make(tmp_path / "run", prover, concurrency=4)
    assert prover.most == 4


def test_a_failure_of_the_machine_is_retried(tmp_path: Path) -> None:
    prover = Prover(fail=lambda name, call: name == "p2" and call <= 2)
    _, records = make(tmp_path / "run", prover, samples=1, max_attempts=3)
    assert prover.calls["p2"] == 3
    _, untroubled = make(tmp_path / "other", Prover(), samples=1)
    assert facts(records) == facts(untroubled)


def test_retries_are_bounded_and_end_unscored(tmp_path: Path) -> None:
    prover, judge = Prover(fail=lambda name, call: name == "p2"), Judge()
    _, records = make(tmp_path / "run", prover, judge, samples=1, max_attempts=3)
    assert prover.calls["p2"] == 3
    (failed,) = [item for item in records if item.verdict.status is Status.INFRA]
    assert (failed.problem_id, failed.attempt.proof) == ("p2", None)
    assert failed.attempt.error == failed.verdict.detail == "ServiceDown: the server is gone"
    assert "p2" not in judge.seen and len(records) == 7
    assert sum(item.verdict.status is Status.INFRA for item in records) == 1


def test_a_statement_that_lean_does_not_take_is_nobodys_failure_and_tried_once(tmp_path: Path) -> None:
    class Unstated(Prover):
        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            made = await super().attempt(problem, index, seed)
            if problem.id == "p2":
                raise ForeignText("p2: Lean cannot state it")
            return made

    prover = Unstated()
    _, records = make(tmp_path / "run", prover, samples=1, max_attempts=3)
    [odd] = [item for item in records if item.verdict.status is Status.INFRA]
    assert (odd.problem_id, odd.verdict.reason, odd.attempt.error) == (
        "p2",
        "toolchain",
        "p2: Lean cannot state it",
    )
    assert prover.calls["p2"] == 1


def test_a_failing_verifier_leaves_the_attempt_unscored_with_its_proof(tmp_path: Path) -> None:
    _, records = make(tmp_path / "run", Prover(), Judge(broken=["p3"]), samples=1, concurrency=1)
    unscored = [item for item in records if item.verdict.status is Status.INFRA]
    assert [item.problem_id for item in unscored] == ["p3"]
    assert (unscored[0].verdict.reason, unscored[0].attempt.error) == ("service", None)
    assert unscored[0].attempt.proof == f"p3 by {attempt_seed(5, 'p3', 0)}"
    assert unscored[0].verdict.level is Level.STRICT


@pytest.mark.parametrize("proof", [None, "", " \n\t"])
def test_no_candidate_is_rejected_without_asking(tmp_path: Path, proof: str | None) -> None:
    judge = Judge()
    _, records = make(tmp_path / "run", Prover(proof=lambda name, seed: proof), judge, samples=1)
    assert {(item.verdict.status, item.verdict.reason) for item in records} == {(Status.REJECTED, "empty")}
    assert judge.seen == []


def test_a_resumed_run_makes_only_what_is_owed(tmp_path: Path) -> None:
    make(tmp_path / "run", Prover(), samples=2)
    prover = Prover()
    made, records = make(tmp_path / "run", prover, samples=3)
    assert (made, len(records)) == (7, 21)
    assert {index for _, index in prover.made} == {2}
    assert make(tmp_path / "run", Prover(), samples=3)[0] == 0


def test_unscored_attempts_are_made_again_only_when_asked_for(tmp_path: Path) -> None:
    make(tmp_path / "run", Prover(fail=lambda name, call: name == "p2"), samples=1, max_attempts=1)
    assert make(tmp_path / "run", Prover(), samples=1)[0] == 0
    made, records = make(tmp_path / "run", Prover(), samples=1, retry_unscored=True)
    assert made == 1
    assert facts(records) == facts(make(tmp_path / "whole", Prover(), samples=1)[1])


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_cancelled_run_keeps_its_records_and_ends_as_an_uninterrupted_one(
    tmp_path: Path, concurrency: int
) -> None:
    told: list[Record] = []
    prover = Prover(turns=lambda seed: seed % 5)

    async def interrupted(store: RunStore) -> None:
        def report(record: Record) -> None:
            told.append(record)
            if len(told) == 9:
                task.cancel()

        task = asyncio.ensure_future(run(work(concurrency=concurrency), prover, Judge(), store, report))
        with pytest.raises(asyncio.CancelledError):
            await task
        calls = sum(prover.calls.values())
        await asyncio.sleep(0.01)
        assert sum(prover.calls.values()) == calls, "attempts went on after the run had ended"

    with store_at(tmp_path / "run") as store:
        asyncio.run(interrupted(store))
    kept = on_disk(tmp_path / "run")
    assert 9 <= len(kept) < 21
    assert set(facts(told)) <= set(facts(kept))
    made, records = make(tmp_path / "run", Prover(), concurrency=concurrency)
    assert made == 21 - len(kept)
    assert facts(records) == facts(make(tmp_path / "whole", Prover())[1])


def test_a_mistake_of_the_user_stops_the_run_and_keeps_the_records(tmp_path: Path) -> None:
    class Refusing(Prover):
        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            if problem.id == "p5":
                raise UserError("no such tactic mode")
            return await super().attempt(problem, index, seed)

    with pytest.raises(UserError, match="no such tactic mode"):
        make(tmp_path / "run", Refusing(), samples=1, concurrency=1)
    assert [item.problem_id for item in on_disk(tmp_path / "run")] == ["p0", "p1", "p2", "p3", "p4"]


def test_what_ends_a_run_ends_every_attempt_in_flight(tmp_path: Path) -> None:
    class Refusing(Prover):
        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            if problem.id == "p1":
                raise UserError("no such tactic mode")
            return await super().attempt(problem, index, seed)

    prover = Refusing(turns=lambda seed: 50)

    async def fails(store: RunStore) -> None:
        with pytest.raises(UserError):
            await run(work(concurrency=4), prover, Judge(), store, lambda record: None)
        assert prover.running == 0
        await asyncio.sleep(0.01)

    with store_at(tmp_path / "run") as store:
        asyncio.run(fails(store))
        assert (prover.made, store.records) == ([], [])


def canary(name: str) -> Problem:
    return next(item for item in canaries("", "core") if item.id == name)


def test_a_proved_false_canary_stops_the_run_and_every_later_try(tmp_path: Path) -> None:
    mixed = [*PROBLEMS[:2], canary("canary_false_0"), *PROBLEMS[2:]]
    judge = Judge(proves=["canary_false_0"])
    with pytest.raises(CanaryProved, match="canary_false_0 was proved"):
        make(tmp_path / "run", Prover(), judge, mixed, samples=1, concurrency=1)
    with store_at(tmp_path / "run", mixed) as store:
        assert [item.problem_id for item in store.records] == ["p0", "p1", "canary_false_0"]
    # Its record is there and not owed again: going on must not forget what it showed.
    prover = Prover()
    with pytest.raises(CanaryProved):
        make(tmp_path / "run", prover, Judge(), mixed, samples=1)
    assert prover.made == []


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_broken_checker_stops_a_run_within_its_first_tenth(tmp_path: Path, concurrency: int) -> None:
    problems = [dataclasses.replace(PROBLEMS[0], id=f"p{n}", theorem=f"p{n}") for n in range(200)]
    mixed = mix_canaries(problems, 4, 0)
    judge = Judge(proves=[item.id for item in mixed])
    prover = Prover(turns=lambda seed: seed % 5, proof=lambda name, seed: "anything")
    with pytest.raises(CanaryProved):
        make(tmp_path / "run", prover, judge, mixed, samples=2, concurrency=concurrency)
    with store_at(tmp_path / "run", mixed) as store:
        assert 0 < len(store.records) <= len(prover.made) <= len(mixed) * 2 // 10


def test_attempts_wait_for_the_first_canary_and_not_for_ever(tmp_path: Path) -> None:
    mixed = [canary("canary_false_0"), *PROBLEMS, canary("canary_false_1")]
    failing = Prover(fail=lambda name, call: name == "canary_false_0")
    made, records = make(tmp_path / "run", failing, problems=mixed, samples=2, concurrency=4)
    assert made == len(records) == 18, "one that the machine fails has been waited for"


def test_half_a_pair_may_be_proved_and_both_halves_may_not(tmp_path: Path) -> None:
    yes, no = canary("canary_pair_0_yes"), canary("canary_pair_0_no")
    mixed = [yes, no, *PROBLEMS]
    odd = Prover(proof=lambda name, seed: "wrong")
    made, records = make(tmp_path / "one", odd, Judge(proves=[yes.id]), mixed, samples=1)
    assert made == len(records) == 9
    with pytest.raises(CanaryProved, match="both halves of canary_pair_0"):
        make(tmp_path / "both", odd, Judge(proves=[yes.id, no.id]), mixed, samples=1)


@dataclass
class Slow:
    """Writes the proofs of a call one after the other, each once the record of the last is on the disk."""

    recorded: asyncio.Event = field(default_factory=asyncio.Event)

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        raise AssertionError("no search")

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        raise AssertionError("nobody waits for all of them")

    async def samples(
        self, problems: Sequence[Problem], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        for place in reversed(range(len(problems))):
            self.recorded.clear()
            text = f"{problems[place].id} by {seeds[place]}"
            yield place, Sample(text, text, -1.0, Usage(1, 1))
            await asyncio.wait_for(self.recorded.wait(), 60)


def test_a_proof_is_recorded_while_others_of_its_batch_are_still_written(tmp_path: Path) -> None:
    async def main() -> list[str]:
        policy, order = Slow(), list[str]()

        def report(record: Record) -> None:
            order.append(record.problem_id)
            policy.recorded.set()

        with store_at(tmp_path / "run") as store:
            await run(work(samples=1), WholeProof(BatchedPolicy(policy)), Judge(), store, report)
        return order

    assert asyncio.run(main()) == [f"p{n}" for n in reversed(range(7))]
