"""The parser: precedences, columns, error wording, recovery, and no way to crash it."""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lean.core import syntax as s
from harness.lean.core import syntax_commands as c
from harness.lean.core import syntax_tactics as t
from harness.lean.core.parser import (
    SyntaxFailure,
    input_message,
    parse_commands,
    parse_tactic,
    parse_tactic_seq,
    parse_term,
)


def shape(node: object) -> str:
    """A term with every operator and application parenthesised; other nodes by class name and parts."""
    match node:
        case s.Ident():
            return ("@" if node.explicit else "") + node.name
        case s.NumLit():
            return str(node.value)
        case s.BinOp():
            return f"({shape(node.lhs)} {node.op} {shape(node.rhs)})"
        case s.Arrow():
            return f"({shape(node.domain)} → {shape(node.codomain)})"
        case s.PrefixOp():
            return f"({node.op}{shape(node.arg)})"
        case s.App():
            return f"({' '.join(shape(a) for a in (node.fn, *node.args))})"
        case s.NamedArg():
            return f"({node.name}:={shape(node.value)})"
        case s.Proj():
            return f"{shape(node.target)}.{node.field}"
        case s.Binder():
            kind = node.kind.value
            name = shape(node.pattern) if node.pattern else node.name
            bound = f" {node.pred.op} {shape(node.pred.bound)}" if node.pred else ""
            return f"{kind[0]}{name}{':' + shape(node.type) if node.type else ''}{bound}{kind[1]}"
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        parts = [getattr(node, f.name) for f in dataclasses.fields(node) if f.name not in ("start", "end")]
        return f"{type(node).__name__}[{' '.join(shape(p) for p in parts)}]"
    if isinstance(node, tuple):
        return "<" + " ".join(shape(p) for p in node) + ">"
    return str(node)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + b * c = d ∧ e ∨ f → g ↔ h", "((((((a + (b * c)) = d) ∧ e) ∨ f) → g) ↔ h)"),
        ("a - b - c", "((a - b) - c)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("a :: b :: l ++ m", "((a :: (b :: l)) ++ m)"),
        ("a ∧ b ∧ c", "(a ∧ (b ∧ c))"),
        ("p → q → r", "(p → (q → r))"),
        ("¬ a = b ∧ c", "((¬(a = b)) ∧ c)"),
        ("f ¬p x", "(f (¬(p x)))"),
        ("f x.1 y.left (g z).2.1", "(f x.1 y.left (g z).2.1)"),
        ("f <| g <| x", "(f (g x))"),
        ("x |> f |> g", "(g (f x))"),
        ("h x |>.1 y", "((h x).1 y)"),
        ("f ∘ g ∘ h", "(f ∘ (g ∘ h))"),
        ("h ▸ rfl", "(h ▸ rfl)"),
        ("- x ^ 2 + y", "((-(x ^ 2)) + y)"),
        ("@Nat.rec", "@Nat.rec"),
        ("f (n := 2) x", "(f (n:=2) x)"),
        ("a <= b", "(a ≤ b)"),
        ("p /\\ q -> r", "((p ∧ q) → r)"),
        ("∀ x y : Nat, x = y", "Pi[<(x:Nat) (y:Nat)> (x = y)]"),
        ("∀ (x : ℕ) {y}, x = y", "Pi[<(x:Nat) {y}> (x = y)]"),
        ("∃ x > 0, p x", "BinderOp[∃ <(x > 0)> (p x)]"),
        ("∃ x ∈ l, ∀ y ∈ m, p", "BinderOp[∃ <(x ∈ l)> Pi[<(y ∈ m)> p]]"),
        ("(x : Nat) → p x", "Pi[<(x:Nat)> (p x)]"),
        ("{α : Type} → α", "Pi[<{α:SortTerm[Type None]}> α]"),
        ("(x : Nat)", "Ascription[x Nat]"),
        ("fun x (h : p) ⟨a, b⟩ => e", "Fun[<(x) (h:p) (AnonymousCtor[<a b>])> e]"),
        ("fun x y : Nat ↦ x", "Fun[<(x:Nat) (y:Nat)> x]"),
        ("(· + 1)", "Fun[<(x✝1)> (x✝1 + 1)]"),
        ("(f · a ·)", "Fun[<(x✝1) (x✝2)> (f x✝1 a x✝2)]"),
        ("fun | 0 => a | n + 1 => b", "FunMatch[<MatchAlt[<<0>> a] MatchAlt[<<(n + 1)>> b]>]"),
        ("let x := 1; x", "Let[LocalDecl[x <> None 1 None <>] x]"),
        ("have : p := h; this", "Have[LocalDecl[None <> p h None <>] this]"),
        ("show p from h", "Show[p h]"),
        ("if h : p then a else b", "If[h p a b]"),
        ("[1, 2, 3]", "ListLit[<1 2 3>]"),
        ("Type (u+1)", "SortTerm[Type LevelAdd[LevelName[u] 1]]"),
        ("foo.{u, v} x", "(foo x)"),
        (".inl h", "(DotIdent[inl] h)"),
        ("f .inl", "(f DotIdent[inl])"),
        ("⟨_, ?_, ?a⟩", "AnonymousCtor[<Hole[] SyntheticHole[None] SyntheticHole[a]>]"),
        ("{ left := a, right := b }", "StructInst[<(left:=a) (right:=b)>]"),
        ("(a, b, c)", "TupleTerm[<a b c>]"),
        ("‹p ∧ q›", "AssumptionTerm[(p ∧ q)]"),
        ("calc a = b := h\n     _ = c := k", "Calc[<CalcStep[(a = b) h] CalcStep[(Hole[] = c) k]>]"),
        ("type_of% @foo", "TypeOf[@foo]"),
    ],
)
def test_terms(source: str, expected: str) -> None:
    assert shape(parse_term(source)) == expected


