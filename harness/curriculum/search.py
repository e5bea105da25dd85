"""Shortest proofs: a memoised AND/OR search over a small set of tactics.

The tactics act on the first goal, one line each: `assumption`, `contradiction`, `intro`, `constructor`,
`left`, `right`, `exfalso`, `obtain ⟨_, _⟩ := _`, `rcases _ with _ | _`, `apply`, `have := h x`,
`refine ⟨x, ?_⟩`. The length of a proof is its number of tactics over all goals; the search deepens until the
first length that has a proof, so what it returns is a shortest proof in this style.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.curriculum.formula import FALSE, Formula, Term, instantiate, map_terms

Context = frozenset[Formula]


@dataclass(frozen=True, slots=True)
class Goal:
    """Hypotheses, number of free variables (numbered from 0), and what is to be shown."""

    context: Context
    variables: int
    target: Formula


@dataclass(frozen=True, slots=True)
class Move:
    """One tactic: its name, the hypothesis it uses, the variables it is given, and the goals it leaves."""

    name: str
    used: Formula | None
    terms: tuple[int, ...]
    given: tuple[Formula, ...]
    """Hypotheses handed over as arguments (`have := h x h1`)."""
    goals: tuple[Goal, ...]
    new: tuple[tuple[Formula, ...], ...]
    """New hypotheses of each goal, in the order they are named."""


class OutOfReach(Exception):
    """The search met its limit of visited goals."""


@dataclass(slots=True)
class Searcher:
    """Searches one theorem. `limit` bounds the goals visited; `OutOfReach` is raised beyond it."""

    limit: int = 20_000
    visited: int = 0
    best: dict[Goal, tuple[int, Move]] = field(default_factory=dict)
    failed: dict[Goal, int] = field(default_factory=dict)

    def shortest(self, goal: Goal, longest: int) -> int | None:
        """Tactics in a shortest proof, or None when none has at most `longest`."""
        for budget in range(1, longest + 1):
            found = self.cost(goal, budget)
            if found is not None:
                return found
        return None

    def cost(self, goal: Goal, budget: int) -> int | None:
        """Length of a shortest proof within `budget` tactics."""
        known = self.best.get(goal)
        if known is not None:
            return known[0] if known[0] <= budget else None
        if budget <= self.failed.get(goal, 0):
            return None
        self.visited += 1
        if self.visited > self.limit:
            raise OutOfReach
        choice: tuple[int, Move] | None = None
        for move in moves(goal):
            allowed = budget if choice is None else choice[0] - 1
            total = self._all(move.goals, allowed - 1)
            if total is not None:
                choice = (total + 1, move)
        if choice is None:
            self.failed[goal] = budget
            return None
        self.best[goal] = choice
        return choice[0]

    def _all(self, goals: tuple[Goal, ...], budget: int) -> int | None:
        total = 0
        for place, goal in enumerate(goals):
            left = (
                budget - total - (len(goals) - place - 1)
            )  # every goal still to come takes one tactic at least
            found = self.cost(goal, left) if left > 0 else None
            if found is None:
                return None
            total += found
        return total if budget >= 0 else None


def moves(goal: Goal) -> Iterator[Move]:
    """Every tactic worth trying, in a fixed order, so that equal theorems get equal proofs."""
    if goal.target in goal.context:
        yield Move("assumption", None, (), (), (), ())
        return
    if FALSE in goal.context or any(item[0] == "not" and item[1] in goal.context for item in goal.context):
        yield Move("contradiction", None, (), (), (), ())
        return
    yield from _on_target(goal)
    for used in sorted(goal.context, key=repr):
        yield from _on_hypothesis(goal, used)
    if goal.target[0] == "ex":
        for number in range(goal.variables):
            body = instantiate(goal.target[1], ("var", number))
            yield Move("refine", None, (number,), (), (Goal(goal.context, goal.variables, body),), ((),))
    if goal.target != FALSE and any(item[0] in ("not", "imp", "all") for item in goal.context):
        yield Move("exfalso", None, (), (), (Goal(goal.context, goal.variables, FALSE),), ((),))


def _on_target(goal: Goal) -> Iterator[Move]:
    context, count, target = goal.context, goal.variables, goal.target
    kind = target[0]
    if kind in ("imp", "not"):
        after = target[2] if kind == "imp" else FALSE
        yield Move("intro", None, (), (), (Goal(context | {target[1]}, count, after),), ((target[1],),))
    elif kind == "all":
        body = instantiate(target[1], ("var", count))
        yield Move("intro", None, (count,), (), (Goal(context, count + 1, body),), ((),))
    elif kind in ("and", "iff"):
        first, second = halves(target)
        parts = (Goal(context, count, first), Goal(context, count, second))
        yield Move("constructor", None, (), (), parts, ((), ()))
    elif kind == "or":
        yield Move("left", None, (), (), (Goal(context, count, target[1]),), ((),))
        yield Move("right", None, (), (), (Goal(context, count, target[2]),), ((),))


def halves(formula: Formula) -> tuple[Formula, Formula]:
    """The two parts of a conjunction or an equivalence."""
    if formula[0] == "and":
        return formula[1], formula[2]
    return ("imp", formula[1], formula[2]), ("imp", formula[2], formula[1])


def _on_hypothesis(goal: Goal, used: Formula) -> Iterator[Move]:
    context, count, target = goal.context, goal.variables, goal.target
    rest = context - {used}
    kind = used[0]
    if kind in ("and", "iff"):
        new = halves(used)
        yield Move("obtain", used, (), (), (Goal(rest | set(new), count, target),), (new,))
    elif kind == "or":
        parts = tuple(Goal(rest | {part}, count, target) for part in used[1:])
        yield Move("rcases", used, (), (), parts, ((used[1],), (used[2],)))
    elif kind == "ex":
        body = instantiate(used[1], ("var", count))
        yield Move("obtain", used, (count,), (), (Goal(rest | {body}, count + 1, target),), ((body,),))
    elif kind in ("imp", "not", "all"):
        yield from _applied(goal, used)
        yield from _forward(goal, used)


def _applied(goal: Goal, used: Formula) -> Iterator[Move]:
    """`apply used`, when the conclusion after all its binders and antecedents is the target."""
    binders, antecedents, conclusion = opened(used)
    if not binders and not antecedents:
        return
    match = matched(conclusion, goal.target, binders)
    if match is None:
        return
    parts = tuple(Goal(goal.context, goal.variables, filled(item, match)) for item in antecedents)
    yield Move("apply", used, (), (), parts, tuple(() for _ in parts))


def _forward(goal: Goal, used: Formula) -> Iterator[Move]:
    """`have := used x h`: one binder instantiated, or one antecedent that stands among the hypotheses."""
    context, count = goal.context, goal.variables
    if used[0] == "imp" and used[1] in context and used[2] not in context:
        yield _have(goal, used, (), (used[1],), used[2])
    if used[0] != "all":
        return
    for number in range(count):
        new = instantiate(used[1], ("var", number))
        if new[0] == "imp" and new[1] in context:
            if new[2] not in context:
                yield _have(goal, used, (number,), (new[1],), new[2])
        elif new not in context:
            yield _have(goal, used, (number,), (), new)


def _have(
    goal: Goal, used: Formula, terms: tuple[int, ...], given: tuple[Formula, ...], new: Formula
) -> Move:
    after = Goal(goal.context | {new}, goal.variables, goal.target)
    return Move("have", used, terms, given, (after,), ((new,),))


def opened(formula: Formula) -> tuple[int, list[Formula], Formula]:
    """Leading binders, antecedents and conclusion; a negation concludes False. Binders become ("hole", k)."""
    binders, antecedents = 0, []
    while formula[0] in ("all", "imp", "not"):
        if formula[0] == "all":
            formula = instantiate(formula[1], ("hole", binders))
            binders += 1
        else:
            antecedents.append(formula[1])
            formula = formula[2] if formula[0] == "imp" else FALSE
    return binders, antecedents, formula


def matched(pattern: Formula, target: Formula, binders: int) -> dict[int, Term] | None:
    """Terms for the holes of `pattern` that make it `target`; None when it cannot, or leaves a hole open."""
    match: dict[int, Term] = {}

    def agree(left: Formula, right: Formula) -> bool:
        if left[0] != right[0] or len(left) != len(right):
            return False
        if left[0] == "pred":
            return left[1] == right[1] and all(map(fits, left[2], right[2]))
        if left[0] in ("atom", "false"):
            return left == right
        return all(map(agree, left[1:], right[1:]))

    def fits(left: Term, right: Term) -> bool:
        if left[0] != "hole":
            return left == right
        return right[0] == "var" and match.setdefault(left[1], right) == right

    return match if agree(pattern, target) and len(match) == binders else None


def filled(formula: Formula, match: dict[int, Term]) -> Formula:
    """`formula` with its holes replaced."""
    return map_terms(formula, lambda term, _: match[term[1]] if term[0] == "hole" else term)
