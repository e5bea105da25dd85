"""Lean's tokens, once for the whole project: the embedded parser and the verdict screen read the same ones.

`lex` is lossless: the texts of the tokens, concatenated, are the input. It knows nested block comments (the
character after `/-` neither opens nor closes anything, as in Lean), doc comments, plain, raw and interpolated
strings, character literals against primes in names, quoted names `«..»`, numbers and the usual notation. It
never fails: what Lean would not accept comes out as a token of kind `UNTERMINATED_COMMENT`, `_STRING` or
`_NAME` that runs to the end, or an `UNKNOWN` character.

Only "\\n" ends a line, as in Lean; the other line separators of Unicode are `UNKNOWN` outside of comments and
strings. Offsets and columns count code points.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class TokenKind(Enum):
    """What a token is."""

    WHITESPACE = "whitespace"
    LINE_COMMENT = "line comment"
    BLOCK_COMMENT = "block comment"
    DOC_COMMENT = "doc comment"
    MODULE_DOC = "module doc"
    STRING = "string"
    RAW_STRING = "raw string"
    INTERPOLATED_STRING = "interpolated string"
    CHAR = "char"
    NUMBER = "number"
    IDENT = "identifier"
    KEYWORD = "keyword"
    NAME_LITERAL = "name literal"
    SYMBOL = "symbol"
    UNKNOWN = "unknown"
    UNTERMINATED_COMMENT = "unterminated comment"
    UNTERMINATED_STRING = "unterminated string"
    UNTERMINATED_NAME = "unterminated name"


class Token(NamedTuple):
    """A piece of source: `text` is `source[start:end]`."""

    kind: TokenKind
    text: str
    start: int
    end: int


TRIVIA = frozenset({TokenKind.WHITESPACE, TokenKind.LINE_COMMENT, TokenKind.BLOCK_COMMENT})
"""What Lean's parser skips between tokens; doc comments are tokens of their own."""


def _words(text: str) -> list[str]:
    return text.split()


KEYWORDS = frozenset(
    _words("""
    abbrev at attribute axiom by calc catch class def deriving do else end example export extends finally for
    forall from fun generalizing have hiding if import in include inductive infix infixl infixr initialize
    instance lemma let local macro macro_rules match mut mutual namespace nofun nomatch noncomputable notation
    nonrec omit opaque open partial postfix prefix private protected prelude renaming return scoped section
    set_option show sorry structure suffices syntax elab elab_rules termination_by decreasing_by then theorem
    universe unless unsafe using variable where while with Prop Sort Type builtin_initialize
    declare_syntax_cat run_cmd
    """)
)
"""Words that are no identifiers. Names of tactics are not among them: Lean keeps those usable as names."""

_LETTERLIKE = (
    "\u0391-\u039f\u03a0\u03a1\u03a3-\u03a9\u03b1-\u03ba\u03bc-\u03fb\u1f00-\u1ffe\u2100-\u214f"
    "\U0001d49c-\U0001d59f\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f"
).replace("\u03a0\u03a1\u03a3-", "\u03a1\u03a4-")
_SUBSCRIPT = "\u2080-\u2089\u2090-\u209c\u1d62-\u1d6a\u2c7c"
_PART = rf"(?:[A-Za-z_{_LETTERLIKE}][A-Za-z0-9_'!?{_LETTERLIKE}{_SUBSCRIPT}]*|«[^»]*»)"
IDENT_PATTERN = rf"{_PART}(?:\.{_PART})*"
"""A Lean name: dotted parts of letters, digits, `_ ' ! ?`, Greek (but λ, Π, Σ) and subscripts, or quoted."""

_HASH_WORDS = _words("""
    #check_failure #check_simp #check #eval! #eval #print #reduce #exit #guard_msgs #guard_expr #guard #synth
    #help #find #loogle #leansearch #simp #norm_num #conv #where #with_exporting #show_kind #version #dump
    #import_path #lint #long_names #min_imports #redundant_imports #test #time #count_heartbeats #html #widget
    #unfold? #explode #whnfR #whnf #push_discr_tree #import_bumps #instances #string_diagram
    """)
_PERCENT_WORDS = _words("""
    type_of% ensure_type_of% ensure_expected_type% eval% elabAsElim% infer_instance_as% declName% clear%
    by_elab% unop% binop% binop_lazy% binrel% leftact% rightact% include_str% value_of% delta%
    no_implicit_lambda% no_index% fast_instance%
    """)
