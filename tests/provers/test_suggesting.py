"""Suggestions: which come first, how a state is opened, and what is said when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from harness.errors import UserError
from harness.lean.services.embedded import CoreSessions
from harness.provers.priority import PrioritySpec, Ranking
from harness.provers.suggesting import Question, Suggester, Suggestions, script_of
from harness.types import Problem, ProofState, Proposal, Proposed, Sample, Step

GOAL = "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"
BY_LOGPROB = Ranking.of(PrioritySpec(alpha=1.0), None)
BY_VALUE = Ranking.of(PrioritySpec(alpha=0.0, value_scale="value"), None)


@dataclass
class Listed:
    """Proposes a list in its order, less likely each; remembers what it was asked."""

    tactics: tuple[str, ...]
    asked: list[ProofState] = field(default_factory=list)

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        self.asked += states
        found = tuple(Proposal(text, -1.0 - place, 1) for place, text in enumerate(self.tactics[:k]))
        return [Proposed(found) for _ in states]

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        raise AssertionError


class FewerGoals:
    """V is high where one goal is left."""

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        return [0.9 if len(state.goals) == 1 else 0.1 for state in states]


ALL = ("omega", "constructor", "have k : True := trivial", "exact ⟨h.2, h.1⟩")


def ask(question: Question, tactics: tuple[str, ...] = ALL, **more: object) -> Suggestions:
    given = {"ranking": BY_LOGPROB, "width": 8, "shown": 8} | more
    return asyncio.run(Suggester(Listed(tactics), CoreSessions(), **given).suggest(question))  # type: ignore[arg-type]


def test_what_closes_the_goal_comes_first_and_what_lean_refuses_last() -> None:
    found = ask(Question(GOAL)).found
    assert [(item.tactic, item.check) for item in found] == [
        (ALL[3], Step.DONE), (ALL[1], Step.OPEN), (ALL[2], Step.OPEN), (ALL[0], Step.INVALID)
    ]  # fmt: skip
    assert len(found[1].goals) == 2 and found[3].message
    assert [item.tactic for item in ask(Question(GOAL), shown=1).found] == [ALL[3]]


def test_a_value_model_orders_what_is_left() -> None:
    found = ask(Question(GOAL), ranking=BY_VALUE, value=FewerGoals()).found
    assert [(item.tactic, item.value) for item in found] == [
        (ALL[3], None), (ALL[2], 0.9), (ALL[1], 0.1), (ALL[0], None)
    ]  # fmt: skip
    assert [item.value for item in ask(Question(GOAL), value=FewerGoals()).found] == [None] * 4


def test_only_what_begins_with_the_prefix_is_told_and_the_policy_hears_of_it() -> None:
    policy = Listed(ALL)
    made = Suggester(policy, CoreSessions(), BY_LOGPROB, 8, 8)
    assert [item.tactic for item in asyncio.run(made.suggest(Question(GOAL, "exact "))).found] == [ALL[3]]
    assert policy.asked[0].prefix == "exact "
    with pytest.raises(UserError, match="longer than"):
        ask(Question(GOAL, "x" * 300))


TEXT = "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  constructor\n  · exact h.2\n  · "


def test_a_text_is_opened_at_the_cursor() -> None:
    told = ask(Question(context=TEXT), ("exact h.2", "exact h.1"))
    assert told.goals == ("case right\np q : Prop\nh : p ∧ q\n⊢ p",)
    assert [item.check for item in told.found] == [Step.DONE, Step.INVALID]
    assert ask(Question(told.goals[0], context=TEXT)).unchecked == ""


def test_a_text_that_does_not_lead_to_the_state_is_not_believed() -> None:
    """The printed state is opened by itself then."""
    told = ask(Question(GOAL, context=TEXT))
    assert told.unchecked == "" and told.goals == (GOAL,) and told.found[0].check is Step.DONE


def test_a_state_that_lean_does_not_read_back_is_answered_unchecked() -> None:
    told = ask(Question("x : Foo\n⊢ x = x"))
    assert [item.check for item in told.found] == [None] * 4 and "Foo" in told.unchecked
    assert [item.tactic for item in told.found] == list(ALL), "in the policy's own order"
    for question in (Question(), Question("no goals"), Question(context="theorem t : 1 = 2 := by\n  foo\n")):
        with pytest.raises(UserError):
            ask(question)


@pytest.mark.parametrize(
    ("tail", "steps"),
    [
        ("", []),
        (" := by", []),
        (" := by intro h", ["intro h"]),
        (" := by\n  intro h\n  simp\n    at h", ["intro h", "simp\n  at h"]),
        (" := by\n  -- a remark\n  constructor\n  · simp\n    rfl", ["constructor", "simp", "rfl"]),
        (" := by\n  constructor\n  · simp\n  · intro x\n    ", ["constructor", "· simp", "intro x"]),
    ],
)
def test_the_script_up_to_the_cursor(tail: str, steps: list[str]) -> None:
    assert script_of(tail) == steps
