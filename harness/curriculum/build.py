"""The curriculum as a whole: how many theorems of each family and length, and which split each goes to."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from harness.curriculum.equations import equations
from harness.curriculum.lists import lists
from harness.curriculum.logic import Theorem, propositions, quantified
from harness.curriculum.numbers import numbers

SEED = 20_260_101
LONGEST = 12
SPLITS = (("test", 400), ("valid", 300))
"""Theorems of these splits; all others are `train`."""
LOGIC = {2: 350, 3: 480, 4: 600, 5: 680, 6: 660, 7: 580, 8: 450, 9: 320, 10: 200, 11: 120, 12: 60}
"""Propositional theorems for each length of the shortest proof."""
QUANTIFIERS = {2: 60, 3: 140, 4: 180, 5: 180, 6: 120, 7: 70, 8: 30}
EQUALITY = {1: 60, 2: 120, 3: 90, 4: 50, 5: 20}
NAT = {1: 60, 2: 100, 3: 70, 4: 40, 5: 15, 6: 15}
LIST = {1: 70, 2: 50, 3: 60, 4: 20}


def rows(seed: int = SEED) -> list[dict[str, Any]]:
    """Every row of `core-curriculum.jsonl`; the same list for the same seed on any machine."""
    theorems = [theorem for stream, wanted in streams(seed) for theorem in by_length(stream, wanted)]
    return _split(theorems, seed)


def streams(seed: int) -> list[tuple[Iterator[Theorem], dict[int, int]]]:
    """For each family its endless stream of theorems, and how many are wanted of each length."""
    return [
        (propositions(seed, LONGEST), LOGIC),
        (quantified(seed, max(QUANTIFIERS)), QUANTIFIERS),
        (equations(seed, max(EQUALITY)), EQUALITY),
        (numbers(seed), NAT),
        (lists(seed), LIST),
    ]


def by_length(stream: Iterator[Theorem], wanted: dict[int, int]) -> list[Theorem]:
    """Theorems from `stream` until every length has its number, in order of length, then of appearance."""
    kept: list[Theorem] = []
    missing = Counter(wanted)
    while missing.total() > 0:
        theorem = next(stream)
        length = len(theorem.proof)
        if missing[length] > 0:
            missing[length] -= 1
            kept.append(theorem)
    return sorted(kept, key=lambda item: len(item.proof))


def _split(theorems: list[Theorem], seed: int) -> list[dict[str, Any]]:
    """Number the theorems of each family and deal them to the splits by a hash of their canonical form."""

    def rank(theorem: Theorem) -> str:
        return hashlib.sha256(f"{seed} {theorem.key}".encode()).hexdigest()

    ranked = sorted(theorems, key=rank)
    place: dict[str, str] = {}
    start = 0
    for name, count in SPLITS:
        place.update({item.key: name for item in ranked[start : start + count]})
        start += count
    numbers: Counter[str] = Counter()
    found = []
    for theorem in theorems:
        numbers[theorem.family] += 1
        name = f"cc_{theorem.family}_{numbers[theorem.family]:04}"
        found.append(_row(theorem, name, place.get(theorem.key, "train")))
    return found


def _row(theorem: Theorem, name: str, split: str) -> dict[str, Any]:
    return {
        "id": name,
        "split": split,
        "theorem": name,
        "statement": f"theorem {name} {theorem.statement}",
        "gold": "\n".join(theorem.proof),
        "category": theorem.family,
        "difficulty": len(theorem.proof),
    }


def text(seed: int = SEED) -> str:
    """The content of `core-curriculum.jsonl`."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(seed))
