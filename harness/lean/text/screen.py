"""The screen: which tokens and characters a model's text may not hold. Pure, and Lean-aware.

Commands that run code while Lean elaborates could change the checker itself, so the checks that follow say
nothing about them. Such text is *refused* (not run, not judged wrong) with the token and its line named.
Comments and strings may hold any word; characters that hide or split lines are refused everywhere.
Whether the theorem stays the stated one is not asked here but of Lean, see `harness.lean.verdicts.audit`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.text.lexer import TRIVIA, Kind, LineMap, Token, lex

SORRY = frozenset({"sorry", "admit", "stop", "sorryAx"})
"""Ways to leave a proof out. `stop` leaves out the rest of a tactic block."""

_COMMANDS_TEXT = """
import module prelude axiom unsafe opaque partial initialize builtin_initialize native elab
elab_rules elab_stx macro macro_rules syntax declare_syntax_cat notation notation3 infix infixl
infixr prefix postfix binder_predicate simproc dsimproc simproc_decl dsimproc_decl builtin_simproc
builtin_dsimproc run_cmd run_tac run_elab run_meta by_elab eval% sudo
register_option register_builtin_option register_simp_attr register_label_attr register_parser_alias
declare_config_elab declare_command_config_elab declare_simp_like_tactic declare_aesop_rule_sets
native_decide bv_decide implemented_by include_str%
"""
COMMANDS = frozenset(_COMMANDS_TEXT.split())
"""Words that declare an axiom, run code at elaboration, change the syntax or trust compiled code."""

_PARTS_TEXT = """
sorryAx ofReduceBool ofReduceNat trustCompiler reduceBool reduceNat unsafeCast unsafeIO unsafeBaseIO
unsafeEIO lcProof lcUnreachable lcAny ptrAddrUnsafe modifyEnv setEnv addDecl addDeclCore
addAndCompile addDeclWithoutChecking mkSorry Elab Meta MetaM CoreM TacticM TermElabM CommandElabM
"""
PARTS = frozenset(_PARTS_TEXT.split())
"""Forbidden as any part of a dotted name: compiler trust, casts, and the doors to the environment."""

FIRST_PARTS = frozenset({"IO", "System"})
"""Forbidden as the first part of a dotted name; as bare names they are ordinary variables."""

HASH_COMMANDS = frozenset({"#check", "#check_failure", "#print", "#reduce", "#synth", "#[", "#"})
"""Tokens beginning with `#` that only print (`#[` is an array, `#` a cardinality); all others are refused."""

_OPTIONS_TEXT = """
maxHeartbeats maxRecDepth synthInstance. linter. pp. trace. autoImplicit relaxedAutoImplicit profiler
diagnostics exponentiation. tactic. backward. aesop. grind. push_neg. format. simprocs says.
"""
OPTIONS = tuple(_OPTIONS_TEXT.split())
"""Options a candidate may set, by prefix. Not among them: `debug.*`, `warn.*`, `compiler.*`, `Elab.*`."""

_ATTRIBUTES_TEXT = """
simp simps ext aesop norm_cast push_cast reducible irreducible semireducible inline always_inline
noinline specialize instance default_instance refl symm trans congr gcongr mono elab_as_elim
elab_without_expected_type nolint deprecated inherit_doc fun_prop measurability continuity coe grind
simp_lemma match_pattern class reassoc elementwise nospecialize macro_inline abbrev
"""
ATTRIBUTES = frozenset(_ATTRIBUTES_TEXT.split())
"""Attributes that only tell tactics, instances or the pretty printer about a declaration."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is not run. `reason` is `refused` or `sorry`."""

    reason: str
    token: str
    line: int
    """1-based, in the screened text."""

    @property
    def detail(self) -> str:
        """For people: the token and where it stands."""
        return f"{self.token} (line {self.line})"


def screen(text: str) -> Refusal | None:
    """The first thing in `text` that is not allowed, or None. Total: never raises."""
    return screen_characters(text) or screen_tokens(lex(text), LineMap(text))


def screen_characters(text: str) -> Refusal | None:
    """Control, zero-width, bidirectional and line-splitting characters, wherever they stand.

    Some services split lines at U+2028 and its like where Lean does not, which can turn a comment into code.
    """
    for offset, char in enumerate(text):
        if char < "\x7f":
            if char >= " " or char in "\n\t":
                continue
        elif unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            continue
        line = text.count("\n", 0, offset) + 1
        return Refusal("refused", f"character U+{ord(char):04X}", line)
    return None


