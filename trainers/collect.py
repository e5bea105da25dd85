"""Searching training theorems for what teaches: labelled states, and proofs to imitate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.experiment.attempts import AttemptTask, Checks, attempt, attempt_seed
from harness.protocols import Policy, Sessions, Value, Verifier
from harness.provers.best_first import BestFirst, SearchSpec
from harness.provers.search_tree import SearchTree
from harness.records.journal import read_rows
from harness.types import Attempt, Level, Problem, Record, Status
from trainers import trajectories
from trainers.examples import tactic_block
from trainers.fitting import Progress
from trainers.harvest import ATTEMPTS, Harvested, HarvestLimits, Try, harvested
from trainers.trajectories import LabelledState


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


async def collect(
    how: Collection,
    problems: Sequence[Problem],
    tools: SearchTools,
    out: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Search every problem once and check each proof as a whole; files, order and errors as of `harvested`.

    Returns counts.
    """
    limits = HarvestLimits(how.concurrency, how.max_unscored)
    found = await harvested(problems, _searching(how, tools), limits, out, progress)
    return _counts([record for each in found for record in each.records], found)


def _searching(how: Collection, tools: SearchTools) -> Try:
    """One search of a theorem."""
    checks = Checks(tools.verifier, Level.FAST)
    trees: dict[str, SearchTree] = {}
    prover = BestFirst(
        how.search,
        tools.sessions,
        tools.policy,
        tools.value,
        how.gamma,
        observe=lambda problem, _, tree: trees.__setitem__(problem.id, tree),
    )

    async def search(problem: Problem) -> Harvested:
        task = AttemptTask(problem, 0, attempt_seed(how.seed, problem.id, how.round_))
        record = await attempt(task, prover, checks, how.max_attempts)
        tree = trees.pop(problem.id, SearchTree())
        # States of a tree whose proof did not stand are not evidence of anything.
        unsound = record.attempt.proof is not None and record.verdict.status is not Status.PROVED
        return Harvested((record,), () if unsound else tuple(labelled(problem, tree, how.round_)))

    return search


def _counts(records: Sequence[Record], found: Sequence[Harvested]) -> dict[str, Any]:
    kinds = Counter(state.kind for each in found for state in each.states)
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


def proved(folder: Path, problems: Mapping[str, Problem]) -> Iterator[tuple[Problem, Attempt]]:
    """The attempts of a finished collection whose proofs were accepted, with their problems (by id)."""
    for _, row in read_rows(folder / ATTEMPTS):
        record = Record.from_json(row)
        if record.verdict.status is Status.PROVED and record.attempt.proof is not None:
            yield problems[record.problem_id], record.attempt


def block_of(problem: Problem, attempt: Attempt) -> str:
    """The tactics of an accepted proof alone: what a model wrote in one go may be a whole file."""
    proof = attempt.proof or ""
    return proof if attempt.search is not None else tactic_block(problem, proof)


def proofs(folder: Path, problems: Mapping[str, Problem]) -> list[tuple[Problem, str]]:
    """The proofs that a finished collection found, with their problems (by id); several of one perhaps."""
    return [(problem, block_of(problem, attempt)) for problem, attempt in proved(folder, problems)]
