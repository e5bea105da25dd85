"""The Lean REPL's JSON protocol over the embedded core: `python -m harness.lean.core`.

A request is JSON, ended by a blank line (line breaks inside are dropped); the answer is JSON laid out as Lean
lays it out, then a blank line. As with the real one, a request that starts with `#` or `--` is skipped and
text that is no request ends the process with exit code 1.

Not offered: pickling (refused with a message) and info trees (the option is ignored). `usedConstants` of
`allTactics` is always empty.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from harness.lean.core.lean_json import layout
from harness.lean.core.session import (
    Diagnostic,
    Environment,
    Position,
    RunResult,
    Sorry,
    TacticState,
    TacticStep,
    prelude,
    run,
)

Json = Mapping[str, object]
_PICKLES = ("pickleTo", "unpickleEnvFrom", "unpickleProofStateFrom")


class BadRequest(Exception):
    """Text that is no request of the protocol; the real REPL dies of it, and so does this one."""


class Repl:
    """The environments and proof states of one REPL process, by number."""

    def __init__(self) -> None:
        self.environments: list[Environment] = []
        self.states: list[TacticState] = []

    def answer(self, request: object) -> Json:
        """The answer to one request.

        Raises:
            BadRequest: it is none of the protocol's.
        """
        if not isinstance(request, dict):
            raise BadRequest("not an object")
        if any(key in request for key in _PICKLES):
            return {"message": "not in the embedded fragment: pickling"}
        if isinstance(request.get("tactic"), str):
            return self._tactic(request["tactic"], _number(request, "proofState"))
        if isinstance(request.get("path"), str):
            return self._file(request["path"], request)
        if isinstance(request.get("cmd"), str):
            return self._command(request["cmd"], request)
        raise BadRequest("neither cmd, path nor tactic")

    def _file(self, path: str, request: Json) -> Json:
        try:
            source = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            return {"message": f"{error.strerror} (error code: {error.errno})\n  file: {path}"}
        except UnicodeDecodeError:
            return {"message": f"invalid UTF-8\n  file: {path}"}
        return self._command(source, request)

    def _command(self, source: str, request: Json) -> Json:
        env = _number(request, "env") if request.get("env") is not None else None
        if env is not None and env >= len(self.environments):
            return {"message": "Unknown environment."}
        all_tactics = request.get("allTactics") is True
        before = prelude() if env is None else self.environments[env]
        return self._report(run(before, source, header=env is None, all_tactics=all_tactics))

    def _report(self, result: RunResult) -> Json:
        answer: dict[str, object] = {}
        if result.sorries:
            answer["sorries"] = [self._sorry(s) for s in result.sorries]
        if result.tactics:
            answer["tactics"] = [self._step(t) for t in result.tactics]
        if result.messages:
            answer["messages"] = [_message(m) for m in result.messages]
        self.environments.append(result.env)
        answer["env"] = len(self.environments) - 1
        return answer

    def _remember(self, state: TacticState) -> int:
        self.states.append(state)
        return len(self.states) - 1

    def _sorry(self, sorry: Sorry) -> Json:
        number = self._remember(sorry.state)
        return {"proofState": number, "pos": _pos(sorry.pos), "endPos": _pos(sorry.end), "goal": sorry.goal}

    def _step(self, step: TacticStep) -> Json:
        return {
            "tactic": step.tactic,
            "proofState": self._remember(step.state),
            "pos": _pos(step.pos),
            "endPos": _pos(step.end),
            "goals": step.goals or "no goals",
            "usedConstants": [],
        }

    def _tactic(self, tactic: str, number: int) -> Json:
        if number >= len(self.states):
            return {"message": "Unknown proof state."}
        result = self.states[number].apply(tactic)
        if result.state is None:
            return {"message": f"Lean error:\n{result.error}"}
        answer: dict[str, object] = {}
        if result.sorries:
            answer["sorries"] = [
                {"proofState": self._remember(s.state), "goal": s.goal} for s in result.sorries
            ]
        answer["proofStatus"] = result.status
        answer["proofState"] = self._remember(result.state)
        answer["goals"] = list(result.state.goals)
        return answer


def _number(request: Json, key: str) -> int:
    value = request.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRequest(f"{key} is no natural number")
    return value


def _pos(pos: Position) -> Json:
    return {"line": pos.line, "column": pos.column}


def _message(message: Diagnostic) -> Json:
    end = _pos(message.end) if message.end is not None else None
    return {"severity": message.severity, "pos": _pos(message.pos), "endPos": end, "data": message.data}


def requests(lines: Iterable[str]) -> Iterator[str]:
    """The requests in a stream of lines: joined without their line breaks up to a blank line or the end."""
    parts: list[str] = []
    for line in lines:
        if line.strip(" \t\r\n"):
            parts.append(line.rstrip(" \t\r\n"))
        else:
            yield "".join(parts) + line
            parts = []
    if parts:
        yield "".join(parts)


def serve(source: TextIO, target: TextIO, errors: TextIO) -> int:
    """Answer requests until the end of `source`; the exit code."""
    repl = Repl()
    for request in requests(source):
        if request.startswith(("#", "--")):
            continue
        try:
            answer = repl.answer(json.loads(request))
        except (ValueError, RecursionError, BadRequest) as error:
            errors.write(f"uncaught exception: Could not parse JSON: {error}\n")
            return 1
        target.write(layout(answer) + "\n\n")
        target.flush()
    return 0


def main() -> int:
    """Serve stdin and stdout, both UTF-8."""
    for stream in (sys.stdin, sys.stdout):
        # A lone surrogate of a \\ud800 escape is no UTF-8: printed as an escape rather than a crash.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return serve(sys.stdin, sys.stdout, sys.stderr)
    except KeyboardInterrupt:
        return 130
