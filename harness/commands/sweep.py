"""`harness sweep`: every point of a W&B sweep file, here, one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.compare import Comparison, compare
from harness.analysis.contrasts import Contrast, contrasts
from harness.analysis.runs import RunView
from harness.analysis.tables import comparison_json, comparison_tables
from harness.boards.definition import load_board
from harness.boards.ranking import Standing, boards_for, rank
from harness.boards.tables import standing_json, standing_tables
from harness.commands import common
from harness.commands.run import show_preview
from harness.errors import SpecError, UserError
from harness.experiment import files
from harness.experiment.conduct import Finished, Job, conduct, preview
from harness.experiment.files import BASE, Overrides
from harness.experiment.plan import plan
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Sweep, label, points, read_sweep
from harness.nested import within
from harness.terminal.tables import show


def main(args: argparse.Namespace) -> int:
    """Run every point, then rank and compare what they gave; every point is checked before the first runs."""
    path = files.find(args.file)
    sweep = read_sweep(path)
    asked = common.overrides(args)
    _check_overrides(sweep, asked)
    found = points(sweep, args.seed)
    specs = [files.resolve(point, _source(sweep, point), asked) for point in found]
    for spec in specs:
        plan(spec)
    if args.dry_run:
        return _dry_run(args, sweep, found, specs)
    resources = common.resources(args)
    done: list[Finished] = []
    for number, (point, spec) in enumerate(zip(found, specs, strict=True), 1):
        name = label(sweep, point)
        resources.display.note(f"point {number}/{len(found)}: {name}")
        done.append(conduct(spec, resources, Job("sweep", sweep.name, f"{spec.name} {name}".strip())))
    views = {item.view.name: item.view for finished in done for item in finished.measured}
    _report(list(views.values()), args.json)
    return 0


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


def _source(sweep: Sweep, point: Mapping[str, Any]) -> str:
    name = label(sweep, point)
    return f"{sweep.path} ({name})" if name else str(sweep.path)


def _dry_run(
    args: argparse.Namespace, sweep: Sweep, found: Sequence[dict[str, Any]], specs: Sequence[ExperimentSpec]
) -> int:
    lines = {line.folder or line.why: line for spec in specs for line in preview(spec, args.runs)}
    if not args.json:
        print(f"{sweep.name}: {len(found)} point{'' if len(found) == 1 else 's'}")
        for point in found:
            print(f"  {label(sweep, point)}")
    show_preview(list(lines.values()), args.json)
    return 0


def _report(views: Sequence[RunView], as_json: bool) -> None:
    """The boards that these runs fit on, and the comparisons that they ask for."""
    standings = [rank(load_board(name), views) for name in boards_for(views)]
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
        row.run.name
        for standing in standings
        for section in standing.sections
        for row in section.rows
        if row.chosen
    }
