"""Manifests: one YAML file per benchmark that says what it holds, from where, and how that is checked."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import SpecError
from harness.nested import nearest, read_yaml
from harness.paths import data_folder, own_benchmarks

PURPOSES = ("evaluation", "training", "both")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `<name>.yaml` says. Fields without a default must stand in the file."""

    name: str
    title: str
    licence: str
    toolchain: str
    """Lean version that the statements are written for; `core` for the embedded fragment."""
    splits: Mapping[str, int] = field(default_factory=dict)
    """Problems per split. Empty when the source is not pinned down to a count (large training sets)."""
    default_split: str = ""
    """The split that `load` returns when none is asked for; empty: all of them."""
    purpose: str = "evaluation"
    """`evaluation`, `training` or `both`."""
    data: str = ""
    """JSONL file beside the manifest; empty for a benchmark that is fetched from its own home."""
    sha256: str = ""
    """Of the data file."""
    revision: str = ""
    """Content hash over all problems, see `harness.benchmarks.loading.revision_of`."""
    header: str = ""
    """Header of every problem whose row has none."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where a fetched benchmark lives and how its rows read; see `harness.benchmarks.sources`."""
    statements: str = ""
    """File beside the manifest with one `split/id hash` line per problem, as pinned."""
    same_statement: tuple[tuple[str, ...], ...] = ()
    """Groups of ids known to share one statement upstream; any other repetition is an error."""
    defects: str = ""
    """File beside the manifest that lists known-defective problems of this lineage."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures, each with the command behind it; never used in a computation."""
    path: Path = Path()

    @property
    def total(self) -> int:
        """Problems over all splits."""
        return sum(self.splits.values())

    def check_split(self, split: str) -> None:
        """Raise `SpecError` naming file, key and nearest name when there is no such split."""
        if self.splits and split not in self.splits:
            raise SpecError(f"{self.path}: splits: no split {split!r}{nearest(split, self.splits)}")


def names() -> list[str]:
    """Every benchmark that has a manifest, the project's and the user's own, sorted."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("*.yaml")})


def manifest(name: str) -> Manifest:
    """The manifest of benchmark `name`. Raises `SpecError` for none, two of that name, or a malformed one."""
    folders = _folders()
    found = [path for folder in folders if (path := folder / f"{name}.yaml").is_file()]
    if "/" in name or not found:
        places = " and ".join(map(str, folders))
        own = "" if len(folders) > 1 else " (your own: set HARNESS_BENCHMARKS to the folder of its manifest)"
        raise SpecError(f"{places}: no benchmark {name!r}{nearest(name, names())}{own}")
    if len(found) > 1:
        raise SpecError(f"{found[1]}: name: {name!r} is a benchmark of the project; give yours another name")
    return read_manifest(found[0])


def _folders() -> list[Path]:
    shipped, own = data_folder("datasets"), own_benchmarks()
    return [shipped] if own is None or own.samefile(shipped) else [shipped, own]


def read_manifest(path: Path) -> Manifest:
    """Read one manifest file strictly. Raises `SpecError` naming file, key and fix."""
    return _parse(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _parse(path: Path, _changed: int) -> Manifest:
    data = read_yaml(path)
    allowed = {item.name: item for item in dataclasses.fields(Manifest) if item.name != "path"}
    for key in data:
        if key not in allowed:
            raise SpecError(f"{path}: unknown key {key!r}{nearest(str(key), allowed)}")
    for key in ("name", "title", "licence", "toolchain"):
        if not data.get(key):
            raise SpecError(f"{path}: {key}: missing; every manifest states it")
    _check_types(path, data)
    groups = tuple(tuple(group) for group in data.pop("same_statement", ()))
    found = Manifest(**data, same_statement=groups, path=path)
    _check_sense(found)
    return found


def _check_types(path: Path, data: Mapping[str, Any]) -> None:
    for key, value in data.items():
        wanted: type = str
        if key in ("splits", "source", "facts"):
            wanted = dict
        elif key == "same_statement":
            wanted = list
        if not isinstance(value, wanted):
            raise SpecError(f"{path}: {key}: expected {wanted.__name__}, found {value!r}")
    for split, count in data.get("splits", {}).items():
        if not isinstance(split, str) or not isinstance(count, int) or count < 0:
            raise SpecError(f"{path}: splits: {split}: expected a number of problems, found {count!r}")
    if not all(isinstance(group, list) for group in data.get("same_statement", ())):
        raise SpecError(f"{path}: same_statement: expected a list of groups, each a list of ids")


def _check_sense(found: Manifest) -> None:
    path = found.path
    if found.name != path.stem:
        raise SpecError(
            f"{path}: name: is {found.name!r}, but the file is called {path.stem!r}; make them agree"
        )
    if found.purpose not in PURPOSES:
        raise SpecError(f"{path}: purpose: {found.purpose!r}{nearest(found.purpose, PURPOSES)}")
    if found.default_split:
        found.check_split(found.default_split)
    if bool(found.data) == bool(found.source):
        raise SpecError(f"{path}: give exactly one of data (a file beside it) and source (where to fetch it)")
    if found.data and not (found.sha256 and found.revision and found.splits):
        raise SpecError(f"{path}: data: also needs sha256, revision and splits, so that it can be checked")
