"""One parameter of a sweep: what W&B lets it be, its values in a grid, a value drawn at random. Pure.

Nothing is listed before it is asked for: a range of a billion whole numbers costs as much as one of two.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from harness.errors import SpecError
from harness.nested import nearest

KEYS = ("value", "values", "probabilities", "min", "max", "distribution", "q", "mu", "sigma", "a", "b")
"""What may stand under a parameter, `parameters` apart."""
LISTED = ("constant", "categorical", "categorical_w_probabilities")
"""Distributions that only say in words what `value`, `values` and `probabilities` say."""

Parameter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Steps(Sequence[float]):
    """`size` numbers from `low`, `step` apart."""

    low: float
    step: float
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: Any) -> Any:
        return self.low + self.step * range(self.size)[place]


def check(where: str, parameter: Parameter) -> None:
    """Raise `SpecError` naming `where`, the key and the fix for what W&B's schema does not allow."""
    if "value" in parameter and "values" in parameter:
        raise SpecError(f"{where}: give value or values, not both")
    named = parameter.get("distribution")
    if named in LISTED and not ("value" in parameter or "values" in parameter):
        raise SpecError(f"{where}: distribution {named} needs {'value' if named == 'constant' else 'values'}")
    if "values" in parameter or "probabilities" in parameter:
        _check_values(where, parameter)
    elif "value" not in parameter:
        _check_range(where, parameter)


def varies(parameter: Parameter) -> bool:
    """Whether it can take more than one value."""
    return "value" not in parameter and len(parameter.get("values", (0, 1))) > 1


def listing(where: str, parameter: Parameter) -> Sequence[Any]:
    """Its values in a grid, in order. Raises `SpecError` naming `where` when there is no end of them.

    As W&B does it: a range of whole numbers includes its end, a quantised one leaves it out.
    """
    if "value" in parameter:
        return [parameter["value"]]
    if "values" in parameter:
        return list(parameter["values"])
    kind = distribution(parameter)
    if kind not in ("int_uniform", "q_uniform"):
        raise SpecError(f"{where}: {kind} has no end of values; list values, or set method: random")
    step, low = parameter.get("q", 1), parameter["min"]
    stop = parameter["max"] + 1 if kind == "int_uniform" else parameter["max"]
    return Steps(low, step, max(0, math.ceil((stop - low) / step - 1e-9)))


def draw(parameter: Parameter, rng: random.Random) -> Any:
    """One value at random."""
    if "value" in parameter:
        return parameter["value"]
    if "values" in parameter:
        return rng.choices(parameter["values"], weights=parameter.get("probabilities"))[0]
    kind = distribution(parameter)
    drawn = _DRAWS[kind.removeprefix("q_")](rng, parameter)
    if kind.startswith("q_"):
        step = parameter.get("q", 1)
        drawn = round(drawn / step) * step
    return drawn


def _check_values(where: str, parameter: Parameter) -> None:
    values, odds = parameter.get("values", []), parameter.get("probabilities")
    if not isinstance(values, list) or (not values and "values" in parameter):
        raise SpecError(f"{where}.values: must be a list with at least one value")
    twice = _repeated(values)
    if twice is not None:
        raise SpecError(f"{where}.values: {values[twice]!r} is listed twice; list it once")
    if odds is None:
        return
    if not isinstance(odds, list) or len(odds) != len(values):
        raise SpecError(f"{where}.probabilities: must be a list as long as values")
    if not all(_is_number(share) and share >= 0 for share in odds) or not sum(odds):
        raise SpecError(f"{where}.probabilities: must be numbers of at least 0, not all 0")


def _repeated(values: Sequence[Any]) -> int | None:
    """Place of the first value that stands there before; None when all are distinct."""
    seen: set[tuple[bool, Any]] = set()
    others: list[Any] = []
    for place, value in enumerate(values):
        known: Any = others if isinstance(value, list | dict) else seen
        key = value if known is others else (isinstance(value, bool), value)  # for Python, True is 1
        if key in known:
            return place
        (others.append if known is others else seen.add)(key)
    return None


