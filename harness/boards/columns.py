"""The columns of a board, said once for terminal, page, CSV and JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.analysis.tables import pass_cell
from harness.boards.definition import LOWER_IS_BETTER, Board
from harness.boards.rows import BoardSection, Row
from harness.serving.weights import UNKNOWN
from harness.terminal.tables import number, percent, with_interval

Value = float | str | None


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One column: what a cell says, and what it is sorted by."""

    key: str
    """Its name in CSV and for `--sort`."""
    title: str
    text: Callable[[Row], str]
    value: Callable[[Row], Value]
    right: bool = True
    spare: int = 0
    """As in `harness.terminal.tables.Column`."""
    wide: bool = False
    """Shown on the page and in CSV only."""
    lower: bool = False
    """The least comes first where the board is sorted by it."""
    nought: bool = False
    """Also 0 says something: nothing proved is a result."""


def columns(board: Board, section: BoardSection) -> list[BoardColumn]:
    """Every column that has something to say of this section's rows."""
    every = [*_standing(board, section), *_search(), *_costs(), *_origin()]
    if board.select is not None:
        every.insert(7, _selection(board))
    parts = [row for row in section.rows for row in (row, *row.members)]
    return [column for column in every if not column.right or any(_tells(column, row) for row in parts)]


def _tells(column: BoardColumn, row: Row) -> bool:
    """Whether a cell says something: a whole proof has no nodes, a machine without GPUs no GPU seconds."""
    value = column.value(row)
    return bool(value) or (column.nought and value is not None)


def _standing(board: Board, section: BoardSection) -> list[BoardColumn]:
    ks = {row.passed.k for row in section.rows if row.passed is not None}
    passed = f"pass@{min(ks)}" if len(ks) == 1 else "pass@k"
    samples = {row.budget.samples for row in section.rows}
    tries = "n" if len(samples) > 1 else str(min(samples))
    solved = "solved" if samples == {1} else f"solved in {tries} tries"
    return [
        BoardColumn(
            "rank", "#", lambda r: "-" if r.rank is None else str(r.rank), lambda r: r.rank, lower=True
        ),
        BoardColumn("ranks", "ranks", _ranks, lambda r: r.ranks and r.ranks[1], spare=2, lower=True),
        BoardColumn("name", "row", _title, lambda r: r.name, right=False),
        BoardColumn("pass", f"{passed} %", lambda r: pass_cell(r.passed), _pass_value, nought=True),
        BoardColumn("solved", solved, _solved, lambda r: r.summary.solved, nought=True),
        BoardColumn(
            "delta", _delta_title(board), lambda r: _delta(board, r), _delta_value, spare=1, nought=True
        ),
    ]


def _search() -> list[BoardColumn]:
    return [
        BoardColumn(
            "nodes_per_proof",
            "nodes/proof",
            lambda r: with_interval(r.summary.nodes.mean),
            lambda r: r.summary.nodes.mean.value,
            lower=True,
        ),
        BoardColumn(
            "nodes_median",
            "median",
            lambda r: number(r.summary.nodes.median.value),
            lambda r: r.summary.nodes.median.value,
            spare=6,
            lower=True,
        ),
        BoardColumn(
            "nodes_p90",
            "p90",
            lambda r: number(r.summary.nodes.p90.value),
            lambda r: r.summary.nodes.p90.value,
            spare=6,
            lower=True,
        ),
        BoardColumn(
            "expansions_per_proof",
            "expansions/proof",
            lambda r: with_interval(r.summary.nodes.total),
            lambda r: r.summary.nodes.total.value,
            spare=5,
            lower=True,
        ),
    ]


_MONEY = {"tokens": ("tokens", 0), "lean_s": ("Lean s", 3), "gpu_s": ("GPU s", 2), "dollars": ("$", 4)}


def _costs() -> list[BoardColumn]:
    found = []
    for what in ("proof", "attempt"):
        for key, (title, digits) in _MONEY.items():

            def value(row: Row, what: str = what, key: str = key) -> float | None:
                return row.cost.per(what)[key]

            def text(row: Row, digits: int = digits, value: Callable[[Row], float | None] = value) -> str:
                return _amount(value(row), digits)

            column = BoardColumn(
                f"{key}_per_{what}",
                f"{title}/{what}",
                text,
                value,
                spare=4,
                wide=what == "attempt",
                lower=True,
            )
            found.append(column)
    return found


def _origin() -> list[BoardColumn]:
    return [
        BoardColumn(
            "unscored", "unscored", lambda r: str(_unscored(r)), lambda r: _unscored(r), spare=7, lower=True
        ),
        BoardColumn("verdicts", "verdicts", _verdicts, _verdicts, right=False, spare=9),
        BoardColumn("commit", "commit", _commit, _commit, right=False, spare=8),
        BoardColumn("run", "run", _folder, _folder, right=False, spare=3),
    ]


def _selection(board: Board) -> BoardColumn:
    assert board.select is not None
    metric = board.select.metric
    shown = percent if metric.startswith("pass@") else number
    title = f"{board.select.split}: {metric.replace('_', ' ')}"
    lower = metric in LOWER_IS_BETTER
    return BoardColumn(
        "selection", title, lambda r: shown(r.selection), lambda r: r.selection, spare=2, lower=lower
    )


def _ranks(row: Row) -> str:
    if row.ranks is None:
        return "-"
    low, high = row.ranks
    return str(low) if low == high else f"{low}-{high}"


def _title(row: Row) -> str:
    marks = [" *"] if row.chosen else []
    marks += [" (baseline)"] if row.baseline else []
    marks += [f" ({UNKNOWN})"] if row.of_unknown_weights else []
    return row.name + "".join(marks)


def _pass_value(row: Row) -> float | None:
    return None if row.passed is None else row.passed.floor


def _solved(row: Row) -> str:
    if not row.members:
        return f"{row.summary.solved}/{row.summary.problems}"
    counts = [part.summary.solved for part in row.members if not part.reason or row.reason]
    mean = sum(counts) / len(counts)
    return (
        f"{mean:.1f}/{row.summary.problems}"
        if len(set(counts)) > 1
        else f"{counts[0]}/{row.summary.problems}"
    )


def _delta_title(board: Board) -> str:
    return "points" if board.metric.startswith("pass@") else f"{board.metric.replace('_', ' ')} +/-"


def _delta(board: Board, row: Row) -> str:
    if row.delta is None:
        return "-"
    scaled = row.delta.value * (100 if board.metric.startswith("pass@") else 1)
    p = "" if row.delta.p is None else f" (p {row.delta.p:.2g})"
    return f"{scaled:+.1f}{p}"


def _delta_value(row: Row) -> float | None:
    return None if row.delta is None else row.delta.value


def _unscored(row: Row) -> int:
    return row.summary.unscored + row.summary.missing


def _verdicts(row: Row) -> str:
    return "/".join([*row.summary.levels, *(name for name in row.summary.tiers if name)])


def _commit(row: Row) -> str:
    return str(row.run.session.get("code", {}).get("commit") or "-")[:8]


def _folder(row: Row) -> str:
    more = f" and {len(row.runs) - 1} more" if len(row.runs) > 1 else ""
    return f"{row.run.name}{more}"


def _amount(value: float | None, digits: int) -> str:
    """A cost with about three digits that count."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or not digits else f"{value:.3g}"
