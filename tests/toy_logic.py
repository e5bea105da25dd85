"""A small propositional logic with step sessions and a verifier: theorems to train tiny models on.

Formulas are atoms or triples (operator, left, right); the tactics are intro, constructor, left, right and
assumption, acting on the first goal as Lean's do.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.protocols import Candidate
from harness.types import Level, Problem, ProofState, Status, Step, StepResult, Verdict

Formula = str | tuple[str, "Formula", "Formula"]
Goal = tuple[tuple[Formula, ...], Formula]
ATOMS = ("P", "Q", "R")


def show(formula: Formula, inner: bool = False) -> str:
    if isinstance(formula, str):
        return formula
    text = f"{show(formula[1], True)} {formula[0]} {show(formula[2], True)}"
    return f"({text})" if inner else text


def show_goal(goal: Goal) -> str:
    lines = [f"h{n} : {show(formula)}" for n, formula in enumerate(goal[0], start=1)]
    return "\n".join(["P Q R : Prop", *lines, f"⊢ {show(goal[1])}"])


def apply(goals: tuple[Goal, ...], tactic: str) -> tuple[Goal, ...] | None:
    """The goals after `tactic`, or None when it does not apply."""
    (hypotheses, target), rest = goals[0], goals[1:]
    operator = target[0] if isinstance(target, tuple) else ""
    if tactic == "assumption" and target in hypotheses:
        return rest
    if tactic == "intro" and operator == "→":
        return ((*hypotheses, target[1]), target[2]), *rest
    if tactic == "constructor" and operator == "∧":
        return (hypotheses, target[1]), (hypotheses, target[2]), *rest
    if tactic in ("left", "right") and operator == "∨":
        return (hypotheses, target[1 if tactic == "left" else 2]), *rest
    return None


def prove(goal: Goal) -> list[str] | None:
    """The first proof in a fixed order of tactics, or None."""
    for tactic in ("assumption", "intro", "constructor", "left", "right"):
        after = apply((goal,), tactic)
        if after is not None:
            parts = [prove(left) for left in after]
            if all(part is not None for part in parts):
                return [tactic, *(step for part in parts for step in part or [])]
    return None


@dataclass
class World:
    """`Sessions` and `Verifier` at once, over the theorems it made."""

    goals: dict[str, Goal] = field(default_factory=dict)
    opened: int = 0
    checked: list[Level] = field(default_factory=list)
    broken: frozenset[str] = frozenset()
    """Ids of problems whose proofs the machine fails to judge."""

    async def open(self, problem: Problem) -> Session:
        self.opened += 1
        return Session(self.goals[problem.id])

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.checked.append(level)
        return [self.verdict(item) for item in candidates]

    def verdict(self, item: Candidate) -> Verdict:
        if item.problem.id in self.broken:
            return Verdict(Status.INFRA, "service")
        goals: tuple[Goal, ...] | None = (self.goals[item.problem.id],)
        for tactic in item.proof.split("\n"):
            goals = apply(goals, tactic) if goals else None
        return Verdict(Status.PROVED, "ok") if goals == () else Verdict(Status.REJECTED, "error")

    async def close(self) -> None:
        return None


@dataclass
class Session:
    goal: Goal
    overlaps: bool = False

    async def start(self) -> ProofState:
        return state_of((self.goal,))

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        after = apply(state.handle, tactic)
        if after is None:
            return StepResult(Step.INVALID, message=f"{tactic} does not apply")
        return StepResult(Step.OPEN, state_of(after)) if after else StepResult(Step.DONE)

    async def close(self) -> None:
        return None


def state_of(goals: tuple[Goal, ...]) -> ProofState:
    return ProofState(tuple(show_goal(goal) for goal in goals), goals)


def make(count: int, seed: int = 0) -> tuple[World, list[Problem]]:
    """`count` distinct provable theorems with gold proofs; difficulty is the number of tactics."""
    rng = random.Random(seed)
    world, problems, seen = World(), [], set()
    while len(problems) < count:
        hypotheses = tuple(rng.sample(ATOMS, rng.randint(1, 2)))
        goal = (hypotheses, _formula(rng, rng.randint(1, 3)))
        gold = prove(goal)
        if gold is None or goal in seen:
            continue
        seen.add(goal)
        name = f"toy_{len(problems)}"
        world.goals[name] = goal
        text = " ".join(f"(h{n} : {show(h)})" for n, h in enumerate(hypotheses, start=1))
        statement = f"theorem {name} (P Q R : Prop) {text} : {show(goal[1])}"
        problem = Problem(
            name, "toy", "train", "", statement, name, difficulty=len(gold), gold="\n".join(gold)
        )
        problems.append(problem)
    return world, problems


def _formula(rng: random.Random, size: int) -> Formula:
    if size == 0:
        return rng.choice(ATOMS)
    left = rng.randrange(size)
    return rng.choice("∧∨→"), _formula(rng, left), _formula(rng, size - 1 - left)
