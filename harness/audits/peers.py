"""The museum as a yardstick: which cheats other harnesses' own rules would take, on what real Lean says.

A rule sees what its harness sees of an answer sent as a plain file, with nothing of ours around it. The rules
are restated from their sources (kimina-lean-server 2.0.0 `ReplResponse.analyze`, CoProver `evaluate.py`, the
Lean taskset of verifiers v1). Cheats that Lean itself refuses tell nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.audits.museum import Exhibit
from harness.errors import BadReply
from harness.lean.text.commands import THEOREMS, code_of
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
    header = exhibit.problem.header
    if any(token.text in THEOREMS for token in code_of(exhibit.answer)):
        return header + exhibit.answer + "\n"
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
    """The same where Lean words the warning otherwise, so that the rule does not know it.

    The rule asks for the statement up to `:= by`; a term after `:=` could stand after `by exact` as well.
    """
    wanted = [token.text for token in code_of(f"{answered.exhibit.problem.statement} :=")]
    found = [token.text for token in code_of(answered.text)]
    places = range(len(found) - len(wanted) + 1)
    stated = any(found[at : at + len(wanted)] == wanted for at in places)
    return stated and not answered.reply.errors


RULES: Mapping[str, Callable[[Answered], bool]] = {
    "Kimina, analyze": kimina,
    "CoProver, evaluate": coprover,
    "verifiers, Lean task": verifiers,
    "verifiers, Lean 4.28 and later": verifiers_since_4_28,
}

_ERROR = {"severity": "error", "data": "unknown identifier", "pos": {"line": 1, "column": 0}, "endPos": None}
FAILURES: tuple[Mapping[str, Any], ...] = (
    {"id": "0", "time": 1.0, "error": "Lean REPL command timed out in 1.0 seconds"},
    {"id": "0", "time": 1.0, "error": "Lean REPL header command timed out in 60.0 seconds"},
    {"id": "0", "time": 0.0, "error": "Snippet execution failed: JSON decode error"},
    {"id": "0", "time": 0.0, "error": "No available REPLs"},
    {"id": "0", "time": 0.0, "error": "Failed to read from REPL stdout"},
    {"custom_id": "0", "error": "Lean process timed out", "response": None},
    {"custom_id": "0", "error": None, "response": None},
    {"id": "0", "time": 0.1, "response": {"message": "Unknown environment."}},
    {"id": "0", "time": 0.1, "response": {"message": "Could not parse JSON"}},
    {"id": "0", "time": 0.1, "response": {"env": 1, "messages": [_ERROR]}},
)
"""Replies of a Kimina server (2.0.0 and its `/verify`) to which no proof was judged, or a wrong one."""


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
        missed = None if judge is None else sum(map(judge, FAILURES))
        rows.append(PeerRow(name, tuple(one.exhibit.name for one in compiled if rule(one)), missed))
    proved = [
        one.exhibit.name
        for one in compiled
        if any(verdict.status is Status.PROVED for verdict in ours[one.exhibit.name])
    ]
    return [*rows, PeerRow("this project", tuple(proved), sum(map(our_result, FAILURES)))]


def peer_table(rows: Sequence[PeerRow], compiled: int) -> list[str]:
    """Lines of a plain table."""
    lines = [f"of {compiled} cheats that this Lean compiles without an error, each rule takes:"]
    for row in rows:
        failed = "" if row.failures is None else f"; {row.failures} of {len(FAILURES)} failure replies"
        lines.append(f"  {row.name:<32} {len(row.taken):>3}{failed}")
    return lines
