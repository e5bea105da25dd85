"""Sweep files: plain W&B sweep YAML, expanded here without a server. Pure, apart from reading the file.

The same file is given to `wandb sweep`. W&B only warns about keys that it does not know; here they are
errors. Grid points come in W&B's order: parameter names sorted, the last one varying fastest.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import SpecError
from harness.experiment import parameters
from harness.experiment.early_stop import EarlyStop, read_early_stop
from harness.experiment.files import BASE
from harness.experiment.parameters import Parameter
from harness.experiment.spec import ExperimentSpec
from harness.nested import nearest, read_yaml

TOP_KEYS = (
    "method", "metric", "parameters", "program", "command", "name", "description", "project", "entity",
    "run_cap", "early_terminate", "controller", "settings", "apiVersion", "kind",
)  # fmt: skip
ELSEWHERE = ("metrics", "scheduler", "job", "image_uri")
"""Keys of W&B's schema that need its server or its Launch."""
EXPERIMENT_KEYS = {BASE, *ExperimentSpec.model_fields} - set(TOP_KEYS)
METRIC_KEYS = ("name", "goal", "target", "impute", "impute_while_running")
GOALS = ("maximize", "minimize")
METHODS = ("grid", "random", "bayes")
COMMAND = ("harness", "run", "${args_json_file}")
"""What lets `wandb agent` hand over a point with its nesting and types intact."""

Path_ = tuple[str, ...]
Point = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep file. `leaves` maps the path of each parameter to what it may be, sorted by path."""

    path: Path
    name: str
    method: str
    leaves: Mapping[Path_, Parameter]
    metric: str | None = None
    goal: str = "maximize"
    run_cap: int | None = None
    stop: EarlyStop | None = None

    @property
    def varied(self) -> list[str]:
        """Dotted names of the parameters that can take more than one value."""
        return [".".join(path) for path, leaf in self.leaves.items() if parameters.varies(leaf)]


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file strictly. Raises `SpecError` naming file, key and fix."""
    data = read_yaml(path)
    if "parameters" not in data and EXPERIMENT_KEYS & data.keys():
        raise SpecError(f"{path} is an experiment file; use harness run")
    for key in data:
        if key in ELSEWHERE:
            raise SpecError(f"{path}: {key}: not supported here; leave it out, or use `wandb sweep`")
    _known(path, data, TOP_KEYS)
    method = data.get("method")
    if method not in METHODS:
        raise SpecError(f"{path}: method: {method!r} is not run here; set one of {', '.join(METHODS)}")
    if data.get("kind", "sweep") != "sweep":
        raise SpecError(f"{path}: kind: {data['kind']!r} is no sweep; write sweep, or leave it out")
    block = data.get("parameters")
    if not isinstance(block, dict) or not block:
        raise SpecError(f"{path}: parameters: missing; name at least one parameter to vary")
    leaves = _sorted(path, _leaves(path, block, ()))
    metric, goal = _metric(path, data.get("metric"))
    cap = data.get("run_cap")
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int) or cap < 1):
        raise SpecError(f"{path}: run_cap: must be a whole number above 0, not {cap!r}")
    if method != "grid" and cap is None:
        raise SpecError(f"{path}: run_cap: missing; a {method} sweep needs a number of points to stop at")
    stop = read_early_stop(path, data["early_terminate"]) if "early_terminate" in data else None
    if metric is None and (method == "bayes" or stop is not None):
        what = "method: bayes" if method == "bayes" else "early_terminate"
        raise SpecError(f"{path}: metric: missing; {what} needs a metric to go by")
    name = str(data.get("name", path.stem))
    return Sweep(path, name, method, leaves, metric, goal, cap, stop)


def points(sweep: Sweep, seed: int = 0) -> Sequence[Point]:
    """Every point as nested parameters, in the order in which they are run, made when it is asked for.

    A grid is listed in W&B's order and cut at `run_cap`; random points are drawn from `seed`, also for bayes,
    whose own choice is made while it runs (`harness.experiment.choosing`).
    Raises `SpecError` for a parameter that cannot be in a grid.
    """
    if sweep.method != "grid":
        return _Drawn(sweep, random.Random(seed))
    axes = [parameters.listing(_where(sweep.path, place), leaf) for place, leaf in sweep.leaves.items()]
    size = math.prod(len(axis) for axis in axes)
    return _Grid(tuple(sweep.leaves), axes, size if sweep.run_cap is None else min(size, sweep.run_cap))


