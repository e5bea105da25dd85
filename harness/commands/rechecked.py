"""Rechecked verdicts kept: a run of its own beside the one whose attempts they judge.

The records of a run are facts and stay as they are. The same attempts with another judge's verdicts have
another spec (service, level), so every reader takes them for what they are: boards rank apart what
rests on other evidence.
"""

from __future__ import annotations

import copy
import dataclasses
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView, summarize_run
from harness.audits.recheck import Rechecked
from harness.benchmarks.manifest import manifest
from harness.nested import digest
from harness.records import provenance
from harness.records.folder import SUMMARY
from harness.records.store import RunStore
from harness.spec import LeanSpec
from harness.types import Level, Status


@contextmanager
def opened(view: RunView, lean: LeanSpec, level: Level, root: Path) -> Iterator[RunStore]:
    """The run under `root` that shall hold other verdicts on the attempts of `view`.

    Nothing is left of one in which nothing was stored. Raises `StoreError` as `RunStore` does: before
    anything is judged, which may take hours.
    """
    spec = rechecked_spec(view.spec, lean, level)
    kept = copy.deepcopy(spec)
    del kept["evaluation"]["k"]
    folder = root / f"{view.name.rpartition('-')[0] or view.name}-{digest(kept)[:8]}"
    fresh = not folder.exists()
    try:
        with RunStore.create_or_resume(folder, spec, list(view.problems), _provenance(view)) as store:
            yield store
    finally:
        if fresh and not (folder / SUMMARY).exists():
            shutil.rmtree(folder, ignore_errors=True)


def keep(store: RunStore, rows: Sequence[Rechecked]) -> None:
    """Store `rows`. What is there of them already stays. Raises `StoreError` as `RunStore` does."""
    known = {record.key for record in store.each() if record.verdict.status is not Status.INFRA}
    store.append_many([row.new for row in rows if row.new.key not in known])
    store.finish(dataclasses.asdict(summarize_run(store.spec, store.problems, store.each())))


def rechecked_spec(spec: Mapping[str, Any], lean: LeanSpec, level: Level) -> dict[str, Any]:
    """The spec of a run with these attempts and other verdicts."""
    made: dict[str, Any] = copy.deepcopy(dict(spec))
    judge = {"service": lean.service, "project": lean.project, "level": level.value, "rechecked": True}
    compiled = {"judge": lean.judge} if lean.judge != "text" else {}
    return {**made, "lean": {**made.get("lean", {}), **judge, **compiled}}


def _provenance(view: RunView) -> dict[str, Any]:
    sources = provenance.Sources(
        benchmark=view.benchmark,
        benchmark_revision=manifest(view.benchmark).revision,
        problems=len(view.denominator),
    )
    return {**provenance.collect(sources), "rechecked": view.name}
