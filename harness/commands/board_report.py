"""What W&B is told of a board: its tables, and the names under which runs logged their figures. Pure."""

from __future__ import annotations

from collections import Counter

from harness.boards.charts import SWEPT
from harness.boards.definition import LOWER_IS_BETTER, PASS, Board
from harness.boards.rows import Standing
from harness.boards.tables import standing_tables
from harness.terminal.tables import markdown
from harness.tracking.events import key_part
from harness.tracking.reports import BoardReport

BESIDE = ("solved", "problems", "nodes_per_proof_mean", "nodes_per_proof_total")
"""Figures shown beside the metric."""


def board_report(standing: Standing) -> BoardReport | None:
    """The report of a board; None when no run stands on it.

    Runs log a figure under the name of their evaluation: the report sorts by the evaluation of most rows.
    """
    rows = [row for section in standing.sections for row in section.rows]
    evaluations = Counter(str(row.run.get("evaluation.name")) for row in rows)
    if not rows:
        return None
    start = f"eval/{key_part(evaluations.most_common(1)[0][0])}"
    values = {key: {row.run.get(key) for row in rows} for key in SWEPT}
    return BoardReport(
        name=standing.board.name,
        title=standing.board.title,
        markdown=markdown(standing_tables(standing)),
        metric=f"{start}/{figure(standing.board)}",
        ascending=standing.board.metric in LOWER_IS_BETTER,
        columns=tuple(f"{start}/{name}" for name in BESIDE if name != figure(standing.board)),
        settings=tuple(key for key, seen in values.items() if len(seen) > 1),
    )


def figure(board: Board) -> str:
    """The board's metric as `harness.analysis.summary.scalars` names it."""
    matched = PASS.fullmatch(board.metric)
    if matched is not None:
        return f"pass_at_{matched[1]}"
    return f"nodes_per_proof_{LOWER_IS_BETTER[board.metric]}"
