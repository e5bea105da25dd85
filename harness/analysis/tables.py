"""Lists of runs as tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.naming import names
from harness.analysis.runs import RunView, budget
from harness.analysis.summary import PassAtK, Summary
from harness.terminal.tables import Column, Table, percent, with_interval


def runs_table(runs: Sequence[RunView]) -> Table:
    """One line per stored run, called as a person would call it among the others."""
    columns = [
        Column("run"),
        Column("settings", spare=1),
        Column("problems", spare=2),
        Column("solved", True),
        Column("pass@k %"),
        Column("nodes/proof", True),
        Column("attempts", True, spare=4),
        Column("budget", spare=6),
        Column("started", spare=5),
        Column("state", spare=3),
    ]
    called = names([run.spec for run in runs], [1] * len(runs))
    return Table("Runs", columns, [_run_cells(run, name) for run, name in zip(runs, called, strict=True)])


def state(summary: Summary) -> str:
    """`complete`, `owed` or `unscored`: whether every attempt is there and judged."""
    return "owed" if summary.missing else "unscored" if summary.unscored else "complete"


def _run_cells(run: RunView, name: str) -> list[str]:
    summary = run.summary
    passes = (f"@{item.k} {pass_cell(item)}" for item in summary.passes)
    counts = {"owed": f"{summary.missing:,} attempts owed", "unscored": f"{summary.unscored:,} unscored"}
    started = str(run.sessions[0].get("started_at", "-")) if run.sessions else "-"
    return [
        run.name,
        name,
        f"{run.benchmark}/{run.split}",
        f"{summary.solved}/{summary.problems}",
        ", ".join(passes),
        with_interval(summary.nodes.mean),
        f"{summary.scored:,}/{summary.owed:,}",
        budget(run.spec).text,
        started.replace("T", " ").removesuffix("Z"),
        counts.get(state(summary), "complete"),
    ]


def pass_cell(passed: PassAtK | None) -> str:
    """pass@k in percent with its interval; where attempts stay unscored, what is certain of it."""
    if passed is None:
        return "-"
    if passed.estimate.value is None:
        ends = f"[{percent(passed.estimate.low)}, {percent(passed.estimate.high)}]"
        return f"at least {percent(passed.floor)} {ends}"
    return with_interval(passed.estimate, share=True)
