"""Comparisons and lists of runs as tables and as JSON. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from harness.analysis.compare import SIGN_FLIP, Comparison, Figure, headline
from harness.analysis.naming import names
from harness.analysis.runs import RunView, budget
from harness.analysis.statistics import FLIPS
from harness.analysis.summary import PassAtK, Summary
from harness.terminal.tables import Column, Table, number, percent, with_interval

NAMES_SHOWN = 8


def comparison_tables(found: Comparison, margin: float | None = None) -> list[Table]:
    """Who solves what, by category too, and every figure with its interval and p-value."""
    counts = {"both": found.both, "only A": found.only_a, "only B": found.only_b}
    counts |= {"neither": found.neither, "unscored": found.unscored}
    solved = Table(
        f"A = {_who(found.asked[0], found.a)}\nB = {_who(found.asked[1], found.b)}\n"
        f"{found.problems} problems",
        [Column("solved by"), Column("problems", True), Column("names")],
        [[name, str(len(ids)), _names(name, ids)] for name, ids in counts.items() if ids],
        notes=[f"warning: {warning}" for warning in found.warnings],
    )
    columns = [Column("figure"), Column("A", True), Column("B", True), Column("B against A")]
    columns += [Column("p", True), Column("p (Holm)", True, spare=1), Column("pairs", True, spare=2)]
    columns += [Column("test", spare=3), Column("verdict")]
    figures = Table(
        "Paired by problem; 95 % intervals over problems, by Student's t (ratios on the logarithm)",
        columns,
        [_figure_cells(figure, margin) for figure in found.figures],
        notes=[
            "p (Holm): adjusted for all figures that this command looks at; the verdict goes by it",
            "(+n problems): about how many more would settle a difference of this size, four times in five",
            *(
                f"seed pair {a} / {b}: {found.figures[0].name} {100 * difference:+.1f} points"
                for a, b, difference in found.seeds
            ),
        ],
    )
    return [solved, *_category_tables(found), figures]


def _category_tables(found: Comparison) -> list[Table]:
    """None where all problems are of one category."""
    if not found.categories:
        return []
    columns = [Column("category")]
    columns += [Column(name, True) for name in ("problems", "solved by A", "solved by B", "B - A")]
    rows = [
        [one.name or "(none)", str(one.n), str(one.a), str(one.b), f"{one.difference:+d}"]
        for one in found.categories
    ]
    return [Table("By category, solved in at least one attempt", columns, rows)]


def _who(asked: str, runs: Sequence[str]) -> str:
    """The runs of a side, behind the name that was given to it where that is another."""
    names = ", ".join(runs)
    return names if not asked or names.startswith(asked.rsplit("/", 1)[-1]) else f"{asked} ({names})"


def _names(name: str, ids: Sequence[str]) -> str:
    if name in ("both", "neither"):
        return ""
    more = f" and {len(ids) - NAMES_SHOWN} more" if len(ids) > NAMES_SHOWN else ""
    return ", ".join(ids[:NAMES_SHOWN]) + more


def _figure_cells(figure: Figure, margin: float | None) -> list[str]:
    share = figure.name.startswith("pass@")
    told = with_interval(figure.estimate, share=share, sign=figure.kind == "difference")
    return [
        figure.name,
        percent(figure.a) if share else number(figure.a),
        percent(figure.b) if share else number(figure.b),
        f"{told} points" if share else told if figure.kind == "difference" else f"x {told}",
        _p_value(figure),
        "-" if figure.adjusted is None else f"{figure.adjusted:.2g}",
        str(figure.estimate.n),
        figure.test,
        _verdict(figure, margin),
    ]


def _p_value(figure: Figure) -> str:
    if figure.p is None:
        return "-"
    # The smallest p that so many random flips can give is a bound.
    bound = "< " if figure.p <= 1 / FLIPS and figure.test == SIGN_FLIP else ""
    return f"{bound}{figure.p:.2g}"


def _verdict(figure: Figure, margin: float | None) -> str:
    outcome = figure.verdict(margin)
    if outcome is None:
        return ""
    if outcome == "unclear":
        return "unclear: test and interval disagree"
    if outcome == "undecided" and figure.more:
        return f"undecided (+{figure.more} problems)"
    return outcome


def comparison_json(found: Comparison, margin: float | None = None) -> dict[str, Any]:
    """A comparison as plain JSON, ids of every list included."""
    told = dataclasses.asdict(found)
    for figure, row in zip(found.figures, told["figures"], strict=True):
        row["verdict"] = figure.verdict(margin)
    return {"headline": headline(found, margin), **told}


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
