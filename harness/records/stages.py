"""What a stage of training leaves in its folder, for everyone who reads it.

runs/stages/<stage>-<digest>/           complete: `stage.json` stands in it
runs/stages/<stage>-<digest>.partial/   being made, or left by a failure; never used

Either may hold `curve.jsonl`, the learning curve: one line of figures for each step that was noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.records.journal import read_json, read_rows, replace_rows

STAGE = "stage.json"
CURVE = "curve.jsonl"


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
