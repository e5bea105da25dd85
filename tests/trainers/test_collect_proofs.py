"""Whole proofs of training theorems: which states are labelled how, and what a kill or a failure leaves."""

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
from harness.lean.services.embedded import CoreSessions
from harness.protocols import Candidate
from harness.records.journal import read_rows
from harness.types import Level, Problem, Record, Sample, Status, Usage, Verdict
from tests.toy_logic import Goal, World, apply, make, prove, show_goal
from tests.trainers.test_collect import without_times
from trainers import collect, collect_proofs, examples, trajectories
from trainers.collect_proofs import ProofTools, Sampling
from trainers.harvest import ATTEMPTS, JOURNAL
from trainers.trajectories import STATES, LabelledState

WORLD, PROBLEMS = make(10)
SAMPLES = 4
TACTICS = ("intro", "constructor", "left", "right", "assumption")


def proofs_of(goals: tuple[Goal, ...], most: int) -> list[list[str]]:
    """Every proof of at most so many tactics."""
    if not goals:
        return [[]]
    if not most:
        return []
    after = [(name, apply(goals, name)) for name in TACTICS]
    return [[name, *rest] for name, left in after if left is not None for rest in proofs_of(left, most - 1)]


@dataclass
class Writer:
    """Writes by seed one of a theorem's proofs, or what fails; sessions on some theorems may break down."""

    down: frozenset[str] = frozenset()
    """Ids of problems whose sessions the machine fails to open."""
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def propose(self, *args: object) -> Any:
        raise AssertionError("whole proofs propose no tactics")

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        self.asked += [(problem.id, seed) for problem, seed in zip(problems, seeds, strict=True)]
        written = [self.write(problem, seed) for problem, seed in zip(problems, seeds, strict=True)]
        return [Sample(text, text, -1.0, Usage(1, 5)) for text in written]

    def write(self, problem: Problem, seed: int) -> str:
        gold = prove(WORLD.goals[problem.id]) or []
        ways = proofs_of((WORLD.goals[problem.id],), len(gold) + 2)
        texts = ["\n".join(way) for way in ways] + ["left\nassumption\nintro", "constructor"]
        return texts[seed % len(texts)]

    async def open(self, problem: Problem) -> Any:
        for _ in range(len(problem.statement) % 7):
            await asyncio.sleep(0)
        if problem.id in self.down:
            raise ServiceDown("no session")
        return await WORLD.open(problem)


def quiet(*call: object) -> None:
    return None


def gather(
    out: Path,
    model: Any = None,
    *,
    verifier: Any = WORLD,
    problems: Sequence[Problem] = PROBLEMS,
    progress: Any = quiet,
    **limits: Any,
) -> tuple[dict[str, Any], list[LabelledState]]:
    model = model or Writer()
    out.mkdir(parents=True, exist_ok=True)
    how = Sampling(
        **{"samples": SAMPLES, "round_": 1, "seed": 5, "concurrency": 3, "max_attempts": 2} | limits
    )
    tools = ProofTools(model, verifier, model)
    metrics = asyncio.run(collect_proofs.collect(how, problems, tools, out, progress))
    return metrics, trajectories.read(out / STATES)


def attempts(out: Path) -> list[Record]:
    return [Record.from_json(row) for _, row in read_rows(out / ATTEMPTS)]


def test_labels_are_the_fewest_tactics_left_on_accepted_proofs(tmp_path: Path) -> None:
    metrics, states = gather(tmp_path)
    expected: dict[tuple[str, str], int] = {}
    for record in (found := attempts(tmp_path)):
        if record.verdict.status is Status.PROVED:
            tactics = (record.attempt.proof or "").split("\n")
            goals: tuple[Goal, ...] | None = (WORLD.goals[record.problem_id],)
            for place, tactic in enumerate(tactics):
                assert goals
                key = record.problem_id, "\n\n".join(map(show_goal, goals))
                expected[key] = min(expected.get(key, 99), len(tactics) - place)
                goals = apply(goals, tactic)
    assert {(state.problem_id, state.state): state.tactics_left for state in states} == expected
    assert len(states) == len(expected) == metrics["states_proof"] > 15
    assert {(state.kind, state.round) for state in states} == {("proof", 1)}
    proved = Counter(record.problem_id for record in found if record.verdict.status is Status.PROVED)
    assert (metrics["theorems"], metrics["attempts"], metrics["not_replayed"]) == (10, 40, 0)
    assert (metrics["solved"], metrics["proofs"]) == (len(proved), proved.total())
    assert 0 < metrics["proofs"] < 40 and max(proved.values()) > 1
    assert metrics["completion_tokens"] == 200
    assert {state.problem_id for state in states} == set(proved)


