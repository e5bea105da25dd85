"""The in-process face of the core: run files, open goals, apply tactics. Everything here is immutable to its users.

A proof counts only once the kernel has accepted the whole term: that is what status "Completed" says.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.lean.core import syntax as S
from harness.lean.core import syntax_commands as C
from harness.lean.core.elab import Elab, LeanError, Log
from harness.lean.core.elab_commands import Header, Session, close, elab_header, run_command
from harness.lean.core.environment import Environment, axioms_of_terms
from harness.lean.core.kernel import DEFAULT_STEPS, KernelError, KernelTimeout, add_definition
from harness.lean.core.library import library
from harness.lean.core.metacontext import DEFAULT_HEARTBEATS, Heartbeats, LeanError as _LeanError
from harness.lean.core.parser import SyntaxFailure, input_message, parse_commands, parse_tactic
from harness.lean.core.printer import goal_text
from harness.lean.core.syntax_tactics import Tactic
from harness.lean.core.tactics.engine import Step, run_tactic
from harness.lean.core.term import HAS_MVAR, FVar, Lam, Level, MVar, Pi, TermTooLarge, bind_lam, bind_pi

STACK = 20_000
"""Python frames granted; a deeper term is the error "maximum recursion depth has been reached"."""
DEPTH_MESSAGE = (
    "maximum recursion depth has been reached\nuse `set_option maxRecDepth <num>` to increase limit\n"
    "use `set_option diagnostics true` to get diagnostic information"
)
COMPLETED = "Completed"
OPEN_GOALS = "Incomplete: open goals remain"
CONTAINS_SORRY = "Incomplete: contains sorry"
CONTAINS_HOLES = "Incomplete: contains metavariable(s)"
SEVERAL_GOALS = "Not verified: more than one initial goal"


class CoreError(Exception):
    """A bad statement; the message is in Lean's wording."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Deterministic limits. `heartbeats` are steps of elaboration per tactic or declaration, not time."""

    heartbeats: int = DEFAULT_HEARTBEATS


