"""Two value models on the states that both sides scored: which is nearer to the tactics that were left.

From stored search trees. The label of a state is gamma^d, d the fewest tactics to QED that either side's tree
knows from it; each model is held against its own gamma. States without a proof in either tree have no label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.analysis import intervals
from harness.analysis.figures import Sides
from harness.analysis.runs import RunView
from harness.analysis.sides import Key
from harness.analysis.statistics import sign_flip
from harness.provers.stored_tree import FOLDER, place, read
from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class ValueModels:
    """What can be said of both; `why` says why nothing can."""

    states: int = 0
    brier_a: float | None = None
    """Mean squared distance of V from its label (Brier 1950), mean over problems; 0 is best."""
    brier_b: float | None = None
    bias_a: float | None = None
    """Mean V minus mean label, over states: above 0 the model thinks proofs nearer than they are."""
    bias_b: float | None = None
    difference: Estimate = field(default_factory=lambda: Estimate(None))
    """Brier B - A, 95 % interval over problems."""
    p: float | None = None
    """Sign-flip permutation over problems; not adjusted."""
    why: str = ""


State = tuple[str, ...]
Scored = tuple[float, float, float, float]
"""V of A, its label, V of B, its label."""


def value_models(sides: Sides) -> ValueModels | None:
    """The comparison of the first run of each side; None where not both ask a value model."""
    a, b = sides.a.runs[0], sides.b.runs[0]
    gammas = [run.get("value.gamma") for run in (a, b)]
    if None in gammas:
        return None
    for name, run in (("A", a), ("B", b)):
        if run.folder is None or not (run.folder / FOLDER).is_dir():
            return ValueModels(why=f"side {name} stored no search trees; --set runtime.trees=true keeps them")
    found = {key: states for key in sides.keys if (states := _shared(a, b, key, (gammas[0], gammas[1])))}
    if not found:
        return ValueModels(why="no state was scored by both on the way to a proof")
    return _scores(list(found.values()))


def _scores(problems: Sequence[Sequence[Scored]]) -> ValueModels:
    errors = [
        [math.fsum((one[at] - one[at + 1]) ** 2 for one in states) / len(states) for at in (0, 2)]
        for states in problems
    ]
    every = [one for states in problems for one in states]
    differences = [b - a for a, b in errors]
    n = len(errors)
    estimate = Estimate(math.fsum(differences) / n, *intervals.mean_change(differences), n)
    briers = [math.fsum(row[side] for row in errors) / n for side in (0, 1)]
    biases = [math.fsum(one[at] - one[at + 1] for one in every) / len(every) for at in (0, 2)]
    p = sign_flip(differences)
    return ValueModels(len(every), briers[0], briers[1], biases[0], biases[1], estimate, p)


def _shared(a: RunView, b: RunView, key: Key, gammas: tuple[float, float]) -> list[Scored]:
    """The states of one problem's first attempt that both models scored and a proof is known from."""
    trees = [_values(run.folder, key[0]) for run in (a, b) if run.folder is not None]
    if len(trees) < 2:
        return []
    (values_a, left_a), (values_b, left_b) = trees
    found = []
    for state in sorted(values_a.keys() & values_b.keys()):
        known = [left[state] for left in (left_a, left_b) if state in left]
        if known:
            labels = [gamma ** min(known) for gamma in gammas]
            found.append((values_a[state], labels[0], values_b[state], labels[1]))
    return found


def _values(folder: Path, problem: str) -> tuple[dict[State, float], dict[State, int]]:
    """V of each scored state of a stored tree, and the tactics left where a proof is known."""
    if not place(folder, problem, 0).is_file():
        return {}, {}
    tree = read(folder, problem, 0)
    left = {tree.nodes[index].state.goals: tactics for index, tactics in tree.tactics_left().items()}
    return {node.state.goals: node.value for node in tree.nodes if node.value is not None}, left
