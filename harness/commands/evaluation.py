"""`harness eval`: a checkpoint, or an experiment's own models, on a benchmark."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from harness.commands import common
from harness.commands.run import attempted_is_shown, report, show_preview
from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.conduct import Job, complete, preview_plan
from harness.experiment.evaluation import evaluations
from harness.experiment.files import Setting
from harness.experiment.plan import Plan, existing, plan
from harness.experiment.resources import gamma_of
from harness.experiment.spec import ExperimentSpec

DEFAULT_NAME = "eval"


def main(args: argparse.Namespace) -> int:
    """Lay the options over the experiment as its only evaluation, and measure it."""
    made = planned(args)
    wanted = evaluations(made)
    if args.dry_run:
        show_preview(preview_plan(made, wanted, args.runs), args.json)
        return 0
    with attempted_is_shown(args):
        report(complete(made, wanted, common.resources(args), Job("eval")), args)
    return 0


def planned(args: argparse.Namespace) -> Plan:
    """The plan that the options describe. Raises `UserError` naming the option or key that is wrong."""
    path = files.find(args.file)
    asked = common.overrides(args)
    spec = files.load(path, asked)
    changes = [
        *asked.values,
        Setting("evaluations", [_evaluation(args, spec)], "harness eval"),
        *_given(args),
    ]
    if args.generator is not None:
        origin = f"--generator {args.generator}"
        changes += [Setting("generator.checkpoint", args.generator, origin), Setting("rounds", 0, origin)]
    if args.value is not None:
        value = existing(args.value, kind="value")
        if not any("value.gamma" in item.keys for item in asked.values):
            gamma = gamma_of(value.folder(args.runs))
            changes.append(Setting("value.gamma", gamma, f"--value {args.value}"))
    made = plan(files.load(path, dataclasses.replace(asked, values=tuple(changes))))
    return made if args.value is None else dataclasses.replace(made, given_value=value)


def _evaluation(args: argparse.Namespace, spec: ExperimentSpec) -> dict[str, Any]:
    """The one evaluation before the options are laid over it: on the experiment's first problems."""
    first = spec.evaluations[0]
    problems = first.problems.model_dump(mode="json")
    if args.benchmark is not None and args.benchmark != problems["benchmark"]:
        problems = {"benchmark": args.benchmark, "split": args.split or _default_split(args.benchmark)}
    if args.split not in (None, problems["split"]):
        problems["limit"] = None  # it was meant for the other split
    samples = 1 if args.samples is None else args.samples  # 0 is for the spec to refuse
    return {
        "name": DEFAULT_NAME,
        "prover": {"kind": "best_first"},
        "k": sorted({1, samples}),
        "problems": problems,
    }


def _given(args: argparse.Namespace) -> list[Setting]:
    """The options about the evaluation that differ from their defaults, each with the key that it sets."""
    keys = {
        "name": "name",
        "prover": "prover.kind",
        "alpha": "prover.alpha",
        "samples": "samples",
        "k": "k",
        "benchmark": "problems.benchmark",
        "split": "problems.split",
        "limit": "problems.limit",
    }
    given = [(flag, getattr(args, flag)) for flag in keys]
    return [
        Setting(f"evaluations.0.{keys[flag]}", value, _typed(flag, value))
        for flag, value in given
        if value is not None and (flag, value) != ("name", DEFAULT_NAME)
    ]


def _typed(flag: str, value: Any) -> str:
    return " ".join(f"-k {k}" for k in value) if flag == "k" else f"--{flag} {value}"


def _default_split(benchmark: str) -> str:
    from harness.benchmarks.manifest import manifest

    try:
        found = manifest(benchmark)
    except SpecError as error:
        raise SpecError(f"--benchmark {benchmark}: {error}") from None
    return found.default_split or (sorted(found.splits)[0] if found.splits else "all")
