"""`harness doctor`: what is installed and reachable here."""

from __future__ import annotations

import argparse
import dataclasses

from harness.commands import common
from harness.doctor import examine


def main(args: argparse.Namespace) -> int:
    """Print every finding, and for what is not there what it would enable; 1 when something is wrong."""
    findings = examine(args.runs)
    wrong = [one for one in findings if one.state == "wrong"]
    if args.json:
        common.print_json([dataclasses.asdict(one) for one in findings])
        return 1 if wrong else 0
    marks = {"ok": "ok", "absent": "-", "wrong": "WRONG"}
    rows = [[one.section, one.name, marks[one.state], one.detail] for one in findings]
    print(common.table(("part", "name", "", "found"), rows))
    open_ends = [one for one in findings if one.state != "ok"]
    if open_ends:
        print("\nnot here, what for, and how to get it:")
    for one in open_ends:
        print(f"  {one.name}: {one.enables}\n    {one.fix}")
    return 1 if wrong else 0
