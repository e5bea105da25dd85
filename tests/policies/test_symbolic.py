"""The symbolic policy reads goals as Lean prints them."""

import asyncio

import pytest

from harness.errors import SpecError
from harness.policies.symbolic import SymbolicPolicy, connective, proposals, read
from harness.types import ProofState

GOAL = """case inl
α : Type
P Q : α → Prop
a : α
h1 : ∀ (x : α), P x → Q x
h2 : P a ∧
    Q a
h3 : P a ∨ Q a
h✝ : False
⊢ ∃ x, Q x"""


def tactics(goal: str) -> list[str]:
    return [item.tactic for item in proposals(goal)]


def test_a_goal_is_read_with_wrapped_lines_and_without_inaccessible_names():
    shape = read(GOAL)
    assert shape.target == "∃ x, Q x"
    assert dict(shape.hypotheses)["h2"] == "P a ∧ Q a"
    assert [name for name, _ in shape.hypotheses] == ["α", "P", "Q", "a", "h1", "h2", "h3"]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("P ∧ Q → R", "→"),
        ("(P → Q) ∧ R", "∧"),
        ("¬P ∨ Q", "∨"),
        ("¬(P ∨ Q)", "¬"),
        ("((P ∨ Q))", "∨"),
        ("∀ x, P x ∧ Q x", "∀"),
        ("P → ∃ x, Q x ↔ R", "→"),
        ("a = b ↔ P", "↔"),
        ("xs ++ [a] = ys", "="),
        ("P x", ""),
        ("", ""),
    ],
)
def test_the_outermost_symbol(text, symbol):
    assert connective(text) == symbol


def test_tactics_fit_the_shape_and_name_what_is_new():
    found = tactics(GOAL)
    assert {"refine ⟨a, ?_⟩", "apply h1", "obtain ⟨h4, h5⟩ := h2", "rcases h3 with h4 | h4"} <= set(found)
    assert not any(word in found for word in ("left", "constructor", "apply P", "refine ⟨h2, ?_⟩"))
    assert tactics("P Q : Prop\nh1 : P\n⊢ Q → P")[7] == "intro h2"
    assert "rw [h1]" in tactics("a b : Nat\nh1 : a = b\n⊢ b = a") and "induction a" in tactics(
        "a : Nat\n⊢ a = a"
    )
    assert len(found) == len(set(found))


def test_cheapest_first_at_most_k_and_no_whole_proofs():
    policy = SymbolicPolicy()
    states = [ProofState((GOAL,)), ProofState(("⊢ True", "⊢ False"))]
    first, second = (found.tactics for found in asyncio.run(policy.propose(states, [0, 0], 9)))
    assert len(first) == 9 and first[0].tactic == "assumption"
    assert [p.logprob for p in first] == sorted((p.logprob for p in first), reverse=True)
    assert "exfalso" not in [p.tactic for p in asyncio.run(policy.propose(states, [0, 0], 1))[1].tactics]
    assert [p.tactic for p in second][:2] == ["assumption", "rfl"]
    with pytest.raises(SpecError, match="no whole proofs"):
        asyncio.run(policy.sample([], []))


def test_subscripts_in_names_are_no_numbers():
    assert "intro h1" in tactics("h₀ : P\n⊢ P → Q")
