"""omega and decide: the provers stand in modules of their own and hand back proof terms."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.tactics.engine import attempt, main_goal, tactic
from harness.lean.core.term import MVar


def _present(name: str) -> bool:
    return find_spec(f"harness.lean.core.{name}") is not None


@tactic("omega")
def _omega(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    if not _present("omega"):
        raise elab.outside(node, "omega")
    elab.set(goal, import_module("harness.lean.core.omega").prove(elab, goal))


@tactic("decide")
def _decide(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    if not _present("decide"):
        raise elab.outside(node, "decide")
    elab.set(goal, import_module("harness.lean.core.decide").prove(elab, goal))


def decide_goal(elab: Elab, goal: MVar) -> bool:
    """Whether `decide` closes the goal."""
    if not _present("decide"):
        return False

    def run() -> None:
        elab.lctx = goal.lctx
        elab.set(goal, import_module("harness.lean.core.decide").prove(elab, goal))

    error: LeanError | None = attempt(elab, run)
    return error is None
