"""Verdicts from processes beside this one: the same ones, and a death is the machine's."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.lean.services import embedded_beside
from harness.lean.services.embedded import CoreVerifier
from harness.lean.services.embedded_beside import CoreBeside
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Verdict
from tests.lean.services.test_conformance import problem

LIMITS = 20_000, 60.0


def candidates() -> list[Candidate]:
    """Proved, wrong, admitted, out of steps, refused by the screen, and a false statement."""
    true: Problem = problem("t", "(a b : Nat) : a + b = b + a")
    false: Problem = problem("f", "(a b : Nat) : a + b = a")
    slow = "exact (by decide : ∀ x : Fin 200, ∀ y : Fin 200, x + y = y + x) |> fun _ => Nat.add_comm a b"
    proofs = ["exact Nat.add_comm a b", "rfl", "sorry", slow, "exact lcProof"]
    return [Candidate(true, proof) for proof in proofs] + [
        Candidate(false, proof) for proof in ("simp", "omega", "exact Nat.add_comm a b")
    ]


def judged(verifier: Any, level: Level) -> list[Verdict]:
    async def each() -> list[Verdict]:
        answers = await asyncio.gather(*(verifier.check([one], level) for one in candidates()))
        await verifier.close()
        return [replace(verdict, seconds=0.0) for [verdict] in answers]

    return asyncio.run(each())


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("workers", [1, 2])
def test_no_verdict_depends_on_where_it_is_reached(
    workers: int, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 2)
    beside = CoreBeside(*LIMITS, workers, 3)
    there = judged(beside, level)
    assert there == judged(CoreVerifier(*LIMITS), level)
    assert [verdict.status for verdict in there] == [
        Status.PROVED,
        Status.REJECTED,
        Status.REJECTED,
        there[3].status,
        *[Status.REJECTED] * 4,
    ]


def dying(mark: Path, *given: Any) -> Verdict:
    """The first call ends its process."""
    if not mark.exists():
        mark.touch()
        os._exit(7)
    return embedded_beside.judged(*given)


def dead(*_: Any) -> Verdict:
    os._exit(7)


def test_a_process_that_dies_is_replaced_and_its_check_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 0)
    beside = CoreBeside(*LIMITS, 1, 3)
    real = beside._pool.submit
    monkeypatch.setattr(beside._pool, "submit", lambda call, *given: real(dying, tmp_path / "mark", *given))
    assert judged(beside, Level.STRICT) == judged(CoreVerifier(*LIMITS), Level.STRICT)


def test_a_check_that_kills_every_process_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 0)
    monkeypatch.setattr(embedded_beside, "judged", dead)
    beside = CoreBeside(*LIMITS, 1, 2)
    [verdict] = asyncio.run(beside.check(candidates()[:1], Level.FAST))
    assert verdict.status is Status.INFRA and "ended with code 7 (2 attempts)" in verdict.detail
