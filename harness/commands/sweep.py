"""`harness sweep`: every point of a W&B sweep file, here, without a server."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.analysis.compare import Comparison, adjust, compare, headline
from harness.analysis.comparison_tables import comparison_json, figures_table
from harness.analysis.contrasts import Contrast, contrasts
from harness.analysis.runs import RunView, open_run
from harness.boards.ranking import board_of, boards_for, rank
from harness.boards.rows import Standing
from harness.boards.tables import standing_json, standing_tables
from harness.commands import common
from harness.commands.run import show_preview
from harness.errors import DataMissing, SpecError, UserError
from harness.experiment import files
from harness.experiment.choosing import chooser
from harness.experiment.conduct import hindrances
from harness.experiment.files import BASE, Overrides
from harness.experiment.logged import check_metric
from harness.experiment.outcomes import PointEntry, SweepJournal, sweep_folder
from harness.experiment.outlook import preflight
from harness.experiment.plan import Plan, plan
from harness.experiment.points import PointOutcome, best, points_table
from harness.experiment.preview import Preview, preview
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Point, Sweep, label, points, read_sweep, samples
from harness.experiment.sweeping import Sweeping, SweepLimits, figures
from harness.experiment.workers import Here, PointWorker, Processes
from harness.nested import within
from harness.records.folder import SUMMARY
from harness.terminal.points import Outlook, PointLine, live_points
from harness.terminal.tables import show
from harness.tracking.point import kept_here
from harness.tracking.spool import unsent

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
    try:
        planned = _check_points(sweep, found, asked)
    except DataMissing:
        if not args.dry_run:
            raise
    if args.dry_run:
        return _dry_run(args, sweep, found, asked)
    in_the_way = dict.fromkeys(why for made in planned for why in hindrances(made, args.runs))
    common.need(not in_the_way, "\n".join(in_the_way))
    for line in preflight(sweep, found, _spec(sweep, found[0], asked)):
        print(line, file=sys.stderr)
    outcomes = _run(args, sweep, asked, len(found))
    told = [PointOutcome.of(outcome, figures(_spec(sweep, outcome.parameters, asked), args.runs))
            for outcome in outcomes]  # fmt: skip
    _report(_views(outcomes, args.runs), sweep, told, args.json)
    if kept_here(args.runs, sweep.name):
        print(unsent(args.runs, sweep.name), file=sys.stderr)
    return _verdict(outcomes, args)


def _run(args: argparse.Namespace, sweep: Sweep, asked: Overrides, total: int) -> list[PointEntry]:
    """Carry out the points, here or in processes of their own, showing how they stand."""
    resources = common.resources(args)
    what = [[sweep.method, sweep.run_cap, sweep.metric], args.seed, _plain(sweep, asked)]
    with SweepJournal(sweep_folder(args.runs, sweep.name, what), sweep.path) as journal:
        for host, points in journal.foreign.items():
            told = f"{points} point{'' if points == 1 else 's'} in {journal.folder} were run on {host}"
            resources.display.note(f"{told}: looked at again here, where only their finished runs count")
        alone = args.parallel is None and sweep.stop is None
        worker: PointWorker = (
            Here(resources)
            if alone
            else Processes(args.parallel or 1, journal.folder, args.runs, _options(asked))
        )
        outlook = Outlook(sweep.metric or "", total, worker.slots)
        limits = SweepLimits(args.resume, args.retry_failed, args.max_failures)
        with live_points(resources.display, outlook) as show:
            return Sweeping(
                sweep,
                chooser(sweep, args.seed),
                lambda point: _spec(sweep, point, asked),
                journal,
                worker,
                args.runs,
                limits,
                lambda outcomes: show([_line(outcome) for outcome in outcomes]),
            ).run()


def _options(asked: Overrides) -> list[str]:
    """What the command line changed, as it is given to the command of a point."""
    base = [] if asked.base is None else ["--base", asked.base]
    return [*base, *(f"--set={item.origin.removeprefix('--set ')}" for item in asked.values)]


def _plain(sweep: Sweep, asked: Overrides) -> list[Any]:
    """What makes it another sweep, as JSON has it."""
    leaves = [[".".join(place), dict(leaf)] for place, leaf in sweep.leaves.items()]
    return [leaves, asked.switch and asked.switch[0], [[item.key, item.value] for item in asked.values]]


def _line(outcome: PointEntry) -> PointLine:
    state, took = outcome.state, outcome.seconds
    return PointLine(outcome.number, outcome.label, state, outcome.value, took, outcome.error)


def _views(outcomes: Sequence[PointEntry], root: Path) -> list[RunView]:
    """The finished runs of all points, each once."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.runs)
    return [open_run(root / name) for name in names if (root / name / SUMMARY).is_file()]


