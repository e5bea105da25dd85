"""Boards, comparisons and lists of runs as tables and as JSON. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness.boards.settings import varying
from harness.compare import SIGN_FLIP, SIGNIFICANT, Comparison, Figure
from harness.figures import PassAtK, scalars
from harness.leaderboard import Row, Section, Standing
from harness.resampling import FLIPS
from harness.runs import RunView, budget
from harness.show import Column, Table, number, percent, with_interval

NAMES_SHOWN = 8
SWEPT = (
    "seed",
    "improve.method",
    "search.alpha",
    "value.gamma",
    "grpo.kl",
    "grpo.samples",
    "generator.rounds",
)
"""Spec keys that the list of runs tells, where they differ."""


def standing_tables(standing: Standing) -> list[Table]:
    """One table per section, and one of the published rows where there are some."""
    tables = [_section_table(standing, section) for section in standing.sections]
    if not tables:
        nothing = f"no run on {'/'.join(standing.board.benchmarks)}, split {standing.board.split}, yet"
        tables.append(Table(standing.board.title, (), (), notes=[nothing]))
    if standing.board.published:
        tables.append(_published_table(standing))
    tables[-1] = dataclasses.replace(tables[-1], notes=[*tables[-1].notes, *standing.board.notes])
    return tables


def section_title(standing: Standing, section: Section) -> str:
    """What its rows have in common."""
    board = standing.board
    which = "" if len(board.benchmarks) == 1 else f" ({section.benchmark})"
    part = "a sample of " if section.sampled else ""
    return f"{board.title}{which}: {part}{section.problems} problems, {section.budget} an attempt"


def _section_table(standing: Standing, section: Section) -> Table:
    board = standing.board
    columns = [
        Column("#", True),
        Column("run"),
        Column(f"{_pass_name(section)} %", True),
        Column(_solved_name(section), True),
        Column("settings", spare=1),
        Column("nodes/proof", True),
        Column("median", True, spare=4),
        Column("p90", True, spare=3),
        Column("expansions/proof", True, spare=5),
        Column("unscored", True, spare=6),
        Column("verdicts", spare=8),
        Column("commit", spare=7),
    ]
    if board.select is not None:
        columns.insert(5, Column(f"{board.select.split}: {board.select.metric}", True, spare=2))
    rows = [_cells(standing, row) for row in section.rows]
    # A whole-proof section has no nodes, a section without a choice nothing chosen on.
    told = [n for n, column in enumerate(columns) if not column.right or any(row[n] != "-" for row in rows)]
    columns, rows = [columns[n] for n in told], [[row[n] for n in told] for row in rows]
    notes = [f"{row.run.name}: not ranked, {row.reason}" for row in section.rows if row.reason]
    if any(row.chosen for row in section.rows) and board.select is not None:
        among = [key.rsplit(".", 1)[-1] for key in board.select.among]
        # The fingerprint of a choice leaves out the value model where it leaves out alpha.
        among += ["value model"] if "search.alpha" in board.select.among else []
        on = f"{board.select.split} by {board.select.metric}"
        notes.append(f"* the row to report: {' and '.join(among)} chosen on {on}")
    notes += section.notes
    if any(row.figure is not None and row.figure.value != row.sure for row in section.rows):
        notes.append("some attempts are unscored: such a row is ranked by what is certain")
    return Table(
        section_title(standing, section),
        columns,
        rows,
        grey={i for i, row in enumerate(section.rows) if row.reason},
        bold={i for i, row in enumerate(section.rows) if row.chosen},
        notes=notes,
    )


def _solved_name(section: Section) -> str:
    samples = {row.budget.samples for row in section.rows}
    return "solved" if samples == {1} else f"solved in {min(samples) if len(samples) == 1 else 'n'} tries"


def _pass_name(section: Section) -> str:
    ks = {row.passed.k for row in section.rows if row.passed is not None}
    return f"pass@{min(ks)}" if len(ks) == 1 else "pass@k"


def _cells(standing: Standing, row: Row) -> list[str]:
    summary, nodes = row.summary, row.summary.nodes
    settings = " ".join(f"{key}={value}" for key, value in row.settings.items())
    cells = [
        "-" if row.rank is None else str(row.rank),
        f"{row.run.name}{' *' if row.chosen else ''}",
        _pass_cell(row.passed),
        f"{summary.solved}/{summary.problems}",
        settings,
        with_interval(nodes.mean),
        number(nodes.median.value),
        number(nodes.p90.value),
        with_interval(nodes.total),
        str(summary.unscored + summary.missing),
        "/".join([*summary.levels, *(tier for tier in summary.tiers if tier)]),
        str(row.run.session.get("code", {}).get("commit") or "-")[:8],
    ]
    select = standing.board.select
    if select is not None:
        share = select.metric.startswith("pass@")
        cells.insert(5, percent(row.selection) if share else number(row.selection))
    return cells


def _pass_cell(passed: PassAtK | None) -> str:
    if passed is None:
        return "-"
    if passed.estimate.value is None:
        ends = f"[{percent(passed.estimate.low)}, {percent(passed.estimate.high)}]"
        return f"at least {percent(passed.floor)} {ends}"
    return with_interval(passed.estimate, share=True)


def _published_table(standing: Standing) -> Table:
    columns = [Column("system"), Column("reported", True), Column("budget"), Column("statements", spare=1)]
    columns += [Column("source", spare=2), Column("caveat", spare=3)]
    rows = [
        [item.system, item.score, item.budget, item.lineage, item.source, item.caveat]
        for item in standing.board.published
    ]
    title = "Reported elsewhere, not ranked: other statements, budgets or Lean versions"
    return Table(title, columns, rows, grey=set(range(len(rows))))


def standing_json(standing: Standing) -> dict[str, Any]:
    """A board with its rows as plain JSON."""
    return {
        "board": standing.board.name,
        "metric": standing.board.metric,
        "sections": [
            {
                "benchmark": section.benchmark,
                "problems": section.problems,
                "sampled": section.sampled,
                "budget": section.budget,
                "notes": list(section.notes),
                "rows": [_row_json(row) for row in section.rows],
            }
            for section in standing.sections
        ],
        "published": [item.model_dump(mode="json") for item in standing.board.published],
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "run": row.run.name,
        "settings": dict(row.settings),
        "reason": row.reason,
        "chosen": row.chosen,
        "selection": row.selection,
        "certain": row.sure,
        "figures": scalars(row.summary),
        "levels": dict(row.summary.levels),
        "tiers": dict(row.summary.tiers),
        "code": row.run.session.get("code"),
        "command": row.run.session.get("command"),
    }


def comparison_tables(found: Comparison) -> list[Table]:
    """Who solves what, by category too, and every figure with its interval and p-value."""
    counts = {"both": found.both, "only A": found.only_a, "only B": found.only_b}
    counts |= {"neither": found.neither, "unscored": found.unscored}
    solved = Table(
        f"A = {', '.join(found.a)}\nB = {', '.join(found.b)}\n{found.problems} problems",
        [Column("solved by"), Column("problems", True), Column("names")],
        [[name, str(len(ids)), _names(name, ids)] for name, ids in counts.items() if ids],
        notes=[f"warning: {warning}" for warning in found.warnings],
    )
    columns = [Column("figure"), Column("A", True), Column("B", True), Column("B against A")]
    columns += [Column("p", True), Column("pairs", True, spare=1), Column("test", spare=2), Column("verdict")]
    figures = Table(
        "Paired by problem; 95 % bootstrap intervals over problems",
        columns,
        [_figure_cells(figure) for figure in found.figures],
        notes=[
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


def _names(name: str, ids: Sequence[str]) -> str:
    if name in ("both", "neither"):
        return ""
    more = f" and {len(ids) - NAMES_SHOWN} more" if len(ids) > NAMES_SHOWN else ""
    return ", ".join(ids[:NAMES_SHOWN]) + more


def _figure_cells(figure: Figure) -> list[str]:
    share = figure.name.startswith("pass@")
    told = with_interval(figure.estimate, share=share, sign=figure.kind == "difference")
    return [
        figure.name,
        percent(figure.a) if share else number(figure.a),
        percent(figure.b) if share else number(figure.b),
        f"{told} points" if share else told if figure.kind == "difference" else f"x {told}",
        _p_value(figure),
        str(figure.estimate.n),
        figure.test,
        _verdict(figure),
    ]


def _p_value(figure: Figure) -> str:
    if figure.p is None:
        return "-"
    # The smallest p that so many random flips can give is a bound.
    bound = "< " if figure.p <= 1 / FLIPS and figure.test == SIGN_FLIP else ""
    return f"{bound}{figure.p:.2g}"


def _verdict(figure: Figure) -> str:
    if figure.p is None:
        return ""
    if figure.p < SIGNIFICANT:
        low, high = figure.estimate.low, figure.estimate.high
        # Ranks look at the typical problem, the ratio at the mean.
        spans = figure.kind == "ratio" and low is not None and high is not None and low <= 1 <= high
        return "unclear: test and interval disagree" if spans else "differ"
    if figure.more is None:
        return "undecided"
    return f"undecided (+{figure.more} problems)"


def comparison_json(found: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON, ids of every list included."""
    return dataclasses.asdict(found)


