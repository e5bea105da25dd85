"""Records that need not be made: of a run that is complete, and of other runs whose every input is the same.

A record depends on its problem, its sample number and what `spec.json` says of seed, prover, models, Lean and
this package. How many problems and samples a run has, what it is called and which k it reports change none,
so a run that grows from 2 samples to 4, or goes by another name, proves nothing twice.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView, find_runs, open_run
from harness.audits.canaries import is_canary
from harness.errors import UserError
from harness.nested import changed_keys, digest
from harness.records.journal import read_json
from harness.records.store import SPEC, SUMMARY, RunStore
from harness.types import ProblemRef, Record, Status

NO_INPUTS = {
    "experiment": None,
    "evaluation": ("name", "k", "samples", "problems"),
    "runtime": ("canaries",),
}
"""Keys of a run's spec that no single record depends on: whole sections (None), or some keys of one."""


def inputs_digest(spec: Mapping[str, Any]) -> str:
    """Digest of what a record of a run with this spec depends on, its problem and its number apart."""
    inputs: dict[str, Any] = copy.deepcopy(dict(spec))
    for section, keys in NO_INPUTS.items():
        if keys is None:
            inputs.pop(section, None)
        elif isinstance(inputs.get(section), dict):
            inputs[section] = {key: value for key, value in inputs[section].items() if key not in keys}
    return digest(inputs)


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
    lines = read_json(folder / SUMMARY)["records"]["lines"]
    return view if lines == len(keys) * summary.samples else None


def adopt(store: RunStore, root: Path, samples: int) -> dict[str, list[Record]]:
    """Store the owed records that other runs under `root` hold, and return them by the name of their run.

    Each run's sessions go into the provenance with them. Attempts that the machine failed are not taken, nor
    canaries, which are there to try the checker of the run at hand. A run that cannot be read is passed over.
    """
    owed = {(*problem.key, index) for problem, index in store.owed(samples)}
    taken: dict[str, list[Record]] = {}
    for view in _alike(store, root) if owed else ():
        found = [record for record in view.records if record.key in owed and _counts(record)]
        if found:
            store.adopt(found, [{**session, "of_run": view.name} for session in view.sessions])
            owed -= {record.key for record in found}
            taken[view.name] = found
    return taken


def _alike(store: RunStore, root: Path) -> Iterator[RunView]:
    wanted = inputs_digest(store.spec)
    for folder in find_runs(root):
        with suppress(UserError):
            if folder == store.folder or inputs_digest(_spec(folder)) != wanted:
                continue
            view = open_run(folder)
            _ = view.records
            yield view


def _spec(folder: Path) -> Mapping[str, Any]:
    spec = read_json(folder / SPEC)
    return spec if isinstance(spec, dict) else {}


def _counts(record: Record) -> bool:
    return record.verdict.status is not Status.INFRA and not is_canary(record)
