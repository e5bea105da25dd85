"""Answers of the Lean REPL and of Kimina servers, read into types. An unknown shape raises `BadReply`.

Nothing here decides whether something is proved; see `harness.lean.verdicts.evidence`. The shapes:

- REPL command: `{"env": n, "messages": [..], "sorries": [..], "tactics": [..], "infotree": ..}`
- REPL tactic: `{"proofState": n, "goals": [..], "proofStatus": "..", "messages": [..], "sorries": [..]}`
- REPL failure: `{"message": ".."}` and nothing else but a time
- `lean --json`: one message a line, with more fields than a REPL's
- Kimina `/api/check`: `{"id", "time", "response" | "error", "diagnostics"}`, one for each snippet
- Kimina `/verify`: `{"custom_id", "response" | "error"}`, where either may be null
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.errors import BadReply

SEVERITIES = frozenset({"error", "warning", "info", "information", "trace"})

_COMMAND_KEYS = frozenset({"env", "messages", "sorries", "tactics", "infotree", "time"})
_TACTIC_KEYS = frozenset(
    {"proofState", "goals", "proofStatus", "messages", "sorries", "traces", "stepVerification", "time"}
)
_FAILURE_KEYS = frozenset({"message", "time"})
_MESSAGE_KEYS = frozenset(
    {"severity", "pos", "endPos", "data", "caption", "fileName", "kind", "keepFullRange", "isSilent"}
)
_RESULT_KEYS = frozenset({"id", "custom_id", "time", "response", "error", "diagnostics"})


class ReplyKind(StrEnum):
    """Which of the REPL's three answers this is."""

    COMMAND = "command"
    TACTIC = "tactic"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Place:
    """A position: line 1-based, column 0-based in code points. Tactic mode answers line 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Note:
    """One message of Lean."""

    severity: str
    place: Place
    data: str
    end: Place | None = None
    """The place after the last character that it is about; some messages name none."""

    @property
    def is_error(self) -> bool:
        """Only errors are failures; warnings, infos and traces are not."""
        return self.severity == "error"

    @property
    def says_sorry(self) -> bool:
        """Lean's warning that a declaration holds a sorry: quotes were ' up to v4.27, ` since v4.28."""
        return (
            self.severity == "warning" and self.data.strip().replace("`", "'") == "declaration uses 'sorry'"
        )


