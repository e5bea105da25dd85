"""Comparisons for others: one self-contained page, and a report in W&B."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.analysis.compare import headline
from harness.analysis.comparison_tables import comparison_tables
from harness.boards.comparison_page import ShownComparison, comparison_page
from harness.commands import common
from harness.errors import StoreError
from harness.nested import digest
from harness.spec import TrackingSpec
from harness.terminal.tables import markdown
from harness.tracking.events import key_part
from harness.tracking.point import addresses
from harness.tracking.reports import BoardReport, save_board
from harness.tracking.spool import logged_in


def write_page(shown: Sequence[ShownComparison], args: argparse.Namespace) -> None:
    """`--html`. Raises `StoreError` when the file cannot be written."""
    from harness.boards.page import problem_texts

    path = Path(args.html)
    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = comparison_page(shown, args.margin, made_at, problem_texts, addresses(args.runs))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise StoreError(f"--html {path}: cannot be written: {cause.strerror}") from cause
    print(f"harness: page written to {path.resolve()}", file=sys.stderr)


def publish(shown: Sequence[ShownComparison], args: argparse.Namespace) -> None:
    """`--wandb`: a report under an id of the runs compared, so that comparing them again saves it again."""
    common.need(logged_in(os.environ), "W&B: no key is at hand; set WANDB_API_KEY, or call `wandb login`")
    report = comparison_report(shown, args.margin)
    saved = save_board(report, args.runs, args.wandb_project or TrackingSpec().project, args.entity)
    print(f"harness: W&B report: {saved.report}\nharness: W&B view: {saved.view}", file=sys.stderr)


def comparison_report(shown: Sequence[ShownComparison], margin: float | None) -> BoardReport:
    """What W&B is told: sentence and tables, and the runs sorted by the first figure."""
    first = shown[0]
    parts = []
    for one in shown:
        parts += [f"**{headline(one.found, margin)}**\n", markdown(comparison_tables(one.found, margin))]
    evaluation = key_part(str(first.b[0].get("evaluation.name")))
    k = first.found.figures[0].name.removeprefix("pass@") if first.found.figures else "1"
    names = [[one.found.a, one.found.b] for one in shown]
    title = (
        f"{' and '.join(one.found.asked[1] or one.found.b[0] for one in shown)} against {first.found.a[0]}"
    )
    return BoardReport(
        name=f"compare-{digest(names)[:8]}",
        title=title,
        markdown="\n".join(parts),
        metric=f"eval/{evaluation}/pass_at_{k}",
        ascending=False,
        columns=(f"eval/{evaluation}/solved", f"eval/{evaluation}/nodes_per_proof_mean"),
    )
