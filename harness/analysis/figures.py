"""The figures of a comparison: B against A, with interval, test and verdict. Pure.

Every difference is B - A and every ratio B / A. With families of problems, these are summed and flipped as a
whole, so that a large one counts once: in the intervals as `harness.analysis.intervals` says, in the tests by
the permutation test of their totals, and of their sums of signed ranks (Rosner, Glynn and Lee 2003).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.analysis import intervals
from harness.analysis.power import samples_needed
from harness.analysis.scored import MEASURES
from harness.analysis.sides import Key, Side, seconds_apart
from harness.analysis.statistics import by_family, mcnemar, pairs_needed, sign_flip, signed_ranks, wilcoxon
from harness.types import Estimate

SIGNIFICANT = 0.05
SIGN_FLIP = "sign-flip permutation"
FAMILIES_FLIPPED = "sign-flip of families"
RANKS_FLIPPED = "signed ranks, families flipped"
WILCOXON = "Wilcoxon signed-rank"
SECONDS = "seconds "
"""How the names of figures of seconds begin."""
JOINT = "nodes per proof, jointly solved"
CENSORED = "mean expansions, unproved = budget"
Outcome = Literal["better", "worse", "equivalent", "undecided", "unclear"]
"""`unclear`: the test and the interval disagree."""
Families = Mapping[Key, Hashable] | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both sides, and what lies between them."""

    name: str
    kind: str
    """`difference` (B - A) or `ratio` (B / A)."""
    a: float | None
    b: float | None
    estimate: Estimate
    """Of the difference or ratio, with its 95 % interval; `n` problems are paired."""
    p: float | None = None
    """Two-sided; None where no test applies."""
    test: str = ""
    """The test behind `p`; without one why there is none."""
    more: int | None = None
    """About how many further problems would settle it (4 chances in 5), when p does not; None: no telling."""
    more_samples: int | None = None
    """About how many further samples of each problem would do so instead; None: none would, or no telling."""
    adjusted: float | None = None
    """`p` adjusted (Holm) for all figures that one command looks at."""

    @property
    def fewer_is_better(self) -> bool:
        """Whether B is better where it is smaller."""
        return not self.name.startswith("pass@")

    def verdict(self, margin: float | None = None) -> Outcome | None:
        """What can be said of B against A; None where nothing was tested.

        `margin` is the difference that does not matter: a share for pass@k (0.01 is one point), else a part
        of A's value. Inside it, with its whole interval, B is `equivalent`.
        """
        p = self.p if self.adjusted is None else self.adjusted
        if p is None or self.estimate.value is None:
            return None
        neutral = 1.0 if self.kind == "ratio" else 0.0
        low, high = self.estimate.low, self.estimate.high
        if margin is not None and low is not None and high is not None and self.a is not None:
            room = margin if self.kind == "ratio" or not self.fewer_is_better else margin * abs(self.a)
            if neutral - room <= low and high <= neutral + room:
                return "equivalent"
        if p >= SIGNIFICANT:
            return "undecided"
        # Ranks look at the typical problem, the ratio at the mean.
        if self.kind == "ratio" and low is not None and high is not None and low <= neutral <= high:
            return "unclear"
        return "better" if (self.estimate.value < neutral) == self.fewer_is_better else "worse"


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides, and the problems that both have a scored attempt at."""

    a: Side
    b: Side
    keys: Sequence[Key]
    families: Families = None

    @property
    def one_to_one(self) -> bool:
        """Whether there are as many attempts on each side, to be paired seed by seed and sample by sample."""
        return len(self.a.runs) == len(self.b.runs) and self.a.budget.samples == self.b.budget.samples

    def of(self, keys: Sequence[Key]) -> list[Hashable] | None:
        """The families of some problems."""
        return None if self.families is None else [self.families[key] for key in keys]


def figures(sides: Sides, ks: Sequence[int]) -> list[Figure]:
    """Every figure that the records of both sides have."""
    found = [_passed(sides, k) for k in ks]
    found += [_joint(sides, measure) for measure in range(len(MEASURES))]
    found += [_censored(sides)]
    found += [_cost(sides, measure) for measure in range(len(MEASURES))]
    if why := seconds_apart(sides.a, sides.b):
        found = [_apart(figure, why) if figure.name.startswith(SECONDS) else figure for figure in found]
    return [figure for figure in found if figure.estimate.n]


def _apart(figure: Figure, why: str) -> Figure:
    """Both sides' seconds, told and not held together."""
    return replace(figure, estimate=Estimate(None, n=figure.estimate.n), p=None, test=f"none: {why}")


def passed_difference(sides: Sides, k: int) -> float | None:
    """pass@k of B minus that of A; None where no problem has it on both sides."""
    return _passed(sides, k).estimate.value


def _passed(sides: Sides, k: int) -> Figure:
    a, b = sides.a, sides.b
    paired = [key for key in sides.keys if a.passed[key][k] and b.passed[key][k]]
    left, right = ([_mean(side.passed[key][k]) for key in paired] for side in (a, b))
    differences = [y - x for x, y in zip(left, right, strict=True)]
    families = sides.of(paired)
    if families is None and a.attempts == b.attempts == 1:
        p, test = mcnemar(sum(d < 0 for d in differences), sum(d > 0 for d in differences)), "McNemar exact"
    else:
        p, test = _flipped(differences, families)
    figure = _difference(
        f"pass@{k}",
        (left, right),
        intervals.difference(differences, families),
        (p, test),
        len(sides.keys) - len(paired),
    )
    if k > 1 or not figure.more or a.attempts != b.attempts:
        return figure
    within = [_luck(a, key) + _luck(b, key) for key in paired]
    samples = samples_needed(differences, within, a.budget.samples)
    return replace(figure, more_samples=samples)