def _check_range(where: str, parameter: Parameter) -> None:
    low, high = parameter.get("min"), parameter.get("max")
    if "distribution" not in parameter and isinstance(low, float) != isinstance(high, float):
        for key in ("min", "max"):
            _check_number(where, parameter, key)
        raise SpecError(
            f"{where}: min {low} and max {high}: W&B takes two whole numbers or two with a point; "
            "write both alike, or name a distribution"
        )
    kind = distribution(parameter)
    if kind.removeprefix("q_") not in _DRAWS or kind == "q_int_uniform":
        known = [*_DRAWS, *(f"q_{name}" for name in _QUANTISED), *LISTED]
        raise SpecError(f"{where}.distribution: {kind!r}{nearest(kind, known)}")
    needed = _needed(kind)
    for key in (*needed, *(["q"] if "q" in parameter else [])):
        _check_number(where, parameter, key)
    if parameter.get("q", 1) <= 0:
        raise SpecError(f"{where}.q: must be above 0, not {parameter['q']}")
    if "min" in needed:
        _check_bounds(where, kind, parameter["min"], parameter["max"])
    for key in needed:
        if key in ("a", "b") and parameter[key] <= 0:
            raise SpecError(f"{where}.{key}: must be above 0, not {parameter[key]}")


def _needed(kind: str) -> tuple[str, str]:
    if kind.endswith("normal"):
        return ("mu", "sigma")
    return ("a", "b") if kind.endswith("beta") else ("min", "max")


def _check_number(where: str, parameter: Parameter, key: str) -> None:
    if not _is_number(parameter.get(key)):
        raise SpecError(f"{where}.{key}: needs a number, not {parameter.get(key)!r}")


def _check_bounds(where: str, kind: str, low: float, high: float) -> None:
    if low > high:
        raise SpecError(f"{where}: min {low} is above max {high}; swap them")
    if kind == "int_uniform" and not (isinstance(low, int) and isinstance(high, int)):
        raise SpecError(f"{where}: int_uniform needs a whole min and max, not {low} and {high}")
    if kind.endswith("_values") and low <= 0:
        raise SpecError(f"{where}.min: {kind} needs a number above 0, not {low}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def distribution(parameter: Parameter) -> str:
    """The distribution of a range, as named or as W&B reads its ends."""
    if "distribution" in parameter:
        return str(parameter["distribution"])
    whole = isinstance(parameter.get("min"), int) and isinstance(parameter.get("max"), int)
    return "int_uniform" if whole else "uniform"


def _number(parameter: Parameter, key: str) -> float:
    return cast(float, parameter[key])


def _uniform(rng: random.Random, parameter: Parameter) -> float:
    return rng.uniform(_number(parameter, "min"), _number(parameter, "max"))


def _log_uniform_values(rng: random.Random, parameter: Parameter) -> float:
    return math.exp(rng.uniform(math.log(_number(parameter, "min")), math.log(_number(parameter, "max"))))


def _inverse(rng: random.Random, low: float, high: float) -> float:
    """X with log(1/X) uniform between `low` and `high`."""
    return math.exp(-rng.uniform(low, high))


def _inverse_values(rng: random.Random, parameter: Parameter) -> float:
    """The bounds are those of X itself here, not of log(1/X)."""
    return _inverse(rng, -math.log(_number(parameter, "max")), -math.log(_number(parameter, "min")))


def _normal(rng: random.Random, parameter: Parameter) -> float:
    return rng.gauss(_number(parameter, "mu"), _number(parameter, "sigma"))


_DRAWS: dict[str, Callable[[random.Random, Parameter], Any]] = {
    "int_uniform": lambda rng, it: rng.randint(it["min"], it["max"]),
    "uniform": _uniform,
    "log_uniform": lambda rng, it: math.exp(_uniform(rng, it)),
    "log_uniform_values": _log_uniform_values,
    "inv_log_uniform": lambda rng, it: _inverse(rng, _number(it, "min"), _number(it, "max")),
    "inv_log_uniform_values": _inverse_values,
    "normal": _normal,
    "log_normal": lambda rng, it: math.exp(_normal(rng, it)),
    "beta": lambda rng, it: rng.betavariate(_number(it, "a"), _number(it, "b")),
}
"""W&B's distributions. The bounds of `log_uniform` are exponents, as in W&B."""
_QUANTISED = ("uniform", "log_uniform", "log_uniform_values", "normal", "log_normal", "beta")
"""Those that may have `q_` before their name."""
