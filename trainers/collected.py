"""Finished collections by name, what is in them, and their export as one Parquet table."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis.runs import resolve
from harness.errors import MissingExtra, StoreError, UserError
from harness.experiment.spec import ValueSpec
from harness.extras import how_to_install
from harness.records import stages
from harness.records.folder import SPEC
from harness.records.journal import read_json
from trainers import trajectories
from trainers.trajectories import LabelledState

BINS = 10


@dataclass(frozen=True, slots=True)
class Collected:
    """The trajectories behind a name, round after round, and the settings that label and split them."""

    folders: tuple[Path, ...]
    value: ValueSpec
    seed: int

    @property
    def states(self) -> list[LabelledState]:
        """All states; one that several searches met is there several times."""
        return [state for folder in self.folders for state in trajectories.read(folder / trajectories.STATES)]


def find(root: Path, name: str) -> Collected:
    """What the stage or run `name` was trained on, directly or through its models.

    `root` is the runs folder. Labels and split are those of the value model that it leads to, else those of
    the defaults. Raises `UserError` for an unknown name and for one that leads to no trajectories.
    """
    known = {path.name: path for path in (root / "stages").glob("*-*") if (path / stages.STAGE).is_file()}
    matching = [
        path for each, path in known.items() if each == name or ("-" in name and each.startswith(name))
    ]
    start = matching[0] if len(matching) == 1 else resolve(root, name)
    reached = list(_lineage(start, {each.rpartition("-")[2]: path for each, path in known.items()}))
    folders = {path: facts for path, facts in reached if path.name.startswith("trajectories-")}
    if not folders:
        raise UserError(
            f"{start.name}: no trajectories under {root / 'stages'} lead to it; name such a stage"
        )
    ordered = sorted(folders, key=lambda path: int(folders[path]["round"]))
    settings: Mapping[str, Any] = next(
        (facts["value"] for path, facts in reached if path.name.startswith("value-")), {}
    )
    # A stage of another version may have settings that this one does not know; they change no label.
    known_here = {key: given for key, given in settings.items() if key in ValueSpec.model_fields}
    return Collected(tuple(ordered), ValueSpec(**known_here), int(folders[ordered[0]]["seed"]))


def _lineage(start: Path, known: Mapping[str, Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """`start` and every stage that it depends on, each with its inputs: those whose digests stand in them."""
    seen, queue = {start}, [start]
    while queue:
        folder = queue.pop(0)
        stage = stages.facts(folder)
        inputs = read_json(folder / SPEC) if stage is None else stage["inputs"]
        yield folder, inputs
        for text in _texts(inputs):
            if (found := known.get(text)) is not None and found not in seen:
                seen.add(found)
                queue.append(found)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping | list):
        for inner in data.values() if isinstance(data, Mapping) else data:
            yield from _texts(inner)


def rounds(states: Sequence[LabelledState]) -> list[dict[str, int]]:
    """Of each round (from 1) its theorems and its states by kind."""
    found = []
    for number in sorted({state.round for state in states}):
        of_round = [state for state in states if state.round == number]
        kinds = Counter(state.kind for state in of_round)
        theorems = len({state.revision for state in of_round})
        named: dict[str, int] = {kind: kinds[kind] for kind in trajectories.KINDS}
        found.append({"round": number + 1, "theorems": theorems, "states": len(of_round), **named})
    return found


def sides(states: Sequence[LabelledState], spec: ValueSpec, seed: int) -> dict[str, dict[str, Any]]:
    """What a value model trains on and what is held out: theorems, labelled states, histogram of labels.

    The histogram has `BINS` equal bins from 0 to 1; a label of 1 falls into the last.
    """
    found: dict[str, dict[str, Any]] = {}
    merged = trajectories.merged(states)
    for side in ("train", "held out"):
        held = side == "held out"
        mine = [s for s in merged if trajectories.held_out(s, spec, seed) == held]
        labels = [label for s in mine if (label := trajectories.label(s, spec)) is not None]
        bins = Counter(min(int(label * BINS), BINS - 1) for label in labels)
        found[side] = {
            "theorems": len({s.revision for s in mine}),
            "states": len(mine),
            "labelled": len(labels),
            "histogram": [bins[place] for place in range(BINS)],
        }
    return found


def write_parquet(path: Path, states: Sequence[LabelledState]) -> None:
    """One row a state, columns as the fields of `LabelledState`.

    Raises `MissingExtra` without pyarrow, `StoreError` when the file cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra(f"pyarrow: not installed; run: {how_to_install('local')}") from None
    text, whole = pyarrow.string(), pyarrow.int32()
    texts, counts = ("problem_id", "revision", "state", "kind", "tactic"), ("tactics_left", "round")
    columns = [*((name, text) for name in texts), *((name, whole) for name in counts)]
    made = pyarrow.Table.from_pylist([dataclasses.asdict(s) for s in states], pyarrow.schema(columns))
    try:
        parquet.write_table(made, path)
    except OSError as cause:
        raise StoreError(f"{path}: cannot be written: {cause.strerror or cause}") from cause
