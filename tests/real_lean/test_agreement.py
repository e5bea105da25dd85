"""Real Lean and the embedded core on the same proofs: gold ones, and ones changed a little."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from functools import cache

import pytest

from harness.audits.gold import validate
from harness.benchmarks import loading
from harness.lean.services.embedded import CoreVerifier
from harness.lean.services.file import FileLimits, FileVerifier, LeanCommand
from harness.lean.verdicts.checking import assembled
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Verdict
from tests.real_lean.batch import complaints
from tests.real_lean.build import RealLean
from tests.real_lean.conftest import Figures
from tests.real_lean.mutants import mutants
from tests.shares import of_gold_proofs

pytestmark = pytest.mark.real_lean

BENCHMARKS = ("smoke", "core-curriculum")
HEARTBEATS = 200_000
SEEDS = (1, 2, 3, 4)
MUTANTS = 300
IN_FULL = 1300
"""For each seed."""

AUDITED = 40
"""Gold proofs that also go through the audit, a process each and level."""

UNLIKE = {
    "maximum recursion depth has been reached": "hypotheses that rewrite into each other: Lean's simp_all "
    "goes round in them, the core's takes them in another order and ends",
}
"""What Lean says of a proof that the core accepts -> why that is known and harmless."""


@cache
def golden() -> list[Problem]:
    """Problems with a gold proof that can be tried here: `omega` wants lemmas that our `Init` lacks."""
    problems = [problem for name in BENCHMARKS for problem in loading.load(name, "all")]
    return [problem for problem in problems if problem.gold and "omega" not in problem.gold]


def plain_lean(real_lean: RealLean) -> FileVerifier:
    return FileVerifier(LeanCommand.of_project(str(real_lean.home)), FileLimits(workers=2), HEARTBEATS)


def test_gold_proofs(real_lean: RealLean, figures: Figures, in_full: bool) -> None:
    started = time.perf_counter()
    asked = golden() if in_full else of_gold_proofs(golden(), 2)
    candidates = [assembled(Candidate(problem, problem.gold or ""), HEARTBEATS) for problem in asked]
    said = complaints(real_lean.lean, candidates)
    failed = {item.problem.id: text for item, text in zip(candidates, said, strict=True) if text is not None}
    figures.add(
        f"gold proofs without omega: {len(said) - len(failed)} of {len(said)} accepted, "
        f"{time.perf_counter() - started:.0f} s"
    )
    assert failed == {}
    assert len(said) > (5900 if in_full else 600)


@pytest.mark.parametrize("level", list(Level))
def test_gold_proofs_through_the_audit(real_lean: RealLean, level: Level) -> None:
    sample = golden()[:: len(golden()) // AUDITED]
    found = asyncio.run(validate(sample, plain_lean(real_lean), level))
    assert (found.proved, found.failures, found.unjudged) == (len(sample), (), ())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_core_accepts_real_lean_accepts(
    real_lean: RealLean, figures: Figures, seed: int, in_full: bool
) -> None:
    started = time.perf_counter()
    count = IN_FULL if in_full else MUTANTS
    made = mutants(golden(), count, seed)
    core = asyncio.run(CoreVerifier(HEARTBEATS).check(made, Level.FAST))
    judged = [
        (item, verdict)
        for item, verdict in zip(made, core, strict=True)
        if assembled(item, HEARTBEATS).refused is None
    ]
    said = complaints(real_lean.lean, [assembled(item, HEARTBEATS) for item, _ in judged])
    lenient = [
        item
        for (item, verdict), text in zip(judged, said, strict=True)
        if verdict.status is Status.PROVED and text is not None
    ]
    agreed = Counter(
        (verdict.status is Status.PROVED, text is None)
        for (_, verdict), text in zip(judged, said, strict=True)
    )
    figures.add(
        f"changed proofs, seed {seed}: {len(judged)} judged, {agreed[True, True]} accepted by both, "
        f"{agreed[True, False]} by the core alone, {agreed[False, True]} by real Lean alone; "
        f"{time.perf_counter() - started:.0f} s"
    )
    assert unexplained(asyncio.run(plain_lean(real_lean).check(lenient, Level.FAST)), lenient) == {}
    assert len(judged) > 0.9 * count and agreed[True, True] > 0.1 * count


def unexplained(verdicts: list[Verdict], candidates: list[Candidate]) -> dict[tuple[str, str], str]:
    """What real Lean refuses alone in its file too, for no reason of `UNLIKE`."""
    return {
        (item.problem.statement, item.proof): verdict.detail
        for item, verdict in zip(candidates, verdicts, strict=True)
        if verdict.status is not Status.PROVED
        and not any(re.search(pattern, verdict.detail) for pattern in UNLIKE)
    }
