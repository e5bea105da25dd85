"""Checkpoints: Hugging Face folders with a `checkpoint.json` that is written last.

The file says what the folder holds (a generator or a value model), what it was trained from and with which
prompt format, and its presence says that the folder is complete: a training that was killed leaves none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import StoreError, UserError

Kind = Literal["generator", "value"]

SEAL = "checkpoint.json"
_NEEDED = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `checkpoint.json` says."""

    kind: Kind
    prompt_format: str
    """Identifier of the prompt format that it was trained with, see `harness.prompts.embedded`."""
    parent: str | None
    """SHA-256 of the weights that training started from; None for weights made at run time."""
    weights: str
    """SHA-256 of `model.safetensors`."""
    metrics: Mapping[str, float | None]
    """What training reported at its end."""


def seal(
    path: Path, kind: Kind, *, prompt_format: str, parent: Path | None, metrics: Mapping[str, float | None]
) -> Checkpoint:
    """Declare the folder `path` complete: check its files and write `checkpoint.json`, atomically and last.

    Raises `StoreError` when the folder cannot be written or lacks a file.
    """
    missing = [name for name in _NEEDED if not (path / name).is_file()]
    if missing:
        raise StoreError(f"{path}: checkpoint lacks {', '.join(missing)}; it cannot be completed")
    checkpoint = Checkpoint(
        kind=kind,
        prompt_format=prompt_format,
        parent=None if parent is None else read(parent).weights,
        weights=_sha256(path / "model.safetensors"),
        metrics=dict(metrics),
    )
    text = json.dumps(dataclasses.asdict(checkpoint), indent=1, sort_keys=True)
    partial = path / f"{SEAL}.partial"
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(path / SEAL)
    except OSError as cause:
        raise StoreError(f"{path / SEAL}: cannot be written: {cause.strerror}") from cause
    return checkpoint


def read(path: Path, kind: Kind | None = None) -> Checkpoint:
    """What the checkpoint at `path` is.

    Raises `UserError` when it is missing, incomplete, malformed or, with `kind` given, of the other kind.
    """
    again = "train it again, or name another folder"
    if not path.is_dir():
        raise UserError(f"{path}: no such checkpoint folder; {again}")
    missing = [name for name in (*_NEEDED, SEAL) if not (path / name).is_file()]
    if missing:
        raise UserError(f"{path}: incomplete checkpoint, {', '.join(missing)} missing; {again}")
    try:
        data: dict[str, Any] = json.loads((path / SEAL).read_text(encoding="utf-8"))
        checkpoint = Checkpoint(**data)
    except (OSError, ValueError, TypeError) as cause:
        raise UserError(f"{path / SEAL}: not a checkpoint description ({cause}); {again}") from cause
    if kind is not None and checkpoint.kind != kind:
        raise UserError(
            f"{path}: holds a {checkpoint.kind} model where a {kind} is needed; name another folder"
        )
    return checkpoint


def intact(path: Path, kind: Kind) -> Checkpoint:
    """`read`, for whoever loads the weights: they must be those that were sealed.

    Raises `UserError` too when they are damaged or were replaced: runs would be told as another model's.
    """
    checkpoint = read(path, kind)
    if _sha256(path / "model.safetensors") != checkpoint.weights:
        raise UserError(
            f"{path / 'model.safetensors'}: not the weights that {SEAL} names (damaged or replaced); "
            "delete the folder and train it again, or name another"
        )
    return checkpoint


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
