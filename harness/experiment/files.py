"""Which experiment a command line means: an experiment file, or a base with a point of a sweep over it.

A file with a `base` key (a sweep point as `wandb agent` hands it over, or a short experiment of one's own)
is laid over `sweeps/base/<base>.yaml`, which fixes every value. `--base`, else HARNESS_BASE, else the key.
Settings that vary together have a name: `variants` maps names to settings, and `variant` says whose are laid
over the file's own; the command line has the last word.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.benchmarks.manifest import manifest
from harness.errors import SpecError
from harness.experiment.spec import ExperimentSpec, build, spelled_out
from harness.nested import (
    Origins,
    RepeatedYamlKey,
    as_read,
    nearest,
    origin_of,
    override,
    parse_yaml,
    read_yaml,
    within,
)
from harness.paths import data_folder, expanded
from harness.spec import ProblemsSpec

BASE = "base"
BASE_VARIABLE = "HARNESS_BASE"
VARIANT, VARIANTS = "variant", "variants"
_REQUIRED = {"train"} | {name for name, item in ExperimentSpec.model_fields.items() if item.is_required()}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that the command line gives."""

    key: str
    """Dotted."""
    value: Any
    origin: str
    """As it was typed, such as `--set search.alpha=0.5`: what a message about the value begins with."""

    @property
    def keys(self) -> list[str]:
        """Dotted names of what it sets; a mapping sets its items one by one."""
        return list(_leaves(self.key, self.value))


def _leaves(key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping) or not value:
        yield key
        return
    for name, item in value.items():
        yield from _leaves(f"{key}.{name}", item)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a command line changes: a base instead of the file's, and single values, in the order given."""

    base: str | None = None
    values: tuple[Setting, ...] = ()

    @property
    def origins(self) -> Origins:
        """What sets which key."""
        return [(key, item.origin) for item in self.values for key in item.keys]

    @property
    def switch(self) -> tuple[str, str] | None:
        """The base that counts instead of the file's, and what names it: `--base`, else HARNESS_BASE."""
        if self.base is not None:
            return self.base, f"--base {self.base}"
        named = os.environ.get(BASE_VARIABLE)
        return (named, f"{BASE_VARIABLE}={named}") if named else None


def find(text: str) -> Path:
    """The file that `text` names: a path, or the name of a file in `sweeps/`. Raises `SpecError`."""
    path = expanded(text)
    if path.is_file():
        return path
    folder = data_folder("sweeps")
    relative = Path(text.removeprefix("sweeps/"))
    for place in (folder / relative, folder / f"{relative}.yaml", folder / "base" / f"{relative}.yaml"):
        if place.is_file() and ".." not in relative.parts:
            return place
    known = [str(item.relative_to(folder)) for item in folder.rglob("*.yaml")]
    raise SpecError(f"{text}: no such file, here or in {folder}{nearest(text, known)}")


def base_file(name: str, origin: str = "base") -> Path:
    """The experiment file of the base `name`: a file in `sweeps/base`, or a path.

    Raises `SpecError` naming `origin`, where the name was given.
    """
    folder = data_folder("sweeps") / "base"
    for path in (folder / f"{name}.yaml", expanded(name)):
        if path.is_file():
            return path
    known = [path.stem for path in folder.glob("*.yaml")]
    raise SpecError(f"{origin}: no {name!r} in {folder}{nearest(name, known)}")


def load(path: Path, overrides: Overrides = Overrides()) -> ExperimentSpec:
    """The experiment that the file at `path` (YAML or JSON) describes. Raises `SpecError`."""
    data = read_yaml(path)
    if "parameters" in data:
        raise SpecError(f"{path} is a sweep file; use harness sweep")
    return resolve(data, str(path), overrides)


