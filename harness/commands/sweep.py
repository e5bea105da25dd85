"""`harness sweep`: every point of a W&B sweep file, here, one after the other."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence

from harness.analysis.compare import Comparison, compare
from harness.analysis.contrasts import Contrast, contrasts
from harness.analysis.runs import RunView
from harness.analysis.tables import comparison_json, comparison_tables
from harness.boards.ranking import board_of, boards_for, rank
from harness.boards.rows import Standing
from harness.boards.tables import standing_json, standing_tables
from harness.commands import common
from harness.commands.run import show_preview
from harness.errors import SpecError, UserError
from harness.experiment import files
from harness.experiment.conduct import Finished, Job, conduct, preview
from harness.experiment.files import BASE, Overrides
from harness.experiment.logged import check_metric
from harness.experiment.plan import plan
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Point, Sweep, label, points, read_sweep, samples
from harness.nested import within
from harness.terminal.tables import show

CHECKED = 200
"""A sweep of more points is not planned whole before its first point runs."""
SHOWN = 5
"""Points of such a sweep that are planned beforehand, and that a dry run shows."""


def main(args: argparse.Namespace) -> int:
    """Run every point, then rank and compare what they gave; points are checked before the first runs."""
    path = files.find(args.file)
    sweep = read_sweep(path)
    asked = common.overrides(args)
    _check_overrides(sweep, asked)
    found = points(sweep, args.seed)
    _check_points(sweep, found, asked)
    if args.dry_run:
        return _dry_run(args, sweep, found, asked)
    resources = common.resources(args)
    done: list[Finished] = []
    for number, point in enumerate(found, 1):
        spec, name = _spec(sweep, point, asked), label(sweep, point)
        resources.display.note(f"point {number:,}/{len(found):,}: {name}")
        done.append(conduct(spec, resources, Job("sweep", sweep.name, f"{spec.name} {name}".strip())))
    views = {item.view.name: item.view for finished in done for item in finished.measured}
    _report(list(views.values()), args.json)
    return 0


def _check_points(sweep: Sweep, found: Sequence[Point], asked: Overrides) -> None:
    """Raise `SpecError` for a point that cannot be run; of a huge sweep only a few are planned."""
    whole = CHECKED if len(found) <= CHECKED else SHOWN
    for number, point in enumerate(samples(sweep, found, CHECKED)):
        spec = _spec(sweep, point, asked)
        if number >= whole:
            continue
        made = plan(spec)
        if sweep.metric is not None:
            check_metric(made, sweep.metric, str(sweep.path))


def _check_overrides(sweep: Sweep, asked: Overrides) -> None:
    """Raise `SpecError` when the command line fixes what the sweep varies: every point would be the same."""
    given = [*asked.origins, *([(BASE, asked.switch[1])] if asked.switch else [])]
    for key, origin in given:
        for name in sweep.varied:
            if within(key, name) or within(name, key):
                raise SpecError(
                    f"{origin}: {sweep.path} varies {name}; drop {origin.split()[0]}, or take {name} out of "
                    "the sweep file"
                )


def _spec(sweep: Sweep, point: Point, asked: Overrides) -> ExperimentSpec:
    name = label(sweep, point)
    return files.resolve(point, f"{sweep.path} ({name})" if name else str(sweep.path), asked)


def _dry_run(args: argparse.Namespace, sweep: Sweep, found: Sequence[Point], asked: Overrides) -> int:
    shown = list(itertools.islice(found, len(found) if len(found) <= CHECKED else SHOWN))
    specs = [_spec(sweep, point, asked) for point in shown]
    lines = {line.folder or line.why: line for spec in specs for line in preview(spec, args.runs)}
    if not args.json:
        print(f"{sweep.name}: {len(found):,} point{'' if len(found) == 1 else 's'}")
        for point in shown:
            print(f"  {label(sweep, point)}")
        if len(shown) < len(found):
            print(f"  ... and {len(found) - len(shown):,} more, not planned yet")
    show_preview(list(lines.values()), args.json)
    return 0


def _report(views: Sequence[RunView], as_json: bool) -> None:
    """The boards that these runs fit on, and the comparisons that they ask for."""
    standings = [rank(board_of(name, views), views) for name in boards_for(views)]
    found = [(item.title, _compared(item)) for item in contrasts(views, _chosen(standings))]
    if as_json:
        comparisons = [
            {"title": title, **({"refused": result} if isinstance(result, str) else comparison_json(result))}
            for title, result in found
        ]
        boards = [standing_json(standing) for standing in standings]
        common.print_json({"boards": boards, "comparisons": comparisons})
        return
    for standing in standings:
        show(standing_tables(standing))
    for title, result in found:
        print(f"\n{title}")
        if isinstance(result, str):
            print(f"  {result}")
        else:
            show(comparison_tables(result)[-1:])


def _compared(item: Contrast) -> Comparison | str:
    """The comparison, or why there is none: the others must not be lost with it."""
    try:
        return compare(item.a, item.b)
    except UserError as refusal:
        return str(refusal)


def _chosen(standings: Sequence[Standing]) -> set[str]:
    """Names of the rows that a board marks as chosen on validation."""
    return {
        run.name
        for standing in standings
        for section in standing.sections
        for row in section.rows
        if row.chosen
        for run in row.runs
    }
