"""Problems, records and runs made up for the tests of the data side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analysis.runs import RunView
from harness.types import (
    Attempt,
    Level,
    ProblemRef,
    Record,
    SearchStats,
    Status,
    Usage,
    Verdict,
)


def ref(name: str, category: str = "", difficulty: int | None = None, canary: bool = False) -> ProblemRef:
    return ProblemRef(name, f"rev-{name}", category, difficulty, canary)


def refs(count: int) -> list[ProblemRef]:
    return [ref(f"p{i:03}") for i in range(count)]


def record(
    name: str,
    status: Status | str = Status.PROVED,
    index: int = 0,
    expanded: int | None = 3,
    tier: str = "kernel",
    proof: str = "intro h\nexact h",
) -> Record:
    status = Status(status)
    search = (
        None if expanded is None else SearchStats(expanded=expanded, tactics_tried=2 * expanded, invalid=1)
    )
    attempt = Attempt(
        name, index, seed=index, proof=proof, usage=Usage(prompt_tokens=5, completion_tokens=7), search=search
    )
    verdict = Verdict(status, reason="ok", level=Level.STRICT, verifier="core", tier=tier, seconds=0.5)
    return Record("toy", "test", name, f"rev-{name}", attempt, verdict)


def spec(**changes: Any) -> dict[str, Any]:
    """A run's spec with dotted keys changed: `spec(**{"search.alpha": 0.3})`."""
    data: dict[str, Any] = {
        "experiment": "toy",
        "seed": 0,
        "evaluation": {
            "name": "search",
            "prover": "best_first",
            "samples": 1,
            "k": [1],
            "problems": {"benchmark": "toy", "split": "test", "limit": None, "max_difficulty": None},
        },
        "lean": {"service": "core", "level": "strict"},
        "search": {"alpha": 0.5, "expansions": 64, "tactic_calls": 1024},
        "value": {"gamma": 0.95},
    }
    for key, value in changes.items():
        *path, last = key.split(".")
        inner = data
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return data


def session(dirty: bool = False, commit: str = "c0ffee0000") -> dict[str, Any]:
    return {"command": ["harness", "run"], "code": {"commit": commit, "dirty": dirty, "version": "0"}}


def run(
    name: str,
    records: Sequence[Record],
    problems: Sequence[ProblemRef],
    changes: dict[str, Any] | None = None,
    sessions: Sequence[dict[str, Any]] | None = None,
) -> RunView:
    return RunView(
        name=name,
        spec=spec(**(changes or {})),
        sessions=[session()] if sessions is None else sessions,
        problems=tuple(problems),
        load=lambda: list(records),
    )
