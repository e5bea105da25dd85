"""`harness runs`: what is stored."""

from __future__ import annotations

import argparse

from harness.analysis.runs import load_runs
from harness.analysis.summary import scalars
from harness.analysis.tables import runs_table
from harness.commands import common
from harness.terminal.tables import show


def main(args: argparse.Namespace) -> int:
    """List every run with its figures, from the records alone."""
    views, broken = load_runs(args.runs)
    if args.json:
        common.print_json(
            [{"name": view.name, "spec": view.spec, "figures": scalars(view.summary)} for view in views]
        )
    elif views:
        show([runs_table(views)], plain=args.plain or None)
    elif not broken:
        print(f"no runs under {args.runs}; make one with `harness run` or `harness sweep`")
    return common.told_broken(broken)
