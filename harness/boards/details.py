"""What the pages of single runs and problems say: every attempt, its proof, the evidence of its verdict.

Plain JSON, made from records; shown by the board's page, by `--serve` and by `harness show`. Texts that a
model or a benchmark wrote are made printable here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.analysis.curves import search_seconds
from harness.analysis.naming import plain
from harness.analysis.runs import RunView
from harness.analysis.settings import flatten
from harness.analysis.summary import scalars
from harness.boards.rows import BoardSection, Row, Standing
from harness.boards.tree_picture import branches
from harness.errors import UserError
from harness.provers import stored_tree
from harness.terminal.streams import printable
from harness.types import EVIDENCE, REASONS, Problem, Record, Status

LONGEST = 6000
"""Characters shown of one proof or message."""
ATTEMPTS = 40_000
"""Attempts that one page holds at most: those of the best rows."""
BRANCHES = 10_000
"""States of search trees that one page holds at most: those of the best rows."""

Key = tuple[str, str]
Statements = Callable[[str, str], Mapping[Key, Problem]]
"""Benchmark and split to its problems by (id, revision); empty where they are not on this machine."""


def run_details(run: RunView, title: str, link: str | None = None) -> dict[str, Any]:
    """One run: its facts, and for each problem what every attempt came to. `link` is its page in W&B."""
    by_problem: dict[Key, list[Record]] = {}
    for record in run.records:
        by_problem.setdefault((record.problem_id, record.revision), []).append(record)
    grown = run.folder is not None and (run.folder / stored_tree.FOLDER).is_dir()
    trees = run.folder if grown else None  # most runs keep none, and looking for each takes half of the time
    return {
        "name": run.name,
        "title": printable(title),
        "link": link,
        "facts": facts(run),
        "problems": [
            {
                "id": one.id,
                "revision": one.revision,
                "category": printable(one.category),
                "canary": one.canary,
                "attempts": [_attempt(record, trees) for record in _best_first(by_problem.get(one.key, ()))],
            }
            for one in run.problems
        ],
    }


def texts(runs: Iterable[RunView], statements: Statements) -> dict[str, dict[str, str]]:
    """Statement and prose of each problem of these runs, by `id revision`."""
    found: dict[str, dict[str, str]] = {}
    for benchmark, split in sorted({(run.benchmark, run.split) for run in runs}):
        for (name, revision), problem in statements(benchmark, split).items():
            said = {"statement": shortened(problem.statement), "informal": shortened(problem.informal)}
            found[f"{name} {revision}"] = said
    return found


def facts(run: RunView) -> list[tuple[str, str]]:
    """What made the run and what it came to, as pairs of words."""
    session = run.session
    code = session.get("code", {})
    figures = {
        key: value for key, value in scalars(run.summary).items() if not key.endswith(("_low", "_high"))
    }
    told = [
        ("command", " ".join(map(str, session.get("command", [])))),
        ("commit", str(code.get("commit") or "unknown") + (" with changes" if code.get("dirty") else "")),
        ("started", str(session.get("started_at") or "unknown")),
        ("machine", ", ".join([str(session.get("platform") or "unknown"), *session.get("gpus", [])])),
        ("toolchain", str(session.get("toolchain") or "not recorded")),
        *((key, plain(value)) for key, value in figures.items() if value is not None),
        *((f"spec: {key}", plain(value)) for key, value in flatten(run.spec).items()),
    ]
    return [(key, printable(value)) for key, value in told]


def _best_first(records: Iterable[Record]) -> list[Record]:
    """Proofs first, the cheapest first; then the others by sample."""
    return sorted(
        records,
        key=lambda one: (
            one.verdict.status is not Status.PROVED,
            one.attempt.search.expanded if one.attempt.search is not None else 0,
            one.attempt.index,
        ),
    )


def tree_of(folder: Path, problem_id: str, sample: int) -> list[list[Any]]:
    """The expanded states of a stored search tree: depth, tactic, state, figures, whether on the proof.

    Raises `UserError` where none is stored, `StoreError` where it is broken.
    """
    return [
        [one.depth, shortened(one.tactic), shortened(one.state), one.figures, one.on_proof]
        for one in branches(stored_tree.read(folder, problem_id, sample))
    ]


def _attempt(record: Record, trees: Path | None) -> dict[str, Any]:
    attempt, verdict = record.attempt, record.verdict
    search = attempt.search
    rests_on = EVIDENCE.get(verdict.tier, verdict.tier) if verdict.tier else ""
    if not rests_on and verdict.status is not Status.PROVED:
        rests_on = REASONS.get(verdict.reason, "")
    evidence = [verdict.level.value, rests_on, verdict.verifier]
    found: dict[str, Any] = {
        "sample": attempt.index,
        "status": verdict.status.value,
        "reason": printable(verdict.reason),
        "evidence": printable("; ".join(part for part in evidence if part)),
        "axioms": printable(", ".join(verdict.axioms)),
        "detail": shortened(verdict.detail or attempt.error or ""),
        "proof": shortened(attempt.proof or ""),
        "tokens": attempt.usage.completion_tokens,
        "seconds": round(search_seconds(record) or verdict.seconds, 3),
    }
    if search is not None:
        found |= {
            "expansions": search.expanded,
            "calls": search.tactics_tried,
            "stopped": printable(search.stopped),
            "depth": search.depth,
        }
    if trees is not None and stored_tree.place(trees, record.problem_id, attempt.index).is_file():
        found["tree"] = True
    return found


def shortened(text: str) -> str:
    """`text` made printable, its end cut off where it is very long."""
    safe = printable(text)
    left_out = len(safe) - LONGEST
    return safe if left_out <= 0 else f"{safe[:LONGEST]}\n[{left_out} more characters]"


def board_details(
    standing: Standing, links: Mapping[str, str], attempts: int = ATTEMPTS
) -> tuple[dict[str, Any], list[str]]:
    """The runs of a board, best rows first, until `attempts` are reached, and the names of those left out."""
    runs: dict[str, Any] = {}
    left_out: list[str] = []
    room, branches_left = attempts, BRANCHES
    for row in _in_turn(standing.sections):
        size = row.summary.scored + row.summary.unscored
        if size > room:
            left_out.append(row.run.name)
            continue
        room -= size
        runs[row.run.name] = run_details(row.run, row.name, links.get(row.run.name))
        branches_left = _with_trees(row.run, runs[row.run.name], branches_left)
    return runs, left_out


def _with_trees(run: RunView, details: Mapping[str, Any], room: int) -> int:
    """Put the stored trees of a run in, proofs first, as long as there is room; how much is left."""
    kept = [
        (attempt["status"] != Status.PROVED, one["id"], attempt)
        for one in details["problems"]
        for attempt in one["attempts"]
        if "tree" in attempt
    ]
    for _, name, attempt in sorted(kept, key=lambda item: item[0]):
        if run.folder is None or attempt.get("expansions", 0) > room:
            continue
        with suppress(UserError):
            attempt["tree"] = tree_of(run.folder, name, attempt["sample"])
            room -= len(attempt["tree"])
    return room


def _in_turn(sections: Sequence[BoardSection]) -> list[Row]:
    """The runs of every section by place: the first of each section, then the second of each."""
    placed = [
        (place, number, member, part)
        for number, section in enumerate(sections)
        for place, row in enumerate(section.rows)
        for member, part in enumerate(row.parts)
    ]
    return [part for *_, part in sorted(placed, key=lambda item: item[:3])]