def test_a_state_that_two_proofs_meet_keeps_the_shorter_way(tmp_path: Path) -> None:
    problem = Problem("two", "toy", "train", "", "theorem two", "two")
    goal: Goal = (("P", ("∨", "P", "Q")), ("∨", "P", ("∨", "P", "Q")))
    ways = ["right\nleft\nassumption", "right\nassumption", "left\nassumption", "right\nright\nassumption"]

    class Listed(Writer):
        async def open(self, problem: Problem) -> Any:
            return await world.open(problem)

        def write(self, problem: Problem, seed: int) -> str:
            return ways[next(n for n in range(4) if attempt_seed(5, problem.id, 4 + n) == seed)]

    world = World({"two": goal})
    metrics, states = gather(tmp_path, Listed(), verifier=world, problems=[problem])
    left = {state.state.split("⊢ ")[1]: (state.tactics_left, state.tactic) for state in states}
    assert left == {"P ∨ (P ∨ Q)": (2, "right"), "P ∨ Q": (1, "assumption"), "P": (1, "assumption")}
    assert (metrics["proofs"], metrics["solved"], metrics["unscored"]) == (3, 1, 0)
    found = collect.proofs(tmp_path, {"two": problem})
    assert [examples.tactics_of(proof) for _, proof in found] == [way.split("\n") for way in ways[:3]]
    [(_, best)] = examples.shortest_first(found)
    assert examples.tactics_of(best[0]) == ["left", "assumption"]


def test_files_do_not_depend_on_concurrency_and_rounds_draw_other_proofs(tmp_path: Path) -> None:
    one, many, other = (tmp_path / name for name in ("one", "many", "other"))
    model = Writer()
    assert gather(one, model, concurrency=1) == gather(many, concurrency=50)
    assert (one / STATES).read_bytes() == (many / STATES).read_bytes()
    assert without_times(one) == without_times(many)
    keys = [(record.problem_id, record.attempt.index) for record in attempts(many)]
    assert keys == [(problem.id, n) for problem in PROBLEMS for n in range(SAMPLES)]
    later = Writer()
    gather(other, later, round_=2)
    assert not set(later.asked) & set(model.asked) and len(set(later.asked)) == 40


class Lenient:
    """Accepts one text that the sessions cannot follow, beside what is right."""

    def __init__(self) -> None:
        self.levels = set[Level]()

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.levels.add(level)
        passed = Verdict(Status.PROVED, "ok")
        return [passed if c.proof == "constructor" else WORLD.verdict(c) for c in candidates]

    async def close(self) -> None:
        return None


def test_a_proof_that_does_not_replay_is_a_proof_without_states(tmp_path: Path) -> None:
    class Stubborn(Writer):
        def write(self, problem: Problem, seed: int) -> str:
            return "constructor"  # the sessions never take it for a whole proof

    judge = Lenient()
    metrics, states = gather(tmp_path, Stubborn(), verifier=judge)
    assert (metrics["proofs"], metrics["not_replayed"], metrics["solved"]) == (40, 40, 10)
    assert states == [] and metrics["unscored"] == 0 and judge.levels == {Level.FAST}
    assert len(collect.proofs(tmp_path, {problem.id: problem for problem in PROBLEMS})) == 40


