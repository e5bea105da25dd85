"""Random theorems about equations between small terms, with shortest proofs by rewriting.

A term is a constant `("c", i)`, the bound variable `("x",)` of a universal equation, or a function applied to
a term, `("f", i, term)`. Proofs are shortest sequences of `rw [h]` and `rw [← h]` on the goal, found breadth
first under Lean's reading of `rw`: the pattern is instantiated at its first instance, outermost and leftmost,
and then all instances of that are replaced; a goal whose two sides have become the same is closed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from harness.curriculum.logic import Theorem

Term = tuple[Any, ...]
Equation = tuple[Term, Term]
Goal = tuple[str, tuple[Term, ...]]
"""`("=", (left, right))` or `("P", (term,))`."""
BOUND: Term = ("x",)
CONSTANTS = ("a", "b", "c", "d", "e")
FUNCTIONS = ("f", "g", "k")
MOST_VISITED = 4000


def equations(seed: int, longest: int) -> Iterator[Theorem]:
    """An endless stream of distinct theorems about equations, proofs of 1 to `longest` tactics."""
    rng = random.Random(f"equations {seed}")
    seen: set[str] = set()
    while True:
        constants, functions = rng.choice((2, 3, 3, 4)), rng.choice((1, 1, 2))
        hypotheses = [_equation(rng, constants, functions) for _ in range(rng.choice((1, 2, 2, 3, 3, 4)))]
        fact = _term(rng, constants, functions, 2) if rng.random() < 0.35 else None
        goal = _walk(rng, hypotheses, fact, _term(rng, constants, functions, 2))
        if goal is None or len(set(hypotheses)) < len(hypotheses):
            continue
        hypotheses, fact, goal = _renamed(hypotheses, fact, goal)
        key = _key(hypotheses, fact, goal)
        if key in seen or any(left == right for left, right in hypotheses):
            continue
        seen.add(key)
        proof = shortest(hypotheses, fact, goal, longest)
        if proof is not None:
            yield Theorem("equality", _statement(hypotheses, fact, goal), proof, key)


def shortest(
    hypotheses: Sequence[Equation], fact: Term | None, goal: Goal, longest: int
) -> tuple[str, ...] | None:
    """A shortest script, or None when none has at most `longest` tactics within `MOST_VISITED` goals."""
    if goal[0] == "=" and goal[1][0] == goal[1][1]:
        return ("rfl",)
    if _assumed(hypotheses, fact, goal):
        return None  # nothing to rewrite: too dull to keep
    frontier: list[tuple[Goal, tuple[str, ...]]] = [(goal, ())]
    visited = {goal}
    while frontier:
        following = []
        for current, script in frontier:
            for tactic, after in _rewrites(hypotheses, current):
                if after[0] == "=" and after[1][0] == after[1][1]:
                    return (*script, tactic)
                if after in visited or len(visited) > MOST_VISITED:
                    continue
                visited.add(after)
                if _assumed(hypotheses, fact, after) and len(script) + 2 <= longest:
                    return (*script, tactic, "assumption")
                following.append((after, (*script, tactic)))
        frontier = following if following and len(following[0][1]) < longest else []
    return None


def _assumed(hypotheses: Sequence[Equation], fact: Term | None, goal: Goal) -> bool:
    return goal[1] in hypotheses if goal[0] == "=" else goal[1] == (fact,)


def _rewrites(hypotheses: Sequence[Equation], goal: Goal) -> Iterator[tuple[str, Goal]]:
    for number, (left, right) in enumerate(hypotheses, start=1):
        for arrow, pattern, other in (("", left, right), ("← ", right, left)):
            after = rewrite(goal, pattern, other)
            if after is not None and after != goal:
                yield f"rw [{arrow}h{number}]", after


def rewrite(goal: Goal, pattern: Term, other: Term) -> Goal | None:
    """`goal` after `rw` with `pattern = other`; None when the pattern is a variable or does not occur."""
    if pattern == BOUND or (_mentions(other) and not _mentions(pattern)):
        return None
    found = next((match for side in goal[1] for match in _matches(pattern, side)), None)
    if found is None:
        return None
    old, new = _put(pattern, found[0]), _put(other, found[0])
    return goal[0], tuple(_replace(side, old, new) for side in goal[1])


def _matches(pattern: Term, term: Term) -> Iterator[tuple[Term]]:
    """Values of the bound variable, outermost and leftmost first; a dummy when the pattern has none."""
    match = _match(pattern, term)
    if match is not None:
        yield (match,)
    if term[0] == "f":
        yield from _matches(pattern, term[2])


def _match(pattern: Term, term: Term) -> Term | None:
    if pattern == BOUND:
        return term
    if not _mentions(pattern):
        return BOUND if pattern == term else None
    if pattern[0] == "f" and term[0] == "f" and pattern[1] == term[1]:
        return _match(pattern[2], term[2])
    return None


def _mentions(term: Term) -> bool:
    return term == BOUND or (term[0] == "f" and _mentions(term[2]))


def _put(term: Term, value: Term) -> Term:
    if term == BOUND:
        return value
    return ("f", term[1], _put(term[2], value)) if term[0] == "f" else term


def _replace(term: Term, old: Term, new: Term) -> Term:
    if term == old:
        return new
    return ("f", term[1], _replace(term[2], old, new)) if term[0] == "f" else term


def _term(rng: random.Random, constants: int, functions: int, deep: int) -> Term:
    term: Term = ("c", rng.randrange(constants))
    for _ in range(rng.randint(0, deep)):
        term = ("f", rng.randrange(functions), term)
    return term


def _equation(rng: random.Random, constants: int, functions: int) -> Equation:
    if rng.random() < 0.75:
        return _term(rng, constants, functions, 2), _term(rng, constants, functions, 1)
    sides = []
    for deep in (2, 1):
        side: Term = BOUND
        for _ in range(rng.randint(1 if deep == 2 else 0, deep)):
            side = ("f", rng.randrange(functions), side)
        sides.append(side)
    # `f x = x` would make everything equal to everything and the theorem dull
    return (sides[0], sides[1]) if _depth(sides[0]) > 1 or sides[1] != BOUND else (("f", 0, sides[0]), BOUND)


def _walk(rng: random.Random, hypotheses: list[Equation], fact: Term | None, start: Term) -> Goal | None:
    """A goal that follows: some rewriting steps from the fact, or from a term's being equal to itself."""
    goal: Goal = ("=", (start,)) if fact is None else ("P", (fact,))
    for _ in range(rng.randint(1, 6)):
        choices = [after for _, after in _rewrites(hypotheses, goal)]
        if not choices:
            break
        goal = rng.choice(choices)
    if max(map(_depth, goal[1])) > 4:
        return None
    if fact is not None:
        return goal if goal[1] != (fact,) else None
    sides = (start, goal[1][0]) if rng.random() < 0.5 else (goal[1][0], start)
    return ("=", sides) if sides[0] != sides[1] else None


