"""Random theorems about natural numbers: linear arithmetic with a little logic, witnesses, induction."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence

from harness.curriculum.logic import Theorem

VARIABLES = ("a", "b", "c", "d")
GRID = range(4)
"""Refuses most candidates that do not follow, before the elimination is asked."""
Linear = tuple[str, tuple[int, ...], int, tuple[int, ...], int]
"""Relation, coefficients and constant of the left side, coefficients and constant of the right side."""
_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "=": lambda left, right: left == right,
    "≤": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
}


def numbers(seed: int) -> Iterator[Theorem]:
    """An endless stream of distinct theorems about natural numbers, proofs of 1 to 7 tactics."""
    rng = random.Random(f"numbers {seed}")
    seen: set[str] = set()
    makers = (_linear, _linear, _parts, _parts, _witness, _cases, _steps, _recursion)
    while True:
        made = rng.choice(makers)(rng)
        if made is None or made[0] in seen:
            continue
        seen.add(made[0])
        yield Theorem("nat", made[0], made[1], made[0])


Made = tuple[str, tuple[str, ...]] | None


def _linear(rng: random.Random) -> Made:
    """Linear hypotheses and a consequence that is none of them: one `omega`."""
    count = rng.randint(2, 3)
    hypotheses = [_atom(rng, count) for _ in range(rng.randint(1, 3))]
    goal = _atom(rng, count)
    if not _follows(hypotheses, goal, count) or _follows([], goal, count):
        return None
    return _state(hypotheses, _show(goal)), ("omega",)


def _parts(rng: random.Random) -> Made:
    """A conjunction of two consequences, perhaps under an implication."""
    count = rng.randint(2, 3)
    hypotheses = [_atom(rng, count) for _ in range(rng.randint(2, 3))]
    goals = [_atom(rng, count) for _ in range(2)]
    if goals[0] == goals[1] or not all(_follows(hypotheses, goal, count) for goal in goals):
        return None
    if any(_follows([], goal, count) for goal in goals):
        return None
    ending = f"{_show(goals[0])} ∧ {_show(goals[1])}"
    if rng.random() < 0.5:
        return _state(hypotheses, ending), ("constructor", "omega", "omega")
    moved = f"{_show(hypotheses[-1])} → {ending}"
    new = f"intro h{len(hypotheses)}"
    return _state(hypotheses[:-1], moved, hypotheses[-1:]), (new, "constructor", "omega", "omega")


def _witness(rng: random.Random) -> Made:
    """`∃ n, n + a = b` and the like, with the witness in the proof."""
    count, shift, more = rng.randint(1, 3), rng.randint(1, 4), rng.randint(0, 4)
    used = " + ".join(VARIABLES[:count])
    binder = f"({' '.join(VARIABLES[:count])} : Nat) "
    form = rng.randrange(3)
    if form == 0:
        return f"{binder}: ∃ n, n = {used} + {shift}", (f"refine ⟨{used} + {shift}, ?_⟩", "rfl")
    if form == 1:
        found = f"{used} + {more + 1}"
        return f"{binder}: ∃ n, {used} + {more} < n + {shift}", (f"refine ⟨{found}, ?_⟩", "omega")
    given = f"(h1 : {used} ≤ d)" if count < 4 else ""
    binder = f"({' '.join(VARIABLES[:count])} d : Nat) {given} "
    shift += 1
    return f"{binder}: ∃ n, n + {more + 1} = d + {more + 1 + shift}", (f"refine ⟨d + {shift}, ?_⟩", "omega")


def _cases(rng: random.Random) -> Made:
    """A disjunction of hypotheses, each of which gives the goal."""
    count = rng.randint(2, 3)
    either, other, third = (_atom(rng, count) for _ in range(3))
    goal = _atom(rng, count)
    extra = [third] if rng.random() < 0.5 else []
    if either == other or _follows(extra, goal, count):
        return None
    if not _follows([*extra, either], goal, count) or not _follows([*extra, other], goal, count):
        return None
    names = sorted({i for atom in (*extra, either, other, goal) for i in _used(atom)})
    hypotheses = [*map(_show, extra), f"{_show(either)} ∨ {_show(other)}"]
    last = len(hypotheses)
    text = _joined(names, hypotheses, _show(goal))
    return text, (f"rcases h{last} with h{last + 1} | h{last + 1}", "omega", "omega")


def _steps(rng: random.Random) -> Made:
    """A property that climbs in steps, at a number some steps up."""
    step, start, times = rng.randint(1, 4), rng.randint(0, 3), rng.randint(1, 5)
    goal = start + step * times
    climb = f"∀ n, P n → P (n + {step})"
    if rng.random() < 0.5:
        head = f"(P : Nat → Prop) (h1 : P {start}) (h2 : {climb})"
        return f"{head} : P {goal}", (*["apply h2"] * times, "assumption")
    head = f"(P : Nat → Prop) (a : Nat) (h1 : P a) (h2 : {climb})"
    text = "a" + f" + {step}" * times
    return f"{head} : P ({text})", (*["apply h2"] * times, "assumption")


def _recursion(rng: random.Random) -> Made:
    """A function given by recursion, and its closed form or a bound, by induction."""
    first, step, slack = rng.randint(0, 5), rng.randint(1, 5), rng.randint(0, 3)
    given = f"(f : Nat → Nat) (h1 : f 0 = {first}) (h2 : ∀ n, f (n + 1) = f n + {step})"
    if slack == 0:
        closed = f"{step} * n + {first}"
        goal = f"f n = {closed}"
    else:
        goal = f"f n ≤ {step} * n + {first + slack - 1}" if slack < 3 else f"{first} ≤ f n"
    zero = "| zero => omega"
    succ = "| succ m h3 => have h4 := h2 m; omega"
    return f"{given} (n : Nat) : {goal}", (f"induction n with {zero} {succ}",)


def _atom(rng: random.Random, count: int) -> Linear:
    relation = rng.choice(("=", "≤", "≤", "<", "<"))
    left, right = _side(rng, count), _side(rng, count)
    return relation, left[0], left[1], right[0], right[1]


def _side(rng: random.Random, count: int) -> tuple[tuple[int, ...], int]:
    coefficients = [0] * count
    for _ in range(rng.choice((1, 1, 2))):
        coefficients[rng.randrange(count)] += 1
    return tuple(coefficients), rng.choice((0, 0, 0, 1, 1, 2, 3))


def _follows(hypotheses: Sequence[Linear], goal: Linear, count: int) -> bool:
    """Whether the hypotheses can hold (on the grid) and make the goal hold (for all numbers)."""
    met = False
    for point in itertools.product(GRID, repeat=count):
        if all(_true(item, point) for item in hypotheses):
            met = True
            if not _true(goal, point):
                return False
    return met and follows(hypotheses, goal, count)


def follows(hypotheses: Sequence[Linear], goal: Linear, count: int) -> bool:
    """Whether the goal follows over the rationals, with strict inequalities tightened to whole numbers.

    Fourier-Motzkin elimination on the hypotheses, `x ≥ 0` for each variable, and the denied goal. Sound for
    natural numbers, and complete but for what only divisibility can show.
    """
    given = [row for item in hypotheses for row in _rows(item)]
    given += [(*(int(i == k) for i in range(count)), 0) for k in range(count)]
    relation, left, first, right, second = goal
    denied: list[Linear] = [("<", right, second, left, first)]
    if relation == "<":
        denied = [("≤", right, second, left, first)]
    if relation == "=":
        denied.append(("<", left, first, right, second))
    return all(_contradictory([*given, *_rows(case)], count) for case in denied)


def _rows(atom: Linear) -> list[tuple[int, ...]]:
    """Rows (coefficients..., constant) that must be at least zero."""
    relation, left, first, right, second = atom
    row = (*(b - a for a, b in zip(left, right, strict=True)), second - first - (relation == "<"))
    return [row, tuple(-value for value in row)] if relation == "=" else [row]


def _contradictory(rows: list[tuple[int, ...]], count: int) -> bool:
    for k in range(count):
        up, down = [r for r in rows if r[k] > 0], [r for r in rows if r[k] < 0]
        mixed = {tuple(a * u[k] - b * d[k] for a, b in zip(d, u, strict=True)) for u in up for d in down}
        rows = [*{row for row in rows if row[k] == 0}, *map(_tight, mixed)]
    return any(row[-1] < 0 for row in rows)


def _tight(row: tuple[int, ...]) -> tuple[int, ...]:
    """Divided by the common divisor of its coefficients, the constant rounded down."""
    divisor = math.gcd(*row[:-1])
    return row if divisor < 2 else tuple(value // divisor for value in row)


def _true(atom: Linear, point: Sequence[int]) -> bool:
    relation, left, first, right, second = atom
    sides = (
        sum(k * v for k, v in zip(side, point, strict=False)) + constant
        for side, constant in ((left, first), (right, second))
    )
    return _RELATIONS[relation](*sides)


def _used(atom: Linear) -> list[int]:
    return [i for i in range(len(atom[1])) if atom[1][i] or atom[3][i]]


def _show(atom: Linear) -> str:
    relation, left, first, right, second = atom
    return f"{_sum(left, first)} {relation} {_sum(right, second)}"


def _sum(coefficients: Sequence[int], constant: int) -> str:
    parts = [VARIABLES[i] for i, k in enumerate(coefficients) for _ in range(k)]
    return " + ".join(parts + ([str(constant)] if constant else []))


def _state(hypotheses: Sequence[Linear], goal: str, more: Sequence[Linear] = ()) -> str:
    names = [i for i, name in enumerate(VARIABLES) if name in goal.split()]
    names += [i for atom in (*hypotheses, *more) for i in _used(atom)]
    return _joined(sorted(set(names)), [_show(atom) for atom in hypotheses], goal)


def _joined(names: Sequence[int], hypotheses: Sequence[str], goal: str) -> str:
    parts = [f"({' '.join(VARIABLES[i] for i in names)} : Nat)"]
    parts += [f"(h{number} : {text})" for number, text in enumerate(hypotheses, start=1)]
    return " ".join([*parts, f": {goal}"])
