"""The in-process face of the core: run files, open goals, apply tactics. All values are immutable.

A proof counts only once the kernel has accepted the whole term: that is what status "Completed" says.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.lean.core import syntax as S
from harness.lean.core import syntax_commands as C
from harness.lean.core.elab import Elab, LeanError, Log
from harness.lean.core.elab_commands import Elaboration, Header, elab_header, run_command
from harness.lean.core.environment import Environment
from harness.lean.core.kernel import Constant, KernelTimeout
from harness.lean.core.library import library
from harness.lean.core.metacontext import Heartbeats
from harness.lean.core.metacontext import LeanError as _LeanError
from harness.lean.core.parser import parse_commands
from harness.lean.core.states import (
    COMPLETED,
    CONTAINS_HOLES,
    CONTAINS_SORRY,
    DEPTH_MESSAGE,
    OPEN_GOALS,
    CoreError,
    Position,
    Sorry,
    StepLimits,
    TacticResult,
    TacticState,
    _sorry,
    deep_stack,
)
from harness.lean.core.tactics.engine import TacticRun
from harness.lean.core.term import PROP, FVar, Lam, MVar, Pi, TermTooLarge, bind_lam, bind_pi
from harness.lean.core.work import nodes_granted


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """`severity` is error, warning or info."""

    severity: str
    pos: Position
    end: Position | None
    data: str


@dataclass(frozen=True, slots=True)
class TacticStep:
    """One tactic of a block: goals before and after as one text, `depth` of nesting."""

    pos: Position
    end: Position
    tactic: str
    goals: str
    state: TacticState
    goals_after: str
    depth: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run of commands leaves."""

    env: Environment
    messages: tuple[Diagnostic, ...]
    sorries: tuple[Sorry, ...]
    declared: tuple[str, ...] = ()
    tactics: tuple[TacticStep, ...] = ()


def prelude() -> Environment:
    """The library, built (and checked by the kernel) once per process."""
    with deep_stack():
        return library()


class _Places:
    def __init__(self, source: str) -> None:
        self.starts = [0]
        at = source.find("\n")
        while at >= 0:
            self.starts.append(at + 1)
            at = source.find("\n", at + 1)

    def at(self, offset: int) -> Position:
        line = bisect_right(self.starts, max(offset, 0)) - 1
        return Position(line + 1, max(offset, 0) - self.starts[line])


def run(
    env: Environment,
    source: str,
    *,
    header: bool = False,
    all_tactics: bool = False,
    limits: StepLimits | None = None,
) -> RunResult:
    """Run commands. Bad source gives messages, never an exception.

    `header`: imports are allowed (a request without an environment). `all_tactics`: fill `tactics`.
    """
    limits = limits or StepLimits()
    session = Elaboration(env, budget=limits.heartbeats)
    session.log = Log(steps=[] if all_tactics else None)
    places = _Places(source)
    with deep_stack(), nodes_granted(limits.heartbeats):
        sorries, steps = _run_all(session, source, header, limits, places)
    messages = tuple(
        [Diagnostic(sev, places.at(s), places.at(e), text) for sev, s, e, text in session.log.messages]
    )
    return RunResult(session.env, messages, tuple(sorries), tuple(session.declared), tuple(steps))


def _run_all(
    session: Elaboration, source: str, header: bool, limits: StepLimits, places: _Places
) -> tuple[list[Sorry], list[TacticStep]]:
    sorries: list[Sorry] = []
    steps: list[TacticStep] = []
    started = not header
    try:
        parsed_all = parse_commands(source)
    except RecursionError:
        session.log.messages.append(("error", 0, 0, DEPTH_MESSAGE))
        return sorries, steps
    for parsed in parsed_all:
        command = parsed.command
        before = session.env
        if isinstance(command, C.Import):
            if started:
                text = "invalid 'import' command, it must be used in the beginning of the file"
                session.log.messages.append(("error", command.start, command.end, text))
                continue
        elif command is not None:
            started = True
        if isinstance(command, C.Exit):
            text = "using 'exit' to interrupt Lean"
            session.log.messages.append(("warning", command.start, command.end, text))
            break
        if command is not None:
            _guarded(session, command)
            session.settle()
        for e in parsed.errors:
            session.log.messages.append(("error", e.start, e.end, e.message))
        if session.log.sorries or session.log.steps:
            _collect(session, before, source, limits, places, sorries, steps)
    return sorries, steps


def _guarded(session: Elaboration, command: C.Command) -> None:
    env = session.env
    try:
        run_command(session, command)
    except RecursionError:
        session.env = env
        session.log.messages.append(("error", command.start, command.end, DEPTH_MESSAGE))
    except (TermTooLarge, KernelTimeout):
        session.env = env
        text = f"(deterministic) timeout at `whnf`, maximum number of heartbeats ({session.budget}) has been reached"  # noqa: E501
        session.log.messages.append(("error", command.start, command.end, text))


