"""Where the core once differed from real Lean 4.35: asked there, and the same here since."""

from __future__ import annotations

import pytest

from harness.lean.core.session import prelude, run

ACCEPTED = {
    "a name of the theorem's own namespace comes first": "theorem A.x : 1 = 1 := rfl\n"
    "theorem x : 2 = 2 := rfl\ntheorem A.b : 1 = 1 := x",
    "and in tactics": "theorem A.x : 1 = 1 := rfl\ntheorem x : 2 = 2 := rfl\n"
    "theorem A.b : 1 = 1 := by exact x",
    "and inside a namespace": "namespace N\ntheorem A.x : 1 = 1 := rfl\ntheorem A.b : 1 = 1 := x\nend N",
    "eta for structures": "theorem t (p : Nat × Nat) : (p.1, p.2) = p := rfl",
    "eta by a tactic": "theorem t (p : Nat × Nat) : p = (p.1, p.2) := by rfl",
    "eta below a function": "theorem t (f : Nat × Nat → Nat) (p : Nat × Nat) : f (p.1, p.2) = f p := rfl",
    "reverse by its lemma": "theorem t (a : Nat) (l : List Nat) : "
    "(a :: l).reverse = l.reverse ++ [a] := by simp",
    "reverse of a literal": "theorem t : [1, 2, 3].reverse = [3, 2, 1] := rfl",
    "numeral offsets": "theorem t (a b : Nat) (h : a + 8 = b) : a + 4 + 4 = b := by rw [h]",
    "False among the hypotheses": "theorem t (p q : Prop) (h : False) (g : p) : q := by simp_all",
    "a type where a proposition may stand": "theorem t {α : Type} (P : α → Prop) (a : α) (h1 : ∀ x, P x) "
    "(h2 : ∀ x, ¬P x) (h3 : ∃ x, ¬P x) : ∀ x, P x ∧ P a := by\n"
    "  have h4 := h2 a\n  have h5 := h1 a\n  simp_all",
}
REFUSED = {
    "reverse of a variable is no computation": "theorem t (a : Nat) (l : List Nat) : "
    "(a :: l).reverse = l.reverse ++ [a] := rfl",
    "eta of another value": "theorem t (p q : Nat × Nat) : (p.1, q.2) = p := rfl",
    "no eta for lists": "theorem t (l : List Nat) : l = [] := rfl",
    "a name of another namespace": "theorem A.x : 1 = 1 := rfl\ntheorem B.b : 1 = 1 := x",
    "a name from the root": "theorem A.x : 1 = 1 := rfl\ntheorem _root_.A.c : 1 = 1 := x",
}


def errors(source: str) -> list[str]:
    return [m.data for m in run(prelude(), source).messages if m.severity == "error"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_lean_accepts_is_accepted(name: str) -> None:
    assert errors(ACCEPTED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_lean_refuses_is_refused(name: str) -> None:
    assert errors(REFUSED[name])
