"""`harness train`: the training stages alone."""

from __future__ import annotations

import argparse

from harness.commands import common
from harness.commands.run import show_preview
from harness.experiment import files
from harness.experiment.conduct import Job, complete
from harness.experiment.plan import plan
from harness.experiment.preview import preview_plan


def main(args: argparse.Namespace) -> int:
    """Make every stage up to the last one of the kind asked for."""
    spec = files.load(files.find(args.file), common.overrides(args))
    made = plan(spec)
    only = None if args.stage == "all" else args.stage
    if args.dry_run:
        show_preview(preview_plan(made, [], args.runs, only), args.json)
        return 0
    stages_done = complete(made, [], common.resources(args), Job("train", only=only)).stages
    if args.json:
        common.print_json(
            {
                name: {"folder": str(stage.folder), "cached": stage.cached, "metrics": dict(stage.metrics)}
                for name, stage in stages_done.items()
            }
        )
        return 0
    for name, stage in stages_done.items():
        figures = ", ".join(
            f"{key} {value:.4g}" for key, value in stage.metrics.items() if isinstance(value, int | float)
        )
        print(f"{name}: {stage.folder}\n  {figures}")
    return 0
