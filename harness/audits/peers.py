"""The museum as a yardstick: which cheats other harnesses' own rules would take, on what real Lean says.

A rule sees what its harness sees of an answer sent as a plain file, with nothing of ours around it. The rules
are restated from their sources (kimina-lean-server 2.0.0 `ReplResponse.analyze`, CoProver `evaluate.py`, the
Lean taskset of verifiers v1 as it came out, before it asked for axioms). Cheats that Lean itself refuses tell
nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from harness.audits.museum import Exhibit
from harness.errors import BadReply
from harness.lean.text.commands import THEOREMS, code_of
from harness.lean.text.layout import TACTICS
from harness.lean.text.lexer import TRIVIA, TokenKind, lex
from harness.lean.verdicts.evidence import judge_reply, service_error
from harness.lean.verdicts.replies import Reply, read_result
from harness.types import Level, Status, Verdict


@dataclass(frozen=True, slots=True)
class Answered:
    """An exhibit's answer as a plain file, and what real Lean said to it."""

    exhibit: Exhibit
    text: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class PeerRow:
    """How many of the cheats that Lean compiles one rule takes."""

    name: str
    taken: tuple[str, ...]
    """Names of the exhibits."""
    failures: int | None
    """How many of `FAILURES` count as proofs; None for a rule that is not about a server's replies."""


def plain_file(exhibit: Exhibit) -> str:
    """The answer as other harnesses send it: after the header, under the statement if it declares nothing."""
    header, code = exhibit.problem.header, code_of(exhibit.answer)
    if any(token.text in THEOREMS for token in code):
        return header + exhibit.answer + "\n"
    if code and code[0].text.rstrip("?!") in TACTICS:
        return f"{header}{exhibit.problem.statement} := by\n{indent(exhibit.answer, '  ')}\n"
    return f"{header}{exhibit.problem.statement} :=\n{exhibit.answer}\n"


def kimina(answered: Answered) -> bool:
    """No error, and no `sorries`: a REPL lists the sorries that the text spells, never `sorryAx`."""
    spelled = {"sorry", "admit", "stop"} & {token.text for token in code_of(answered.text)}
    return not answered.reply.errors and not (spelled and answered.reply.sorries)


def coprover(answered: Answered) -> bool:
    """No message at all."""
    return not answered.reply.notes


def verifiers(answered: Answered) -> bool:
    """No error, no warning of a sorry in its old wording, and the statement stands in the file's code."""
    return verifiers_since_4_28(answered) and not answered.reply.sorries


def verifiers_since_4_28(answered: Answered) -> bool:
    """The same where Lean quotes the `sorry` of the warning otherwise, so that the rule does not know it.

    The statement is looked for up to its `:= by`, without comments and strings, white space squeezed: a term
    is not taken, though it would be behind `by exact`.
    """
    wanted = _bare(f"{answered.exhibit.problem.statement} := by")
    return wanted in _bare(answered.text) and not answered.reply.errors


_LEFT_OUT = {*TRIVIA, TokenKind.STRING, TokenKind.RAW_STRING, TokenKind.INTERPOLATED_STRING}


def _bare(text: str) -> str:
    code = "".join(" " if token.kind in _LEFT_OUT else token.text for token in lex(text))
    return " ".join(code.split())


RULES: Mapping[str, Callable[[Answered], bool]] = {
    "Kimina, analyze": kimina,
    "CoProver, evaluate": coprover,
    "verifiers, Lean task": verifiers,
    "verifiers, Lean 4.28 and later": verifiers_since_4_28,
}


def _note(severity: str, data: str) -> Mapping[str, Any]:
    return {"severity": severity, "data": data, "pos": {"line": 1, "column": 0}, "endPos": None}


def _failed(error: str | None) -> Mapping[str, Any]:
    return {"id": "0", "time": 1.0, "error": error}


def _answered(**reply: Any) -> Mapping[str, Any]:
    return {"id": "0", "time": 0.1, "response": reply}