@dataclass(frozen=True, slots=True)
class Position:
    """`line` from 1, `column` from 0 in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Message:
    """`severity` is error, warning or info."""

    severity: str
    pos: Position
    end: Position | None
    data: str


@contextmanager
def deep_stack() -> Iterator[None]:
    """Room for nested terms; the old limit comes back afterwards."""
    old = sys.getrecursionlimit()
    if old < STACK:
        sys.setrecursionlimit(STACK)
    try:
        yield
    finally:
        if old < STACK:
            sys.setrecursionlimit(old)


class TacticState:
    """Open goals of one proof. Applying a tactic gives a new state; this one stays as it is."""

    __slots__ = ("_assign", "_delayed", "_goals", "_lassign", "_text", "env", "header", "limits", "root", "single")

    def __init__(self, env: Environment, header: Header, root: MVar, goals: tuple[MVar, ...], holes: Any, limits: Limits) -> None:
        self.env = env
        self.header = header
        self.root = root
        self._goals = goals
        self._assign: dict[int, Any] = holes[0]
        self._lassign: dict[int, Level] = holes[1]
        self._delayed: dict[int, Any] = holes[2]
        self._text: tuple[str, ...] | None = None
        self.limits = limits
        self.single = True
        """Whether `root` stands for the whole proof; a state saved with several goals is never "Completed"."""

    @property
    def goals(self) -> tuple[str, ...]:
        """The goals as Lean prints them; tactics act on the first."""
        if self._text is None:
            with deep_stack():
                elab = self._elab()
                try:
                    self._text = tuple([goal_text(elab, g, self.env) for g in self._goals])
                except RecursionError:
                    self._text = tuple(["⊢ ⋯" for _ in self._goals])
        return self._text

    def _elab(self) -> Elab:
        elab = Elab(self.env, self.limits.heartbeats)
        elab.assign = self._assign.copy()
        elab.lassign = self._lassign.copy()
        elab.delayed = self._delayed.copy()
        elab.level_names = list(self.header.elab.level_names)
        elab.goals = list(self._goals)
        return elab

    def apply(self, tactic: str) -> TacticResult:
        """Run one tactic, as the REPL's tactic mode does."""
        try:
            node = parse_tactic(tactic)
        except SyntaxFailure as failure:
            return TacticResult(None, input_message(tactic, failure), "")
        with deep_stack():
            return self._run(node)

    def _run(self, node: Tactic) -> TacticResult:
        elab = self._elab()
        try:
            run_tactic(elab, node)
        except _LeanError as error:
            return TacticResult(None, error.message, "")
        except RecursionError:
            return TacticResult(None, DEPTH_MESSAGE, "")
        except TermTooLarge:
            return TacticResult(None, str(_too_large(elab)), "")
        holes = (elab.assign, elab.lassign, elab.delayed)
        state = TacticState(self.env, self.header, self.root, tuple(elab.goals), holes, self.limits)
        state.single = self.single
        sorries = tuple([_sorry_of(self, elab, s) for s in elab.log.sorries])
        if elab.goals:
            return TacticResult(state, None, OPEN_GOALS, sorries)
        return TacticResult(state, None, state.verdict(), sorries)

    def verdict(self) -> str:
        """What the kernel says of the finished term; one of the statuses of the REPL."""
        if self._goals:
            return OPEN_GOALS
        if not self.single:
            return SEVERAL_GOALS
        with deep_stack():
            return self._verdict()

    def _verdict(self) -> str:
        elab = self._elab()
        try:
            value = elab.inst(self.root)
            type_ = elab.inst(self.root.type)
            if elab.holes(value, []) or elab.holes(type_, []):
                return CONTAINS_HOLES
            header = Header(elab, list(self.root.lctx), type_, self.header.params)
            constant = close(header, "_proof", "theorem", value)
            assert constant.value is not None
            if constant.type.fl & HAS_MVAR or constant.value.fl & HAS_MVAR:
                return CONTAINS_HOLES
            if "sorryAx" in axioms_of_terms(self.env.kernel, constant.type, constant.value):
                return CONTAINS_SORRY
            add_definition(self.env.kernel, constant, DEFAULT_STEPS)
        except KernelError as error:
            return f"Error: kernel type check failed: {error}"
        except RecursionError:
            return "Error: kernel type check failed: (kernel) deep recursion detected"
        except TermTooLarge:
            return "Error: kernel type check failed: (kernel) deterministic timeout"
        return COMPLETED

    def proof_axioms(self) -> tuple[str, ...]:
        """Axioms the finished term rests on, sorted."""
        elab = self._elab()
        return axioms_of_terms(self.env.kernel, elab.inst(self.root), elab.inst(self.root.type))


@dataclass(frozen=True, slots=True)
class TacticResult:
    """`state` None and `error` set when the tactic failed; `status` as in the REPL, "" on an error."""

    state: TacticState | None
    error: str | None
    status: str
    sorries: tuple[Sorry, ...] = ()


@dataclass(frozen=True, slots=True)
class Sorry:
    """A `sorry` met on the way: its place, its goal as Lean prints it, a state to go on from."""

    pos: Position
    end: Position
    goal: str
    state: TacticState


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
    messages: tuple[Message, ...]
    sorries: tuple[Sorry, ...]
    declared: tuple[str, ...] = ()
    tactics: tuple[TacticStep, ...] = ()


def prelude() -> Environment:
    """The library, built (and checked by the kernel) once per process."""
    with deep_stack():
        return library()


def _too_large(elab: Elab) -> str:
    return f"(deterministic) timeout at `whnf`, maximum number of heartbeats ({elab.budget}) has been reached"


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


def _sorry_of(state: TacticState, elab: Elab, entry: tuple[int, int, MVar, Any]) -> Sorry:
    zero = Position(0, 0)
    _, _, goal, holes = entry
    return _sorry(state.env, state.header, goal, holes, state.limits, zero, zero)


def _sorry(env: Environment, header: Header, goal: MVar, holes: Any, limits: Limits, start: Position, end: Position) -> Sorry:
    root = MVar(goal.type, goal.lctx, "g", goal.name)
    state = TacticState(env, header, root, (root,), holes, limits)
    return Sorry(start, end, state.goals[0], state)


def run(
    env: Environment, source: str, *, header: bool = False, all_tactics: bool = False, limits: Limits | None = None
) -> RunResult:
    """Run commands. Bad source gives messages, never an exception.

    `header`: imports are allowed (a request without an environment). `all_tactics`: fill `tactics`.
    """
    limits = limits or Limits()
    session = Session(env, budget=limits.heartbeats)
    session.log = Log(steps=[] if all_tactics else None)
    places = _Places(source)
    with deep_stack():
        sorries, steps = _run_all(session, source, header, limits, places)
    messages = tuple([Message(sev, places.at(s), places.at(e), text) for sev, s, e, text in session.log.messages])
    return RunResult(session.env, messages, tuple(sorries), tuple(session.declared), tuple(steps))