SYMBOLS = frozenset(
    _words("""
    ( ) [ ] { } ⟨ ⟩ ⦃ ⦄ ‹ › ⟪ ⟫ ⟦ ⟧ #[ @[ @& .{ .( ``( `( %[ ⟮ ⟯ ⌊ ⌋ ⌈ ⌉ ⌋₊ ⌉₊ ‖ , ; : := :: . .. ...
    |> |>. <| $ $> <$> <*> <* *> >>= >=> <=< >> << <|> <;> => ↦ -> → ⟶ ⟹ ← <- ↔ <-> ⇔ ▸ · ↑ ⇑ ↥ ⊢ |- ⊨ @ # ?
    = == != ≠ ≈ ≃ ≅ ≡ ∼ ~ ~~~ < ≤ <= > ≥ >= ≪ ≫ ≺ ≻ ≼ ≽ ⩿ ⋖ ∣ ∤ | || ||| && &&& & ∥ ∧ ∨ ¬ /\\ \\/ ! ‼
    + - * / // % ^ ^^^ <<< >>> ++ ∘ • ∙ ⬝ ⊕ ⊗ ⊞ ⊙ ⊖ × ×' ×ˢ ⋆ ⊔ ⊓ ⊤ ⊥ ∩ ∪ ∖ \\ ∆ ∅ ⊆ ⊂ ⊇ ⊃ ⊈ ⊊ ∈ ∉ ∋ ∌
    ∀ ∃ ∃! ∄ λ Π Σ Σ' ∑ ∑' ∏ ∏' ∐ ∫ ∫⁻ ∮ ∂ √ ∛ ⋃ ⋂ ⨆ ⨅ ∞ ∡ ∠ ⁻¹ ⁻¹' ⁺ ⁻ ᶜ ᵀ ᴴ ˣ ' '' ° ♯ ¹ ² ³ ⁴ ⅟ ⋯ □ ◇
    <+ <+: <:+ <:+: ◁ ▷ ⊣ ⇨ ⟵ ⥤ ≌ ≀ ≃+ ≃* ≃+* ≃ₜ →+ →* →+* →ₗ ↪ ↠ ≤ᵐ =ᵐ
    """)
    + _HASH_WORDS
    + _PERCENT_WORDS
)
"""Notation tokens; the longest match wins when lexing."""


