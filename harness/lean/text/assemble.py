"""From a benchmark's problem and a model's answer to the text that Lean is given. Pure and total.

The header is always the benchmark's own, and so is what is proved. Of an answer that restates the theorem
word for word only helper declarations and the proof are taken, under our statement. One that states it in
other words is sent as it stands and compared by Lean; if that fails, its proof is tried under our statement
(`Assembly.other`). Values of answer holes stand in brackets behind the benchmark's own
`abbrev NAME : TYPE :=`, so such a value can be nothing but a term.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from harness.lean.text.answer import Answer, read_answer
from harness.lean.text.commands import (
    THEOREMS,
    code_of,
    declaration_front,
    ends_value,
    is_balanced,
    plain_name,
)
from harness.lean.text.lexer import Token, TokenKind, lex, significant
from harness.lean.text.scopes import name_parts, scopes_of, without_stray_ends
from harness.lean.text.screen import screen
from harness.lean.text.surface import refused_commands
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
    stated_name: str
    """The benchmark's name of the theorem from the root, open namespaces included; no leading `_root_`."""
    name: str
    """The name from the root under which the candidate proves it: of these axioms and type are asked."""
    front: int
    """Where in `candidate` the answer's own lines begin: behind `holes` and the step limit."""
    helpers: bool
    """Model text may change what our statement means, so it must be compared after elaboration."""
    supplied: bool = False
    """`holes` holds text of the model: the value of an answer hole."""
    refused: str | None = None
    """Why the text is refused by the screen or cannot be assembled; it must not be sent then."""
    reason: str = "refused"
    """Reason of the refusal, one of `harness.types.REASONS` (`refused`, `sorry`, `empty`, `unparsed`)."""
    notes: tuple[str, ...] = ()
    """What a person should know of an accepted proof."""
    other: Assembly | None = None
    """Another reading of the same answer, to be asked where this one is rejected."""

    @property
    def restated(self) -> bool:
        """The theorem is the answer's own; only Lean knows whether it says what ours says."""
        return self.name != self.stated_name or self.other is not None

    @property
    def written(self) -> str:
        """What of `candidate` comes of the answer, our statement among it."""
        return self.candidate[self.front :]

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
    spliced = _spliced(problem, read, with_answer)
    if read.own is None or spliced.reason in ("empty", "sorry", "unparsed"):
        return spliced
    own = read.own
    place = spliced.holes + _limit(read)
    text = without_stray_ends(own.text)
    before = scopes_of(code_of(without_stray_ends(own.before))).namespace
    refused, reason = _refused(read, own.kept, [own.text])
    return replace(
        spliced,
        candidate=place + text,
        name=_rooted(own.name, _inside(problem), before),
        front=len(place),
        helpers=True,
        refused=refused or spliced.refused,
        reason=reason if refused else spliced.reason,
        other=spliced,
    )


def _spliced(problem: Problem, read: Answer, with_answer: bool | None) -> Assembly:
    """The answer's helpers, our statement, the answer's proof."""
    front, clause = _split_clause(problem.header)
    target, trouble = _target(problem)
    stated = root_name(problem)
    if read.only_sorry:
        head = _Preamble(front, "")
        front_end = 0
        candidate = clause + problem.statement + problem.placeholder
    else:
        head = _filled(problem, front, read, with_answer)
        statement = problem.statement
        if scopes_of(code_of(without_stray_ends(read.helpers))).namespace:
            # Inside a namespace of the answer's own: whoever looks for the theorem does so by its own name.
            statement = _renamed(statement, problem.theorem, f"_root_.{stated}")
        body = read.helpers + clause + _stated(statement) + read.proof
        place = head.holes + _limit(read)
        front_end = len(place)
        candidate = place + without_stray_ends(body)
    refusal = _refused(read, read.kept, [read.helpers, read.proof])
    refused, reason = _why_refused(read, refusal, trouble, head)
    return Assembly(
        problem=problem,
        header=head.header,
        candidate=candidate,
        holes=head.holes,
        target=clause + target,
        stated_name=stated,
        name=stated,
        front=front_end,
        # A proof by `|` or `where` might be read as more of the statement, so that is compared, too.
        helpers=bool(read.helpers.strip()) or not read.proof.startswith(" :="),
        supplied=head.supplied,
        refused=refused,
        reason=reason,
        notes=(SUPPLIED,) if head.supplied else (),
    )


def _limit(read: Answer) -> str:
    """The command that gives the candidate the step limit it asks for, or nothing."""
    return "" if read.heartbeats is None else f"set_option maxHeartbeats {read.heartbeats}\n"


def _refused(
    read: Answer, kept: Iterable[tuple[int, int]], laid_out: Sequence[str]
) -> tuple[str | None, str]:
    """(detail, reason) when the screen refuses what of the answer reaches Lean, else (None, `refused`).

    `laid_out` are the same parts as they are sent, where columns count.
    """
    found = screen(read.sent(kept))
    if found is not None:
        return found.detail, found.reason
    commands = next(filter(None, map(refused_commands, laid_out)), None)
    return (None if commands is None else commands[1]), "refused"


def rename_theorem(text: str, theorem: str, name: str) -> str:
    """`text` with the last part of the declared name `theorem` replaced by `name`; the first place counts."""
    return _renamed(text, theorem, ".".join([*name_parts(theorem)[:-1], name]))


def _renamed(text: str, theorem: str, name: str) -> str:
    found = _declared(code_of(text), theorem)
    return text if found is None else text[: found[1].start] + name + text[found[1].end :]


def root_name(problem: Problem) -> str:
    """The theorem's name from the root: namespaces that the header leaves open, then the declared name."""
    return _rooted(problem.theorem, _inside(problem))


def _inside(problem: Problem) -> str:
    """The namespace that the header leaves open; empty when there is none."""
    return scopes_of(code_of(problem.header)).namespace


def _rooted(name: str, *namespaces: str) -> str:
    """A declared name from the root, inside of `namespaces`."""
    if name.startswith("_root_."):
        return name.removeprefix("_root_.")
    return ".".join([*filter(None, namespaces), name])


def _why_refused(
    read: Answer, refusal: tuple[str | None, str], trouble: str, head: _Preamble
) -> tuple[str | None, str]:
    """(detail, reason) of the first thing that forbids sending, or (None, `refused`)."""
    if read.trouble:
        return read.trouble, "unparsed"
    if refusal[1] == "sorry":
        return refusal
    if not significant(read.tokens):
        return "the answer is empty", "empty"
    if refusal[0] is not None:
        return refusal
    if trouble:
        return trouble, "refused"
    if not read.proof:
        return "the answer holds no proof", "empty"
    if head.problem:
        return head.problem, head.reason
    return None, "refused"


@lru_cache(maxsize=8192)
def _stated(statement: str) -> str:
    """The statement, followed by a newline when a line comment would swallow what comes next."""
    tokens = lex(statement)
    last = next((token for token in reversed(tokens) if token.kind is not TokenKind.WHITESPACE), None)
    swallows = last is not None and last.kind is TokenKind.LINE_COMMENT and "\n" not in statement[last.end :]
    return statement + "\n" if swallows else statement.rstrip(" ")


def _declared(code: Sequence[Token], theorem: str) -> tuple[int, Token] | None:
    """(index of the keyword, name token) of the declaration of `theorem`."""
    for index, (keyword, name) in enumerate(pairwise(code)):
        if keyword.text in THEOREMS and plain_name(name.text) == plain_name(theorem):
            return index, name
    return None


@lru_cache(maxsize=8192)
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
