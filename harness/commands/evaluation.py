"""`harness eval`: a checkpoint, or an experiment's own models, on a benchmark."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from harness import experiments
from harness.campaign import Job, complete, preview_plan
from harness.commands import common
from harness.commands.run import report, show_preview
from harness.evaluate import cells
from harness.spec import ExperimentSpec, override
from harness.stages import Plan, existing, plan
from harness.workshop import gamma_of


def main(args: argparse.Namespace) -> int:
    """Lay the options over the experiment as its only evaluation, and measure it."""
    made = planned(args)
    wanted = cells(made)
    if args.dry_run:
        show_preview(preview_plan(made, wanted, args.runs), args.json)
        return 0
    report(complete(made, wanted, common.workshop(args), Job("eval")), args)
    return 0


def planned(args: argparse.Namespace) -> Plan:
    """The plan that the options describe. Raises `UserError` naming the option or key that is wrong."""
    path = experiments.find(args.file)
    asked = common.overrides(args)
    spec = experiments.load(path, asked)
    changes: list[tuple[str, Any]] = [*asked.values, ("evaluations", [_evaluation(args, spec)])]
    if args.generator is not None:
        changes += [("generator.checkpoint", args.generator), ("rounds", 0)]
    if args.value is not None:
        value = existing(args.value, kind="value")
        named = {key for key, _ in asked.values}
        if "value.gamma" not in named:
            changes.append(("value.gamma", gamma_of(value.folder(args.runs))))
    made = plan(experiments.load(path, dataclasses.replace(asked, values=tuple(changes))))
    return made if args.value is None else dataclasses.replace(made, given_value=value)


def _evaluation(args: argparse.Namespace, spec: ExperimentSpec) -> dict[str, Any]:
    """The one evaluation: what the options say, else what the experiment's first evaluation says."""
    first = spec.evaluations[0]
    problems = first.problems.model_dump(mode="json")
    if args.benchmark is not None and args.benchmark != problems["benchmark"]:
        problems = {"benchmark": args.benchmark, "split": _default_split(args.benchmark)}
    if args.split not in (None, problems["split"]):
        problems["limit"] = None  # it was meant for the other split
    for key in ("split", "limit"):
        if getattr(args, key) is not None:
            problems = override(problems, key, getattr(args, key))
    samples = 1 if args.samples is None else args.samples  # 0 is for the spec to refuse
    return {
        "name": args.name,
        "prover": args.prover or "best_first",
        "alpha": args.alpha,
        "samples": samples,
        "k": args.k or sorted({1, samples}),
        "problems": problems,
    }


def _default_split(benchmark: str) -> str:
    from harness.benchmarks import manifest

    found = manifest(benchmark)
    return found.default_split or (sorted(found.splits)[0] if found.splits else "all")
