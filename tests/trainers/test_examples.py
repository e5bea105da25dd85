"""Proofs cut into tactics, replayed, and turned into examples."""

from __future__ import annotations

import asyncio

import pytest

from harness import devices
from harness.benchmarks.loading import load
from harness.errors import ForeignText
from harness.lean.services.embedded import CoreSessions
from harness.types import Problem
from tests.toy_logic import World, make
from trainers import examples
from trainers.examples import Example, ProofStep


@pytest.mark.parametrize(
    ("proof", "tactics"),
    [
        ("", []),
        ("by\n  intro h\n  exact h", ["intro h", "exact h"]),
        ("by simp", ["simp"]),
        ("left\n· exact a\n· intro h\n  exact b", ["left", "· exact a", "· intro h\n  exact b"]),
        ("  cases h with\n  | inl a => exact a\n  | inr b => exact b\n  rfl",
         ["cases h with\n| inl a => exact a\n| inr b => exact b", "rfl"]),
        ("rw [\n  h]\n\nrfl", ["rw [\n  h]", "rfl"]),
        ("by_cases h : p\nsimp", ["by_cases h : p", "simp"]),
    ],
)  # fmt: skip
def test_tactics_of_a_block(proof: str, tactics: list[str]) -> None:
    assert examples.tactics_of(proof) == tactics


def test_replay_visits_every_state_and_refuses_what_does_not_close() -> None:
    world, problems = make(40)
    for problem in problems:
        gold = problem.gold or ""
        steps = asyncio.run(examples.replay(world, problem, gold))
        assert steps is not None and "\n".join(step.tactic for step in steps) == gold
        assert asyncio.run(examples.replay(world, problem, gold + "\nassumption")) is None
        assert asyncio.run(examples.replay(world, problem, "nonsense")) is None
        assert asyncio.run(examples.replay(world, problem, "\n".join(gold.split("\n")[:-1]))) is None


def test_a_completion_closes_its_first_goal_and_no_more() -> None:
    a, b, c = "⊢ A ∧ B", "⊢ A", "⊢ B"
    steps = [
        ProofStep((a,), "constructor"),
        ProofStep((b, c), "left"),
        ProofStep((b, c), "assumption"),
        ProofStep((c,), "assumption"),
    ]
    assert examples.examples(steps) == [
        Example("⊢ A ∧ B<sep>", "constructor\nleft\nassumption\nassumption"),
        Example("⊢ A<sep>", "left\nassumption"),
        Example("⊢ A<sep>", "assumption"),
        Example("⊢ B<sep>", "assumption"),
    ]


def test_a_tactic_over_several_lines_is_no_example_of_its_own() -> None:
    steps = [ProofStep(("⊢ A",), "intro h"), ProofStep(("⊢ B",), "cases h with\n| inl a => exact a")]
    assert [item.prompt for item in examples.examples(steps)] == ["⊢ A<sep>"]


def test_every_completion_proves_its_goal_in_the_toy_logic() -> None:
    world, problems = make(40)
    found, skipped = asyncio.run(examples.from_proofs(world, [(p, p.gold or "") for p in problems]))
    assert skipped == 0 and len(found) == len(set(found))
    initial = {item.prompt: item.completion for item in found}
    for problem in problems:
        state = asyncio.run(start(world, problem))
        assert initial[state + "<sep>"].split("\n") == (problem.gold or "").split("\n")


async def start(world: World, problem: Problem) -> str:
    return (await (await world.open(problem)).start()).goals[0]


def test_proofs_that_do_not_replay_are_counted() -> None:
    world, problems = make(3)
    found, skipped = asyncio.run(examples.from_proofs(world, [(problems[0], "wrong"), (problems[1], "")]))
    assert (found, skipped) == ([], 2)


def test_the_shortest_proof_of_each_theorem() -> None:
    _, (first, second, *_) = make(3)
    proofs = [(first, "a\nb\nc"), (second, "x"), (first, "long a\nb"), (first, "a\nb"), (first, "b\na")]
    assert examples.shortest_first(proofs) == [
        (first, ["a\nb", "b\na", "long a\nb", "a\nb\nc"]),
        (second, ["x"]),
    ]


def test_where_the_shortest_proof_does_not_replay_the_next_one_is_taken() -> None:
    world, (first, second, *_) = make(3)
    gold = first.gold or ""
    proofs = [(first, "no"), (second, "no"), (first, gold), (first, gold + "\nno more")]
    found, skipped = asyncio.run(examples.from_proofs(world, proofs))
    assert skipped == 1
    assert found == asyncio.run(examples.from_proofs(world, [(first, gold)]))[0] != []


def test_theorems_shared_out_to_processes_give_the_same_examples_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems = load("core-curriculum", "train")[:40]
    proofs = [(problem, problem.gold or "") for problem in problems] + [(problems[0], "nonsense")]
    sessions = CoreSessions()
    monkeypatch.setattr(devices, "cores", lambda: 1)
    alone = asyncio.run(examples.from_proofs(sessions, proofs))
    monkeypatch.setattr(devices, "cores", lambda: 2)
    monkeypatch.setattr(examples, "MANY", 10)
    monkeypatch.setattr(examples, "PART", 7)
    assert asyncio.run(examples.from_proofs(sessions, proofs)) == alone
    assert alone[0] and alone[1] == 0


def test_a_failure_of_the_machine_comes_back_from_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Problem("p", "toy", "test", "", "theorem p : Unheard", "p")
    monkeypatch.setattr(devices, "cores", lambda: 2)
    monkeypatch.setattr(examples, "MANY", 0.5)
    with pytest.raises(ForeignText, match="cannot state it"):
        asyncio.run(examples.from_proofs(CoreSessions(), [(foreign, "rfl")]))
