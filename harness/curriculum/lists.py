"""Random theorems about lists: equations of append, cons, length and map, and induction over a list."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from harness.curriculum.logic import Theorem

LISTS = ("xs", "ys", "zs")
POINTS = ("a", "b")
Made = tuple[str, tuple[str, ...]] | None


def lists(seed: int) -> Iterator[Theorem]:
    """An endless stream of distinct theorems about lists, proofs of 1 to 6 tactics."""
    rng = random.Random(f"lists {seed}")
    seen: set[str] = set()
    makers = (_shapes, _shapes, _rewritten, _rewritten, _lengths, _mapped, _conjoined)
    while True:
        made = rng.choice(makers)(rng)
        if made is None or made[0] in seen:
            continue
        seen.add(made[0])
        yield Theorem("list", made[0], made[1], made[0])


def _atoms(rng: random.Random, longest: int) -> list[str]:
    """What a list is made of, left to right: whole lists and single elements."""
    return [rng.choice(LISTS + POINTS) for _ in range(rng.randint(2, longest))]


def _shape(rng: random.Random, atoms: Sequence[str]) -> str:
    """One of the ways to write the list made of `atoms`, with empty lists strewn in."""
    if not atoms:
        return "[]"
    if len(atoms) == 1:
        text = atoms[0] if atoms[0] in LISTS else f"[{atoms[0]}]"
        return f"({text} ++ [])" if rng.random() < 0.1 else text
    if atoms[0] in POINTS and rng.random() < 0.6:
        return f"({atoms[0]} :: {_shape(rng, atoms[1:])})"
    cut = rng.randint(1, len(atoms) - 1)
    return f"({_shape(rng, atoms[:cut])} ++ {_shape(rng, atoms[cut:])})"


def _bare(text: str) -> str:
    """`text` without one pair of outer parentheses."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def _two(rng: random.Random, longest: int) -> tuple[list[str], str, str] | None:
    atoms = _renamed(_atoms(rng, longest))
    left, right = _bare(_shape(rng, atoms)), _bare(_shape(rng, atoms))
    return None if left == right or not set(atoms) & set(LISTS) else (atoms, left, right)


def _renamed(atoms: Sequence[str]) -> list[str]:
    """Lists and elements named in the order in which they are read."""
    names: dict[str, str] = {}
    for atom in atoms:
        kind = LISTS if atom in LISTS else POINTS
        if atom not in names:
            names[atom] = kind[sum(old in kind for old in names)]
    return [names[atom] for atom in atoms]


def _binders(text: str) -> str:
    for mark in "()[]:+=.,":
        text = text.replace(mark, " ")
    words = set(text.split())
    points = [name for name in POINTS if name in words]
    whole = [name for name in LISTS if name in words]
    parts = ["{α : Type}"]
    parts += [f"({' '.join(points)} : α)"] if points else []
    parts += [f"({' '.join(whole)} : List α)"] if whole else []
    return " ".join(parts)


def _shapes(rng: random.Random) -> Made:
    """Two ways to write one list."""
    made = _two(rng, 3)
    if made is None:
        return None
    goal = f"{made[1]} = {made[2]}"
    return f"{_binders(goal)} : {goal}", ("simp",)


def _rewritten(rng: random.Random) -> Made:
    """A list given by an equation, which has to be put in before the two sides are one list."""
    made = _two(rng, 3)
    if made is None:
        return None
    atoms, left, right = made
    count = rng.randint(1, 2)
    given = []
    for number in range(count):
        name = ("us", "vs")[number]
        left = f"{left} ++ {name}" if rng.random() < 0.5 else f"{name} ++ ({left})"
        front = left.startswith(name)
        value = rng.choice(["[]", *(atom for atom in atoms if atom in LISTS)])
        right = f"{value} ++ ({right})" if front else f"({right}) ++ {value}"
        left = f"({left})" if number + 1 < count else left
        given.append((name, value))
    goal = f"{left} = {right}"
    extra = " ".join(name for name, _ in given)
    hypotheses = " ".join(f"(h{i} : {name} = {value})" for i, (name, value) in enumerate(given, start=1))
    binders = _binders(goal + " " + hypotheses)
    proof = tuple(f"rw [h{i}]" for i in range(1, count + 1))
    return f"{binders} ({extra} : List α) {hypotheses} : {goal}", (*proof, "simp")


def _lengths(rng: random.Random) -> Made:
    """The length of a list as a sum in some order."""
    made = _two(rng, 3)
    if made is None:
        return None
    atoms, left, _ = made
    parts = [f"{atom}.length" for atom in atoms if atom in LISTS]
    ones = sum(atom in POINTS for atom in atoms)
    rng.shuffle(parts)
    parts += [str(ones)] if ones else []
    goal = f"({left}).length = {' + '.join(parts)}"
    return f"{_binders(goal)} : {goal}", ("simp <;> omega",)


def _mapped(rng: random.Random) -> Made:
    """A map over a list, by induction or by its own equations."""
    made = _two(rng, 3)
    if made is None:
        return None
    atoms, left, _ = made
    parts = [f"{atom}.map f" if atom in LISTS else f"[f {atom}]" for atom in atoms]
    goal = f"({left}).map f = {' ++ '.join(parts)}"
    binders = _binders(goal).replace("{α : Type}", "{α β : Type}") + " (f : α → β)"
    return f"{binders} : {goal}", ("simp",)


def _conjoined(rng: random.Random) -> Made:
    """Two equations at once, perhaps under a quantifier."""
    first, second = _two(rng, 3), _two(rng, 3)
    if first is None or second is None or first[1:] == second[1:]:
        return None
    goal = f"{first[1]} = {first[2]} ∧ {second[1]} = {second[2]}"
    if rng.random() < 0.5:
        return f"{_binders(goal)} : {goal}", ("constructor", "simp", "simp")
    binders = _binders(goal)
    if "(xs" not in binders:
        return None
    rest = binders.replace("(xs ", "(").replace("( : List α)", "").replace("(: List α)", "").strip()
    return f"{rest} : ∀ xs : List α, {goal}", ("intro xs", "constructor", "simp", "simp")
