"""Checkpoints as sides of a comparison: measured in turn under the same seeds and budget, then read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness import checkpoints
from harness.analysis.runs import RunView
from harness.commands import common
from harness.commands.evaluation import DEFAULT_NAME, planned
from harness.commands.run import show_preview
from harness.errors import UserError
from harness.experiment.adoption import OTHER_PROMPTS
from harness.experiment.conduct import complete_together
from harness.experiment.evaluation import Evaluation, evaluations
from harness.experiment.plan import ADOPTED, Plan
from harness.experiment.preview import preview_plan
from harness.paths import expanded
from harness.records.folder import SPEC

ABOUT_CHECKPOINTS = (
    *("file", "prompt", "generator", "value", "benchmark", "split", "limit", "prover", "alpha", "samples"),
    *("repairs", "lean", "base", "settings", "dry_run"),
)
"""Options that say how checkpoints are measured, and nothing of stored runs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights that is one side."""

    text: str
    """As it was named."""
    folder: Path
    kind: Literal["generator", "value", "plain"]
    """`plain`: a Hugging Face folder, or one adopted whose tokenizer has none of the prompts used here."""


def weights(root: Path, text: str) -> Weights | None:
    """The checkpoint that `text` names, by its folder, a stage of training or an adopted name; None for none.

    Raises `UserError` for an incomplete one.
    """
    stages = root / "stages"
    beginning = [path for path in stages.glob("*") if text and path.name.startswith(text)]
    for folder in (
        expanded(text),
        root / ADOPTED / text,
        stages / text,
        *(beginning[:1] * (len(beginning) == 1)),
    ):
        if not folder.is_dir() or (folder / SPEC).is_file():
            continue
        if (folder / checkpoints.SEAL).is_file():
            found = checkpoints.read(folder)
            return Weights(text, folder, "plain" if found.prompt_format == OTHER_PROMPTS else found.kind)
        if (folder / "config.json").is_file():
            return Weights(text, folder, "plain")
    return None


def measured(args: argparse.Namespace, sides: Sequence[Weights]) -> list[RunView] | None:
    """The run of each side, made now where it is owed. None after a dry run, which shows what is owed."""
    wanted = [_planned(args, side) for side in sides]
    known: dict[Path, str] = {}
    for side, (_, evaluation) in zip(sides, wanted, strict=True):
        folder = evaluation.folder(args.runs)
        other = known.get(folder)
        common.need(other is None, f"{other} and {side.text} hold the same weights: nothing to compare")
        known[folder] = side.text
    if args.dry_run:
        lines = [line for made, item in wanted for line in preview_plan(made, [item], args.runs)]
        show_preview(lines, args.json)
        return None
    return [one.view for one in complete_together(wanted, common.resources(args))]


def refuse_options(args: argparse.Namespace) -> None:
    """Raise `UserError` for options that mean nothing where the sides are runs."""
    for name in ABOUT_CHECKPOINTS:
        flag = {"file": "experiment", "settings": "set", "dry_run": "dry-run"}.get(name, name)
        common.need(
            not getattr(args, name),
            f"--{flag}: says how checkpoints are measured, and the sides are stored runs",
        )


def _planned(args: argparse.Namespace, side: Weights) -> tuple[Plan, Evaluation]:
    given: dict[str, Any] = {
        "name": DEFAULT_NAME,
        "model": None,
        "server": [],
        "revision": None,
        "prover": _prover(args, side),
    }
    if side.kind == "plain":
        if args.prompt is None:
            raise UserError(
                f"{side.text}: a plain folder needs --prompt FAMILY; `harness prompts` lists them"
            )
        given["model"] = str(side.folder)
    else:
        given |= {"prompt": None, side.kind: str(side.folder)}
        if side.kind == "value":
            common.need(
                args.generator is not None,
                f"{side.text}: a value model guides one generator; add --generator",
            )
            common.need(args.value is None, "--value: the sides are value models themselves")
        else:
            common.need(args.generator is None, "--generator: the sides are generators themselves")
    made = planned(argparse.Namespace(**{**vars(args), **given}))
    [evaluation] = evaluations(made)
    return made, evaluation


def _prover(args: argparse.Namespace, side: Weights) -> str | None:
    """Searches where something of them was said, else whole proofs; None: what a prompt family writes."""
    if args.prover is not None or side.kind == "plain":
        return args.prover
    searches = side.kind == "value" or args.value is not None or args.alpha is not None
    return "best_first" if searches else "whole_proof"