@dataclass(frozen=True, slots=True)
class SorryNote:
    """One syntactic `sorry` that Lean met."""

    place: Place | None
    goal: str
    state: int | None = None
    root: bool = False
    """An empty span: no `sorry` stands there, the REPL lists a declaration's first goal (`rootGoals`)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One REPL answer. `env` is present for a command, `state` for a tactic, `failure` for neither."""

    kind: ReplyKind
    env: int | None = None
    notes: tuple[Note, ...] = ()
    sorries: tuple[SorryNote, ...] = ()
    failure: str | None = None
    """The REPL's own complaint, such as `Unknown environment.`"""
    state: int | None = None
    goals: tuple[str, ...] = ()
    status: str | None = None
    """`proofStatus` of a tactic; absent in old REPLs."""
    tactics: tuple[Mapping[str, Any], ...] = ()
    """Recorded tactics (`allTactics`), as sent."""

    @property
    def errors(self) -> tuple[Note, ...]:
        """Messages of severity error."""
        return tuple(note for note in self.notes if note.is_error)


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a Kimina server. Exactly one of `reply` and `error` is present."""

    id: str
    reply: Reply | None = None
    error: str | None = None
    seconds: float | None = None


def read_reply(data: object) -> Reply:
    """Type one REPL answer. Raises BadReply on any shape that the protocol does not allow."""
    answer = _mapping(data, "answer")
    keys = frozenset(answer)
    if "message" in keys:
        _known(keys, _FAILURE_KEYS)
        return Reply(ReplyKind.FAILURE, failure=_text(answer["message"], "message"))
    if "proofState" in keys:
        _known(keys, _TACTIC_KEYS)
        return _tactic(answer)
    if "env" in keys:
        _known(keys, _COMMAND_KEYS)
        return Reply(
            ReplyKind.COMMAND,
            env=_count(answer["env"], "env"),
            notes=_notes(answer),
            sorries=_sorries(answer),
            tactics=tuple(_mapping(step, "tactic") for step in _list(answer, "tactics")),
        )
    raise BadReply(f"the REPL's answer has neither env, proofState nor message: {_short(data)}")


def read_output(text: str) -> Reply:
    """Type what `lean --json` printed about one file. Raises BadReply on anything but its messages.

    It names no sorries: Lean's warning, at the declaration's name, stands for each.
    """
    messages = []
    for line in text.removesuffix("\n").split("\n") if text else ():
        try:
            message = _mapping(json.loads(line), "message")
        except ValueError as cause:
            raise BadReply(f"not a message of lean --json: {_short(line)}") from cause
        _known(frozenset(message), _MESSAGE_KEYS)
        messages.append(message)
    notes = _notes({"messages": messages})
    sorries = tuple(SorryNote(note.place, "") for note in notes if note.says_sorry)
    return Reply(ReplyKind.COMMAND, env=0, notes=notes, sorries=sorries)


def read_result(data: object, wanted: str | None = None) -> Result:
    """Type one result of `/api/check` or `/verify`.

    `wanted` is the id of the snippet asked for. Raises BadReply on another id, on neither or both of
    `response` and `error`, and on any shape the protocol does not allow.
    """
    result = _mapping(data, "result")
    _known(frozenset(result), _RESULT_KEYS)
    name = result.get("id", result.get("custom_id"))
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise BadReply(f"the result has no id: {_short(data)}")
    if wanted is not None and str(name) != wanted:
        raise BadReply(f"the result is for snippet {name!r}, not for {wanted!r}")
    response, error = result.get("response"), result.get("error")
    if (response is None) == (error is None):
        raise BadReply(f"the result needs exactly one of response and error: {_short(data)}")
    seconds = result.get("time")
    if seconds is None and isinstance(response, Mapping):
        seconds = response.get("time")
    if seconds is not None and (not isinstance(seconds, int | float) or isinstance(seconds, bool)):
        raise BadReply(f"time is no number: {_short(seconds)}")
    if error is not None:
        return Result(str(name), error=_text(error, "error"), seconds=seconds)
    return Result(str(name), reply=read_reply(response), seconds=seconds)


def in_step(reply: Reply, number: str) -> bool:
    """Whether `reply` answers `#check (number : Nat)`, and nothing else."""
    return (
        reply.kind is ReplyKind.COMMAND
        and not reply.sorries
        and len(reply.notes) == 1
        and reply.notes[0].severity in ("info", "information")
        and reply.notes[0].data.split(" : ")[0].strip() == number
    )


def _tactic(answer: Mapping[str, Any]) -> Reply:
    status = answer.get("proofStatus")
    return Reply(
        ReplyKind.TACTIC,
        state=_count(answer["proofState"], "proofState"),
        notes=_notes(answer),
        sorries=_sorries(answer),
        goals=tuple(_text(goal, "goal") for goal in _list(answer, "goals", required=True)),
        status=None if status is None else _text(status, "proofStatus"),
    )


def _notes(answer: Mapping[str, Any]) -> tuple[Note, ...]:
    notes = []
    for item in _list(answer, "messages"):
        note = _mapping(item, "message")
        severity = _text(note.get("severity"), "severity")
        if severity not in SEVERITIES:
            raise BadReply(f"unknown severity {severity!r}")
        end = None if note.get("endPos") is None else _place(note["endPos"])
        notes.append(Note(severity, _place(note.get("pos")), _text(note.get("data"), "data"), end))
    return tuple(notes)


def _sorries(answer: Mapping[str, Any]) -> tuple[SorryNote, ...]:
    found = []
    for item in _list(answer, "sorries"):
        entry = _mapping(item, "sorry")
        place = None if entry.get("pos") is None else _place(entry["pos"])
        state = None if entry.get("proofState") is None else _count(entry["proofState"], "proofState")
        root = place is not None and entry.get("endPos") is not None and _place(entry["endPos"]) == place
        found.append(SorryNote(place, _text(entry.get("goal"), "goal"), state, root))
    return tuple(found)


def _place(value: object) -> Place:
    place = _mapping(value, "pos")
    return Place(_count(place.get("line"), "line"), _count(place.get("column"), "column"))


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadReply(f"{what} is no object: {_short(value)}")
    return value


def _list(answer: Mapping[str, Any], key: str, required: bool = False) -> list[Any]:
    value = answer.get(key)
    if value is None and not required:
        return []
    if not isinstance(value, list):
        raise BadReply(f"{key} is no list: {_short(value)}")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise BadReply(f"{what} is no string: {_short(value)}")
    return value


def _count(value: object, what: str) -> int:
    # A bool is an int in Python; `{"env": true}` is not an environment.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadReply(f"{what} is no count: {_short(value)}")
    return value


def _known(keys: frozenset[str], allowed: frozenset[str]) -> None:
    unknown = sorted(str(key) for key in keys - allowed)
    if unknown:
        raise BadReply(f"the answer holds {', '.join(unknown)}, which the protocol does not know here")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
