"""Checkpoints, trajectories and record files as W&B artifacts, with what was made from what."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from harness.records.folder import PROBLEMS, PROVENANCE, RECORDS, SPEC, SUMMARY
from harness.records.journal import read_json
from harness.records.stages import STAGE
from harness.tracking.history import HistoryRow

UPLOADED_BYTES = 256 * 2**20
"""A larger folder stays where it is: the artifact then holds its path and what it was made from."""
RECORD_FILES = (SPEC, PROBLEMS, PROVENANCE, RECORDS, SUMMARY)
MODELS = ("generator", "value", "grpo", "expert_iteration")
"""Stages whose folder is a checkpoint."""


def link(wandb: Any, run: Any, row: HistoryRow, made: Collection[str]) -> None:
    """Tie the run to what the row ended: a stage that it made or used, or the records that it wrote.

    The same files again are the same version of an artifact, so doing this twice changes nothing.
    """
    if row.stage is not None:
        name, folder = row.stage
        if name in made or not _use(wandb, run, f"{folder.name}:latest"):
            run.log_artifact(_stage(wandb, folder))
    if row.run is not None:
        run.log_artifact(_records(wandb, row.run))


def _use(wandb: Any, run: Any, name: str) -> bool:
    """Whether the artifact is there; then it is an input of the run."""
    try:
        run.use_artifact(name)
    except (wandb.errors.CommError, ValueError):  # made by an experiment that W&B was not told of
        return False
    return True


def _stage(wandb: Any, folder: Path) -> Any:
    stored = read_json(folder / STAGE) or {}
    kind = str(stored.get("stage", ""))
    metadata = {key: stored.get(key) for key in ("stage", "digest", "inputs", "metrics")}
    artifact = wandb.Artifact(folder.name, "model" if kind in MODELS else kind or "stage", metadata=metadata)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if sum(path.stat().st_size for path in files) <= UPLOADED_BYTES:
        artifact.add_dir(str(folder))
    else:
        artifact.add_reference(folder.resolve().as_uri(), checksum=False)
    return artifact


def _records(wandb: Any, folder: Path) -> Any:
    artifact = wandb.Artifact(folder.name, "records")
    for name in RECORD_FILES:
        if (folder / name).is_file():
            artifact.add_file(str(folder / name), name)
    return artifact