def _luck(side: Side, key: Key) -> float:
    """Unbiased variance of a problem's share of proofs by the luck of its samples; nan from one sample."""
    n = len(side.tries[key])
    share = sum(one.proved for one in side.tries[key]) / n
    return share * (1 - share) / (n - 1) if n > 1 else math.nan


def _censored(sides: Sides) -> Figure:
    values = [(key, sides.a.censored(key), sides.b.censored(key)) for key in sides.keys]
    known = [(key, x, y) for key, x, y in values if x is not None and y is not None]
    left, right = [x for _, x, _ in known], [y for _, _, y in known]
    differences = [y - x for x, y in zip(left, right, strict=True)]
    families = sides.of([key for key, _, _ in known])
    ends = intervals.mean_change(differences, families)
    left_out = len(sides.keys) - len(known)
    return _difference(CENSORED, (left, right), ends, _flipped(differences, families), left_out)


def _flipped(differences: Sequence[float], families: Sequence[Hashable] | None) -> tuple[float, str]:
    if families is None:
        return sign_flip(differences), SIGN_FLIP
    return sign_flip(by_family(differences, families)), FAMILIES_FLIPPED


def _difference(
    name: str,
    values: tuple[Sequence[float], Sequence[float]],
    ends: intervals.Interval,
    tested: tuple[float, str],
    left_out: int,
) -> Figure:
    left, right = values
    if not left:
        return Figure(name, "difference", None, None, Estimate(None, unscored=left_out))
    differences = [y - x for x, y in zip(left, right, strict=True)]
    estimate = Estimate(_mean(differences), *ends, len(differences), left_out)
    more = _more(differences, tested[0], 1.0)
    return Figure(name, "difference", _mean(left), _mean(right), estimate, *tested, more)


def _joint(sides: Sides, measure: int) -> Figure:
    """What a proof takes where both proved.

    With as many runs and samples on each side, attempts are paired one to one (seed by seed in order, same
    index): a side that proves a hard problem in more of its attempts must not look slower for it. Otherwise
    there is no test: means of unlike numbers of attempts differ in skew, which ranks take for an effect.
    """
    name = JOINT if not measure else f"{MEASURES[measure]} per proof, jointly solved"
    found = [(key, _pair(sides, key, measure)) for key in sides.keys]
    known = [(key, pair) for key, pair in found if pair is not None]
    if not known:
        return Figure(name, "ratio", None, None, Estimate(None))
    x, y = [pair[0] for _, pair in known], [pair[1] for _, pair in known]
    families = sides.of([key for key, _ in known])
    estimate = Estimate(
        _mean(y) / _mean(x) if _mean(x) else None, *intervals.ratio([y], [x], families), len(known)
    )
    plain = Figure(name, "ratio", _mean(x), _mean(y), estimate)
    if not sides.one_to_one:
        return plain
    return _ranked(plain, [right - left for left, right in zip(x, y, strict=True)], families, len(sides.keys))


def _ranked(
    figure: Figure, differences: Sequence[float], families: Sequence[Hashable] | None, problems: int
) -> Figure:
    if families is None:
        p, test = wilcoxon(differences), WILCOXON
    else:
        p, test = sign_flip(by_family(signed_ranks(differences), families)), RANKS_FLIPPED
    more = None if p is None else _more(differences, p, len(differences) / problems)
    return replace(figure, p=p, test=test, more=more)


def _pair(sides: Sides, key: Key, measure: int) -> tuple[float, float] | None:
    left, right = sides.a.proofs(key, measure), sides.b.proofs(key, measure)
    if sides.one_to_one:
        shared = sorted(left.keys() & right.keys())
        left, right = {at: left[at] for at in shared}, {at: right[at] for at in shared}
    if not left or not right:
        return None
    return _mean(list(left.values())), _mean(list(right.values()))


def _cost(sides: Sides, measure: int) -> Figure:
    """Total spending / proofs: what a proof costs when failures are paid for too."""
    a, b = sides.a, sides.b
    name = f"{MEASURES[measure]} per proof, failures paid"
    rows: list[tuple[float, int, float, int]] = []
    keys: list[Key] = []
    for key in sides.keys:
        x, y = a.total(key, measure), b.total(key, measure)
        if x and y:
            rows.append((x, a.proved(key), y, b.proved(key)))
            keys.append(key)
    spent_a, proved_a, spent_b, proved_b = ([row[place] for row in rows] for place in range(4))
    left = math.fsum(spent_a) / math.fsum(proved_a) if any(proved_a) else None
    right = math.fsum(spent_b) / math.fsum(proved_b) if any(proved_b) else None
    ends = intervals.ratio([spent_b, proved_a], [proved_b, spent_a], sides.of(keys))
    value = right / left if left and right else None
    return Figure(name, "ratio", left, right, Estimate(value, *ends, len(rows)))


def _more(differences: Sequence[float], p: float, share: float) -> int | None:
    """Problems still needed, where a `share` of them gives a pair."""
    if p < SIGNIFICANT:
        return 0
    needed = pairs_needed(differences)
    return None if needed is None else max(1, math.ceil((needed - len(differences)) / share))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
