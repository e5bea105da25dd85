"""Verdicts from processes beside this one: the same ones, and a death is the machine's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
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


@pytest.mark.parametrize("workers", [1, 2, 5, 20])
def test_a_batch_is_judged_in_its_order(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 0)

    async def together(verifier: Any) -> list[Verdict]:
        found = await verifier.check(candidates(), Level.FAST) + await verifier.check([], Level.FAST)
        await verifier.close()
        return [replace(verdict, seconds=0.0) for verdict in found]

    there = asyncio.run(together(CoreBeside(*LIMITS, workers, 3)))
    assert there == asyncio.run(together(CoreVerifier(*LIMITS)))


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


def dying(mark: Path, *given: Any) -> list[Verdict]:
    """The first call ends its process."""
    if not mark.exists():
        mark.touch()
        os._exit(7)
    return embedded_beside.judged(*given)


def deadly(given: Sequence[Candidate], *rest: Any) -> list[Verdict]:
    """`rfl` ends the process that it is judged in."""
    if any(candidate.proof == "rfl" for candidate in given):
        os._exit(7)
    return embedded_beside.judged(given, *rest)


def test_a_process_that_dies_is_replaced_and_its_check_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 0)
    beside = CoreBeside(*LIMITS, 1, 3)
    real = beside._pool.submit
    monkeypatch.setattr(beside._pool, "submit", lambda call, *given: real(dying, tmp_path / "mark", *given))
    assert judged(beside, Level.STRICT) == judged(CoreVerifier(*LIMITS), Level.STRICT)


def test_a_proof_that_ends_every_process_is_not_judged_and_its_batch_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded_beside, "FEW", 0)
    beside = CoreBeside(*LIMITS, 1, 2)
    real = beside._pool.submit
    monkeypatch.setattr(beside._pool, "submit", lambda call, *given: real(deadly, *given))
    asked = [candidates()[number] for number in (2, 0, 1)]
    found = asyncio.run(beside.check(asked, Level.FAST))
    assert [verdict.status for verdict in found] == [Status.REJECTED, Status.PROVED, Status.INFRA]
    assert "ended with code 7 (2 attempts)" in found[2].detail
