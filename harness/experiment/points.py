"""What the points of a sweep came to: one table, the declared metric in it, the best point marked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.experiment.outcomes import PointEntry
from harness.experiment.sweep import Sweep
from harness.terminal.tables import Column, Table

FIGURES = ("pass_at_1", "nodes_per_proof_mean", "nodes_per_proof_censored")
"""Told of every evaluation where the sweep declares no metric."""


@dataclass(frozen=True, slots=True)
class PointOutcome:
    """One point."""

    label: str
    """The settings that the sweep varies, as the sweep tells them."""
    runs: tuple[str, ...]
    figures: Mapping[str, float]
    """Every figure that was logged, by its logged name."""

    state: str = "finished"

    @classmethod
    def of(cls, outcome: PointEntry, figures: Mapping[str, float]) -> PointOutcome:
        """A point as the sweep left it, with the figures that its records hold."""
        return cls(outcome.label, outcome.runs, figures, outcome.state)


def best(sweep: Sweep, points: Sequence[PointOutcome]) -> PointOutcome | None:
    """The first point with the best value of the sweep's metric; None where there is none to choose."""
    metric = sweep.metric
    done = [point for point in points if point.state == "finished"]
    known = [point for point in done if metric is not None and metric in point.figures]
    if metric is None or len(known) < 2:
        return None
    sign = 1 if sweep.goal == "minimize" else -1
    return min(known, key=lambda point: sign * point.figures[metric])


def points_table(sweep: Sweep, points: Sequence[PointOutcome]) -> Table:
    """The points in the order in which they ran. Without a metric: the usual figures of each evaluation."""
    chosen = best(sweep, points)
    names = [sweep.metric] if sweep.metric is not None else _usual(points)
    rows = [
        [
            str(number),
            (point.label or "the only point") + (" *" if point is chosen else _state(point)),
            *(_number(point.figures.get(name)) for name in names),
            " ".join(point.runs),
        ]
        for number, point in enumerate(points, 1)
    ]
    notes = [f"* best: {sweep.goal} {sweep.metric}"] if chosen is not None else []
    columns = [Column("point", True), Column("settings"), *(Column(name, True) for name in names)]
    return Table(
        f"Sweep {sweep.name}: {len(points):,} point{'' if len(points) == 1 else 's'}",
        [*columns, Column("runs", spare=1)],
        rows,
        bold={number for number, point in enumerate(points) if point is chosen},
        notes=notes,
    )


def _state(point: PointOutcome) -> str:
    return "" if point.state == "finished" else f" ({point.state})"


def _usual(points: Sequence[PointOutcome]) -> list[str]:
    names = dict.fromkeys(name for point in points for name in point.figures)
    return [name for name in names if name.startswith("eval/") and name.rsplit("/", 1)[1] in FIGURES]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
