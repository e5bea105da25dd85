"""Searching training theorems: what is labelled how, in which order, and what a failure leaves out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InfraError, ServiceDown
from harness.experiment.attempts import attempt_seed
from harness.protocols import Candidate
from harness.provers.best_first import SearchSpec
from harness.records.journal import read_rows
from harness.serving.batched import BatchedPolicy
from harness.spec import DecodeSpec
from harness.types import Level, Problem, ProofState, Proposal, Proposed, Record, Status, Verdict
from tests.toy_logic import Goal, World, make, prove
from trainers import collect, trajectories
from trainers.collect import Collection, SearchTools
from trainers.harvest import ATTEMPTS, JOURNAL
from trainers.trajectories import STATES

TACTICS = ("intro", "constructor", "left", "right", "assumption")
WORLD, PROBLEMS = make(12)
SEARCH = SearchSpec(alpha=1.0, expansions=40, tactic_calls=400, decode=DecodeSpec(width=5))


@dataclass
class Guess:
    """Proposes every tactic for every state, and scores states by how much is left to write."""

    scored: int = 0
    down: frozenset[str] = frozenset()
    """Ids of problems on which the machine fails."""
    world: World = field(default_factory=lambda: WORLD)

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        found = tuple(Proposal(name, -1.0 - n / 10, 1) for n, name in enumerate(TACTICS))
        return [Proposed(found[:k]) for _ in states]

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> Any:
        raise AssertionError("search samples no proofs")

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        self.scored += len(states)
        return [0.99 ** len(state.text) for state in states]

    async def open(self, problem: Problem) -> Any:
        # Problems take turns of different length, so that they do not finish in their order.
        for _ in range(len(problem.statement) % 7):
            await asyncio.sleep(0)
        if problem.id in self.down:
            raise ServiceDown("no session")
        return await self.world.open(problem)


def gather(
    out: Path,
    *,
    model: Guess | None = None,
    verifier: Any = WORLD,
    guided: bool = False,
    concurrency: int = 4,
    alpha: float = 1.0,
    max_unscored: float = 0.1,
) -> tuple[dict[str, Any], list[trajectories.LabelledState]]:
    model = model or Guess()
    out.mkdir(parents=True)
    search = SEARCH.model_copy(update={"alpha": alpha})
    how = Collection(search, 1, 9, concurrency, 0.95 if guided else None, 2, max_unscored)
    tools = SearchTools(model, model if guided else None, verifier, model)
    told: list[tuple[int, int]] = []
    progress = lambda done, total, values: told.append((done, total))  # noqa: E731
    metrics = asyncio.run(collect.collect(how, PROBLEMS, tools, out, progress))
    assert told == [(n, 12) for n in range(1, 13)]
    return metrics, trajectories.read(out / STATES)


def test_states_on_proofs_carry_the_fewest_tactics_left(tmp_path: Path) -> None:
    metrics, states = gather(tmp_path / "out")
    assert (metrics["searched"], metrics["solved"], metrics["unscored"]) == (12, 12, 0)
    first = {state.problem_id: state for state in reversed(states)}
    for problem in PROBLEMS:
        state, gold = first[problem.id], prove(WORLD.goals[problem.id])
        assert gold is not None and state.kind == "proof" and state.tactics_left is not None
        assert 1 <= state.tactics_left <= len(gold)
        assert (state.revision, state.round) == (problem.revision, 1)
    assert all(state.tactic in TACTICS for state in states if state.kind == "proof")
    counted = {kind: sum(s.kind == kind for s in states) for kind in ("proof", "unprovable", "other")}
    assert {kind: metrics[f"states_{kind}"] for kind in counted} == counted
    assert counted["proof"] > 12


def test_a_state_shown_unprovable_has_no_proof(tmp_path: Path) -> None:
    goals: dict[str, Goal] = {"dead": (("P",), "Q"), "alive": (("P",), ("∨", "Q", "P"))}
    world = World(goals)
    problems = [Problem(name, "toy", "train", "", f"theorem {name}", name) for name in goals]
    model = Guess(world=world)
    how = Collection(SEARCH, 0, 0, 2)
    tools = SearchTools(model, None, world, model)
    asyncio.run(collect.collect(how, problems, tools, tmp_path, lambda *call: None))
    states = trajectories.read(tmp_path / STATES)
    kinds = [(state.problem_id, state.state.split("⊢ ")[1], state.kind) for state in states]
    assert kinds == [
        ("dead", "Q", "unprovable"),
        ("alive", "Q ∨ P", "proof"),
        ("alive", "Q", "unprovable"),
        ("alive", "P", "proof"),
    ]
    assert [state.tactics_left for state in states] == [None, 2, None, 1]


def test_files_do_not_depend_on_concurrency(tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    assert gather(one, concurrency=1) == gather(many, concurrency=12)
    assert (one / STATES).read_bytes() == (many / STATES).read_bytes()
    order = list(dict.fromkeys(state.problem_id for state in trajectories.read(many / STATES)))
    assert order == [problem.id for problem in PROBLEMS]


def test_every_search_has_the_seed_of_its_theorem_and_round(tmp_path: Path) -> None:
    gather(tmp_path / "out")
    rows = [Record.from_json(row) for _, row in read_rows(tmp_path / "out" / ATTEMPTS)]
    assert [row.attempt.seed for row in rows] == [attempt_seed(9, problem.id, 1) for problem in PROBLEMS]


def test_the_value_model_is_asked_only_when_it_guides(tmp_path: Path) -> None:
    plain, guide, idle = Guess(), Guess(), Guess()
    gather(tmp_path / "plain", model=plain)
    gather(tmp_path / "guide", model=guide, guided=True, alpha=0.5)
    gather(tmp_path / "idle", model=idle, guided=True, alpha=1.0)
    assert plain.scored == idle.scored == 0 < guide.scored


class Doubtful:
    """A verifier that refuses the whole proof of some theorems, and says so of the level it was asked at."""

    def __init__(self, refused: str) -> None:
        self.refused, self.levels = refused, set[Level]()

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.levels.add(level)
        refused = Verdict(Status.REJECTED, "error")
        return [refused if c.problem.id == self.refused else WORLD.verdict(c) for c in candidates]

    async def close(self) -> None:
        return None


def test_a_tree_whose_proof_does_not_stand_teaches_nothing(tmp_path: Path) -> None:
    judge = Doubtful(PROBLEMS[3].id)
    metrics, states = gather(tmp_path / "out", verifier=judge)
    assert (metrics["solved"], metrics["refused_proofs"]) == (11, 1)
    assert PROBLEMS[3].id not in {state.problem_id for state in states}
    assert judge.levels == {Level.FAST}
    known = {problem.id: problem for problem in PROBLEMS}
    proofs = collect.proofs(tmp_path / "out", known)
    assert [problem.id for problem, _ in proofs] == [p.id for p in PROBLEMS if p is not PROBLEMS[3]]
    assert all(WORLD.verdict(Candidate(*pair)).status is Status.PROVED for pair in proofs)


def test_a_theorem_that_the_machine_fails_on_is_left_out(tmp_path: Path) -> None:
    model = Guess(down=frozenset({PROBLEMS[0].id}))
    metrics, states = gather(tmp_path / "out", model=model)
    assert (metrics["solved"], metrics["unscored"]) == (11, 1)
    assert PROBLEMS[0].id not in {state.problem_id for state in states}


def test_a_failure_that_passes_is_tried_again(tmp_path: Path) -> None:
    asked = Counter[str]()

    class Flaky(Guess):
        async def open(self, problem: Problem) -> Any:
            asked[problem.id] += 1
            if asked[problem.id] == 1 and problem.id == PROBLEMS[0].id:
                raise ServiceDown("no session")
            return await super().open(problem)

    assert gather(tmp_path / "out", model=Flaky()) == gather(tmp_path / "calm")
    assert asked[PROBLEMS[0].id] == 2


def test_a_machine_that_fails_on_too_many_theorems_ends_the_stage(tmp_path: Path) -> None:
    down = Guess(down=frozenset(problem.id for problem in PROBLEMS[:2]))
    said = r"2 of 12 searches failed, more than max_unscored \(10%\) allows: ServiceDown: no session"
    with pytest.raises(InfraError, match=said):
        gather(tmp_path / "out", model=down)
    assert not (tmp_path / "out" / STATES).exists()
    assert gather(tmp_path / "enough", model=down, max_unscored=0.2)[0]["unscored"] == 2


class Killed(Exception):
    """Ends a collection from inside."""


def test_a_killed_collection_goes_on_to_the_same_files(tmp_path: Path) -> None:
    opened: list[str] = []

    class Watched(Guess):
        async def open(self, problem: Problem) -> Any:
            opened.append(problem.id)
            return await super().open(problem)

    def go(out: Path, kill: int = 0) -> tuple[dict[str, Any], list[int]]:
        told: list[int] = []

        def progress(done: int, total: int, figures: dict[str, float]) -> None:
            told.append(done)
            if done == kill:
                raise Killed

        model = Watched()
        tools = SearchTools(BatchedPolicy(model), None, WORLD, model)
        how = Collection(SEARCH, 1, 9, 4, None, 2, 0.1)
        return asyncio.run(collect.collect(how, PROBLEMS, tools, out, progress)), told

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    metrics, _ = go(whole)
    with pytest.raises(Killed):
        go(killed, kill=5)
    with (killed / JOURNAL).open("a") as file:
        file.write('{"record": {"half')  # a kill in the middle of a line
    done = {row["records"][0]["problem_id"] for _, row in read_rows(killed / JOURNAL)}
    assert len(done) == 5 and not (killed / STATES).exists()
    opened.clear()
    again, told = go(killed)
    assert told == list(range(6, 13)) and done.isdisjoint(opened) and len(opened) == 7
    assert again == metrics
    assert (killed / STATES).read_bytes() == (whole / STATES).read_bytes()
    assert without_times(killed) == without_times(whole)
    assert sorted(p.name for p in killed.iterdir()) == sorted(p.name for p in whole.iterdir())


def without_times(folder: Path) -> list[Any]:
    """The attempts, apart from how long they took."""

    def still(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: still(v) for k, v in data.items() if k != "seconds" and not k.endswith("_s")}

    return [still(row) for _, row in read_rows(folder / ATTEMPTS)]


def test_searches_that_the_machine_failed_on_are_tried_again(tmp_path: Path) -> None:
    down = Guess(down=frozenset(problem.id for problem in PROBLEMS[:2]))
    with pytest.raises(InfraError):
        gather(tmp_path / "out", model=down)
    model = Guess()
    how = Collection(SEARCH, 1, 9, 4, None, 2, 0.1)
    told: list[int] = []
    tools = SearchTools(model, None, WORLD, model)
    progress = lambda done, total, figures: told.append(done)  # noqa: E731
    metrics = asyncio.run(collect.collect(how, PROBLEMS, tools, tmp_path / "out", progress))
    assert told == [11, 12] and (metrics["solved"], metrics["unscored"]) == (12, 0)
