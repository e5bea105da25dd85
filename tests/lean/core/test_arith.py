"""omega and decide: what they prove, what they refuse and in which words."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

import pytest

from harness.lean.core.session import TacticResult, open_goal, prelude
from tests.lean.core.axioms import proof_axioms


def apply(statement: str, tactic: str) -> TacticResult:
    return open_goal(prelude(), "", f"theorem x {statement}").apply(tactic)


OMEGA = [
    "(a b : Nat) : a + b = b + a",
    "(a b c : Nat) (h : a < b) (k : b < c) : a + 1 < c",
    "(a b : Nat) (h : 2 * a = 2 * b + 1) : False",
    "(a b : Nat) (h : a ≠ b) : a < b ∨ b < a",
    "(a b : Nat) (h : a ≤ b) : a - b = 0",
    "(a b : Nat) (h : b ≤ a) : a - b + b = a",
    "(a : Nat) : a ≤ 5 → a < 6",
    "(P : Prop) (h : 1 = 2) : P",
    "(n : Nat) (h : ¬ n ≤ 3) : n > 3 ∧ n ≠ 0",
    "(x y : Nat) (h : x + y = 10) (k : x - y = 4) : x = 7 ∧ y = 3",
    "(a b : Nat) : a ≤ b ↔ ¬ b < a",
    "(f : Nat → Nat) (a : Nat) (h : f a + 3 ≤ 5) : f a < 3",
    "(a b : Nat) (h : 3 * a + 2 * b = 7) (k : a ≥ 1) (j : b ≥ 1) : a = 1 ∧ b = 2",
    "(a b : Nat) (h : a < b → b < a) : b ≤ a",
    "(a b : Nat) (h : ¬ (a < b ∧ b < a + 3)) (k : a < b) : b ≥ a + 3",
    "(a b c : Nat) (h : a - b - c = 0) (k : c ≤ 2) (j : b ≤ 1) : a ≤ 3",
    "(a b : Nat) (h : Nat.succ a = Nat.succ b) : a = b",
    "(a b : Nat) : (a + b) * 2 = 2 * a + b * 2",
]


@pytest.mark.parametrize("statement", OMEGA)
def test_omega_proves(statement: str) -> None:
    result = apply(statement, "omega")
    assert (result.error, result.status) == (None, "Completed")
    assert result.state is not None and "Classical.choice" not in proof_axioms(result.state)


def test_omega_says_what_it_could_not_do() -> None:
    failed = apply("(a b : Nat) : a < b", "omega")
    assert failed.error is not None and failed.error.startswith(
        "omega could not prove the goal:\na possible counterexample may satisfy the constraints\n"
    )
    assert "No usable constraints found" in str(apply("(p : Prop) (h : p) : p", "omega").error)


def linear(rng: random.Random) -> tuple[str, Callable[[dict[str, int]], bool]]:
    """A random linear relation over a, b, c."""
    coefficients = {x: rng.randint(-2, 2) for x in "abc"}
    constant, op = rng.randint(-3, 3), rng.choice("≤<=≠")
    left = [f"{k} * {x}" for x, k in coefficients.items() if k > 0] + (
        [str(constant)] if constant > 0 else []
    )
    right = [f"{-k} * {x}" for x, k in coefficients.items() if k < 0]
    right += [str(-constant)] if constant < 0 else []
    tests: dict[str, Callable[[int], bool]] = {
        "≤": lambda d: d <= 0,
        "<": lambda d: d < 0,
        "=": lambda d: d == 0,
        "≠": lambda d: d != 0,
    }
    text = f"{' + '.join(left) or '0'} {op} {' + '.join(right) or '0'}"
    return text, lambda v: tests[op](sum(k * v[x] for x, k in coefficients.items()) + constant)


def test_omega_agrees_with_evaluation() -> None:
    rng = random.Random(2)
    proved = missed = 0
    for _ in range(120):
        facts = [linear(rng) for _ in range(rng.randint(1, 4))]
        *given, goal = facts
        hypotheses = " ".join(f"(h{k} : {text})" for k, (text, _) in enumerate(given))
        result = apply(f"(a b c : Nat) {hypotheses} : {goal[0]}", "omega")
        rows = [dict(zip("abc", row, strict=True)) for row in product(range(8), repeat=3)]
        refuted = any(all(f(v) for _, f in given) and not goal[1](v) for v in rows)
        assert not (refuted and result.status == "Completed")
        assert result.state is None or result.status == "Completed", result.status
        proved += result.status == "Completed"
        missed += not refuted and result.status != "Completed"
    assert proved >= 20 and missed <= proved / 4


DECIDE = {
    "2 + 2 = 4": True,
    "2 + 2 = 5": False,
    "¬ (2 + 2 = 5)": True,
    "3 ≠ 4 ∧ 1 < 2": True,
    "10 * 10 ≤ 99 ∨ 3 > 2": True,
    "[1, 2] ++ [3] = [1, 2, 3]": True,
    "[1, 2] ≠ [1, 3]": True,
    "[[1], []] = [[1], [2]]": False,
    "3 ∈ [1, 2, 3]": True,
    "4 ∈ [1, 2, 3]": False,
    "¬ 4 ∈ [1, 2, 3]": True,
    "∀ n, n < 5 → n * n < 20": True,
    "∀ n, n < 5 → n * n < 10": False,
    "2 = 3 ↔ 1 = 0": True,
    "1 = 2 → False": True,
    "True ∧ ¬ False": True,
    "Bool.true ≠ Bool.false": True,
}


@pytest.mark.parametrize("statement", DECIDE)
def test_decide(statement: str) -> None:
    result = apply(f": {statement}", "decide")
    if DECIDE[statement]:
        assert (result.error, result.status) == (None, "Completed")
    else:
        assert str(result.error).startswith("Tactic `decide` proved that the proposition\n")
        assert apply(f": ¬ ({statement})", "decide").status == "Completed"


def test_decide_needs_a_closed_decidable_goal() -> None:
    assert "must not contain free variables" in str(apply("(n : Nat) : n = n", "decide").error)
    assert str(apply(": ∃ n : Nat, n = 3", "decide").error).startswith("failed to synthesize")
