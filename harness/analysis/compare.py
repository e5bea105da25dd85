"""A against B on the same problems: who solves what, by how much, and whether that could be chance. Pure.

Each side is one run, or several of one setting under different seeds. Problems are aligned by id and
revision and are the unit of chance: seeds of one problem are averaged first, so three seeds of 240 theorems
are 240 pairs, not 720. Every difference is B - A and every ratio B / A.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.analysis import intervals
from harness.analysis.breakdown import CategoryRow, by_category
from harness.analysis.comparable import conflicts, remarks
from harness.analysis.metrics import censored_expansions, pass_at_k, tally
from harness.analysis.runs import Budget, RunView, budget
from harness.analysis.statistics import (
    holm,
    mcnemar,
    pairs_needed,
    sign_flip,
    wilcoxon,
)
from harness.errors import UserError
from harness.types import Estimate, ProblemRef, Status

SIGNIFICANT = 0.05
SIGN_FLIP = "sign-flip permutation"
JOINT = "nodes per proof, jointly solved"
Key = tuple[str, str]
Outcome = Literal["better", "worse", "equivalent", "undecided", "unclear"]
"""`unclear`: the test and the interval disagree."""


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
    """`McNemar exact`, `sign-flip permutation` or `Wilcoxon signed-rank`."""
    more: int | None = None
    """About how many further problems would settle it (4 chances in 5), when p does not; None: no telling."""
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
class Comparison:
    """What `compare` found."""

    a: tuple[str, ...]
    """Names of A's runs."""
    b: tuple[str, ...]
    problems: int
    """Problems of both sides."""
    both: tuple[str, ...]
    """Ids solved by both, in at least one attempt each; the next three likewise."""
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    neither: tuple[str, ...]
    unscored: tuple[str, ...]
    """Ids without a scored attempt on one side at least: in none of the four lists, and in no figure."""
    figures: tuple[Figure, ...]
    categories: tuple[CategoryRow, ...] = ()
    """The first four lists counted by category; empty where there is only one."""
    seeds: tuple[tuple[str, str, float], ...] = ()
    """Names of each pair of runs, in seed order, and their difference of the first figure."""
    warnings: tuple[str, ...] = ()
    asked: tuple[str, str] = ("", "")
    """How A and B were named by whoever asked: checkpoints, or patterns of runs."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side's attempts on the common problems."""

    runs: tuple[RunView, ...]
    budget: Budget
    passed: dict[Key, dict[int, list[float]]] = field(default_factory=dict)
    """By problem and k: the estimate of each run where it is defined."""
    scored: dict[Key, int] = field(default_factory=dict)
    proved: dict[Key, int] = field(default_factory=dict)
    spent: dict[Key, int] = field(default_factory=dict)
    """Expansions of all scored searches."""
    censored: dict[Key, list[float]] = field(default_factory=dict)
    proofs: dict[Key, dict[tuple[int, int], int]] = field(default_factory=dict)
    """Expansions of each proof found by search, by (run, sample)."""


def compare(
    a: Sequence[RunView], b: Sequence[RunView], ks: Sequence[int] | None = None, force: bool = False
) -> Comparison:
    """A against B. `ks` defaults to the k that every run reports.

    Raises UserError when problems, budgets, samples, levels, tiers or the numbers of runs are unlike, naming
    the difference; `force` compares the common problems all the same and turns the differences into warnings.
    """
    if not a or not b:
        raise UserError("compare needs at least one run on each side")
    found = conflicts(a, b)
    if found and not force:
        raise UserError(f"not comparable: {'; '.join(found)} (--force compares what is common)")
    common = _common([*a, *b])
    if not common:
        raise UserError("not comparable: no problem at the same revision is in every run")
    ks = list(ks or _shared_ks([*a, *b]))
    left, right = _side(a, common, ks), _side(b, common, ks)
    scored = [one for one in common if left.scored[one.key] and right.scored[one.key]]
    lists: dict[tuple[bool, bool], list[str]] = {(x, y): [] for x in (True, False) for y in (True, False)}
    for one in scored:
        lists[left.proved[one.key] > 0, right.proved[one.key] > 0].append(one.id)
    keys = [one.key for one in scored]
    judged = set(keys)
    figures = [_pass_figure(left, right, keys, k) for k in ks]
    figures += [_joint_nodes(left, right, keys), _censored(left, right, keys), _cost(left, right, keys)]
    return Comparison(
        a=tuple(run.name for run in left.runs),
        b=tuple(run.name for run in right.runs),
        problems=len(common),
        both=tuple(lists[True, True]),
        only_a=tuple(lists[True, False]),
        only_b=tuple(lists[False, True]),
        neither=tuple(lists[False, False]),
        unscored=tuple(one.id for one in common if one.key not in judged),
        figures=tuple(figure for figure in figures if figure.estimate.n),
        categories=by_category(
            scored, lambda one: left.proved[one.key] > 0, lambda one: right.proved[one.key] > 0
        ),
        seeds=_by_seed(left, right, keys, ks[0]),
        warnings=(*found, *remarks(a, b)),
    )


