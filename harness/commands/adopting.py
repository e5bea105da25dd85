"""`harness adopt`: a plain Hugging Face folder becomes a checkpoint that experiments can name."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from harness import checkpoints
from harness.commands import common
from harness.errors import StoreError, UserError
from harness.paths import expanded
from harness.prompts import embedded
from harness.records.journal import make_folder

ADOPTED = "checkpoints"
"""Folder under the runs folder that holds those adopted under a name."""
OTHER_PROMPTS = "none of this harness"
"""Prompt format of a model whose tokenizer cannot write the one that is used here."""
_KINDS: dict[str, checkpoints.Kind] = {"ForCausalLM": "generator", "ForSequenceClassification": "value"}


def main(args: argparse.Namespace) -> int:
    """Write `checkpoint.json` into DIR, or with `--as` into a folder of links to (copies of) its files."""
    common.need(args.name is not None or not args.copy, "adopt: --copy needs --as NAME")
    common.need(args.name is None or Path(args.name).name == args.name, f"--as {args.name}: no plain name")
    source = expanded(args.folder).resolve()
    kind, prompt_format = _kind(source), _prompt_format(source)
    parent = None if args.parent is None else expanded(args.parent)
    if parent is not None:
        checkpoints.read(parent)
    out = source if args.name is None else _laid_out(source, args.runs / ADOPTED / args.name, args.copy)
    if (out / checkpoints.SEAL).exists():
        raise UserError(f"{out}: is a checkpoint already; delete its {checkpoints.SEAL} to adopt it anew")
    made = checkpoints.seal(out, kind, prompt_format=prompt_format, parent=parent, metrics={}, adopted=source)
    if args.json:
        common.print_json({"folder": str(out), **dataclasses.asdict(made)})
        return 0
    print(f"{out}: a {kind} checkpoint, weights {made.weights[:12]}")
    if prompt_format == OTHER_PROMPTS:
        print(
            "its tokenizer lacks the tokens of the prompts used here: programs of the node can train it; to"
            " measure it name it as policy: {kind: transformers, model: DIR, prompt: FAMILY}"
        )
    return 0


def _kind(source: Path) -> checkpoints.Kind:
    """What the folder holds. Raises `UserError` when it is none, or lacks a file."""
    if not source.is_dir():
        raise UserError(f"{source}: no such folder")
    lacking = checkpoints.lacking(source)
    if lacking:
        raise UserError(f"{source}: lacks {', '.join(lacking)}; save the model and its fast tokenizer there")
    found = _json(source / "config.json").get("architectures") or ["none"]
    for ending, kind in _KINDS.items():
        if str(found[0]).endswith(ending):
            return kind
    raise UserError(
        f"{source / 'config.json'}: architectures: {found[0]} is neither a causal model (generator) nor a"
        " sequence classifier (value)"
    )


def _prompt_format(source: Path) -> str:
    """The harness's own where the tokenizer has its tokens at their places."""
    added = _json(source / "tokenizer.json").get("added_tokens", [])
    places = {token.get("content"): token.get("id") for token in added}
    fits = all(places.get(token) == place for place, token in enumerate(embedded.SPECIAL_TOKENS))
    return embedded.FORMAT if fits else OTHER_PROMPTS


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise UserError(f"{path}: cannot be read ({cause}); save the model again") from cause
    if not isinstance(found, dict):
        raise UserError(f"{path}: not an object; save the model again")
    return found


def _laid_out(source: Path, out: Path, copy: bool) -> Path:
    """`out` with the files of `source`; a `checkpoint.json` there is not taken along."""
    if out.exists():
        raise UserError(f"{out}: exists; name another with --as, or delete it")
    make_folder(out)
    try:
        for file in sorted(source.iterdir()):
            if file.is_file() and file.name != checkpoints.SEAL:
                if copy:
                    shutil.copyfile(file, out / file.name)
                else:
                    (out / file.name).symlink_to(file)
    except OSError as cause:
        raise StoreError(f"{out}: cannot be written: {cause.strerror}") from cause
    return out