def _run_all(
    session: Session, source: str, header: bool, limits: Limits, places: _Places
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
            break
        if command is not None:
            _guarded(session, command)
        for e in parsed.errors:
            session.log.messages.append(("error", e.start, e.end, e.message))
        if session.log.sorries or session.log.steps:
            _collect(session, before, source, limits, places, sorries, steps)
    return sorries, steps


def _guarded(session: Session, command: C.Command) -> None:
    env = session.env
    try:
        run_command(session, command)
    except RecursionError:
        session.env = env
        session.log.messages.append(("error", command.start, command.end, DEPTH_MESSAGE))
    except (TermTooLarge, KernelTimeout):
        session.env = env
        text = f"(deterministic) timeout at `whnf`, maximum number of heartbeats ({session.budget}) has been reached"
        session.log.messages.append(("error", command.start, command.end, text))


def _collect(
    session: Session,
    env: Environment,
    source: str,
    limits: Limits,
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
        return Header(elab, [], S_PROP, ())


def _step(env: Environment, fake: _FakeHeader, step: Step, source: str, limits: Limits, places: _Places) -> TacticStep:
    def state(goals: tuple[MVar, ...], holes: Any) -> TacticState:
        header = fake.header(holes)
        if len(goals) == 1:
            root = MVar(goals[0].type, goals[0].lctx, "g", goals[0].name)
            return TacticState(env, header, root, (root,), holes, limits)
        root = goals[0] if goals else MVar(S_PROP, ())
        several = TacticState(env, header, root, goals, holes, limits)
        several.single = False
        return several

    before = state(step.goals_before, step.before)
    after = state(step.goals_after, step.after)
    text = "\n\n".join(before.goals)
    text_after = "\n\n".join(after.goals)
    tactic = source[step.start : step.end]
    return TacticStep(places.at(step.start), places.at(step.end), tactic, text, before, text_after, step.depth)


from harness.lean.core.term import PROP as S_PROP  # noqa: E402


@lru_cache(maxsize=4096)
def _parse_statement(statement: str) -> tuple[Any, ...]:
    return parse_commands(statement + " := by\n  sorry")


def open_goal(env: Environment, header: str, statement: str, limits: Limits | None = None) -> TacticState:
    """The goal of a statement without its proof, such as `theorem foo (P : Prop) (h : P) : P`.

    `header` holds commands to run before it (imports, opens). Raises `CoreError` when either is wrong.
    """
    limits = limits or Limits()
    if header.strip():
        done = _run_header(env, header)
        env = done
    parsed = _parse_statement(statement.rstrip().removesuffix(":=").rstrip())
    decls = [p for p in parsed]
    for p in decls:
        if p.errors:
            raise CoreError(p.errors[0].message)
    with deep_stack():
        try:
            return _open(env, decls, limits)
        except _LeanError as error:
            raise CoreError(error.message) from None
        except RecursionError:
            raise CoreError(DEPTH_MESSAGE) from None
        except TermTooLarge:
            raise CoreError("(deterministic) timeout at `elaborator`") from None


def _open(env: Environment, parsed: list[Any], limits: Limits) -> TacticState:
    session = Session(env, budget=limits.heartbeats)
    for p in parsed[:-1]:
        run_command(session, p.command)
        errors = [m for m in session.log.messages if m[0] == "error"]
        if errors:
            raise CoreError(errors[0][3])
    command = parsed[-1].command if parsed else None
    while isinstance(command, C.InCommand):
        scope_env = session.env
        run_command(session, command.first)
        del scope_env
        command = command.second
    if not isinstance(command, C.Decl) or command.type is None and command.kind != "example":
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
    "CoreError",
    "Environment",
    "FVar",
    "Heartbeats",
    "Lam",
    "LeanError",
    "Limits",
    "Message",
    "Pi",
    "Position",
    "RunResult",
    "S",
    "Sorry",
    "TacticResult",
    "TacticState",
    "TacticStep",
    "bind_lam",
    "bind_pi",
    "open_goal",
    "prelude",
    "run",
]
