"""Solve rates of sampled proofs, pooled over rounds, and the theorems within their bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.experiment.spec import FrontierSpec
from harness.protocols import Candidate
from harness.types import Level, Problem, Sample, Status, Usage, Verdict
from trainers import frontier

PROBLEMS = [Problem(f"t{n}", "toy", "train", "", f"theorem t{n} : True", f"t{n}") for n in range(4)]


class Policy:
    """Writes `good` where the theorem's number exceeds the number of the try; t3 always, t0 never."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        assert len(set(zip((p.id for p in problems), seeds, strict=True))) == len(problems)
        found = []
        for problem in problems:
            place = self.seen.get(problem.id, 0)
            self.seen[problem.id] = place + 1
            proof = "good\n" if int(problem.id[1:]) > place % 3 else f"bad {place}"
            found.append(Sample(proof, proof, 0.0, Usage()))
        return found


class Verifier:
    """Accepts `good`; the machine fails on the first try of t2."""

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        assert level is Level.FAST and len(set(candidates)) == len(candidates)
        return [self._verdict(item) for item in candidates]

    def _verdict(self, item: Candidate) -> Verdict:
        if item.proof == "bad 2" and item.problem.id == "t2":
            return Verdict(Status.INFRA, "service", "gone")
        return Verdict(Status.PROVED if item.proof == "good" else Status.REJECTED, "ok")


def counted() -> frontier.Counts:
    found = asyncio.run(frontier.measured(Policy(), Verifier(), PROBLEMS, 3, seed=0))  # type: ignore[arg-type]
    return {problem.id: found[problem.revision] for problem in PROBLEMS}


def test_rates_are_verdicts_on_samples_and_what_was_not_judged_does_not_count() -> None:
    assert counted() == {"t0": (0, 3), "t1": (1, 3), "t2": (2, 2), "t3": (3, 3)}


def test_the_frontier_is_what_is_proved_sometimes_over_the_last_rounds(tmp_path: Path) -> None:
    counts = {problem.revision: count for problem, count in zip(PROBLEMS, counted().values(), strict=True)}
    spec = FrontierSpec(least=0.1, most=0.9)
    assert [p.id for p in frontier.within(spec, PROBLEMS, counts)] == ["t1"]
    frontier.write(tmp_path, counts)
    assert frontier.read(tmp_path) == counts and frontier.read(tmp_path / "none") is None
    before = {PROBLEMS[2].revision: (0, 2)}
    both = frontier.pooled([before, counts])
    assert both[PROBLEMS[2].revision] == (2, 4)
    assert [p.id for p in frontier.within(spec, PROBLEMS, both)] == ["t1", "t2"]


def test_an_empty_frontier_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"grpo\.frontier: none of 4 theorems is proved in 0\.4 to 0\.5"):
        frontier.within(FrontierSpec(least=0.4, most=0.5), PROBLEMS, {})
