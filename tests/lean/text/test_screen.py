"""The screen reads Lean, not text: words in comments and strings are free, hidden characters never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.lean.text.screen import COMMANDS, PARTS, screen


@pytest.mark.parametrize(
    "text",
    [
        "-- sorry axiom #eval",
        "/- sorry /- axiom -/ unsafe -/ simp",
        "/-- a sorry -/",
        'exact "sorry axiom" ▸ rfl',
        'r#"macro "quoted" sorry"#',
        "have sorry' := h; exact not_sorry",
        "exact h.sorry_free",
        "open Nat in simp",
        "set_option maxHeartbeats 400000 in simp",
        "set_option maxRecDepth 10 in simp",
        "@[simp] theorem a : 1 = 1 := rfl",
        "@[simp, local norm_cast, simps! apply] def a := 1",
        "attribute [local simp, -ext] foo",
        "attribute [instance] foo",
        "#check foo",
        "#print axioms foo",
        "exact #[1, 2].size",
        "have : #s = 3 := rfl",
        "exact Finset.prefix_sum",
        "intro init x",
        "rcases IO with ⟨a, b⟩",
        's!"{x} and {y}"',
    ],
)
def test_allowed(text: str) -> None:
    assert screen(text) is None


@pytest.mark.parametrize(
    ("text", "reason", "token", "line"),
    [
        ("simp\nsorry", "sorry", "sorry", 2),
        ("axiom a : 1 = 2\nby sorry", "sorry", "sorry", 2),
        ("-- x\n\nadmit", "sorry", "admit", 3),
        ("exact «sorryAx» _", "sorry", "«sorryAx»", 1),
        ("exact Foo.sorryAx.bar", "sorry", "Foo.sorryAx.bar", 1),
        ("/- -/ axiom a : 1 = 2", "refused", "axiom", 1),
        ("simp\n#eval 1", "refused", "#eval", 2),
        ("#guard_msgs in simp", "refused", "#guard_msgs", 1),
        ("open private x from y", "refused", "open private", 1),
        ("set_option debug.skipKernelTC true", "refused", "set_option debug.skipKernelTC", 1),
        ("set_option warn.sorry false", "refused", "set_option warn.sorry", 1),
        ("@[simp, implemented_by f] def a := 1", "refused", "attribute implemented_by", 1),
        ("@[local command_elab x] def a := 1", "refused", "attribute command_elab", 1),
        ("attribute [csimp] foo", "refused", "attribute csimp", 1),
        ("@[simp @[", "refused", "attribute within an attribute", 1),
        ("attribute [simp ( attribute [simp", "refused", "attribute within an attribute", 1),
        ("exact Lean.Elab.Tactic.foo", "refused", "Lean.Elab.Tactic.foo", 1),
        ("exact IO.getEnv", "refused", "IO.getEnv", 1),
        ("exact _root_.IO.getEnv", "refused", "_root_.IO.getEnv", 1),
        ("exact (Lean.ofReduceBool a b rfl)", "refused", "Lean.ofReduceBool", 1),
        ("decide +native", "refused", "native", 1),
        ("builtin_foo x", "refused", "builtin_foo", 1),
        ("simp /- open", "refused", "unterminated comment", 1),
        ('simp "open', "refused", "unterminated string", 1),
        ('s!"{sorryAx}"', "sorry", "sorryAx in a string", 1),
        ("a\n-- \u2028", "refused", "character U+2028", 2),
        ("a\x0b", "refused", "character U+000B", 1),
        ("a\u200b", "refused", "character U+200B", 1),
        ("\u202ea", "refused", "character U+202E", 1),
        ("a\x7f", "refused", "character U+007F", 1),
        ("\udc80", "refused", "character U+DC80", 1),
    ],
)
def test_refused(text: str, reason: str, token: str, line: int) -> None:
    found = screen(text)
    assert found is not None
    assert (found.reason, found.token, found.line) == (reason, token, line)
    assert token in found.detail


@given(st.text(max_size=60), st.sampled_from(sorted(COMMANDS | PARTS)))
def test_a_forbidden_word_is_found_wherever_it_stands_alone(before: str, word: str) -> None:
    clean = "".join(char for char in before if char.isalnum() or char in " \n()")
    assert screen(f"{clean} {word} ") is not None


@given(st.text(max_size=80))
def test_total(text: str) -> None:
    found = screen(text)
    assert found is None or found.line >= 1
