"""`harness leaderboard`: stored runs, ranked."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.analysis.runs import RunView, load_runs
from harness.boards.definition import board_names, load_prices
from harness.boards.ranking import board_of, boards_for, rank
from harness.boards.rows import Standing
from harness.boards.tables import sorted_by, standing_csv, standing_json, standing_tables
from harness.commands import common
from harness.errors import StoreError
from harness.nested import nearest
from harness.paths import expanded
from harness.spec import TrackingSpec
from harness.terminal.tables import markdown, show
from harness.tracking.point import addresses


def main(args: argparse.Namespace) -> int:
    """Rank the runs of the folder on one board; with no board named, on the one that shows most of them."""
    runs, broken = load_runs(args.runs)
    name = args.board or _default(runs)
    if name is None:
        _nothing(args, runs, bool(broken))
        return common.told_broken(broken)
    standing = ranked(args, name, runs)
    if args.serve:
        _serve(args, name)
    elif args.json:
        common.print_json(standing_json(standing))
    elif args.csv:
        print(standing_csv(standing), end="")
    elif args.markdown:
        print(markdown(standing_tables(standing, args.seeds)), end="")
    else:
        show(standing_tables(standing, args.seeds), plain=args.plain or None)
    if args.html:
        _write(standing, expanded(args.html), args.runs)
    if args.charts:
        _draw(standing, args)
    if args.wandb:
        _publish(standing, args)
    return common.told_broken(broken)


def ranked(args: argparse.Namespace, name: str, runs: Sequence[RunView]) -> Standing:
    """The board as the command line asks for it. Raises UserError for a baseline or a column it has not."""
    board = board_of(name, runs)
    if args.prices is not None:
        board = board.model_copy(update={"prices": load_prices(expanded(args.prices))})
    standing = rank(board, runs, args.baseline)
    rows = [row for section in standing.sections for row in section.rows]
    held = not args.baseline or any(row.baseline for row in rows)
    known = nearest(str(args.baseline), [row.name for row in rows if row.rank is not None])
    common.need(
        held, f"--baseline {args.baseline}: no ranked row of {board.name} has that name or run{known}"
    )
    return sorted_by(standing, args.sort) if args.sort else standing


def _serve(args: argparse.Namespace, name: str) -> None:
    from harness.boards.live import LiveBoard, serve
    from harness.boards.page import problem_texts

    common.need(0 <= args.port <= 65535, f"--port {args.port}: must lie between 0 and 65535")
    board = LiveBoard(args.runs, lambda: ranked(args, name, load_runs(args.runs)[0]), problem_texts)
    serve(board, args.host, args.port)


def _default(runs: Sequence[RunView]) -> str | None:
    fitting = boards_for(runs)
    if len(fitting) > 1:
        print(f"harness: these runs stand on other boards too: {', '.join(fitting[1:])}", file=sys.stderr)
    return fitting[0] if fitting else None


def _nothing(args: argparse.Namespace, runs: Sequence[RunView], broken: bool) -> None:
    boards = ", ".join(board_names())
    if runs:
        reason = f"no board shows the {len(runs)} runs under {args.runs}; there are: {boards}"
    elif broken:
        reason = f"no run under {args.runs} can be read"
    else:
        reason = f"no runs under {args.runs}; make one with `harness run` or `harness sweep`"
    if args.json:
        common.print_json({"board": None, "metric": None, "sections": []})
    print(f"harness: {reason}" if args.json else reason, file=sys.stderr if args.json else sys.stdout)
    if args.html:
        print(f"harness: {args.html} is not written: there is nothing to show", file=sys.stderr)


def _publish(standing: Standing, args: argparse.Namespace) -> None:
    from harness.commands.board_report import board_report
    from harness.tracking.reports import save_board
    from harness.tracking.spool import logged_in

    common.need(logged_in(os.environ), "W&B: no key is at hand; set WANDB_API_KEY, or call `wandb login`")
    report = board_report(standing)
    common.need(report is not None, f"--wandb: no run stands on {standing.board.name}: nothing to publish")
    assert report is not None
    saved = save_board(report, args.runs, args.project or TrackingSpec().project, args.entity)
    print(f"harness: W&B report: {saved.report}\nharness: W&B view: {saved.view}", file=sys.stderr)


def _draw(standing: Standing, args: argparse.Namespace) -> None:
    from harness.boards.charts import drawn, section_charts

    for number, section in enumerate(standing.sections):
        folder = Path(args.charts)
        folder = folder / f"section-{number + 1}" if len(standing.sections) > 1 else folder
        written = drawn(section_charts(section), folder, args.format or ["svg"])
        print(f"harness: {len(written)} charts of {section.benchmark} in {folder.resolve()}", file=sys.stderr)


def _write(standing: Standing, path: Path, root: Path) -> None:
    from harness.boards.page import page, problem_texts

    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        html = page(standing, made_at, problem_texts, addresses(root))
        path.write_text(html, encoding="utf-8")
    except OSError as cause:
        raise StoreError(f"--html {path}: cannot be written: {cause.strerror}") from cause
    print(f"harness: page written to {path.resolve()}", file=sys.stderr)
