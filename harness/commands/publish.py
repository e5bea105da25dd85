"""`harness publish`: stored runs to W&B, after work without a network, an outage or a crash."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from harness import extras
from harness.commands import common
from harness.errors import UserError
from harness.nested import nearest
from harness.tracking import point as points
from harness.tracking.point import Point
from harness.tracking.publishing import Publication, Target, publish
from harness.tracking.spool import logged_in


def main(args: argparse.Namespace) -> int:
    """Send each run that is named; 1 when W&B lacks something of one of them afterwards."""
    extras.need("wandb")
    common.need(logged_in(os.environ), "W&B: no key is at hand; set WANDB_API_KEY, or call `wandb login`")
    common.need(args.timeout > 0, f"--timeout {args.timeout:g}: must be above 0 seconds")
    found = [point for name in args.names for point in _named(args.runs, name)]
    target = Target(args.project, args.entity, args.timeout)
    done = [publish(point, target) for point in {point.folder: point for point in found}.values()]
    if args.json:
        common.print_json([dataclasses.asdict(item) for item in done])
    else:
        for item in done:
            _say(item)
    return 0 if all(item.sent for item in done) else 1


def _named(root: Path, name: str) -> list[Point]:
    """What `name` means. Raises `UserError` when that is nothing."""
    name = Path(name).name if Path(name).is_dir() else name
    found = points.named(root, name)
    if found:
        return found
    paths = [*points.tracking(root).glob(f"*/{points.POINT}"), *root.glob("*/spec.json")]
    raise UserError(f"{name}: no such run in {root}{nearest(name, [path.parent.name for path in paths])}")


def _say(item: Publication) -> None:
    if item.sent:
        print(f"{item.name}: {item.url}{'' if item.complete else ' (the experiment is not finished)'}")
    else:
        print(f"harness: {item.name}: {item.why}", file=sys.stderr)
