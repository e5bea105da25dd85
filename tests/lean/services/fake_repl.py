"""A scripted stand-in for a Lean REPL: the documented protocol, a toy judgement, and faults on demand.

It "proves" whatever holds neither `BAD` (an error) nor `sorry`. Faults come from the request's text, as a
word `FAULT_NAME` in one candidate, or from the command line for the whole process:

    fake_repl.py [--die-after N] [--stderr-kb N] [--slow S] [--reject-imports] [--log FILE] [--steps N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time

OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("--die-after", type=int, default=0)
OPTIONS.add_argument("--stderr-kb", type=int, default=0)
OPTIONS.add_argument("--slow", type=float, default=0.0)
OPTIONS.add_argument("--reject-imports", action="store_true")
OPTIONS.add_argument("--log", default="")
OPTIONS.add_argument("--steps", type=int, default=2)

HOARD: list[bytearray] = []


def at(text: str, index: int) -> dict[str, int]:
    before = text[:index]
    return {"line": before.count("\n") + 1, "column": index - (before.rfind("\n") + 1)}


def note(severity: str, text: str, index: int, data: str) -> dict[str, object]:
    return {"severity": severity, "pos": at(text, index), "endPos": None, "data": data}


class Repl:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.envs = 0
        self.states: list[tuple[int, str]] = []
        """Steps left and marks of every proof state."""

    def answer(self, request: dict[str, object]) -> dict[str, object]:
        if "tactic" in request:
            return self.tactic(str(request["tactic"]), request["proofState"])
        env = request.get("env")
        if isinstance(env, int) and env >= self.envs:
            return {"message": "Unknown environment."}
        return self.command(str(request["cmd"]), env)

    def command(self, cmd: str, env: object) -> dict[str, object]:
        messages, sorries = [], []
        for found in re.finditer(r"^import .*$", cmd, re.MULTILINE):
            if env is not None or self.options.reject_imports:
                messages.append(note("error", cmd, found.start(), "unknown module prefix"))
        for found in re.finditer(r"\bBAD\b", cmd):
            messages.append(note("error", cmd, found.start(), "unknown identifier 'BAD'"))
        for found in re.finditer(r"\bsorry\b", cmd):
            self.states.append((self.options.steps, ""))
            place = at(cmd, found.start())
            goal = f"⊢ G{self.options.steps}"
            sorries.append({"pos": place, "endPos": place, "goal": goal, "proofState": len(self.states) - 1})
            messages.append(note("warning", cmd, found.start(), "declaration uses 'sorry'"))
        for found in re.finditer(r"^#print axioms (?:_root_\.)?(\S+)$", cmd, re.MULTILINE):
            messages.append(note("info", cmd, found.start(), f"'{found[1]}' does not depend on any axioms"))
        for found in re.finditer(r"^#check @_root_\.(\S+)$", cmd, re.MULTILINE):
            messages.append(note("info", cmd, found.start(), f"@{found[1]} : G"))
        for found in re.finditer(r"^#check \((\d+) : Nat\)", cmd, re.MULTILINE):
            messages.append(note("info", cmd, found.start(), f"{found[1]} : Nat"))
        self.envs += 1
        answer: dict[str, object] = {"env": self.envs - 1}
        if messages:
            answer["messages"] = messages
        if sorries:
            answer["sorries"] = sorries
        return answer

    def tactic(self, tactic: str, state: object) -> dict[str, object]:
        """As many `step`s as there are steps close the goal, `mark_X` adds X to its text; `fake_done` empties
        the goals without a proof; `BAD` is an error."""
        if not isinstance(state, int) or state >= len(self.states):
            return {"message": "Unknown proof state."}
        if "BAD" in tactic:
            return {"message": "Lean error:\nunknown tactic 'BAD'"}
        left, marks = self.states[state]
        mark = re.search(r"mark_(\w+)", tactic)
        marks += f" {mark[1]}" if mark else ""
        left = 0 if "fake_done" in tactic else left - (mark is None)
        self.states.append((left, marks))
        status = "Completed" if left == 0 else "Incomplete: open goals remain"
        if "fake_done" in tactic:
            status = "Incomplete: contains metavariable(s)"
        goals = [f"⊢ G{left}{marks}"] if left > 0 else []
        return {"proofState": len(self.states) - 1, "goals": goals, "proofStatus": status}


def send(answer: dict[str, object], faults: set[str]) -> None:
    text = json.dumps(answer, ensure_ascii=False, indent=1)
    if "garbage" in faults:
        text = "Segmentation fault or so"
    if "truncated" in faults:
        text = text[: len(text) // 2]
    if "blocks" in faults:
        text = json.dumps({"env": 0}) + "\n\n" + text
    if "late_block" in faults:
        text += '\n\n{"env": 0}'
    print(text, end="\n\n", flush=True)


def commit(faults: set[str], answer: dict[str, object]) -> None:
    if "die" in faults:
        print("fatal: out of luck", file=sys.stderr, flush=True)
        os._exit(134)
    if "hang" in faults:
        time.sleep(3600)
    if "grow" in faults:
        for _ in range(4096):
            HOARD.append(bytearray(b"x" * (1 << 20)))
    if "stderr" in faults:
        print("noise " * 100_000, file=sys.stderr, flush=True)
    if "long" in faults:
        pos = {"line": 1, "column": 0}
        extra = {"severity": "warning", "pos": pos, "endPos": None, "data": "w" * 200_000}
        answer["messages"] = [extra, *answer.get("messages", [])]  # type: ignore[misc]


def main() -> None:
    options = OPTIONS.parse_args()
    repl = Repl(options)
    lines: list[str] = []
    served = 0
    for line in sys.stdin:
        if line.strip():
            lines.append(line.rstrip("\n"))
            continue
        request = json.loads("".join(lines))
        lines = []
        served += 1
        if options.log:
            with open(options.log, "a", encoding="utf-8") as log:  # noqa: PTH123
                print(json.dumps(request | {"pid": os.getpid()}), file=log)
        if options.die_after and served > options.die_after:
            os._exit(1)
        time.sleep(options.slow)
        if options.stderr_kb:
            print("e" * 1024 * options.stderr_kb, file=sys.stderr, flush=True)
        text = str(request.get("cmd", request.get("tactic", "")))
        faults = set(re.findall(r"FAULT_([a-z_]+)", text))
        answer = repl.answer(request)
        commit(faults, answer)
        send(answer, faults)


if __name__ == "__main__":
    try:
        main()
    except MemoryError:
        os._exit(137)
