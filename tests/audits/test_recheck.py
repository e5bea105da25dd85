"""Stored proofs judged again: in order, without a model, changes reported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from harness.audits.recheck import recheck, recheck_report
from harness.errors import UserError
from harness.protocols import Candidate
from harness.types import Attempt, Level, Problem, Record, Status, Verdict

PROBLEMS = [Problem(f"p{i}", "toy", "test", "", f"theorem p{i} : {i} = {i}", f"p{i}") for i in range(3)]


class Judge:
    """Accepts `good`, at whatever level it is asked for."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.batches.append(len(candidates))
        return [
            Verdict(Status.PROVED, "ok", level=level)
            if item.proof == f"good {item.problem.id}"
            else Verdict(Status.REJECTED, "axioms", "depends on cheat", level=level)
            for item in candidates
        ]

    async def close(self) -> None:
        pass


def record(index: int, proof: str | None, status: Status = Status.PROVED, reason: str = "ok") -> Record:
    problem = PROBLEMS[index % 3]
    attempt = Attempt(problem.id, index, 0, proof)
    return Record("toy", "test", problem.id, problem.revision, attempt, Verdict(status, reason))


def test_verdicts_change_in_order_and_the_rest_stays() -> None:
    old = [
        record(0, "good p0"),
        record(1, "cheat"),
        record(2, None, Status.INFRA, "service"),
        record(3, "good p0", Status.REJECTED, "error"),
    ]
    rows = asyncio.run(recheck(old, PROBLEMS, Judge(), Level.STRICT))
    assert [row.old for row in rows] == old
    assert [row.changed for row in rows] == [False, True, False, True]
    assert [row.new.attempt for row in rows] == [row.attempt for row in old]
    assert rows[0].new.verdict.level is Level.STRICT
    assert rows[2].new == old[2]
    report = recheck_report(rows)
    assert report[0] == "p1 #1: proved (ok) -> rejected (axioms): depends on cheat"
    assert "2 of 4 verdicts changed" in report


def test_batches_are_bounded() -> None:
    judge = Judge()
    rows = asyncio.run(recheck([record(i, "x") for i in range(150)], PROBLEMS, judge, Level.FAST))
    assert len(rows) == 150
    assert judge.batches == [64, 64, 22]


def test_a_problem_in_another_revision_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match="p0: revision"):
        asyncio.run(recheck([record(0, "x")], PROBLEMS[1:], Judge(), Level.FAST))
