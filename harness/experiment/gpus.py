"""The GPUs that this process may use."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.records.provenance import gpus

DEVICES = "CUDA_VISIBLE_DEVICES"
_NONE = ("", "-1", "NoDevFiles")


def visible(environment: Mapping[str, str] = os.environ) -> list[str]:
    """As CUDA names them; none where there are none."""
    named = environment.get(DEVICES)
    if named is not None:
        return [item for item in (part.strip() for part in named.split(",")) if item not in _NONE]
    return [str(number) for number in range(len(gpus()))]
