"""The searches for shortest proofs, against brute force and against another way to count."""

import itertools
import random

from harness.curriculum.equations import BOUND, equations, rewrite, shortest
from harness.curriculum.formula import entails
from harness.curriculum.logic import propositions, quantified
from harness.curriculum.script import script
from harness.curriculum.search import Goal, Searcher, moves

P, Q, R = (("atom", i) for i in range(3))


def plain_search(goal: Goal, budget: int) -> int | None:
    """Without memory, pruning or order: the least number of tactics, by trying everything."""
    if budget <= 0:
        return None
    best = None
    for move in moves(goal):
        total = 1
        for part in move.goals:
            cost = plain_search(part, budget - 1)
            if cost is None:
                break
            total += cost
        else:
            if total <= budget and (best is None or total < best):
                best = total
    return best


def test_shortest_proofs_are_shortest():
    rng = random.Random(3)

    def formula(size):
        if size == 0:
            return ("atom", rng.randrange(2))
        kind = rng.choice(("and", "or", "imp", "not"))
        if kind == "not":
            return (kind, formula(size - 1))
        left = rng.randrange(size)
        return (kind, formula(left), formula(size - 1 - left))

    lengths = set()
    for _ in range(150):
        goal = Goal(frozenset(formula(rng.randint(0, 2)) for _ in range(2)), 0, formula(rng.randint(1, 2)))
        expected = plain_search(goal, 5)
        assert Searcher().shortest(goal, 5) == expected
        lengths.add(expected)
    assert {None, 1, 2, 3, 4} <= lengths


def test_what_is_proved_is_true():
    rng = random.Random(4)
    for _ in range(300):
        atoms = [("atom", i) for i in range(2)]
        parts = [*atoms, ("not", atoms[0]), ("imp", *atoms), ("or", *atoms), ("and", *atoms), ("false",)]
        hypotheses, goal = rng.sample(parts, 2), ("imp", rng.choice(parts), rng.choice(parts))
        found = Searcher().shortest(Goal(frozenset(hypotheses), 0, goal), 5)
        assert found is None or entails(hypotheses, goal, 2)


def test_scripts_have_one_tactic_a_line_and_no_more_than_asked():
    for stream in (propositions(7, 8), quantified(7, 8)):
        theorems = list(itertools.islice(stream, 60))
        assert all(2 <= len(item.proof) <= 8 for item in theorems)
        assert not any("\n" in line or ";" in line for item in theorems for line in item.proof)
        assert len({item.key for item in theorems}) == 60


def test_names_of_a_script_follow_the_goal_they_act_on():
    both = ("or", ("and", P, Q), ("and", Q, P))
    goal = Goal(frozenset([both]), 0, Q)
    searcher = Searcher()
    assert searcher.shortest(goal, 6) == 5
    assert script(searcher, goal, [both], ()) == [
        "rcases h1 with h2 | h2",
        "obtain ⟨h3, h4⟩ := h2",
        "assumption",
        "obtain ⟨h3, h4⟩ := h2",
        "assumption",
    ]
    every = ("all", ("imp", ("pred", 0, (("bound", 0),)), ("pred", 1, (("bound", 0),))))
    some = ("ex", ("pred", 0, (("bound", 0),)))
    goal = Goal(frozenset([every, some]), 0, ("ex", ("pred", 1, (("bound", 0),))))
    assert searcher.shortest(goal, 6) == 4
    assert script(searcher, goal, [every, some], ()) == [
        "obtain ⟨x1, h3⟩ := h2",
        "have h4 := h1 x1 h3",
        "refine ⟨x1, ?_⟩",
        "assumption",
    ]


def test_rewriting_takes_the_first_instance_and_then_all_of_it():
    a, b = ("c", 0), ("c", 1)

    def f(term, symbol=0):
        return ("f", symbol, term)

    assert rewrite(("=", (f(f(a)), f(b))), f(BOUND), BOUND) == ("=", (f(a), f(b)))
    assert rewrite(("=", (f(a), f(f(a)))), f(BOUND), BOUND) == ("=", (a, f(a)))
    assert rewrite(("=", (f(a), a)), a, b) == ("=", (f(b), b))
    assert rewrite(("=", (a, a)), BOUND, f(BOUND)) is None and rewrite(("=", (a, a)), b, a) is None
    assert shortest([(a, b)], None, ("=", (f(a), f(b))), 3) == ("rw [h1]",)
    assert shortest([(a, b)], f(b), ("P", (f(a),)), 3) == ("rw [h1]", "assumption")
    assert shortest([(a, b)], f(b, 1), ("P", (f(a),)), 3) is None
    assert all(1 <= len(item.proof) <= 4 for item in itertools.islice(equations(1, 4), 50))
