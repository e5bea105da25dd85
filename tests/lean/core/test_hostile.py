"""Input made to crash or to hang the core gives an error, and quickly."""

from __future__ import annotations

import time

import pytest

from harness.lean.core.elab_declarations import FILE_FACTOR, Elaboration
from harness.lean.core.kernel import DEFAULT_STEPS, Constant, KernelTimeout
from harness.lean.core.session import StepLimits, prelude, run
from harness.lean.core.term import Const

HOSTILE = {
    "parentheses": "example : True := " + "(" * 10_000 + "trivial" + ")" * 10_000,
    "brackets": "example : True := " + "⟨" * 5_000,
    "closing": "example : True := by exact " + ")" * 5_000,
    "numeral": "example : " + "9" * 10_000 + " = 1 := by decide",
    "powers": "example : 9 ^ 9 ^ 9 ^ 9 = 1 := by decide",
    "power": "example : 2 ^ 100000000 = 1 := rfl",
    "product": "example : 99999999 * 99999999 = 1 := by rfl",
    "beyond numerals": "example : 10 ^ 4000 * 10 ^ 4000 = 0 := by rfl",
    "index": "example (h : True ∧ True) : True := h." + "9" * 5_000,
    "superscript": "example (h : True ∧ True) : True := h.«²»",
    "conjunction": "example : " + " ∧ ".join(["True"] * 100_000) + " := by simp",
    "binders": "example : " + "∀ x : Nat, " * 3_000 + "True := by simp",
    "repeat": "example (p : Prop) (h : p → p) : p := by repeat apply h",
    "repeat skip": "example : False := by repeat skip",
    "loop": "example (a b : Nat) (h : a = b) (h2 : b = a) : a = 3 := by simp [h, h2]",
    "doubling": "example (p : Prop) : p := by "
    + "".join(["have h := (fun x : Prop => x ∧ x) "] * 60)
    + "p; done",
    "match on a numeral": "example (n : Nat) : n = n := match n with | 1000 => rfl | _ => rfl",
    "have lines": "example (n : Nat) : n = n := by\n" + "  have h : n = n := rfl\n" * 20_000 + "  rfl",
    "bounded decide": "example : ∀ a, a < 40 → ∀ b, b < 40 → ∀ c, c < 40 → a + b = b + a := by decide",
    "splits": "example " + " ".join(f"(h{k} : p{k} ∨ q{k})" for k in range(14)) + " : False := by simp_all",
    "omega": "example (a b c d e f g i : Nat) "
    + " ".join(f"(h{k} : {k}*a - {k + 1}*b ≠ {k}*c + d - e ∨ {k}*f ≠ g - i)" for k in range(12))
    + " : False := by omega",
    "church": "example : (fun f : (Nat → Nat) → Nat → Nat => f (f (f (f (fun n => n)))))"
    " (fun g n => g (g (g (g n)))) = Nat.succ := rfl",
    "first": "example : False := by " + "first | (" * 300 + "rfl",
    "all_goals": "example : False := by all_goals (try all_goals (try all_goals (repeat all_goals skip)))",
    "by": "example : False := by\n" + "  exact (by\n" * 2_000,
    "comment": "example : False := by /- never closed",
    "levels": "universe "
    + " ".join(f"u{k}" for k in range(24))
    + "\nexample : Sort (imax u0 "
    + "".join(f"(imax u{k} " for k in range(1, 23))
    + "u23"
    + ")" * 22
    + ") = Sort (imax u23 "
    + "".join(f"(imax u{k} " for k in range(22, 0, -1))
    + "u0"
    + ")" * 22
    + ") := rfl",
    "wide level": "universe u v\nexample : Type := Sort (max " + "u v " * 20_000 + ")",
    "shared holes": "example : 1 + 1 = 2 := by\n  refine (@And.left (1 + 1 = 2) ?m ?k)\n"
    + "".join(f"  refine (?m{k} ∧ ?m{k})\n" for k in range(19)),
    "string": 'example : False := by exact "never closed',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_an_error_and_quick(name: str) -> None:
    begin = time.process_time()
    result = run(prelude(), HOSTILE[name], limits=StepLimits(heartbeats=20_000))
    assert time.process_time() - begin < 6
    if name not in ("conjunction", "binders"):
        assert any(m.severity == "error" for m in result.messages)


def test_many_slow_declarations_are_bounded_together() -> None:
    slow = "theorem t{} (a b c : Nat) : a + b + c = c + b + a := by omega\n"
    one = run(prelude(), slow.format(0), limits=StepLimits(heartbeats=200_000))
    assert one.messages == ()
    alone = next(n for n in range(1, 1000) if not errors(slow.format(0), n))
    told = errors("".join(slow.format(n) for n in range(30)), alone)
    assert len(told) == 30 - FILE_FACTOR and all("heartbeats" in text for text in told)


def test_the_kernel_is_bounded_over_the_whole_file_too() -> None:
    session = Elaboration(prelude())
    session.checked = DEFAULT_STEPS
    with pytest.raises(KernelTimeout):
        session.add(Constant("probe", "theorem", (), Const("True"), Const("True.intro")))


def errors(source: str, heartbeats: int) -> list[str]:
    return [message.data for message in run(prelude(), source, limits=StepLimits(heartbeats)).messages]
