"""What `harness data` does: list the benchmarks, show one, and fetch those that live elsewhere."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import files
from harness.benchmarks.loading import Defect, check, defective, revision_of
from harness.benchmarks.manifest import Manifest, manifest, names
from harness.benchmarks.own_rows import Placed
from harness.benchmarks.sources.origins import how_to_fetch, placed_at, placed_on_hub
from harness.errors import SpecError, StoreError
from harness.paths import local_data
from harness.types import Problem

CLONE_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One benchmark in the list."""

    name: str
    title: str
    purpose: str
    splits: dict[str, int]
    """Problems per split as the manifest states them; empty where it does not pin a number."""
    toolchain: str
    licence: str
    here: bool
    """Its data is on this machine."""
    where: str
    """The data file, or how to fetch it."""


def listing() -> list[BenchmarkRow]:
    """Every benchmark that has a manifest, sorted by name."""
    return [row_of(manifest(name)) for name in names()]


def row_of(found: Manifest) -> BenchmarkRow:
    """The list's row for one manifest."""
    path = found.path.parent / found.data if found.data else fetched_file(found.name)
    here = path.is_file()
    return BenchmarkRow(
        name=found.name,
        title=found.title,
        purpose=found.purpose,
        splits=dict(found.splits),
        toolchain=found.toolchain,
        licence=found.licence,
        here=here,
        where=str(path) if here else how_to_fetch(found),
    )


def show(name: str) -> dict[str, Any]:
    """All that is known of one benchmark, as plain JSON: its row, facts, content hash and defects."""
    found = manifest(name)
    defects: dict[str, Defect] = defective(name)
    return {
        **dataclasses.asdict(row_of(found)),
        "content": found.revision,
        "sha256": found.sha256,
        "source": dict(found.source),
        "facts": dict(found.facts),
        "defects": [dataclasses.asdict(defect) for defect in defects.values()],
        "manifest": str(found.path),
    }


def fetched_file(name: str) -> Path:
    """Where a fetched benchmark lies: one JSONL row per problem, in the project's own form."""
    return local_data() / f"{name}.jsonl"


def fetch(name: str, origin: Path | None = None, revision: str | None = None) -> Path:
    """Bring benchmark `name` to this machine and return its file.

    `origin`: a git checkout, folder or JSONL file that is already here; None clones the pinned commit, or
    loads the hub's data set. `revision` overrides the pin, which only a manifest without content hash allows.
    What comes is checked against the manifest before it is written; a failed fetch leaves nothing behind.
    Where it came from is kept in `<name>.source.json` beside it.

    Raises `SpecError` when it cannot be had or is not what the manifest says, `StoreError` when it cannot be
    kept.
    """
    found = manifest(name)
    if found.data:
        data = found.path.parent / found.data
        raise SpecError(f"{name}: its data lies beside its manifest ({data}); nothing to fetch")
    if origin is not None and revision is not None:
        raise SpecError(f"--revision {revision}: --from takes what {origin} holds; leave one of the two out")
    if origin is not None and not origin.exists():
        raise SpecError(f"{origin}: no such file or folder")
    if revision is not None:
        source = {**found.source, ("hub_revision" if "hub" in found.source else "commit"): revision}
        found = dataclasses.replace(found, source=source)
    if origin is not None:
        return _keep(found, check(found, placed_at(found, origin), origin))
    if "hub" in found.source:
        return _keep(found, check(found, placed_on_hub(found), found.source["hub"]))
    return _keep(found, check(found, _cloned(found), found.source["git"]))


def _cloned(found: Manifest) -> list[Placed]:
    url, commit = found.source.get("git"), found.source.get("commit")
    if not url or found.source.get("reader"):
        raise SpecError(f"{found.path}: source: names nothing to clone or load; {how_to_fetch(found)}")
    with tempfile.TemporaryDirectory(prefix="harness-fetch-") as folder:
        _git(found, ["init", "--quiet", folder])
        _git(found, ["-C", folder, "fetch", "--quiet", "--depth", "1", url, commit or "HEAD"])
        _git(found, ["-C", folder, "checkout", "--quiet", "FETCH_HEAD"])
        return placed_at(found, Path(folder))


def _git(found: Manifest, arguments: Sequence[str]) -> None:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        subprocess.run(
            ["git", *arguments],
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=CLONE_TIMEOUT_S,
            env=environment,
        )
    except FileNotFoundError as cause:
        raise SpecError(f"{found.name}: git is not installed; {how_to_fetch(found)}") from cause
    except subprocess.TimeoutExpired as cause:
        raise SpecError(
            f"{found.name}: git took over {CLONE_TIMEOUT_S:.0f} s; {how_to_fetch(found)}"
        ) from cause
    except subprocess.CalledProcessError as cause:
        said = (cause.stderr.strip().splitlines() or ["no message"])[-1]
        raise SpecError(f"{found.name}: git says {said!r}; {how_to_fetch(found)}") from cause


def _keep(found: Manifest, problems: Sequence[Problem]) -> Path:
    path = fetched_file(found.name)
    kept = {"source": dict(found.source), "problems": len(problems), "content": revision_of(problems)}
    rows = (dataclasses.asdict(problem) for problem in problems)
    text = "".join(json.dumps(_without(row, "benchmark"), ensure_ascii=False) + "\n" for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, text)
        files.replace(path.with_suffix(".source.json"), json.dumps(kept, indent=1) + "\n")
    except OSError as cause:
        raise StoreError(
            f"{path}: cannot be written ({cause.strerror}); set HARNESS_DATA to another folder"
        ) from cause
    return path


def _without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}
