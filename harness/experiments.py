"""Which experiment a command line means: an experiment file, or a base with a point of a sweep over it.

A file with a `base` key (a sweep point as `wandb agent` hands it over, or a short experiment of one's own)
is laid over `sweeps/base/<base>.yaml`, which fixes every value. `--base`, else HARNESS_BASE, else the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import SpecError
from harness.paths import data_folder
from harness.spec import ExperimentSpec, RepeatedKey, build, nearest, override, parse_yaml, read_yaml

BASE = "base"
BASE_VARIABLE = "HARNESS_BASE"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a command line changes: a base instead of the file's, and single values."""

    base: str | None = None
    values: tuple[tuple[str, Any], ...] = ()
    """(dotted key, value), in the order given."""


def find(text: str) -> Path:
    """The file that `text` names: a path, or the name of a file in `sweeps/`. Raises `SpecError`."""
    path = Path(text)
    if path.is_file():
        return path
    folder = data_folder("sweeps")
    relative = Path(text.removeprefix("sweeps/"))
    for place in (folder / relative, folder / f"{relative}.yaml"):
        if place.is_file() and ".." not in relative.parts:
            return place
    known = [str(item.relative_to(folder)) for item in folder.rglob("*.yaml")]
    raise SpecError(f"{text}: no such file, here or in {folder}{nearest(text, known)}")


def base_file(name: str) -> Path:
    """The experiment file of the base `name`: a file in `sweeps/base`, or a path. Raises `SpecError`."""
    folder = data_folder("sweeps") / "base"
    for path in (folder / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    known = [path.stem for path in folder.glob("*.yaml")]
    raise SpecError(f"base: no {name!r} in {folder}{nearest(name, known)}")


def load(path: Path, overrides: Overrides = Overrides()) -> ExperimentSpec:
    """The experiment that the file at `path` (YAML or JSON) describes. Raises `SpecError`."""
    return resolve(read_yaml(path), str(path), overrides)


def resolve(data: Mapping[str, Any], source: str, overrides: Overrides = Overrides()) -> ExperimentSpec:
    """The experiment that `data` describes: complete, or a point over a base.

    Dotted keys mean nesting. Raises `SpecError` naming `source`, the key and the fix.
    """
    point = {key: value for key, value in data.items() if key != BASE}
    complete: dict[str, Any] = {}
    if BASE in data:
        chosen = overrides.base or os.environ.get(BASE_VARIABLE) or data[BASE]
        if not isinstance(chosen, str):
            raise SpecError(f"{source}: base: must be the name of a file in sweeps/base, not {chosen!r}")
        complete = read_yaml(base_file(chosen))
        if BASE in complete:
            raise SpecError(f"{base_file(chosen)}: base: a base fixes every value itself; take the key out")
        source = f"{source} over {chosen}"
    elif overrides.base is not None:
        raise SpecError(
            f"{source}: --base {overrides.base}: this file fixes every value itself and has no `base` key"
        )
    for key, value in (*point.items(), *overrides.values):
        try:
            complete = override(complete, str(key), value)
        except SpecError as error:
            raise SpecError(f"{source}: {key}: {error}") from None
    return build(complete, source)


def setting(text: str) -> tuple[str, Any]:
    """`key=value` as given to --set; the value is read as YAML. Raises `SpecError`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SpecError(f"--set {text}: must look like search.alpha=0.5")
    try:
        return key.strip(), parse_yaml(value) if value else ""
    except RepeatedKey as error:
        raise SpecError(f"--set {text}: {error}") from None
    except yaml.YAMLError:
        raise SpecError(f"--set {text}: the value is not YAML; quote it") from None
