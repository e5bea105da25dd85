"""Texts that real Lean 4.35 was seen to refuse or to take, and the core did not: one row each."""

from __future__ import annotations

import pytest

from harness.lean.core.session import prelude, run

MATHLIB = [
    ("∃ k, k = n", "use n"),
    ("∃ k, k = n", "existsi n"),
    ("Q", "by_contra c\n  exact q c"),
    ("P", "cases' h with a b\n  exact a"),
    ("n = n", "induction' n with k ih\n  · rfl\n  · rfl"),
]
"""Statement and proof by a tactic that Mathlib brings."""
REFUSED = [
    ("theorem t (P Q : Prop) (p : P) (q : Q) : P ∧ Q := by apply ⟨p, q⟩", "expected type of this term"),
    ("theorem t (P Q : Prop) (p : P) : P ∨ Q := by\n  apply .inl\n  exact p", "Invalid dotted identifier"),
    (
        "theorem t (P : Prop) (h : P ∨ P) : P := by\n  cases h with\n"
        "  | inl p => exact p\n  | inr p => exact p\n  | inr p => exact p",
        "Duplicate alternative name `inr`",
    ),
    (
        "theorem t (n : Nat) : n = n := by\n  induction n with\n"
        "  | zero => rfl\n  | zero => rfl\n  | succ k => rfl",
        "Duplicate alternative name `zero`",
    ),
    (
        "theorem t (P : Prop) (h : P ∨ P) : P := by\n  cases h with\n"
        "  | _ => assumption\n  | inl p => exact p",
        "It must be the last alternative",
    ),
    ("theorem t (P : Prop) (h : P ∧ P) : P := by\n  have ⟨a, a⟩ := h\n  exact a", "`a` was already used"),
    ("theorem t (P : Prop) : P ∧ P → P := by\n  intro ⟨a, a⟩\n  exact a", "`a` was already used"),
    (
        "theorem t (P Q : Prop) (h : P ∨ P) (q : Q) : Q ∧ Q := by\n"
        "  rcases h with h | h\n  and_intros\n  exact q\n  exact q\n  exact ⟨q, q⟩",
        "The expected type `Q` is not an inductive type",
    ),
    (
        "theorem t (k : Nat) (h : k + 1 = 3) : 0 + (k + 1) = 3 := by\n  rw [Nat.add_zero]\n  exact h",
        "is expected to have type\n  0 + (k + 1) = 3",
    ),
    ("theorem A.mt : True := trivial\ntheorem A.t (P : Prop) (p : P) (h : ¬P) : ¬¬P := mt h p", "A.mt"),
]
TAKEN = [
    "theorem t (P : Prop) (h : P ∧ P) : P := by\n  obtain ⟨a, a⟩ := h\n  exact a",
    "theorem t (P : Prop) (p : P) : P := by\n  apply fun x => x\n  exact p",
    "theorem t (P Q : Prop) (p : P) : Q → P := by\n  apply fun _ => p",
    "theorem t (P : Prop) (h : False) : P := by\n  simp at h",
    "theorem t (P Q : Prop) (h : Q) (f : False) : P := by\n  simp_all",
    "theorem t {α : Type} (P : α → Prop) (e : ∃ x, P x) (h : ∀ x, P x) (a : α) : P a := by\n  simp_all",
    "theorem t (P Q : Prop) (h : P ∨ P) (q : Q) : Q ∧ Q := by\n"
    "  rcases h with h | h\n  and_intros\n  all_goals exact q",
    "theorem A.foo : 1 = 1 := rfl\ntheorem A.t : 1 = 1 := foo",
    "namespace A\ntheorem B.foo : 1 = 1 := rfl\ntheorem B.t : 1 = 1 := foo\nend A\n#check A.B.t",
]


def errors(text: str) -> list[str]:
    return [message.data for message in run(prelude(), text).messages if message.severity == "error"]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_refused(text: str, said: str) -> None:
    found = errors(text)
    assert found and said in found[0]


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize(("statement", "script"), MATHLIB)
def test_tactics_of_mathlib_are_known_behind_its_header(statement: str, script: str) -> None:
    text = f"theorem t (n : Nat) (P Q : Prop) (h : P ∧ Q) (q : ¬¬Q) : {statement} := by\n  {script}"
    assert "unknown tactic" in errors(text)[0]
    found = run(prelude(), f"import Mathlib\n\n{text}", header=True).messages
    assert [message.data for message in found if message.severity == "error"] == []


@pytest.mark.parametrize(
    ("tactic", "column"),
    [("exact h", 2), ("refine h", 2), ("exact (h)", 2), ("exact And.left h", 17), ("have k : Q := h", 16)],
)
def test_where_a_mismatch_is_told(tactic: str, column: int) -> None:
    """At the tactic for the whole of its term, else at the part."""
    text = f"theorem t (P Q : Prop) (h : P) : Q := by\n  {tactic}"
    [first, *_] = [m for m in run(prelude(), text).messages if m.severity == "error"]
    assert "mismatch" in first.data
    assert (first.pos.line, first.pos.column) == (2, column)