def screen_tokens(tokens: Sequence[Token], lines: LineMap) -> Refusal | None:
    """The first token of `tokens` that is not allowed, or None."""
    code = [token for token in tokens if token.kind not in TRIVIA]
    refusals = [_refused(code, index) for index in range(len(code))]
    # A sorry is told before a refusal: an unfinished proof is wrong whatever else it holds.
    for reason in ("sorry", "refused"):
        for token, found in zip(code, refusals, strict=True):
            if found is not None and found[0] == reason:
                return Refusal(reason, found[1], lines.position(token.start)[0])
    return None


def _refused(code: Sequence[Token], index: int) -> tuple[str, str] | None:
    """(reason, what) when the token at `index` is not allowed."""
    token = code[index]
    if token.kind.value.startswith("unterminated"):
        return "refused", token.kind.value
    if token.kind is Kind.INTERPOLATED_STRING:
        # Its holes are code. Reading the whole inside as code errs on the side of refusing.
        inner = screen_tokens(lex(token.text[3:-1]), LineMap(""))
        return None if inner is None else (inner.reason, f"{inner.token} in a string")
    if token.kind is Kind.STRING and "{" in token.text:
        # After `panic!` or `dbg_trace` (and who knows what else) a plain string is interpolated: what follows
        # the brace is code, and what this lexer takes for code or string may be the other for Lean.
        return "refused", "a brace in a string"
    if token.kind is Kind.CHAR and '"' in token.text:
        # Where Mathlib has a token that ends in a prime, as `∘'`, Lean sees the start of a string instead.
        return "refused", token.text
    if token.kind in (Kind.IDENT, Kind.KEYWORD, Kind.NAME_LITERAL):
        return _refused_word(code, index)
    if token.kind is Kind.SYMBOL:
        if token.text[0] == "#" and token.text not in HASH_COMMANDS:
            return "refused", token.text
        if token.text in COMMANDS:
            return "refused", token.text
        if token.text == "@[":
            return _refused_attribute(code, index + 1)
    return None


def _refused_word(code: Sequence[Token], index: int) -> tuple[str, str] | None:
    text = code[index].text
    parts = text.lstrip("`").replace("«", "").replace("»", "").split(".")
    if text in SORRY or "sorryAx" in parts:
        return "sorry", text
    if text in COMMANDS:
        return "refused", text
    if text.startswith("builtin_") or any(part in PARTS for part in parts):
        return "refused", text
    if len(parts) > 1 and parts[0] == "_root_":
        parts = parts[1:]
    if len(parts) > 1 and parts[0] in FIRST_PARTS:
        return "refused", text
    following = code[index + 1].text if index + 1 < len(code) else ""
    if text in ("open", "export") and following == "private":
        return "refused", f"{text} private"
    if text == "export":
        return "refused", text
    if text == "set_option" and not option_allowed(following):
        return "refused", f"set_option {following}"
    if text == "attribute" and following == "[":
        return _refused_attribute(code, index + 2)
    return None


def option_allowed(name: str) -> bool:
    """Whether a candidate may set the option `name`."""
    return any(name == entry or name.startswith(entry.rstrip(".") + ".") for entry in OPTIONS)


def _refused_attribute(code: Sequence[Token], start: int) -> tuple[str, str] | None:
    """Check the entries of an attribute list whose first token is `code[start]`."""
    depth, at_entry = 0, True
    for position in range(start, len(code)):
        token = code[position]
        if at_entry:
            if token.text in ("local", "scoped"):
                continue
            if token.text == "-":  # takes an attribute away
                at_entry = False
                continue
            if token.text.rstrip("!?") not in ATTRIBUTES:
                return "refused", f"attribute {token.text}"
            at_entry = False
        elif token.text in ("@[", "attribute"):
            return "refused", "attribute within an attribute"
        elif token.text in ("(", "[", "{", "⟨", "#["):
            depth += 1
        elif token.text in (")", "]", "}", "⟩"):
            if depth == 0:
                return None
            depth -= 1
        elif token.text == "," and depth == 0:
            at_entry = True
    return None
