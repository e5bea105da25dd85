"""From a benchmark's problem and a model's answer to the text that Lean is given. Pure and total.

The statement and the header are always the benchmark's own; of the answer only helper declarations, the
proof and (where the answer of a PutnamBench problem is not given) the values of answer holes are taken. A
value stands in brackets behind the benchmark's own `abbrev NAME : TYPE :=`, so it can be nothing but a term.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from harness.lean.text.answer import Answer, lines_of, read_answer
from harness.lean.text.commands import (
    THEOREMS,
    code_of,
    declaration_front,
    ends_value,
    is_balanced,
    plain_name,
)
from harness.lean.text.lexer import Kind, Token, lex, significant
from harness.lean.text.screen import screen_characters, screen_tokens
from harness.types import Problem

SUPPLIED = (
    "the candidate supplied the answer: it needs a check of its own, since an answer can restate the goal"
)
"""Noted for every accepted proof of the without-answer track."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """One candidate, ready for a service. `text == header + candidate`."""

    problem: Problem
    header: str
    """The benchmark's own preamble up to its first answer hole (or all of it); send it once per worker."""
    candidate: str
    """All that follows: filled holes, the model's helpers, our statement, the model's proof."""
    holes: str
    """The start of `candidate` that the target stands on: filled holes and the rest of the preamble."""
    target: str
    """Our statement alone with `sorry` for its proof; the name is still the theorem's."""
    name: str
    """The theorem's name from the root, the header's open namespaces included; no leading `_root_`."""
    helpers: bool
    """Model text may change what our statement means, so it must be compared after elaboration."""
    supplied: bool = False
    """`holes` holds text of the model: the value of an answer hole."""
    refused: str | None = None
    """Why the text is refused by the screen or cannot be assembled; it must not be sent then."""
    reason: str = "refused"
    """Reason of the refusal, one of `harness.types.REASONS` (`refused`, `sorry` or `empty`)."""
    notes: tuple[str, ...] = ()
    """What a person should know of an accepted proof."""

    @property
    def text(self) -> str:
        """The whole file."""
        return self.header + self.candidate


@dataclass(frozen=True, slots=True)
class _Preamble:
    """The benchmark's header, its holes filled."""

    header: str
    holes: str
    supplied: bool = False
    problem: str = ""
    """What is wrong, or empty."""
    reason: str = "refused"


def assemble(problem: Problem, answer: str, *, with_answer: bool | None = None) -> Assembly:
    """Put `answer` under `problem`'s header and statement. Never raises, whatever the answer.

    `with_answer`: True fills answer holes with the known answers, False takes the candidate's; None decides
    by hole: a hole whose answer the problem gives is filled with it. An answer that is only `sorry` gives
    `problem.source`, byte for byte, and is refused.
    """
    read = read_answer(problem, answer)
    front, clause = _split_clause(problem.header)
    target, trouble = _target(problem)
    name = root_name(problem)
    refusal = _screened(read)
    if read.only_sorry:
        head = _Preamble(front, "")
        candidate = clause + problem.statement + problem.placeholder
    else:
        head = _filled(problem, front, read, with_answer)
        candidate = head.holes + read.helpers + clause + _stated(problem.statement) + read.proof
    refused, reason = _why_refused(read, refusal, trouble, head)
    return Assembly(
        problem=problem,
        header=head.header,
        candidate=candidate,
        holes=head.holes,
        target=clause + target,
        name=name,
        # A proof by `|` or `where` might be read as more of the statement, so that is compared, too.
        helpers=bool(read.helpers.strip()) or not read.proof.startswith(" :="),
        supplied=head.supplied,
        refused=refused,
        reason=reason,
        notes=(SUPPLIED,) if head.supplied else (),
    )


def rename_theorem(text: str, theorem: str, name: str) -> str:
    """`text` with the last part of the declared name `theorem` replaced by `name`; the first place counts."""
    found = _declared(code_of(text), theorem)
    if found is None:
        return text
    _, token = found
    namespace, dot, _ = token.text.rpartition(".")
    return text[: token.start] + namespace + dot + name + text[token.end :]


