"""Reading a model's answer: what of it are helpers, answer values and the proof. Pure and total.

Two forms. A *file* begins with a command and restates the theorem: what stands before the (last) restatement
are helpers, the rest is the proof. Anything else is a *bare* proof: a tactic block, a term, or what follows
`:=`. A statement that is restated word for word is replaced by ours; one that reads otherwise (other binder
names, `∀` for a binder) may still say the same, so the answer's own theorem is kept too (`Answer.own`) and
Lean is asked.

Of a header of its own, imports go, and so does every `open` that the benchmark's header has too. A step limit
is kept up to `MAX_HEARTBEATS`, other options go. Other `open`s stay, as helpers: the proof may need them, and
the statement is then compared after elaboration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.lean.text.commands import (
    DECLARATIONS,
    THEOREMS,
    Span,
    begins_command,
    code_of,
    commands,
    declaration_front,
    opened_names,
    plain_name,
    token_depths,
    words_of,
)
from harness.lean.text.comments import without_comments
from harness.lean.text.layout import off_margin, place_bare, place_proof
from harness.lean.text.lexer import Token, TokenKind, lex, significant
from harness.lean.text.markdown import lean_part
from harness.lean.text.scopes import plain_parts
from harness.lean.text.screen import option_allowed
from harness.types import Problem

MAX_HEARTBEATS = 1_000_000
"""Up to here an answer may raise its own step limit; Lean's default is 200,000, 0 means none."""

_DEFAULT_HEARTBEATS = 200_000


@dataclass(frozen=True, slots=True)
class Own:
    """The answer's own theorem, where its statement does not read like ours."""

    text: str
    """Helpers, theorem and what follows, as they stand."""
    name: str
    """The declared name, as written; the namespaces around it are in `text`."""
    before: str
    """The part of `text` before the theorem."""
    kept: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer, taken apart."""

    text: str
    """The answer's Lean, comments blanked out; spans refer to it."""
    tokens: tuple[Token, ...]
    kept: tuple[Span, ...]
    """The parts that reach Lean, to be screened: helpers, answer values, proof."""
    helpers: str
    """Text for before our statement; empty, or ends with a newline."""
    values: tuple[tuple[str, str], ...]
    """(hole name, value) of the answer holes that the model filled."""
    proof: str
    """Text for after our statement, from ` :=` on; empty when there is none."""
    only_sorry: bool = False
    """The proof is `sorry` or `by sorry` and nothing else."""
    own: Own | None = None
    heartbeats: int | None = None
    """The step limit that the answer asks for, when it is higher than ours; bounded."""
    trouble: str = ""
    """Why no Lean was found in the answer; empty when some was."""

    def value(self, name: str) -> str | None:
        """The model's value of an answer hole."""
        return dict(self.values).get(name)

    def sent(self, kept: Iterable[Span]) -> str:
        """`text` with blanks for all that is in none of the spans `kept`: what the screen has to look at."""
        out: list[str] = []
        at = 0
        for start, end in sorted(kept):
            out.append(_blank(self.text[at:start]))
            out.append(self.text[max(start, at) : end])
            at = max(at, end)
        return "".join([*out, _blank(self.text[at:])])


def _blank(text: str) -> str:
    return "".join("\n" if char == "\n" else " " for char in text)


def read_answer(problem: Problem, answer: str) -> Answer:
    """Take `answer` apart. Never raises, whatever the text."""
    found, trouble = lean_part(answer, problem.theorem)
    if trouble:
        return Answer("", (), (), "", (), "", trouble=trouble)
    text = without_comments("\n".join(map(_untabbed, found.split("\n"))))
    tokens = lex(text)
    code = significant(tokens)
    start, opens, heartbeats = _own_header(problem, text, code)
    restated = _restated(problem, code, start)
    if restated is None:
        return _bare(text, tokens, code, start, opens, heartbeats)
    front = declaration_front(code, restated)
    holes = {hole.name for hole in problem.holes}
    helper_spans, values = _helpers(problem, code, (start, front), holes)
    spans = [*opens, *helper_spans]
    helpers = off_margin(_joined(text, spans))
    begin, exact = _proof_start(problem, text, code, restated)
    kept = [*spans, *[span for _, span in values]]
    proof, only_sorry = "", False
    own: Own | None = None
    if begin is not None and begin < len(code):
        proof = off_margin(_proof(text, tokens, code, begin))
        if not exact:
            stated = _stated(text, code, (front, restated, begin))
            whole = (*kept, (code[front].start, len(text)))
            own = _own(code, restated, (helpers, stated + proof), whole)
        kept.append((code[begin].start, len(text)))
        only_sorry = _is_sorry(code[begin:])
    named = tuple((name, text[a:b].strip()) for name, (a, b) in values)
    own = own if proof else None
    return Answer(text, tuple(tokens), tuple(kept), helpers, named, proof, only_sorry, own, heartbeats)