@pytest.mark.parametrize(
    "source", ["a = b = c", "a ↔ b ↔ c", "a < b < c", "f by simp", "(a", "fun x", "∀ , p", "f (·)x)"]
)
def test_what_lean_does_not_parse(source: str) -> None:
    with pytest.raises(SyntaxFailure):
        parse_term(source)


def names(block: t.TacticSeq) -> list[str]:
    return [getattr(tac, "name", type(tac).__name__) for tac in block.tactics]


def test_arguments_go_on_to_the_right_of_the_block() -> None:
    assert names(parse_tactic_seq("intro h\n  x y\n    z; rfl\nskip")) == ["Intro", "rfl", "skip"]


def test_the_next_line_goes_on_in_the_same_column_only() -> None:
    assert names(parse_tactic_seq("constructor\nexact f\n  x\nomega; rfl")) == [
        "constructor",
        "exact",
        "omega",
        "rfl",
    ]
    with pytest.raises(SyntaxFailure):
        parse_tactic_seq("constructor\n rfl")


def test_bullets_alternatives_and_nested_by() -> None:
    block = parse_tactic_seq(
        "have h : p := by\n  simp\n  exact q\ninduction n with\n| zero => rfl\n"
        "| succ n ih =>\n  cases h with\n  | inl a => exact a\n  | inr b => exact b\n· exact x\n· rfl"
    )
    have, induction, *bullets = block.tactics
    assert isinstance(have, t.HaveTactic) and isinstance(have.decl.value, s.By)
    assert isinstance(induction, t.Induction) and induction.alts is not None
    assert [a.ctors[0] for a in induction.alts] == [("zero", False, ()), ("succ", False, ("n", "ih"))]
    inner = induction.alts[1].rhs
    assert inner is not None and isinstance(inner.tactics[0], t.Cases)
    assert [isinstance(b, t.Block) and b.name for b in bullets] == ["·", "·"]


def test_combinators_associate_to_the_left() -> None:
    tactic = parse_tactic("constructor <;> intro h <;> simp")
    assert isinstance(tactic, t.AndThen) and isinstance(tactic.first, t.AndThen)
    first = parse_tactic("first | rfl | (simp; done) | exact h")
    assert isinstance(first, t.First) and len(first.alts) == 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rw [← h, g a] at h₁ ⊢", "Rw[rw <RwRule[h True] RwRule[(g a) False]> Location[<h₁> True False]]"),
        ("simp only [h, -f]", "Simp[simp True <SimpArg[h False False] SimpArg[f False True]> None None]"),
        ("simp [*] at *", "Simp[simp False <SimpArg[None False False]> Location[<> True True] None]"),
        ("simpa using h x", "Simp[simpa False <> None (h x)]"),
        ("obtain ⟨rfl | h⟩ := h", "Obtain[PatTuple[<PatAlts[<PatName[rfl] PatName[h]>]>] None <h>]"),
        ("rcases h with (a : p) | b", "Rcases[<Discr[None h]> PatAlts[<PatTyped[PatName[a] p] PatName[b]>]]"),
        ("induction n generalizing m k", "Induction[<Discr[None n]> None <m k> None None]"),
        ("cases h : f x", "Cases[<Discr[h (f x)]> None None None]"),
        ("by_cases h : p", "ByCases[h p]"),
        ("use 1, h", "WithTerms[use <1 h>]"),
        ("case inl h => exact h", "Case[case <<inl <h>>> TacticSeq[<WithTerms[exact <h>]>]]"),
        ("show p ∧ q", "WithTerms[show <(p ∧ q)>]"),
        ("suffices h : p by simp", "SufficesTactic[h p By[TacticSeq[<Simp[simp False <> None None]>]]]"),
        ("{ rfl }", "Block[{ TacticSeq[<Simple[rfl]>]]"),
        ("rw (config := {}) [h]", "Rw[rw <RwRule[h False]> None]"),
        ("nlinarith [sq_nonneg (a - b), h]", "TacticOther[nlinarith nlinarith [sq_nonneg (a - b), h]]"),
        ("have : x = 1 := sorry", "HaveTactic[have LocalDecl[None <> (x = 1) SorryTerm[] None <>]]"),
    ],
)  # fmt: skip
def test_tactics(source: str, expected: str) -> None:
    assert shape(parse_tactic(source)) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("exat 42", "<input>:1:1: unknown tactic"),
        ("exact", "<input>:1:6: unexpected end of input; expected term"),
        ("exact foo bar)", "<input>:1:14: unexpected token ')'; expected end of input"),
        ("intro x\nexact x", "<input>:2:1: unexpected identifier; expected end of input"),
        ("exact \u2028", "<input>:1:7: expected token"),
        ("exact (by /- x", "<input>:1:11: unterminated comment"),
        ("exact ∑ x, x", "<input>:1:7: not in the embedded fragment: `∑`"),
    ],
)
def test_messages(source: str, message: str) -> None:
    with pytest.raises(SyntaxFailure) as failure:
        parse_tactic(source)
    assert input_message(source, failure.value) == message


