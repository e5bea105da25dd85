"""Records that need not be made: of a run that is complete, and of other runs whose every input is the same.

What a record depends on stands in `harness.records.inputs`. So a run that grows from 2 samples to 4, or goes
by another name, proves nothing twice.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView, find_runs, open_run
from harness.audits.canaries import is_canary
from harness.errors import UserError
from harness.nested import changed_keys
from harness.records.folder import SPEC
from harness.records.inputs import inputs_digest
from harness.records.ledger import Key
from harness.records.stamp import attempts_in
from harness.records.store import RunStore
from harness.strict_json import parse
from harness.types import ProblemRef, Record, Status


def complete_run(folder: Path, spec: Mapping[str, Any], problems: Sequence[ProblemRef]) -> RunView | None:
    """The run of this spec and these problems when nothing is owed to it and its figures are written.

    Only read: the folder may be another user's, or on a disk that cannot be written. None when there is
    something to do, also when other k are asked for than it reports. Raises `StoreError` when it is broken.
    """
    if not (folder / SPEC).is_file():
        return None
    view = open_run(folder)
    wanted = json.loads(json.dumps(dict(spec)))
    ks = wanted.get("evaluation", {}).pop("k", [])
    stored = copy.deepcopy(dict(view.spec))
    known = stored.get("evaluation", {}).pop("k", [])
    if changed_keys(stored, wanted) or not set(ks) <= set(known):
        return None
    keys = {problem.key for problem in problems}
    summary = view.stored()
    if summary is None or summary.canaries_proved or {problem.key for problem in view.problems} != keys:
        return None
    # The summary is of exactly these records and says how many they are: they need not be read.
    return view if attempts_in(folder) == len(keys) * summary.samples else None


def adopt(store: RunStore, root: Path, samples: int) -> dict[str, list[Record]]:
    """Store the owed records that other runs under `root` hold, and return them by the name of their run.

    Each run's sessions go into the provenance with them.
    """
    owed = {(*problem.key, index) for problem, index in store.owed(samples)}
    taken: dict[str, list[Record]] = {}
    for view, found in _held(owed, store.folder, store.spec, root):
        store.adopt(found, [{**session, "of_run": view.name} for session in view.sessions])
        taken[view.name] = found
    return taken


def reusable(owed: Iterable[Key], folder: Path, spec: Mapping[str, Any], root: Path) -> dict[str, int]:
    """How many of the `owed` records of the run in `folder` others hold, by the name of their run."""
    return {view.name: len(found) for view, found in _held(set(owed), folder, spec, root)}


def _held(
    owed: set[Key], folder: Path, spec: Mapping[str, Any], root: Path
) -> Iterator[tuple[RunView, list[Record]]]:
    """Runs under `root` that hold owed records, each with those that no run before it has.

    Attempts that the machine failed do not count, nor canaries, which are there to try the checker of the run
    at hand. A run that cannot be read is passed over.
    """
    left = set(owed)
    for view in _alike(folder, spec, root) if left else ():
        found = [record for record in view.records if record.key in left and _counts(record)]
        if found:
            left -= {record.key for record in found}
            yield view, found


def _alike(itself: Path, spec: Mapping[str, Any], root: Path) -> Iterator[RunView]:
    wanted = inputs_digest(spec)
    for folder in find_runs(root):
        with suppress(UserError):
            if folder == itself or _digest_at(folder / SPEC) != wanted:
                continue
            view = open_run(folder)
            _ = view.records
            yield view


def _digest_at(path: Path) -> str | None:
    try:
        return _digest_of(path.read_bytes())
    except (OSError, ValueError):
        return None


@functools.lru_cache(maxsize=4096)
def _digest_of(spec: bytes) -> str:
    """Asked for every run under a root, at every evaluation of a sweep."""
    found = parse(spec)
    return inputs_digest(found if isinstance(found, dict) else {})


def _counts(record: Record) -> bool:
    return record.verdict.status is not Status.INFRA and not is_canary(record)