def _own(code: Sequence[Token], keyword: int, texts: tuple[str, str], kept: tuple[Span, ...]) -> Own | None:
    """The answer's own theorem, whose keyword is at `keyword`, with what stands before it."""
    if code[keyword].text == "example" or code[keyword + 1].kind is not TokenKind.IDENT:
        return None
    before, theorem = texts
    return Own(before + theorem, code[keyword + 1].text, before, kept)


def _stated(text: str, code: Sequence[Token], place: tuple[int, int, int]) -> str:
    """The answer's own statement, up to its proof; `place` are the indices of front, keyword and proof."""
    front, keyword, begin = place
    # A private name cannot be asked for from outside.
    modifiers = (
        text[code[i].start : code[i + 1].start] for i in range(front, keyword) if code[i].text != "private"
    )
    end = code[begin - 1].start if code[begin - 1].text == ":=" else code[begin].start
    return "".join(modifiers) + text[code[keyword].start : end].rstrip()


def _joined(text: str, spans: Sequence[Span]) -> str:
    return "".join(text[a:b].strip("\n") + "\n" for a, b in spans if text[a:b].strip())


def _untabbed(line: str) -> str:
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)].replace("\t", "  ") + body.replace("\t", " ")


def _own_header(problem: Problem, text: str, code: Sequence[Token]) -> tuple[int, list[Span], int | None]:
    """(index of the first token after the answer's own header, spans of the kept `open`s, its step limit)."""
    known = opened_names(code_of(problem.header))
    kept: list[Span] = []
    set_by_us = _heartbeats(code_of(problem.header))
    ours = _DEFAULT_HEARTBEATS if set_by_us is None else set_by_us or MAX_HEARTBEATS
    heartbeats = ours
    at = 0
    while at < len(code):
        end = _header_command_end(text, code, at)
        if end is None:
            break
        if code[at].text == "open":
            fresh = opened_names(code[at:end]) - known
            simple = all(
                token.kind is TokenKind.IDENT or token.text == "scoped" for token in code[at + 1 : end]
            )
            if fresh or not simple:
                kept.append((code[at].start, code[end - 1].end))
        asked = _heartbeats(code[at:end])
        if asked is not None:
            heartbeats = min(asked or MAX_HEARTBEATS, MAX_HEARTBEATS)
        at = end
    return at, kept, heartbeats if heartbeats > ours else None


def _heartbeats(code: Sequence[Token]) -> int | None:
    """The last step limit that `code` sets, or None."""
    found = None
    for index in range(len(code) - 2):
        name, value = code[index + 1], code[index + 2]
        if code[index].text == "set_option" and name.text == "maxHeartbeats" and value.text.isdecimal():
            found = int(value.text[:12])
    return found


def _header_command_end(text: str, code: Sequence[Token], at: int) -> int | None:
    """Where the header command at `at` ends; None when no such command begins there."""
    token = code[at]
    end = at + 1
    if token.kind is TokenKind.MODULE_DOC:
        return end
    if token.text in ("public", "meta") and end < len(code) and code[end].text == "import":
        return end
    if token.text == "import":
        while end < len(code) and code[end].text in ("all", "meta", "runtime"):
            end += 1
        return min(end + 1, len(code)) if end < len(code) and code[end].kind is TokenKind.IDENT else end
    if token.text == "set_option":
        # A forbidden option stays in the text, where the screen will refuse it.
        end = at + 3
        allowed = end <= len(code) and option_allowed(code[at + 1].text)
        return end if allowed and not _is_text(code, end, "in") else None
    if token.text == "open":
        while end < len(code) and (
            code[end].kind is TokenKind.IDENT
            or code[end].text in ("scoped", "hiding", "renaming", "->", "→", ",")
        ):
            fresh_line = "\n" in text[code[end - 1].end : code[end].start]
            if code[end].kind is TokenKind.IDENT and fresh_line and code[end].text[0].islower():
                break  # the first tactic of a bare proof
            end += 1
        whole = end > at + 1 and not _is_text(code, end, "in") and not _is_text(code, end, "(")
        return end if whole else None
    return None


def _restated(problem: Problem, code: Sequence[Token], start: int) -> int | None:
    """Index of the keyword of the declaration that restates the theorem; None for a bare proof."""
    found = [index for index in range(start, len(code)) if code[index].text in THEOREMS]
    if not found or start >= len(code) or not begins_command(code[start]):
        return None
    wanted = plain_parts(problem.theorem)
    named = [i for i in found if i + 1 < len(code) and plain_parts(code[i + 1].text) == wanted]
    return (named or found)[-1]