def test_commands_and_recovery() -> None:
    source = (
        "import Mathlib\nopen Nat Real\nset_option maxHeartbeats 0 in\n/-- doc -/\n@[simp] private theorem"
        " a.b.{u} {α : Type u} (h : p) : p := by\nsorry\ntheorem c := 1\nexample : a = b = c := d\n"
        "lemma d : p := h\n"
        '#print axioms d\nnotation "x" => y\nnamespace N\nend N\n#exit\ntheorem never : p := h'
    )
    parsed = parse_commands(source)
    commands = [type(p.command).__name__ for p in parsed]
    assert " ".join(commands) == (
        "Import Open InCommand NoneType NoneType NoneType Decl PrintAxioms CommandOther Namespace End Exit"
    )
    assert [e.message for p in parsed for e in p.errors] == [
        "unexpected token 'sorry'; expected command",
        "unexpected token ':='; expected ':'",
        "unexpected token '='; expected ':=', 'where' or '|'",
    ]
    first = parsed[2].command
    assert isinstance(first, c.InCommand) and isinstance(first.second, c.Decl)
    assert first.second.modifiers.attributes == ("simp",) and first.second.levels == ("u",)
    assert isinstance(first.second.value, s.By) and not first.second.value.body.tactics


def test_spans_are_the_source() -> None:
    source = "theorem foo (p : Prop) (h : p) : p := by\n  exact h"
    (parsed,) = parse_commands(source)
    decl = parsed.command
    assert isinstance(decl, c.Decl) and isinstance(decl.value, s.By)
    tactic = decl.value.body.tactics[0]
    assert source[tactic.start : tactic.end] == "exact h"
    assert source[decl.name_start : decl.name_end] == "foo"
    assert source[decl.value_start :].startswith(":= by")


HOSTILE = {
    "parentheses": "exact " + "(" * 10_000 + "x" + ")" * 10_000,
    "open only": "exact " + "(" * 100_000,
    "close only": "exact " + ")" * 100_000,
    "anonymous": "exact " + "⟨" * 10_000,
    "negations": "exact " + "¬" * 10_000 + "p",
    "arrows": "exact " + "p → " * 50_000 + "p",
    "ands": "exact " + "p ∧ " * 50_000 + "p",
    "bullets": "· " * 10_000 + "rfl",
    "by": "exact " + "by exact " * 5_000 + "x",
    "patterns": "rintro " + "⟨" * 10_000,
    "numeral": "exact " + "9" * 20_000,
    "fun": "exact " + "fun x => " * 10_000 + "x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_fails_fast(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(SyntaxFailure):
        parse_tactic(HOSTILE[name])
    assert time.process_time() - begin < 5


TOKENS = (
    "theorem example : := by exact intro rfl simp ( ) ⟨ ⟩ [ ] { } · | => fun x h ∧ → = ¬ ∀ ∃ , ; \n\n "
    " <;> with cases induction have calc _ ?_ .1 . at ⊢ * ← sorry let match 0 end namespace open in @ @["
    " #check /-- -/ --"
)
WORDS = st.sampled_from(TOKENS.split(" "))


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_no_input_crashes_the_parser(source: str) -> None:
    parse_commands(source)
    parse_commands("theorem x : p := by\n  " + source)
    for parse in (parse_tactic, parse_tactic_seq, parse_term):
        try:
            parse(source)
        except SyntaxFailure as failure:
            assert 0 <= failure.error.start <= len(source)
