"""What a plain run takes of the sets that are long: a share chosen by kind, never by chance.

`pytest --in-full` takes all of them. A cheat or an honest proof that shows something new is a kind of its own
(a folder of the museum), so it is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from harness.audits.museum import Exhibit
from harness.types import Problem

Item = TypeVar("Item")

SLOW = "slow-"
"""Exhibits that keep the core's elaborator at work for seconds until its bound of steps ends them."""

BOUNDED = "slow-level-substitution"
"""The one of them that every service is shown; the core itself is always shown all."""

SHAPES = 10
"""Every tenth of the honest answers in the shapes of published provers."""


def of_kind(items: Iterable[Item], kind: Callable[[Item], Hashable], each: int = 1) -> list[Item]:
    """The first `each` items of every kind, in their order."""
    seen: dict[Hashable, int] = {}
    taken = []
    for item in items:
        key = kind(item)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= each:
            taken.append(item)
    return taken


def of_the_museum(exhibits: Sequence[Exhibit]) -> list[Exhibit]:
    """One variant of each folder, every tenth line of the honest answers, one of the slow ones."""
    shown = [one for one in exhibits if not one.name.startswith(SLOW) or one.name == BOUNDED]
    return of_kind(shown, _kind_of_exhibit)


def _kind_of_exhibit(exhibit: Exhibit) -> str:
    folder, _, variant = exhibit.name.partition("/")
    return f"{folder}/{int(variant) // SHAPES}" if variant.isdigit() else folder


def of_gold_proofs(problems: Sequence[Problem], each: int = 1) -> list[Problem]:
    """The first proofs of every set of tactics and lemmas that a gold proof uses."""
    return of_kind(problems, lambda problem: _words(problem.gold or ""), each)


def _words(proof: str) -> frozenset[str]:
    """Tactics and lemmas of a proof; names of hypotheses and variables say nothing."""
    words = re.findall(r"[A-Za-z_][\w.]*", proof)
    return frozenset(word for word in words if not re.fullmatch(r"h\w*|ih\w*|[a-z]\d*", word))