_SORRY = {"pos": {"line": 1, "column": 0}, "endPos": {"line": 1, "column": 5}, "goal": "⊢ 1 = 2"}
_OLD_SORRY, _NEW_SORRY = (_note("warning", f"declaration uses {q}sorry{q}") for q in "'`")
FAILURES: Mapping[str, Mapping[str, Any]] = {
    "the text timed out": _failed("Lean REPL command timed out in 1.0 seconds"),
    "the header timed out": _failed("Lean REPL header command timed out in 60.0 seconds"),
    "/verify timed out": {"custom_id": "0", "error": "Lean REPL command timed out in 1.0 seconds"},
    "1.x timed out": {"custom_id": "0", "error": "Lean process timed out", "response": None},
    "neither error nor response": {"custom_id": "0", "error": None, "response": None},
    "the REPL crashed": _failed("Snippet execution failed: JSON decode error"),
    "the answer was too long": _failed("Failed to read from REPL stdout"),
    "no REPL was free": _failed("No available REPLs"),
    "the key was refused": _failed("Client error '401 Unauthorized'"),
    "the server failed": _failed("Server error '500 Internal Server Error'"),
    "the gateway gave up": _failed("Server error '504 Gateway Timeout'"),
    "the environment is unknown": _answered(message="Unknown environment."),
    "the proof state is unknown": _answered(message="Unknown proof state."),
    "/verify, the environment is unknown": {
        "custom_id": "0", "response": {"message": "Unknown environment.", "time": 0.1}
    },
    "a tactic is unknown": _answered(message="Lean error:\n<input>:1:1: unknown tactic"),
    "a search found nothing": _answered(message="Lean error:\n`exact?` could not close the goal."),
    "an error": _answered(env=1, messages=[_note("error", "unknown identifier")]),
    "an error after a sorry": _answered(env=1, messages=[_note("error", "unsolved goals")], sorries=[_SORRY]),
    "a sorry, as told before 4.28": _answered(env=1, messages=[_OLD_SORRY], sorries=[_SORRY]),
    "a sorry, as told since 4.28": _answered(env=1, messages=[_NEW_SORRY], sorries=[_SORRY]),
    "a sorry without a warning": _answered(env=1, sorries=[_SORRY]),
    "a warning of a sorryAx": _answered(env=1, messages=[_NEW_SORRY]),
}  # fmt: skip
"""What a Kimina server answers where nothing was proved: kinds of its documentation and of recorded traffic.

The answers of 2.0.0, of its `/verify` and of 1.x; for a request that fails as a whole, what clients note.
"""


def kimina_result(result: Mapping[str, Any]) -> bool:
    """`analyze` on one result: an error or a message of the REPL is none, nor is a null reply."""
    reply = result.get("response")
    if result.get("error") is not None or not isinstance(reply, Mapping) or "message" in reply:
        return False
    messages = reply.get("messages", ())
    return not reply.get("sorries") and not any(note["severity"] == "error" for note in messages)


def coprover_result(result: Mapping[str, Any]) -> bool:
    """No reply is taken for an empty one, and an empty one for a proof."""
    reply = result.get("response")
    return not reply or not reply.get("messages")


def our_result(result: Mapping[str, Any]) -> bool:
    """Positive evidence only, whatever the level."""
    try:
        read = read_result(result)
    except BadReply:
        return False
    verdict = service_error(read.error or "", Level.FAST) if read.reply is None else judge_reply(read.reply)
    return verdict.status is Status.PROVED


def peer_rows(answered: Sequence[Answered], ours: Mapping[str, Sequence[Verdict]]) -> list[PeerRow]:
    """One row a rule, ours last. `ours`: this project's verdicts on each exhibit, at whatever levels."""
    compiled = [one for one in answered if not one.exhibit.honest and not one.reply.errors]
    failures = {"Kimina, analyze": kimina_result, "CoProver, evaluate": coprover_result}
    rows = []
    for name, rule in RULES.items():
        judge = failures.get(name)
        missed = None if judge is None else sum(map(judge, FAILURES.values()))
        rows.append(PeerRow(name, tuple(one.exhibit.name for one in compiled if rule(one)), missed))
    proved = [
        one.exhibit.name
        for one in compiled
        if any(verdict.status is Status.PROVED for verdict in ours[one.exhibit.name])
    ]
    return [*rows, PeerRow("this project", tuple(proved), sum(map(our_result, FAILURES.values())))]


def peer_table(rows: Sequence[PeerRow], compiled: int) -> list[str]:
    """Lines of a plain table."""
    lines = [f"of {compiled} cheats that this Lean compiles without an error, each rule takes:"]
    for row in rows:
        failed = "" if row.failures is None else f"; {row.failures} of {len(FAILURES)} failure replies"
        lines.append(f"  {row.name:<32} {len(row.taken):>3}{failed}")
    return lines