def adjust(found: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with the p-values of all their figures adjusted (Holm) for each other."""
    ps = [figure.p for one in found for figure in one.figures if figure.p is not None]
    adjusted = iter(holm(ps))
    return [
        replace(
            one,
            figures=tuple(
                figure if figure.p is None else replace(figure, adjusted=next(adjusted))
                for figure in one.figures
            ),
        )
        for one in found
    ]


def headline(found: Comparison, margin: float | None = None) -> str:
    """The comparison in one plain sentence about B."""
    passed = found.figures[0] if found.figures else None
    if passed is None or passed.estimate.value is None:
        return "Nothing can be compared: no problem has a scored attempt on both sides."
    told = {"better": "proves more", "worse": "proves fewer", "equivalent": "proves as many"}
    outcome = passed.verdict(margin)
    points = f"{passed.name} {100 * passed.estimate.value:+.1f} points"
    proofs = f"{told.get(outcome or '', 'is undecided on proofs')} ({points})"
    nodes = next((figure for figure in found.figures if figure.name == JOINT), None)
    if nodes is None or nodes.estimate.value is None or nodes.verdict(margin) is None:
        return f"B {proofs}."
    change = 100 * abs(nodes.estimate.value - 1)
    word = "fewer" if nodes.estimate.value < 1 else "more"
    effort = f"needs {change:.0f} % {word} nodes on what both prove"
    return f"B {proofs} and {effort}: {nodes.verdict(margin)} on nodes, {outcome} on proofs."


def _common(runs: Sequence[RunView]) -> list[ProblemRef]:
    shared = frozenset.intersection(*(run.denominator for run in runs))
    return sorted((one for one in runs[0].problems if one.key in shared), key=lambda one: one.key)


def _shared_ks(runs: Sequence[RunView]) -> list[int]:
    sets = [set(map(int, run.get("evaluation.k", [1]))) for run in runs]
    return sorted(set.intersection(*sets)) or [1]


def _side(runs: Sequence[RunView], common: Sequence[ProblemRef], ks: Sequence[int]) -> _Side:
    ordered = sorted(runs, key=lambda run: (run.get("seed", 0), run.name))
    side = _Side(tuple(ordered), budget(ordered[0].spec))
    for one in common:
        side.passed[one.key] = {k: [] for k in ks}
        side.scored[one.key] = side.proved[one.key] = side.spent[one.key] = 0
        side.censored[one.key], side.proofs[one.key] = [], {}
    for number, run in enumerate(ordered):
        _add_run(side, number, run, {one.key for one in common})
    return side


def _add_run(side: _Side, number: int, run: RunView, common: set[Key]) -> None:
    limit = budget(run.spec)
    for one in tally(run.problems, run.records, limit.samples):
        key = one.problem.key
        if key not in common:
            continue
        side.scored[key] += one.scored
        side.proved[key] += one.proved
        side.spent[key] += sum(expanded for _, expanded in one.searches)
        for k, values in side.passed[key].items():
            value = pass_at_k(one.scored, one.proved, k)
            if value is not None:
                values.append(value)
        if limit.expansions is not None:
            value = censored_expansions(one, limit.expansions)
            if value is not None:
                side.censored[key].append(value)
    for record in run.records:
        key = (record.problem_id, record.revision)
        search = record.attempt.search
        if key in common and search is not None and record.verdict.status is Status.PROVED:
            side.proofs[key][number, record.attempt.index] = search.expanded


def _pass_figure(a: _Side, b: _Side, keys: Sequence[Key], k: int) -> Figure:
    paired = [key for key in keys if a.passed[key][k] and b.passed[key][k]]
    left = [_mean(a.passed[key][k]) for key in paired]
    right = [_mean(b.passed[key][k]) for key in paired]
    differences = [y - x for x, y in zip(left, right, strict=True)]
    ends = intervals.difference(differences)
    if all(len(side.runs) == 1 and side.budget.samples == 1 for side in (a, b)):
        p, test = mcnemar(sum(d < 0 for d in differences), sum(d > 0 for d in differences)), "McNemar exact"
    else:
        p, test = sign_flip(differences), SIGN_FLIP
    return _difference(f"pass@{k}", (left, right), ends, p, test, len(keys) - len(paired))


def _censored(a: _Side, b: _Side, keys: Sequence[Key]) -> Figure:
    paired = [key for key in keys if a.censored[key] and b.censored[key]]
    left = [_mean(a.censored[key]) for key in paired]
    right = [_mean(b.censored[key]) for key in paired]
    differences = [y - x for x, y in zip(left, right, strict=True)]
    p, ends = sign_flip(differences), intervals.mean_change(differences)
    name = "mean expansions, unproved = budget"
    return _difference(name, (left, right), ends, p, SIGN_FLIP, len(keys) - len(paired))


def _difference(
    name: str,
    sides: tuple[Sequence[float], Sequence[float]],
    ends: intervals.Interval,
    p: float,
    test: str,
    left_out: int,
) -> Figure:
    left, right = sides
    if not left:
        return Figure(name, "difference", None, None, Estimate(None, unscored=left_out))
    differences = [y - x for x, y in zip(left, right, strict=True)]
    estimate = Estimate(_mean(differences), *ends, len(differences), left_out)
    more = _more(differences, p, 1.0)
    return Figure(name, "difference", _mean(left), _mean(right), estimate, p, test, more)


def _joint_nodes(a: _Side, b: _Side, keys: Sequence[Key]) -> Figure:
    """Expansions per proof where both proved.

    With as many runs and samples on each side, attempts are paired one to one (seed by seed in order, same
    index): a side that proves a hard problem in more of its attempts must not look slower for it. Otherwise
    there is no test: means of unlike numbers of attempts differ in skew, which ranks take for an effect.
    """
    pairs = [pair for pair in (_joint(a, b, key) for key in keys) if pair is not None]
    name = JOINT
    if not pairs:
        return Figure(name, "ratio", None, None, Estimate(None))
    left, right = _mean([x for x, _ in pairs]), _mean([y for _, y in pairs])
    ends = intervals.ratio([[y for _, y in pairs]], [[x for x, _ in pairs]])
    differences = [y - x for x, y in pairs]
    estimate = Estimate(right / left if left else None, *ends, len(pairs))
    if not _one_to_one(a, b):
        return Figure(name, "ratio", left, right, estimate)
    p = wilcoxon(differences)
    more = None if p is None else _more(differences, p, len(pairs) / len(keys))
    return Figure(name, "ratio", left, right, estimate, p, "Wilcoxon signed-rank", more)


def _one_to_one(a: _Side, b: _Side) -> bool:
    return len(a.runs) == len(b.runs) and a.budget.samples == b.budget.samples


def _joint(a: _Side, b: _Side, key: Key) -> tuple[float, float] | None:
    left, right = a.proofs[key], b.proofs[key]
    if _one_to_one(a, b):
        shared = sorted(left.keys() & right.keys())
        left, right = {at: left[at] for at in shared}, {at: right[at] for at in shared}
    if not left or not right:
        return None
    return _mean(list(left.values())), _mean(list(right.values()))


def _cost(a: _Side, b: _Side, keys: Sequence[Key]) -> Figure:
    """Total expansions / proofs: what a proof costs when failures are paid for too."""
    name = "expansions per proof, failures paid"
    searched = [key for key in keys if a.spent[key] and b.spent[key]]
    columns = [[float(of[key]) for key in searched] for of in (a.spent, a.proved, b.spent, b.proved)]
    sums = [math.fsum(column) for column in columns]
    left = sums[0] / sums[1] if sums[1] else None
    right = sums[2] / sums[3] if sums[3] else None
    ends = intervals.ratio([columns[2], columns[1]], [columns[3], columns[0]])
    value = right / left if left and right else None
    return Figure(name, "ratio", left, right, Estimate(value, *ends, len(searched)))


def _by_seed(a: _Side, b: _Side, keys: Sequence[Key], k: int) -> tuple[tuple[str, str, float], ...]:
    if len(a.runs) != len(b.runs) or len(a.runs) == 1:
        return ()
    found = []
    for left, right in zip(a.runs, b.runs, strict=True):
        sides = [_side([run], _refs(run, keys), [k]) for run in (left, right)]
        one = _pass_figure(sides[0], sides[1], keys, k)
        if one.estimate.value is not None:
            found.append((left.name, right.name, one.estimate.value))
    return tuple(found)


def _refs(run: RunView, keys: Sequence[Key]) -> list[ProblemRef]:
    wanted = set(keys)
    return [one for one in run.problems if one.key in wanted]


def _more(differences: Sequence[float], p: float, share: float) -> int | None:
    """Problems still needed, where a `share` of them gives a pair."""
    if p < SIGNIFICANT:
        return 0
    needed = pairs_needed(differences)
    return None if needed is None else max(1, math.ceil((needed - len(differences)) / share))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