def runs_table(runs: Sequence[RunView]) -> Table:
    """One line per stored run, with those swept settings in which the runs differ."""
    columns = [
        Column("run"),
        Column("problems", spare=2),
        Column("solved", True),
        Column("pass@k %"),
        Column("nodes/proof", True),
        Column("settings", spare=1),
        Column("attempts", True, spare=4),
        Column("budget", spare=6),
        Column("started", spare=5),
        Column("state", spare=3),
    ]
    swept = [{key: run.get(key) for key in SWEPT if run.get(key) is not None} for run in runs]
    return Table(
        "Runs",
        columns,
        [_run_cells(run, settings) for run, settings in zip(runs, varying(swept), strict=True)],
    )


def _run_cells(run: RunView, settings: Mapping[str, Any]) -> list[str]:
    summary = run.summary
    passes = (f"@{item.k} {_pass_cell(item)}" for item in summary.passes)
    if summary.missing:
        state = f"{summary.missing} attempts owed"
    else:
        state = f"{summary.unscored} unscored" if summary.unscored else "complete"
    return [
        run.name,
        f"{run.benchmark}/{run.split}",
        f"{summary.solved}/{summary.problems}",
        ", ".join(passes),
        with_interval(summary.nodes.mean),
        " ".join(f"{key}={value}" for key, value in settings.items()),
        f"{summary.scored}/{summary.owed}",
        budget(run.spec).text,
        str(run.sessions[0].get("started_at", "-")) if run.sessions else "-",
        state,
    ]
