"""Checkpoints: Hugging Face folders with a `checkpoint.json` that is written last.

The file says what the folder holds (a generator or a value model), what it was trained from and with which
prompt format, and its presence says that the folder is complete: a training that was killed leaves none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness import files
from harness.errors import StoreError, UserError

Kind = Literal["generator", "value"]

SEAL = "checkpoint.json"
_NEEDED = ("config.json", "tokenizer.json")
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
"""Of a large model instead: which of several files holds which tensor."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `checkpoint.json` says."""

    kind: Kind
    prompt_format: str
    """Identifier of the prompt format that it was trained with, see `harness.prompts.embedded`."""
    parent: str | None
    """SHA-256 of the weights that training started from; None for weights made at run time."""
    weights: str
    """SHA-256 of `model.safetensors`, or of its shards' names and hashes."""
    metrics: Mapping[str, float | None]
    """What training reported at its end."""
    adopted: str | None = None
    """The folder that it was adopted from; None for one that was trained here."""


def seal(
    path: Path,
    kind: Kind,
    *,
    prompt_format: str,
    parent: Path | None,
    metrics: Mapping[str, float | None],
    adopted: Path | None = None,
) -> Checkpoint:
    """Declare the folder `path` complete: check its files and write `checkpoint.json`, atomically and last.

    Raises `StoreError` when the folder cannot be written or lacks a file.
    """
    missing = lacking(path)
    if missing:
        raise StoreError(f"{path}: checkpoint lacks {', '.join(missing)}; it cannot be completed")
    checkpoint = Checkpoint(
        kind=kind,
        prompt_format=prompt_format,
        parent=None if parent is None else _weights_of(parent),
        weights=weights_hash(path),
        metrics=dict(metrics),
        adopted=None if adopted is None else str(adopted),
    )
    told = {key: value for key, value in dataclasses.asdict(checkpoint).items() if key != "adopted" or value}
    text = json.dumps(told, indent=1, sort_keys=True)
    try:
        files.replace(path / SEAL, text + "\n")
    except OSError as cause:
        raise StoreError(f"{path / SEAL}: cannot be written: {cause.strerror}") from cause
    return checkpoint


def _weights_of(parent: Path) -> str:
    """SHA-256 of the weights of a checkpoint, or of a plain folder of Hugging Face's."""
    return read(parent).weights if (parent / SEAL).is_file() else weights_hash(parent)


def read(path: Path, kind: Kind | None = None) -> Checkpoint:
    """What the checkpoint at `path` is.

    Raises `UserError` when it is missing, incomplete, malformed or, with `kind` given, of the other kind.
    """
    again = "train it again, or name another folder"
    if not path.is_dir():
        raise UserError(f"{path}: no such checkpoint folder; {again}")
    missing = _missing(path, (*_NEEDED, SEAL))
    if missing:
        plain = (
            " (a plain Hugging Face folder has none: nothing says which prompts its model was trained on);"
            f" if it is one: harness adopt {path}"
        )
        raise UserError(
            f"{path}: incomplete checkpoint, {', '.join(missing)} missing"
            f"{plain if missing == [SEAL] else ''}; {again}"
        )
    try:
        checkpoint = Checkpoint(**json.loads((path / SEAL).read_text(encoding="utf-8")))
        if not all(isinstance(text, str) for text in (checkpoint.weights, checkpoint.prompt_format)):
            raise TypeError("weights and prompt_format are texts")
    except (OSError, ValueError, TypeError, RecursionError) as cause:
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
    if weights_hash(path) != checkpoint.weights:
        raise UserError(
            f"{path / _WEIGHTS}: not the weights that {SEAL} names (damaged or replaced); "
            "delete the folder and train it again, or name another"
        )
    return checkpoint


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights, in order of their names, whether or not they are there."""
    try:
        index = json.loads((path / _INDEX).read_text(encoding="utf-8"))
        return [path / name for name in sorted(set(index["weight_map"].values()))]
    except FileNotFoundError:
        return [path / _WEIGHTS]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as cause:
        raise UserError(f"{path / _INDEX}: not an index of weights ({cause}); name another folder") from cause


def weights(path: Path) -> dict[str, Any]:
    """Every tensor of the model by its name."""
    from safetensors.torch import load_file

    return {name: tensor for file in weight_files(path) for name, tensor in load_file(str(file)).items()}


def weights_hash(path: Path) -> str:
    """SHA-256 of `model.safetensors`, or of its shards' names and hashes."""
    files = weight_files(path)
    if len(files) == 1 and files[0].name == _WEIGHTS:
        return _sha256(files[0])
    named = "\n".join(f"{file.name} {_sha256(file)}" for file in files)
    return hashlib.sha256(named.encode()).hexdigest()


def lacking(path: Path) -> list[str]:
    """The files that a model's folder needs and `path` lacks, the seal apart."""
    return _missing(path, _NEEDED)


def _missing(path: Path, names: Sequence[str]) -> list[str]:
    shards = [file.name for file in weight_files(path)]
    return [name for name in (*names, *shards) if not (path / name).is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
