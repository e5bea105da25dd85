"""Tactic states: open goals of one proof, immutable to their users. The kernel has the last word on each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.lean.core.elab import Elab
from harness.lean.core.elab_commands import Header, close
from harness.lean.core.environment import Environment, axioms_of_terms
from harness.lean.core.kernel import DEFAULT_STEPS, KernelError, add_definition
from harness.lean.core.metacontext import DEFAULT_HEARTBEATS
from harness.lean.core.metacontext import LeanError as _LeanError
from harness.lean.core.parser import SyntaxFailure, input_message, parse_tactic
from harness.lean.core.printer import goal_text
from harness.lean.core.syntax_tactics import Tactic
from harness.lean.core.tactics.engine import run_tactic
from harness.lean.core.term import HAS_MVAR, Level, MVar, TermTooLarge
from harness.lean.core.work import nodes_granted

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
class StepLimits:
    """Deterministic limits. `heartbeats` are steps of elaboration per tactic or declaration, not time."""

    heartbeats: int = DEFAULT_HEARTBEATS


@dataclass(frozen=True, slots=True)
class Position:
    """`line` from 1, `column` from 0 in code points."""

    line: int
    column: int


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

    __slots__ = (
        "_assign",
        "_delayed",
        "_goals",
        "_lassign",
        "_text",
        "env",
        "header",
        "limits",
        "root",
        "single",
    )

    def __init__(
        self,
        env: Environment,
        header: Header,
        root: MVar,
        goals: tuple[MVar, ...],
        holes: Any,
        limits: StepLimits,
    ) -> None:
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
        """Whether `root` is the whole proof; a state saved with several goals is never "Completed"."""

    @property
    def goals(self) -> tuple[str, ...]:
        """The goals as Lean prints them; tactics act on the first."""
        if self._text is None:
            with deep_stack(), nodes_granted(self.limits.heartbeats):
                elab = self._elab()
                try:
                    self._text = tuple([goal_text(elab, g, self.env, self._goals) for g in self._goals])
                except (RecursionError, TermTooLarge, _LeanError):
                    # A goal that cannot be shown is still a goal.
                    self._text = tuple(["⊢ ⋯" for _ in self._goals])
        return self._text

    def _elab(self) -> Elab:
        elab = Elab(self.env, self.limits.heartbeats)
        elab.assign = self._assign.copy()
        elab.lassign = self._lassign.copy()
        elab.delayed = self._delayed.copy()
        elab.level_names = list(self.header.elab.level_names)
        elab.space = self.header.elab.space
        elab.goals = list(self._goals)
        return elab

    def apply(self, tactic: str) -> TacticResult:
        """Run one tactic, as the REPL's tactic mode does."""
        try:
            node = parse_tactic(tactic)
        except SyntaxFailure as failure:
            return TacticResult(None, input_message(tactic, failure), "")
        with deep_stack(), nodes_granted(self.limits.heartbeats):
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


def _too_large(elab: Elab) -> str:
    return f"(deterministic) timeout at `whnf`, maximum number of heartbeats ({elab.budget}) has been reached"


def _sorry_of(state: TacticState, elab: Elab, entry: tuple[int, int, MVar, Any]) -> Sorry:
    zero = Position(0, 0)
    _, _, goal, holes = entry
    return _sorry(state.env, state.header, goal, holes, state.limits, zero, zero)


def _sorry(
    env: Environment,
    header: Header,
    goal: MVar,
    holes: Any,
    limits: StepLimits,
    start: Position,
    end: Position,
) -> Sorry:
    root = MVar(goal.type, goal.lctx, "g", goal.name)
    state = TacticState(env, header, root, (root,), holes, limits)
    return Sorry(start, end, state.goals[0], state)
