"""The theorems that the generator proves sometimes: those that GRPO learns most from.

Before a round's GRPO its generator samples a few whole proofs of every theorem of the difficulty band, and
the verifier judges them. A theorem is asked when its solve rate over the last rounds lies within the bounds.
What was counted stands beside the stage, for the rounds after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import StoreError, UserError, boundary
from harness.experiment.attempts import attempt_seed
from harness.experiment.spec import FrontierSpec
from harness.protocols import Candidate, Policy, Verifier
from harness.records.journal import read_rows
from harness.types import Level, Problem, Status

RATES = "solve_rates.jsonl"
"""In a GRPO stage: one line a theorem of the band, `revision`, `proved` and `tried`."""
_BATCH = 64
"""Theorems sampled together."""

Counts = dict[str, tuple[int, int]]
"""By revision: proofs accepted, and proofs judged."""


async def measured(
    policy: Policy, verifier: Verifier, problems: Sequence[Problem], samples: int, seed: int
) -> Counts:
    """How often the generator proves each of `problems` in `samples` tries.

    What the machine fails to judge is not counted. Raises `InfraError` when the service fails altogether.
    """
    found: Counts = {}
    for start in range(0, len(problems), _BATCH):
        asked = [problem for problem in problems[start : start + _BATCH] for _ in range(samples)]
        seeds = [attempt_seed(seed, problem.id, place % samples) for place, problem in enumerate(asked)]
        proofs = [sample.proof.strip("\n") for sample in await policy.sample(asked, seeds)]
        distinct = list(dict.fromkeys(zip(asked, proofs, strict=True)))
        verdicts = await verifier.check([Candidate(*pair) for pair in distinct], Level.FAST)
        judged = {pair: verdict.status for pair, verdict in zip(distinct, verdicts, strict=True)}
        for problem, proof in zip(asked, proofs, strict=True):
            proved, tried = found.get(problem.revision, (0, 0))
            status = judged[problem, proof]
            scored = status is not Status.INFRA
            found[problem.revision] = proved + (status is Status.PROVED), tried + scored
    return found


def pooled(rounds: Iterable[Counts]) -> Counts:
    """The counts of several rounds together."""
    found: Counts = {}
    for counts in rounds:
        for revision, (proved, tried) in counts.items():
            before = found.get(revision, (0, 0))
            found[revision] = before[0] + proved, before[1] + tried
    return found


def within(spec: FrontierSpec, problems: Sequence[Problem], counts: Counts) -> list[Problem]:
    """The problems whose solve rate lies within the bounds. Raises `UserError` when there is none."""
    kept = []
    for problem in problems:
        proved, tried = counts.get(problem.revision, (0, 0))
        if tried and spec.least <= proved / tried <= spec.most:
            kept.append(problem)
    if not kept:
        raise UserError(
            f"grpo.frontier: none of {len(problems)} theorems is proved in {spec.least:g} to {spec.most:g} "
            "of the tries; widen the bounds, or warm up the generator longer"
        )
    return kept


def write(folder: Path, counts: Mapping[str, tuple[int, int]]) -> None:
    """Leave the counts in a stage's folder, the whole file or nothing. Raises `StoreError`."""
    lines = [
        json.dumps({"revision": revision, "proved": proved, "tried": tried}) + "\n"
        for revision, (proved, tried) in counts.items()
    ]
    partial = folder / f"{RATES}.partial"
    with boundary(StoreError, f"{folder}: cannot be written"):
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text("".join(lines), encoding="utf-8")
        partial.replace(folder / RATES)


def read(folder: Path) -> Counts | None:
    """The counts of a stage; None where it has none."""
    if not (folder / RATES).is_file():
        return None
    rows: list[Any] = [row for _, row in read_rows(folder / RATES)]
    return {str(row["revision"]): (int(row["proved"]), int(row["tried"])) for row in rows}
