"""Checkpoints that were not made here: a plain Hugging Face folder, or a name on the hub, under our seal.

Weights are linked, not copied.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from harness import checkpoints
from harness.errors import StoreError, UserError
from harness.experiment.plan import Model
from harness.prompts import embedded
from harness.records.journal import FolderLock, make_folder
from harness.serving import hub
from harness.serving.weights import UNKNOWN

OTHER_PROMPTS = "none of this harness"
"""Prompt format of a model whose tokenizer cannot write the one that is used here."""
_KINDS: dict[str, checkpoints.Kind] = {"ForCausalLM": "generator", "ForSequenceClassification": "value"}


def adopt(source: Path, out: Path | None, parent: Path | None, copy: bool = False) -> checkpoints.Checkpoint:
    """Seal the model in `source`, there (`out` None) or in a new folder of links to, or copies of, its files.

    Raises `UserError` when it is no model, or sealed already, `StoreError` when nothing can be written.
    """
    kind, prompt_format = kind_of(source), _prompt_format(source)
    folder = source if out is None else _laid_out(source, out, copy)
    if (folder / checkpoints.SEAL).exists():
        raise UserError(f"{folder}: is a checkpoint already; delete its {checkpoints.SEAL} to adopt it anew")
    return checkpoints.seal(
        folder, kind, prompt_format=prompt_format, parent=parent, metrics={}, adopted=source
    )


def located(model: Model, root: Path) -> Path:
    """The folder of a checkpoint; one on the hub is fetched and adopted under `root` first.

    Raises `UserError` when it cannot be fetched.
    """
    folder = model.folder(root)
    if model.on_hub is not None:
        _fetch(*model.on_hub, folder)
    return folder


def ready(model: Model, root: Path) -> Path:
    """As `located`; raises `StoreError` too, when the stage that makes it left none."""
    folder = located(model, root)
    if model.stage is not None and not (folder / checkpoints.SEAL).is_file():
        raise StoreError(f"{folder}: no finished checkpoint; delete the folder and run again")
    return folder


def _fetch(name: str, commit: str, folder: Path) -> None:
    make_folder(folder.parent)
    with FolderLock(folder.with_name(f".{folder.name}.lock"), wait=True):
        if (folder / checkpoints.SEAL).is_file():
            return
        source = hub.snapshot(name, None if commit == UNKNOWN else commit, "generator.checkpoint")
        shutil.rmtree(folder, ignore_errors=True)
        adopt(source, folder, None)


def kind_of(source: Path) -> checkpoints.Kind:
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
