"""Random theorems of propositional logic and of quantifiers over predicates, with shortest proofs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from harness.curriculum.formula import (
    ATOMS,
    FALSE,
    Formula,
    canonical,
    entails,
    has_model_proof,
    idle,
    leaves,
    renumbered,
    show,
)
from harness.curriculum.script import script
from harness.curriculum.search import Goal, OutOfReach, Searcher


@dataclass(frozen=True, slots=True)
class Theorem:
    """A generated theorem: what follows its name in Lean, its proof, and what makes it unique."""

    family: str
    statement: str
    proof: tuple[str, ...]
    """Tactics, one a line."""
    key: str
    """Equal for two theorems that differ by names or the order of hypotheses only."""


def propositions(seed: int, longest: int) -> Iterator[Theorem]:
    """An endless stream of distinct propositional theorems, proofs of 2 to `longest` tactics."""
    rng = random.Random(f"propositions {seed}")
    seen: set[str] = set()
    while True:
        atoms = rng.choice((2, 3, 3, 3, 4))
        hypotheses = [
            _formula(rng, atoms, rng.randint(1, 4)) for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3, 3)))
        ]
        goal = _formula(rng, atoms, rng.randint(1, 4) + (not hypotheses) * rng.randint(1, 3))
        *hypotheses, goal = renumbered((*hypotheses, goal))
        if _dull(hypotheses, goal) or not entails(hypotheses, goal, atoms):
            continue
        key = repr(canonical(hypotheses, goal))
        if key in seen:
            continue
        seen.add(key)
        proof = _proof(hypotheses, goal, (), longest)
        if proof is not None:
            yield Theorem("logic", _statement(hypotheses, goal, ""), proof, key)


def quantified(seed: int, longest: int) -> Iterator[Theorem]:
    """An endless stream of distinct theorems with ∀ and ∃ over predicates of one type."""
    rng = random.Random(f"quantified {seed}")
    seen: set[str] = set()
    while True:
        points = rng.choice((0, 1, 1, 2))
        predicates = rng.choice((2, 2, 3))
        hypotheses = [_quantified(rng, predicates, points, 0) for _ in range(rng.choice((1, 2, 2, 3)))]
        goal = _quantified(rng, predicates, points, 0)
        *hypotheses, goal = renumbered((*hypotheses, goal))
        if _dull(hypotheses, goal) or not has_model_proof(hypotheses, goal):
            continue
        key = repr(canonical(hypotheses, goal))
        if key in seen:
            continue
        seen.add(key)
        variables = tuple("abc"[: _free(hypotheses, goal)])
        proof = _proof(hypotheses, goal, variables, longest)
        if proof is not None:
            yield Theorem("quantifiers", _statement(hypotheses, goal, "".join(variables)), proof, key)


def _formula(rng: random.Random, atoms: int, connectives: int) -> Formula:
    if connectives == 0:
        return FALSE if rng.random() < 0.02 else ("atom", rng.randrange(atoms))
    kind = rng.choices(("imp", "and", "or", "not", "iff"), (32, 26, 22, 15, 5))[0]
    if kind == "not":
        return ("not", _formula(rng, atoms, connectives - 1))
    left = rng.randint(0, connectives - 1)
    return (kind, _formula(rng, atoms, left), _formula(rng, atoms, connectives - 1 - left))


def _quantified(rng: random.Random, predicates: int, points: int, binders: int) -> Formula:
    roll = rng.random()
    if binders == 0 and roll < 0.75:
        return (rng.choice(("all", "all", "ex")), _quantified(rng, predicates, points, 1))
    if binders == 1 and roll < 0.08:
        return (rng.choice(("all", "ex")), _quantified(rng, predicates, points, 2))
    if roll < 0.80:
        kind = rng.choices(("imp", "and", "or", "not"), (40, 25, 20, 15))[0]
        if kind == "not":
            return ("not", _predicate(rng, predicates, points, binders))
        return (
            kind,
            _predicate(rng, predicates, points, binders),
            _predicate(rng, predicates, points, binders),
        )
    return _predicate(rng, predicates, points, binders)


def _predicate(rng: random.Random, predicates: int, points: int, binders: int) -> Formula:
    number = rng.randrange(predicates)
    terms = [("bound", k) for k in range(binders)] * 3 + [("var", i) for i in range(points)]
    if not terms:
        return (rng.choice(("all", "ex")), ("pred", number, (("bound", 0),)))
    return ("pred", number, (rng.choice(terms),))


def _dull(hypotheses: list[Formula], goal: Formula) -> bool:
    """A repeated hypothesis, a goal that is one, an idle part, or nothing to prove with."""
    if len(set(hypotheses)) < len(hypotheses) or goal in hypotheses or FALSE in hypotheses:
        return True
    if any(map(idle, (*hypotheses, goal))):
        return True
    return goal[0] in ("atom", "pred", "false") and not hypotheses


def _free(hypotheses: list[Formula], goal: Formula) -> int:
    found = [
        term
        for formula in (*hypotheses, goal)
        for leaf in leaves(formula)
        if leaf[0] == "pred"
        for term in leaf[2]
        if term[0] == "var"
    ]
    return 1 + max((number for _, number in found), default=-1)


def _proof(
    hypotheses: list[Formula], goal: Formula, variables: tuple[str, ...], longest: int
) -> tuple[str, ...] | None:
    searcher = Searcher(limit=6000)
    start = Goal(frozenset(hypotheses), len(variables), goal)
    try:
        length = searcher.shortest(start, longest)
    except OutOfReach:
        return None
    if length is None or length < 2:
        return None
    return tuple(script(searcher, start, hypotheses, variables))


def _statement(hypotheses: list[Formula], goal: Formula, variables: str) -> str:
    found = sorted({leaf[:2] for item in (*hypotheses, goal) for leaf in leaves(item)})
    symbols = [ATOMS[number] for _, number in found]
    quantified = any(kind == "pred" for kind, _ in found)
    binder = f"({' '.join(symbols)} : {'α → Prop' if quantified else 'Prop'})" if symbols else ""
    parts = ["{α : Type}"] if quantified else []
    parts += [binder] if binder else []
    if variables:
        parts.append(f"({' '.join(variables)} : α)")
    parts += [f"(h{number} : {show(item, variables)})" for number, item in enumerate(hypotheses, start=1)]
    return " ".join([*parts, f": {show(goal, variables)}"])
