"""`harness eval`: a checkpoint, or an experiment's own models, on a benchmark."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from harness.commands import common
from harness.commands.judges import lean_spec
from harness.commands.run import attempted_is_shown, report, show_preview
from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.conduct import Job, complete
from harness.experiment.evaluation import evaluations
from harness.experiment.files import Setting
from harness.experiment.plan import Plan, existing, plan
from harness.experiment.preview import preview_plan
from harness.experiment.resources import gamma_of
from harness.experiment.spec import ExperimentSpec
from harness.prompts.family import Family
from harness.prompts.registry import family

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
    path = files.find(args.file or ("base/embedded" if args.model is None else "base/served"))
    asked = common.overrides(args)
    asked = dataclasses.replace(asked, values=(*outside_model(args), *lean_settings(args), *asked.values))
    # What --set says of evaluations is meant for the one that is made here.
    of_it = [item for item in asked.values if item.key.split(".")[0] == "evaluations"]
    others = [item for item in asked.values if item not in of_it]
    spec = files.load(path, dataclasses.replace(asked, values=tuple(others)))
    made_here = Setting("evaluations", [_evaluation(args, spec)], "harness eval")
    changes = [*others, made_here, *_given(args), *of_it]
    if args.generator is not None:
        origin = f"--generator {args.generator}"
        changes += [Setting("generator.checkpoint", args.generator, origin), Setting("rounds", 0, origin)]
    if args.value is not None:
        value = existing(args.value, kind="value")
        if not any("value.gamma" in item.keys for item in asked.values):
            changes += value_gamma(args)
    made = plan(files.load(path, dataclasses.replace(asked, values=tuple(changes))))
    return made if args.value is None else dataclasses.replace(made, given_value=value)


def value_gamma(args: argparse.Namespace) -> list[Setting]:
    """The gamma that the model of `--value` was trained with."""
    if args.value is None:
        return []
    gamma = gamma_of(existing(args.value, kind="value").folder(args.runs))
    return [Setting("value.gamma", gamma, f"--value {args.value}")]


def outside_model(args: argparse.Namespace) -> list[Setting]:
    """`--model` and what goes with it; without FILE its family's published decoding settings too."""
    if args.model is None:
        for flag in ("server", "prompt", "revision"):
            common.need(not getattr(args, flag), f"--{flag}: says something of a model; add --model NAME")
        return []
    common.need(args.prompt is not None, "--model: needs --prompt FAMILY; `harness prompts` lists them")
    common.need(args.generator is None, "--generator: is instead of --model; give one of them")
    asked = family(args.prompt)
    policy = {"model": args.model, "revision": args.revision, "prompt": asked.name}
    where = {"kind": "server", "urls": args.server} if args.server else {"kind": "transformers"}
    given = [
        Setting("policy", None, f"--model {args.model}"),
        Setting("policy", where | policy, f"--model {args.model}"),
        Setting("rounds", 0, f"--model {args.model}"),
    ]
    return given if args.file is not None else [*given, *_advice(asked)]


def _advice(asked: Family) -> list[Setting]:
    """How the authors decode; any --set wins over it."""
    section, limit = ("whole_proof", "max_new_tokens")
    if writes(asked) == "best_first":
        section, limit = ("search.decode", "max_tactic_tokens")
    advice = asked.advice
    told = {"temperature": advice.temperature, "top_p": advice.top_p, limit: advice.max_tokens}
    return [Setting(f"{section}.{key}", value, f"--prompt {asked.name}") for key, value in told.items()]


def writes(asked: Family) -> str:
    """The prover for what a family writes: whole proofs where it can."""
    return "whole_proof" if asked.proof or asked.proof_at else "best_first"


def lean_settings(args: argparse.Namespace) -> list[Setting]:
    """`--lean` and what goes with it, instead of the experiment's service."""
    if args.lean is None:
        for flag, given in (("url", args.url), ("project", args.project)):
            common.need(not given, f"--{flag}: says where Lean is; add --lean")
        return []
    spec = lean_spec(args)
    given = {"service": spec.service, "project": spec.project, "urls": list(spec.urls)}
    given |= {"workers": spec.workers} if args.workers > 1 else {}
    return [Setting(f"lean.{key}", value, f"--lean {args.lean}") for key, value in given.items()]


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
        "prover": {"kind": "best_first" if spec.policy is None else writes(family(spec.policy.prompt))},
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
        "repairs": "prover.repairs",
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
