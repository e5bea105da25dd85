"""On which device models are trained and asked in this process, and with how many cores."""

from __future__ import annotations

import gc
import os
import sys

from harness.errors import UserError


def resolve(name: str) -> str:
    """torch's name for `runtime.device`: `auto` is `cuda` where torch sees a GPU, else `cpu`.

    Raises `UserError` when `cuda` is asked for and there is none.
    """
    if name == "cpu":
        return name
    # Two seconds to import, so nobody who stays on the CPU pays for it.
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if name == "auto":
        return "cpu"
    raise UserError("runtime.device: torch sees no GPU here; set it to cpu or auto")


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def give_back() -> None:
    """Leave to other processes what models that this one has done with still hold of a GPU's memory."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