def _alternation(words: Iterable[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(set(words), key=len, reverse=True))


_MASTER = re.compile(
    rf"""
      (?P<ws>[ \n\r]+)
    | (?P<line>--[^\n]*)
    | (?P<block>/-)
    | (?P<raw>r(?P<hash>\#*)"(?:[\s\S]*?"(?P=hash))?)
    | (?P<interp>[sfm]!")
    | (?P<pct>{_alternation(_PERCENT_WORDS)})
    | (?P<id>{IDENT_PATTERN})
    | (?P<openname>«)
    | (?P<num>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)
    | (?P<str>"[^"\\]*(?:\\[\s\S][^"\\]*)*"?)
    | (?P<chr>'(?:\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|[\\"'rnt])|[^\\'])')
    | (?P<name>``?{IDENT_PATTERN})
    | (?P<sym>{_alternation(SYMBOLS)})
    | (?P<unknown>[\s\S])
    """,
    re.VERBOSE,
)
_DIGITS = re.compile(r"[0-9]+")
_COMMENT_EDGE = re.compile(r"/-|-/")
_STRING_EDGE = re.compile(r'[\\"{]')
_KINDS = {
    "ws": TokenKind.WHITESPACE,
    "line": TokenKind.LINE_COMMENT,
    "num": TokenKind.NUMBER,
    "chr": TokenKind.CHAR,
    "name": TokenKind.NAME_LITERAL,
    "sym": TokenKind.SYMBOL,
    "pct": TokenKind.SYMBOL,
    "unknown": TokenKind.UNKNOWN,
}
_MAX_INTERPOLATION = 32


def lex(source: str) -> list[Token]:
    """All tokens of `source` in order; their texts concatenate to it."""
    tokens: list[Token] = []
    append, match, keywords, ident = tokens.append, _MASTER.match, KEYWORDS, TokenKind.IDENT
    pos, size = 0, len(source)
    after_dot = False  # directly after a `.` that follows a token: digits there are a field, not a decimal
    while pos < size:
        m = match(source, pos)
        assert m is not None  # the last alternative matches any character
        group = m.lastgroup
        if group == "id":
            text = m.group()
            token = Token(TokenKind.KEYWORD if text in keywords else ident, text, pos, m.end())
        elif group == "num" and after_dot:
            digits = _DIGITS.match(source, pos)
            end = digits.end() if digits else m.end()
            token = Token(TokenKind.NUMBER, source[pos:end], pos, end)
        elif group in _KINDS:
            token = Token(_KINDS[group], m.group(), pos, m.end())
        else:
            token = _long_token(source, pos, m, 0)
        append(token)
        after_dot = (
            token.text == "." and len(tokens) > 1 and tokens[-2].kind is not TokenKind.WHITESPACE
        ) or token.text == "|>."
        pos = token.end
    return tokens


def _long_token(source: str, pos: int, m: re.Match[str], depth: int) -> Token:
    """The tokens with an inside: comments and strings."""
    group = m.lastgroup
    if group == "block":
        return _block_comment(source, pos)
    if group == "interp":
        end = _interpolated_end(source, m.end(), depth)
        if end is None:
            return Token(TokenKind.UNTERMINATED_STRING, source[pos:], pos, len(source))
        return Token(TokenKind.INTERPOLATED_STRING, source[pos:end], pos, end)
    if group == "openname":
        return Token(TokenKind.UNTERMINATED_NAME, source[pos:], pos, len(source))
    text = m.group()
    if group == "str":
        closed = len(text) > 1 and text[-1] == '"' and not _odd_backslashes(text, len(text) - 1)
        kind = TokenKind.STRING
    else:
        hashes = text[1 : text.index('"')]
        closed = len(text) > 2 + len(hashes) and text.endswith('"' + hashes)
        kind = TokenKind.RAW_STRING
    if closed:
        return Token(kind, text, pos, m.end())
    return Token(TokenKind.UNTERMINATED_STRING, source[pos:], pos, len(source))


def _odd_backslashes(text: str, end: int) -> bool:
    count = 0
    while end > count and text[end - 1 - count] == "\\":
        count += 1
    return count % 2 == 1


def _block_comment(source: str, pos: int) -> Token:
    # Lean looks for edges after the third character: in `/-/- -/` the first `-/` is the end.
    depth, at = 1, pos + 3
    while depth:
        edge = _COMMENT_EDGE.search(source, at)
        if edge is None:
            return Token(TokenKind.UNTERMINATED_COMMENT, source[pos:], pos, len(source))
        depth += 1 if edge.group() == "/-" else -1
        at = edge.end()
    third = source[pos + 2 : pos + 3]
    kind = {"-": TokenKind.DOC_COMMENT, "!": TokenKind.MODULE_DOC}.get(third, TokenKind.BLOCK_COMMENT)
    return Token(kind, source[pos:at], pos, at)


def _interpolated_end(source: str, pos: int, depth: int) -> int | None:
    """End of the interpolated string whose inside starts at `pos`; terms in `{..}` may hold strings too."""
    if depth > _MAX_INTERPOLATION:
        return None
    while True:
        edge = _STRING_EDGE.search(source, pos)
        if edge is None:
            return None
        pos = edge.end()
        if edge.group() == "\\":
            pos += 1
        elif edge.group() == '"':
            return pos
        else:
            end = _hole_end(source, pos, depth)
            if end is None:
                return None
            pos = end


def _hole_end(source: str, pos: int, depth: int) -> int | None:
    """The offset after the `}` that closes the `{` before `pos`."""
    braces = 1
    while pos < len(source):
        m = _MASTER.match(source, pos)
        assert m is not None
        text = m.group()
        if text in ("{", ".{"):
            braces += 1
        elif text == "}":
            braces -= 1
            if braces == 0:
                return m.end()
        elif m.lastgroup == "openname":
            return None
        elif m.lastgroup in ("block", "interp", "str", "raw"):
            token = _long_token(source, pos, m, depth + 1)
            pos = token.end
            continue
        pos = m.end()
    return None


def significant(tokens: Iterable[Token]) -> list[Token]:
    """The tokens without whitespace and comments (doc comments stay)."""
    return [t for t in tokens if t.kind not in TRIVIA]


class LineMap:
    """Offsets to positions: line 1-based, column 0-based, both in code points, lines ended by "\\n" alone."""

    __slots__ = ("_starts",)

    def __init__(self, source: str) -> None:
        starts = [0]
        at = source.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = source.find("\n", at + 1)
        self._starts = starts

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a code-point offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def offset(self, line: int, column: int) -> int:
        """The code-point offset of a position; of a line that is not there, the last line's."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1] + column

    def column(self, offset: int) -> int:
        """The column of a code-point offset."""
        return offset - self._starts[bisect_right(self._starts, offset) - 1]
