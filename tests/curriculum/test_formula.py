"""Formulas: printing as Lean prints, canonical forms, truth against brute force."""

import itertools
import random

import pytest

from harness.curriculum.formula import FALSE, canonical, entails, idle, instantiate, renumbered, show, truth

P, Q, R = (("atom", i) for i in range(3))


def imp(left, right):
    return ("imp", left, right)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (imp(P, imp(Q, R)), "P → Q → R"),
        (imp(imp(P, Q), R), "(P → Q) → R"),
        (("or", ("and", P, Q), R), "P ∧ Q ∨ R"),
        (("and", ("or", P, Q), R), "(P ∨ Q) ∧ R"),
        (("and", P, ("and", Q, R)), "P ∧ Q ∧ R"),
        (("and", ("and", P, Q), R), "(P ∧ Q) ∧ R"),
        (("not", ("not", P)), "¬¬P"),
        (("not", ("and", P, Q)), "¬(P ∧ Q)"),
        (("iff", P, imp(Q, R)), "P ↔ Q → R"),
        (("iff", ("iff", P, Q), R), "(P ↔ Q) ↔ R"),
        (imp(P, FALSE), "P → False"),
    ],
)
def test_parentheses_are_those_that_lean_needs(formula, text):
    assert show(formula) == text


def test_binders_name_their_variables_and_are_bracketed_inside():
    inner = ("all", ("imp", ("pred", 0, (("bound", 0),)), ("pred", 1, (("var", 0),))))
    assert show(inner, ("a",)) == "∀ x, P x → Q a"
    assert show(("and", inner, P), ("a",)) == "(∀ x, P x → Q a) ∧ P"
    nested = ("ex", ("all", ("pred", 0, (("bound", 1), ("bound", 0)))))
    assert show(nested) == "∃ x, ∀ y, P x y"
    assert instantiate(nested[1], ("var", 3)) == ("all", ("pred", 0, (("var", 3), ("bound", 0))))


def test_canonical_forms_forget_names_and_the_order_of_hypotheses():
    rng = random.Random(1)

    def formula(size):
        if size == 0:
            return ("atom", rng.randrange(3))
        left = rng.randrange(size)
        return (rng.choice(("and", "or", "imp")), formula(left), formula(size - 1 - left))

    def renamed(item, names):
        return (
            ("atom", names[item[1]])
            if item[0] == "atom"
            else (item[0], *(renamed(x, names) for x in item[1:]))
        )

    for _ in range(200):
        hypotheses, goal = [formula(rng.randint(0, 3)) for _ in range(3)], formula(2)
        names = rng.sample(range(5), 3)
        other = [renamed(item, names) for item in rng.sample(hypotheses, 3)]
        assert canonical(hypotheses, goal) == canonical(other, renamed(goal, names))
    assert canonical([P], Q) != canonical([P], P)
    assert canonical([P], imp(Q, R)) == canonical([P, Q], R)
    assert renumbered((R, imp(R, P))) == (P, imp(P, Q))


def test_entailment_is_that_of_truth_tables():
    assert entails([P, imp(P, Q)], Q, 2) and not entails([imp(P, Q)], Q, 2)
    assert entails([], ("or", P, ("not", P)), 1) and entails([FALSE], P, 1)
    for values in itertools.product((False, True), repeat=2):
        assert truth(("iff", P, Q), values) == (values[0] == values[1])
        assert truth(imp(P, Q), values) == (not values[0] or values[1])


def test_idle_parts_are_seen():
    assert idle(imp(P, P)) and idle(("not", ("and", Q, Q))) and idle(("all", ("pred", 0, (("var", 0),))))
    assert not idle(imp(P, Q)) and not idle(("all", ("pred", 0, (("bound", 0),))))
