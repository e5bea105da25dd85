"""Two value models on the states that both sides scored: which is nearer to the tactics that were left.

From stored search trees. The label of a state is gamma^d, d the fewest tactics to QED that either side's tree
knows from it; each model is held against its own gamma. States without a proof in either tree have no label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis import intervals
from harness.analysis.figures import Sides
from harness.analysis.runs import RunView
from harness.analysis.sides import Key
from harness.analysis.statistics import ENUMERATE, by_family, sign_flip
from harness.provers.priority import LEAST_VALUE
from harness.provers.stored_tree import FOLDER, place, read
from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of both models; 0 is best."""

    name: str
    a: float
    b: float
    difference: Estimate
    """B - A, 95 % interval over problems."""
    p: float
    """Permutation test over problems; not adjusted."""


@dataclass(frozen=True, slots=True)
class ValueModels:
    """What can be said of both; `why` says why nothing can."""

    states: int = 0
    scores: tuple[Score, ...] = ()
    bias_a: float | None = None
    """Mean V minus mean label, over states: above 0 the model thinks proofs nearer than they are."""
    bias_b: float | None = None
    why: str = ""


BINS = 10
EXCHANGES, EXCHANGED_AT_ONCE = 10_000, 500
SIDES = (0, 2)
"""Where V of A and V of B stand in a `Scored`, each before its label."""
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
    families = None if sides.families is None else [sides.families[key] for key in found]
    return scored(list(found.values()), families)


def scored(problems: Sequence[Sequence[Scored]], families: intervals.Families = None) -> ValueModels:
    """Both models on the states of each problem; `families` holds that of each problem."""
    every = [one for states in problems for one in states]
    biases = [math.fsum(one[at] - one[at + 1] for one in every) / len(every) for at in SIDES]
    scores = (
        _mean_score("Brier score", problems, families, lambda value, label: (value - label) ** 2),
        _mean_score("log loss beyond the label's own", problems, families, log_loss),
        _calibration(problems, families),
    )
    return ValueModels(len(every), scores, biases[0], biases[1])


def log_loss(value: float, label: float) -> float:
    """Cross-entropy of V against its label, less the label's own, in nats (Kullback and Leibler 1951).

    So it is 0 where V is the label, whatever gamma is. V counts as `LEAST_VALUE` at least, and as far from 1.
    """
    value = min(max(value, LEAST_VALUE), 1 - LEAST_VALUE)
    parts = ((label, value), (1 - label, 1 - value))
    return math.fsum(share * math.log(share / said) for share, said in parts if share > 0)


def _mean_score(
    name: str,
    problems: Sequence[Sequence[Scored]],
    families: intervals.Families,
    loss: Callable[[float, float], float],
) -> Score:
    """The mean over problems of the mean loss of a problem's states."""
    rows = [
        [math.fsum(loss(one[at], one[at + 1]) for one in states) / len(states) for at in SIDES]
        for states in problems
    ]
    n = len(rows)
    a, b = (math.fsum(row[side] for row in rows) / n for side in (0, 1))
    differences = [row[1] - row[0] for row in rows]
    estimate = Estimate(math.fsum(differences) / n, *intervals.mean_change(differences, families), n)
    units = differences if families is None else by_family(differences, families)
    return Score(name, a, b, estimate, sign_flip(units))


def _calibration(problems: Sequence[Sequence[Scored]], families: intervals.Families) -> Score:
    """Expected calibration error over all states, in `BINS` bins (Guo et al. 2017, arXiv 1706.04599, eq. 3).

    It is no mean over problems, so its interval is the jackknife's (Tukey 1958), and its test exchanges the
    two models' values of a problem.
    """
    import numpy as np

    gaps = np.zeros((2, len(problems), BINS))
    for number, states in enumerate(problems):
        for one in states:
            for side, at in enumerate(SIDES):
                gaps[side, number, min(int(one[at] * BINS), BINS - 1)] += one[at] - one[at + 1]
    sizes = np.array([float(len(states)) for states in problems])
    if families is not None:
        _, unit = np.unique([repr(family) for family in families], return_inverse=True)
        gaps = np.stack([[gaps[side, unit == u].sum(0) for u in range(unit.max() + 1)] for side in (0, 1)])
        sizes = np.bincount(unit, sizes)
    a, b = (float(np.abs(side.sum(0)).sum() / sizes.sum()) for side in gaps)
    n = len(sizes)
    low = high = None
    if n > 1:
        left_out = [np.abs(side.sum(0) - side).sum(1) / (sizes.sum() - sizes) for side in gaps]
        pseudo = n * (b - a) - (n - 1) * (left_out[1] - left_out[0])
        low, high = intervals.mean_change((pseudo - pseudo.mean() + b - a).tolist())
    return Score("calibration error", a, b, Estimate(b - a, low, high, n), _exchanged(gaps))


def _exchanged(gaps: Any) -> float:
    """Two-sided p of the difference of two calibration errors, the sides exchanged at random in each unit."""
    import numpy as np

    both, apart = gaps.sum(axis=(0, 1)), gaps[1] - gaps[0]

    def distance(signs: Any) -> Any:
        moved = signs @ apart
        return np.abs(np.abs(both + moved).sum(-1) - np.abs(both - moved).sum(-1))

    n = len(apart)
    observed = distance(np.ones(n)) - 1e-9
    if n <= ENUMERATE:
        return float(
            np.mean(distance(1.0 - 2 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)) >= observed)
        )
    random, hits = np.random.default_rng(0), 0
    for _ in range(EXCHANGES // EXCHANGED_AT_ONCE):
        hits += int(np.sum(distance(1.0 - 2 * random.integers(0, 2, (EXCHANGED_AT_ONCE, n))) >= observed))
    return (hits + 1) / (EXCHANGES + 1)


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
