"""Texts that real Lean 4.35 was seen to refuse or to take, and the core did not: one row each."""

from __future__ import annotations

import pytest

from harness.lean.core.session import prelude, run

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
