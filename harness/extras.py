"""The optional parts of an installation: which packages each brings, what for, and how to get it.

Whoever needs one imports it where it is used, after `need`; reading runs, comparing and boards need none.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MissingExtra


@dataclass(frozen=True, slots=True)
class Extra:
    """One extra of `pyproject.toml`."""

    modules: tuple[str, ...]
    """What it brings, as it is imported."""
    enables: str


EXTRAS = {
    "local": Extra(
        ("torch", "transformers", "trl", "datasets", "accelerate", "tokenizers"),
        "training, and generators and value models in this process: the embedded default",
    ),
    "wandb": Extra(("wandb", "wandb_workspaces"), "Weights & Biases: sweeps, runs, reports"),
    "pages": Extra(("vl_convert",), "boards as pages with charts, charts as files"),
    "serve": Extra(("starlette", "uvicorn"), "live boards and servers over HTTP"),
    "sweep": Extra(("optuna",), "bayes and hyperband sweeps without W&B"),
    "lora": Extra(("peft",), "GRPO by low-rank adapters"),
    "vllm": Extra(("vllm",), "whole proofs and tactics of large generators on a GPU"),
    "openrlhf": Extra(("openrlhf",), "GRPO of large generators over several GPUs"),
}


def missing(extra: str) -> list[str]:
    """The modules of an extra that are not installed; nothing is imported."""
    return [name for name in EXTRAS[extra].modules if not _installed(name)]


def _installed(module: str) -> bool:
    found = importlib.util.find_spec(module)
    # A folder without __init__.py, such as a checkout's own datasets/, is found too, and has no origin.
    return found is not None and found.origin is not None


def how_to_install(extra: str) -> str:
    """The command, for a clone or for an installed package."""
    top = Path(__file__).resolve().parents[1]
    if (top / "pyproject.toml").is_file():
        return f"pip install -c requirements.lock -e '.[{extra}]' (in {top})"
    return f"pip install 'lean-harness[{extra}]'"


def need(extra: str) -> None:
    """Raise `MissingExtra` with the command that installs it, when a part of `extra` is not there."""
    absent = missing(extra)
    if absent:
        raise MissingExtra(f"{', '.join(absent)}: not installed; run: {how_to_install(extra)}")