def test_what_the_machine_cannot_follow_is_unscored_and_ends_the_stage_where_it_is_much(
    tmp_path: Path,
) -> None:
    down = Writer(down=frozenset(problem.id for problem in PROBLEMS))
    said = (
        r"of 40 proofs failed, more than max_unscored \(2%\) allows: the accepted proof could not be followed"
    )
    with pytest.raises(InfraError, match=said):
        gather(tmp_path, down, max_attempts=1)
    assert not (tmp_path / STATES).exists()
    again = Writer()
    metrics, _ = gather(tmp_path, again)
    assert metrics == gather(tmp_path / "calm")[0]
    assert metrics["unscored"] == 0 and {name for name, _ in again.asked} == {
        state.problem_id for state in trajectories.read(tmp_path / STATES)
    }
    one = Writer(down=frozenset([PROBLEMS[0].id]))
    metrics, states = gather(tmp_path / "one", one, max_attempts=1, max_unscored=0.1)
    assert metrics["unscored"] > 0 and PROBLEMS[0].id not in {state.problem_id for state in states}


def test_a_failure_to_follow_that_passes_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_proofs, "RETRY_PAUSE_S", 0.0)

    class Flaky(Writer):
        async def open(self, problem: Problem) -> Any:
            failed = problem.id in self.down
            self.down |= {problem.id}
            if not failed and problem is PROBLEMS[0]:
                raise ServiceDown("no session")
            return await WORLD.open(problem)

    assert gather(tmp_path / "flaky", Flaky()) == gather(tmp_path / "calm")


class Killed(Exception):
    """Ends a collection from inside."""


def test_a_killed_collection_goes_on_to_the_same_files(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    metrics, _ = gather(whole)

    def progress(done: int, total: int, figures: dict[str, float]) -> None:
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        gather(killed, progress=progress)
    with (killed / JOURNAL).open("a") as file:
        file.write('{"records": [{"half')
    done = {row["records"][0]["problem_id"] for _, row in read_rows(killed / JOURNAL)}
    model = Writer()
    assert gather(killed, model)[0] == metrics
    assert 4 <= len(done) < 10 and len(model.asked) == SAMPLES * (10 - len(done))
    assert done.isdisjoint(name for name, _ in model.asked)
    assert (killed / STATES).read_bytes() == (whole / STATES).read_bytes()
    assert without_times(killed) == without_times(whole)
    assert sorted(path.name for path in killed.iterdir()) == sorted(path.name for path in whole.iterdir())


FILE = """import Mathlib

/-- the task -/
theorem t (p q : Prop) (hp : p) (hq : q) : p ∧ q := by
  -- both parts
  constructor -- two goals
  /- the first -/
  · exact hp
  · have h : q := by
      exact hq
    exact h
"""


@pytest.mark.parametrize(
    ("answer", "tactics"),
    [
        (FILE, ["constructor", "· exact hp", "· have h : q := by\n    exact hq\n  exact h"]),
        ("by\n  -- so\n  exact ⟨hp, hq⟩", ["exact ⟨hp, hq⟩"]),
        ("by_contra h\nexact h ⟨hp, hq⟩", ["by_contra h", "exact h ⟨hp, hq⟩"]),
        (":= ⟨hp, hq⟩", ["⟨hp, hq⟩"]),
        ("", []),
    ],
)
def test_of_an_answer_the_tactics_under_the_statement_are_followed(answer: str, tactics: list[str]) -> None:
    statement = "theorem t (p q : Prop) (hp : p) (hq : q) : p ∧ q"
    problem = Problem("t", "toy", "train", "import Mathlib\n\n", statement, "t")
    assert examples.tactics_of(examples.tactic_block(problem, answer)) == tactics


def test_a_whole_file_with_blocks_and_comments_is_labelled_by_the_embedded_core() -> None:
    statement = "theorem t (p q : Prop) (hp : p) (hq : q) : p ∧ q"
    problem = Problem("t", "toy", "train", "", statement, "t", toolchain="core")
    block = examples.tactic_block(problem, FILE)
    steps = asyncio.run(examples.replay(CoreSessions(), problem, block)) or []
    states = collect_proofs.labelled(problem, steps, 0)
    assert [(state.tactics_left, len(state.goals)) for state in states] == [(3, 1), (2, 2), (1, 1)]
    assert [state.goals[0].split("⊢ ")[1] for state in states] == ["p ∧ q", "p", "q"]
