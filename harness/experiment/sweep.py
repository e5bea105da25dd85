"""Sweep files: plain W&B sweep YAML, expanded here without a server. Pure, apart from reading the file.

The same file is given to `wandb sweep`. W&B only warns about keys that it does not know; here they are
errors. Grid points come in W&B's order: parameter names sorted, the last one varying fastest.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from harness.errors import SpecError
from harness.experiment.files import BASE
from harness.experiment.spec import ExperimentSpec
from harness.nested import nearest, read_yaml

TOP_KEYS = (
    "method", "metric", "parameters", "program", "command", "name", "description", "project", "entity",
    "run_cap", "early_terminate", "controller", "settings",
)  # fmt: skip
EXPERIMENT_KEYS = {BASE, *ExperimentSpec.model_fields} - set(TOP_KEYS)
METRIC_KEYS = ("name", "goal", "target", "impute", "impute_while_running")
LEAF_KEYS = ("value", "values", "probabilities", "min", "max", "distribution", "q", "mu", "sigma")
GOALS = ("maximize", "minimize")
COMMAND = ("harness", "run", "${args_json_file}")
"""What lets `wandb agent` hand over a point with its nesting and types intact."""

Path_ = tuple[str, ...]
Leaf = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep file. `leaves` maps the path of each parameter to what it may be, sorted by path."""

    path: Path
    name: str
    method: str
    leaves: Mapping[Path_, Leaf]
    metric: str | None = None
    goal: str = "maximize"
    run_cap: int | None = None

    @property
    def varied(self) -> list[str]:
        """Dotted names of the parameters that can take more than one value."""
        return [".".join(path) for path, leaf in self.leaves.items() if len(leaf.get("values", [0, 1])) > 1
                and "value" not in leaf]  # fmt: skip


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file strictly. Raises `SpecError` naming file, key and fix."""
    data = read_yaml(path)
    if "parameters" not in data and EXPERIMENT_KEYS & data.keys():
        raise SpecError(f"{path} is an experiment file; use harness run")
    _known(path, data, TOP_KEYS)
    method = data.get("method")
    if method not in ("grid", "random"):
        raise SpecError(
            f"{path}: method: {method!r} is not run here; set grid or random, or use `wandb sweep`"
        )
    if "early_terminate" in data:
        raise SpecError(f"{path}: early_terminate: not run here; leave it out, or use `wandb sweep`")
    parameters = data.get("parameters")
    if not isinstance(parameters, dict) or not parameters:
        raise SpecError(f"{path}: parameters: missing; name at least one parameter to vary")
    leaves = _sorted(path, _leaves(path, parameters, ()))
    metric = data.get("metric", {})
    if not isinstance(metric, dict):
        raise SpecError(f"{path}: metric: must be a mapping with name and goal")
    _known(path, metric, METRIC_KEYS, "metric.")
    goal = metric.get("goal", "minimize" if metric else "maximize")
    if goal not in GOALS:
        raise SpecError(f"{path}: metric.goal: {goal!r} must be one of {', '.join(GOALS)}")
    cap = data.get("run_cap")
    if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int) or cap < 1):
        raise SpecError(f"{path}: run_cap: must be a whole number above 0, not {cap!r}")
    if method == "random" and cap is None:
        raise SpecError(f"{path}: run_cap: missing; a random sweep needs a number of points to stop at")
    name = str(data.get("name", path.stem))
    return Sweep(path, name, method, leaves, metric.get("name"), goal, cap)


def points(sweep: Sweep, seed: int = 0) -> list[dict[str, Any]]:
    """Every point as nested parameters, in the order in which they are run.

    A grid is listed in W&B's order and cut at `run_cap`; random points are drawn from `seed`.
    Raises `SpecError` for a parameter that cannot be in a grid.
    """
    if sweep.method == "grid":
        axes = [_grid(sweep.path, path, leaf) for path, leaf in sweep.leaves.items()]
        every: Iterator[tuple[Any, ...]] = itertools.product(*axes)
        return [_nest(zip(sweep.leaves, row, strict=True)) for row in itertools.islice(every, sweep.run_cap)]
    rng = random.Random(seed)
    drawn = []
    for _ in range(sweep.run_cap or 0):
        values = [_draw(sweep.path, path, leaf, rng) for path, leaf in sweep.leaves.items()]
        drawn.append(_nest(zip(sweep.leaves, values, strict=True)))
    return drawn


def label(sweep: Sweep, point: Mapping[str, Any]) -> str:
    """The varied parameters of a point, such as `search.alpha=0.5`; empty when nothing varies."""
    shown = []
    for name in sweep.varied:
        value: Any = point
        for part in name.split("."):
            value = value[part]
        shown.append(f"{name}={value}")
    return " ".join(shown)


def _known(path: Path, data: Mapping[str, Any], allowed: tuple[str, ...], prefix: str = "") -> None:
    for key in data:
        if key not in allowed:
            raise SpecError(f"{path}: {prefix}{key}: unknown key{nearest(str(key), list(allowed))}")


def _leaves(path: Path, block: Mapping[str, Any], prefix: Path_) -> Iterator[tuple[Path_, Leaf]]:
    for name, item in block.items():
        # A dotted name means what nesting means, as it does on the command line.
        place = (*prefix, *str(name).split("."))
        where = ".".join(("parameters", *place))
        if not isinstance(item, dict):
            raise SpecError(f"{path}: {where}: must be a mapping such as `value: {item}` or `values: [...]`")
        if isinstance(item.get("parameters"), dict):
            _known(path, item, ("parameters",), f"{where}.")
            yield from _leaves(path, item["parameters"], place)
            continue
        _known(path, item, LEAF_KEYS, f"{where}.")
        _check_leaf(path, where, item)
        yield place, item


def _sorted(path: Path, leaves: Iterable[tuple[Path_, Leaf]]) -> dict[Path_, Leaf]:
    found = sorted(leaves, key=lambda item: item[0])
    for (outer, _), (inner, _) in itertools.pairwise(found):
        if inner[: len(outer)] == outer:
            raise SpecError(
                f"{path}: parameters.{'.'.join(inner)}: is also set by parameters.{'.'.join(outer)}; keep one"
            )
    return dict(found)


def _check_leaf(path: Path, where: str, leaf: Leaf) -> None:
    if "value" in leaf and "values" in leaf:
        raise SpecError(f"{path}: {where}: give value or values, not both")
    if "values" in leaf or "probabilities" in leaf:
        _check_values(path, where, leaf)
    elif "value" not in leaf:
        _check_range(path, where, leaf)


def _check_values(path: Path, where: str, leaf: Leaf) -> None:
    values, odds = leaf.get("values", []), leaf.get("probabilities")
    if not isinstance(values, list) or (not values and "values" in leaf):
        raise SpecError(f"{path}: {where}.values: must be a list with at least one value")
    # For Python, True is 1.
    told = [(isinstance(value, bool), value) for value in values]
    for number, item in enumerate(told):
        if item in told[:number]:
            raise SpecError(f"{path}: {where}.values: {item[1]!r} is listed twice; list it once")
    if odds is None:
        return
    if not isinstance(odds, list) or len(odds) != len(values):
        raise SpecError(f"{path}: {where}.probabilities: must be a list as long as values")
    if not all(_is_number(share) and share >= 0 for share in odds) or not sum(odds):
        raise SpecError(f"{path}: {where}.probabilities: must be numbers of at least 0, not all 0")


def _check_range(path: Path, where: str, leaf: Leaf) -> None:
    kind = _distribution(leaf)
    if kind not in _DRAWS:
        raise SpecError(f"{path}: {where}.distribution: {kind!r}{nearest(kind, list(_DRAWS))}")
    needed = ("mu", "sigma") if kind.endswith("normal") else ("min", "max")
    for key in (*needed, *(["q"] if "q" in leaf else [])):
        if not _is_number(leaf.get(key)):
            raise SpecError(f"{path}: {where}.{key}: needs a number, not {leaf.get(key)!r}")
    if leaf.get("q", 1) <= 0:
        raise SpecError(f"{path}: {where}.q: must be above 0, not {leaf['q']}")
    if "min" in needed:
        _check_bounds(path, where, kind, leaf["min"], leaf["max"])


def _check_bounds(path: Path, where: str, kind: str, low: float, high: float) -> None:
    if low > high:
        raise SpecError(f"{path}: {where}: min {low} is above max {high}; swap them")
    if kind == "int_uniform" and not (isinstance(low, int) and isinstance(high, int)):
        raise SpecError(f"{path}: {where}: int_uniform needs a whole min and max, not {low} and {high}")
    if kind.endswith("log_uniform_values") and low <= 0:
        raise SpecError(f"{path}: {where}.min: {kind} needs a number above 0, not {low}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _distribution(leaf: Leaf) -> str:
    if "distribution" in leaf:
        return str(leaf["distribution"])
    whole = isinstance(leaf.get("min"), int) and isinstance(leaf.get("max"), int)
    return "int_uniform" if whole else "uniform"


def _grid(path: Path, place: Path_, leaf: Leaf) -> list[Any]:
    if "value" in leaf:
        return [leaf["value"]]
    if "values" in leaf:
        return list(leaf["values"])
    kind = _distribution(leaf)
    if kind not in ("int_uniform", "q_uniform"):
        name = ".".join(("parameters", *place))
        raise SpecError(f"{path}: {name}: {kind} has no end of values; list values, or set method: random")
    # As W&B does it: an integer range includes its end, a quantised one leaves it out.
    step, low = leaf.get("q", 1), leaf["min"]
    stop = leaf["max"] + 1 if kind == "int_uniform" else leaf["max"]
    count = max(0, math.ceil((stop - low) / step - 1e-9))
    return [low + step * number for number in range(count)]


def _draw(path: Path, place: Path_, leaf: Leaf, rng: random.Random) -> Any:
    if "value" in leaf:
        return leaf["value"]
    if "values" in leaf:
        return rng.choices(leaf["values"], weights=leaf.get("probabilities"))[0]
    kind = _distribution(leaf)
    drawn = _DRAWS[kind](rng, leaf)
    if kind.startswith("q_"):
        step = leaf.get("q", 1)
        drawn = round(drawn / step) * step
    return drawn


def _number(leaf: Leaf, key: str) -> float:
    return cast(float, leaf[key])


def _uniform(rng: random.Random, leaf: Leaf) -> float:
    return rng.uniform(_number(leaf, "min"), _number(leaf, "max"))


def _log_uniform_values(rng: random.Random, leaf: Leaf) -> float:
    return math.exp(rng.uniform(math.log(_number(leaf, "min")), math.log(_number(leaf, "max"))))


def _normal(rng: random.Random, leaf: Leaf) -> float:
    return rng.gauss(_number(leaf, "mu"), _number(leaf, "sigma"))


_DRAWS: dict[str, Callable[[random.Random, Leaf], Any]] = {
    "int_uniform": lambda rng, leaf: rng.randint(leaf["min"], leaf["max"]),
    "uniform": _uniform,
    "q_uniform": _uniform,
    "log_uniform": lambda rng, leaf: math.exp(_uniform(rng, leaf)),
    "log_uniform_values": _log_uniform_values,
    "q_log_uniform_values": _log_uniform_values,
    "normal": _normal,
    "q_normal": _normal,
    "log_normal": lambda rng, leaf: math.exp(_normal(rng, leaf)),
}
"""W&B's distributions that are drawn here. The bounds of `log_uniform` are exponents, as in W&B."""


def _nest(items: Iterator[tuple[Path_, Any]]) -> dict[str, Any]:
    """Paths with values as nested mappings, as `${args_json_file}` hands them to a program."""
    nested: dict[str, Any] = {}
    for path, value in items:
        place = nested
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return nested
