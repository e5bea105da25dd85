"""What a ranked board consists of. Plain data; `harness.boards.ranking` fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.analysis.costs import Cost
from harness.analysis.runs import Budget, RunView
from harness.analysis.settings import unknown_weights
from harness.analysis.summary import PassAtK, Summary
from harness.boards.definition import Board
from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Delta:
    """A row's metric against that of the baseline."""

    value: float
    """Difference of the metric, row - baseline."""
    p: float | None
    """Two-sided, of the paired test; None where the two share too few problems for one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting on a board: one run, or its seeds pooled."""

    name: str
    """What a person would call it."""
    runs: tuple[RunView, ...]
    """By seed. Figures are of those that qualify, or of all where none does."""
    summary: Summary
    budget: Budget
    settings: Mapping[str, Any]
    """What sets it apart from the other rows of its section, by short names."""
    figure: Estimate | None
    """The board's metric; None when the run does not report it."""
    sure: float | None
    """What it is ranked by: the figure, or where attempts are in doubt the bound that is certain."""
    cost: Cost
    passed: PassAtK | None = None
    """Its pass@k: the board's k, or the smallest reported where the board ranks by something else."""
    reason: str = ""
    """Why it is not ranked; empty when it is."""
    rank: int | None = None
    """Rows that a paired test cannot tell from the first of their rank share it."""
    ranks: tuple[int, int] | None = None
    """Best and worst rank, 95 %, over resampled problems."""
    delta: Delta | None = None
    """Against the baseline; None for the baseline itself and where there is none."""
    baseline: bool = False
    siblings: tuple[RunView, ...] = ()
    """Runs that differ from it in nothing but the split, which is that of `select`."""
    selection: float | None = None
    """The metric of `select` on its split, on the problems that all its rivals were measured on."""
    chosen: bool = False
    """Best of its sweep on that split: the row to report."""
    same: tuple[RunView, ...] = ()
    """Other runs that hold the same attempts, under another name."""
    members: tuple[Row, ...] = ()
    """One row for each run where there are several."""

    @property
    def run(self) -> RunView:
        """The first of its runs."""
        return self.runs[0]

    @property
    def of_unknown_weights(self) -> bool:
        """Whether nothing but a server's name says which weights one of its runs asked."""
        return any(unknown_weights(run.spec) for run in self.runs)

    @property
    def parts(self) -> tuple[Row, ...]:
        """Its members, or itself where it is one run."""
        return self.members or (self,)


@dataclass(frozen=True, slots=True)
class BoardSection:
    """Rows that can be ranked together: the same problems, budget for an attempt, and evidence."""

    benchmark: str
    problems: int
    sampled: bool
    """A sample or a part of the split, not all of it."""
    budget: str
    rows: tuple[Row, ...]
    """Ranked rows first, best first; then those that do not qualify."""
    tier: str = ""
    """What the proofs rest on, as in `harness.types.EVIDENCE`; empty where nothing was proved."""
    notes: tuple[str, ...] = ()
    """Why no row is chosen where one could have been."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A board with its rows."""

    board: Board
    sections: tuple[BoardSection, ...] = field(default=())
