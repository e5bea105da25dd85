"""How sure an order is: paired tests between rows, and intervals of ranks. Pure; numpy where it is used.

Rows of a section share their problems. A metric is a ratio of two sums over problems (for pass@k: of shares
solved over problems), so one test and one bootstrap serve them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.intervals import TAIL
from harness.analysis.pooling import pass_values
from harness.analysis.statistics import ENUMERATE, flip_tail, mcnemar, sign_flip
from harness.boards.definition import LOWER_IS_BETTER, PASS
from harness.boards.rows import Row

DRAWS = 1000
"""Resamples behind an interval of ranks."""
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Sums:
    """A metric by problem: it is sum(over) / sum(under), two arrays of one number a problem."""

    over: Any
    under: Any
    shared: bool = False
    """Two rows are compared on the problems alone that both have a figure for (`under` above 0)."""


def sums(row: Row, metric: str) -> Sums:
    """The metric of one row by problem, the mean over its seeds."""
    import numpy as np

    matched = PASS.fullmatch(metric)
    if matched is not None:
        seeds = [pass_values(part.summary, int(matched[1])) for part in counted(row)]
        shares = np.asarray(seeds, dtype=float).mean(axis=0)
        return Sums(shares, np.ones_like(shares))
    outcomes = row.summary.outcomes
    scored, proved, spent, on_proofs = (
        np.asarray(values, dtype=float)
        for values in (outcomes.scored, outcomes.proved, outcomes.expansions, outcomes.proof_expansions)
    )
    which = LOWER_IS_BETTER[metric]
    if which == "total":
        return Sums(spent, proved)
    if which == "censored":
        whole = float(row.budget.expansions or 0)
        known = scored > 0
        values = np.divide(
            on_proofs + (scored - proved) * whole, scored, out=np.zeros_like(scored), where=known
        )
        return Sums(values, known.astype(float), shared=True)
    known = (proved > 0) & (on_proofs > 0)
    return Sums(
        np.divide(on_proofs, proved, out=np.zeros_like(proved), where=known), known.astype(float), shared=True
    )


def counted(row: Row) -> Sequence[Row]:
    """The parts that the row's figures are of: those that qualify, or all where none does."""
    return [part for part in row.parts if not part.reason] or row.parts


def paired_p(a: Sums, b: Sums) -> float | None:
    """Two-sided p that both rows have the same metric, by sign flips over problems; None without any pair.

    The score test of equal ratios: under it sum(over - R * under), R of both rows together, differs by chance
    alone. For pass@1 of single attempts it is McNemar's exact test.
    """
    import numpy as np

    a_over, a_under, b_over, b_under = a.over, a.under, b.over, b.under
    if a.shared:
        both = (a_under > 0) & (b_under > 0)
        a_over, a_under, b_over, b_under = (x[both] for x in (a_over, a_under, b_over, b_under))
    total = float(a_under.sum() + b_under.sum())
    if not len(a_over) or not total:
        return None
    ratio = float(a_over.sum() + b_over.sum()) / total
    differences = (b_over - a_over) - ratio * (b_under - a_under)
    differences = differences[np.abs(differences) > 1e-12]
    if np.all(np.isin(differences, (-1.0, 1.0))):
        return mcnemar(int((differences < 0).sum()), int((differences > 0).sum()))
    if len(differences) <= ENUMERATE:
        return sign_flip(differences.tolist())
    return flip_tail(differences.tolist())


def ranked(rows: Sequence[Row], metric: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Rank, and interval of ranks, of rows that stand in order, best first.

    A row has the rank of the row before it as long as the test does not tell it from the first of that rank,
    at 5 % over all the comparisons of the section (Bonferroni).
    """
    every = [sums(row, metric) for row in rows]
    limit = SIGNIFICANT / max(1, len(rows) - 1)
    ranks: list[int] = []
    first = 0
    for place, one in enumerate(every):
        p = paired_p(every[first], one)
        if place and p is not None and p < limit:
            first = place
        ranks.append(first + 1)
    return ranks, intervals(every, metric in LOWER_IS_BETTER)


def intervals(every: Sequence[Sums], lower: bool, seed: int = 0) -> list[tuple[int, int]]:
    """Best and worst rank of each row, 95 %, over problems resampled together for all rows."""
    import numpy as np

    if not every or not len(every[0].over):
        return [(1, len(every))] * len(every)
    problems = len(every[0].over)
    picks = np.random.default_rng(seed).multinomial(problems, [1 / problems] * problems, size=DRAWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.stack([(picks @ one.over) / (picks @ one.under) for one in every])
    # Without a proof a cost is endless.
    values = np.where(np.isnan(values), np.inf, values) if lower else -values
    values = np.round(values, 12)
    best, worst = np.empty(values.shape, dtype=int), np.empty(values.shape, dtype=int)
    for draw in range(values.shape[1]):
        column, ordered = values[:, draw], np.sort(values[:, draw])
        best[:, draw] = np.searchsorted(ordered, column, side="left") + 1
        worst[:, draw] = np.searchsorted(ordered, column, side="right")
    low = np.quantile(best, TAIL, axis=1, method="inverted_cdf")
    high = np.quantile(worst, 1 - TAIL, axis=1, method="inverted_cdf")
    return [(int(x), int(y)) for x, y in zip(low, high, strict=True)]
