# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""induction."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab
from harness.lean.core.tactics.basic import find_local
from harness.lean.core.tactics.casework import run_alts, target_term
from harness.lean.core.tactics.engine import main_goal, tactic
from harness.lean.core.tactics.goals import assert_have, tactic_error
from harness.lean.core.tactics.splitting import ConstructorGoal, SplitRequest, split
from harness.lean.core.term import FVar


@tactic(T.Induction)
def _induction(elab: Elab, node: T.Induction) -> None:
    if node.using is not None:
        from harness.lean.core.tactics.induct_using import induction_using

        induction_using(elab, node)
        return
    branches = induction_branches(elab, node.targets, node.generalizing, node)
    run_alts(elab, node, branches, node.alts, node.before_alts)


def induction_branches(
    elab: Elab, targets: tuple[S.Discr, ...], generalizing: tuple[str, ...], node: S.SyntaxNode
) -> list[ConstructorGoal]:
    """One branch per constructor, with hypotheses of induction."""
    goal = main_goal(elab)
    if len(targets) != 1:
        raise elab.outside(node, "induction on several targets")
    target = target_term(elab, targets[0].term)
    if not isinstance(target, FVar):
        from harness.lean.core.rewriting import abstract_occurrences
        from harness.lean.core.tactics.goals import intro_many, new_goal
        from harness.lean.core.term import App, bind_pi

        type_ = elab.inst(elab.infer(target))
        if elab.is_prop(type_):
            target, goal = assert_have(elab, goal, "x✝", type_, target)
        else:
            x = FVar("x", type_)
            body = abstract_occurrences(elab, goal.type, target, x)
            sub = new_goal(goal, bind_pi([x], body))
            elab.set(goal, App(sub, target))
            (target,), goal = intro_many(elab, sub, [None])
        elab.goals = [goal, *elab.goals[1:]]
        elab.lctx = goal.lctx
    extra = [find_local(elab, n, node) for n in generalizing]
    if any([v is target for v in extra]):
        raise tactic_error(elab, goal, "induction", "the target cannot be generalized")
    return split(elab, goal, target, SplitRequest(True, tuple(extra), None, "induction"))
