"""Searching training theorems for what teaches: labelled states, and proofs to imitate.

Each search is journalled when it ends, so a collection that was killed goes on with the theorems it owes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InfraError, StoreError
from harness.experiment.attempts import AttemptTask, Checks, attempt, attempt_seed
from harness.protocols import Policy, Sessions, Value, Verifier
from harness.provers.best_first import BestFirst, SearchSpec
from harness.provers.search_tree import SearchTree
from harness.records.journal import DROP_LINE, Journal, read_rows
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.types import Level, Problem, Record, Status
from trainers import trajectories
from trainers.fitting import Progress
from trainers.trajectories import STATES, LabelledState

ATTEMPTS = "attempts.jsonl"
JOURNAL = "searches.jsonl"
"""While collecting: one line for each finished search, in the order in which they ended."""


def labelled(problem: Problem, tree: SearchTree, round_: int) -> list[LabelledState]:
    """Every state of a finished search with its label; `round_` counts from 0.

    A state from which a finished proof was found inside the tree is `proof`, with the fewest tactics left
    that the tree shows; one whose every proposed tactic failed or led to such a state is `unprovable`.
    """
    left, refuted = tree.tactics_left(), tree.refuted()
    found = []
    for node in tree.nodes:
        if node.index in left:
            tactic = tree.best_tactic(node.index, left)
            kind: trajectories.Kind = "proof"
        else:
            tactic, kind = None, "unprovable" if node.index in refuted else "other"
        steps = left.get(node.index)
        state = LabelledState(
            problem.id, problem.revision, node.state.text, steps, kind, tactic=tactic, round=round_
        )
        found.append(state)
    return found


@dataclass(frozen=True, slots=True)
class Collection:
    """How to collect. `round_` counts from 0; `gamma` is the guide's."""

    search: SearchSpec
    round_: int
    seed: int
    concurrency: int
    gamma: float | None = None
    max_attempts: int = 3
    """Tries per theorem while the machine fails."""
    max_unscored: float = 0.02
    """Share of theorems that the machine may fail on."""


@dataclass(frozen=True, slots=True)
class SearchTools:
    """What a search needs. `value` is None when log-probability alone guides it."""

    policy: Policy
    value: Value | None
    verifier: Verifier
    sessions: Sessions


@dataclass(slots=True)
class _Harvest:
    """What has come in so far."""

    total: int
    progress: Progress
    records: dict[str, Record] = field(default_factory=dict)
    states: dict[str, list[LabelledState]] = field(default_factory=dict)

    def restore(self, path: Path) -> None:
        """Take what an earlier try journalled, except for searches that the machine failed on."""
        for number, row in read_rows(path):
            try:
                record = Record.from_json(row["record"])
                states = [LabelledState(**state) for state in row["states"]]
            except (KeyError, TypeError, ValueError) as cause:
                raise StoreError(f"{path}:{number}: not a search ({cause}); {DROP_LINE}") from None
            if record.verdict.status is not Status.INFRA:
                self.records[record.problem_id], self.states[record.problem_id] = record, states

    def add(self, record: Record, states: list[LabelledState], journal: Journal) -> None:
        # States of a tree whose proof did not stand are not evidence of anything.
        unsound = record.attempt.proof is not None and record.verdict.status is not Status.PROVED
        kept = [] if unsound else states
        rows = [dataclasses.asdict(state) for state in kept]
        journal.append([{"record": record.to_json(), "states": rows}])
        self.records[record.problem_id], self.states[record.problem_id] = record, kept
        solved = sum(item.verdict.status is Status.PROVED for item in self.records.values())
        self.progress(len(self.records), self.total, {"solved": float(solved)})


async def collect(
    how: Collection,
    problems: Sequence[Problem],
    tools: SearchTools,
    out: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Search every problem once, check each proof as a whole, write `STATES` and `ATTEMPTS` to `out`.

    Both files are in the order of `problems`, whatever finished first. What an earlier try left in `out` is
    gone on with. Returns counts. Raises `InfraError`
    when the machine failed on more than `max_unscored` of the problems: what is left would be another set.
    """
    harvest = _Harvest(len(problems), progress)
    harvest.restore(out / JOURNAL)
    journal = Journal(out / JOURNAL)
    try:
        await _search(how, [p for p in problems if p.id not in harvest.records], tools, harvest, journal)
    finally:
        journal.close()
    records = [harvest.records[problem.id] for problem in problems]
    _scored_enough(records, how.max_unscored)
    states = [state for problem in problems for state in harvest.states[problem.id]]
    trajectories.write(out / STATES, states)
    _write_records(out / ATTEMPTS, records)
    (out / JOURNAL).unlink()
    return _counts(records, states)


async def _search(
    how: Collection, problems: Sequence[Problem], tools: SearchTools, harvest: _Harvest, journal: Journal
) -> None:
    """Search `problems`, `how.concurrency` at a time, and add what each gave."""
    checks = Checks(tools.verifier, Level.FAST)
    trees: dict[str, SearchTree] = {}
    prover = BestFirst(
        how.search,
        tools.sessions,
        BatchedPolicy(tools.policy),
        None if tools.value is None else BatchedValue(tools.value),
        how.gamma,
        observe=lambda problem, _, tree: trees.__setitem__(problem.id, tree),
    )
    queue = iter(problems)

    async def worker() -> None:
        for problem in queue:
            task = AttemptTask(problem, 0, attempt_seed(how.seed, problem.id, how.round_))
            record = await attempt(task, prover, checks, how.max_attempts)
            tree = trees.pop(problem.id, SearchTree())
            harvest.add(record, labelled(problem, tree, how.round_), journal)

    await asyncio.gather(*(worker() for _ in range(min(how.concurrency, len(problems)))))


def _scored_enough(records: Sequence[Record], max_unscored: float) -> None:
    failed = [record for record in records if record.verdict.status is Status.INFRA]
    if len(failed) > max_unscored * len(records):
        raise InfraError(
            f"trajectories: {len(failed)} of {len(records)} searches failed, more than max_unscored "
            f"({max_unscored:.0%}) allows: {failed[0].verdict.detail}"
        )


def _counts(records: Sequence[Record], states: Sequence[LabelledState]) -> dict[str, Any]:
    kinds = Counter(state.kind for state in states)
    statuses = Counter(record.verdict.status for record in records)
    searches = [record.attempt.search for record in records if record.attempt.search is not None]
    return {
        "searched": len(records),
        "solved": statuses[Status.PROVED],
        "unscored": statuses[Status.INFRA],
        "refused_proofs": sum(
            record.attempt.proof is not None and record.verdict.status is not Status.PROVED
            for record in records
        ),
        "expansions": sum(stats.expanded for stats in searches),
        "tactic_calls": sum(stats.tactics_tried for stats in searches),
        **{f"states_{kind}": kinds[kind] for kind in ("proof", "unprovable", "other")},
    }


def _write_records(path: Path, records: Sequence[Record]) -> None:
    lines = [json.dumps(record.to_json(), ensure_ascii=False) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def proofs(folder: Path, problems: Mapping[str, Problem]) -> list[tuple[Problem, str]]:
    """The proofs that a finished collection found, with their problems (by id)."""
    records = [Record.from_json(row) for _, row in read_rows(folder / ATTEMPTS)]
    return [
        (problems[record.problem_id], record.attempt.proof)
        for record in records
        if record.verdict.status is Status.PROVED and record.attempt.proof is not None
    ]
