"""The scanner: lossless on anything, and right about the places where a naive one is fooled."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lean.text.lexer import Kind, LineMap, lex, significant

FRAGMENTS = [
    *["theorem", "foo", "h'", "x.1.2", "h.left", "«a b».c", "1.5", "0x1F", "/-", "-/", "/--", "/-!", "--"],
    *["\n", " ", '"', '\\"', "'", "'a'", "'\\n'", 's!"', "{", "}", 'r#"', '"#', "⟨", "⟩", ":=", "<;>", "|>."],
    *["α₁", "∀", "λ", "\u2028", "\t", "\\", "é", "😀", "`foo", "``bar", ".{u}", "#check", "#eval!"],
    *["type_of%", "·", "n!", "?x", "?_", "«", "»"],
]
mixed = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=30).map("".join)


def kinds(source: str) -> list[tuple[Kind, str]]:
    return [(t.kind, t.text) for t in significant(lex(source))]


@settings(max_examples=400, deadline=None)
@given(mixed)
def test_tokens_concatenate_to_the_input(source: str) -> None:
    tokens = lex(source)
    assert "".join(t.text for t in tokens) == source
    assert all(source[t.start : t.end] == t.text and t.text for t in tokens)
    assert all(a.end == b.start for a, b in pairwise(tokens))


@given(mixed)
def test_positions_count_only_newlines(source: str) -> None:
    lines = LineMap(source)
    for offset in range(len(source) + 1):
        before = source[:offset]
        assert lines.position(offset) == (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("h'x 'a' f''", [(Kind.IDENT, "h'x"), (Kind.CHAR, "'a'"), (Kind.IDENT, "f''")]),
        ("'\\''", [(Kind.CHAR, "'\\''")]),
        ("'\\u00e9'", [(Kind.CHAR, "'\\u00e9'")]),
        (
            "x.1.2",
            [
                (Kind.IDENT, "x"),
                (Kind.SYMBOL, "."),
                (Kind.NUMBER, "1"),
                (Kind.SYMBOL, "."),
                (Kind.NUMBER, "2"),
            ],
        ),
        ("1.25 f", [(Kind.NUMBER, "1.25"), (Kind.IDENT, "f")]),
        ("λx", [(Kind.SYMBOL, "λ"), (Kind.IDENT, "x")]),
        ("∀α₁,ℕ", [(Kind.SYMBOL, "∀"), (Kind.IDENT, "α₁"), (Kind.SYMBOL, ","), (Kind.IDENT, "ℕ")]),
        ("«a.b».«c d»", [(Kind.IDENT, "«a.b».«c d»")]),
        ("funx fun fun.x", [(Kind.IDENT, "funx"), (Kind.KEYWORD, "fun"), (Kind.IDENT, "fun.x")]),
        ('"a\\"--b" c', [(Kind.STRING, '"a\\"--b"'), (Kind.IDENT, "c")]),
        ('r"\\" c', [(Kind.RAW_STRING, 'r"\\"'), (Kind.IDENT, "c")]),
        ('r##"a"#b"## c', [(Kind.RAW_STRING, 'r##"a"#b"##'), (Kind.IDENT, "c")]),
        ('s!"a{f "}" x}b" c', [(Kind.INTERPOLATED_STRING, 's!"a{f "}" x}b"'), (Kind.IDENT, "c")]),
        ('s!"{s!"{"}"}"}" c', [(Kind.INTERPOLATED_STRING, 's!"{s!"{"}"}"}"'), (Kind.IDENT, "c")]),
        ("a/- x /- y -/ -- z -/b", [(Kind.IDENT, "a"), (Kind.IDENT, "b")]),
        ("/-- d -/a", [(Kind.DOC_COMMENT, "/-- d -/"), (Kind.IDENT, "a")]),
        ("/-! d /- e -/ -/a", [(Kind.MODULE_DOC, "/-! d /- e -/ -/"), (Kind.IDENT, "a")]),
        ("-- /-\na", [(Kind.IDENT, "a")]),
        ("a \u2028 b", [(Kind.IDENT, "a"), (Kind.UNKNOWN, "\u2028"), (Kind.IDENT, "b")]),
        ("-- c\u2028axiom x", []),
        ("n%2", [(Kind.IDENT, "n"), (Kind.SYMBOL, "%"), (Kind.NUMBER, "2")]),
        ("type_of% @x", [(Kind.SYMBOL, "type_of%"), (Kind.SYMBOL, "@"), (Kind.IDENT, "x")]),
        ("``Nat.succ `x", [(Kind.NAME_LITERAL, "``Nat.succ"), (Kind.NAME_LITERAL, "`x")]),
        ("x✝", [(Kind.IDENT, "x"), (Kind.UNKNOWN, "✝")]),
    ],
)
def test_tokens_in_hard_places(source: str, expected: list[tuple[Kind, str]]) -> None:
    assert kinds(source) == expected


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a /- b /- c -/", Kind.UNTERMINATED_COMMENT),
        ("/-- doc", Kind.UNTERMINATED_COMMENT),
        ('a "b', Kind.UNTERMINATED_STRING),
        ('"b\\"', Kind.UNTERMINATED_STRING),
        ("a.«b", Kind.UNTERMINATED_NAME),
        ('r#"b"', Kind.UNTERMINATED_STRING),
        ('s!"{"', Kind.UNTERMINATED_STRING),
        ('s!"' + '{s!"' * 500, Kind.UNTERMINATED_STRING),
    ],
)
def test_the_unterminated_runs_to_the_end_and_says_so(source: str, kind: Kind) -> None:
    tokens = lex(source)
    assert tokens[-1].kind is kind
    assert "".join(t.text for t in tokens) == source


def test_long_hostile_input_is_linear() -> None:
    for source in [
        "/-" * 50_000,
        "(" * 100_000,
        '"' + "\\" * 100_001,
        "a." * 50_000,
        "«" * 50_000,
        's!"{' * 20_000,
    ]:
        assert "".join(t.text for t in lex(source)) == source
