"""`harness run`: one experiment, or one point of a sweep."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.analysis.summary import scalars
from harness.analysis.tables import runs_table
from harness.commands import common
from harness.experiment import files
from harness.experiment.conduct import Finished, Job, conduct
from harness.experiment.measure import Unpublished, Unstated
from harness.experiment.preview import Preview, preview
from harness.terminal.tables import show


def main(args: argparse.Namespace) -> int:
    """Run the experiment, or show with `--dry-run` what it would do."""
    spec = files.load(files.find(args.file), common.overrides(args))
    if args.dry_run:
        show_preview(preview(spec, args.runs), args.json)
        return 0
    job = Job("sweep" if args.group else "run", args.group, args.title)
    with attempted_is_shown(args):
        resources = common.resources(args)
        resources.wait = args.wait
        report(conduct(spec, resources, job), args)
    return 0


@contextmanager
def attempted_is_shown(args: argparse.Namespace) -> Iterator[None]:
    """A run without a row is shown all the same, as far as it went, before the line that says why."""
    try:
        yield
    except (Unpublished, Unstated) as refusal:
        if not args.json:
            show([runs_table([refusal.view])], plain=args.plain or None)
        raise


def show_preview(lines: Sequence[Preview], as_json: bool) -> None:
    """A dry run for people or for programs."""
    if as_json:
        common.print_json([dataclasses.asdict(line) for line in lines])
        return
    rows = [[line.name, line.state, line.folder, line.why] for line in lines]
    print(common.table(("stage", "state", "folder", "why"), rows))


def report(finished: Finished, args: argparse.Namespace) -> None:
    """The figures of an experiment for people or for programs."""
    if args.json:
        common.print_json(
            {
                "stages": {
                    name: {
                        "folder": str(stage.folder),
                        "cached": stage.cached,
                        "seconds": stage.seconds,
                        "metrics": dict(stage.metrics),
                    }
                    for name, stage in finished.stages.items()
                },
                "runs": {item.view.name: scalars(item.view.summary) for item in finished.measured},
            }
        )
        return
    show([runs_table([item.view for item in finished.measured])], plain=args.plain or None)
    for item in finished.measured[:1]:
        print(f"Problem by problem: {common.show_line(item.view)}")
