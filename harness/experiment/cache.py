"""Finished stages of training, each in a folder named by the digest of what it depends on.

How such a folder is laid out stands in `harness.records.stages`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.nested import digest
from harness.records import stages
from harness.records.journal import FolderLock, make_folder, write_json
from harness.records.provenance import now
from harness.records.stages import STAGE, partial


@dataclass(frozen=True, slots=True)
class StageKey:
    """What a stage is, and everything its result depends on."""

    stage: str
    """Kind of stage: `generator`, `trajectories`, `value`, `grpo`."""
    inputs: Mapping[str, Any]
    """Specs, digests of earlier stages, seeds: plain JSON or specs."""

    @property
    def digest(self) -> str:
        """12 hex digits."""
        return digest(dict(self.inputs))

    def folder(self, root: Path) -> Path:
        """Where the finished stage lies under the runs folder `root`."""
        return root / "stages" / f"{self.stage}-{self.digest}"


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished stage."""

    folder: Path
    metrics: Mapping[str, Any]
    """What making it reported; the same from the cache as when it was made."""
    seconds: float
    """What making it took, also when it came from the cache."""
    cached: bool


def finished(root: Path, key: StageKey) -> Stage | None:
    """The stage if it is complete, else None.

    Raises StoreError when its `stage.json` is broken, or is of another making than the files beside it.
    """
    folder = key.folder(root)
    stored = stages.facts(folder)
    if stored is None:
        return None
    stages.check_contents(folder, stored)
    return Stage(folder, stored["metrics"], float(stored["seconds"]), cached=True)


def build(root: Path, key: StageKey, make: Callable[[Path], Mapping[str, Any]]) -> Stage:
    """The stage from the cache, else made by `make(folder)`, which fills the folder and returns its metrics.

    Two processes that want the same stage make it once: the second waits. The folder takes its final name
    only when complete; until then `make` finds in it what a try that was killed left, and goes on from that.
    """
    folder = key.folder(root)
    there = finished(root, key)
    if there is not None:
        return there  # and nothing is written: the folder may be somebody else's
    make_folder(folder.parent)
    with FolderLock(folder.with_name(f".{folder.name}.lock"), wait=True):
        cached = finished(root, key)
        if cached is not None:
            return cached
        draft = partial(folder)
        make_folder(draft)
        started, start = now(), time.monotonic()
        metrics = dict(make(draft))
        seconds = round(time.monotonic() - start, 3)
        facts: dict[str, Any] = {
            "stage": key.stage,
            "digest": key.digest,
            "started_at": started,
            "seconds": seconds,
        }
        facts |= {"metrics": metrics, "inputs": _plain(key.inputs)}
        write_json(draft / STAGE, {**facts, stages.CONTENTS: stages.contents(draft)})
        try:
            # A folder of that name without `stage.json` is somebody's debris: `finished` refused it above.
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written: {error.strerror}") from None
    return Stage(folder, metrics, seconds, cached=False)


def _plain(inputs: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(inputs), default=lambda spec: spec.model_dump(mode="json")))
