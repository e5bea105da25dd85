"""`harness adopt`: a plain Hugging Face folder becomes a checkpoint that experiments can name."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from harness import checkpoints
from harness.commands import common
from harness.experiment.adoption import OTHER_PROMPTS, adopt, kind_of
from harness.experiment.plan import ADOPTED
from harness.paths import expanded


def main(args: argparse.Namespace) -> int:
    """Write `checkpoint.json` into DIR, or with `--as` into a folder of links to (copies of) its files."""
    common.need(args.name is not None or not args.copy, "adopt: --copy needs --as NAME")
    common.need(args.name is None or Path(args.name).name == args.name, f"--as {args.name}: no plain name")
    source = expanded(args.folder).resolve()
    kind_of(source)
    parent = None if args.parent is None else expanded(args.parent)
    if parent is not None:
        checkpoints.read(parent)
    out = None if args.name is None else args.runs / ADOPTED / args.name
    made = adopt(source, out, parent, args.copy)
    folder = out or source
    if args.json:
        common.print_json({"folder": str(folder), **dataclasses.asdict(made)})
        return 0
    print(f"{folder}: a {made.kind} checkpoint, weights {made.weights[:12]}")
    if made.prompt_format == OTHER_PROMPTS:
        print(
            "its tokenizer lacks the tokens of the prompts used here: as generator.checkpoint it needs a"
            " generator.prompt, the family that it was trained with; to measure it alone name it as policy:"
            " {kind: transformers, model: DIR, prompt: FAMILY}"
        )
    return 0
