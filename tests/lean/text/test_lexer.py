"""The scanner: lossless on anything, and right about the places where a naive one is fooled."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lean.text.lexer import LineMap, TokenKind, lex, significant

FRAGMENTS = [
    *["theorem", "foo", "h'", "x.1.2", "h.left", "«a b».c", "1.5", "0x1F", "/-", "-/", "/--", "/-!", "--"],
    *["\n", " ", '"', '\\"', "'", "'a'", "'\\n'", 's!"', "{", "}", 'r#"', '"#', "⟨", "⟩", ":=", "<;>", "|>."],
    *["α₁", "∀", "λ", "\u2028", "\t", "\\", "é", "😀", "`foo", "``bar", ".{u}", "#check", "#eval!"],
    *["type_of%", "·", "n!", "?x", "?_", "«", "»"],
]
mixed = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=30).map("".join)


def kinds(source: str) -> list[tuple[TokenKind, str]]:
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
        ("h'x 'a' f''", [(TokenKind.IDENT, "h'x"), (TokenKind.CHAR, "'a'"), (TokenKind.IDENT, "f''")]),
        ("'\\''", [(TokenKind.CHAR, "'\\''")]),
        ("'\\u00e9'", [(TokenKind.CHAR, "'\\u00e9'")]),
        (
            "x.1.2",
            [
                (TokenKind.IDENT, "x"),
                (TokenKind.SYMBOL, "."),
                (TokenKind.NUMBER, "1"),
                (TokenKind.SYMBOL, "."),
                (TokenKind.NUMBER, "2"),
            ],
        ),
        ("1.25 f", [(TokenKind.NUMBER, "1.25"), (TokenKind.IDENT, "f")]),
        ("λx", [(TokenKind.SYMBOL, "λ"), (TokenKind.IDENT, "x")]),
        (
            "∀α₁,ℕ",
            [
                (TokenKind.SYMBOL, "∀"),
                (TokenKind.IDENT, "α₁"),
                (TokenKind.SYMBOL, ","),
                (TokenKind.IDENT, "ℕ"),
            ],
        ),
        ("«a.b».«c d»", [(TokenKind.IDENT, "«a.b».«c d»")]),
        (
            "funx fun fun.x",
            [(TokenKind.IDENT, "funx"), (TokenKind.KEYWORD, "fun"), (TokenKind.IDENT, "fun.x")],
        ),
        ('"a\\"--b" c', [(TokenKind.STRING, '"a\\"--b"'), (TokenKind.IDENT, "c")]),
        ('r"\\" c', [(TokenKind.RAW_STRING, 'r"\\"'), (TokenKind.IDENT, "c")]),
        ('r##"a"#b"## c', [(TokenKind.RAW_STRING, 'r##"a"#b"##'), (TokenKind.IDENT, "c")]),
        ('s!"a{f "}" x}b" c', [(TokenKind.INTERPOLATED_STRING, 's!"a{f "}" x}b"'), (TokenKind.IDENT, "c")]),
        ('s!"{s!"{"}"}"}" c', [(TokenKind.INTERPOLATED_STRING, 's!"{s!"{"}"}"}"'), (TokenKind.IDENT, "c")]),
        ("a/- x /- y -/ -- z -/b", [(TokenKind.IDENT, "a"), (TokenKind.IDENT, "b")]),
        ("/-- d -/a", [(TokenKind.DOC_COMMENT, "/-- d -/"), (TokenKind.IDENT, "a")]),
        ("/-! d /- e -/ -/a", [(TokenKind.MODULE_DOC, "/-! d /- e -/ -/"), (TokenKind.IDENT, "a")]),
        ("-- /-\na", [(TokenKind.IDENT, "a")]),
        ("a \u2028 b", [(TokenKind.IDENT, "a"), (TokenKind.UNKNOWN, "\u2028"), (TokenKind.IDENT, "b")]),
        ("-- c\u2028axiom x", []),
        ("n%2", [(TokenKind.IDENT, "n"), (TokenKind.SYMBOL, "%"), (TokenKind.NUMBER, "2")]),
        ("type_of% @x", [(TokenKind.SYMBOL, "type_of%"), (TokenKind.SYMBOL, "@"), (TokenKind.IDENT, "x")]),
        ("``Nat.succ `x", [(TokenKind.NAME_LITERAL, "``Nat.succ"), (TokenKind.NAME_LITERAL, "`x")]),
        ("x✝", [(TokenKind.IDENT, "x"), (TokenKind.UNKNOWN, "✝")]),
    ],
)
def test_tokens_in_hard_places(source: str, expected: list[tuple[TokenKind, str]]) -> None:
    assert kinds(source) == expected


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a /- b /- c -/", TokenKind.UNTERMINATED_COMMENT),
        ("/-- doc", TokenKind.UNTERMINATED_COMMENT),
        ('a "b', TokenKind.UNTERMINATED_STRING),
        ('"b\\"', TokenKind.UNTERMINATED_STRING),
        ("a.«b", TokenKind.UNTERMINATED_NAME),
        ('r#"b"', TokenKind.UNTERMINATED_STRING),
        ('s!"{"', TokenKind.UNTERMINATED_STRING),
        ('s!"' + '{s!"' * 500, TokenKind.UNTERMINATED_STRING),
    ],
)
def test_the_unterminated_runs_to_the_end_and_says_so(source: str, kind: TokenKind) -> None:
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