def root_name(problem: Problem) -> str:
    """The theorem's name from the root: namespaces that the header leaves open, then the declared name."""
    code = code_of(problem.header)
    open_scopes: list[str] = []
    for index, token in enumerate(code):
        follows = code[index + 1] if index + 1 < len(code) else None
        named = follows.text if follows is not None and follows.kind is Kind.IDENT else ""
        if token.kind is not Kind.KEYWORD:
            continue
        if token.text == "namespace":
            open_scopes.append(named)
        elif token.text == "section":
            open_scopes.append("")
        elif token.text == "end" and open_scopes:
            open_scopes.pop()
    if problem.theorem.startswith("_root_."):
        return problem.theorem.removeprefix("_root_.")
    return ".".join([*filter(None, open_scopes), problem.theorem])


def _why_refused(
    read: Answer, refusal: tuple[str, str] | None, trouble: str, head: _Preamble
) -> tuple[str | None, str]:
    """(detail, reason) of the first thing that forbids sending, or (None, `refused`)."""
    if refusal is not None and refusal[0] == "sorry":
        return refusal[1], "sorry"
    if not significant(read.tokens):
        return "the answer is empty", "empty"
    if refusal is not None:
        return refusal[1], refusal[0]
    if trouble:
        return trouble, "refused"
    if not read.proof:
        return "the answer holds no proof", "empty"
    if head.problem:
        return head.problem, head.reason
    return None, "refused"


def _screened(read: Answer) -> tuple[str, str] | None:
    """(reason, detail) when the screen refuses what of the answer reaches Lean."""
    refusal = screen_characters(read.text)
    if refusal is None:
        kept = _within(read.tokens, read.kept)
        refusal = screen_tokens(kept, lines_of(read))
    return None if refusal is None else (refusal.reason, refusal.detail)


def _within(tokens: Sequence[Token], spans: Sequence[tuple[int, int]]) -> list[Token]:
    """The tokens that begin in one of the spans, which may overlap."""
    ordered = sorted(spans)
    begins = [begin for begin, _ in ordered]
    # Up to which place the spans that begin so far reach.
    reach = [0, *accumulate((end for _, end in ordered), max)]
    return [token for token in tokens if token.start < reach[bisect_right(begins, token.start)]]


def _stated(statement: str) -> str:
    """The statement, followed by a newline when a line comment would swallow what comes next."""
    tokens = lex(statement)
    last = next((token for token in reversed(tokens) if token.kind is not Kind.WHITESPACE), None)
    swallows = last is not None and last.kind is Kind.LINE_COMMENT and "\n" not in statement[last.end :]
    return statement + "\n" if swallows else statement.rstrip(" ")


def _declared(code: Sequence[Token], theorem: str) -> tuple[int, Token] | None:
    """(index of the keyword, name token) of the declaration of `theorem`."""
    for index, (keyword, name) in enumerate(pairwise(code)):
        if keyword.text in THEOREMS and plain_name(name.text) == plain_name(theorem):
            return index, name
    return None


def _target(problem: Problem) -> tuple[str, str]:
    """(target, what is wrong with the statement or empty). The target has neither prose nor attributes."""
    code = code_of(problem.statement)
    found = _declared(code, problem.theorem)
    if found is None:
        return problem.statement, f"the benchmark's statement declares no theorem {problem.theorem}"
    front = code[declaration_front(code, found[0])].start
    # An attribute such as `simp` would hand the target, which is a sorry, to the candidate's tactics.
    text = problem.statement[:front] + problem.statement[code[found[0]].start :]
    return _stated(text) + " := by sorry", ""


