"""An experiment as trackers see it, made by hand: one stage of training and two evaluations."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analysis.runs import summarize_run
from harness.records.stages import partial
from harness.records.store import RunStore
from harness.tracking.events import Event, RunFinished, RunStarted, StageFinished
from harness.tracking.point import Point, open_point, tracking
from harness.types import Record
from tests.making import record, refs, session, spec

STAGE = ("value", "stages/value-abc")
EVALUATIONS = (("search-test", "toy.search-test-1"), ("whole", "toy.whole-2"))
STARTED = RunStarted("toy", "toys", "run", {"search": {"alpha": 0.3}}, (STAGE,), EVALUATIONS, "v1-2-gabc")
ROWS = 3 + 1 + 2
"""Of the whole history: three points of the curve, the stage, two evaluations."""
EVENTS: list[Event] = [STARTED, StageFinished("value", "abc", False, 1.5), RunFinished(0)]


def folder(root: Path) -> Path:
    return tracking(root) / "toy-point"


def a_point(root: Path) -> Point:
    return open_point(folder(root), STARTED)


def train(root: Path, steps: int = 3, done: bool = True) -> Path:
    """Write a stage that made `steps` points of its curve, again from its beginning."""
    final = root / STAGE[1]
    if final.exists():
        return final
    draft = partial(final)
    draft.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"step": n, "loss": 1 / n, "bad": None}) + "\n" for n in range(1, steps + 1)]
    (draft / "curve.jsonl").write_text("".join(lines))
    if done:
        stage: dict[str, Any] = {"stage": "value", "digest": "abc", "seconds": 1.5, "inputs": {}}
        (draft / "weights").write_text("weights")
        (draft / "stage.json").write_text(json.dumps({**stage, "metrics": {"ece": 0.5, "note": "x"}}))
        shutil.move(draft, final)
    return final if done else draft


def records_of(count: int) -> list[Record]:
    return [record(f"p{i:03}", "proved" if i % 2 == 0 else "rejected") for i in range(count)]


def measure(root: Path, number: int, records: Sequence[Record], owed: int = 4, done: bool = True) -> Path:
    """Add records to an evaluation; `done` writes its summary."""
    name, where = EVALUATIONS[number]
    changes = {"evaluation.name": name, "evaluation.problems.revision": "91b9" * 16}
    code = session()
    code["code"]["describe"] = "v1-2-gabc"
    with RunStore.create_or_resume(root / where, spec(**changes), refs(owed), code) as store:
        there = {item.key for item in store.records}
        store.append_many([item for item in records if item.key not in there])
        if done:
            store.finish(dataclasses.asdict(summarize_run(store.spec, store.problems, store.records)))
    return root / where


def whole(root: Path) -> Point:
    """A finished experiment."""
    train(root)
    for number in (0, 1):
        measure(root, number, records_of(4))
    return a_point(root)
