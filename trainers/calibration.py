"""How good a value model is: calibration, rank correlation, error in tactics. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from harness.provers.priority import LEAST_VALUE

BINS = 10


def calibration_error(predicted: Sequence[float], labels: Sequence[float], bins: int = BINS) -> float | None:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599, eq. 3) against labels in [0, 1].

    Predictions fall into `bins` equal bins, the last one closed; the result is the mean over predictions of
    |mean prediction - mean label| of their bin. None without predictions.
    """
    if not predicted:
        return None
    held = _binned(predicted, labels, bins)
    gaps = (abs(math.fsum(v for v, _ in pairs) - math.fsum(y for _, y in pairs)) for pairs in held.values())
    return math.fsum(gaps) / len(predicted)


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions of one of the equal bins of `calibration_error`."""

    low: float
    high: float
    count: int
    predicted: float
    """Mean prediction."""
    label: float
    """Mean label."""


def reliability(predicted: Sequence[float], labels: Sequence[float], bins: int = BINS) -> list[Bin]:
    """The bins that hold predictions, lowest first: what `calibration_error` takes the mean gap of."""
    return [
        Bin(
            place / bins,
            (place + 1) / bins,
            len(pairs),
            math.fsum(value for value, _ in pairs) / len(pairs),
            math.fsum(label for _, label in pairs) / len(pairs),
        )
        for place, pairs in sorted(_binned(predicted, labels, bins).items())
    ]


def _binned(
    predicted: Sequence[float], labels: Sequence[float], bins: int
) -> dict[int, list[tuple[float, float]]]:
    held: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for value, label in zip(predicted, labels, strict=True):
        held[min(int(value * bins), bins - 1)].append((value, label))
    return held


def ranks(values: Sequence[float]) -> list[float]:
    """1-based ranks, ties sharing their mean rank."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for place in order[start:stop]:
            result[place] = (start + 1 + stop) / 2
        start = stop
    return result


def spearman(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Spearman's rank correlation with ties; None with fewer than two pairs or when one side is constant."""
    if len(left) != len(right):
        raise ValueError(f"{len(left)} values against {len(right)}")
    if len(left) < 2:
        return None
    a, b = ranks(left), ranks(right)
    mean = (len(a) + 1) / 2
    product = math.fsum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    spread = math.fsum((x - mean) ** 2 for x in a) * math.fsum((y - mean) ** 2 for y in b)
    return product / math.sqrt(spread) if spread > 0 else None


def spearman_within(
    groups: Sequence[Hashable], left: Sequence[float], right: Sequence[float], smallest: int = 3
) -> tuple[float | None, int]:
    """Mean over groups (proofs) of the rank correlation inside each, and the number of groups counted.

    Groups below `smallest` members and groups where a side is constant are left out.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    found = [
        spearman([left[i] for i in places], [right[i] for i in places])
        for places in members.values()
        if len(places) >= smallest
    ]
    counted = [value for value in found if value is not None]
    return (math.fsum(counted) / len(counted) if counted else None), len(counted)


def tactics_left(value: float, gamma: float) -> float | None:
    """The d for which gamma**d is `value`, which counts as `LEAST_VALUE` at least, as in search.

    None for gamma 1, which forgets distance.
    """
    return None if gamma >= 1 else math.log(max(LEAST_VALUE, value)) / math.log(gamma)


def steps_error(predicted: Sequence[float], true: Sequence[int], gamma: float) -> float | None:
    """Mean absolute error of the tactics left that values imply; None for gamma 1 or without values."""
    if not predicted or gamma >= 1:
        return None
    errors = [abs((tactics_left(v, gamma) or 0.0) - d) for v, d in zip(predicted, true, strict=True)]
    return math.fsum(errors) / len(errors)


def cross_entropy(predicted: Sequence[float], labels: Sequence[float]) -> float | None:
    """Mean binary cross-entropy against soft labels, in nats; predictions are kept 1e-12 off 0 and 1."""
    if not predicted:
        return None
    total = 0.0
    for value, label in zip(predicted, labels, strict=True):
        p = min(max(value, 1e-12), 1 - 1e-12)
        total -= label * math.log(p) + (1 - label) * math.log1p(-p)
    return total / len(predicted)
