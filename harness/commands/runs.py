"""`harness runs`: what is stored, which of it, and what a live run does."""

from __future__ import annotations

import argparse
import fnmatch
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView, load_runs, open_run, resolve
from harness.analysis.summary import scalars
from harness.analysis.tables import runs_table, state
from harness.commands import common
from harness.errors import UserError
from harness.experiment.files import setting
from harness.records.folder import RECORDS
from harness.records.tail import Tail
from harness.terminal.streams import printable
from harness.terminal.tables import show
from harness.types import Record

LOOK_EVERY_S = 0.5


def main(args: argparse.Namespace) -> int:
    """List runs with their figures, from the records alone, or follow one."""
    if args.follow:
        return _follow(args)
    views, broken = load_runs(args.runs)
    wanted = chosen(views, args.patterns, args.where, args.state)
    if args.json:
        common.print_json(
            [{"name": view.name, "spec": view.spec, "figures": scalars(view.summary)} for view in wanted]
        )
    elif wanted:
        show([runs_table(wanted)], plain=args.plain or None)
    elif views:
        print(f"none of the {len(views)} runs under {args.runs} is what was asked for")
    elif not broken:
        print(f"no runs under {args.runs}; make one with `harness run` or `harness sweep`")
    return common.told_broken(broken)


def chosen(
    views: Sequence[RunView], patterns: Sequence[str], where: Sequence[str], wanted: str | None = None
) -> list[RunView]:
    """The runs that match one of the name patterns, every `key=value` of `where`, and the state.

    Raises UserError for a key that no run has.
    """
    pairs = [(item.key, item.value) for item in map(setting, where)]
    for key, _ in pairs:
        if views and all(view.get(key, _ABSENT) is _ABSENT for view in views):
            raise UserError(f"--where {key}: no run has this setting; spec.json of a run has its names")
    return [
        view
        for view in views
        if (not patterns or any(fnmatch.fnmatchcase(view.name, f"*{part}*") for part in patterns))
        and all(view.get(key, _ABSENT) == value for key, value in pairs)
        and wanted in (None, state(view.summary))
    ]


_ABSENT: Any = object()


def _follow(args: argparse.Namespace) -> int:
    """Print attempts as they are recorded, until none is owed any more or Ctrl-C."""
    if len(args.patterns) != 1:
        raise UserError("--follow: name the one run to follow: harness runs --follow RUN")
    run = open_run(resolve(args.runs, args.patterns[0]))
    owed = len(run.problems) * run.summary.samples
    done: set[tuple[str, str, int]] = set()
    tail = Tail(_records(run))
    while True:
        for record in tail.new():
            done.add(record.key)
            print(f"[{len(done)}/{owed}] {_told(record)}", flush=True)
        if len(done) >= owed:
            show([runs_table([open_run(run.folder or Path(run.name))])], plain=args.plain or None)
            return 0
        time.sleep(LOOK_EVERY_S)


def _told(record: Record) -> str:
    attempt, search = record.attempt, record.attempt.search
    spent = "" if search is None else f", {search.expanded} expansions"
    words = f"{record.problem_id} #{attempt.index} {record.verdict.status} ({record.verdict.reason}){spent}"
    return printable(words)


def _records(run: RunView) -> Path:
    assert run.folder is not None
    return run.folder / RECORDS