def _collect(
    session: Elaboration,
    env: Environment,
    source: str,
    limits: StepLimits,
    places: _Places,
    sorries: list[Sorry],
    steps: list[TacticStep],
) -> None:
    params = _FakeHeader(env)
    for start, end, goal, holes in session.log.sorries:
        header = params.header(holes)
        sorries.append(_sorry(env, header, goal, holes, limits, places.at(start), places.at(end)))
    for step in session.log.steps or ():
        steps.append(_step(env, params, step, source, limits, places))
    session.log.sorries.clear()
    if session.log.steps is not None:
        session.log.steps.clear()


class _FakeHeader:
    """The header of a state saved in the middle of a file: its universe names, nothing else."""

    def __init__(self, env: Environment) -> None:
        self.env = env

    def header(self, holes: Any) -> Header:
        elab = Elab(self.env)
        elab.level_names = list(holes[3])
        return Header(elab, [], PROP, ())


def _step(
    env: Environment, fake: _FakeHeader, step: TacticRun, source: str, limits: StepLimits, places: _Places
) -> TacticStep:
    def state(goals: tuple[MVar, ...], holes: Any) -> TacticState:
        header = fake.header(holes)
        if len(goals) == 1:
            root = MVar(goals[0].type, goals[0].lctx, "g", goals[0].name)
            return TacticState(env, header, root, (root,), holes, limits)
        root = goals[0] if goals else MVar(PROP, ())
        several = TacticState(env, header, root, goals, holes, limits)
        several.single = False
        return several

    before = state(step.goals_before, step.before)
    after = state(step.goals_after, step.after)
    text = "\n\n".join(before.goals)
    text_after = "\n\n".join(after.goals)
    tactic = source[step.start : step.end]
    return TacticStep(
        places.at(step.start), places.at(step.end), tactic, text, before, text_after, step.depth
    )


@lru_cache(maxsize=4096)
def _parse_statement(statement: str) -> tuple[Any, ...]:
    return parse_commands(statement + " := by\n  sorry")


def open_goal(env: Environment, header: str, statement: str, limits: StepLimits | None = None) -> TacticState:
    """The goal of a statement without its proof, such as `theorem foo (P : Prop) (h : P) : P`.

    `header` holds commands to run before it (imports, opens). Raises `CoreError` when either is wrong.
    """
    limits = limits or StepLimits()
    if header.strip():
        done = _run_header(env, header)
        env = done
    parsed = _parse_statement(statement.rstrip().removesuffix(":=").rstrip())
    decls = list(parsed)
    for p in decls:
        if p.errors:
            raise CoreError(p.errors[0].message)
    with deep_stack(), nodes_granted(limits.heartbeats):
        try:
            return _open(env, decls, limits)
        except _LeanError as error:
            raise CoreError(error.message) from None
        except RecursionError:
            raise CoreError(DEPTH_MESSAGE) from None
        except TermTooLarge:
            raise CoreError("(deterministic) timeout at `elaborator`") from None


def _open(env: Environment, parsed: list[Any], limits: StepLimits) -> TacticState:
    session = Elaboration(env, budget=limits.heartbeats)
    for p in parsed[:-1]:
        run_command(session, p.command)
        errors = [m for m in session.log.messages if m[0] == "error"]
        if errors:
            raise CoreError(errors[0][3])
    command = parsed[-1].command if parsed else None
    while isinstance(command, C.InCommand):
        run_command(session, command.first)
        command = command.second
    if not isinstance(command, C.Decl) or (command.type is None and command.kind != "example"):
        raise CoreError("expected a theorem statement")
    head = elab_header(session, command)
    root = MVar(head.type, tuple(head.vars), "g")
    elab = head.elab
    if not elab.is_prop(head.type) and command.kind in ("theorem", "lemma"):
        raise CoreError(f"type of theorem `{command.name}` is not a proposition\n  {elab.show(head.type)}")
    return TacticState(session.env, head, root, (root,), (elab.assign, elab.lassign, elab.delayed), limits)


_headers: dict[tuple[int, str], tuple[Environment, Environment]] = {}


def _run_header(env: Environment, header: str) -> Environment:
    key = (id(env), header)
    known = _headers.get(key)
    if known is not None and known[0] is env:
        return known[1]
    result = run(env, header, header=True)
    for m in result.messages:
        if m.severity == "error":
            raise CoreError(m.data)
    if len(_headers) > 256:
        _headers.clear()
    _headers[key] = (env, result.env)
    return result.env


__all__ = [
    "COMPLETED",
    "CONTAINS_HOLES",
    "CONTAINS_SORRY",
    "OPEN_GOALS",
    "Constant",
    "CoreError",
    "Diagnostic",
    "Environment",
    "FVar",
    "Heartbeats",
    "Lam",
    "LeanError",
    "Pi",
    "Position",
    "RunResult",
    "S",
    "Sorry",
    "StepLimits",
    "TacticResult",
    "TacticState",
    "TacticStep",
    "bind_lam",
    "bind_pi",
    "deep_stack",
    "open_goal",
    "prelude",
    "run",
]
