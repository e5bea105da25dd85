"""Printed goals as statements: what Lean prints of them again is the goal."""

from __future__ import annotations

import asyncio

import pytest

from harness.lean.services.embedded import CoreSessions
from harness.lean.text.printed import read_goal, same_goal, statement_of
from harness.types import Problem


@pytest.mark.parametrize(
    "goal",
    [
        "p q : Prop\nh : p ∧ q\n⊢ q ∧ p",
        "case inl\nα : Type\nxs ys : List α\nf : α → α\nh✝ : xs = ys\n⊢ List.map f xs = List.map f ys",
        "⊢ ∀ (n : Nat), n + 0 = n",
        "n : Nat\nih : 0 + n =\n    n\n⊢ 0 + (n + 1) =\n    n + 1",
    ],
)
def test_the_core_reads_its_own_goals_back(goal: str) -> None:
    async def opened() -> str:
        problem = Problem("p", "", "", "", statement_of(goal), "suggested")
        session = await CoreSessions().open(problem)
        return (await session.start()).goals[0]

    assert same_goal(asyncio.run(opened()), goal)


def test_universes_instances_and_unusable_names() -> None:
    told = "α : Type u_2\nβ : Type u_1\ninst✝¹ : Group α\nx✝ : α\nh : x✝ = 1\n⊢ x✝ = 1"
    assert statement_of(told) == (
        "theorem suggested.{u_1, u_2} (α : Type u_2) (β : Type u_1) [Group α] (x_old : α) (h : x_old = 1) "
        ": x_old = 1"
    )
    assert not same_goal(told, told.replace("x✝ = 1\n", "x✝ = 2\n"))
    assert read_goal("no goals").target == ""
