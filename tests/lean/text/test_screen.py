"""The screen: words in comments are free, since no comment is sent; what reads in two ways never is."""

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
        'fail "no such case, 3 of 4"',
        "-- \u2028 \u200d \U0001f600 \u00ad",
        "/-- a - b -/ theorem a : 1 = 1 := rfl",
        "rcases h with ⟨module, native, stop⟩",
        "simp [Elab]",
        "@[to_additive (attr := simp) foo] theorem a : 1 = 1 := rfl",
        "set_option maxSynthPendingDepth 3 in simp",
        "simp (config := { maxSteps := 10, arith := true })",
        "norm_num (config := .lemmasOnly)",
        "exact ∑' n, f '' (g ⁻¹' s)",
        "nlinarith [sq_nonneg (a-b), mul_pos ha hb, a^2+b*c]",
        "exact h.1.le.trans (lt_irrefl' x')",
        "fun x↦x",
        "have h_prefix : a ≤ b := hpartial",
        "have sorry' := h; exact not_sorry",
        "exact h.sorry_free",
        "open Nat in simp",
        "set_option maxHeartbeats 400000 in simp",
        "set_option maxRecDepth 10 in simp",
        "aesop (add unsafe 50% foo)",
        "aesop (add safe bar) (add unsafe 20% [apply foo, forward baz]) (config := { maxGoals := 9 })",
        "aesop? (add norm simp foo, unsafe 90% apply bar)",
        "@[aesop unsafe 50% apply] theorem a : 1 = 1 := rfl",
        "attribute [local aesop unsafe 10% [constructors, cases]] Foo",
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
        ("decide +native", "refused", "+native", 1),
        ("builtin_foo x", "refused", "builtin_foo", 1),
        ("simp /- open", "refused", "unterminated comment", 1),
        ('simp "open', "refused", "unterminated string", 1),
        ('s!"{sorryAx}"', "refused", "an interpolated string", 1),
        ('exact "sorry axiom" ▸ rfl', "refused", "axiom", 1),
        ('r#"macro "quoted" sorry"#', "refused", "a raw string", 1),
        (
            'panic! "{x}"',
            "refused",
            "'{' in a string: only letters, digits, blanks and common signs may stand in one",
            1,
        ),
        ("x = '\"'", "refused", "the character literal '\"'", 1),
        ("a ⊕'b c", "refused", "': a prime that is no part of a name", 1),
        ("a\n  b ⊕' c", "refused", "': a prime that is no part of a name", 2),
        ("f ''s", "refused", "'': a prime that is no part of a name", 1),
        ("a ~m b", "refused", "`m` touching `~`", 1),
        (
            "a ≡ b [MODset_option x]",
            "refused",
            "`MODset_option`, which ends in `set_option`, touching `[`",
            1,
        ),
        ("a →runsafe b", "refused", "`runsafe`, which ends in `unsafe`, touching `→`", 1),
        ("1set_option debug.x", "refused", "set_option debug.x", 1),
        ("exact 2foo", "refused", "`foo` touching `2`", 1),
        ("x //-1", "refused", "the comment mark /-", 1),
        ("exact «debug».skipKernelTC", "refused", "«debug».skipKernelTC", 1),
        ("a \u00a0b", "refused", "a no-break space (U+00A0) instead of a space", 1),
        ("open IO", "refused", "open IO", 1),
        ("open Nat _root_.IO in", "refused", "open _root_.IO", 1),
        ("namespace IO", "refused", "namespace IO", 1),
        ("open Lean Elab", "refused", "open Elab", 1),
        ("have x : IO Unit := .println y", "refused", "IO", 1),
        ("abbrev X := IO", "refused", "IO", 1),
        ("simp (config := c)", "refused", "config := .. c: only literals may stand in a configuration", 1),
        (
            "@[simps (config := { f := c })]",
            "refused",
            "config := .. c: only literals may stand in a configuration",
            1,
        ),
        ("@[reassoc (attr := command_elab X)]", "refused", "attribute command_elab", 1),
        ("@[to_additive (attr := simp, csimp) foo]", "refused", "attribute csimp", 1),
        ("@[aesop safe tactic] theorem a", "refused", "a tactic rule of aesop", 1),
        ("@[aesop safe] def a := b", "refused", "attribute aesop on a definition", 1),
        ("aesop (add safe tactic foo)", "refused", "a tactic rule of aesop", 1),
        ("aesop (add unsafe 50% tactic foo)", "refused", "a tactic rule of aesop", 1),
        ('aesop (add unsafe 50% "foo")', "refused", "a tactic rule of aesop", 1),
        ("@[aesop unsafe 50% tactic] theorem a", "refused", "a tactic rule of aesop", 1),
        ("@[aesop unsafe 50%] def a := b", "refused", "attribute aesop on a definition", 1),
        ("aesop (add unsafe foo)", "refused", "unsafe", 1),
        ("aesop (erase unsafe 50% foo)", "refused", "unsafe", 1),
        ("exact aesop (f (unsafe 50 % foo))", "refused", "unsafe", 1),
        ("simp (add unsafe 50% foo)", "refused", "unsafe", 1),
        ("def a := (unsafe 50 % foo)", "refused", "unsafe", 1),
        ("exact aesop (add a) (b, unsafe 50 % foo)", "refused", "unsafe", 1),
        ("@[simp, aesop safe (unsafe 50 % foo)] theorem a", "refused", "unsafe", 1),
        ("conv => run_conv x", "refused", "run_conv", 1),
        ("cbv_simproc x (y) := z", "refused", "cbv_simproc", 1),
        ("register_sym_simp x", "refused", "register_sym_simp", 1),
        ("unif_hint : a", "refused", "unif_hint", 1),
        ("include_str x", "refused", "include_str", 1),
        ("open ProofWidgets.Jsx", "refused", "ProofWidgets.Jsx", 1),
        ("a\u2028b", "refused", "character U+2028", 1),
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
    clean = "".join(char for char in before if char.isalnum() or char in " \n()").replace("IO", "")
    assert screen(f"{clean} {word} ") is not None


@given(st.text(max_size=80))
def test_total(text: str) -> None:
    found = screen(text)
    assert found is None or found.line >= 1