def resolve(data: Mapping[str, Any], source: str, overrides: Overrides = Overrides()) -> ExperimentSpec:
    """The experiment that `data` describes: complete, or a point over a base.

    Dotted keys mean nesting. Raises `SpecError` naming `source` or the setting, the key and the fix.
    """
    complete: dict[str, Any] = {}
    named = source
    if BASE in data:
        chosen, origin = overrides.switch or (data[BASE], f"{source}: base")
        if not isinstance(chosen, str):
            raise SpecError(f"{source}: base: must be the name of a file in sweeps/base, not {chosen!r}")
        complete = _read_base(base_file(chosen, origin))
        named = f"{source} over {chosen}"
    elif overrides.base is not None:
        raise SpecError(
            f"{source}: --base {overrides.base}: this file fixes every value itself and has no `base` key"
        )
    elif len(missing := sorted(_REQUIRED - {str(key).partition(".")[0] for key in data})) > 1:
        raise SpecError(
            f"{source}: base: missing; name the experiment that this is laid over (`base: embedded`, in a "
            f"sweep `base: {{value: embedded}}`), or also give {', '.join(missing)}"
        )
    own = {str(key): as_read(value) for key, value in data.items() if key not in (BASE, VARIANT, VARIANTS)}
    point = [Setting(key, value, source) for key, value in own.items()]
    for item in (*point, *_variant(data, source, point), *overrides.values):
        complete = spelled_out(complete, named)
        try:
            complete = override(complete, item.key, item.value)
        except SpecError as error:
            raise SpecError(f"{item.origin}: {item.key}: {error}") from None
    spec = build(complete, named, overrides.origins)
    named_sets = [] if spec.train is None else [("train", spec.train)]
    named_sets += [(f"evaluations.{n}.problems", item.problems) for n, item in enumerate(spec.evaluations)]
    wrong = [_wrong_problems(key, problems, named, overrides.origins) for key, problems in named_sets]
    if any(wrong):
        raise SpecError("\n".join(line for line in wrong if line))
    return spec


def _variant(data: Mapping[str, Any], source: str, point: Sequence[Setting]) -> list[Setting]:
    """The settings of the variant that `data` chooses.

    Raises `SpecError` for one that is not there, and where it sets what the `point` sets too.
    """
    known, chosen = data.get(VARIANTS, {}), data.get(VARIANT)
    if not isinstance(known, Mapping) or not all(isinstance(item, Mapping) for item in known.values()):
        raise SpecError(f"{source}: variants: must map names to settings, such as plain: {{rounds: 1}}")
    if chosen is None and not known:
        return []
    if chosen not in known:
        raise SpecError(f"{source}: variant: no {chosen!r} among variants{nearest(str(chosen), known)}")
    origin = f"{source}: variants.{chosen}"
    found = [Setting(str(key), as_read(value), origin) for key, value in known[chosen].items()]
    for key in (key for item in found for key in item.keys):
        if any(within(own, key) for item in point for own in item.keys):
            raise SpecError(f"{origin}.{key}: is also set outside the variants; keep one")
    return found


def _read_base(path: Path) -> dict[str, Any]:
    return _parsed(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    data = read_yaml(path)
    if BASE in data:
        raise SpecError(f"{path}: base: a base fixes every value itself; take the key out")
    return data


def _wrong_problems(key: str, problems: ProblemsSpec, source: str, origins: Origins) -> str | None:
    """Why there is no such benchmark, or no such split of it; None when there is."""
    part, origin = "benchmark", origin_of(f"{key}.benchmark", origins, source)
    try:
        found = manifest(problems.benchmark)
        part, origin = "split", origin_of(f"{key}.split", origins, origin)
        if problems.split != "all":
            found.check_split(problems.split)
    except SpecError as error:
        return f"{origin}: {key}.{part}: {error}"
    return None


def setting(text: str) -> Setting:
    """`key=value` as given to --set; the value is read as YAML. Raises `SpecError`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SpecError(f"--set {text}: must look like search.alpha=0.5")
    try:
        return Setting(key.strip(), parse_yaml(value) if value else "", f"--set {text}")
    except RepeatedYamlKey as error:
        raise SpecError(f"--set {text}: {error}") from None
    except yaml.YAMLError:
        raise SpecError(f"--set {text}: the value is not YAML; quote it") from None