@dataclass(frozen=True, slots=True)
class _Grid(Sequence[Point]):
    """The product of the axes, the last one fastest, up to `size` points."""

    places: tuple[Path_, ...]
    axes: Sequence[Sequence[Any]]
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: Any) -> Any:
        rest = range(self.size)[place]
        row = []
        for axis in reversed(self.axes):
            rest, at = divmod(rest, len(axis))
            row.append(axis[at])
        return nest(zip(self.places, reversed(row), strict=True))


@dataclass(slots=True)
class _Drawn(Sequence[Point]):
    """Random points, each drawn after the one before it and kept."""

    sweep: Sweep
    rng: random.Random
    drawn: list[Point] = field(default_factory=list)

    def __len__(self) -> int:
        return self.sweep.run_cap or 0

    def __getitem__(self, place: Any) -> Any:
        wanted = range(len(self))[place]
        while len(self.drawn) <= wanted:
            leaves = self.sweep.leaves
            values = [parameters.draw(leaf, self.rng) for leaf in leaves.values()]
            self.drawn.append(nest(zip(leaves, values, strict=True)))
        return self.drawn[wanted]


def samples(sweep: Sweep, found: Sequence[Point], most: int) -> list[Point]:
    """The points to be checked before the first is run: all of them, or when there are more than `most`,
    for each parameter of a grid its first values and its last one, beside the first of the others."""
    if len(found) <= most or not isinstance(found, _Grid):
        return list(itertools.islice(found, most))
    chosen = {0: None, len(found) - 1: None}
    stride = 1
    for axis in reversed(found.axes):
        places = [*range(min(len(axis), most)), len(axis) - 1]
        chosen |= {place * stride: None for place in places if place * stride < len(found)}
        stride *= len(axis)
    return [found[place] for place in sorted(chosen)]


def label(sweep: Sweep, point: Mapping[str, Any]) -> str:
    """The varied parameters of a point, such as `search.alpha=0.5`; empty when nothing varies."""
    shown = []
    for name in sweep.varied:
        value: Any = point
        for part in name.split("."):
            value = value[part]
        shown.append(f"{name}={value}")
    return " ".join(shown)


def _metric(path: Path, metric: Any) -> tuple[str | None, str]:
    """Name and goal of the metric; W&B's default goal is to minimize."""
    if metric is None:
        return None, "maximize"
    if not isinstance(metric, dict):
        raise SpecError(f"{path}: metric: must be a mapping with name and goal")
    _known(path, metric, METRIC_KEYS, "metric.")
    name = metric.get("name")
    if not isinstance(name, str) or not name:
        raise SpecError(f"{path}: metric.name: missing; name a figure, such as eval/search_test/pass_at_1")
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        raise SpecError(f"{path}: metric.goal: {goal!r} must be one of {', '.join(GOALS)}")
    return name, goal


def _known(path: Path, data: Mapping[str, Any], allowed: tuple[str, ...], prefix: str = "") -> None:
    for key in data:
        if key not in allowed:
            raise SpecError(f"{path}: {prefix}{key}: unknown key{nearest(str(key), list(allowed))}")


def _where(path: Path, place: Path_) -> str:
    return f"{path}: {'.'.join(('parameters', *place))}"


def _leaves(path: Path, block: Mapping[str, Any], prefix: Path_) -> Iterator[tuple[Path_, Parameter]]:
    for name, item in block.items():
        # A dotted name means what nesting means, as it does on the command line.
        place = (*prefix, *str(name).split("."))
        where, dotted = _where(path, place), ".".join(("parameters", *place))
        if not isinstance(item, dict):
            raise SpecError(f"{where}: must be a mapping such as `value: {item}` or `values: [...]`")
        if isinstance(item.get("parameters"), dict):
            _known(path, item, ("parameters",), f"{dotted}.")
            yield from _leaves(path, item["parameters"], place)
            continue
        if not set(item) & set(parameters.KEYS) and any(isinstance(inner, dict) for inner in item.values()):
            inner = ", ".join(map(str, item))
            raise SpecError(f"{where}: write `parameters:` under it and {inner} under that, as W&B nests")
        _known(path, item, parameters.KEYS, f"{dotted}.")
        parameters.check(where, item)
        yield place, item


def _sorted(path: Path, leaves: Iterable[tuple[Path_, Parameter]]) -> dict[Path_, Parameter]:
    found = sorted(leaves, key=lambda item: item[0])
    for (outer, _), (inner, _) in itertools.pairwise(found):
        if inner[: len(outer)] == outer:
            raise SpecError(
                f"{path}: parameters.{'.'.join(inner)}: is also set by parameters.{'.'.join(outer)}; keep one"
            )
    return dict(found)


def nest(items: Iterable[tuple[Path_, Any]]) -> Point:
    """Paths with values as nested mappings, as `${args_json_file}` hands them to a program."""
    nested: Point = {}
    for path, value in items:
        place = nested
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return nested
