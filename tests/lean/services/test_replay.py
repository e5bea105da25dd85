"""States from proofs: labels come from a replay that closes every goal, or there are none."""

from __future__ import annotations

import asyncio

import pytest

from harness.lean.services.embedded import CoreVerifier
from harness.lean.services.pool import PoolSettings, ReplPool
from harness.lean.services.repl import Program
from harness.lean.services.replay import Applied, ProvedStep, Recorded, replay, steps_in_core, steps_in_repl
from harness.lean.verdicts.checking import assembled
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Verdict

TOY = Problem("t", "toy", "test", "", "theorem t : G", "t")
HEADER = "import Mathlib\n\n"


async def toy(state: tuple[str, ...], tactic: str) -> Applied | None:
    """`split` makes two goals of the first, `close` ends it, `have ..` leaves it; the rest is refused."""
    first, *rest = state
    made = {"split": [first + "l", first + "r"], "close": [], "split <;> close": []}
    if tactic.startswith("have"):
        goals = state
    elif tactic in made:
        goals = (*made[tactic], *rest)
    else:
        return None
    return Applied(goals or None, goals)


def toy_steps(proof: str, *recorded: tuple[str, tuple[str, ...]]) -> list[ProvedStep]:
    """Replay of `proof`; `recorded` names its tactics in order, each with its state."""
    assembly = assembled(Candidate(TOY, proof), 1000)
    found, place = [], 0
    for text, goals in recorded:
        start = assembly.candidate.index(text, place)
        place = start if text.startswith("have") or "<;>" in text else start + 1
        found.append(Recorded(start, start + len(text), goals, goals))
    return asyncio.run(replay(assembly, found, Recorded(0, 0, ("G",), ("G",)), toy))


def test_bullets_are_unfolded_and_states_hold_all_goals() -> None:
    steps = toy_steps(
        "by\n  split\n  · close\n  · close", ("split", ("G",)), ("· close", ("Gl",)), ("close", ("Gl",)),
        ("· close", ("Gr",)), ("close", ("Gr",)),
    )  # fmt: skip
    assert steps == [
        ProvedStep("G", "split", 3, True),
        ProvedStep("Gl\n\nGr", "close", 2, True),
        ProvedStep("Gr", "close", 1, True),
    ]


def test_a_joined_tactic_is_one_step() -> None:
    steps = toy_steps("by split <;> close", ("split", ("G",)), ("close", ("Gl",)))
    assert steps == [ProvedStep("G", "split <;> close", 1, True)]


def test_an_inner_block_is_a_trajectory_of_its_own() -> None:
    steps = toy_steps(
        "by\n  have h : H := by\n    split\n    close\n    close\n  close",
        ("have h : H := by\n    split\n    close\n    close", ("G",)),
        ("split", ("H",)), ("close", ("Hl", "Hr")), ("close", ("Hr",)), ("close", ("G",)),
    )  # fmt: skip
    whole = [step for step in steps if step.whole]
    # Before and after the `have` the goals are the same here; the state nearer to the end stands for both.
    assert [(step.state, step.left) for step in whole] == [("G", 1)]
    assert [(step.state, step.tactic, step.left) for step in steps if not step.whole] == [
        ("H", "split", 3), ("Hl\n\nHr", "close", 2), ("Hr", "close", 1)
    ]  # fmt: skip


def test_a_block_that_does_not_close_has_no_labels() -> None:
    assert toy_steps("by\n  split\n  close", ("split", ("G",)), ("close", ("Gl", "Gr"))) == []
    assert toy_steps("by\n  odd\n  close", ("odd", ("G",)), ("close", ("G",))) == []


CASES = [
    (
        "theorem t (P Q : Prop) (h : P ∨ Q) : Q ∨ P",
        "by\n  cases h with\n  | inl p =>\n    apply Or.inr\n    exact p\n  | inr q => exact Or.inl q",
        {"cases h": 1, "apply Or.inr": 2, "exact p": 1, "exact Or.inl q": 1},
    ),
    (
        "theorem t (P Q : Prop) (h : P ∧ Q) : Q ∧ P",
        "by\n  constructor\n  · exact h.2\n  · exact h.1",
        {"constructor": 3, "exact h.2": 2, "exact h.1": 1},
    ),
    (
        "theorem t (P Q : Prop) (h : P ∧ Q) : Q ∧ P",
        "by\n  have q : Q := by\n    exact h.2\n  exact ⟨q, h.1⟩",
        {"have q": 2, "exact h.2": 1, "exact ⟨q": 1},
    ),
    ("theorem t (P : Prop) (h : P) : P", "h", {"exact h": 1}),
    ("theorem t (P : Prop) : P → P", "fun h => by exact h", {"exact fun h": 1, "exact h": 1}),
]


def core_steps(problem: Problem, proof: str) -> list[ProvedStep]:
    async def run() -> list[ProvedStep]:
        candidate = Candidate(problem, proof)
        (verdict,) = await CoreVerifier().check([candidate], Level.STRICT)
        assert verdict.status is Status.PROVED, verdict
        return await steps_in_core(candidate, verdict)

    return asyncio.run(run())


@pytest.mark.parametrize(("statement", "proof", "expected"), CASES)
def test_proofs_in_the_core(statement: str, proof: str, expected: dict[str, int]) -> None:
    steps = core_steps(Problem("t", "toy", "test", HEADER, statement, "t"), proof)
    found = {start: step.left for step in steps for start in expected if step.tactic.startswith(start)}
    assert found == expected and len(steps) == len(expected)
    assert all("⊢" in step.state for step in steps)


def test_the_repl_gives_the_same_steps() -> None:
    async def run() -> None:
        pool = ReplPool(Program.of_core(2048), PoolSettings(1, 30.0, 60.0))
        verdict = Verdict(Status.PROVED, "ok")
        for statement, proof, _ in CASES:
            candidate = Candidate(Problem("t", "toy", "test", HEADER, statement, "t"), proof)
            assert await steps_in_repl(pool, candidate, verdict) == await steps_in_core(candidate, verdict)
        await pool.close()

    asyncio.run(run())


def test_only_proofs_that_passed_are_replayed() -> None:
    candidate = Candidate(Problem("t", "toy", "test", HEADER, CASES[0][0], "t"), CASES[0][1])
    for status in (Status.REJECTED, Status.TIMEOUT, Status.INFRA):
        assert asyncio.run(steps_in_core(candidate, Verdict(status, "error"))) == []