def _depth(term: Term) -> int:
    return 1 + _depth(term[2]) if term[0] == "f" else 0


def _renamed(
    hypotheses: list[Equation], fact: Term | None, goal: Goal
) -> tuple[list[Equation], Term | None, Goal]:
    """The theorem with constants and functions numbered in the order in which they are read."""
    numbers: dict[tuple[str, int], int] = {}
    renamed = [(_numbered(left, numbers), _numbered(right, numbers)) for left, right in hypotheses]
    given = None if fact is None else _numbered(fact, numbers)
    return renamed, given, (goal[0], tuple(_numbered(term, numbers) for term in goal[1]))


def _key(hypotheses: Sequence[Equation], fact: Term | None, goal: Goal) -> str:
    facts = () if fact is None else (fact,)
    forms = []
    for order in itertools.permutations(hypotheses):
        numbers: dict[tuple[str, int], int] = {}
        parts = [term for equation in order for term in equation]
        forms.append(repr([_numbered(term, numbers) for term in (*parts, *facts, *goal[1])]))
    return f"{goal[0]} {len(hypotheses)} {min(forms)}"


def _numbered(term: Term, numbers: dict[tuple[str, int], int]) -> Term:
    if term == BOUND:
        return term
    kind, symbol = term[0], term[1]
    number = numbers.setdefault((kind, symbol), sum(key[0] == kind for key in numbers))
    return (kind, number) if kind == "c" else (kind, number, _numbered(term[2], numbers))


def show(term: Term, inside: bool = False) -> str:
    """Lean source of a term."""
    if term == BOUND:
        return "x"
    if term[0] == "c":
        return CONSTANTS[term[1]]
    text = f"{FUNCTIONS[term[1]]} {show(term[2], True)}"
    return f"({text})" if inside else text


def _statement(hypotheses: Sequence[Equation], fact: Term | None, goal: Goal) -> str:
    terms = [term for equation in hypotheses for term in equation] + list(goal[1])
    terms += [] if fact is None else [fact]
    constants = sorted({name for term in terms for kind, name in _symbols(term) if kind == "c"})
    functions = sorted({name for term in terms for kind, name in _symbols(term) if kind == "f"})
    parts = ["{α : Type}"]
    parts += [f"({' '.join(FUNCTIONS[i] for i in functions)} : α → α)"] if functions else []
    parts += ["(P : α → Prop)"] if fact is not None else []
    parts += [f"({' '.join(CONSTANTS[i] for i in constants)} : α)"] if constants else []
    for number, (left, right) in enumerate(hypotheses, start=1):
        binder = "∀ x, " if _mentions(left) or _mentions(right) else ""
        parts.append(f"(h{number} : {binder}{show(left)} = {show(right)})")
    if fact is not None:
        parts.append(f"(h{len(hypotheses) + 1} : P {show(fact, True)})")
    ending = " = ".join(map(show, goal[1])) if goal[0] == "=" else f"P {show(goal[1][0], True)}"
    return " ".join([*parts, f": {ending}"])


def _symbols(term: Term) -> Iterator[tuple[str, int]]:
    if term != BOUND:
        yield term[0], term[1]
        if term[0] == "f":
            yield from _symbols(term[2])
