"""The fixed questions and answers that a family's digest is taken of. Changing one changes every digest."""

from __future__ import annotations

from harness.prompts.prompt import Situation
from harness.types import Fault, Hole, Problem, Turn

_PLAIN = Problem(
    id="probe",
    benchmark="probes",
    split="all",
    header="import Mathlib\n\nopen Nat\n\n",
    statement="theorem probe (a b : Nat) : a + b = b + a",
    theorem="probe",
    placeholder=" := by sorry",
    informal="Addition of natural numbers commutes.",
)
_WITH_ANSWER = Problem(
    id="answer",
    benchmark="probes",
    split="all",
    header="import Mathlib\n\nabbrev answer_solution : Nat := sorry\n\n",
    statement="/-- Which number is two? -/\ntheorem answer : 1 + 1 = answer_solution",
    theorem="answer",
    placeholder=" :=\n  sorry",
    holes=(Hole("answer_solution", "Nat", "2"),),
)
PROBLEMS = (_PLAIN, _WITH_ANSWER)
"""One with prose, one with a docstring and a known answer."""

SITUATIONS = (
    Situation(("a b : Nat\n⊢ a + b = b + a",), "probe"),
    Situation(
        ("case left\nh : p ∧ q\n⊢ p", "case right\nh : p ∧ q\n⊢ q"),
        "probe",
        ("intro h", "constructor"),
        "exact",
        ("theorem And.left : a ∧ b → a", "theorem And.right : a ∧ b → b"),
    ),
)
TURN = Turn(
    "I try simp.\n```lean4\ntheorem probe (a b : Nat) : a + b = b + a := by\n  simp\n```",
    "theorem probe (a b : Nat) : a + b = b + a := by\n  simp\n",
    (Fault("simp made no progress", (50, 54)), Fault("unsolved goals")),
)

ANSWERS = (
    "exact Nat.add_comm a b",
    "a b : Nat\n⊢ a + b = b + a:::omega",
    "<think>\nTry\n```lean4\nsimp\n```\n</think>\nSo:\n```lean4\ntheorem probe := by\n  omega\n```\ndone",
    "A plan.\n```lean4\ntheorem probe := by\n  sorry\n```\nThen\n```lean4\ntheorem probe := by\n  omega",
    "  omega\n```\n### Notes\n```lean4\nsimp\n```",
    "````markdown\n```lean\nomega\n```\n````",
    "<think>\nnever ends",
    "The proof is easy:\n\n  intro h\n  exact h\n\nThat is all.",
    "<a>Nat.add_comm</a> `inline` text",
)