def _verdict(outcomes: Sequence[PointEntry], args: argparse.Namespace) -> int:
    """Exit code: 1 when a point failed, which is told with the command that tries it again."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if not failed:
        return 0
    for outcome in failed:
        print(f"harness: point {outcome.number + 1} {outcome.label}: {outcome.error}", file=sys.stderr)
    given_up = " and the sweep was given up (--max-failures)" if len(failed) >= args.max_failures else ""
    points = f"{len(failed)} point{' has' if len(failed) == 1 else 's have'}"
    again = f"the same command with --retry-failed tries {'it' if len(failed) == 1 else 'them'} again"
    print(f"harness: {points} failed{given_up}; {again}", file=sys.stderr)
    return 1


def _check_points(sweep: Sweep, found: Sequence[Point], asked: Overrides) -> list[Plan]:
    """The plans of the points; of a huge sweep only a few. Raises `SpecError` for one that cannot be run."""
    planned = []
    whole = CHECKED if len(found) <= CHECKED else SHOWN
    for number, point in enumerate(samples(sweep, found, CHECKED)):
        spec = _spec(sweep, point, asked)
        if number >= whole:
            continue
        made = plan(spec)
        planned.append(made)
        if sweep.metric is not None:
            check_metric(made, sweep.metric, str(sweep.path))
    return planned


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


def _spec(sweep: Sweep, point: Mapping[str, Any], asked: Overrides) -> ExperimentSpec:
    name = label(sweep, point)
    return files.resolve(point, f"{sweep.path} ({name})" if name else str(sweep.path), asked)


def _dry_run(args: argparse.Namespace, sweep: Sweep, found: Sequence[Point], asked: Overrides) -> int:
    shown = list(itertools.islice(found, len(found) if len(found) <= CHECKED else SHOWN))
    specs = [_spec(sweep, point, asked) for point in shown]
    previews = [preview(spec, args.runs) for spec in specs]
    if args.json:
        show_preview(list({_identity(line): line for lines in previews for line in lines}.values()), True)
        return 0
    print(f"{sweep.name}: {len(found):,} point{'' if len(found) == 1 else 's'}")
    told: set[tuple[str, ...]] = set()
    for point, lines in zip(shown, previews, strict=True):
        new = [line for line in lines if _identity(line) not in told]
        shared = len(lines) - len(new)
        again = f" ({shared} lines as above)" if shared else ""
        print(f"\n{label(sweep, point) or 'the only point'}{again}")
        if new:
            show_preview(new, False)
        told |= {_identity(line) for line in new}
    if len(shown) < len(found):
        print(f"\n... and {len(found) - len(shown):,} more, not planned yet")
    return 0


def _identity(line: Preview) -> tuple[str, ...]:
    """What makes two lines of a plan the same piece of work."""
    return (line.folder,) if line.folder else (line.name, line.why)


def _report(views: Sequence[RunView], sweep: Sweep, outcomes: Sequence[PointOutcome], as_json: bool) -> None:
    """The boards that these runs fit on, the comparisons that they ask for, and every point."""
    standings = [rank(board_of(name, views), views) for name in boards_for(views)]
    found = _comparisons(contrasts(views, _chosen(standings)))
    if as_json:
        comparisons = [
            {"title": title, **({"refused": result} if isinstance(result, str) else comparison_json(result))}
            for title, result in found
        ]
        boards = [standing_json(standing) for standing in standings]
        told = [dataclasses.asdict(point) for point in outcomes]
        chosen = best(sweep, outcomes)
        common.print_json(
            {
                "boards": boards,
                "comparisons": comparisons,
                "points": told,
                "best": None if chosen is None else chosen.label,
            }
        )
        return
    for standing in standings:
        show(standing_tables(standing))
    show_comparisons(found)
    print()
    show([points_table(sweep, outcomes)])
    if views:
        print(f"\nProblem by problem: {common.show_line(views[0])}")


def show_comparisons(found: Sequence[tuple[str, Comparison | str]]) -> None:
    """Under its title a sentence and the paired figures of each comparison, or why there is none."""
    for title, result in found:
        print(f"\n{title}")
        if isinstance(result, str):
            print(f"  {result}")
        else:
            print(f"  {headline(result)}")
            show([figures_table(result)])


def _comparisons(asked: Sequence[Contrast]) -> list[tuple[str, Comparison | str]]:
    """Each with its title; p-values are adjusted over all of them."""
    found = [(item.title, _compared(item)) for item in asked]
    adjusted = iter(adjust([result for _, result in found if not isinstance(result, str)]))
    return [(title, result if isinstance(result, str) else next(adjusted)) for title, result in found]


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
