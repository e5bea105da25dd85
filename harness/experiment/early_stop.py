"""`early_terminate` of a sweep file: what it may say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import SpecError
from harness.nested import nearest

KEYS = ("type", "min_iter", "max_iter", "s", "eta", "strict")
ETA = 3


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """Hyperband as W&B means it: of the points that came as far, only the best 1/eta go on."""

    first: int
    """Rows of the history with the metric after which a point is first looked at."""
    eta: int = ETA
    """It is looked at again after eta times as many, and so on."""


def read_early_stop(path: Path, data: Any) -> EarlyStop:
    """The block `early_terminate`. Raises `SpecError` naming file, key and fix."""
    where = f"{path}: early_terminate"
    if not isinstance(data, Mapping):
        raise SpecError(f"{where}: must be a mapping such as {{type: hyperband, min_iter: 10}}")
    for key in data:
        if key not in KEYS:
            raise SpecError(f"{where}.{key}: unknown key{nearest(str(key), list(KEYS))}")
    if data.get("type") != "hyperband":
        raise SpecError(f"{where}.type: {data.get('type')!r} is unknown; write hyperband")
    for key in ("min_iter", "max_iter", "s", "eta"):
        least = 2 if key == "eta" else 1
        if key in data and (
            not isinstance(data[key], int) or isinstance(data[key], bool) or data[key] < least
        ):
            raise SpecError(f"{where}.{key}: must be a whole number of at least {least}, not {data[key]!r}")
    eta = data.get("eta", ETA)
    if "min_iter" in data:
        return EarlyStop(data["min_iter"], eta)
    if "max_iter" not in data or "s" not in data:
        raise SpecError(f"{where}: needs min_iter, or max_iter and s")
    return EarlyStop(max(1, data["max_iter"] // eta ** data["s"]), eta)