def _split_clause(header: str) -> tuple[str, str]:
    """(header, the `open .. in` or `set_option .. in` at its end, which belongs to the statement)."""
    code = code_of(header)
    cut = len(code)
    while cut and code[cut - 1].text == "in":
        start = next((i for i in range(cut - 2, -1, -1) if code[i].text in ("open", "set_option", "in")), -1)
        if start < 0 or code[start].text == "in":
            break
        cut = start
    place = code[cut].start if cut < len(code) else len(header)
    return header[:place], header[place:]


def _filled(problem: Problem, front: str, read: Answer, with_answer: bool | None) -> _Preamble:
    """The header `front` with every answer hole filled."""
    if not problem.holes:
        return _Preamble(front, "")
    code = code_of(front)
    edits: list[tuple[int, int, str]] = []
    first, supplied = len(front), False
    for hole in problem.holes:
        found = _hole_at(code, hole.name)
        if found is None:
            if _is_declared(code, hole.name):
                continue
            return _Preamble(front, "", problem=f"the header declares no answer hole {hole.name}")
        known = bool(hole.answer) if with_answer is None else with_answer
        value = hole.answer if known else read.value(hole.name)
        if not value:
            text = f"the answer gives no value for {hole.name}"
            return _Preamble(front, "", problem=text, reason="empty")
        if not known:
            supplied = True
            wrong = _value_trouble(problem, value)
            if wrong:
                return _Preamble(front, "", True, f"{hole.name}: {wrong}")
        begin, assign, end = found
        first = min(first, code[begin].start)
        edits.append((code[assign].end, code[end].end, f" (\n{value}\n)" if not known else f" ({value}\n)"))
    text = front
    for start, end, value in sorted(edits, reverse=True):
        text = text[:start] + value + text[end:]
    return _Preamble(front[:first], text[first:], supplied)


def filled_header(problem: Problem) -> str:
    """The benchmark's preamble, answer holes with a known answer filled; other holes as they stand."""
    text = problem.header
    for hole in problem.holes:
        code = code_of(text)
        found = _hole_at(code, hole.name) if hole.answer else None
        if found is not None:
            _, assign, end = found
            text = f"{text[: code[assign].end]} {hole.answer}{text[code[end].end :]}"
    return text


def _is_declared(code: Sequence[Token], name: str) -> bool:
    """Whether the header defines `name` itself: such a definition is no hole, whatever the problem lists."""
    return any(
        keyword.text in ("abbrev", "def") and plain_name(named.text) == plain_name(name)
        for keyword, named in pairwise(code)
    )


def _hole_at(code: Sequence[Token], name: str) -> tuple[int, int, int] | None:
    """(front, `:=`, `sorry`) indices of the declaration of an answer hole in the benchmark's header."""
    for index, (keyword, named) in enumerate(pairwise(code)):
        if keyword.text not in ("abbrev", "def") or plain_name(named.text) != plain_name(name):
            continue
        end = next((i for i in range(index + 2, len(code)) if ends_value(code, i)), len(code))
        if code[end - 2].text == ":=" and code[end - 1].text == "sorry":
            return declaration_front(code, index), end - 2, end - 1
    return None


def _value_trouble(problem: Problem, value: str) -> str:
    """Why a candidate's answer is no answer, or empty. Restatements are found only when they are verbatim."""
    code = code_of(value)
    if not is_balanced(code):
        return "its brackets do not pair up"
    words = [token.text for token in code]
    while len(words) > 2 and words[0] == "(" and words[-1] == ")":
        words = words[1:-1]
    stated = [token.text for token in code_of(problem.statement)]
    for body in (words, words[words.index("|") + 1 : -1] if "{" in words[:1] and "|" in words else []):
        if len(body) >= _RESTATED and _contains(stated, body):
            return "it restates the goal instead of answering it"
    return ""


_RESTATED = 6
"""Tokens from which a value found verbatim in the statement counts as a restatement."""


def _contains(words: Sequence[str], part: Sequence[str]) -> bool:
    return any(list(words[i : i + len(part)]) == list(part) for i in range(len(words) - len(part) + 1))