def _helpers(
    problem: Problem, code: Sequence[Token], part: Span, holes: set[str]
) -> tuple[list[Span], list[tuple[str, Span]]]:
    """(spans of the commands in `code[part]` that are helpers, spans of the values of answer holes in it).

    Commands that the benchmark's header holds word for word are left out: they would be declared twice.
    """
    ours = code_of(problem.header)
    known = {words_of(ours, span) for span in commands(ours)}
    spans: list[Span] = []
    values: list[tuple[str, Span]] = []
    for first, last in commands(code, *part):
        hole = _hole_value(code, first, last, holes)
        if hole is not None:
            values.append(hole)
        elif _declared(code, first, last) == plain_parts(problem.theorem):
            continue  # an earlier draft of the theorem itself
        elif words_of(code, (first, last)) not in known:
            span = (code[first].start, code[last - 1].end)
            # Neighbours stay one piece of text: columns and comments between them are kept.
            joined = bool(spans) and first > 0 and spans[-1][1] == code[first - 1].end
            spans[-1:] = [(spans[-1][0], span[1])] if joined else [*spans[-1:], span]
    return spans, values


def _declared(code: Sequence[Token], first: int, last: int) -> tuple[str, ...]:
    """The parts of the theorem's name that the command `code[first:last]` declares; none for another one."""
    for index in range(first, last - 1):
        if code[index].text in ("theorem", "lemma"):
            return plain_parts(code[index + 1].text)
    return ()


def _hole_value(code: Sequence[Token], first: int, last: int, holes: set[str]) -> tuple[str, Span] | None:
    """(name, span of the value) when the command `code[first:last]` fills an answer hole."""
    for at in range(first, last - 1):
        name = plain_name(code[at + 1].text)
        if code[at].text in ("abbrev", "def") and name in holes:
            begin = next((i for i in range(at + 2, last) if code[i].text == ":="), None)
            if begin is None or begin + 1 >= last:
                return None
            return name, (code[begin + 1].start, code[last - 1].end)
    return None


def _proof_start(problem: Problem, text: str, code: Sequence[Token], keyword: int) -> tuple[int | None, bool]:
    """(index of the first token of the restated theorem's proof or None, whether it is restated verbatim)."""
    begin = keyword + (1 if code[keyword].text == "example" else 2)
    ours = [token.text for token in code_of(problem.statement)]
    name = next((i for i, text in enumerate(ours[:-1]) if text in THEOREMS), None)
    tail = ours[name + 2 :] if name is not None else []
    end = begin + len(tail)
    if tail and [token.text for token in code[begin:end]] == tail and end < len(code):
        if code[end].text == ":=":
            return end + 1, True
        if code[end].text in ("|", "where"):
            return end, True
    return _after_statement(text, code, begin), False


def _after_statement(text: str, code: Sequence[Token], begin: int) -> int | None:
    """Where the proof of a theorem in other words begins: `where`, its first `|`, or after its `:=`.

    The `:=` is the first that belongs to no binder and no `let` or `have` of the statement. A `|` that begins
    a line is a case of the proof if a `=>` follows before any `:=`; else it is a bar of the statement.
    """
    inner, bar = 0, None
    for index, depth in zip(range(begin, len(code)), token_depths(code[begin:]), strict=True):
        word = code[index].text
        if depth:
            continue
        if word in ("let", "have", "letI", "haveI", "let_fun"):
            inner += 1
        elif word == "where" or (word == "=>" and bar is not None):
            return index if word == "where" else bar
        elif word == "|" and bar is None and "\n" in text[code[index - 1].end : code[index].start]:
            bar = index
        elif word == ":=":
            if not inner:
                return index + 1
            inner -= 1
    return None


def _bare(
    text: str,
    tokens: Sequence[Token],
    code: Sequence[Token],
    start: int,
    opens: Sequence[Span],
    heartbeats: int | None,
) -> Answer:
    rest = code[start:]
    if rest and rest[0].text == ":=":
        start, rest = start + 1, rest[1:]
    helpers = "".join(text[a:b] + "\n" for a, b in opens)
    if not rest or (begins_command(rest[0]) and rest[0].text in DECLARATIONS):
        # Declarations without a theorem prove nothing.
        whole = ((0, len(text)),) if rest else ()
        return Answer(text, tuple(tokens), whole, "", (), "")
    kept = (*opens, (rest[0].start, len(text)))
    if rest[0].text == "by" or (start and code[start - 1].text == ":="):
        proof = _proof(text, tokens, code, start)
    else:
        line = text.rfind("\n", 0, rest[0].start) + 1
        # From the start of its line: the first tactic's column counts. Comments before it are dropped.
        proof = place_bare(text[line:] if not text[line : rest[0].start].strip() else text[rest[0].start :])
    return Answer(text, tuple(tokens), kept, helpers, (), proof, _is_sorry(rest), heartbeats=heartbeats)


def _proof(text: str, tokens: Sequence[Token], code: Sequence[Token], begin: int) -> str:
    first = code[begin]
    if first.text in ("|", "where"):
        return "\n  " + text[first.start :].rstrip() + "\n"
    if first.text == "by" and begin + 1 == len(code):
        return ""
    index = next(i for i, token in enumerate(tokens) if token.start == first.start)
    return place_proof(text, tokens, index)


def _is_sorry(code: Sequence[Token]) -> bool:
    return [token.text for token in code] in (["sorry"], ["by", "sorry"])


def _is_text(code: Sequence[Token], index: int, text: str) -> bool:
    return index < len(code) and code[index].text == text
