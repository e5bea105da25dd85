"""Random statements whose truth is known without the core, and tactics to attack them with."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

# --- statements whose truth is known without the core ------------------------------------------

Formula = tuple[str, Callable[[dict[str, bool]], bool]]


def formula(rng: random.Random, depth: int) -> Formula:
    """A random propositional formula, as text and as a truth function."""
    if depth == 0 or rng.random() < 0.15:
        name = rng.choice(["p", "q", "r", "True", "False"] if rng.random() < 0.2 else ["p", "q", "r"])
        return name, lambda v: v.get(name, name == "True")
    op = rng.choice("¬∧∨→↔∧∨→")
    a, f = formula(rng, depth - 1)
    if op == "¬":
        return f"(¬ {a})", lambda v: not f(v)
    b, g = formula(rng, depth - 1)
    table: dict[str, Callable[[bool, bool], bool]] = {
        "∧": lambda x, y: x and y,
        "∨": lambda x, y: x or y,
        "→": lambda x, y: not x or y,
        "↔": lambda x, y: x == y,
    }
    return f"({a} {op} {b})", lambda v: table[op](f(v), g(v))


def is_tautology(f: Callable[[dict[str, bool]], bool]) -> bool:
    return all(f(dict(zip("pqr", row, strict=True))) for row in product([False, True], repeat=3))


Number = tuple[str, Callable[[dict[str, int]], int]]


def number(rng: random.Random, depth: int) -> Number:
    """A random arithmetic expression over a, b."""
    if depth == 0:
        if rng.random() < 0.5:
            name = rng.choice("ab")
            return name, lambda v: v[name]
        n = rng.randint(0, 3)
        return str(n), lambda v: n
    (x, f), (y, g) = number(rng, depth - 1), number(rng, depth - 1)
    op = rng.choice("++*-")
    if op == "-":
        return f"({x} - {y})", lambda v: max(f(v) - g(v), 0)
    return f"({x} {op} {y})", (lambda v: f(v) + g(v)) if op == "+" else (lambda v: f(v) * g(v))


def comparison(rng: random.Random) -> tuple[str, bool]:
    """A random statement about two numbers, perhaps under a hypothesis, and whether values refute it."""
    relations: dict[str, Callable[[int, int], bool]] = {
        "=": lambda x, y: x == y,
        "≤": lambda x, y: x <= y,
        "<": lambda x, y: x < y,
        "≠": lambda x, y: x != y,
    }
    sides = [number(rng, rng.randint(0, 2)) for _ in range(4)]
    r, s = rng.choice(list(relations)), rng.choice(list(relations))
    with_hypothesis = rng.random() < 0.5
    text = f"{sides[0][0]} {r} {sides[1][0]}"
    if with_hypothesis:
        text = f"{sides[2][0]} {s} {sides[3][0]} → {text}"
    refuted = False
    for a, b in product(range(6), repeat=2):
        v = {"a": a, "b": b}
        given = not with_hypothesis or relations[s](sides[2][1](v), sides[3][1](v))
        if given and not relations[r](sides[0][1](v), sides[1][1](v)):
            refuted = True
    return f"theorem x (a b : Nat) : {text}", refuted


Items = tuple[str, Callable[[dict[str, tuple[int, ...]]], tuple[int, ...]]]


def items(rng: random.Random, depth: int) -> Items:
    """A random list expression over k, l."""
    if depth == 0:
        name = rng.choice(["k", "l", "([] : List Nat)", "[0]", "[1, 0]"])
        fixed = {"([] : List Nat)": (), "[0]": (0,), "[1, 0]": (1, 0)}
        return name, lambda v: v[name] if name in v else fixed[name]
    (x, f), (y, g) = items(rng, depth - 1), items(rng, depth - 1)
    if rng.random() < 0.3:
        return f"(1 :: {x})", lambda v: (1, *f(v))
    return f"({x} ++ {y})", lambda v: (*f(v), *g(v))


def list_equation(rng: random.Random) -> tuple[str, bool]:
    (x, f), (y, g) = items(rng, rng.randint(0, 2)), items(rng, rng.randint(0, 2))
    values: list[tuple[int, ...]] = [(), (0,), (1,), (2, 0)]
    refuted = any(f(v) != g(v) for k, m in product(values, repeat=2) for v in [{"k": k, "l": m}])
    return f"theorem x (k l : List Nat) : {x} = {y}", refuted


def propositional(rng: random.Random) -> tuple[str, bool]:
    text, f = formula(rng, 3)
    return f"theorem x (p q r : Prop) : {text}", not is_tautology(f)


def _tactics(text: str) -> list[str]:
    return text.split("; ")


LOGIC = _tactics(
    "intro h; intro h2; intro h3; constructor; left; right; assumption; contradiction; exfalso; trivial; "
    "cases h; cases h2; cases h3; exact h; exact h2; exact h h2; exact h2 h; exact h.1; exact h.2; apply "
    "h; apply h2; apply h3; by_contra h3; by_cases hp : p; by_cases hq : q; simp_all; simp; simp at h; "
    "rcases h with h | h; obtain ⟨h, h2⟩ := h; exact absurd h h2; exact ⟨h, h2⟩; exact fun x => x; refine "
    "⟨?_, ?_⟩; exact id; rfl; decide; exact h.elim; exact (h rfl).elim; exact Iff.rfl; exact propext h; "
    "exact h ▸ h2; subst h; injection h"
)
"""Tactics to try on propositions."""

NUMBERS = _tactics(
    "intro h; omega; simp; simp at h; decide; rfl; induction a; induction b; cases a; cases b; simp_all; "
    "rw [Nat.add_comm]; rw [Nat.mul_comm]; rw [h]; subst h; exact h; cases h; simp [Nat.add_comm]; "
    "constructor; apply Nat.le_of_lt; exact Nat.le_refl _; exact Nat.zero_le _; intro h2; exact h rfl; "
    "contradiction; assumption; simp [*]; exact absurd h (by omega); exact (by decide); apply "
    "Nat.le_antisymm; rw [Nat.mul_add]; injection h"
)
"""Tactics to try on numbers."""

LISTS = _tactics(
    "rfl; simp; induction k; induction l; cases k; cases l; rw [List.append_nil]; rw [List.append_assoc]; "
    "simp_all; decide; rw [List.nil_append]; congr; simp [*]; exact List.append_nil _; contradiction"
)
"""Tactics to try on lists."""
