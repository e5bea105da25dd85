"""What a stage of training leaves in its folder, for everyone who reads it.

runs/stages/<stage>-<digest>/           complete: `stage.json` stands in it
runs/stages/<stage>-<digest>.partial/   being made, or left by a failure; never used

`stage.json` also names the hash of every other small file of the folder (weights are named by their own
`checkpoint.json`), so that files of two makings, copied over each other, are not taken for one.

Either may hold `curve.jsonl`, the learning curve: one line of figures for each step that was noted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.records.journal import read_json, read_rows, replace_rows

STAGE = "stage.json"
CURVE = "curve.jsonl"
CONTENTS = "contents"
"""Key of `stage.json`: name to SHA-256 of each file beside it, weights apart; absent in older stages."""
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def facts(folder: Path) -> Mapping[str, Any] | None:
    """What `stage.json` says; None until the stage is complete. Raises StoreError when it is broken."""
    stored = read_json(folder / STAGE)
    if stored is None:
        return None
    try:
        if isinstance(stored["metrics"], dict) and float(stored["seconds"]) >= 0:
            return dict(stored)
    except (KeyError, TypeError, ValueError):
        pass
    raise StoreError(f"{folder / STAGE}: not a stage; delete the folder and run again")


def contents(folder: Path) -> dict[str, str]:
    """Name and SHA-256 of the files of a stage's folder, weights and `stage.json` itself apart."""
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix not in _WEIGHTS]
    return {path.name: _hash_of(path) for path in sorted(files) if path.name != STAGE}


def check_contents(folder: Path, stored: Mapping[str, Any]) -> None:
    """Raise `StoreError` where a file of the stage is not the one that its `stage.json` (`stored`) was
    written beside. What is missing is not missed: whoever needs it says so."""
    for name, hashed in stored.get(CONTENTS, {}).items():
        if (folder / name).is_file() and _hash_of(folder / name) != hashed:
            raise StoreError(
                f"{folder / name}: not the file that {STAGE} was written beside (runs of two machines copied "
                "over each other?); copy the whole folder again, or delete it and run again"
            )


def _hash_of(path: Path) -> str:
    status = path.stat()
    return _hash(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _hash(path: Path, _size: int, _changed: int) -> str:
    """Asked for every stage at every point of a sweep."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def partial(folder: Path) -> Path:
    """Where the stage `folder` is made before it is complete."""
    return folder.with_name(f"{folder.name}.partial")


def curve(folder: Path) -> list[Mapping[str, Any]]:
    """The learning curve so far, by step; empty where there is none. Raises StoreError for a broken line."""
    place = folder if (folder / STAGE).exists() else partial(folder)
    return [row for _, row in read_rows(place / CURVE)]


def back_to(path: Path, step: int) -> int:
    """Drop what the curve at `path` says of `step` and later, which are made again; the last step left, or 0.

    Raises StoreError when the file cannot be read or written.
    """
    rows = [row for _, row in read_rows(path) if row["step"] < step]
    replace_rows(path, rows)
    return int(rows[-1]["step"]) if rows else 0
