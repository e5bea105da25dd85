"""What a tracker knows of an experiment besides its records: one folder for each, and a spool a process.

    runs/tracking/<name>-<digest12>/
        point.json           id, config, stages and evaluations by the folders of their records; never changes
        <time>-<pid>.jsonl   the spool of one process: which W&B run it feeds, what it made, how it ended
        <time>-<pid>.json    what became of it, as its W&B process said last
        wandb.log            what that process printed

The id is drawn once, so a resumed experiment goes on with the same W&B run. All that W&B shows is read from
the records (`harness.tracking.history`): the spools only say where to.
"""

from __future__ import annotations

import fnmatch
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.records.folder import SPEC
from harness.records.journal import make_folder, read_json, read_rows
from harness.tracking.events import RunStarted

POINT = "point.json"


@dataclass(frozen=True, slots=True)
class Point:
    """One experiment as trackers see it."""

    folder: Path
    id: str
    """Of its W&B run, unless an agent gives another."""
    config: Mapping[str, Any]
    """The whole spec, nested plain JSON."""
    stages: Sequence[tuple[str, str]]
    """Name of each stage of training and its folder under the runs folder, in order."""
    evaluations: Sequence[tuple[str, str]]
    """The same for the evaluations."""

    @property
    def root(self) -> Path:
        """The runs folder."""
        return self.folder.parents[1]


@dataclass(frozen=True, slots=True)
class TrackedSession:
    """One process that tracked a point, as its spool tells it."""

    spool: Path
    run: Mapping[str, Any]
    """`id`, `project`, `entity`, `mode`, `sweep`, `name`, `group`, `job_type`, `describe`, `max_unscored`."""
    made: frozenset[str]
    """Names of the stages that it made; others came from the cache."""
    exit_code: int | None
    """None when it ended without a word, or has not ended."""


def tracking(root: Path) -> Path:
    """Where the points lie under the runs folder."""
    return root / "tracking"


def open_point(folder: Path, started: RunStarted) -> Point:
    """The point in `folder`, made there by whoever comes first. Raises StoreError when the disk refuses."""
    make_folder(folder)
    facts = {
        "id": secrets.token_hex(4),
        "config": dict(started.config),
        "stages": [list(item) for item in started.stages],
        "evaluations": [list(item) for item in started.evaluations],
    }
    draft = folder / f".{POINT}.{secrets.token_hex(4)}"
    try:
        draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        try:
            # A link never replaces: of two processes that begin at once, both get the first one's id.
            os.link(draft, folder / POINT)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise StoreError(f"{folder / POINT}: cannot be written: {error.strerror}") from None
    return read_point(folder)


def read_point(folder: Path) -> Point:
    """The point in `folder`. Raises StoreError when there is none, or a broken one."""
    stored = read_json(folder / POINT)
    try:
        stages = tuple((str(name), str(where)) for name, where in stored["stages"])
        evaluations = tuple((str(name), str(where)) for name, where in stored["evaluations"])
        return Point(folder, str(stored["id"]), dict(stored["config"]), stages, evaluations)
    except (KeyError, TypeError, ValueError):
        raise StoreError(
            f"{folder / POINT}: missing or broken; delete the folder, records are elsewhere"
        ) from None


def new_spool(folder: Path) -> Path:
    """A spool that no other process has; of the sessions of a point the newest sorts last."""
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    return folder / f"{time}-{os.getpid()}.jsonl"


def sessions(folder: Path) -> list[TrackedSession]:
    """Every process that tracked the point, the oldest first. Raises StoreError for a broken spool."""
    found = [read_session(path) for path in sorted(folder.glob("*.jsonl"))]
    return [one for one in found if one.run]


def read_session(spool: Path) -> TrackedSession:
    """What a spool tells so far."""
    run: Mapping[str, Any] = {}
    made: set[str] = set()
    code = None
    for _, row in read_rows(spool):
        match row.get("event"):
            case "run":
                run = row
            case "stage" if not row.get("cached"):
                made.add(str(row.get("stage")))
            case "end":
                code = int(row.get("exit_code", 1))
    return TrackedSession(spool, run, frozenset(made), code)


def status_file(spool: Path) -> Path:
    """Where the W&B process of a spool says how it stands."""
    return spool.with_suffix(".json")


def status(spool: Path) -> Mapping[str, Any]:
    """What that process said last: `state`, and `url`, `rows` or `error` where it has them."""
    said = read_json(status_file(spool))
    return said if isinstance(said, dict) else {}


def addresses(root: Path) -> dict[str, str]:
    """Where W&B shows each run: name of its folder to the address that its process told last."""
    found: dict[str, str] = {}
    for path in sorted(tracking(root).glob(f"*/{POINT}")):
        with suppress(StoreError):  # a broken point costs its links, never the board
            point = read_point(path.parent)
            told = [status(one.spool).get("url") for one in sessions(point.folder)]
            known = [str(url) for url in told if str(url).startswith(("https://", "http://"))]
            found |= {where: known[-1] for _, where in point.evaluations if known}
    return found


def named(root: Path, text: str) -> list[Point]:
    """The points that `text` names, whole, by its beginning or as a pattern, or as their sweep; else those
    with such a run.

    A run that no experiment tracked is a point of its own, made now.
    """
    points = [read_point(path.parent) for path in sorted(tracking(root).glob(f"*/{POINT}"))]
    shown = {where for point in points for _, where in point.evaluations}
    alone = sorted({path.parent.name for path in root.glob(f"*/{SPEC}")} - shown)
    wanted = meant([*(point.folder.name for point in points), *alone], text)
    wanted += [point.folder.name for point in grouped(root, text)]
    runs = [] if wanted else meant(shown, text)
    found = [
        point
        for point in points
        if point.folder.name in wanted or any(where in runs for _, where in point.evaluations)
    ]
    fresh = [(run, of_run(root, run)) for run in alone if run in wanted]
    return found + [open_point(tracking(root) / run, one) for run, one in fresh if one is not None]


def grouped(root: Path, group: str) -> list[Point]:
    """The points of a sweep, as the last process that tracked each said it; a broken one is none."""
    found = []
    for path in sorted(tracking(root).glob(f"*/{POINT}")):
        with suppress(StoreError):
            point = read_point(path.parent)
            found += [point] if last_told(point).get("group") == group else []
    return found


def kept_here(root: Path, group: str) -> bool:
    """Whether a point of this sweep was last tracked without a network, and so is not in W&B."""
    return any(last_told(point).get("mode") == "offline" for point in grouped(root, group))


def last_told(point: Point) -> Mapping[str, Any]:
    """What the last process that tracked the point said of its W&B run; nothing when none did."""
    known = sessions(point.folder)
    return known[-1].run if known else {}


def meant(names: Iterable[str], text: str) -> list[str]:
    """Those of `names` that `text` is, else those that it begins, else those that it is a pattern of."""
    known = list(names)
    for test in (str.__eq__, str.startswith, fnmatch.fnmatchcase):
        found = [name for name in known if test(name, text)]
        if found:
            return found
    return []


def of_run(root: Path, name: str) -> RunStarted | None:
    """A run that no experiment tracked, as an experiment of its own; None when there is no such run."""
    spec = read_json(root / name / SPEC)
    if not isinstance(spec, dict):
        return None
    evaluation = str(spec.get("evaluation", {}).get("name", "run"))
    group = str(spec.get("experiment", name))
    return RunStarted(name, group, "eval", spec, evaluations=((evaluation, name),))
