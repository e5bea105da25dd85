"""What a finished search teaches: distances to a proof, refuted states, names that do not matter."""

import random

import pytest

from harness.provers.search_tree import Edge, Node, SearchTree, canonical
from harness.types import ProofState, Step


def tree(edges, complete=()):
    """`edges[i] = [target, ...]`: an index, or the outcome of a tactic that led nowhere."""
    nodes = []
    for index, targets in enumerate(edges):
        made = [
            Edge(f"t{place}", Step.OPEN, target) if isinstance(target, int) else Edge(f"t{place}", target)
            for place, target in enumerate(targets)
        ]
        nodes.append(Node(index, ProofState((str(index),)), edges=made, complete=index in complete))
    return SearchTree(nodes)


def test_tactics_left_is_the_shortest_way_inside_the_tree():
    found = tree([[1, 2], [3], [Step.DONE], [Step.DONE, Step.INVALID], []])
    assert found.tactics_left() == {0: 2, 1: 2, 2: 1, 3: 1}
    assert found.best_tactic(0, found.tactics_left()) == "t1"


def test_tactics_left_against_brute_force():
    rng = random.Random(3)
    for _ in range(200):
        n = rng.randint(1, 8)
        edges = [[rng.randrange(n) for _ in range(rng.randint(0, 3))] for _ in range(n)]
        for targets in edges:
            if rng.random() < 0.2:
                targets.append(Step.DONE)
        left = tree(edges).tactics_left()
        for start in range(n):
            reach, steps = {start}, 1
            while steps <= n and not any(Step.DONE in edges[i] for i in reach):
                reach = {t for i in reach for t in edges[i] if isinstance(t, int)}
                steps += 1
            expected = steps if any(Step.DONE in edges[i] for i in reach) else None
            assert left.get(start) == expected


def test_refuted_needs_every_tactic_tried_and_failed():
    found = tree([[1, 2], [Step.INVALID], [Step.INVALID]], complete=(0, 1, 2))
    assert found.refuted() == {0, 1, 2}
    half_tried = tree([[1, 2], [Step.INVALID], [Step.INVALID]], complete=(0, 1))
    assert half_tried.refuted() == {1}


def test_a_tactic_out_of_time_refutes_nothing():
    assert tree([[Step.TIMEOUT]], complete=(0,)).refuted() == set()


def test_a_cycle_of_dead_ends_is_dead():
    assert tree([[1], [0, Step.INVALID]], complete=(0, 1)).refuted() == {0, 1}


def test_canonical_goals_ignore_names_and_nothing_else():
    assert canonical(("h : P\n⊢ P",)) == canonical(("g : P\n⊢ P",))
    assert canonical(("a b : Nat\n⊢ a + b = b",)) == canonical(("x y : Nat\n⊢ x + y = y",))
    assert canonical(("a b : Nat\n⊢ a + b = b",)) != canonical(("a b : Nat\n⊢ a + b = a",))
    assert canonical(("h : P\n⊢ P",)) != canonical(("h : Q\n⊢ Q",))
    assert canonical(("P Q : Prop\nh : P\n⊢ Q",)) != canonical(("P Q : Prop\nh : Q\n⊢ Q",))
    assert canonical(("case inl\nh : P\n⊢ P",)) != canonical(("case inr\nh : P\n⊢ P",))


@pytest.mark.parametrize(
    "goal", ["h :\n  {} {{x : ℝ | p x}} = s\n⊢ q", "h : q\n⊢ q ∧\n    {} {{x : ℝ | p x}} = s"]
)
def test_a_constant_before_a_colon_on_a_line_that_goes_on_is_not_local(goal: str):
    inner, outer = goal.format("interior"), goal.format("closure")
    assert canonical((inner,)) != canonical((outer,))
    assert canonical((inner,)) == canonical((inner.replace("h :", "hs :"),))


def test_a_name_after_a_dot_is_not_local():
    assert canonical(("succ : Nat\n⊢ Nat.succ succ = succ",)) != canonical(
        ("pred : Nat\n⊢ Nat.pred pred = pred",)
    )
