"""Running tactics: dispatch, sequences, blocks, combinators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import snapshot, sorry_term
from harness.lean.core.metacontext import Heartbeats
from harness.lean.core.tactic_names import MATHLIB
from harness.lean.core.term import App, Lam, MVar, beta, head, head_args
from harness.lean.core.work import look

Fn = TypeVar("Fn", bound=Callable[..., Any])
TACTICS: dict[object, Callable[[Elab, Any], None]] = {}


def tactic(*keys: object) -> Callable[[Fn], Fn]:
    """Register a tactic under names (for the shared shapes) or syntax classes."""

    def register(fn: Fn) -> Fn:
        for key in keys:
            TACTICS[key] = fn
        return fn

    return register


@dataclass(frozen=True, slots=True)
class TacticRun:
    """One tactic as it ran; `before` and `after` are (goals, saved holes)."""

    start: int
    end: int
    goals_before: tuple[MVar, ...]
    goals_after: tuple[MVar, ...]
    before: Any
    after: Any
    depth: int


_loaded: list[bool] = []


def _load() -> None:
    if not _loaded:
        _loaded.append(True)
        for name in (
            "applying",
            "basic",
            "casework",
            "patterns",
            "induct",
            "rewrite",
            "logic",
            "simplify",
            "arith",
            "matching",
        ):
            import_module(f"harness.lean.core.tactics.{name}")


def main_goal(elab: Elab) -> MVar:
    """The first goal; its context becomes the current one."""
    if not elab.goals:
        raise LeanError("No goals to be solved")
    goal = elab.goals[0]
    elab.lctx = goal.lctx
    return goal


def _word(node: T.Tactic) -> str:
    """The word that `node` begins with, where it may be one of `MATHLIB`."""
    if isinstance(node, (T.WithTerms, T.CasesOld, T.HaveTactic)):
        return node.name
    return "by_contra" if isinstance(node, T.ByContra) else ""


def run_tactic(elab: Elab, node: T.Tactic) -> None:
    """Run one tactic on the state of `elab`."""
    _load()
    look()
    elab.tick()
    if _word(node) in MATHLIB and not elab.env.with_mathlib:
        raise LeanError("unknown tactic", node.start + 1, node.end)
    fn = TACTICS.get(node.__class__)
    if fn is None:
        name = getattr(node, "name", type(node).__name__)
        fn = TACTICS.get(name)
        if fn is None:
            raise elab.outside(node, str(name))
    record = elab.log.steps
    before = (tuple(elab.goals), snapshot(elab)) if record is not None else None
    at = len(record) if record is not None else 0
    try:
        fn(elab, node)
    except LeanError as error:
        if error.start < 0:
            error.start, error.end = node.start, node.end
        raise
    elab.goals = [g for g in elab.goals if g.id not in elab.assign]
    if record is not None and before is not None:
        after = tuple(elab.goals)
        record.insert(at, TacticRun(node.start, node.end, before[0], after, before[1], snapshot(elab), 0))


def run_seq(elab: Elab, seq: T.TacticSeq) -> None:
    """Run tactics one after the other."""
    for t in seq.tactics:
        run_tactic(elab, t)


def unsolved(elab: Elab, goals: Sequence[MVar]) -> str:
    """The message about goals left over."""
    return "unsolved goals\n" + "\n\n".join([elab.goal_text(g) for g in goals])


def run_focused(elab: Elab, goals: list[MVar], seq: S.SyntaxNode, node: S.SyntaxNode) -> None:
    """Run a block that must close `goals`; when recovering, an error is reported and the goals given up."""
    saved, lctx, pending = elab.goals, elab.lctx, elab.pending
    elab.goals, elab.pending = list(goals), []
    try:
        assert isinstance(seq, T.TacticSeq)
        run_seq(elab, seq)
        left = [g for g in elab.goals if g.id not in elab.assign]
        if left:
            raise LeanError(unsolved(elab, left), node.start, node.end)
    except Heartbeats:
        raise
    except LeanError as error:
        if not elab.log.recover:
            raise
        elab.log.messages.append(("error", error.start, error.end, error.message))
        for g in [*elab.goals, *goals]:
            give_up(elab, g)
    finally:
        elab.goals, elab.lctx, elab.pending = saved, lctx, pending


def give_up(elab: Elab, goal: MVar) -> None:
    """Fill a goal with sorryAx after an error was reported."""
    if goal.id not in elab.assign:
        saved, elab.lctx = elab.lctx, goal.lctx
        elab.set(goal, sorry_term(elab, goal.type))
        elab.lctx = saved


def run_block(elab: Elab, goal: MVar, node: S.By) -> None:
    """Run a `by` block that was put off."""
    type_ = elab.inst(goal.type)
    while isinstance(type_, App) and isinstance(head(type_), Lam):
        fn, args = head_args(type_)
        type_ = beta(fn, args)
    if type_ is not goal.type:
        tidy = MVar(type_, goal.lctx, "g", goal.name)
        elab.set(goal, tidy)
        goal = tidy
    run_focused(elab, [goal], node.body, node)


# ---------------------------------------------------------------- combinators
def attempt(elab: Elab, action: Callable[[], None]) -> LeanError | None:
    """Run; on failure restore everything and return the error."""
    mark, goals, lctx = elab.mark(), elab.goals, elab.lctx
    log = elab.log
    counts = (len(log.messages), len(log.sorries), len(log.steps) if log.steps is not None else 0)
    recover, log.recover = log.recover, False
    pending, holes = elab.pending, elab.new_holes
    try:
        action()
    except Heartbeats:
        raise
    except LeanError as error:
        elab.undo(mark)
        elab.goals, elab.lctx, elab.pending, elab.new_holes = goals, lctx, pending, holes
        del log.messages[counts[0] :], log.sorries[counts[1] :]
        if log.steps is not None:
            del log.steps[counts[2] :]
        return error
    finally:
        log.recover = recover
    return None


@tactic(T.AndThen)
def _and_then(elab: Elab, node: T.AndThen) -> None:
    main_goal(elab)
    rest = elab.goals[1:]
    elab.goals = elab.goals[:1]
    run_tactic(elab, node.first)
    out: list[MVar] = []
    for g in elab.goals:
        if g.id in elab.assign:
            continue
        elab.goals = [g]
        run_tactic(elab, node.second)
        out += elab.goals
    elab.goals = [*out, *rest]


@tactic(T.First)
def _first(elab: Elab, node: T.First) -> None:
    last: LeanError | None = None
    for seq in node.alts:
        last = attempt(elab, partial(run_seq, elab, seq))
        if last is None:
            return
    raise last or LeanError("no alternatives")


@tactic("try")
def _try(elab: Elab, node: T.Block) -> None:
    attempt(elab, lambda: run_seq(elab, node.body))


@tactic("repeat", "repeat1", "repeat'")
def _repeat(elab: Elab, node: T.Block) -> None:
    if node.name == "repeat1":
        run_seq(elab, node.body)
    if node.name == "repeat'":
        todo, done = list(elab.goals), []
        for _ in range(1000):
            if not todo:
                break
            elab.goals = [todo.pop(0)]
            if attempt(elab, lambda: run_seq(elab, node.body)) is None:
                todo = [*elab.goals, *todo]
            else:
                done += elab.goals
        elab.goals = [*done, *todo]
        return
    for _ in range(1000):
        if not elab.goals:
            return
        before = elab.goals
        if attempt(elab, lambda: run_seq(elab, node.body)) is not None:
            return
        if elab.goals == before:
            return
    raise LeanError("maximum recursion depth has been reached")


@tactic("all_goals", "any_goals")
def _all_goals(elab: Elab, node: T.Block) -> None:
    out: list[MVar] = []
    worked = False
    for g in elab.goals:
        if g.id in elab.assign:
            continue
        elab.goals = [g]
        if node.name == "all_goals":
            run_seq(elab, node.body)
        elif attempt(elab, lambda: run_seq(elab, node.body)) is None:
            worked = True
        out += [x for x in elab.goals if x.id not in elab.assign]
    elab.goals = out
    if node.name == "any_goals" and not worked:
        raise LeanError("failed on all goals")


@tactic("·", ".")
def _bullet(elab: Elab, node: T.Block) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    elab.goals = [goal]
    if goal.name:
        bare = MVar(goal.type, goal.lctx, "g")
        elab.set(goal, bare)
        goal = bare
    run_focused(elab, [goal], node.body, node)
    elab.goals = rest


@tactic("focus")
def _focus(elab: Elab, node: T.Block) -> None:
    main_goal(elab)
    rest = elab.goals[1:]
    elab.goals = elab.goals[:1]
    run_seq(elab, node.body)
    elab.goals = [*elab.goals, *rest]


@tactic("(")
def _paren(elab: Elab, node: T.Block) -> None:
    run_seq(elab, node.body)


@tactic(T.Case)
def _case(elab: Elab, node: T.Case) -> None:
    from harness.lean.core.tactics.goals import rename

    for tag, names in node.tags or (("_", ()),):
        goal = find_case(elab, node, tag)
        others = [g for g in elab.goals if g is not goal]
        if names:
            hidden = [v for v in goal.lctx if v.name.endswith("✝") or _shadowed(goal, v)]
            if len(names) > len(hidden):
                raise LeanError("too many variable names provided")
            pairs = list(zip(hidden[len(hidden) - len(names) :], names, strict=True))
            goal = rename(elab, goal, [(v, n) for v, n in pairs if n != "_"])
        if goal.name:
            bare = MVar(goal.type, goal.lctx, "g")
            elab.set(goal, bare)
            goal = bare
        run_focused(elab, [goal], node.body, node)
        elab.goals = others


def _shadowed(goal: MVar, v: Any) -> bool:
    later = False
    for w in goal.lctx:
        if w is v:
            later = True
        elif later and w.name == v.name:
            return True
    return False


def find_case(elab: Elab, node: S.SyntaxNode, tag: str) -> MVar:
    """The goal a tag names: exactly, else by its end, else by its beginning."""
    if not elab.goals:
        raise LeanError("No goals to be solved")
    if tag == "_":
        return elab.goals[0]
    tests: list[Callable[[str], bool]] = [
        lambda n: n == tag,
        lambda n: n.endswith("." + tag),
        lambda n: n.startswith(tag + "."),
    ]
    for test in tests:
        for g in elab.goals:
            if test(g.name):
                return g
    known = [f"`{g.name}`" for g in elab.goals if g.name]
    hint = f"\n\nAvailable tags: {', '.join(known)}" if known else ""
    raise elab.fail(
        node,
        f"Case tag `{tag}` not found.{hint}"
        if known
        else f"Case tag `{tag}` not found.\n\nThere are no cases to select.",
    )


@tactic("done")
def _done(elab: Elab, node: T.Simple) -> None:
    if elab.goals:
        raise LeanError(unsolved(elab, elab.goals))


@tactic("skip")
def _skip(elab: Elab, node: T.Simple) -> None:
    return


@tactic(T.Fail)
def _fail(elab: Elab, node: T.Fail) -> None:
    raise LeanError(node.message or "Failed")


@tactic("sorry", "admit")
def _sorry(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    elab.log.sorries.append((node.start, node.end, goal, snapshot(elab)))
    elab.set(goal, sorry_term(elab, elab.inst(goal.type)))
    elab.goals = elab.goals[1:]


@tactic(T.OptionIn)
def _option_in(elab: Elab, node: T.OptionIn) -> None:
    run_seq(elab, node.body)


@tactic(T.TacticOther)
def _other(elab: Elab, node: T.TacticOther) -> None:
    raise elab.outside(node, node.name)
